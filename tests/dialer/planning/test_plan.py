"""A plan keeps the promises and the rules, and names what the operators' time does not allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.planning import plan as planning
from dialer.planning.plan import Plan, PlannedCall, make_plan
from dialer.planning.policy import Outlook
from dialer.planning.program import Mixture
from dialer.planning.slots import Slot
from dialer.planning.units import Known, units_of
from rules.case import AttemptMade, Fact, Result, Scope
from rules.eligibility import may_call
from rules.history import attempts_left, open_phones, state_of
from rules.profile import Profile
from tests.dialer.planning.month import (
    BEGIN,
    EVENINGS,
    PUBLISHED,
    case_of,
    known,
    slots,
    units,
)
from tests.rules.stories import NOVEMBER, PROFILE, at, profile_with

AMPLE = 20


def in_vain(when: object, phone: object) -> AttemptMade:
    result = Result(outcome="voicemail_left")
    return AttemptMade(at=when, phone=phone, result=result)  # type: ignore[arg-type]


def town(count: int, *facts: tuple[str, int, int]) -> dict[int, tuple[Known, list[Fact]]]:
    """Cases with one and two phones in turn; every fourth wishes for evenings.

    Args:
        facts: attempts in vain: moment, case, phone of the case (0, 1).
    """
    made: dict[int, tuple[Known, list[Fact]]] = {}
    for n in range(1, count + 1):
        own: list[Fact] = [
            in_vain(at(when), 10 * case + phone) for when, case, phone in facts if case == n
        ]
        case = case_of(n, 1 + n % 2)
        made[n] = known(case, *own, wish=EVENINGS if n % 4 == 0 else None), own
    return made


def planned(
    cases: Mapping[int, tuple[Known, list[Fact]]], days: Sequence[Slot], now: object = BEGIN
) -> Plan:
    found = units(*(one for one, _ in cases.values()), now=now)  # type: ignore[arg-type]
    return make_plan(found, days, PUBLISHED, PROFILE)


def replay(case: Known, before: list[Fact], plan: Plan, profile: Profile = PROFILE) -> list[Fact]:
    """Call in vain at each planned moment: the rules must allow it each time."""
    calls = sorted(
        (call.slot.starts_at, int(phone.id))
        for phone in case.case.phones
        for call in plan.paths.get(int(phone.id), ())
    )
    facts, placed = list(before), dict[object, int]()
    for start, phone in calls:
        # the second phone of the case in the same band, after the gap between phones
        moment = start + timedelta(minutes=placed.get(start, 0) + 1)
        placed[start] = placed.get(start, 0) + profile.case_gap_min
        state = state_of(case.case, facts, profile, NOVEMBER)
        verdict = may_call(state, phone, moment, NOVEMBER, profile)
        assert verdict.allowed, (verdict.reasons, moment, phone)
        facts.append(in_vain(moment, phone))
    return facts


MID_MONTH = [
    # moment, case, phone
    ("20 10:00", 1, 0),
    ("20 13:00", 1, 1),
    ("21 13:00", 1, 0),
    ("20 18:00", 2, 0),
    # two weekday attempts: kept for a non-weekday
    ("20 10:00", 3, 0),
    ("24 18:30", 3, 0),
    # all three
    ("20 10:00", 4, 0),
    ("21 13:00", 4, 0),
    ("24 18:30", 4, 0),
    # called this very day
    ("25 09:30", 5, 0),
]


@pytest.mark.parametrize(
    ("now", "facts"),
    [("20 08:00", []), ("20 14:00", []), ("25 11:00", MID_MONTH)],
)
def test_with_enough_operators_every_phone_gets_what_it_is_owed_by_the_rules(
    now: str, facts: list[tuple[str, int, int]]
) -> None:
    cases = town(12, *facts)
    plan = planned(cases, slots(at(now), AMPLE), at(now))
    assert plan.shortfalls == ()
    for case, before in cases.values():
        state = state_of(case.case, replay(case, before, plan), PROFILE, NOVEMBER)
        for phone in open_phones(state):
            assert attempts_left(state, phone, PROFILE) == 0
            assert phone.weekend_met


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 8), st.integers(0, 24), st.integers(0, 2), st.data())
def test_whatever_happened_and_however_few_operators_there_are_the_plan_obeys_the_rules(
    count: int, start: int, operators: int, data: st.DataObject
) -> None:
    """Some cases are called in vain in bands before the plan is made."""
    days = slots()
    cases = town(count)
    for n, (case, facts) in cases.items():
        for slot in days[:start]:
            phone = data.draw(st.sampled_from([None, *case.case.phones]))
            moment = slot.starts_at + timedelta(minutes=1)
            state = state_of(case.case, facts, PROFILE, NOVEMBER)
            if phone and may_call(state, phone.id, moment, NOVEMBER, PROFILE).allowed:
                facts.append(in_vain(moment, phone.id))
        cases[n] = known(case.case, *facts, wish=case.wish), facts
    now = days[start].starts_at
    left = slots(now, operators)
    plan = planned(cases, left, now)
    missing = {one.phone_id: one.missing for one in plan.shortfalls}
    for case, before in cases.values():
        state = state_of(case.case, replay(case, before, plan), PROFILE, NOVEMBER)
        for phone in open_phones(state):
            assert attempts_left(state, phone, PROFILE) == missing.get(int(phone.id), 0)


def test_too_few_operators_are_not_overbooked_and_who_is_left_out_is_named() -> None:
    cases = town(1500)
    plan = planned(cases, slots(operators=1))
    for figures in plan.slots:
        assert figures.needed_s <= figures.slot.planned_s + 1e-3
    owed = 3 * sum(len(case.case.phones) for case, _ in cases.values())
    made = sum(len(path) for path in plan.paths.values())
    assert plan.shortfalls
    assert made + sum(one.missing for one in plan.shortfalls) == owed
    by_case = {int(phone.id): n for n, (case, _) in cases.items() for phone in case.case.phones}
    assert all(by_case[one.phone_id] == one.case_id for one in plan.shortfalls)
    assert max(figures.price for figures in plan.slots) > 0


def test_without_operators_nothing_is_planned_and_everything_is_missing() -> None:
    cases = town(3)
    plan = planned(cases, slots(operators=0))
    assert plan.paths == {}
    assert len(plan.slots) == len(slots())
    assert sorted(one.missing for one in plan.shortfalls) == [3] * 5
    assert (plan.contacts, plan.contacts_low, plan.contacts_high) == (0, 0, 0)


def test_after_the_period_everything_left_is_missing() -> None:
    cases = town(3, ("20 10:00", 1, 0), ("21 13:00", 1, 0))
    plan = planned(cases, [], at("30 20:00"))
    assert (plan.paths, plan.slots, plan.contacts) == ({}, (), 0)
    missing = {one.phone_id: one.missing for one in plan.shortfalls}
    assert missing == {10: 1, 11: 3, 20: 3, 30: 3, 31: 3}


def test_a_month_without_cases_is_an_empty_plan() -> None:
    plan = make_plan([], slots(), PUBLISHED, PROFILE)
    assert (plan.paths, plan.shortfalls, plan.contacts) == ({}, (), 0)
    assert [figures.slot for figures in plan.slots] == slots()


def test_policies_become_whole_cases_by_their_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The paths are those of the policies: three policies, told apart by their gains."""
    weights = np.array([[0.5], [0.3], [0.2]])
    found: list[Mixture] = []

    def told(cases: object) -> Mixture:
        mixture = solve(cases)  # type: ignore[arg-type]
        policy = mixture.policies[-1]
        marked = [
            type(policy)(policy.actions, tuple(np.full_like(g, n) for g in policy.gains), g0)
            for n, g0 in enumerate([policy.start] * 3)
        ]
        nothing = np.zeros_like(mixture.outlook.seconds)
        outlook = Outlook(nothing, nothing, nothing, np.zeros(len(nothing)))
        found.append(Mixture(marked, weights, mixture.prices, outlook, outlook, mixture.bound))
        return found[-1]

    solve = planning.solve
    monkeypatch.setattr(planning, "solve", told)
    # half of them have an attempt behind them: spread over both states alike
    before = {n: [in_vain(at("20 10:00"), 10 * n)] if n % 2 else [] for n in range(1, 401)}
    many = [known(case_of(n), *before[n]) for n in range(1, 401)]
    plan = make_plan(units(*many, now=at("20 12:00")), slots(at("20 12:00")), PUBLISHED, PROFILE)
    for state in (0, 1):
        paths = [plan.paths[10 * n] for n in before if n % 2 == state]
        shares = Counter(path[0].gain for path in paths)
        for number, weight in enumerate(weights[:, 0]):
            assert abs(shares[number] - 200 * weight) <= 4, (state, number)


@pytest.mark.parametrize("operators", [1, AMPLE])
def test_what_is_expected_lies_between_the_ends_of_the_rates(operators: int) -> None:
    plan = planned(town(100), slots(operators=operators))
    assert 0 < plan.contacts_low < plan.contacts < plan.contacts_high < 100
    assert plan.contacts == pytest.approx(sum(figures.contacts for figures in plan.slots))


def test_who_wishes_for_evenings_is_called_in_evenings_more_than_others() -> None:
    wishing = [known(case_of(n), wish=EVENINGS) for n in range(1, 31)]
    others = [known(case_of(n)) for n in range(31, 61)]
    plan = make_plan(units(*wishing, *others), slots(operators=2), PUBLISHED, PROFILE)

    def evenings(cases: Sequence[Known]) -> int:
        calls = [call for case in cases for call in plan.paths[10 * int(case.case.id)]]
        return sum(call.slot.band == "夜" for call in calls)

    assert evenings(wishing) > evenings(others)


def test_a_call_is_never_planned_where_leaving_it_out_is_better() -> None:
    calls: list[PlannedCall] = [
        call for path in planned(town(40), slots(operators=1)).paths.values() for call in path
    ]
    assert calls
    assert min(call.gain for call in calls) >= 0


@pytest.mark.parametrize("scopes", [{"attempt_scope": Scope.CASE}, {"weekend_scope": Scope.CASE}])
def test_the_contracts_other_readings_are_planned_by_the_rules_too(
    scopes: dict[str, Scope],
) -> None:
    profile = profile_with(**scopes)
    case = case_of(1, 2)
    state = state_of(case, [], profile, NOVEMBER)
    one = Known(case=case, state=state, contacted=False, wish=None)
    plan = make_plan(units_of(one, BEGIN, profile), slots(operators=AMPLE), PUBLISHED, profile)
    facts = replay(one, [], plan, profile)
    per_case = profile.attempt_scope is Scope.CASE
    assert len(facts) == (3 if per_case else 6)
    assert plan.shortfalls == ()

"""May this phone be called, and from when (rules 1, 4-7, 10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import JST, Calendar
from rules.case import Case, Fact, PaymentKnown, StopOrdered
from rules.eligibility import (
    HouseholdActivity,
    Reason,
    Verdict,
    may_call,
    missed_appointments,
    next_from,
)
from rules.history import state_of
from rules.profile import Profile
from tests.rules.stories import (
    NOVEMBER,
    ONE_PHONE,
    PROFILE,
    TWO_PHONES,
    at,
    attempt,
    callback,
    profile_with,
)


def ask(
    when: str,
    *facts: Fact,
    phone: str = "a1",
    case: Case = TWO_PHONES,
    profile: Profile = PROFILE,
    household: HouseholdActivity | None = None,
) -> Verdict:
    state = state_of(case, facts, profile, NOVEMBER)
    if household is None:
        return may_call(state, phone, at(when), NOVEMBER, profile)
    return may_call(state, phone, at(when), NOVEMBER, profile, household)


def reasons(*names: str) -> tuple[Reason, ...]:
    return tuple(Reason(name) for name in names)


WEEKDAYS = [attempt("20 10:00"), attempt("24 13:00")]
"""Two counted weekday calls; the 28th and 29th are the non-weekdays left."""


@pytest.mark.parametrize(
    ("when", "facts", "expected"),
    [
        # rule 1
        ("20 10:00", [], ()),
        ("20 19:58:54", [], ()),
        ("20 19:58:55", [], reasons("outside_hours")),
        ("20 20:00", [], reasons("outside_hours")),
        ("19 10:00", [], reasons("outside_period")),
        ("27 10:00", [], reasons("excluded_day")),
        ("27 08:00", [], reasons("excluded_day", "outside_hours")),
        # the end of a case or a phone
        ("24 13:00", [attempt("20 10:00", "refused")], reasons("case_complete")),
        ("24 13:00", [attempt("20 10:00", "fax")], reasons("phone_closed")),
        ("24 13:00", [StopOrdered(at=at("20 09:00"))], reasons("stopped")),
        ("24 13:00", [PaymentKnown(at=at("20 09:00"))], reasons("paid")),
        # rule 4
        (
            "24 18:00",
            [attempt("20 10:00"), attempt("21 13:00"), attempt("22 10:00")],
            reasons("attempts_used"),
        ),
        (
            "26 10:00",  # no attempt is left that could be kept for a non-weekday
            [attempt("20 13:00"), attempt("24 10:00"), attempt("25 18:00")],
            reasons("attempts_used"),
        ),
        # rule 5
        ("20 18:00", [attempt("20 10:00")], reasons("same_day")),
        ("21 10:00", [attempt("20 10:00")], reasons("same_band")),
        ("20 10:30", [attempt("20 10:00")], reasons("same_day", "same_band")),
        ("21 13:00", [attempt("20 10:00")], ()),
        ("22 10:00", [attempt("20 10:00"), attempt("21 13:00")], ()),  # the one before decides
        # rule 6
        ("25 18:00", WEEKDAYS, reasons("kept_for_non_weekday")),
        ("28 10:00", WEEKDAYS, ()),
        ("28 13:00", WEEKDAYS, reasons("same_band")),
        ("30 18:00", WEEKDAYS, ()),  # none is left
        ("25 18:00", [attempt("21 10:00"), attempt("24 13:00")], ()),  # already met
        ("25 18:00", WEEKDAYS[:1], ()),  # another attempt is left for it
        # cool-downs and gaps
        ("20 10:09", [attempt("20 10:00", "busy")], reasons("cooling_down")),
        ("20 10:10", [attempt("20 10:00", "busy")], ()),
        ("20 10:11", [attempt("20 10:00", "busy")], ()),
        ("20 10:29", [attempt("20 10:00", phone="a2")], reasons("case_gap")),
        ("20 10:30", [attempt("20 10:00", phone="a2")], ()),
        ("20 10:29", [attempt("20 10:00", "fax", "a2")], reasons("case_gap")),
    ],
)
def test_a_phone_is_refused_for_every_reason_that_holds(
    when: str, facts: list[Fact], expected: tuple[Reason, ...]
) -> None:
    verdict = ask(when, *facts)
    assert verdict == Verdict(allowed=not expected, reasons=expected)


def test_an_escalated_case_is_not_called() -> None:
    profile = profile_with(approve_refusals=True)
    verdict = ask("24 13:00", attempt("20 10:00", "refused"), profile=profile)
    assert verdict.reasons == reasons("case_escalated")


def test_a_payment_or_a_stop_order_does_not_hide_that_the_city_is_asked() -> None:
    profile = profile_with(approve_refusals=True)
    facts = [attempt("20 10:00", "refused"), PaymentKnown(at=at("21 10:00"))]
    assert ask("24 13:00", *facts, profile=profile).reasons == reasons("case_escalated", "paid")
    facts += [StopOrdered(at=at("21 11:00"))]
    assert ask("24 13:00", *facts, profile=profile).reasons == reasons(
        "case_escalated", "stopped", "paid"
    )


def test_the_answer_is_the_same_in_every_time_zone() -> None:
    state = state_of(ONE_PHONE, [attempt("20 10:00")], PROFILE, NOVEMBER)
    moment = at("21 10:00").astimezone(UTC)
    verdict = may_call(state, "a1", moment, NOVEMBER, PROFILE)
    assert verdict.reasons == reasons("same_band")
    told = next_from(state, "a1", moment, NOVEMBER, PROFILE)
    assert told is not None
    assert told.isoformat() == "2026-11-21T12:00:00+09:00"


def test_a_moment_without_a_time_zone_is_refused() -> None:
    state = state_of(ONE_PHONE, [], PROFILE, NOVEMBER)
    naive = datetime(2026, 11, 20, 10)  # noqa: DTZ001
    for question in (may_call, next_from):
        with pytest.raises(ValueError, match=r"^a datetime without a time zone$"):
            question(state, "a1", naive, NOVEMBER, PROFILE)


# --- appointments (rule 7) ---------------------------------------------------------------------

LEARNED = attempt("20 13:00", "third_party", appointment="20 16:00")


@pytest.mark.parametrize(
    ("when", "phone", "expected"),
    [
        ("20 15:59", "a1", reasons("same_day", "same_band", "appointment_pending")),
        ("20 15:59", "a2", reasons("appointment_pending")),
        ("20 16:00", "a1", ()),  # free of rules 5 and 6
        ("20 16:30", "a1", ()),  # missed: as soon as possible
        ("20 16:00", "a2", ()),  # the other phone by the ordinary rules
    ],
)
def test_an_appointment_holds_all_phones_back_and_then_frees_its_own(
    when: str, phone: str, expected: tuple[Reason, ...]
) -> None:
    assert ask(when, LEARNED, phone=phone).reasons == expected


def test_a_due_appointment_is_free_of_the_case_gap_but_not_of_cool_down_and_household() -> None:
    assert ask("20 16:00", LEARNED, attempt("20 15:50", phone="a2")).allowed
    busy = attempt("20 16:00", "busy")
    assert ask("20 16:05", LEARNED, busy).reasons == reasons("cooling_down")
    near = HouseholdActivity(last_at=at("20 15:45"))
    assert ask("20 16:00", LEARNED, household=near).reasons == reasons("household_busy")


def test_an_appointment_from_a_callback_frees_every_phone_of_the_case() -> None:
    facts = [attempt("20 13:00"), callback("20 13:10", "person_incomplete", appointment="20 16:00")]
    assert ask("20 16:00", *facts).allowed
    assert ask("20 16:00", *facts, phone="a2").allowed


def test_an_extra_call_is_free_of_used_attempts_at_its_time_only() -> None:
    third = attempt("22 10:00", "third_party", appointment="24 19:00")
    facts = [attempt("20 10:00"), attempt("21 13:00"), third]
    assert Reason.APPOINTMENT_PENDING in ask("24 18:59", *facts, case=ONE_PHONE).reasons
    assert ask("24 19:00", *facts, case=ONE_PHONE).allowed


@pytest.mark.parametrize(
    ("when", "missed"),
    [("20 15:00", []), ("20 16:15", []), ("20 16:15:01", ["20 16:00"])],
)
def test_an_appointment_past_its_window_is_missed(when: str, missed: list[str]) -> None:
    state = state_of(ONE_PHONE, [LEARNED], PROFILE, NOVEMBER)
    assert list(missed_appointments(state, at(when), PROFILE)) == [at(each) for each in missed]


def test_a_missed_appointment_that_was_made_up_for_stays_in_the_report() -> None:
    state = state_of(ONE_PHONE, [LEARNED, attempt("20 18:00")], PROFILE, NOVEMBER)
    assert missed_appointments(state, at("21 09:00"), PROFILE) == (at("20 16:00"),)


# --- the weekend rule in other scopes (rule 6) ----------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "facts", "kept"),
    [
        # a phone of the case keeps its own last one, though the other phone could still meet it
        ({"weekend_scope": "case"}, WEEKDAYS, True),
        # … unless it is met already by the other
        ({"weekend_scope": "case"}, [*WEEKDAYS, attempt("22 10:00", phone="a2")], False),
        # the case's three attempts
        (
            {"weekend_scope": "case", "attempt_scope": "case"},
            [attempt("20 10:00"), attempt("24 10:00", phone="a2")],
            True,
        ),
        ({"attempt_scope": "case"}, [attempt("20 10:00"), attempt("24 10:00", phone="a2")], True),
        ({"attempts": 1}, [], True),
        ({"attempts": 4}, WEEKDAYS, False),
    ],
)
def test_the_last_attempt_of_the_weekend_rules_scope_is_kept(
    scopes: dict[str, object], facts: list[Fact], kept: bool
) -> None:
    verdict = ask("25 18:00", *facts, profile=profile_with(**scopes))
    assert verdict.reasons == (reasons("kept_for_non_weekday") if kept else ())


def test_a_phone_is_not_kept_for_a_band_that_is_over_before_a_non_weekday_opens() -> None:
    span = PROFILE.hours.non_weekday.model_copy(update={"opens": PROFILE.bands[1].starts})
    hours = PROFILE.hours.model_copy(update={"non_weekday": span})
    afternoons = PROFILE.model_copy(update={"hours": hours})
    facts = [attempt("20 10:00"), attempt("24 13:00")]
    assert ask("25 18:00", *facts).reasons == reasons("kept_for_non_weekday")
    assert ask("25 18:00", *facts, profile=afternoons).allowed


def test_the_gap_of_a_case_holds_between_its_phones_both_ways() -> None:
    assert ask("20 10:29", attempt("20 10:00")).reasons == reasons("same_day", "same_band")
    for first, other in (("a1", "a2"), ("a2", "a1")):
        called = attempt("20 10:00", phone=first)
        assert ask("20 10:29", called, phone=other).reasons == reasons("case_gap")


def test_a_phone_is_kept_for_a_period_that_ends_on_the_next_day() -> None:
    ends = replace(NOVEMBER, period_to=at("28 00:00").date(), excluded=frozenset())
    facts = [attempt("20 10:00"), attempt("24 13:00")]
    state = state_of(TWO_PHONES, facts, PROFILE, ends)
    kept = may_call(state, "a1", at("27 18:00"), ends, PROFILE)
    assert kept.reasons == reasons("kept_for_non_weekday")
    ends = replace(ends, period_to=at("27 00:00").date())
    assert may_call(state, "a1", at("27 18:00"), ends, PROFILE).allowed


def test_a_phone_is_not_kept_for_non_weekdays_that_close_before_they_open() -> None:
    facts = [attempt("24 10:00"), attempt("25 13:00")]
    whole_day_s = 8 * 3600
    profile = profile_with(closing_margin_s=whole_day_s)  # 9:00 is the last moment of a non-weekday
    assert ask("26 10:00", *facts, profile=profile).reasons == reasons("kept_for_non_weekday")
    profile = profile_with(closing_margin_s=whole_day_s + 1)
    assert ask("26 10:00", *facts, profile=profile).allowed


def test_a_phone_is_not_kept_for_a_non_weekday_on_which_only_its_last_band_is_open() -> None:
    span = PROFILE.hours.non_weekday.model_copy(update={"closes": PROFILE.bands[0].ends})
    hours = PROFILE.hours.model_copy(update={"non_weekday": span})
    mornings = PROFILE.model_copy(update={"hours": hours})
    facts = [attempt("20 13:00"), attempt("24 10:00")]
    assert ask("25 18:00", *facts).reasons == reasons("kept_for_non_weekday")
    assert ask("25 18:00", *facts, profile=mornings).allowed


# --- one household, one call (rule 10) --------------------------------------------------------------


@pytest.mark.parametrize(
    ("household", "busy"),
    [
        (HouseholdActivity(), False),
        (HouseholdActivity(last_at=at("20 09:30:01")), True),
        (HouseholdActivity(last_at=at("20 09:30")), False),
        (HouseholdActivity(in_flight=True), True),
        (HouseholdActivity(last_at=at("20 09:01"), in_flight=True), True),
    ],
)
def test_a_household_is_left_in_peace_for_half_an_hour(
    household: HouseholdActivity, busy: bool
) -> None:
    verdict = ask("20 10:00", household=household)
    assert verdict.reasons == (reasons("household_busy") if busy else ())


# --- next_from ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "facts", "expected"),
    [
        ("01 10:00", [], "20 09:00"),
        ("20 10:00:30", [], "20 10:00:30"),
        ("20 19:58:55", [], "21 09:00"),
        ("26 20:00", [], "28 09:00"),  # the 27th is excluded
        ("30 19:59", [], None),
        ("20 10:01", [attempt("20 10:00")], "21 12:00"),
        ("20 18:01", [attempt("20 18:00")], "21 09:00"),
        ("25 09:00", WEEKDAYS, "28 09:00"),
        ("29 12:00", WEEKDAYS, "30 09:00"),  # only 午後 was left, the band of the call before
        ("20 10:01", [attempt("20 10:00", "failed")], "20 10:10"),
        ("20 10:01", [attempt("20 10:00", phone="a2")], "20 10:30"),
        ("20 13:01", [LEARNED], "20 16:00"),
        ("20 10:01", [attempt("20 10:00", "refused")], None),
        ("20 10:01", [attempt("20 10:00", "fax")], None),
    ],
)
def test_the_next_call_is_told_by_the_same_rules(
    now: str, facts: list[Fact], expected: str | None
) -> None:
    state = state_of(TWO_PHONES, facts, PROFILE, NOVEMBER)
    moment = next_from(state, "a1", at(now), NOVEMBER, PROFILE)
    assert moment == (at(expected) if expected else None)


def test_the_next_call_waits_for_the_household_and_ignores_a_call_in_flight() -> None:
    state = state_of(ONE_PHONE, [], PROFILE, NOVEMBER)
    household = HouseholdActivity(last_at=at("20 09:50"), in_flight=True)
    moment = next_from(state, "a1", at("20 10:00"), NOVEMBER, PROFILE, household)
    assert moment == at("20 10:20")


MOMENTS = st.builds(
    lambda day, minute: at(f"{day} 00:00") + timedelta(minutes=minute),
    st.integers(18, 30),
    st.integers(0, 1439),
)
APPOINTMENTS = st.sampled_from([None, None, "25 18:00", "28 10:00", "30 19:58", "24 21:00"])
HISTORIES = st.lists(
    st.builds(
        lambda moment, outcome, phone, appointment: attempt(
            f"{moment:%d %H:%M}",
            outcome,
            phone,
            appointment=appointment if outcome == "third_party" else None,
        ),
        MOMENTS,
        st.sampled_from(
            ["no_answer", "no_answer", "third_party", "busy", "failed", "abandoned", "fax"]
        ),
        st.sampled_from(["a1", "a2"]),
        APPOINTMENTS,
    ),
    max_size=6,
)
PROFILES = st.sampled_from(
    [
        PROFILE,
        profile_with(attempt_scope="case", weekend_scope="case"),
        profile_with(weekend_scope="case", attempts=2),
        profile_with(attempts=1, case_gap_min=200, closing_margin_s=0),
    ]
)


@settings(max_examples=300, deadline=None)
@given(HISTORIES, MOMENTS, PROFILES, st.lists(st.floats(0, 1), min_size=8, max_size=8))
def test_nothing_is_allowed_before_next_from_and_the_call_is_allowed_at_it(
    facts: list[Fact], now: datetime, profile: Profile, samples: list[float]
) -> None:
    known = [fact for fact in facts if fact.at <= now]
    state = state_of(TWO_PHONES, known, profile, NOVEMBER)
    start = next_from(state, "a1", now, NOVEMBER, profile)
    end = start or at("30 00:00") + timedelta(days=2)
    for share in samples:
        moment = now + (end - now) * share
        if moment < end:
            assert not may_call(state, "a1", moment, NOVEMBER, profile).allowed
    if start is not None:
        assert start >= now
        assert may_call(state, "a1", start, NOVEMBER, profile).allowed


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(MOMENTS, st.sampled_from(["a1", "a2"])), max_size=40))
def test_however_often_one_asks_the_contracts_promises_hold(
    asked: list[tuple[datetime, str]],
) -> None:
    facts: list[Fact] = []
    for moment, phone in sorted(asked):
        state = state_of(TWO_PHONES, facts, PROFILE, NOVEMBER)
        if may_call(state, phone, moment, NOVEMBER, PROFILE).allowed:
            facts.append(attempt(f"{moment:%d %H:%M}", phone=phone))
    placed = [(fact.at.astimezone(JST), getattr(fact, "phone", None)) for fact in facts]
    for phone in ("a1", "a2"):
        mine = [moment for moment, where in placed if where == phone]
        assert len(mine) <= 3
        assert len({moment.date() for moment in mine}) == len(mine)
        if len(mine) == 3 and not any(_is_non_weekday(moment, NOVEMBER) for moment in mine):
            assert mine[-1] > at("29 12:00"), "kept while a non-weekday was left"
    for (first, one), (second, other) in pairwise(placed):
        assert one == other or second - first >= timedelta(minutes=30)


def _is_non_weekday(moment: datetime, calendar: Calendar) -> bool:
    return calendar.is_non_weekday(moment.date())


def test_the_moment_at_which_the_last_band_ends_is_in_no_band() -> None:
    """Only where nothing keeps the last call away from closing time may it still be placed then."""
    profile = profile_with(closing_margin_s=0)
    state = state_of(ONE_PHONE, [attempt("24 18:00")], profile, NOVEMBER)
    assert may_call(state, "a1", at("25 20:00"), NOVEMBER, profile).allowed
    assert next_from(state, "a1", at("25 18:00"), NOVEMBER, profile) == at("25 20:00")

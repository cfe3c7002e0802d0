"""How long a phone may wait, against the rules themselves asked about every order of calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import JST, Calendar
from rules.case import AttemptMade, Case, CaseState, Fact, Result
from rules.eligibility import may_call
from rules.history import attempts_left, state_of
from rules.profile import Profile, as_timeline, in_succession
from rules.slack import Slack, slack_of
from tests.rules.stories import (
    NOVEMBER,
    ONE_PHONE,
    PROFILE,
    TWO_PHONES,
    at,
    attempt,
    profile_with,
)


def slack(when: str, *facts: Fact, phone: str = "a1", profile: Profile = PROFILE) -> Slack | None:
    state = state_of(TWO_PHONES, facts, profile, NOVEMBER)
    return slack_of(state, phone, at(when), NOVEMBER, profile)


def owed(days: int, deadline: str, *, missing: int = 0, weekend_missed: bool = False) -> Slack:
    day = at(f"{deadline} 00:00").date()
    return Slack(days=days, missing=missing, weekend_missed=weekend_missed, deadline=day)


LOST = Slack(days=-1, missing=1, weekend_missed=False, deadline=None)
# calling days: Fri 20, Sat 21, Sun 22, Mon 23 (holiday), Tue 24, Wed 25, Thu 26, Sat 28, Sun 29, Mon 30
WEEKDAY = attempt("20 10:00")
WEEKEND = attempt("21 10:00")
TWO_WEEKDAYS = (WEEKDAY, attempt("24 13:00"))


@pytest.mark.parametrize(
    ("when", "facts", "expected"),
    [
        # of 10 days the last three, 28-30, hold everything
        ("20 08:00", [], owed(7, "28")),
        ("20 19:58:54", [], owed(7, "28")),
        # the day is over for new calls: it is no longer one that may be lost
        ("20 19:58:55", [], owed(6, "28")),
        ("28 09:00", [], owed(0, "28")),
        # only two days are left
        ("29 09:00", [], owed(-1, "29", missing=1)),
        # only Monday is left, and with it the non-weekday is gone
        ("30 09:00", [], owed(-1, "30", missing=2, weekend_missed=True)),
        # the day of an attempt can neither be used nor lost
        ("20 12:00", [WEEKDAY], owed(7, "29")),
        ("21 12:00", [WEEKEND], owed(6, "29")),
        # two attempts on weekdays: the last one waits for the last non-weekday
        ("24 14:00", [*TWO_WEEKDAYS], owed(3, "29")),
        ("26 14:00", [*TWO_WEEKDAYS], owed(2, "29")),
        ("29 12:00", [*TWO_WEEKDAYS], owed(-1, "30", weekend_missed=True)),
        # the evening before counts for nothing on a non-weekday, an afternoon there does
        ("29 10:00", [WEEKDAY, attempt("26 18:00")], owed(0, "29")),
        ("29 12:00", [WEEKDAY, attempt("26 18:00")], owed(0, "29")),
        ("30 17:00", [WEEKEND, attempt("24 18:00")], LOST),
        ("30 13:00", [WEEKEND, attempt("24 18:00")], owed(0, "30")),
        # the time before an appointment, and a cool-down up to the end of hours, are not there
        ("20 12:00", [attempt("20 10:00", "third_party", appointment="28 10:00")], owed(1, "29")),
        ("26 19:50", [attempt("26 19:50", "busy")], owed(0, "28")),
        ("26 19:50", [attempt("26 19:50", "busy", phone="a2")], owed(0, "28")),
        # ... but a phone does not wait for the gap after its own call
        ("30 19:45", [WEEKEND, WEEKDAY, attempt("30 19:40", "busy")], owed(0, "30")),
    ],
)
def test_the_days_that_may_be_lost_are_counted_from_the_moment_asked(
    when: str, facts: list[Fact], expected: Slack
) -> None:
    assert slack(when, *facts) == expected
    state = state_of(TWO_PHONES, facts, PROFILE, NOVEMBER)
    for hours in (-5, 0, 14):  # whatever zone the moment is told in
        now = at(when).astimezone(timezone(timedelta(hours=hours)))
        assert slack_of(state, "a1", now, NOVEMBER, PROFILE) == expected


def test_a_day_on_which_no_call_can_be_placed_is_no_day() -> None:
    # nothing on non-weekdays, and on weekdays the mornings, of which only one can follow another band
    mornings = profile_with(closing_margin_s=8 * 3600 + 1)
    assert slack("20 08:00", profile=mornings) == owed(-1, "30", missing=2, weekend_missed=True)
    one_left = [attempt("21 10:00"), attempt("24 13:00")]
    assert slack("25 08:00", *one_left, profile=mornings) == owed(2, "30")


def test_a_band_that_is_over_before_the_day_opens_is_no_chance() -> None:
    span = PROFILE.hours.non_weekday.model_copy(update={"opens": PROFILE.bands[1].starts})
    hours = PROFILE.hours.model_copy(update={"non_weekday": span})
    afternoons = as_timeline([date.min], [PROFILE.model_copy(update={"hours": hours})])
    assert slack("25 10:00", *TWO_WEEKDAYS) == owed(3, "29")
    lost = owed(-1, "30", weekend_missed=True)
    assert slack("25 10:00", *TWO_WEEKDAYS, profile=afternoons) == lost


def test_what_is_owed_is_what_the_profile_says_on_the_day_that_is_asked_about() -> None:
    days = [(date(2026, 11, 20), PROFILE), (date(2026, 11, 25), profile_with(attempts=2))]
    for form in in_succession(days).timeline.forms:
        assert slack("24 10:00", profile=form) == owed(3, "28")
        assert slack("25 10:00", profile=form) == owed(3, "29")


THREE = (WEEKDAY, attempt("21 13:00"), attempt("24 10:00"))


@pytest.mark.parametrize(
    "facts",
    [
        [*THREE],
        [attempt("20 10:00", "fax")],
        [attempt("20 10:00", "person_done", script_finished=True)],
        # an appointment learned on the last attempt: nothing but the extra call is left
        [*THREE[:2], attempt("24 10:00", "third_party", appointment="25 10:00")],
    ],
)
def test_nothing_is_owed_to_a_phone_without_attempts_or_of_a_case_that_ended(
    facts: list[Fact],
) -> None:
    assert slack("24 12:00", *facts) is None
    assert slack("24 12:00", *facts[:-1]) is not None


def test_a_moment_without_a_time_zone_is_rejected() -> None:
    state = state_of(ONE_PHONE, [], PROFILE, NOVEMBER)
    with pytest.raises(ValueError, match="time zone"):
        slack_of(state, "a1", at("20 10:00").replace(tzinfo=None), NOVEMBER, PROFILE)


def test_attempts_of_the_case_may_be_taken_by_all_its_open_phones() -> None:
    shared = profile_with(attempt_scope="case")
    assert slack("29 09:00", profile=shared) == owed(0, "29")  # both on Sunday, one on Monday
    assert slack("30 09:00", profile=shared) == owed(-1, "30", missing=1, weekend_missed=True)
    # the other one is closed: its chances are gone, its weekend stays
    closed = attempt("28 10:00", "fax", phone="a2")
    assert slack("29 09:00", closed, profile=shared) == owed(0, "29")
    assert slack("30 09:00", closed, profile=shared) == owed(-1, "30", missing=1)
    weekday = attempt("26 10:00", "fax", phone="a2")
    assert slack("29 09:00", weekday, profile=shared) == owed(0, "29")


def test_a_non_weekday_of_the_case_is_asked_of_every_phone_that_can_have_it() -> None:
    shared = profile_with(weekend_scope="case")
    assert slack("24 14:00", *TWO_WEEKDAYS, profile=shared) == owed(3, "29")
    # a1 has one attempt left, and of the last non-weekday only the afternoon, in which it was called
    a1 = [attempt("24 10:00"), attempt("25 13:00")]
    unmet = owed(-1, "30", weekend_missed=True)
    assert slack("29 13:00", *a1) == unmet
    assert slack("29 13:00", *a1, profile=shared) == owed(1, "30")
    a2 = [attempt("24 11:00", phone="a2"), attempt("25 14:00", phone="a2")]
    assert slack("29 13:00", *a1, *a2, profile=shared) == unmet
    a2 = [attempt("24 10:00", "fax", phone="a2")]
    assert slack("29 13:00", *a1, *a2, profile=shared) == unmet
    # two attempts before a Saturday morning would do, but each has one left and was called in a morning
    mornings = profile_with(weekend_scope="case", closing_margin_s=5 * 3600 + 1)
    both = [attempt("24 13:00"), attempt("25 10:00")]
    both += [attempt("24 14:00", phone="a2"), attempt("25 11:00", phone="a2")]
    assert slack("26 09:00", *both, profile=mornings) == owed(-1, "30", weekend_missed=True)
    met = attempt("28 10:00", phone="a2")
    assert slack("29 13:00", *a1, met, profile=shared) == owed(1, "30")


# --- against every order of calls that the rules allow ------------------------------------------------

SHORT = st.builds(
    lambda first, length, holidays, excluded: Calendar(
        period_from=date(2026, 11, first),
        period_to=date(2026, 11, first + length),
        holidays=frozenset(date(2026, 11, day) for day in holidays),
        excluded=frozenset(date(2026, 11, day) for day in excluded),
    ),
    st.integers(18, 24),
    st.integers(1, 5),
    st.sets(st.integers(18, 30), max_size=2),
    st.sets(st.integers(18, 30), max_size=3),
)
MADE = st.lists(
    st.tuples(
        st.integers(0, 60 * 24 * 3),  # minutes after the period's first midnight
        st.sampled_from(["no_answer", "no_answer", "busy", "failed", "abandoned", "fax"]),
        st.sampled_from(["a1", "a1", "a2"]),
    ),
    max_size=4,
)
MOMENTS = st.tuples(st.integers(-1, 5), st.sampled_from([0, 9, 11.9, 13, 16.98, 16.99, 18, 19.99]))
PROFILES = [
    PROFILE,
    profile_with(attempts=2, weekend_scope="case"),
    profile_with(attempts=4, closing_margin_s=5 * 3600 + 1),  # no evening; non-weekdays: mornings
    profile_with(attempts=1, case_gap_min=600),
]
SHARED = [
    profile_with(attempt_scope="case", weekend_scope="case", case_gap_min=0, attempts=2),
    profile_with(attempt_scope="case", weekend_scope="case", case_gap_min=0),
]


@settings(max_examples=100, deadline=None)
@given(SHORT, MADE, MOMENTS, st.sampled_from(PROFILES))
def test_it_agrees_with_every_order_of_calls_the_rules_allow(
    calendar: Calendar,
    made: list[tuple[int, str, str]],
    moment: tuple[int, float],
    profile: Profile,
) -> None:
    # a non-weekday of the case is only compared where the case is one phone
    case = TWO_PHONES if profile.weekend_scope == "phone" else ONE_PHONE
    _compare(case, ["a1"], calendar, made, moment, profile)


@settings(max_examples=50, deadline=None)
@given(
    SHORT.map(lambda it: replace(it, period_to=min(it.period_to, it.period_from + timedelta(3)))),
    MADE,
    MOMENTS,
    st.sampled_from(SHARED),
)
def test_it_agrees_where_the_phones_of_a_case_share_its_attempts(
    calendar: Calendar,
    made: list[tuple[int, str, str]],
    moment: tuple[int, float],
    profile: Profile,
) -> None:
    _compare(TWO_PHONES, ["a1", "a2"], calendar, made, moment, profile)


def _compare(
    case: Case,
    called: list[str],
    calendar: Calendar,
    made: list[tuple[int, str, str]],
    moment: tuple[int, float],
    profile: Profile,
) -> None:
    first = datetime.combine(calendar.period_from, datetime.min.time(), JST)
    now = first + timedelta(days=moment[0], hours=moment[1])
    facts: list[Fact] = [
        AttemptMade(at=first + timedelta(minutes=n), phone=phone, result=Result(outcome=outcome))
        for n, outcome, phone in sorted(made)
        if first + timedelta(minutes=n) <= now and phone in {it.id for it in case.phones}
    ]
    orders = _Orders(case, called, calendar, profile)
    found = slack_of(orders.state(facts), "a1", now, calendar, profile)
    left = orders.left(facts)
    if not left:
        assert found is None
        return
    moments = orders.moments(facts, now)
    placed, met = best = orders.best(facts, moments)
    days = sorted({moment.date() for moment in moments})
    keeping = [
        day for day in days if orders.best(facts, [m for m in moments if m.date() >= day]) == best
    ]
    assert found == Slack(
        days=days.index(keeping[-1]) if best == (left, True) else -1,
        missing=left - placed,
        weekend_missed=not met,
        deadline=keeping[-1] if placed else None,
    )


class _Orders:
    """Every order in which the phones can still be called, tried out one call after the other."""

    def __init__(self, case: Case, called: list[str], calendar: Calendar, profile: Profile) -> None:
        self._case, self._called = case, called
        self._calendar, self._profile = calendar, profile

    def state(self, facts: Iterable[Fact]) -> CaseState:
        return state_of(self._case, facts, self._profile, self._calendar)

    def left(self, facts: Iterable[Fact]) -> int:
        state = self.state(facts)
        phone = state.phones["a1"]
        is_open = state.status == "open" and phone.status == "open"
        return attempts_left(state, phone, self._profile) if is_open else 0

    def moments(self, facts: Sequence[Fact], now: datetime) -> list[datetime]:
        """When something can begin to be possible, unless a band or rule 6 is against it."""
        hours = [timedelta(hours=hour) for hour in (9, 12, 17)]
        days = [datetime.combine(day, datetime.min.time(), JST) for day in _month(self._calendar)]
        state = self.state(facts)
        waits = [phone.not_before for phone in state.phones.values()]
        gap = timedelta(minutes=self._profile.case_gap_min)
        waits += [phone.last_placed and phone.last_placed + gap for phone in state.phones.values()]
        found = {
            now,
            *(moment for moment in waits if moment),
            *(d + h for d in days for h in hours),
        }
        return [m for m in sorted(found) if m >= now and self._is_possible(state, m)]

    def _is_possible(self, state: CaseState, moment: datetime) -> bool:
        verdicts = [
            may_call(state, phone, moment, self._calendar, self._profile) for phone in self._called
        ]
        waiting = {"same_band", "kept_for_non_weekday"}
        return any(waiting.issuperset(verdict.reasons) for verdict in verdicts)

    def best(self, facts: list[Fact], moments: list[datetime]) -> tuple[int, bool]:
        """The most attempts, and whether the non-weekday is among them or was before."""
        state = self.state(facts)
        found = [(0, any(state.phones[phone].weekend_met for phone in self._called))]
        for index, moment in enumerate(moments):
            for phone in self._called:
                if may_call(state, phone, moment, self._calendar, self._profile).allowed:
                    made = AttemptMade(at=moment, phone=phone, result=Result(outcome="no_answer"))
                    placed, met = self.best([*facts, made], moments[index:])
                    found.append((placed + 1, met))
        return max(found)


def _month(calendar: Calendar) -> list[date]:
    return list(calendar.calling_days(calendar.period_from))

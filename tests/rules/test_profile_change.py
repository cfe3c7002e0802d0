"""A change of the profile in mid-month: every fact by the day it happened, every question by its own day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import calendar_of
from rules.call_events import HungUp, Rang
from rules.call_outcome import line_outcome
from rules.call_state import Call, apply
from rules.case import CaseStatus, Fact
from rules.eligibility import (
    HouseholdActivity,
    Reason,
    kept_for,
    may_call,
    missed_appointments,
    next_from,
)
from rules.history import state_of
from rules.hours import band_of, is_open, opening_of
from rules.profile import Profile, in_succession, with_overrides
from rules.profile_file import parse_profile
from rules.result import ResultRefusedError, check_result
from tests.rules.stories import (
    NOVEMBER,
    ONE_PHONE,
    PROFILE,
    PROFILE_TEXT,
    TWO_PHONES,
    at,
    attempt,
    changed,
)

CHANGE = date(2026, 11, 25)  # a Wednesday
BEFORE, AFTER = CHANGE - timedelta(days=1), CHANGE


def from_the_25th(after: Profile, before: Profile = PROFILE) -> Profile:
    return in_succession([(date(2026, 11, 20), before), (CHANGE, after)])


def with_values(**overrides: object) -> Profile:
    """The shipped values until the 24th, others from the 25th on."""
    return from_the_25th(with_overrides(PROFILE, overrides))


def with_text(old: str, new: str) -> Profile:
    return from_the_25th(parse_profile(changed(old, new), "nagaoka-r8"))


EARLY_CLOSING = with_text(
    'weekday: {opens: "09:00", closes: "20:00"}', 'weekday: {opens: "10:00", closes: "19:00"}'
)
LATE_NIGHT = with_text(
    '{name: 午後, starts: "12:00", ends: "17:00"}\n        - {name: 夜, starts: "17:00"',
    '{name: 午後, starts: "12:00", ends: "18:00"}\n        - {name: 夜, starts: "18:00"',
)


def reasons(profile: Profile, when: str, *facts: Fact, phone: str = "a1") -> tuple[Reason, ...]:
    asked = profile.on(at(when).date())
    state = state_of(TWO_PHONES, facts, asked, NOVEMBER)
    # whatever form is handed over, the answer is that of the asked day
    answers = [may_call(state, phone, at(when), NOVEMBER, form) for form in profile.timeline.forms]
    assert answers[0] == answers[1]
    return answers[0].reasons


# the fold ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tries_after", "day", "counted"),
    [(2, "24", 0), (2, "25", 1), (4, "24", 0), (4, "25", 0)],
)
def test_tries_of_a_day_are_counted_by_that_days_number(
    tries_after: int, day: str, counted: int
) -> None:
    profile = with_values(busy_tries=tries_after)
    facts = [attempt(f"{day} 10:00", "busy"), attempt(f"{day} 10:10", "busy")]
    state = state_of(ONE_PHONE, facts, profile, NOVEMBER)
    assert len(state.phones["a1"].counted) == counted


def test_a_cool_down_is_as_long_as_on_the_day_the_call_was_placed() -> None:
    profile = with_values(failed_retry_min=60)
    before = state_of(ONE_PHONE, [attempt("24 10:00", "failed")], profile, NOVEMBER)
    after = state_of(ONE_PHONE, [attempt("25 10:00", "failed")], profile, NOVEMBER)
    assert before.phones["a1"].not_before == at("24 10:10")
    assert after.phones["a1"].not_before == at("25 11:00")


@pytest.mark.parametrize(("day", "missed"), [("24", True), ("25", False)])
def test_an_appointment_is_kept_within_the_window_of_its_day(day: str, missed: bool) -> None:
    profile = with_values(appointment_window_min=30)
    learned = attempt("22 10:00", "third_party", appointment=f"{day} 18:00")
    state = state_of(ONE_PHONE, [learned, attempt(f"{day} 18:20")], profile, NOVEMBER)
    assert state.missed_appointments == ((at(f"{day} 18:00"),) if missed else ())
    waiting = state_of(ONE_PHONE, [learned], profile, NOVEMBER)
    for form in profile.timeline.forms:
        assert bool(missed_appointments(waiting, at(f"{day} 18:20"), form)) is missed


@pytest.mark.parametrize(
    ("appointment", "kept"), [("24 19:30", True), ("25 18:30", True), ("25 19:30", False)]
)
def test_whether_an_appointment_can_be_kept_is_asked_of_the_day_it_is_on(
    appointment: str, kept: bool
) -> None:
    learned = attempt("22 10:00", "third_party", appointment=appointment)
    for form in EARLY_CLOSING.timeline.forms:
        state = state_of(ONE_PHONE, [learned], form, NOVEMBER)
        assert (state.appointment is not None) is kept
        assert (state.noted_appointment is None) is kept


@pytest.mark.parametrize(
    ("day", "status"), [("24", CaseStatus.COMPLETE), ("25", CaseStatus.ESCALATED)]
)
def test_a_refusal_waits_for_approval_from_the_day_this_is_ordered(
    day: str, status: CaseStatus
) -> None:
    profile = with_values(approve_refusals=True)
    state = state_of(ONE_PHONE, [attempt(f"{day} 10:00", "refused")], profile, NOVEMBER)
    assert state.status is status


def test_an_outcomes_clause_and_effect_are_those_of_its_day() -> None:
    profile = with_text(
        "clause: 8(4)エ\n    effect: complete\n", "clause: 8(4)オ\n    effect: close_phone\n"
    )
    before = state_of(TWO_PHONES, [attempt("24 10:00", "long_absence")], profile, NOVEMBER)
    after = state_of(TWO_PHONES, [attempt("25 10:00", "long_absence")], profile, NOVEMBER)
    assert (before.status, before.clause) == (CaseStatus.COMPLETE, "エ")
    assert after.status is CaseStatus.OPEN
    ended = [attempt("25 10:00", "long_absence"), attempt("25 11:00", "fax", "a2")]
    assert state_of(TWO_PHONES, ended, profile, NOVEMBER).clause == "オ"


THREE = [attempt("21 10:00"), attempt("23 13:00"), attempt("24 18:00")]


def test_a_case_completed_under_the_old_values_stays_complete() -> None:
    profile = with_values(attempts=4)
    for form in profile.timeline.forms:
        state = state_of(ONE_PHONE, THREE, form, NOVEMBER)
        assert (state.status, state.clause) == (CaseStatus.COMPLETE, "カ")
    late = [*THREE[:2], attempt("25 18:00")]
    assert state_of(ONE_PHONE, late, profile, NOVEMBER).status is CaseStatus.OPEN


def test_fewer_attempts_complete_a_case_on_the_day_of_the_change_and_not_before() -> None:
    profile = with_values(attempts=2)
    two = THREE[:2]
    before = state_of(ONE_PHONE, two, profile.on(BEFORE), NOVEMBER)
    after = state_of(ONE_PHONE, two, profile.on(AFTER), NOVEMBER)
    assert before.status is CaseStatus.OPEN
    assert (after.status, after.clause) == (CaseStatus.COMPLETE, "カ")


def test_what_a_change_completed_stays_so_when_the_next_one_asks_for_more_again() -> None:
    fewer = with_overrides(PROFILE, {"attempts": 2})
    profile = in_succession(
        [(date(2026, 11, 20), PROFILE), (CHANGE, fewer), (date(2026, 11, 28), PROFILE)]
    )
    two = THREE[:2]
    assert state_of(ONE_PHONE, two, profile.on(BEFORE), NOVEMBER).status is CaseStatus.OPEN
    for facts in (two, [*two, attempt("28 10:00", "failed")]):
        state = state_of(ONE_PHONE, facts, profile, NOVEMBER)
        assert (state.status, state.clause) == (CaseStatus.COMPLETE, "カ")


def test_an_escalated_case_waits_for_its_decision_whatever_the_numbers_become() -> None:
    profile = with_values(attempts=1)
    learned = [attempt("21 10:00", "third_party", appointment="27 10:00")]
    escalating = from_the_25th(
        with_overrides(PROFILE, {"attempts": 1}),
        with_overrides(PROFILE, {"escalate_early_appointments": True}),
    )
    assert state_of(ONE_PHONE, learned, profile, NOVEMBER).status is CaseStatus.COMPLETE
    assert state_of(ONE_PHONE, learned, escalating, NOVEMBER).status is CaseStatus.ESCALATED


# hours and bands --------------------------------------------------------------------------------


def test_hours_are_those_of_the_day_whatever_form_is_asked() -> None:
    for form in EARLY_CLOSING.timeline.forms:
        assert opening_of(BEFORE, NOVEMBER, form).closes == at("24 20:00")
        assert opening_of(AFTER, NOVEMBER, form).closes == at("25 19:00")
        assert is_open(at("24 19:30"), NOVEMBER, form)
        assert not is_open(at("25 19:30"), NOVEMBER, form)
        assert [band_of(at(f"{day} 17:30"), form) for day in (24, 25)] == ["夜", "夜"]
    for form in LATE_NIGHT.timeline.forms:
        assert [band_of(at(f"{day} 17:30"), form) for day in (24, 25)] == ["夜", "午後"]


def test_days_of_the_years_end_are_those_of_the_profile_on_that_day() -> None:
    text = changed('["12-29", "12-30", "12-31", "01-01", "01-02", "01-03"]', '["01-01"]')
    later = parse_profile(text, "nagaoka-r8")
    profile = in_succession([(date(2026, 12, 1), PROFILE), (date(2026, 12, 31), later)])
    span = (date(2026, 12, 28), date(2027, 1, 2))
    calendar = calendar_of(profile, *span, frozenset(), frozenset())
    days = [day.day for day in calendar.calling_days(span[0])]
    assert days == [28, 31, 2]


# questions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "allowed"),
    [
        ("24 09:30", True),
        ("24 19:30", True),
        ("25 09:30", False),
        ("25 18:30", True),
        ("25 19:30", False),
    ],
)
def test_a_phone_may_be_called_by_the_hours_of_the_asked_day(when: str, allowed: bool) -> None:
    assert reasons(EARLY_CLOSING, when) == (() if allowed else (Reason.OUTSIDE_HOURS,))


def test_the_band_of_an_earlier_attempt_is_the_one_it_had_on_its_day() -> None:
    evening = attempt("24 17:30")  # 夜 on its day, 午後 by the bands of the next
    assert reasons(LATE_NIGHT, "25 17:30", evening) == ()
    assert reasons(LATE_NIGHT, "25 18:30", evening) == (Reason.SAME_BAND,)


def test_attempts_and_gaps_are_those_of_the_asked_day() -> None:
    fewer = with_values(attempts=2)
    one_each = [*THREE[:2], attempt("24 10:00", phone="a2")]
    assert reasons(fewer, "24 18:00", *one_each) == ()
    assert reasons(fewer, "25 18:00", *one_each) == (Reason.ATTEMPTS_USED,)
    apart = with_values(case_gap_min=60)
    assert reasons(apart, "24 10:40", attempt("24 10:00", phone="a2")) == ()
    assert reasons(apart, "25 10:40", attempt("25 10:00", phone="a2")) == (Reason.CASE_GAP,)


def test_an_attempt_is_kept_for_a_non_weekday_by_the_hours_and_bands_of_that_day() -> None:
    # Saturday the 28th is open in the morning only, from the change on; the last band was the morning
    short = with_text(
        'weekday: {opens: "09:00", closes: "17:00"}', 'weekday: {opens: "09:00", closes: "12:00"}'
    )
    facts = [attempt("20 18:00"), attempt("24 10:00")]
    for form in short.timeline.forms:
        state = state_of(ONE_PHONE, facts, form, NOVEMBER)
        assert kept_for(state, "a1", at("24 18:00"), NOVEMBER, form) is None
    state = state_of(ONE_PHONE, facts, PROFILE, NOVEMBER)
    assert kept_for(state, "a1", at("24 18:00"), NOVEMBER, PROFILE) == date(2026, 11, 28)


def test_whether_an_attempt_is_the_last_is_asked_of_the_asked_day() -> None:
    fewer = with_values(attempts=2)
    for form in fewer.timeline.forms:
        state = state_of(ONE_PHONE, [attempt("20 18:00"), attempt("24 10:00")], PROFILE, NOVEMBER)
        assert kept_for(state, "a1", at("24 18:00"), NOVEMBER, form) == date(2026, 11, 28)
        assert kept_for(state, "a1", at("25 18:00"), NOVEMBER, form) is None  # none is left


LONG_EVENING = with_text(
    """{name: 午前, starts: "09:00", ends: "12:00"}
        - {name: 午後, starts: "12:00", ends: "17:00"}
        - {name: 夜, starts: "17:00", ends: "20:00"}""",
    """{name: 夜, starts: "09:00", ends: "15:00"}
        - {name: 午後, starts: "15:00", ends: "19:30"}
        - {name: 午前, starts: "19:30", ends: "20:00"}""",
)  # names that mean something else, so that nothing else can tell them apart


def test_another_band_is_looked_for_where_the_bands_of_that_day_begin() -> None:
    facts = [attempt("20 10:00"), attempt("24 18:00")]
    for form in LONG_EVENING.timeline.forms:
        state = state_of(ONE_PHONE, facts, form, NOVEMBER)
        # Saturday the 28th: 夜 until 15:00, 午後 from then on
        assert kept_for(state, "a1", at("24 19:00"), NOVEMBER, form) == date(2026, 11, 28)
        assert next_from(state, "a1", at("24 19:00"), NOVEMBER, form) == at("28 15:00")


def test_the_next_moment_is_told_by_the_hours_of_the_day_it_is_on() -> None:
    morning = attempt("24 10:00", phone="a2")
    state = state_of(TWO_PHONES, [morning, attempt("24 10:40")], EARLY_CLOSING.on(BEFORE), NOVEMBER)
    evening = at("24 19:59")
    for form in EARLY_CLOSING.timeline.forms:
        # the 25th: another band than the morning, from 12:00 on; a phone never called from 10:00 on
        assert next_from(state, "a1", evening, NOVEMBER, form) == at("25 12:00")
        untouched = state_of(ONE_PHONE, [], form, NOVEMBER)
        assert next_from(untouched, "a1", evening, NOVEMBER, form) == at("25 10:00")
        assert next_from(untouched, "a1", at("25 19:00"), NOVEMBER, form) == at("26 10:00")


@pytest.mark.parametrize("moment", ["24 19:58", "25 11:00"])
def test_a_gap_that_outlasts_the_change_ends_as_the_new_day_says(moment: str) -> None:
    """Gaps of days, so that the change lies within one."""
    long = with_overrides(PROFILE, {"case_gap_min": 24 * 60, "household_gap_min": 24 * 60})
    short = with_overrides(PROFILE, {"case_gap_min": 17 * 60, "household_gap_min": 18 * 60})
    profile = from_the_25th(short, long)
    state = state_of(TWO_PHONES, [attempt("24 19:00", phone="a2")], profile, NOVEMBER)
    for form in profile.timeline.forms:
        assert next_from(state, "a1", at(moment), NOVEMBER, form) == at("25 12:00")
        household = HouseholdActivity(last_at=at("24 19:00"))
        assert next_from(state, "a1", at(moment), NOVEMBER, form, household) == at("25 13:00")


# results ----------------------------------------------------------------------------------------


MOVED = with_text(
    "  fax:\n",
    '  moved_abroad:\n    label: 国外転出\n    clause: 8(4)エ\n    effect: complete\n    counted: "yes"\n'
    "    by: [operator]\n  fax:\n",
)


def test_an_added_outcome_may_be_recorded_of_calls_from_its_day_on() -> None:
    for form in MOVED.timeline.forms:
        check_result(attempt("25 10:00", "moved_abroad"), ONE_PHONE, [], form, NOVEMBER)
        with pytest.raises(ResultRefusedError, match="登録されていません"):
            check_result(attempt("24 19:00", "moved_abroad"), ONE_PHONE, [], form, NOVEMBER)
    state = state_of(TWO_PHONES, [attempt("25 10:00", "moved_abroad")], MOVED, NOVEMBER)
    assert (state.status, state.clause) == (CaseStatus.COMPLETE, "エ")


def test_a_calls_own_outcome_is_told_by_the_seconds_of_the_day_it_was_placed() -> None:
    profile = from_the_25th(PROFILE, with_overrides(PROFILE, {"ring_min_s": 20}))
    for day, code in (("24", "no_answer"), ("25", "failed")):
        call = rung(at(f"{day} 10:00"), ring_s=25)
        for form in profile.timeline.forms:
            found = line_outcome(call, form)
            assert found is not None
            assert found.code == code


def rung(placed_at: datetime, ring_s: int) -> Call:
    """A call that rang so long and was ended by the network."""
    call = Call(attempt="x", placed_at=placed_at)
    for fact in (
        Rang(attempt="x", at=placed_at + timedelta(seconds=2)),
        HungUp(attempt="x", at=placed_at + timedelta(seconds=2 + ring_s), cause=19),
    ):
        call, _orders = apply(call, fact)
    return call


# the whole -----------------------------------------------------------------------------------------

OUTCOMES = ["no_answer", "busy", "failed", "abandoned", "long_absence", "fax", "refused"]
facts_of_a_month = st.lists(
    st.builds(
        lambda day, hour, minute, outcome, phone: attempt(
            f"{day} {hour:02}:{minute:02}", outcome, phone
        ),
        st.integers(20, 30),
        st.integers(9, 19),
        st.integers(0, 59),
        st.sampled_from(OUTCOMES),
        st.sampled_from(["a1", "a2"]),
    ),
    max_size=8,
)
CHANGED = {
    "attempts": 2, "busy_tries": 2, "failed_retry_min": 90, "abandon_gap_min": 5,
    "case_gap_min": 50, "approve_refusals": True, "weekend_scope": "case",
}  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(facts_of_a_month, st.integers(20, 30), st.integers(0, 23))
def test_next_from_finds_the_first_minute_that_is_allowed_across_a_change(
    facts: list[Fact], day: int, hour: int
) -> None:
    profile = with_values(**CHANGED)
    now = at(f"{day} {hour:02}:00")
    past = [fact for fact in facts if fact.at < now]
    state = state_of(TWO_PHONES, past, profile.on(now.date()), NOVEMBER)
    found = next_from(state, "a1", now, NOVEMBER, profile)
    step, moment = timedelta(minutes=5), now
    while moment < (found or at("30 23:59")):
        assert not may_call(state, "a1", moment, NOVEMBER, profile).allowed
        moment += step
    if found is not None:
        assert may_call(state, "a1", found, NOVEMBER, profile).allowed


@settings(max_examples=150, deadline=None)
@given(facts_of_a_month)
def test_an_order_that_changes_nothing_changes_nothing(facts: list[Fact]) -> None:
    again = from_the_25th(parse_profile_again())
    for form in again.timeline.forms:
        assert state_of(TWO_PHONES, facts, form, NOVEMBER) == state_of(
            TWO_PHONES, facts, PROFILE, NOVEMBER
        )


@settings(max_examples=150, deadline=None)
@given(facts_of_a_month)
def test_until_the_day_of_the_change_a_case_stands_where_it_stood_without_it(
    facts: list[Fact],
) -> None:
    profile = with_values(**CHANGED)
    early = [fact for fact in facts if fact.at.date() < CHANGE]
    assert state_of(TWO_PHONES, early, profile.on(BEFORE), NOVEMBER) == state_of(
        TWO_PHONES, early, PROFILE, NOVEMBER
    )


def parse_profile_again() -> Profile:
    return parse_profile(PROFILE_TEXT, "nagaoka-r8")

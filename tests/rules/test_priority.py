"""Which of the due phones goes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.case import AskedBack, CalledBack, Fact
from rules.history import state_of
from rules.priority import CALLED_BACK, LAST, RESERVED, rank
from tests.rules.stories import NOVEMBER, PROFILE, TWO_PHONES, at, attempt, callback, profile_with


def ranked(when: str, *facts: Fact, phone: str = "a1", gain: int = 0) -> int:
    state = state_of(TWO_PHONES, facts, PROFILE, NOVEMBER)
    return rank(state, phone, at(when), NOVEMBER, PROFILE, gain)


def test_an_appointment_goes_before_everything_else() -> None:
    learned = attempt("20 10:00", "third_party", appointment="24 18:00")
    assert ranked("24 18:00", learned) == 0
    assert ranked("24 18:00", learned, phone="a2") > 0
    named = callback("20 10:00", "person_incomplete", appointment="24 18:00")
    assert ranked("24 18:00", named, phone="a2") == 0


def test_a_person_who_answered_and_found_no_operator_goes_before_everything_else() -> None:
    abandoned = attempt("20 10:00", "abandoned")
    assert ranked("20 10:30", abandoned) == RESERVED
    assert ranked("20 10:30", abandoned, phone="a2") > RESERVED  # they answered on the other phone
    # busy, then: the operator is still owed; and no more once an operator has talked
    busy = attempt("20 10:30", "busy", ring_s=None)
    assert ranked("20 10:40", abandoned, busy) == RESERVED
    talked = attempt("20 10:40", "third_party")
    assert ranked("21 10:00", abandoned, busy, talked) > RESERVED


def test_who_called_and_reached_nobody_goes_right_after_them() -> None:
    caller = CalledBack(at=at("20 21:00"), phone="a1")
    assert ranked("21 09:00", caller) == CALLED_BACK > RESERVED
    assert ranked("21 09:00", caller, phone="a2") > CALLED_BACK
    assert ranked("21 10:30", caller, attempt("20 22:00", "abandoned")) == RESERVED
    assert ranked("21 10:00", AskedBack(at=at("21 10:00"), phone="a1")) == RESERVED


# calling days: Fri 20, Sat 21, Sun 22, Mon 23 (holiday), Tue 24, Wed 25, Thu 26, Sat 28, Sun 29, Mon 30
@pytest.mark.parametrize(
    ("facts", "days_after"),
    [
        ([], 2),  # three attempts: the 28th may not be lost
        ([attempt("20 10:00")], 1),  # two, one of them on a non-weekday: the 29th
        ([attempt("21 10:00")], 1),
        ([attempt("20 10:00"), attempt("24 13:00")], 1),  # one, on a non-weekday
        ([attempt("21 10:00"), attempt("24 13:00")], 0),  # one, on any day
    ],
)
def test_the_day_that_may_not_be_lost_decides_on_whatever_day_it_is_asked(
    facts: list[Fact], days_after: int
) -> None:
    for day in (24, 25, 26):
        assert ranked(f"{day} 14:00", *facts) == LAST - 10 * days_after


def test_what_is_lost_already_presses_no_more_than_what_can_still_be_had() -> None:
    assert ranked("29 12:00") == LAST - 10  # two of three attempts can still be had
    weekend_lost = [attempt("25 10:00"), attempt("26 13:00")]
    assert ranked("29 16:59", *weekend_lost) == LAST
    assert ranked("30 12:00") == LAST


def test_a_phone_that_cannot_be_called_any_more_goes_last() -> None:
    assert ranked("30 19:59") == LAST
    assert ranked("24 12:00", attempt("20 10:00", "fax")) == LAST


def test_of_phones_with_the_same_day_the_one_with_more_to_lose_goes_first() -> None:
    first = LAST - 20
    steps = {-1: 0, 0: 0, 49_999: 0, 50_000: 1, 100_000: 2, 449_999: 8, 450_000: 9, 10**6: 9}
    assert {gain: ranked("24 12:00", gain=gain) for gain in steps} == {
        gain: first - step for gain, step in steps.items()
    }


def test_days_long_before_the_end_are_all_alike() -> None:
    month = replace(NOVEMBER, period_to=date(2026, 12, 18))
    for attempts, expected in {9: LAST - 80, 10: LAST - 90, 11: LAST - 90, 20: LAST - 90}.items():
        profile = profile_with(attempts=attempts)
        state = state_of(TWO_PHONES, [], profile, month)
        assert rank(state, "a1", at("20 12:00"), month, profile) == expected


@given(st.integers(-10, 10**7), st.integers(18, 30), st.integers(0, 23))
def test_ranks_are_few(gain: int, day: int, hour: int) -> None:
    assert 1 <= ranked(f"{day} {hour:02}:00", gain=gain) <= LAST

"""Which of the due phones goes first."""

from __future__ import annotations

from rules.case import Fact
from rules.history import state_of
from rules.priority import rank
from tests.rules.stories import NOVEMBER, PROFILE, TWO_PHONES, at, attempt, callback


def ranked(when: str, *facts: Fact, phone: str = "a1") -> int:
    state = state_of(TWO_PHONES, facts, PROFILE, NOVEMBER)
    return rank(state, phone, at(when), NOVEMBER, PROFILE)


def test_an_appointment_goes_before_everything_else() -> None:
    learned = attempt("20 10:00", "third_party", appointment="24 18:00")
    assert ranked("24 18:00", learned) == 0
    assert ranked("24 18:00", learned, phone="a2") > 0
    named = callback("20 10:00", "person_incomplete", appointment="24 18:00")
    assert ranked("24 18:00", named, phone="a2") == 0


def test_a_phone_with_few_possible_days_goes_before_one_with_many() -> None:
    met = attempt("21 10:00")  # the weekend rule no longer presses
    # after the 21st: 22, 23, 24, 25, 26, 28, 29, 30 less two attempts
    assert ranked("21 12:00", met) == 1 + 8 - 2
    assert ranked("26 12:00", met) == 1 + 4 - 2
    assert ranked("26 19:58:54", met) == 1 + 4 - 2
    assert ranked("26 19:58:55", met) == 1 + 3 - 2  # nothing more can be placed that day
    assert ranked("30 12:00", met) == 1  # too late for all of them: never below the first place


def test_a_phone_that_still_needs_a_non_weekday_counts_those_that_are_left() -> None:
    assert ranked("20 12:00") == 1 + 4  # 21, 22, 23, 28, 29: one is needed
    assert ranked("29 12:00") == 1
    assert ranked("30 12:00") == 1  # none is left: it cannot press any more
    assert ranked("25 12:00") == 1 + 1
    assert ranked("25 12:00", attempt("20 10:00")) == 1 + 1

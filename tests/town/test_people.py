"""The town's people: reproducible, and every kind is there."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.cityfile import write_city_file
from scripts.town.people import (
    HABITS,
    LATEST_FIRST_RING_S,
    LONGEST_PICKUP_S,
    Behaviour,
    Heard,
    Kind,
    Line,
    Town,
)
from scripts.town.rehearsal import called_for_certain_first

JST = ZoneInfo("Asia/Tokyo")
NUMBERS = [f"02580001{i:02d}" for i in range(50)]

THURSDAY_MORNING = datetime(2026, 9, 24, 9, 5, tzinfo=JST)
THURSDAY_EVENING = datetime(2026, 9, 24, 18, 0, tzinfo=JST)
SATURDAY_NOON = datetime(2026, 9, 26, 12, 30, tzinfo=JST)


def is_weekend(moment: datetime) -> bool:
    return moment.weekday() >= 5


def town(seed: int = 1) -> Town:
    return Town(NUMBERS, (), seed, is_weekend)


def number_of(kind: Kind, of: Town) -> str:
    return next(number for number, k in of.kinds.items() if k is kind)


def heard(kind: Kind, moment: datetime, nth: int = 1) -> Behaviour:
    settled = town()
    return settled.behaviour(number_of(kind, settled), moment, nth)


moments = st.integers(0, 30 * 24 * 60).map(
    lambda minutes: datetime(2026, 9, 1, tzinfo=JST) + timedelta(minutes=minutes)
)


@given(
    seed=st.integers(0, 99),
    number=st.sampled_from(NUMBERS),
    moment=moments,
    nth=st.integers(1, 5),
)
def test_the_same_question_has_the_same_answer(
    seed: int, number: str, moment: datetime, nth: int
) -> None:
    assert town(seed).behaviour(number, moment, nth) == town(seed).behaviour(number, moment, nth)


@given(seed=st.integers(0, 999), size=st.integers(len(Kind), 200))
def test_every_kind_lives_at_the_first_numbers_of_a_town_that_is_large_enough(
    seed: int, size: int
) -> None:
    first, second = [f"1{i}" for i in range(size)], [f"2{i}" for i in range(size)]
    kinds = Town(first, second, seed, is_weekend).kinds
    assert {kinds[number] for number in first[: len(Kind)]} == set(Kind)
    assert kinds.keys() == {*first, *second}


def test_people_who_share_a_number_share_what_is_behind_it() -> None:
    kinds = Town(["1", "2", "1"], ["2", "3"], 1, is_weekend).kinds
    assert kinds.keys() == {"1", "2", "3"}
    assert kinds["2"] == Town(["1", "2"], [], 1, is_weekend).kinds["2"]


def test_another_seed_settles_other_people() -> None:
    assert town(1).kinds != town(2).kinds


@given(number=st.sampled_from(NUMBERS), moment=moments, nth=st.integers(1, 5))
def test_ringing_begins_and_ends_in_time(number: str, moment: datetime, nth: int) -> None:
    behaviour = town().behaviour(number, moment, nth)
    assert 0 <= behaviour.first_ring_s <= LATEST_FIRST_RING_S
    assert (behaviour.pickup_s is None) == (behaviour.heard is None)
    assert behaviour.pickup_s is None or 1 <= behaviour.pickup_s <= LONGEST_PICKUP_S
    assert behaviour.heard is None or behaviour.line is Line.RINGS


def test_some_numbers_ring_late_and_most_do_not() -> None:
    first = [town().behaviour(n, THURSDAY_MORNING, 1).first_ring_s for n in NUMBERS]
    late = sum(seconds >= 1 for seconds in first)
    assert 5 <= late <= 20


@pytest.mark.parametrize(
    ("kind", "morning", "evening", "saturday"),
    [
        # who is at home when: Thursday 9:05, Thursday 18:00, Saturday 12:30
        (Kind.WORKER, False, True, True),
        (Kind.DAYTIME, True, False, False),
        (Kind.WEEKENDER, False, False, True),
        (Kind.NEVER_ANSWERS, False, False, False),
        (Kind.QUICK_TO_ANSWER, True, True, True),
    ],
)
def test_habits_follow_hour_and_kind_of_day(
    kind: Kind, morning: bool, evening: bool, saturday: bool
) -> None:
    picked_up = [
        heard(kind, moment).heard is not None
        for moment in (THURSDAY_MORNING, THURSDAY_EVENING, SATURDAY_NOON)
    ]
    assert picked_up == [morning, evening, saturday]


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        (Kind.SAYS_WHEN, Heard.FAMILY_KNOWING_WHEN, Heard.PERSON),
        (Kind.IN_A_HURRY, Heard.PERSON_IN_A_HURRY, Heard.PERSON),
        (Kind.BUSY_ONCE, None, Heard.PERSON),
        (Kind.MACHINE, Heard.MACHINE, Heard.MACHINE),
    ],
)
def test_the_second_call_may_find_somebody_else(
    kind: Kind, first: Heard | None, second: Heard
) -> None:
    assert heard(kind, THURSDAY_EVENING, 1).heard is first
    assert heard(kind, THURSDAY_EVENING, 2).heard is second


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (Kind.BUSY, Line.BUSY),
        (Kind.BUSY_ONCE, Line.BUSY),
        (Kind.UNASSIGNED, Line.UNASSIGNED),
        (Kind.SUSPENDED, Line.SUSPENDED),
    ],
)
def test_a_line_that_does_not_ring_is_picked_up_by_nobody(kind: Kind, line: Line) -> None:
    behaviour = heard(kind, SATURDAY_NOON)
    assert (behaviour.line, behaviour.heard) == (line, None)


def test_a_number_nobody_has_is_unassigned() -> None:
    assert town().behaviour("0999999999", SATURDAY_NOON, 1).line is Line.UNASSIGNED


def test_every_way_of_answering_occurs_in_some_habit() -> None:
    answers = Counter(habit.heard for habit in HABITS.values())
    assert set(answers) == set(Heard)


def test_those_who_are_called_for_certain_are_settled_first() -> None:
    rows = [
        {"世帯番号": household, "電話番号1": first, "電話番号2": second}
        for household, first, second in (
            ("a", "1", "2"),  # another number of the case may be called, and end it
            ("b", "3", ""),  # another case of the household keeps it waiting
            ("b", "4", "5"),
            ("c", "6", ""),
            ("d", "7", ""),
        )
    ]
    assert [row["電話番号1"] for row in called_for_certain_first(rows)] == ["6", "7", "3", "1", "4"]


@pytest.mark.parametrize("seed", range(1, 21))
def test_every_kind_of_a_demo_is_behind_the_only_number_of_its_case(
    seed: int, tmp_path: Path
) -> None:
    city_file = tmp_path / "city.csv"
    write_city_file(city_file, month="2026-09", cases=40, seed=seed)
    with city_file.open(encoding="cp932", newline="") as file:
        rows = called_for_certain_first(list(csv.DictReader(file)))
    assert not any(row["電話番号2"] for row in rows[: len(Kind)])

"""The distribution of operators left over, against going through every way the events can turn out."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.pacing.balance import Floats, answered, left_over, look_up, none_left, row_of, with_call

MOMENTS = 3
FEW = settings(max_examples=40, deadline=None)  # the first one is compiled

chances = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 1e-8, 1 - 1e-8, 0.5]))
events = st.lists(st.lists(chances, min_size=MOMENTS, max_size=MOMENTS), max_size=4)


def by_all_ways(
    sure: int, free: Sequence[float], answers: Sequence[float]
) -> defaultdict[int, float]:
    """Probability of each number left over: 2^n ways, each weighed by its own probability."""
    found: defaultdict[int, float] = defaultdict(float)
    happens = [*free, *answers]
    for way in itertools.product((False, True), repeat=len(happens)):
        left = sure + sum(way[: len(free)]) - sum(way[len(free) :])
        found[left] += math.prod(p if yes else 1 - p for p, yes in zip(happens, way, strict=True))
    return found


def table(rows: Sequence[Sequence[float]]) -> Floats:
    return np.array(rows, dtype=float).reshape(len(rows), MOMENTS)


def told(shares: Floats, firsts: Sequence[int], moment: int) -> defaultdict[int, float]:
    found: defaultdict[int, float] = defaultdict(float)
    for i, share in enumerate(shares[moment]):
        found[int(firsts[moment]) + i] += share
    return found


def same(one: defaultdict[int, float], other: defaultdict[int, float]) -> bool:
    return all(abs(one[n] - other[n]) < 1e-6 for n in one.keys() | other.keys())


@FEW
@given(st.integers(-6, 6), events, events)
def test_the_distribution_is_that_of_all_ways_events_can_turn_out(
    sure: int, free: list[list[float]], answers: list[list[float]]
) -> None:
    shares, firsts = left_over(sure, table(free), table(answers))
    for moment in range(MOMENTS):
        naive = by_all_ways(sure, [row[moment] for row in free], [row[moment] for row in answers])
        assert same(told(shares, firsts, moment), naive)


@FEW
@given(st.integers(-3, 3), events, events, st.lists(chances, min_size=MOMENTS, max_size=MOMENTS))
def test_adding_a_call_is_the_same_as_beginning_anew_with_it(
    sure: int, free: list[list[float]], answers: list[list[float]], new: list[float]
) -> None:
    added, added_firsts = with_call(
        *left_over(sure, table(free), table(answers)), np.array(new, dtype=float)
    )
    anew, anew_firsts = left_over(sure, table(free), table([*answers, new]))
    for moment in range(MOMENTS):
        assert same(told(added, added_firsts, moment), told(anew, anew_firsts, moment))


@FEW
@given(st.integers(-2, 4), events, events)
def test_none_left_is_the_mean_over_moments_of_the_worst_that_follows(
    sure: int, free: list[list[float]], answers: list[list[float]]
) -> None:
    nobody = []
    for moment in range(MOMENTS):
        naive = by_all_ways(sure, [row[moment] for row in free], [row[moment] for row in answers])
        nobody.append(sum(share for left, share in naive.items() if left <= 0))
    worst = [max(nobody[moment:]) for moment in range(MOMENTS)]
    found = none_left(*left_over(sure, table(free), table(answers)))
    assert found == pytest.approx(sum(worst) / MOMENTS, abs=1e-6)


def test_two_hundred_operators_and_a_thousand_calls_keep_all_but_nothing_of_the_probability() -> (
    None
):
    luck = np.random.default_rng(1)
    free, answers = luck.random((200, MOMENTS)), luck.random((1000, MOMENTS)) * 0.3
    shares, firsts = left_over(0, free, answers)
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-6)
    numbers = firsts[:, None] + np.arange(shares.shape[1])
    means = (shares * numbers).sum(axis=1)
    assert means == pytest.approx(free.sum(axis=0) - answers.sum(axis=0), abs=1e-3)


ROWS = [
    # age in steps of 2 s, of 5 rows; row
    (0.0, 0),
    (0.9, 0),
    (1.1, 1),
    (4.0, 2),
    (8.0, 4),
    (9.0, 4),  # beyond the last row
    (1e300, 4),
    (math.inf, 4),
    (-0.1, 0),
    (-1e300, 0),
    (-math.inf, 0),
    (math.nan, 0),
]


@pytest.mark.parametrize(("age_s", "row"), ROWS)
def test_every_age_has_a_row(age_s: float, row: int) -> None:
    assert row_of(age_s, 2.0, 5) == row
    table_of_rows = np.arange(10.0).reshape(5, 2)
    assert (look_up(np.array([age_s]), 2.0, table_of_rows)[0] == table_of_rows[row]).all()


@FEW
@given(st.floats(0, 30), st.floats(0, 1))
def test_a_call_that_has_rung_is_believed_by_what_is_left_of_its_chance(
    age_s: float, chance: float
) -> None:
    left = np.array([1.0, 0.8, 0.5, 0.2, 0.01])
    by = np.array([[0.2], [0.3], [0.3], [0.19], [0.01]])
    row = row_of(age_s, 2.0, 5)
    # Bayes: answered later and by then ÷ not answered yet (by someone who will, or by nobody)
    believed = chance * by[row, 0] / (chance * left[row] + 1 - chance)
    found = answered(np.array([age_s]), np.array([chance]), 2.0, by, left)
    assert found[0, 0] == pytest.approx(believed, abs=1e-9)

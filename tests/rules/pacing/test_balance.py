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

from rules.pacing.balance import (
    Floats,
    Ints,
    answer_of,
    callback_events,
    free_by,
    left_over,
    miss_of,
    no_callback_by,
    not_answered_by,
    row_of,
    rows_of,
    weights_of,
    with_call,
)

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


def spread(
    sure: int, free: Sequence[Sequence[float]], answers: Sequence[Sequence[float]], more: int = 0
) -> tuple[Floats, Ints]:
    """The distributions at all moments, with room for so many more calls."""
    events = len(free) + len(answers)
    shares, spans = np.zeros((MOMENTS, events + 1 + more)), np.empty((MOMENTS, 3), np.int64)
    for moment in range(MOMENTS):
        ups = [row[moment] for row in free] + [1 - row[moment] for row in answers]
        left_over(sure, np.array(ups, float), len(free), shares[moment], spans[moment])
    return shares, spans


def told(shares: Floats, spans: Ints, moment: int) -> defaultdict[int, float]:
    found: defaultdict[int, float] = defaultdict(float)
    low, high, number = (int(value) for value in spans[moment])
    for place in range(low, high + 1):
        found[number + place] += shares[moment, place]
    assert shares[moment].sum() == pytest.approx(sum(found.values()))  # nothing lies elsewhere
    return found


def same(one: defaultdict[int, float], other: defaultdict[int, float]) -> bool:
    return all(abs(one[n] - other[n]) < 1e-6 for n in one.keys() | other.keys())


@FEW
@given(st.integers(-6, 6), events, events)
def test_the_distribution_is_that_of_all_ways_events_can_turn_out(
    sure: int, free: list[list[float]], answers: list[list[float]]
) -> None:
    shares, spans = spread(sure, free, answers)
    for moment in range(MOMENTS):
        naive = by_all_ways(sure, [row[moment] for row in free], [row[moment] for row in answers])
        assert same(told(shares, spans, moment), naive)


@FEW
@given(st.integers(-3, 3), events, events, st.lists(chances, min_size=MOMENTS, max_size=MOMENTS))
def test_adding_a_call_is_the_same_as_beginning_anew_with_it(
    sure: int, free: list[list[float]], answers: list[list[float]], new: list[float]
) -> None:
    added = spread(sure, free, answers, more=1)
    with_call(*added, np.array(new, float))
    anew = spread(sure, free, [*answers, new])
    for moment in range(MOMENTS):
        assert same(told(*added, moment), told(*anew, moment))


@FEW
@given(st.integers(-2, 4), events, events)
def test_a_miss_is_the_mean_over_moments_of_the_worst_that_follows(
    sure: int, free: list[list[float]], answers: list[list[float]]
) -> None:
    nobody = []
    for moment in range(MOMENTS):
        naive = by_all_ways(sure, [row[moment] for row in free], [row[moment] for row in answers])
        nobody.append(sum(share for left, share in naive.items() if left <= 0))
    worst = [max(nobody[moment:]) for moment in range(MOMENTS)]
    assert miss_of(*spread(sure, free, answers)) == pytest.approx(sum(worst) / MOMENTS, abs=1e-6)


def test_two_hundred_operators_and_a_thousand_calls_keep_all_but_nothing_of_the_probability() -> (
    None
):
    luck = np.random.default_rng(1)
    free, answers = luck.random((200, MOMENTS)), luck.random((1000, MOMENTS)) * 0.3
    shares, spans = spread(0, free.tolist(), answers.tolist())
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-6)
    numbers = spans[:, 2:] + np.arange(shares.shape[1])
    means = (shares * numbers).sum(axis=1)
    assert means == pytest.approx(free.sum(axis=0) - answers.sum(axis=0), abs=1e-3)


@pytest.mark.parametrize("happens", [1e-6, 1 - 1e-6])
def test_many_rare_events_are_not_rare_together(happens: float) -> None:
    ways = by_all_ways(0, [happens] * 10, [])
    shares, span = np.zeros(11), np.empty((1, 3), np.int64)
    left_over(0, np.full(10, happens), 10, shares, span[0])
    found = told(shares[None, :], span, 0)
    assert all(abs(found[number] - share) < 1e-8 for number, share in ways.items())


ANSWERS = [
    # a person's own chance, as handed in; that anybody answers: odds twice as high, and half of those whom no
    # person answers have a machine
    (0.5, 2 / 3 + 1 / 3 / 2),
    (0.0, 0.5),
    (1.0, 1.0),
    (-0.1, 0.3 + 0.7 / 2),  # no chance: nothing is known
    (1.1, 0.3 + 0.7 / 2),
    (math.nan, 0.3 + 0.7 / 2),
]


@pytest.mark.parametrize(("own", "anybody"), ANSWERS)
def test_a_call_is_answered_by_a_person_or_else_by_a_machine(own: float, anybody: float) -> None:
    assert answer_of(own, (2.0, 0.3, 0.5)) == pytest.approx(anybody)


ROWS = [
    # age in steps of 2 s, of 5 rows; row
    (0.0, 0),
    (0.9, 0),
    (1.0, 1),  # in the middle between two: the later one
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
    assert list(rows_of(0.0, np.array([-age_s, 0.0]), 2.0, 5)) == [row, 0]


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
    rows, ups = np.array([row]), np.empty(1)
    weights = weights_of(np.array([chance]), (1.0, 0.5, 0.0), rows, left)
    not_answered_by(0, rows, weights, by, ups)
    assert 1 - ups[0] == pytest.approx(believed, abs=1e-9)


def test_each_operator_is_looked_up_in_the_table_of_what_they_do() -> None:
    worked, talked = np.arange(10.0).reshape(5, 2), np.arange(10.0, 20.0).reshape(5, 2)
    foreseen = np.array([[20.0, 21.0]])
    ups = np.empty(4)
    free_by(1, np.array([2]), worked, np.array([0, 4]), talked, foreseen, ups)
    assert list(ups) == [worked[2, 1], talked[0, 1], talked[4, 1], foreseen[0, 1]]


CALLBACKS = [
    # per second, until when; events of at most a fifth each
    (0.0, 20.0, 0),
    (-1.0, 20.0, 0),
    (math.nan, 20.0, 0),
    (0.001, 20.0, 1),
    (0.01, 20.0, 1),
    (0.011, 20.0, 2),
    (0.1, 20.0, 10),
    (math.inf, 20.0, 200),
]


@pytest.mark.parametrize(("per_s", "until_s", "events"), CALLBACKS)
def test_callbacks_are_cut_into_rare_events(per_s: float, until_s: float, events: int) -> None:
    assert callback_events(per_s, until_s) == events
    ups = np.empty(events)
    no_callback_by(until_s, per_s, events, ups)
    assert ups.sum() == pytest.approx(events - min(events, per_s * until_s) if events else 0)

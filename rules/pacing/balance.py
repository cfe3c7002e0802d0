"""How many operators will be left over: free ones less persons answering, at each coming moment.

A sum of independent yes/no events with different chances (Poisson binomial), its distribution built up
event by event: exact. Compiled, as it is asked at every event of a day, and for 200 operators with 1,000
calls at once.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NIL = 1e-9
"""Less likely values at both ends of a distribution are left out."""


@njit(cache=True)
def row_of(age_s: float, step_s: float, rows: int) -> int:
    """The row for an age, of a table that begins at age 0; an age beyond it has the last row.

    A negative age, or none at all (NaN), comes from a clock that jumped and is taken for 0.
    """
    place = age_s / step_s + 0.5
    if not place > 0.0:
        return 0
    return int(min(place, rows - 1.0))


@njit(cache=True)
def look_up(ages_s: Floats, step_s: float, table: Floats) -> Floats:
    """The rows of a table, one for each age."""
    found = np.empty((len(ages_s), table.shape[1]))
    for i in range(len(ages_s)):
        found[i] = table[row_of(ages_s[i], step_s, len(table))]
    return found


@njit(cache=True)
def answers_now(chances: Floats, odds: float, unknown: float, machine: float) -> Floats:
    """Probability that each call is answered by anybody (`rules.pacing.estimates.Estimates.answer`).

    Args:
        chances: of a person's answer, as handed in; NaN: nothing is known.
        odds: by what their odds are multiplied.
        unknown: taken where nothing is known.
        machine: of those whom no person answers, the share a machine answers.
    """
    found = np.empty(len(chances))
    for i in range(len(chances)):
        own = chances[i]
        known = own >= 0.0 and own <= 1.0
        person = own * odds / (1.0 - own + own * odds) if known else unknown
        found[i] = person + (1.0 - person) * machine
    return found


@njit(cache=True)
def answered(ages_s: Floats, chances: Floats, step_s: float, by: Floats, left: Floats) -> Floats:
    """For each call in flight the probability of its being answered by each moment.

    Args:
        by: of the calls that will be answered, by age: those answered later than that and by the moment.
        left: of the calls that will be answered, by age: those not answered yet.
    """
    found = np.empty((len(ages_s), by.shape[1]))
    for i in range(len(ages_s)):
        row = row_of(ages_s[i], step_s, len(left))
        found[i] = by[row] * (chances[i] / (1.0 - chances[i] * (1.0 - left[row])))
    return found


@njit(cache=True)
def left_over(sure: int, free: Floats, answers: Floats) -> tuple[Floats, Ints]:
    """The distribution of operators left over.

    Args:
        sure: operators free now, less persons waiting for one now; may be negative.
        free: for each busy operator (rows), the probability of being free by each moment (columns).
        answers: for each call in flight, the probability of its being answered by each moment.

    Returns:
        For each moment its probabilities, and to which number the first of them belongs.
    """
    moments = answers.shape[1]
    operators = len(free)
    events = operators + len(answers)
    shares = np.zeros((moments, events + 1))
    firsts = np.zeros(moments, np.int64)
    lows, widest = np.zeros(moments, np.int64), 1
    for moment in range(moments):
        row = shares[moment]
        row[0] = 1.0
        low, high, taken = 0, 0, 0
        for event in range(events):
            if event < operators:
                up = free[event, moment]
            else:
                # an answer takes one away: taken for sure, and given back if nobody answers
                up = 1.0 - answers[event - operators, moment]
                taken += 1
            if up < 1e-7:
                continue
            if up > 1.0 - 1e-7:
                taken -= 1
                continue
            high += 1
            for i in range(high, low, -1):
                row[i] = row[i] * (1.0 - up) + row[i - 1] * up
            row[low] *= 1.0 - up
            while high > low and row[high] < _NIL:
                row[high] = 0.0
                high -= 1
            while low < high and row[low] < _NIL:
                row[low] = 0.0
                low += 1
        firsts[moment] = sure - taken + low
        lows[moment] = low
        widest = max(widest, high - low + 1)
    # only what is likely at all: calls that are added go through all of it
    kept = np.zeros((moments, widest))
    for moment in range(moments):
        end = min(events + 1, lows[moment] + widest)
        kept[moment, : end - lows[moment]] = shares[moment, lows[moment] : end]
    return kept, firsts


@njit(cache=True)
def with_call(shares: Floats, firsts: Ints, answer: Floats) -> tuple[Floats, Ints]:
    """The same with one more call, which is answered by each moment with these probabilities."""
    moments, width = shares.shape
    more = np.zeros((moments, width + 1))
    for moment in range(moments):
        up = 1.0 - answer[moment]
        more[moment, 0] = shares[moment, 0] * (1.0 - up)
        for i in range(1, width):
            more[moment, i] = shares[moment, i] * (1.0 - up) + shares[moment, i - 1] * up
        more[moment, width] = shares[moment, width - 1] * up
    return more, firsts - 1


@njit(cache=True)
def none_left(shares: Floats, firsts: Ints) -> float:
    """The probability that a call placed now, if it is answered, leaves somebody without an operator.

    Somebody: itself, as nobody is left over when it is answered, or one answered after it whose operator it
    took. So for each moment the worst of those that follow is taken.
    """
    moments, width = shares.shape
    total, worst = 0.0, 0.0
    for moment in range(moments - 1, -1, -1):
        none = 0.0
        for i in range(min(width, 1 - firsts[moment])):
            none += shares[moment, i]
        worst = max(worst, none)
        total += worst
    share: float = min(1.0, total / moments)
    return share

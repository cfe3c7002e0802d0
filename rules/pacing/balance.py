"""How many operators will be left over: free ones less persons answering, at each coming moment.

A sum of independent yes/no events with different chances (Poisson binomial), its distribution built up
event by event: exact. Calls are added to it while one more may be risked. Compiled, and called once for a
whole decision, for there is one at every event of a day, and with 200 operators and 1,000 calls at once.

What is compiled here uses nothing compiled elsewhere: numba keeps what it made until this very file changes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CALL_STEP_S, WORK_STEP_S, TALK_STEP_S = 0.5, 1.0, 2.0
"""Ages from row to row in the tables of calls in flight, after-call work and talks."""

_NIL = 1e-9
"""Less likely values at both ends of a distribution are left out."""
_NEVER = 1e-7
"""Events less likely are taken as none, and those whose opposite is, as certain."""
_CALLBACK = 0.2
"""Expected callbacks are cut into events of at most this probability."""
_MOST_CALLBACKS = 200
_CLEARLY = 1.0 + 1e-9
"""A part of a sum is above a limit only by more than what sums are rounded by."""

# plain tuples: a NamedTuple is looked up anew at every call of something compiled, 1 µs each
Moments = tuple[Floats, Floats, Floats]
"""When calls could be placed; of each moment what a call may risk for which an operator is free then; what
any other may."""
Seen = tuple[int, Floats, Floats, Floats, float]
"""Operators free now, less those whom somebody takes for sure (may be negative); when each after-call work
began; when each talk began of whose progress nothing is known; for each other talk (rows) the probability
that it and its work are over by each moment a call may be answered at; callbacks expected per second."""
Calls = tuple[Floats, Floats]
"""When each call in flight was placed; its own chance of a person's answer, NaN: nothing is known."""
Belief = tuple[float, float, float]
"""By what the odds of such a chance are multiplied; the chance taken where nothing is known; of those whom no
person answers, the share a machine answers."""
Tables = tuple[Floats, Floats, Floats, Floats, Floats]
"""`rules.pacing.forecast.Forecast.tables`."""
Offer = tuple[Floats, int, int, Floats]
"""Of each phone that could be called, its own chance as above; how many are called at most; for how many of
these an operator is free now; room for the risk of each call, which is filled in."""


@njit(cache=True)
def choose(
    moments: Moments,
    seen: Seen,
    calls: Calls,
    belief: Belief,
    tables: Tables,
    offer: Offer,
    in_full: bool,
) -> tuple[int, int, float, float, float]:
    """At the first of some moments at which there may be any, add calls, each with the risk it is placed
    at, until one more would be too risky or there are as many as may be called.

    Args:
        in_full: False if only calls are of interest: then it ends as soon as it is clear that there are none.

    Returns:
        Which of the moments, the last one if there are no calls at any; the number of calls; the risk of one
        more; answers expected while they ring, these calls' too; busy operators expected to be free. Where it
        ended early the last three are 1, 0 and 0.
    """
    at, found = 0, (0, 1.0, 0.0, 0.0)
    for at in range(len(moments[0])):
        found = choose_at(at, moments, seen, calls, belief, tables, offer, in_full)
        if found[0] > 0:
            break
    return at, found[0], found[1], found[2], found[3]


@njit(cache=True)
def choose_at(
    at: int,
    moments: Moments,
    seen: Seen,
    calls: Calls,
    belief: Belief,
    tables: Tables,
    offer: Offer,
    in_full: bool,
) -> tuple[int, float, float, float]:
    """The same at one of the moments: calls, risk, answers and operators as `choose` says."""
    moments_s, covered, ahead = moments
    sure, working, talking, foreseen, callbacks_per_s = seen
    placed, own_chances = calls
    answers_s, answered, unanswered, worked, talked = tables
    candidates, most, covered_calls, misses = offer
    works = rows_of(moments_s[at], working, WORK_STEP_S, len(worked))
    talks = rows_of(moments_s[at], talking, TALK_STEP_S, len(talked))
    rings = rows_of(moments_s[at], placed, CALL_STEP_S, len(unanswered))
    weights = weights_of(own_chances, belief, rings, unanswered)
    callbacks = callback_events(callbacks_per_s, answers_s[-1])
    points, busy = len(answers_s), len(works) + len(talks) + len(foreseen)
    ups = np.empty((points, busy + len(rings) + callbacks))
    shares = np.zeros((points, ups.shape[1] + 1 + most))
    spans = np.empty((points, 3), np.int64)
    total, worst = 0.0, 0.0
    too_risky = (covered if covered_calls > 0 else ahead)[at] * points * _CLEARLY
    for point in range(points - 1, -1, -1):
        row = ups[point]
        free_by(point, works, worked, talks, talked, foreseen, row)
        not_answered_by(point, rings, weights, answered, row[busy:])
        no_callback_by(answers_s[point], callbacks_per_s, callbacks, row[busy + len(rings) :])
        left_over(sure, row, busy, shares[point], spans[point])
        worst = max(worst, none_left(shares[point], spans[point]))
        total += worst
        # at each of the moments before it will be the worst at least
        if not in_full and total + worst * point > too_risky:
            return 0, 1.0, 0.0, 0.0
    chosen, miss = 0, miss_of(shares, spans)
    answers = (1.0 - ups[:, busy:]).sum()
    while chosen < most and not miss > (covered if chosen < covered_calls else ahead)[at]:
        misses[chosen] = miss
        answer = answer_of(candidates[chosen], belief)
        chosen, answers = chosen + 1, answers + answer * answered[0].sum()
        with_call(shares, spans, answer * answered[0])
        miss = miss_of(shares, spans)
    return chosen, miss, answers / points, ups[:, :busy].sum() / points


@njit(cache=True)
def free_by(
    moment: int,
    works: Ints,
    worked: Floats,
    talks: Ints,
    talked: Floats,
    foreseen: Floats,
    ups: Floats,
) -> None:
    """Fill in the probability that each busy operator is free by a moment: from tables, by row and moment."""
    for i in range(len(works)):
        ups[i] = worked[works[i], moment]
    for i in range(len(talks)):
        ups[len(works) + i] = talked[talks[i], moment]
    for i in range(len(foreseen)):
        ups[len(works) + len(talks) + i] = foreseen[i, moment]


@njit(cache=True)
def not_answered_by(
    moment: int, rings: Ints, weights: Floats, answered: Floats, ups: Floats
) -> None:
    """Fill in the probability that each call in flight is not answered by a moment."""
    for i in range(len(rings)):
        ups[i] = 1.0 - answered[rings[i], moment] * weights[i]


@njit(cache=True)
def no_callback_by(moment_s: float, per_s: float, events: int, ups: Floats) -> None:
    """Fill in the probability that each event that stands for callbacks has not come to pass."""
    for i in range(events):
        ups[i] = 1.0 - min(min(per_s, _MOST_CALLBACKS) * moment_s / events, 1.0)


@njit(cache=True)
def callback_events(per_s: float, until_s: float) -> int:
    """Into how many rare events callbacks (a Poisson stream) are cut."""
    if not per_s > 0.0:
        return 0
    expected = min(per_s, _MOST_CALLBACKS) * until_s
    return math.ceil(min(max(expected / _CALLBACK, 1.0), _MOST_CALLBACKS))


@njit(cache=True)
def rows_of(now_s: float, since_s: Floats, step_s: float, rows: int) -> Ints:
    """The rows for all that began at these moments."""
    found = np.empty(len(since_s), np.int64)
    for i in range(len(since_s)):
        found[i] = row_of(now_s - since_s[i], step_s, rows)
    return found


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
def answer_of(own_chance: float, belief: Belief) -> float:
    """Probability that a call is answered by anybody (`rules.pacing.estimates.Estimates.answer`).

    Args:
        own_chance: of a person's answer, as handed in; NaN: nothing is known.
    """
    odds, unknown, machine = belief
    known = own_chance >= 0.0 and own_chance <= 1.0
    person = own_chance * odds / (1.0 - own_chance + own_chance * odds) if known else unknown
    return person + (1.0 - person) * machine


@njit(cache=True)
def weights_of(own_chances: Floats, belief: Belief, rings: Ints, unanswered: Floats) -> Floats:
    """For each call in flight, by what the table of calls that will be answered is multiplied.

    Bayes: it may be one that will not, the more so the longer it has rung.
    """
    found = np.empty(len(rings))
    for i in range(len(rings)):
        chance = answer_of(own_chances[i], belief)
        found[i] = chance / (1.0 - chance * (1.0 - unanswered[rings[i]]))
    return found


@njit(cache=True)
def left_over(sure: int, ups: Floats, busy: int, shares: Floats, span: Ints) -> None:
    """The distribution of operators left over at one moment.

    Args:
        sure: operators free now, less those whom somebody takes for sure; may be negative.
        ups: for each event the probability that there is one more; the first `busy` ones give an operator,
            the others take one unless it comes to pass.
        shares: zeros, one for each event and another; is filled with the probabilities.
        span: is filled with the first and the last place that counts, and what number the first place means.
    """
    low, high, taken = 0, 0, len(ups) - busy
    shares[0] = 1.0
    for up in ups:
        if up < _NEVER:
            continue
        if up > 1.0 - _NEVER:
            taken -= 1
            continue
        high += 1
        with_event(shares[low : high + 1], up)
        while high > low and shares[high] < _NIL:
            shares[high] = 0.0
            high -= 1
        while low < high and shares[low] < _NIL:
            shares[low] = 0.0
            low += 1
    span[0], span[1], span[2] = low, high, sure - taken


@njit(cache=True)
def with_event(shares: Floats, up: float) -> None:
    """The distribution with one more event: of one more, with this probability."""
    before, down = 0.0, 1.0 - up
    for i in range(len(shares)):
        here = shares[i]
        shares[i] = here * down + before * up
        before = here


@njit(cache=True)
def with_call(shares: Floats, spans: Ints, answer: Floats) -> None:
    """The distributions at all moments with one more call, answered by each with this probability."""
    for moment in range(len(shares)):
        span = spans[moment]
        span[1] += 1
        span[2] -= 1
        with_event(shares[moment, span[0] : span[1] + 1], 1.0 - answer[moment])


@njit(cache=True)
def miss_of(shares: Floats, spans: Ints) -> float:
    """The probability that a call placed now, if it is answered, leaves somebody without an operator.

    Somebody: itself, as nobody is left over when it is answered, or one answered after it whose operator it
    took. So for each moment the worst of those that follow is taken.
    """
    total, worst = 0.0, 0.0
    for moment in range(len(shares) - 1, -1, -1):
        worst = max(worst, none_left(shares[moment], spans[moment]))
        total += worst
    return min(1.0, total / len(shares))


@njit(cache=True)
def none_left(shares: Floats, span: Ints) -> float:
    """The probability that nobody is left over."""
    none = 0.0
    for i in range(span[0], min(span[1], -span[2]) + 1):
        none += shares[i]
    return none

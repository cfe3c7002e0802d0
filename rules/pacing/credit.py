"""What the day's cap on abandoned calls still allows, turned into what one call may risk.

The cap is a number of abandoned calls a day may have. How fast to use up what is left of it is a problem of
stochastic control: with utilisation growing like a power `GAIN` < 1 of the rate of abandoned calls, the
Hamilton-Jacobi-Bellman equation has a closed form, by which the abandoned calls to aim at in the rest of the
day depend on the number left alone (`aim`). Few left are used sparingly, many almost evenly.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from rules.pacing.balance import Floats
from rules.pacing.estimates import LONGEST_S, within
from rules.pacing.snapshot import Snapshot

GAIN = 1 / 3
"""The power; by simulation: 1 % of abandoned calls gain about 0.7 of what 3 % gain."""
MARGIN, MARGIN_FALLS = 1.25, 0.18
"""What the riskiest call placed may risk, for each call to be abandoned per answer on the average: `MARGIN`
at one operator, less for more by this power.

What calls risk is below the margin on the average, and what happens above what is foreseen of one call at a
time: with few operators the first weighs more, with many, whose calls ring side by side, the second. A large
centre that risks too much for its credit has none left before the day's end (docs/pacing.md)."""
MACHINES = 3.0
"""Where answering machines reach operators the margin grows by so much of their share of the answers: whoever
finds nobody free waits for a talk of seconds, and of the calls at risk fewer are abandoned."""
MOST = 0.2
"""No call risks more, however much credit is left."""
SPENT = 0.002
"""What a call may risk once the credit is spent: only callbacks and breaks make it more than nothing."""
COVERED_EACH = 12.0
"""A call for which an operator is free now may risk so many times as much, divided by the operators, for the
operator would be idle until another is free."""
COVERED_SPENT = 0.3
"""And with the credit spent this part of the cap, so that a few callbacks do not end all calls."""
OFTEN_ONE = 0.5
"""Of the calls for which an operator is free, those for which there is just one."""
DOUBT = 0.7
"""Standard deviations by which fewer answers are reckoned with than expected."""
PENDING_EACH, PENDING_BY_CAP = 0.05, 2.5
"""Abandoned calls held back, for each operator, for the calls that are ringing as the last one is used up: at
least, and for each part of the cap, as those calls risk the more the higher it is."""
MOST_PENDING = 1.5
"""So many at most: in a large centre answers are many, and soon allow for one more abandoned call."""
LAST_ANSWERS = 2.0
LAST_ANSWERS_EACH = 0.5
"""Guard near the day's end: what is left is spread over at least so many answers, and so many for each
operator, for as many may come from the calls that ring at once."""
USE = 0.85
"""Share of their time operators are taken to work when answers to come are counted."""
UNKNOWN_LEFT_S = 3600.0
"""Reckoned with if nobody says when the day's calling ends."""


def _aims(most: int) -> Floats:
    """For 0, 1, 2 … abandoned calls left: how many to aim at.

    With value v(b): v(b)·(v(b) - v(b-1))^(a/(1-a)) = a^(a/(1-a)), aim(b) = (a/(v(b) - v(b-1)))^(1/(1-a)).
    """
    power = GAIN / (1 - GAIN)
    aims, value = [0.0], 0.0
    for _ in range(most):
        low, high = 0.0, 1.0
        for _ in range(60):
            step = (low + high) / 2
            if (value + step) * step**power > GAIN**power:
                high = step
            else:
                low = step
        value += high
        aims.append((GAIN / high) ** (1 / (1 - GAIN)))
    return np.array(aims)


_AIMS = _aims(400)


@njit(cache=True)
def aim(left: float) -> float:
    """Abandoned calls to aim at until the day's end, with so many left (also parts of one)."""
    if left <= 0:
        return 0.0
    whole = math.floor(left)
    last = len(_AIMS) - 1
    found: float = left * _AIMS[last] / last
    if whole < last:
        found = _AIMS[whole] + (left - whole) * (_AIMS[whole + 1] - _AIMS[whole])
    return found


@njit(cache=True)
def credit_of(
    cap: float, connected: float, abandoned: float, operators: int, to_come: float
) -> float:
    """How many calls may still be abandoned today: below 1, none (abandoned ÷ answered ≤ cap).

    Args:
        to_come: answers expected until the day's calling ends.
    """
    sure = max(0.0, to_come - DOUBT * math.sqrt(to_come))
    allowed = cap * (connected + abandoned + sure)
    return max(0.0, allowed - abandoned - pending(cap, operators))


@njit(cache=True)
def pending(cap: float, operators: int) -> float:
    """Abandoned calls held back for those that are ringing."""
    return min(MOST_PENDING, max(PENDING_EACH, PENDING_BY_CAP * cap) * operators)


@njit(cache=True)
def allowed_miss(
    cap: float, operators: int, machine_share: float, to_come: float, left: float, taken: float
) -> tuple[float, float]:
    """What the probability that one more call leaves somebody without an operator may be, 0–1.

    Args:
        machine_share: of the answers, those of machines, which operators hear.
        to_come: answers expected until the day's calling ends.
        left: the calls that may still be abandoned today.
        taken: as `taken_by_callbacks` says.

    Returns:
        If an operator is free for it now: only a callback or a break takes them away. Of any other.
    """
    held_back = pending(cap, operators)
    to_come = max(LAST_ANSWERS + LAST_ANSWERS_EACH * operators, to_come)
    covered = COVERED_SPENT * cap
    if left + held_back >= 1:
        times = max(1.0, COVERED_EACH / max(1, operators))
        covered = max(covered, min(MOST, times * aim(left + held_back) / to_come))
    if left < 1:
        return covered, SPENT
    # abandoned calls per answer that callbacks are reckoned to cause without any call ahead
    sure = OFTEN_ONE * taken if taken <= covered else 0.0
    risk = margin(operators, machine_share) * aim(left) / to_come - sure
    return covered, max(SPENT, min(MOST, risk))


@njit(cache=True)
def margin(operators: int, machine_share: float) -> float:
    """What the riskiest call placed may risk, for each call to be abandoned per answer on the average."""
    machines = 1.0 + MACHINES * machine_share
    return MARGIN * machines / math.pow(max(1, operators), MARGIN_FALLS)


@njit(cache=True)
def taken_by_callbacks(
    callbacks_per_s: float, ring_s: float, handling_s: float, operators: int
) -> float:
    """The probability that somebody calls back while a call rings, and that no other operator is free."""
    alone = math.exp(-max(0, operators - 1) * ring_s / handling_s)
    return callbacks_per_s * ring_s * alone


@njit(cache=True)
def answers_to_come(
    callbacks_per_s: float, reserve: float, handling_s: float, operators: int, span_s: float
) -> float:
    """Answers expected in the time until the day's calling ends, if these operators stay."""
    at_work = max(0.0, operators - reserve - callbacks_per_s * handling_s)
    return USE * at_work * span_s / handling_s


@njit(cache=True)
def _allowed(
    cap: float,
    connected: float,
    abandoned: float,
    callbacks_per_s: float,
    reserve: float,
    ring_s: float,
    handling_s: float,
    machine_share: float,
    operators: int,
    span_s: float,
    laters_s: Floats,
) -> tuple[float, Floats, Floats]:
    taken = taken_by_callbacks(callbacks_per_s, ring_s, handling_s, operators)
    covered, ahead = np.empty(len(laters_s)), np.empty(len(laters_s))
    first, moments = 0.0, 0
    for later_s in laters_s:
        left_s = max(0.0, span_s - later_s)
        to_come = answers_to_come(callbacks_per_s, reserve, handling_s, operators, left_s)
        left = credit_of(cap, connected, abandoned, operators, to_come)
        if moments == 0:
            first = left
        elif (left < 1) != (first < 1):
            break
        covered[moments], ahead[moments] = allowed_miss(
            cap, operators, machine_share, to_come, left, taken
        )
        moments += 1
    return first, covered[:moments], ahead[:moments]


class Allowed(NamedTuple):
    """What may be risked at moments one after the other."""

    left: float
    """How many calls may still be abandoned today, at the first of them."""
    covered: Floats
    """What one more call may risk if an operator is free for it now, as `allowed_miss` says."""
    ahead: Floats
    """And what any other."""


def allowed_at(snapshot: Snapshot, operators: int, laters_s: Floats) -> Allowed:
    """What may be risked at some moments, if nothing happens until then.

    Args:
        laters_s: so much later than the snapshot's moment is each.

    Returns:
        Of the first moment and those after it as long as there is credit, or as long as there is none.
    """
    today, terms, estimates = snapshot.today, snapshot.terms, snapshot.estimates
    left_s = today.left_s
    if left_s is None:  # at every moment as much as at any other
        left_s, laters_s = UNKNOWN_LEFT_S, np.zeros(len(laters_s))
    return Allowed(
        *_allowed(
            within(terms.cap, 0.0, 1.0),
            # a count below zero must not become credit
            float(max(0, today.connected)),
            float(max(0, today.abandoned)),
            float(max(0.0, snapshot.callbacks_per_s)),
            float(max(0, terms.callback_reserve)),
            estimates.ring.mean_s,
            estimates.handling_s,
            estimates.machine_share,
            operators,
            within(left_s, 0.0, LONGEST_S),
            laters_s,
        )
    )

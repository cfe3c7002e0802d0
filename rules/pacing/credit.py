"""What the day's cap on abandoned calls still allows, turned into what one call may risk.

The cap is a number of abandoned calls a day may have. How fast to use up what is left of it is a problem of
stochastic control: with utilisation growing like a power `GAIN` < 1 of the rate of abandoned calls, the
Hamilton-Jacobi-Bellman equation has a closed form, by which the abandoned calls to aim at in the rest of the
day depend on the number left alone (`aim`). Few left are used sparingly, many almost evenly.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from rules.pacing.estimates import LONGEST_S, within
from rules.pacing.newest import Newest
from rules.pacing.snapshot import Snapshot

GAIN = 1 / 3
"""The power; by simulation: 1 % of abandoned calls gain about 0.7 of what 3 % gain."""
MARGIN, MARGIN_FALLS = 1.25, 0.18
"""What the riskiest call placed may risk, for each call to be abandoned per answer on the average: `MARGIN`
at one operator, less for more by this power.

What calls risk is below the margin on the average, and what happens above what is foreseen of one call at a
time: with few operators the first weighs more, with many, whose calls ring side by side, the second. A large
centre that risks too much for its credit has none left before the day's end (docs/pacing.md)."""
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
PENDING, PENDING_EACH = 0.05, 0.05
"""Abandoned calls held back for the calls that are ringing as the last one is used up; so many more for each
operator."""
LAST_ANSWERS = 2.0
LAST_ANSWERS_EACH = 0.5
"""Guard near the day's end: what is left is spread over at least so many answers, and so many for each
operator, for as many may come from the calls that ring at once."""
USE = 0.85
"""Share of their time operators are taken to work when answers to come are counted."""
UNKNOWN_LEFT_S = 3600.0
"""Reckoned with if nobody says when the day's calling ends."""


def _aims(most: int) -> tuple[float, ...]:
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
    return tuple(aims)


_AIMS = _aims(400)


def aim(left: float) -> float:
    """Abandoned calls to aim at until the day's end, with so many left (also parts of one)."""
    if left <= 0:
        return 0.0
    whole = math.floor(left)
    if whole >= len(_AIMS) - 1:
        return left * _AIMS[-1] / (len(_AIMS) - 1)
    return _AIMS[whole] + (left - whole) * (_AIMS[whole + 1] - _AIMS[whole])


def credit_of(snapshot: Snapshot, operators: int, later_s: float = 0.0) -> float:
    """How many calls may still be abandoned today: below 1, none (abandoned ÷ answered ≤ cap).

    Args:
        later_s: so much later than the snapshot's moment, if nothing has happened since.
    """
    given, to_come = _given(snapshot), answers_to_come(snapshot, operators, later_s)
    sure = max(0.0, to_come - DOUBT * math.sqrt(to_come))
    allowed = given.cap * (given.connected + given.abandoned + sure)
    return max(0.0, allowed - given.abandoned - pending(operators))


def pending(operators: int) -> float:
    """Abandoned calls held back for those that are ringing."""
    return PENDING + PENDING_EACH * operators


class Allowed(NamedTuple):
    """What the probability that one more call leaves somebody without an operator may be, 0–1."""

    covered: float
    """If an operator is free for it now: only a callback or a break takes them away."""
    ahead: float
    """Of any other."""


def allowed_miss(snapshot: Snapshot, operators: int, left: float, later_s: float = 0.0) -> Allowed:
    """What one more call may risk.

    Args:
        left: the calls that may still be abandoned today.
        later_s: so much later than the snapshot's moment, if nothing has happened since.
    """
    cap = _given(snapshot).cap
    held_back = pending(operators)
    least = LAST_ANSWERS + LAST_ANSWERS_EACH * operators
    to_come = max(least, answers_to_come(snapshot, operators, later_s))
    covered = COVERED_SPENT * cap
    if left + held_back >= 1:
        times = max(1.0, COVERED_EACH / max(1, operators))
        covered = max(covered, min(MOST, times * aim(left + held_back) / to_come))
    if left < 1:
        return Allowed(covered, SPENT)
    sure = _by_callbacks(snapshot, operators, covered)
    risk = margin(operators) * aim(left) / to_come - sure
    return Allowed(covered, max(SPENT, min(MOST, risk)))


def margin(operators: int) -> float:
    """What the riskiest call placed may risk, for each call to be abandoned per answer on the average."""
    return MARGIN / math.pow(max(1, operators), MARGIN_FALLS)


def _by_callbacks(snapshot: Snapshot, operators: int, covered: float) -> float:
    """Abandoned calls per answer that callbacks are reckoned to cause without any call ahead."""
    given = _given(snapshot)
    if not given.callbacks_per_s:
        return 0.0
    alone = math.exp(-max(0, operators - 1) * given.ring_s / given.handling_s)
    risk = given.callbacks_per_s * given.ring_s * alone
    return OFTEN_ONE * risk if risk <= covered else 0.0


def answers_to_come(snapshot: Snapshot, operators: int, later_s: float = 0.0) -> float:
    """Answers expected until the day's calling ends, if these operators stay.

    Args:
        later_s: so much later than the snapshot's moment.
    """
    given = _given(snapshot)
    left_s = given.left_s
    span_s = UNKNOWN_LEFT_S if left_s is None else within(left_s - later_s, 0.0, LONGEST_S)
    at_work = max(0.0, operators - given.reserve - given.callbacks_per_s * given.handling_s)
    return USE * at_work * span_s / given.handling_s


class _Given(NamedTuple):
    """What a snapshot says of the day, made sane: the same for all moments until something happens."""

    cap: float
    connected: int
    abandoned: int
    left_s: float | None
    callbacks_per_s: float
    reserve: int
    ring_s: float
    handling_s: float


@Newest
def _given(snapshot: Snapshot) -> _Given:
    today, terms, estimates = snapshot.today, snapshot.terms, snapshot.estimates
    return _Given(
        within(terms.cap, 0.0, 1.0),
        # a count below zero must not become credit
        max(0, today.connected),
        max(0, today.abandoned),
        today.left_s,
        max(0.0, snapshot.callbacks_per_s),
        max(0, terms.callback_reserve),
        estimates.ring.mean_s,
        estimates.handling_s,
    )

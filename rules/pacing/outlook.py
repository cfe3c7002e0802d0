"""What a snapshot shows, as the arrays of numbers that the compiled part of a decision goes through.

Operators, calls and beliefs change at events only; for the moments between two events they are turned once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from rules.pacing.balance import Floats
from rules.pacing.estimates import (
    LEAST_VAR,
    LOG_LIMITS,
    LONGEST_S,
    MOST_VAR,
    Estimates,
    LogNormal,
    within,
)
from rules.pacing.newest import Newest
from rules.pacing.snapshot import Activity, CallNow, OperatorNow, Tick

BREAK_SOON_S = 15.0
"""An operator whose break begins sooner is not reckoned with: a call placed now is answered about then."""
TICK_SPREAD = 0.1
"""How far a tick of the script strays from its share of the talk (standard deviation of the logarithm)."""
_TICKS = 2
"""So many of the newest ticks tell how long the talk will be: earlier ones add little."""
_SHORTEST_S = 0.5

_FREE, _TALKING, _AFTER_CALL_WORK = Activity.FREE, Activity.TALKING, Activity.AFTER_CALL_WORK


class Staff:
    """Operators who take calls, told apart by how soon they will be free."""

    def __init__(self, operators: Sequence[OperatorNow]) -> None:
        working, talking = [], []
        ticked: list[OperatorNow] = []
        self.size = len(operators)
        self.free = 0
        self.first_break_s = math.inf
        """When the first of their breaks begins."""
        for operator in operators:
            activity = operator.activity
            if activity is _TALKING:
                if operator.ticks:
                    ticked.append(operator)
                else:
                    talking.append(operator.since_s)
            elif activity is _FREE:
                self.free += 1
            elif activity is _AFTER_CALL_WORK:
                working.append(operator.since_s)
            if operator.break_at_s is not None:
                # a moment that is none (NaN) is before all others
                self.first_break_s = within(operator.break_at_s, -math.inf, self.first_break_s)
        self.working: Floats = np.array(working, np.float64)
        """When after-call work began."""
        self.talking: Floats = np.array(talking, np.float64)
        """When talks began of whose progress nothing is known."""
        self.ticked: Floats = np.array([operator.since_s for operator in ticked], np.float64)
        """When the others began."""
        self.foreseen: Newest[LogNormal, Floats] = Newest(
            lambda talk: np.array([foreseen_talk(operator, talk) for operator in ticked])
        )
        """By what is believed of talks: how long those will be, as `foreseen_talk` says (rows)."""


_staff_of_all = Newest(Staff)


def staff_of(operators: Sequence[OperatorNow], now_s: float) -> Staff:
    """The operators who take calls and have no break soon."""
    staff = _staff_of_all(tuple(operators))
    soon = now_s + BREAK_SOON_S
    if staff.first_break_s > soon:
        return staff
    return Staff([one for one in operators if one.break_at_s is None or one.break_at_s > soon])


def foreseen_talk(operator: OperatorNow, talk: LogNormal) -> tuple[float, float]:
    """How long the operator's talk will be, by the script's progress.

    Returns:
        Its median in seconds, and the standard deviation of its logarithm (normal beliefs, multiplied).
    """
    return _foreseen_talk(operator.since_s, operator.ticks[-_TICKS:], talk.mu, talk.var)


@lru_cache(maxsize=1024)
def _foreseen_talk(
    since_s: float, ticks: tuple[Tick, ...], mu: float, var: float
) -> tuple[float, float]:
    precision = 1 / within(var, LEAST_VAR, MOST_VAR)
    mean = mu * precision
    for tick in ticks:
        if not 0 < tick.share <= 1:
            continue  # a step at the very beginning, or none, tells nothing of the length
        so_far = within(tick.at_s - since_s, _SHORTEST_S, LONGEST_S)
        mean += (math.log(so_far) - math.log(tick.share)) / TICK_SPREAD**2
        precision += 1 / TICK_SPREAD**2
    return math.exp(within(mean / precision, *LOG_LIMITS)), precision**-0.5


@Newest
def calls_of(calls: tuple[CallNow, ...]) -> tuple[Floats, Floats]:
    """When each call in flight was placed, and the chance handed in for it."""
    placed_s = np.array([call.placed_s for call in calls], np.float64)
    return placed_s, _numbers([call.chance for call in calls])


@Newest
def chances_of(candidates: tuple[float | None, ...]) -> Floats:
    """The chances handed in for phones."""
    return _numbers(candidates)


@Newest
def belief_of(estimates: Estimates) -> tuple[float, float, float]:
    """What turns a chance handed in into that of an answer, as `rules.pacing.balance.answer_of` takes it."""
    return estimates.truth.odds, estimates.chance.mean, estimates.machine.mean


def _numbers(chances: Sequence[float | None]) -> Floats:
    return np.array([math.nan if one is None else one for one in chances], np.float64)

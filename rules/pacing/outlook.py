"""What a snapshot comes to: how many operators will be left over when a call placed now is answered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Self

import numpy as np

from rules.pacing.balance import Floats, Ints, answered, left_over, look_up, none_left, with_call
from rules.pacing.estimates import LEAST_VAR, LOG_LIMITS, LONGEST_S, MOST_VAR, LogNormal, within
from rules.pacing.forecast import (
    CALL_STEP_S,
    TALK_STEP_S,
    WORK_STEP_S,
    Forecast,
    forecast_of,
)
from rules.pacing.snapshot import Activity, OperatorNow, Snapshot, Tick

TICK_SPREAD = 0.1
"""How far a tick of the script strays from its share of the talk (standard deviation of the logarithm)."""
_TICKS = 2
"""So many of the newest ticks tell how long the talk will be: earlier ones add little."""
_CALLBACK = 0.2
"""Expected callbacks are cut into events of at most this probability."""
_MOST_CALLBACKS = 200
_SHORTEST_S = 0.5


class Outlook:
    """Operators left over at the coming moments; calls can be added to it."""

    def __init__(self, sure: int, free: Floats, answers: Floats, forecast: Forecast) -> None:
        self._answered: Floats = forecast.answered[0]
        self._answers_soon = forecast.soon
        self._shares: Floats
        self._firsts: Ints
        self._shares, self._firsts = left_over(sure, free, answers)
        points = len(forecast.moments)
        self.expected_free = sure + float(free.sum()) / points
        """Operators, less those persons take who are waiting already."""
        self.expected_answers = float(answers.sum()) / points

    @classmethod
    def of(cls, snapshot: Snapshot, staying: Sequence[OperatorNow]) -> Self:
        """Look from a snapshot at what comes.

        Args:
            staying: the operators who take calls and have no break soon.
        """
        size = len(staying) + len(snapshot.calls)
        forecast = forecast_of(snapshot.estimates, snapshot.terms.patience_s, size)
        sure = sum(operator.activity is Activity.FREE for operator in staying)
        taken = snapshot.claimed + max(0, snapshot.appointments_soon)
        free = _free(snapshot, staying, forecast)
        answers = _joined([_answers(snapshot, forecast), _callbacks(snapshot, forecast)], forecast)
        return cls(sure - taken, free, answers, forecast)

    def miss(self) -> float:
        """Probability that one more call, if answered, leaves somebody without an operator."""
        return none_left(self._shares, self._firsts)

    def add(self, chance: float) -> None:
        """One more call, answered with this probability."""
        self._shares, self._firsts = with_call(self._shares, self._firsts, self._answered * chance)
        self.expected_answers += self._answers_soon * chance


def _free(snapshot: Snapshot, staying: Sequence[OperatorNow], forecast: Forecast) -> Floats:
    """For each busy operator, the probability of being free by each moment."""
    now = snapshot.now_s
    work, talks, ticked = [], [], []
    for operator in staying:
        if operator.activity is Activity.AFTER_CALL_WORK:
            work.append(now - operator.since_s)
        elif operator.activity is Activity.TALKING and operator.ticks:
            ticked.append(operator)
        elif operator.activity is Activity.TALKING:
            talks.append(now - operator.since_s)
    parts = []
    if work:
        parts.append(look_up(np.array(work), WORK_STEP_S, forecast.worked))
    if talks:
        parts.append(look_up(np.array(talks), TALK_STEP_S, forecast.talked))
    if ticked:
        parts.append(_foreseen(now, ticked, snapshot.estimates.talk, forecast))
    return _joined(parts, forecast)


def _foreseen(
    now: float, ticked: Sequence[OperatorNow], talk: LogNormal, forecast: Forecast
) -> Floats:
    told = np.array([foreseen_talk(operator, talk) for operator in ticked])
    ages = np.array([now - operator.since_s for operator in ticked])
    return forecast.foreseen(ages, told[:, 0], told[:, 1])


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


def _answers(snapshot: Snapshot, forecast: Forecast) -> Floats:
    """For each call in flight, the probability of its being answered by each moment."""
    if not snapshot.calls:
        return _nobody(forecast)
    ages = np.array([snapshot.now_s - call.placed_s for call in snapshot.calls])
    own = np.array([math.nan if call.chance is None else call.chance for call in snapshot.calls])
    chances = snapshot.estimates.answers(own)
    return answered(ages, chances, CALL_STEP_S, forecast.answered, forecast.unanswered)


def _callbacks(snapshot: Snapshot, forecast: Forecast) -> Floats:
    """Callbacks expected by each moment, cut into many rare events (a Poisson stream)."""
    if not snapshot.callbacks_per_s > 0:
        return _nobody(forecast)
    expected = min(snapshot.callbacks_per_s, _MOST_CALLBACKS) * forecast.moments
    events = math.ceil(within(expected[-1] / _CALLBACK, 1.0, _MOST_CALLBACKS))
    return np.tile(np.minimum(expected / events, 1.0), (events, 1))


def _nobody(forecast: Forecast) -> Floats:
    return np.empty((0, len(forecast.moments)))


def _joined(parts: Sequence[Floats], forecast: Forecast) -> Floats:
    some = [part for part in parts if len(part)]
    if not some:
        return _nobody(forecast)
    return some[0] if len(some) == 1 else np.concatenate(some)

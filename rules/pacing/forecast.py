"""Who will answer and who will be free at a few coming moments, looked up in tables.

A call placed now, if a person answers it, is answered after a time whose distribution is known: it stands
for `POINTS` equally likely moments. For each of them the tables tell how likely a call in flight is
answered before, and how likely an operator is free by then (and the patience after).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from rules.pacing.balance import CALL_STEP_S, TALK_STEP_S, WORK_STEP_S, Floats
from rules.pacing.estimates import LOG_LIMITS, MOST_VAR, Estimates, LogNormal, within
from rules.pacing.newest import Newest
from rules.pacing.normal import phi, talks_by_age, talks_over

POINTS, FEW_POINTS = 16, 8
"""Moments at which a call placed now may be answered; fewer in a large centre, where a finer look would take
longer than it gains."""
MANY = 300
"""Operators and calls in flight of a large centre."""
_CALL_LAST_S = 60.0
_WORK_AGES_S: Floats = np.arange(0, 300.0, WORK_STEP_S)
_TALK_AGES_S: Floats = np.arange(0, 1000.0, TALK_STEP_S) + TALK_STEP_S / 2
_PARTS = 12
"""Into so many parts the time until a moment is cut when talk and after-call work follow each other."""
_LEAST_LEFT = 0.02
"""Whoever is among the longest 2 % is treated as if just become so: what lies beyond is not known well."""
_GRAIN = 40
"""Beliefs are told apart by 1/40 in mean and variance of the logarithm: small news builds no new tables."""


def logs(times: Floats) -> Floats:
    """Logarithms; of times ≤ 0 that of next to none."""
    found: Floats = np.log(np.maximum(times, 1e-9))
    return found


def below(log_times: Floats, of: LogNormal) -> Floats:
    """Probability that the time is over by then."""
    return phi((log_times - of.mu) / math.sqrt(of.var))


def cdf(times: Floats, of: LogNormal) -> Floats:
    """Probability that the time is over by then; 0 for times ≤ 0."""
    return below(logs(times), of)


class Answers:
    """When a call that will be answered is, and what of it does not depend on operators' times."""

    def __init__(
        self,
        ring: LogNormal,
        machine_share: float,
        machine_ring: LogNormal,
        patience_s: float,
        points: int,
    ) -> None:
        grid = np.arange(0, _CALL_LAST_S * 2, 0.1)
        by = (1 - machine_share) * cdf(grid, ring) + machine_share * cdf(grid, machine_ring)
        moments = np.interp((np.arange(points) + 0.5) / points, by, grid)
        self.moments: Floats = moments
        ages = np.arange(0, _CALL_LAST_S, CALL_STEP_S)[:, None]
        until = np.interp(ages, grid, by)
        self.unanswered: Floats = 1 - until[:, 0]
        self.answered: Floats = np.interp(ages + moments, grid, by) - until
        self.free_by: Floats = moments + patience_s
        """Whoever is free by then takes a call that is answered at the moment."""
        self.cuts: Floats = self.free_by[:, None] * (np.arange(_PARTS + 1) / _PARTS)
        """Cuts the time until then (row of each moment) into parts."""
        # of all that tables are made of, logarithms take longest
        self.work_logs: Floats = logs(_WORK_AGES_S[:, None] + self.free_by)
        """Of the length of after-call work of each age (rows) that ends then."""
        self.talk_logs: Floats = logs(_TALK_AGES_S[:, None, None] + self.cuts)
        """Of the length of a talk of each age that ends at each cut."""


_answers = lru_cache(maxsize=16)(Answers)


class Forecast:
    """All tables of one state of belief: by age (rows) for every moment (columns)."""

    def __init__(
        self,
        ring: LogNormal,
        talk: LogNormal,
        after_call: LogNormal,
        machine_share: float,
        machine_ring: LogNormal,
        machine_talk: LogNormal,
        patience_s: float,
        points: int,
    ) -> None:
        """
        Args:
            machine_share: of the answers an operator gets, those of machines.
            points: moments looked at.
        """
        answers = _answers(ring, machine_share, machine_ring, patience_s, points)
        parts = (np.arange(_PARTS) + 0.5) / _PARTS
        self._cuts = answers.cuts
        self._works = cdf(answers.free_by[:, None] * (1 - parts), after_call)
        """After-call work that begins in a part of the time is over by its end."""
        self.moments = answers.moments
        """Seconds from now at which a call placed now may be answered, equally likely each."""
        self.answered = answers.answered
        """Of the calls that will be answered, those answered later than this age and by the moment."""
        self.unanswered = answers.unanswered
        """Of the calls that will be answered, those not answered yet."""
        self.worked = _worked(answers, after_call)
        """After-call work of this age is over by the moment and the patience."""
        self.talked = self._talked(answers, talk, machine_share, machine_talk)
        """A talk of this age, of which no progress is known, and its after-call work are over by then."""
        self.tables = self.moments, self.answered, self.unanswered, self.worked, self.talked
        self._none_foreseen = np.empty((0, points))

    def _talked(
        self, answers: Answers, talk: LogNormal, machine_share: float, machine_talk: LogNormal
    ) -> Floats:
        over = talks_by_age(answers.talk_logs, talk.mu, math.sqrt(talk.var), self._works)
        left = 1 - cdf(_TALK_AGES_S, talk)
        if machine_share:
            machine_by = below(answers.talk_logs[:, :, -1], machine_talk)
            machine_over = cdf(_TALK_AGES_S, machine_talk)
            machine = machine_by - machine_over[:, None]
            over = (1 - machine_share) * over + machine_share * machine
            left = (1 - machine_share) * left + machine_share * (1 - machine_over)
        return _shares(over / np.maximum(left, _LEAST_LEFT)[:, None])

    def foreseen(self, now_s: float, since_s: Floats, told: Floats) -> Floats:
        """For each talk whose length is foreseen, the probability that it and its work are over by then.

        Args:
            since_s: when each began.
            told: for each talk (rows) the median of its length in seconds, and its logarithm's deviation.
        """
        if not len(since_s):
            return self._none_foreseen
        return talks_over(now_s - since_s, told, self._cuts, self._works)


def _worked(answers: Answers, after_call: LogNormal) -> Floats:
    over = cdf(_WORK_AGES_S, after_call)[:, None]
    left = np.maximum(1 - over, _LEAST_LEFT)
    return _shares((below(answers.work_logs, after_call) - over) / left)


def _shares(values: Floats) -> Floats:
    within: Floats = np.clip(values, 0, 1)
    return within


def forecast_of(estimates: Estimates, patience_s: float, size: int) -> Forecast:
    """The tables for what is believed.

    Args:
        size: operators and calls in flight.
    """
    return _made(
        *_all_grains(estimates), within(patience_s, 0.0, _CALL_LAST_S),
        FEW_POINTS if size > MANY else POINTS,
    )  # fmt: skip


@Newest
def _all_grains(estimates: Estimates) -> tuple[int, ...]:
    e = estimates
    return (
        *_grains(e.ring), *_grains(e.talk), *_grains(e.after_call), round(e.machine_share * _GRAIN),
        *_grains(e.machine_ring), *_grains(e.machine_talk),
    )  # fmt: skip


def _grains(of: LogNormal) -> tuple[int, int]:
    return _rounded(of.mu, of.var)


@lru_cache(maxsize=1024)
def _rounded(mu: float, var: float) -> tuple[int, int]:
    # a belief gone astray must not end the pacing
    return round(within(mu, *LOG_LIMITS) * _GRAIN), round(within(var, 0.0, MOST_VAR) * _GRAIN)


def _of_grains(mu: int, var: int) -> LogNormal:
    return LogNormal(mu / _GRAIN, max(var, 0.2) / _GRAIN, 0)


@lru_cache(maxsize=512)
def _made(
    ring: int, ring_var: int, talk: int, talk_var: int, work: int, work_var: int, machines: int,
    machine_ring: int, machine_ring_var: int, machine_talk: int, machine_talk_var: int,
    patience_s: float, points: int,
) -> Forecast:  # fmt: skip
    return Forecast(
        _of_grains(ring, ring_var),
        _of_grains(talk, talk_var),
        _of_grains(work, work_var),
        machines / _GRAIN,
        _of_grains(machine_ring, machine_ring_var),
        _of_grains(machine_talk, machine_talk_var),
        patience_s,
        points,
    )

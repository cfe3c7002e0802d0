"""Who will answer and who will be free at a few coming moments, looked up in tables.

A call placed now, if a person answers it, is answered after a time whose distribution is known: it stands
for `POINTS` equally likely moments. For each of them the tables tell how likely a call in flight is
answered before, and how likely an operator is free by then (and the patience after).
"""

from __future__ import annotations

import math
from functools import cached_property, lru_cache

import numpy as np

from rules.pacing.balance import Floats
from rules.pacing.estimates import LOG_LIMITS, MOST_VAR, Estimates, LogNormal, within
from rules.pacing.normal import phi, talks_over

POINTS, FEW_POINTS = 16, 8
"""Moments at which a call placed now may be answered; fewer in a large centre, where a finer look would take
longer than it gains."""
MANY = 300
"""Operators and calls in flight of a large centre."""
CALL_STEP_S, _CALL_LAST_S = 0.5, 60.0
WORK_STEP_S, _WORK_LAST_S = 1.0, 300.0
TALK_STEP_S, _TALK_LAST_S = 2.0, 1000.0
_PARTS = 12
"""Into so many parts the time until a moment is cut when talk and after-call work follow each other."""
_LEAST_LEFT = 0.02
"""Whoever is among the longest 2 % is treated as if just become so: what lies beyond is not known well."""
_GRAIN = 40
"""Beliefs are told apart by 1/40 in mean and variance of the logarithm: small news builds no new tables."""


def cdf(times: Floats, of: LogNormal) -> Floats:
    """Probability that the time is over by then; 0 for times ≤ 0."""
    return phi((np.log(np.maximum(times, 1e-9)) - of.mu) / math.sqrt(of.var))


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
        self._talk, self._after_call = talk, after_call
        self._machine_share, self._machine_talk = machine_share, machine_talk
        grid = np.arange(0, _CALL_LAST_S * 2, 0.1)
        by = (1 - machine_share) * cdf(grid, ring) + machine_share * cdf(grid, machine_ring)
        moments = np.interp((np.arange(points) + 0.5) / points, by, grid)
        self.moments: Floats = moments
        """Seconds from now at which a call placed now may be answered, equally likely each."""
        self._free_by: Floats = moments + patience_s
        ages = np.arange(0, _CALL_LAST_S, CALL_STEP_S)[:, None]
        until = np.interp(ages, grid, by)
        self.unanswered: Floats = 1 - until[:, 0]
        """Of the calls that will be answered, those not answered yet."""
        self.answered: Floats = np.interp(ages + moments, grid, by) - until
        """Of the calls that will be answered, those answered later than this age and by the moment."""
        self.soon = float(self.answered[0].mean())
        """Of a call placed now: answered by the moment, the mean over the moments."""

    @cached_property
    def worked(self) -> Floats:
        """After-call work of this age is over by the moment and the patience."""
        ages = np.arange(0, _WORK_LAST_S, WORK_STEP_S)
        over = cdf(ages, self._after_call)[:, None]
        left = np.maximum(1 - over, _LEAST_LEFT)
        by = cdf(ages[:, None] + self._free_by, self._after_call)
        return _shares((by - over) / left)

    @cached_property
    def talked(self) -> Floats:
        """A talk of this age, of which no progress is known, and its after-call work are over by then."""
        ages = np.arange(0, _TALK_LAST_S, TALK_STEP_S) + TALK_STEP_S / 2
        ends = np.diff(cdf(ages[:, None, None] + self._cuts, self._talk), axis=2)
        person = (ends * self._works).sum(axis=2)
        machine_over = cdf(ages, self._machine_talk)
        machine = cdf(ages[:, None] + self._free_by, self._machine_talk) - machine_over[:, None]
        share = self._machine_share
        over = (1 - share) * person + share * machine
        left = (1 - share) * (1 - cdf(ages, self._talk)) + share * (1 - machine_over)
        return _shares(over / np.maximum(left, _LEAST_LEFT)[:, None])

    def foreseen(self, ages: Floats, lengths: Floats, spreads: Floats) -> Floats:
        """For each talk whose length is foreseen, the probability that it and its work are over by then.

        Args:
            ages: seconds talked; lengths: medians in seconds; spreads: deviations of their logarithms.
        """
        return talks_over(ages, lengths, spreads, self._cuts, self._works)

    @cached_property
    def _cuts(self) -> Floats:
        return self._free_by[:, None] * (np.arange(_PARTS + 1) / _PARTS)

    @cached_property
    def _works(self) -> Floats:
        """After-call work that begins in a part of the time is over by its end."""
        parts = (np.arange(_PARTS) + 0.5) / _PARTS
        return cdf(self._free_by[:, None] * (1 - parts), self._after_call)


def forecast_of(estimates: Estimates, patience_s: float, size: int) -> Forecast:
    """The tables for what is believed.

    Args:
        size: operators and calls in flight.
    """
    e = estimates
    return _made(
        *_grains(e.ring), *_grains(e.talk), *_grains(e.after_call), round(e.machine_share * _GRAIN),
        *_grains(e.machine_ring), *_grains(e.machine_talk), within(patience_s, 0.0, _CALL_LAST_S),
        FEW_POINTS if size > MANY else POINTS,
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


def _shares(values: Floats) -> Floats:
    within: Floats = np.clip(values, 0, 1)
    return within

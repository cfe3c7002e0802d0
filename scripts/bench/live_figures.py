"""What a recorded stretch of calling came to, with 95 % intervals, and what was predicted of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from operator import attrgetter

from db.seat_changes import SeatMove
from dialer.simulation.table import Mean, mean_of
from rules.call_outcome import ABANDONED
from rules.operator_state import State
from rules.pacing.estimates import Estimates, LogNormal

_Z = 1.959964
BATCH_S = 30.0
"""Means of so long are taken for independent of each other."""
_AT_WORK = frozenset({State.TALKING, State.AFTER_CALL_WORK})
_LOGGED_IN = frozenset(State) - {State.AWAY, State.PAUSED}


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and between what the true one lies."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, mean: Mean) -> Interval:
        """From a mean and half the width."""
        return cls(mean.value, mean.value - mean.half, mean.value + mean.half)

    @classmethod
    def around(cls, value: float, deviation: float) -> Interval:
        """From a standard deviation."""
        return cls(value, value - _Z * deviation, value + _Z * deviation)

    def overlaps(self, other: Interval) -> bool:
        """Whether both may be the same."""
        return self.low <= other.high and other.low <= self.high

    def scaled(self, by: float) -> Interval:
        """In another unit."""
        return Interval(self.value * by, self.low * by, self.high * by)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempted:
    """One call of the ledger."""

    placed_at: datetime
    chance: float
    """As believed when it was placed: a person answers."""
    miss: float
    """And then finds nobody free within the patience."""
    answered_at: datetime | None
    connected_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """A stretch of calling, as the service wrote it down."""

    begins: datetime
    ends: datetime
    operators: int
    """All of them logged in at the beginning, and free."""
    attempts: Sequence[Attempted]
    moves: Sequence[SeatMove]
    """From the beginning to the end, oldest first."""
    estimates: Estimates
    """What the service believed in the end."""

    @property
    def length_s(self) -> float:
        """Of the stretch."""
        return (self.ends - self.begins).total_seconds()

    @property
    def answers(self) -> int:
        """Calls that were answered."""
        return sum(one.answered_at is not None for one in self.attempts)

    @property
    def abandoned(self) -> int:
        """Calls that were answered and found no operator."""
        return sum(one.outcome == ABANDONED for one in self.attempts)

    # measured ------------------------------------------------------------------------------------

    def utilisation(self) -> Interval:
        """(Talk and after-call work) ÷ logged-in time, by batch means."""
        at_work = self._batches(_AT_WORK)
        logged_in = self._batches(_LOGGED_IN)
        shares = [part / whole for part, whole in zip(at_work, logged_in, strict=True)]
        return Interval.of(mean_of(shares))

    def abandoned_share(self) -> Interval:
        """Abandoned ÷ (abandoned + connected); Wilson's interval."""
        connected = sum(one.connected_at is not None for one in self.attempts)
        return wilson(self.abandoned, self.abandoned + connected)

    def answers_a_minute(self) -> Interval:
        """By batch means."""
        counts = [0] * self._count
        for one in self.attempts:
            if one.answered_at is not None:
                counts[self._batch(one.answered_at)] += 1
        return Interval.of(mean_of([60 * count / self._batch_s for count in counts]))

    def waits_s(self) -> list[float]:
        """From answer to operator, of those who got one, the shortest first."""
        return sorted(
            (one.connected_at - one.answered_at).total_seconds()
            for one in self.attempts
            if one.answered_at is not None and one.connected_at is not None
        )

    # predicted -----------------------------------------------------------------------------------

    def predicted_answers_a_minute(self) -> Interval:
        """The sum of the chances of all calls placed, and how far what comes of it may lie from it."""
        minutes = self.length_s / 60
        return _count([one.chance for one in self.attempts]).scaled(1 / minutes)

    def predicted_abandoned_share(self) -> Interval:
        """The same of calls answered while nobody is free, of the answers expected."""
        expected = sum(one.chance for one in self.attempts)
        return _count([one.chance * one.miss for one in self.attempts]).scaled(1 / expected)

    def predicted_utilisation(self) -> Interval:
        """What the calls placed were expected to give the operators to do before the end."""
        believed = self.estimates
        handling_s = believed.talk.mean_s + believed.after_call.mean_s
        spread = _variance(believed.talk) + _variance(believed.after_call)
        work, variance = 0.0, 0.0
        for one in self.attempts:
            left_s = (self.ends - one.placed_at).total_seconds() - believed.ring.mean_s
            share = min(1.0, max(0.0, left_s / handling_s))
            served = one.chance * (1 - one.miss)
            work += served * share * handling_s
            variance += share**2 * served * (spread + (1 - served) * handling_s**2)
        return Interval.around(work, math.sqrt(variance)).scaled(
            1 / (self.operators * self.length_s)
        )

    # in batches ----------------------------------------------------------------------------------

    @property
    def _count(self) -> int:
        return max(2, round(self.length_s / BATCH_S))

    @property
    def _batch_s(self) -> float:
        return self.length_s / self._count

    def _batch(self, moment: datetime) -> int:
        """Who answers after the end, called before it, belongs to the last one."""
        return min(self._count - 1, int((moment - self.begins).total_seconds() / self._batch_s))

    def _batches(self, states: frozenset[State]) -> list[float]:
        """Seconds that all operators together were in one of these states, in each batch."""
        totals = [0.0] * self._count
        for begin_s, end_s in self._stretches(states):
            for batch in range(self._count):
                from_s, to_s = batch * self._batch_s, (batch + 1) * self._batch_s
                totals[batch] += max(0.0, min(end_s, to_s) - max(begin_s, from_s))
        return totals

    def _stretches(self, states: frozenset[State]) -> list[tuple[float, float]]:
        """When operators were in one of these states, in seconds from the beginning."""
        of_operator = attrgetter("operator_id")
        found, seen = [], 0
        for _, moves in groupby(sorted(self.moves, key=of_operator), of_operator):
            told = [(0.0, State.FREE)]
            told += [((m.at - self.begins).total_seconds(), m.state) for m in moves]
            told.append((self.length_s, State.AWAY))
            seen += 1
            found += [(at, until) for (at, state), (until, _) in pairwise(told) if state in states]
        idle = self.operators - seen
        return found + [(0.0, self.length_s)] * (idle if State.FREE in states else 0)


def wilson(hits: int, of: int) -> Interval:
    """Wilson's interval of a share.

    Raises:
        ValueError: nothing was counted.
    """
    if of == 0:
        raise ValueError("nothing was counted")
    share, doubt = hits / of, _Z**2 / of
    middle = (share + doubt / 2) / (1 + doubt)
    half = _Z / (1 + doubt) * math.sqrt(share * (1 - share) / of + doubt / (4 * of))
    return Interval(share, middle - half, middle + half)


def quantile(ordered: Sequence[float], share: float) -> Interval:
    """The quantile of values in order, between those whose ranks it has with 95 % probability."""
    spread = _Z * math.sqrt(len(ordered) * share * (1 - share))

    def at(rank: float) -> float:
        return ordered[max(0, min(len(ordered) - 1, round(rank)))]

    middle = share * len(ordered)
    return Interval(at(middle - 0.5), at(middle - spread - 1), at(middle + spread))


def _count(chances: Sequence[float]) -> Interval:
    """How many of independent events come, each with its chance."""
    variance = sum(chance * (1 - chance) for chance in chances)
    return Interval.around(sum(chances), math.sqrt(variance))


def _variance(of: LogNormal) -> float:
    return math.expm1(of.var) * of.mean_s**2

"""Who lives in the town and what happens when their telephone is called.

Pure and seeded: the same seed, number, moment and count of calls give the same behaviour.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum, auto
from typing import Protocol

LATEST_FIRST_RING_S = 6.0
"""Longest wait from the INVITE to the first ringing, in seconds."""
LONGEST_PICKUP_S = 8.0
"""Longest ringing before somebody, or an answering machine, picks up, in seconds."""


class Kind(StrEnum):
    """What is behind a number. A demo shows every one of them."""

    QUICK_TO_ANSWER = auto()
    WORKER = auto()
    """At home in the evening and on days off."""
    DAYTIME = auto()
    """At home until the afternoon; works in the evening and at weekends."""
    WEEKENDER = auto()
    """At home on non-weekdays only."""
    TAKES_MESSAGE = auto()
    """Someone of the household answers and offers to take the message."""
    SAYS_WHEN = auto()
    """Someone of the household says when the person is back; then the person answers."""
    REFUSES = auto()
    IN_A_HURRY = auto()
    """The person has no time at the first talk, and listens at the second."""
    LONG_ABSENT = auto()
    MOVED_AWAY = auto()
    STRANGER = auto()
    """The number belongs to somebody else."""
    HANGS_UP = auto()
    MACHINE = auto()
    FAX = auto()
    BUSY = auto()
    BUSY_ONCE = auto()
    UNASSIGNED = auto()
    SUSPENDED = auto()
    NEVER_ANSWERS = auto()


class Line(StrEnum):
    """What the network does with a call."""

    RINGS = auto()
    BUSY = auto()
    UNASSIGNED = auto()
    SUSPENDED = auto()


class Heard(StrEnum):
    """Who or what is at the other end of an answered call: what a human's ears would tell."""

    PERSON = auto()
    PERSON_REFUSING = auto()
    PERSON_IN_A_HURRY = auto()
    FAMILY_OFFERING = auto()
    FAMILY_KNOWING_WHEN = auto()
    FAMILY_OF_LONG_ABSENT = auto()
    NEW_TENANT = auto()
    STRANGER = auto()
    NOBODY = auto()
    """Hung up at once."""
    MACHINE = auto()
    FAX = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """What happens to one call."""

    line: Line
    first_ring_s: float
    """Seconds from the INVITE to the first ringing, or to the line's refusal (0–6)."""
    pickup_s: float | None = None
    """Seconds of ringing until somebody picks up; None: nobody does."""
    heard: Heard | None = None
    """Who picks up; None: nobody does."""


class People(Protocol):
    """Whoever can be called."""

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """What is behind a number, as far as it is of a kind."""
        ...

    def behaviour(self, number: str, moment: datetime, nth_call: int) -> Behaviour:
        """What happens to the `nth_call` (from 1) to `number` at `moment` (Japan time)."""
        ...


@dataclass(frozen=True, slots=True)
class _Habit:
    """Who picks up, and when anybody does."""

    heard: Heard
    at_home: Callable[[datetime, bool], bool] = lambda moment, non_weekday: True
    """(moment, whether it is a non-weekday) → whether the telephone is picked up."""
    later: Heard | None = None
    """Who picks up from the second call on, if another."""


# Japan time; each is at home in one band of the demo's calendar and out in another.
def _after_work(moment: datetime, non_weekday: bool) -> bool:
    return non_weekday or moment.time() >= time(17)


def _before_work(moment: datetime, non_weekday: bool) -> bool:
    return not non_weekday and moment.time() < time(15)


def _days_off(moment: datetime, non_weekday: bool) -> bool:
    return non_weekday


HABITS: dict[Kind, _Habit] = {
    Kind.QUICK_TO_ANSWER: _Habit(Heard.PERSON),
    Kind.WORKER: _Habit(Heard.PERSON, _after_work),
    Kind.DAYTIME: _Habit(Heard.PERSON, _before_work),
    Kind.WEEKENDER: _Habit(Heard.PERSON, _days_off),
    Kind.TAKES_MESSAGE: _Habit(Heard.FAMILY_OFFERING),
    Kind.SAYS_WHEN: _Habit(Heard.FAMILY_KNOWING_WHEN, later=Heard.PERSON),
    Kind.REFUSES: _Habit(Heard.PERSON_REFUSING),
    Kind.IN_A_HURRY: _Habit(Heard.PERSON_IN_A_HURRY, later=Heard.PERSON),
    Kind.LONG_ABSENT: _Habit(Heard.FAMILY_OF_LONG_ABSENT),
    Kind.MOVED_AWAY: _Habit(Heard.NEW_TENANT),
    Kind.STRANGER: _Habit(Heard.STRANGER),
    Kind.HANGS_UP: _Habit(Heard.NOBODY),
    Kind.MACHINE: _Habit(Heard.MACHINE),
    Kind.FAX: _Habit(Heard.FAX),
    Kind.BUSY_ONCE: _Habit(Heard.PERSON),  # once the line is free
    Kind.NEVER_ANSWERS: _Habit(Heard.NOBODY, lambda moment, non_weekday: False),
}

# Kinds whose calls ring out (40 s each) are few, so that a campaign fits into minutes.
_COMMON = (
    (Kind.QUICK_TO_ANSWER, 8),
    (Kind.WORKER, 4),
    (Kind.TAKES_MESSAGE, 4),
    (Kind.MACHINE, 2),
    (Kind.UNASSIGNED, 1),
    (Kind.REFUSES, 1),
    (Kind.BUSY_ONCE, 1),
)
_LATE_SHARE = 0.25
"""Share of the numbers whose first ringing comes 1–6 s after the INVITE."""


class Town:
    """The town's people, by number."""

    def __init__(
        self,
        first_numbers: Sequence[str],
        second_numbers: Sequence[str],
        seed: int,
        is_non_weekday: Callable[[datetime], bool],
    ) -> None:
        """Settle people behind numbers (digits as dialled in Japan).

        The first of the first numbers have one kind each, as far as they go, until every kind is there;
        the others are common people. Who is to be seen for certain comes first, therefore: a later case
        or a second number may never be called.
        """
        self._seed = seed
        self._is_non_weekday = is_non_weekday
        chance = random.Random(seed)
        homes = list(dict.fromkeys(first_numbers))  # two cases may share a number, and its people
        kinds = list(Kind)[: len(homes)]
        chance.shuffle(kinds)
        kinds += _common_people(chance, len(homes) - len(kinds))
        self.kinds = dict(zip(homes, kinds, strict=True))
        for number in second_numbers:
            self.kinds.setdefault(number, *_common_people(chance, 1))

    def behaviour(self, number: str, moment: datetime, nth_call: int) -> Behaviour:
        """What happens to the `nth_call` (from 1) to `number` at `moment` (Japan time)."""
        kind = self.kinds.get(number, Kind.UNASSIGNED)
        chance = random.Random(f"{self._seed} {number} {nth_call}")
        first_ring_s = self._first_ring_s(number, chance)
        line = _line(kind, nth_call)
        habit = HABITS.get(kind)
        if line is not Line.RINGS or habit is None:
            return Behaviour(line=line, first_ring_s=first_ring_s)
        if not habit.at_home(moment, self._is_non_weekday(moment)):
            return Behaviour(line=line, first_ring_s=first_ring_s)
        heard = habit.later if habit.later and nth_call > 1 else habit.heard
        soonest = 4.0 if heard is Heard.MACHINE else 1.0
        pickup_s = min(LONGEST_PICKUP_S, soonest + chance.expovariate(0.6))
        return Behaviour(line=line, first_ring_s=first_ring_s, pickup_s=pickup_s, heard=heard)

    def _first_ring_s(self, number: str, chance: random.Random) -> float:
        late = random.Random(f"{self._seed} {number}").random() < _LATE_SHARE
        return chance.uniform(1.0, LATEST_FIRST_RING_S) if late else chance.uniform(0.0, 0.4)


def _common_people(chance: random.Random, count: int) -> list[Kind]:
    kinds, weights = zip(*_COMMON, strict=True)
    return chance.choices(kinds, weights, k=count)


def _line(kind: Kind, nth_call: int) -> Line:
    if kind is Kind.BUSY or (kind is Kind.BUSY_ONCE and nth_call == 1):
        return Line.BUSY
    if kind is Kind.UNASSIGNED:
        return Line.UNASSIGNED
    return Line.SUSPENDED if kind is Kind.SUSPENDED else Line.RINGS

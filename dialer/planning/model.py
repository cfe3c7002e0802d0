"""How one case can go on: its states, and what an attempt in a band does to them (rules 4-6).

A case is looked at through at most two phones. A phone's state is how many attempts it still gets, the
band of the last one, whether one was on a non-weekday, and whether it was called today. Whoever has been
reached is told apart from who has not, elsewhere: that does not change what may be called.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dialer.planning.rates import bands_of
from dialer.planning.slots import Slot
from rules.case import Scope
from rules.profile import Profile

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

NEVER = -1
"""Index of the band of a phone not called yet; index of a state that cannot be reached."""


class PhonePart(NamedTuple):
    """One phone's part of a case's state."""

    left: int
    """Counted attempts it still gets."""
    last: int
    """Index of the band of the last one, or `NEVER`."""
    met: bool
    """One of them was on a non-weekday."""
    today: bool
    """It was called today."""


DONE = PhonePart(left=0, last=NEVER, met=True, today=False)
"""Closed, without attempts left, or not there: nothing more happens on it."""

State = tuple[PhonePart, PhonePart]
PHONES = 2


class SlotType(NamedTuple):
    """All that a band means to the rules."""

    band: int
    non_weekday: bool
    later_non_weekday: bool


@dataclass(frozen=True, slots=True)
class Step:
    """An attempt on one phone in one type of band, for every state."""

    after: Ints
    """State after it, when the case goes on; `NEVER`: the rules refuse it."""
    closed: Ints
    """State after it, when it closed the phone."""
    unmet: Floats
    """1 where it was the last one and no attempt was on a non-weekday, else 0."""


class Model:
    """All states that can be reached from some, and the steps between them."""

    def __init__(self, profile: Profile, starts: Iterable[State]) -> None:
        """
        Args:
            profile: with the values in force now.
            starts: states the cases are in.
        """
        self._attempts = profile.attempts
        self._shared = profile.attempt_scope is Scope.CASE
        self._met_together = profile.weekend_scope is Scope.CASE
        self.bands = tuple(band.name for band in bands_of(profile))
        self.states = self._reachable(starts)
        self.index = {state: number for number, state in enumerate(self.states)}
        self._steps: dict[tuple[SlotType, int], Step] = {}

    def type_of(self, slot: Slot) -> SlotType:
        """What the slot means to the rules."""
        return SlotType(self.bands.index(slot.band), slot.non_weekday, slot.later_non_weekday)

    def step(self, kind: SlotType, phone: int) -> Step:
        """An attempt on the first (0) or second (1) phone in a band of this type."""
        key = (kind, phone)
        if key not in self._steps:
            self._steps[key] = self._make_step(kind, phone)
        return self._steps[key]

    @cached_property
    def overnight(self) -> Ints:
        """For every state the one on the next day."""
        return np.array([self.index[_overnight(state)] for state in self.states])

    @cached_property
    def made(self) -> Ints:
        """For every phone and state the attempts made, as an index of `Cell.ordinal`: 0, 1, 2."""
        return np.array(
            [
                [min(self._attempts - state[phone].left, 2) for state in self.states]
                for phone in range(PHONES)
            ]
        )

    @cached_property
    def owed(self) -> Floats:
        """For every state the attempts the case is still owed."""
        return np.array([float(self._owed(state)) for state in self.states])

    def _owed(self, state: State) -> int:
        lefts = [part.left for part in state]
        return max(lefts) if self._shared else sum(lefts)

    def _make_step(self, kind: SlotType, phone: int) -> Step:
        after, closed, unmet = [], [], []
        for state in self.states:
            following = self.attempt(state, phone, kind)
            after.append(NEVER if following is None else self.index[following])
            closed.append(NEVER if following is None else self.index[_close(following, phone)])
            met = state[phone].met or kind.non_weekday
            unmet.append(float(not met and self._calls_left(state, phone) == 1))
        return Step(np.array(after), np.array(closed), np.array(unmet))

    def attempt(self, state: State, phone: int, kind: SlotType) -> State | None:
        """The state after a counted attempt; None: the rules refuse it (rules 4-6)."""
        part = state[phone]
        if part.left == 0 or part.today or part.last == kind.band:
            return None
        if self._is_kept(state, phone, kind):
            return None
        parts = [
            self._other(other, kind) if number != phone else self._called(other, kind)
            for number, other in enumerate(state)
        ]
        return parts[0], parts[1]

    def _is_kept(self, state: State, phone: int, kind: SlotType) -> bool:
        """Rule 6: the last attempt waits for a non-weekday while one is to come."""
        if state[phone].met or kind.non_weekday or not kind.later_non_weekday:
            return False
        return state[phone].left == 1

    def _calls_left(self, state: State, phone: int) -> int:
        if not self._met_together or self._shared:
            return state[phone].left
        return sum(part.left for part in state)

    def _called(self, part: PhonePart, kind: SlotType) -> PhonePart:
        return _tidy(PhonePart(part.left - 1, kind.band, part.met or kind.non_weekday, today=True))

    def _other(self, part: PhonePart, kind: SlotType) -> PhonePart:
        if part.left == 0:
            return part
        met = part.met or (self._met_together and kind.non_weekday)
        return _tidy(part._replace(left=part.left - self._shared, met=met))

    def _reachable(self, starts: Iterable[State]) -> list[State]:
        kinds = [
            SlotType(band, non_weekday, later)
            for band in range(len(self.bands))
            for non_weekday in (False, True)
            for later in (False, True)
        ]
        found: dict[State, None] = dict.fromkeys([(DONE, DONE), *starts])
        waiting = list(found)
        while waiting:
            state = waiting.pop()
            following = {_overnight(state), *(_close(state, phone) for phone in range(PHONES))}
            following |= {
                after
                for kind in kinds
                for phone in range(PHONES)
                for after in [self.attempt(state, phone, kind)]
                if after is not None
            }
            new = sorted(following - found.keys())
            found.update(dict.fromkeys(new))
            waiting += new
        return sorted(found)


def _tidy(part: PhonePart) -> PhonePart:
    return part if part.left else DONE


def _overnight(state: State) -> State:
    first, second = state
    return first._replace(today=False), second._replace(today=False)


def _close(state: State, phone: int) -> State:
    first, second = state
    return (DONE, second) if phone == 0 else (first, DONE)

"""The operators, in memory: who is free longest, who talks, who owes a result.

`Seats` moves them by `rules.operator_state` and tells whoever waits for a change of an operator's
screen. It knows nothing of Asterisk or the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from dialer.clock import Clock
from rules import operator_state
from rules.operator_state import Event, Seat, State


class Seats:
    """The places of all active operators."""

    def __init__(
        self,
        clock: Clock,
        after_call_limit_s: Callable[[Seat], float],
        moved: Callable[[Seat, Seat], None],
    ) -> None:
        """
        Args:
            after_call_limit_s: seconds of a seat's after-call work before nothing new comes.
            moved: called after every change of a seat, with the seat before and after.
        """
        self._clock = clock
        self._limit_s_of = after_call_limit_s
        self._moved = moved
        self._seats: dict[str, Seat] = {}
        self._revisions: dict[str, int] = {}
        self._changed: dict[str, asyncio.Event] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def seat_all(self, operators: Iterable[tuple[str, bool]]) -> None:
        """Have exactly these operators (id, asked for calls); seats already taken stay as they are."""
        known = dict(operators)
        for operator, ready in known.items():
            if operator not in self._seats:
                self._seats[operator] = Seat(
                    operator=operator, since=self._clock.now(), ready=ready
                )
                self._revisions[operator] = 0
                self._changed[operator] = asyncio.Event()
        for operator in self._seats.keys() - known.keys():
            # a removed operator keeps the seat until the talk and its result are done
            if self._seats[operator].attempt is None:
                del self._seats[operator]
            else:
                self.move(operator, Event.PAUSE)

    def seats(self) -> list[Seat]:
        """All seats, by operator."""
        return sorted(self._seats.values(), key=lambda seat: seat.operator)

    def seat(self, operator: str) -> Seat | None:
        """The operator's seat; None: no such operator."""
        return self._seats.get(operator)

    def resume(self, operator: str, attempt: str) -> None:
        """After silence: the operator is in a talk that began while nobody listened."""
        seat = self._seats.get(operator)
        if seat is not None and seat.attempt in (None, attempt):
            since = seat.since if seat.state is State.TALKING else self._clock.now()
            # whether the leg is up, only its device tells: the talk may be over, and Asterisk new
            self._put(replace(seat, state=State.TALKING, since=since, attempt=attempt))

    def free_longest(self) -> str | None:
        """The operator who has been free longest; None: nobody is free."""
        free = [seat for seat in self._seats.values() if seat.state is State.FREE]
        return min(free, key=lambda seat: seat.since).operator if free else None

    def count(self, state: State) -> int:
        """How many operators are in this state."""
        return sum(seat.state is state for seat in self._seats.values())

    def move(self, operator: str, event: Event, attempt: str | None = None) -> Seat | None:
        """Move the operator's seat; None: no such operator.

        Raises:
            NotNowError: the seat's state does not allow it; nothing changed.
        """
        seat = self._seats.get(operator)
        if seat is None:
            return None
        moved = operator_state.apply(seat, event, self._clock.now(), attempt)
        self._put(moved)
        return moved

    def deadline(self, seat: Seat) -> datetime | None:
        """When after-call work turns into a pause; None outside after-call work."""
        if seat.state is not State.AFTER_CALL_WORK:
            return None
        return seat.since + timedelta(seconds=self._limit_s_of(seat))

    def revision(self, operator: str) -> int:
        """Grows with every change of the operator's screen."""
        return self._revisions[operator]

    def touch(self, operator: str) -> None:
        """The operator's screen has changed without the seat having moved."""
        if operator in self._revisions:
            self._revisions[operator] += 1
            self._changed[operator].set()
            self._changed[operator] = asyncio.Event()

    def touch_all(self) -> None:
        """Every screen has changed, or everybody who waits is to be woken (at shutdown)."""
        for operator in self._revisions:
            self.touch(operator)

    async def changed(self, operator: str, since: int, wait_s: float) -> None:
        """Return at once if the revision is not `since`, else at the next change or after `wait_s`."""
        if self._revisions[operator] != since:
            return
        waiting = self._changed[operator]
        try:
            await asyncio.wait_for(waiting.wait(), wait_s)
        except TimeoutError:
            return

    def _put(self, seat: Seat) -> None:
        before = self._seats[seat.operator]
        if seat == before:
            return
        self._seats[seat.operator] = seat
        self._watch_after_call(seat)
        self.touch(seat.operator)
        self._moved(before, seat)

    def _watch_after_call(self, seat: Seat) -> None:
        timer = self._timers.pop(seat.operator, None)
        if timer is not None:
            timer.cancel()
        if seat.state is State.AFTER_CALL_WORK:
            self._timers[seat.operator] = asyncio.get_running_loop().call_later(
                self._limit_s_of(seat), self.move, seat.operator, Event.AFTER_CALL_LIMIT
            )

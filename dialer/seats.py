"""The operators, in memory: who is free longest, who talks, who owes a result.

`Seats` moves them by `rules.operator_state` and tells whoever waits for a change of an operator's
screen. It knows nothing of Asterisk or the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Container, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from dialer.clock import Clock
from rules import operator_state
from rules.operator_state import Event, Hold, Seat, State
from rules.pacing.snapshot import Activity, OperatorNow, Tick

RINGS_AT_MOST_S = 75.0
"""No operator is held for a call who goes on a break before it can have rung out (66 s by the contract)."""
_ACTIVITIES = {
    State.FREE: Activity.FREE,
    State.RINGING_FOR: Activity.JOINING,
    State.TALKING: Activity.TALKING,
    State.AFTER_CALL_WORK: Activity.AFTER_CALL_WORK,
}


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
        self._breaks: dict[str, asyncio.TimerHandle] = {}
        self._since_s: dict[str, float] = {}
        """When each seat's state began, by the steady clock."""

    def seat_all(
        self, operators: Iterable[tuple[str, bool]], callbacks_only: Container[str] = ()
    ) -> None:
        """Have exactly these operators (id, asked for calls); seats already taken stay as they are.

        Args:
            callbacks_only: those of them who get callbacks alone.
        """
        known = dict(operators)
        for operator, ready in known.items():
            if operator not in self._seats:
                self._seats[operator] = Seat(
                    operator=operator, since=self._clock.now(), ready=ready
                )
                self._since_s[operator] = self._clock.monotonic()
                self._revisions[operator] = 0
                self._changed[operator] = asyncio.Event()
            only = operator in callbacks_only
            self._put(replace(self._seats[operator], callbacks_only=only))
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
            self._put(operator_state.resumed(seat, attempt, self._clock.now()))

    def free(self) -> list[Seat]:
        """Whoever is free for calls and not held for one, free longest first."""
        free = (seat for seat in self._seats.values() if seat.state is State.FREE)
        takes_calls = [seat for seat in free if not seat.hold and not seat.callbacks_only]
        return sorted(takes_calls, key=lambda seat: seat.since)

    def free_longest(self) -> str | None:
        """The operator who has been free longest and is not held for a call, else one who has only been
        offered a call; None: nobody is free."""
        offered = (seat for seat in self.seats() if seat.hold is not None and seat.hold.offered)
        first = next(iter(self.free()), None) or next(offered, None)
        return first.operator if first else None

    def free_for_callback(self, group: Collection[str]) -> str | None:
        """The operator who gets the next caller: whoever has been free longest, else one who has only been
        offered a call, else one who gets callbacks alone; None: nobody is free.

        Args:
            group: those who take callbacks; empty: everybody.
        """
        free = (seat for seat in self._seats.values() if seat.state is State.FREE)
        able = [
            seat
            for seat in free
            if _takes_callbacks(seat, group) and (seat.hold is None or seat.hold.offered)
        ]
        first = min(
            able,
            key=lambda seat: (seat.callbacks_only, seat.hold is not None, seat.since),
            default=None,
        )
        return first.operator if first else None

    def for_callbacks(self, group: Collection[str]) -> list[Seat]:
        """Those who are logged in and take callbacks, whatever they are doing."""
        return [seat for seat in self.seats() if seat.leg_up and _takes_callbacks(seat, group)]

    def working(self) -> list[OperatorNow]:
        """The operators who take calls, as pacing sees them. Who is held for a call counts as little as
        that call does."""
        return [
            OperatorNow(
                activity=_ACTIVITIES[seat.state],
                since_s=self._since_s[seat.operator],
                ticks=seat.ticks,
                break_at_s=seat.break_at_s,
            )
            for seat in self.seats()
            if seat.state in _ACTIVITIES
            and seat.ready
            and seat.leg_up
            and not seat.hold
            and not seat.callbacks_only
        ]

    # held for one call ---------------------------------------------------------------------------

    def hold(self, hold: Hold) -> str | None:
        """Hold the operator who has been free longest for a call; None: nobody is free so long.

        The hold ends with `let_go`, with the call being joined, or when the operator is not free any more.
        """
        until_s = self._clock.monotonic() + RINGS_AT_MOST_S
        for seat in self.free():
            if seat.break_at_s is None or seat.break_at_s > until_s:
                self._put(operator_state.held(seat, hold))
                return seat.operator
        return None

    def hold_one(self, operator: str, hold: Hold) -> None:
        """Hold this operator, who is free, for a call; what they were only offered is withdrawn.

        Raises:
            NotNowError: they are not free, or held for another call.
        """
        seat = self._seats[operator]
        if seat.hold is not None and seat.hold.offered:
            seat = replace(seat, hold=None)
        self._put(operator_state.held(seat, hold))

    def held_for(self, attempt: str) -> str | None:
        """The operator held for a call."""
        holders = (
            seat for seat in self._seats.values() if seat.hold and seat.hold.attempt == attempt
        )
        return next((seat.operator for seat in holders), None)

    def called(self, attempt: str) -> None:
        """The call was placed: whoever is held for it sees so."""
        operator = self.held_for(attempt)
        if operator is not None:
            self._put(operator_state.called(self._seats[operator]))
            self.touch(operator)

    def let_go(self, attempt: str) -> None:
        """The call came to nothing: whoever was held for it is free for any other."""
        operator = self.held_for(attempt)
        if operator is not None:
            self._put(replace(self._seats[operator], hold=None))

    # what an operator tells ----------------------------------------------------------------------

    def tick(self, operator: str, share: float, *, done: bool) -> None:
        """A step of the script is done, or was ticked by mistake.

        Args:
            share: of a usual talk that is over then, 0-1.

        Raises:
            NotNowError: they are not in a talk.
        """
        seat = self._seats[operator]
        if done:
            tick = Tick(share=share, at_s=self._clock.monotonic())
            self._put(operator_state.ticked(seat, tick))
        else:
            self._put(operator_state.unticked(seat, share))

    def announce_break(self, operator: str, in_s: float | None) -> None:
        """The operator takes no new call after so many seconds; None: the break is called off.

        Raises:
            NotNowError: they take no calls anyway.
        """
        at_s = None if in_s is None else self._clock.monotonic() + in_s
        self._put(operator_state.break_announced(self._seats[operator], at_s))

    def break_at(self, seat: Seat) -> datetime | None:
        """When the seat's announced break begins, by the clock on the wall."""
        if seat.break_at_s is None:
            return None
        return self._clock.now() + timedelta(seconds=seat.break_at_s - self._clock.monotonic())

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
        if (seat.state, seat.since) != (before.state, before.since):
            self._since_s[seat.operator] = self._clock.monotonic()
        self._watch_after_call(seat)
        if seat.break_at_s != before.break_at_s:
            self._watch_break(seat)
        self.touch(seat.operator)
        self._moved(before, seat)

    def _watch_after_call(self, seat: Seat) -> None:
        timer = self._timers.pop(seat.operator, None)
        if timer is not None:
            timer.cancel()
        if seat.state is State.AFTER_CALL_WORK:
            gone_s = self._clock.monotonic() - self._since_s[seat.operator]
            self._timers[seat.operator] = asyncio.get_running_loop().call_later(
                self._limit_s_of(seat) - gone_s, self.move, seat.operator, Event.AFTER_CALL_LIMIT
            )

    def _watch_break(self, seat: Seat) -> None:
        timer = self._breaks.pop(seat.operator, None)
        if timer is not None:
            timer.cancel()
        if seat.break_at_s is not None:
            left_s = seat.break_at_s - self._clock.monotonic()
            self._breaks[seat.operator] = asyncio.get_running_loop().call_later(
                left_s, self.move, seat.operator, Event.PAUSE
            )


def _takes_callbacks(seat: Seat, group: Collection[str]) -> bool:
    return seat.callbacks_only or not group or seat.operator in group

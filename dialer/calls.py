"""Outbound calls, moved by facts in the order they happened.

A fact goes through the one transition table (`rules.call_state`); its orders are carried out first
(the person on the line is waiting), then the change is handed to the ledger.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from db.ledger import Change
from dialer.actions import Actions
from dialer.ami import handover
from dialer.ami.link import Link
from dialer.clock import Clock
from dialer.ledger import LedgerWriter, Settlement
from dialer.metrics import Metrics
from dialer.seats import Seats
from rules import call_state
from rules.call_events import (
    Connected,
    Fact,
    MessageChosen,
    OperatorAssigned,
    RingLimitReached,
    SetupLimitReached,
    StopRequested,
)
from rules.call_outcome import line_outcome
from rules.call_state import Call, IllegalFactError, Order, State
from rules.operator_state import Event, NotNowError
from rules.profile import Profile

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """What was believed of a call when it was placed."""

    own_chance: float | None
    """Its phone's own chance of a person's answer; None: nothing was known of it."""
    chance: float
    """Probability that a person answers it, with all that was learned."""
    miss: float | None
    """Probability that nobody is free for that person; None: an operator is held for the call."""
    free: float
    """Operators expected free when it would be answered."""


_LimitReached = type[RingLimitReached] | type[SetupLimitReached]


@dataclass(slots=True)
class Line:
    """One attempt that has no outcome yet: its call and what the service needs beside it."""

    call: Call
    campaign_id: int
    case_id: int
    phone_id: int
    placed_s: float
    """The clock's steady seconds when it was placed: durations never hang on the wall clock."""
    expected: Expectation | None = None
    """None: pacing did not place it, or it was taken up after a start."""
    seq: int = 0
    """Number of its last change in the ledger."""
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)


class Watcher(Protocol):
    """Who is told what becomes of calls, and changes nothing of them."""

    def moved(self, line: Line, before: Call) -> None:
        """A call moved to another state."""
        ...

    def settled(self, line: Line, outcome: str) -> None:
        """A call has its outcome, from the line or from its operator."""
        ...


class Calls:
    """All attempts without an outcome."""

    def __init__(
        self,
        clock: Clock,
        link: Link,
        seats: Seats,
        ledger: LedgerWriter,
        metrics: Metrics,
        profile_of: Callable[[int], Profile],
        changed: Callable[[], None],
    ) -> None:
        """
        Args:
            profile_of: the profile of a campaign.
            changed: told when a call moved or ended: the pacer may have room.
        """
        self._clock = clock
        self._actions = Actions(link)
        self._seats = seats
        self._ledger = ledger
        self._metrics = metrics
        self._lines: dict[str, Line] = {}
        self._count: Counter[State] = Counter()
        """Of `_lines`, by state: pacing asks with every change of any call."""
        self._blind = False
        self._waiting: list[str] = []
        """Attempts answered and not joined, the one that waits longest first."""
        self._profile_of = profile_of
        self._changed = changed
        self.watchers: list[Watcher] = []
        """Set by `bootstrap`."""

    # what others ask ------------------------------------------------------------------------

    def line(self, attempt: str) -> Line | None:
        """The attempt, while it has no outcome."""
        return self._lines.get(attempt)

    def lines(self) -> list[Line]:
        """All attempts without an outcome."""
        return list(self._lines.values())

    def count(self, *states: State) -> int:
        """How many calls are in one of these states."""
        return sum(self._count[state] for state in states)

    def moment(self, attempt: str) -> datetime | None:
        """Now, on the call's own steady time; None: not one of ours."""
        line = self._lines.get(attempt)
        if line is None:
            return None
        elapsed = self._clock.monotonic() - line.placed_s
        return line.call.placed_at + timedelta(seconds=elapsed)

    # what moves calls -----------------------------------------------------------------------

    def take(self, line: Line) -> None:
        """Begin to follow a call whose row is committed."""
        self._lines[line.call.attempt] = line
        self._count[line.call.state] += 1
        self._metrics.call_taken(line.call)
        self._set_timer(line)
        self._seats.called(line.call.attempt)

    def apply(self, fact: Fact) -> None:
        """Move the call by the fact. A fact the table does not know is logged and changes nothing."""
        line = self._lines.get(fact.attempt)
        if line is None:
            return
        before = line.call
        try:
            line.call, orders = call_state.apply(before, fact)
        except IllegalFactError as error:
            _log.warning("illegal_fact", attempt=fact.attempt, fact=str(error))
            return
        if line.call.state is not before.state:
            self._moved(line, before, fact.at)
        for order in orders:
            self._carry_out(order, line, before)
        if line.call.state is not before.state:
            self._changed()

    def catch_up(self, attempt: str, missed: Sequence[Fact]) -> None:
        """Move the call by facts that were missed; only what the last one calls for is carried out.

        The operator's seat is set to what it must have come to.
        """
        line = self._lines.get(attempt)
        if line is None:
            return
        for fact in missed[:-1]:
            before = line.call
            line.call, _ = call_state.apply(before, fact)
            if line.call.state is not before.state:
                self._moved(line, before, fact.at)
        call = line.call
        joined = bool(missed) and isinstance(missed[-1], Connected)
        if call.operator is not None and (joined or call.state is State.TALKING):
            self._seats.resume(call.operator, attempt)
        if missed:
            self.apply(missed[-1])
        if line.call.state is State.TALKING and line.call.operator is not None:
            self._seats.resume(line.call.operator, attempt)

    def lose_sight(self) -> None:
        """The link is down: a limit reached now proves nothing, for nobody hears whether it still rings."""
        self._blind = True

    def regain_sight(self) -> None:
        """Our picture is true again, and limits hold."""
        self._blind = False
        for line in self._lines.values():
            if line.call.ended_by is None:
                self._set_timer(line)

    def end_again(self, attempt: str) -> None:
        """A call that had ended before we started: its outcome is due, or its operator owes it."""
        line = self._lines[attempt]
        call = line.call
        if (
            call.operator is not None
            and line_outcome(call, self._profile_of(line.campaign_id)) is None
        ):
            self._seats.resume(call.operator, attempt)
            self._move_operator(call.operator, Event.TALK_ENDED, attempt)
        self._settle(line)

    def told(self, line: Line, outcome: str) -> None:
        """The call's outcome is known: the line told it, or its operator saved it."""
        self._metrics.outcome(outcome)
        for watcher in self.watchers:
            watcher.settled(line, outcome)

    def settled(self, attempt: str) -> None:
        """The attempt's outcome is committed: nothing is owed any more."""
        line = self._lines.pop(attempt, None)
        if line is not None:
            self._count[line.call.state] -= 1
            self._stop_timer(line)
            self._changed()

    def stop_case(self, case_id: int) -> None:
        """Stop order or payment: what rings for the case is hung up, a talk goes on (rule 8)."""
        self._stop(line for line in self.lines() if line.case_id == case_id)

    def stop_all(self) -> None:
        """Emergency stop: the same for everything."""
        self._stop(self.lines())

    def stop_campaign(self, campaign_id: int) -> None:
        """The campaign was closed: what rings for it is hung up; a pause only places no new call."""
        self._stop(line for line in self.lines() if line.campaign_id == campaign_id)

    def leave_message(self, attempt: str) -> None:
        """The operator recognised an answering machine."""
        moment = self.moment(attempt)
        if moment is not None:
            self.apply(MessageChosen(attempt=attempt, at=moment))

    def play_message(self, attempt: str) -> None:
        """Send the line to the approved message."""
        self._actions.send(handover.leave_message(attempt))

    def hang_up(self, attempt: str) -> None:
        """End the call's line; what follows comes as a fact. What has become a talk meanwhile is not cut."""
        talk = self._is_talk(attempt)
        self._actions.hang_up(
            attempt, lambda: self._is_alive(attempt) and (talk or not self._is_talk(attempt))
        )

    def serve_waiting(self) -> None:
        """An operator became free: the person who waits longest is joined."""
        while self._waiting and (operator := self._seats.free_longest()) is not None:
            self._assign(self._waiting.pop(0), operator)

    # how --------------------------------------------------------------------------------------

    def _assign(self, attempt: str, operator: str) -> None:
        moment = self.moment(attempt)
        if moment is not None:
            self.apply(OperatorAssigned(attempt=attempt, at=moment, operator=operator))

    def _stop(self, lines: Iterable[Line]) -> None:
        for line in lines:
            if line.call.state is not State.ENDED:
                moment = self.moment(line.call.attempt)
                assert moment is not None
                self.apply(StopRequested(attempt=line.call.attempt, at=moment))

    def _moved(self, line: Line, before: Call, at: datetime) -> None:
        call = line.call
        self._count[before.state] -= 1
        self._count[call.state] += 1
        if before.state is State.WAITING and call.attempt in self._waiting:
            self._waiting.remove(call.attempt)
        if call.state is State.ENDED:
            self._seats.let_go(call.attempt)
        self._set_timer(line)
        line.seq += 1
        ring_s = call.ring_s() if call.state in (State.WAITING, State.ENDED) else None
        self._ledger.add(
            Change(
                attempt_id=call.attempt,
                seq=line.seq,
                at=at,
                state=call.state,
                operator_id=call.operator,
                cause=call.cause,
                ring_ms=None if ring_s is None else round(ring_s * 1000),
                early_media=call.early_media if call.state is State.ENDED else None,
            )
        )
        self._metrics.call_moved(before, call)
        for watcher in self.watchers:
            watcher.moved(line, before)

    def _carry_out(self, order: Order, line: Line, before: Call) -> None:
        attempt = line.call.attempt
        operator = line.call.operator or before.operator
        match order:
            case Order.HANG_UP:
                self.hang_up(attempt)
            case Order.FIND_OPERATOR:
                self._find_operator(attempt)
            case Order.JOIN:
                assert operator is not None
                self._actions.send(handover.connect(attempt, operator))
                self._move_operator(operator, Event.ASSIGNED, attempt)
            case Order.PLAY_MESSAGE:
                self.play_message(attempt)
            case Order.SETTLE:
                self._settle(line)
            case Order.OPERATOR_GONE:
                self._move_operator(operator, Event.MISSED, attempt)
                self._actions.ask_for_leg(operator or "", self._leg_up)
            case Order.TELL_OPERATOR:
                self._seats.touch(operator or "")
            case _:
                self._move_operator(operator, _OPERATOR_EVENTS[order], attempt)

    def _find_operator(self, attempt: str) -> None:
        holder = self._seats.held_for(attempt)
        if holder is not None:
            self._assign(attempt, holder)
            return
        self._waiting.append(attempt)
        self.serve_waiting()

    def _is_alive(self, attempt: str) -> bool:
        line = self._lines.get(attempt)
        return line is not None and line.call.state is not State.ENDED

    def _is_talk(self, attempt: str) -> bool:
        line = self._lines.get(attempt)
        return line is not None and line.call.state in _TALK

    def _leg_up(self, operator: str) -> None:
        self._move_operator(operator, Event.LEG_UP, "")

    def _move_operator(self, operator: str | None, event: Event, attempt: str) -> None:
        if operator is None:
            return
        try:
            self._seats.move(operator, event, attempt)
        except NotNowError as error:
            _log.warning("operator_not_moved", operator=operator, why=str(error))

    def _settle(self, line: Line) -> None:
        """Hand the line's own outcome to the ledger; after a talk the operator tells it."""
        outcome = line_outcome(line.call, self._profile_of(line.campaign_id))
        if outcome is not None:
            self._ledger.add(
                Settlement(
                    attempt=line.call.attempt,
                    case_id=line.case_id,
                    campaign_id=line.campaign_id,
                    outcome=outcome,
                )
            )
            self.told(line, outcome.code)

    def _set_timer(self, line: Line) -> None:
        """How long the call may stay in its state; a talk has no limit."""
        self._stop_timer(line)
        profile = self._profile_of(line.campaign_id)
        call = line.call
        if call.state is State.PLACED:
            self._end_after(line, SetupLimitReached, call.placed_at, profile.setup_allowance_s)
        elif call.state is State.RINGING and call.rang_at is not None:
            self._end_after(line, RingLimitReached, call.rang_at, profile.ring_limit_s)

    def _end_after(self, line: Line, kind: _LimitReached, since: datetime, limit_s: float) -> None:
        attempt = line.call.attempt
        now = self.moment(attempt)
        assert now is not None
        left = max(0.0, limit_s - (now - since).total_seconds())
        loop = asyncio.get_running_loop()
        line.timer = loop.call_later(left, self._limit_reached, attempt, kind)

    def _limit_reached(self, attempt: str, kind: _LimitReached) -> None:
        moment = self.moment(attempt)
        if moment is not None and not self._blind:
            self.apply(kind(attempt=attempt, at=moment))

    @staticmethod
    def _stop_timer(line: Line) -> None:
        if line.timer is not None:
            line.timer.cancel()
            line.timer = None


_OPERATOR_EVENTS: dict[Order, Event] = {
    Order.FREE_OPERATOR: Event.RELEASED,
    Order.OPERATOR_TALKS: Event.CONNECTED,
    Order.AFTER_CALL: Event.TALK_ENDED,
}
_TALK = (State.JOINING, State.TALKING)

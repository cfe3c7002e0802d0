"""Callbacks (折り返し): who calls, who waits, and who gets whom; moved by facts in the order they happened.

A fact goes through the one transition table (`rules.callback_state`); its orders are carried out first (the
caller is waiting), then the change is handed to the ledger. Callers are served in the order in which they
arrived: whoever was missed by an operator, or lost one in mid-talk, is first again by that. Who asked to be
called back instead keeps the place (`dialer.calling_back`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from db.callbacks import Arrived, Moved
from db.keys import Keys
from dialer.actions import Actions
from dialer.ami import contract, handover
from dialer.ami.link import Link, Value
from dialer.clock import Clock
from dialer.errors import AmiError, RefusedError
from dialer.ledger import CallbackEnd, LedgerWriter
from dialer.metrics import Metrics
from dialer.seats import Seats
from rules import callback_state
from rules.callback_events import Fact, GuidancePlayed, OperatorAssigned, OperatorMissed
from rules.callback_state import WAITS, Callback, IllegalFactError, Order, State
from rules.operator_state import Event, NotNowError

CONNECT_AGAIN_S = 0.02
CONNECT_TRIES = 50
TAKE_OVER_AFTER_S = 0.5
"""Asterisk's own queue joins who comes there with an idle agent at once (6 ms), also with one on a pause:
whoever is there still after this was given to nobody."""
TAKE_OVER_AGAIN_S = 10.0
"""A caller who was taken out of Asterisk's own queue and is there again this soon is left there: nobody
answers the dialplan. They are served from there."""

_log = structlog.get_logger()


@dataclass(slots=True, repr=False)
class Caller:
    """One callback in hand. No repr: the number is personal."""

    callback: Callback
    called: str
    """The number of ours that was dialled, as it came in."""
    number: str | None
    """Theirs, trunk 0 first; None: withheld or unknown."""
    number_key: str | None
    began_s: float
    """The clock's steady seconds when it arrived."""
    seq: int = 0
    """Number of its last change in the ledger."""
    assigned_s: float = 0.0
    taken_over_s: float | None = None
    take_over: asyncio.TimerHandle | None = None
    """Set while they are in Asterisk's own queue."""
    committed: bool = False
    """Its end is committed; after a talk its result is owed."""


class Placeholder(Protocol):
    """Keeps a place in the line for who asked to be called back (`dialer.calling_back.Wish`)."""

    @property
    def id(self) -> str:
        """The callback's."""
        ...

    @property
    def arrived_at(self) -> datetime:
        """When the callback arrived: the place in the line."""
        ...

    def serve(self, operator: str) -> None:
        """Their turn came, and this operator is free."""
        ...


class Callbacks:
    """All callbacks in hand, and the line of those who wait."""

    def __init__(
        self,
        clock: Clock,
        link: Link,
        seats: Seats,
        ledger: LedgerWriter,
        metrics: Metrics,
        keys: Keys,
        group: Callable[[], Collection[str]],
    ) -> None:
        """
        Args:
            group: the operators who take callbacks; empty: everybody.
        """
        self._clock = clock
        self._link = link
        self._actions = Actions(link)
        self._seats = seats
        self._ledger = ledger
        self._metrics = metrics
        self._keys = keys
        self._group = group
        self._callers: dict[str, Caller] = {}
        self._places: list[Placeholder] = []
        self._blind = True
        """Nothing is known of Asterisk: nobody is sent anywhere."""
        self.watchers: list[Callable[[Caller, Callback], None]] = []
        """Told of every change of state, with the callback before; set by `bootstrap`."""
        self.asked_back: Callable[[str, datetime], None]
        """Told of who asked to be called back and when they had arrived, when that is committed; set by
        `bootstrap`."""

    # what others ask ------------------------------------------------------------------------

    def caller(self, callback: str) -> Caller | None:
        """The caller, while the callback is in hand."""
        return self._callers.get(callback)

    def callers(self) -> list[Caller]:
        """All callbacks in hand."""
        return list(self._callers.values())

    def alive(self) -> list[Caller]:
        """Those still on the line."""
        return [one for one in self._callers.values() if one.callback.state is not State.ENDED]

    def line(self) -> list[Caller | Placeholder]:
        """Who waits, in the order in which they will be served."""
        waiting = [one for one in self._callers.values() if one.callback.state in WAITS]
        return sorted([*waiting, *self._places], key=_place)

    def waiting(self) -> list[str]:
        """The ids of the callbacks in `line`."""
        return [one.callback.id if isinstance(one, Caller) else one.id for one in self.line()]

    def waiting_count(self) -> int:
        """How many wait for an operator, on the line or to be called back."""
        return len(self.line())

    def moment(self, callback: str) -> datetime | None:
        """Now, on the callback's own steady time; None: not in hand."""
        caller = self._callers.get(callback)
        if caller is None:
            return None
        elapsed = self._clock.monotonic() - caller.began_s
        return caller.callback.arrived_at + timedelta(seconds=elapsed)

    # what moves callbacks -------------------------------------------------------------------

    def arrive(
        self, callback: str, called: str, number: str | None, at: datetime | None = None
    ) -> None:
        """Somebody calls us. One that is in hand already stays as it is.

        Args:
            at: when; None: now.
        """
        if callback in self._callers:
            return
        now = self._clock.now()
        arrived_at = at or now
        arrived = Arrived(
            id=callback,
            arrived_at=arrived_at,
            called=called,
            number=number,
            number_key=self._keys.number(number) if number else None,
        )
        self._ledger.add(arrived)
        begun = Callback(id=callback, arrived_at=arrived_at)
        self.take(arrived, begun, seq=0)

    def take(self, arrived: Arrived, callback: Callback, seq: int) -> None:
        """Begin to follow a callback, new or found on record."""
        age_s = max(0.0, (self._clock.now() - arrived.arrived_at).total_seconds())
        self._callers[callback.id] = Caller(
            callback=callback,
            called=arrived.called,
            number=arrived.number,
            number_key=arrived.number_key,
            began_s=self._clock.monotonic() - age_s,
            seq=seq,
        )
        self._metrics.callback_taken(callback)

    def apply(self, fact: Fact) -> None:
        """Move the callback by the fact. A fact the table does not know is logged and changes nothing."""
        caller = self._callers.get(fact.callback)
        if caller is None:
            return
        before = caller.callback
        try:
            caller.callback, orders = callback_state.apply(before, fact)
        except IllegalFactError as error:
            _log.warning("illegal_fact", callback=fact.callback, fact=str(error))
            return
        if caller.callback.state is not before.state:
            self._moved(caller, before, fact)
        for order in orders:
            self._carry_out(order, caller, before)

    def catch_up(self, callback: str, missed: Sequence[Fact]) -> None:
        """Move the callback by facts that were missed; only what the last one calls for is carried out.

        The operator's seat is set to what it must have come to.
        """
        caller = self._callers.get(callback)
        if caller is None or not missed:
            return
        was_with = caller.callback.operator
        for fact in missed[:-1]:
            before = caller.callback
            try:
                caller.callback, _ = callback_state.apply(before, fact)
            except IllegalFactError as error:
                _log.warning("illegal_fact", callback=callback, fact=str(error))
                continue
            if caller.callback.state is not before.state:
                self._moved(caller, before, fact)
        operator = caller.callback.operator
        if was_with not in (None, operator):
            self._operator_gone(was_with, callback)
        if operator is not None and caller.callback.state is State.TALKING:
            self._seats.resume(operator, callback)
        self.apply(missed[-1])
        if caller.callback.state is State.TALKING and caller.callback.operator is not None:
            self._seats.resume(caller.callback.operator, callback)

    def lose_sight(self) -> None:
        """The link is down: nobody is sent anywhere by what was true before."""
        self._blind = True

    def regain_sight(self) -> None:
        """Our picture is true again."""
        self._blind = False
        self.serve()
        for caller in self.alive():
            self._take_over_soon(caller)

    def end_again(self, callback: str, message_s: int | None = None) -> None:
        """A callback that had ended before we started: what follows from its end is due, or its operator
        owes its result.

        Args:
            message_s: seconds of the message the caller left; None: they left none.
        """
        caller = self._callers[callback]
        caller.callback = replace(caller.callback, message_s=message_s)
        self._ledger.add(CallbackEnd(callback=caller.callback, number_key=caller.number_key))
        if caller.callback.operator is not None:
            self.owed_by(caller.callback.operator)

    def keep_place(self, place: Placeholder) -> None:
        """Somebody asked to be called back: their place in the line is kept."""
        self._places.append(place)
        self.serve()

    def serve(self) -> None:
        """Somebody is free, or somebody came: the first in line gets the operator who is free longest."""
        if self._blind:
            return
        for one in self.line():
            operator = self._seats.free_for_callback(self._group())
            if operator is None:
                return
            if not isinstance(one, Caller):
                self._places.remove(one)
                one.serve(operator)
            elif one.callback.state in WAITS:
                self._assign(one, operator)

    def owed_by(self, operator: str) -> None:
        """The operator's seat has become clear: is it so with their callbacks as well? Asterisk's own queue
        may have given them one while they were busy with another call's result."""
        seat = self._seats.seat(operator)
        if seat is None or seat.attempt is not None:
            return
        for caller in self.callers():
            callback = caller.callback
            if callback.operator == operator and callback.talked:
                self._seats.resume(operator, callback.id)
                if callback.state is State.ENDED:
                    self._move_operator(operator, Event.TALK_ENDED, callback.id)
                return

    def hang_up(self, callback: str) -> None:
        """End the caller's line; what follows comes as a fact."""
        self._actions.hang_up(callback, lambda: self._is_alive(callback))

    def settled(self, callback: str) -> None:
        """The result is committed, or it is closed without a case: nothing is owed any more."""
        self._callers.pop(callback, None)

    def committed(self, callback: str) -> None:
        """The end is committed: a crash would lose nothing of the callback any more."""
        caller = self._callers.get(callback)
        if caller is None:
            return
        caller.committed = True
        if not caller.callback.talked:
            self.settled(callback)
        if caller.callback.asked_back:
            self.asked_back(callback, caller.callback.arrived_at)
        # what fails here is forgotten by the next regular look
        self._actions.send(forget(callback))

    # how --------------------------------------------------------------------------------------

    def _assign(self, caller: Caller, operator: str) -> None:
        moment = self.moment(caller.callback.id)
        assert moment is not None
        self.apply(OperatorAssigned(callback=caller.callback.id, at=moment, operator=operator))

    def _moved(self, caller: Caller, before: Callback, fact: Fact) -> None:
        callback = caller.callback
        caller.seq += 1
        self._ledger.add(
            Moved(
                callback_id=callback.id,
                seq=caller.seq,
                at=fact.at,
                state=callback.state,
                operator_id=self._known(callback.operator),
                detail=_detail(before, callback, fact),
            )
        )
        self._metrics.callback_moved(before, callback)
        if before.state is State.JOINING and callback.state is State.TALKING:
            joined_s = self._clock.monotonic() - caller.assigned_s
            self._metrics.callback_join.observe(joined_s)
        for watcher in self.watchers:
            watcher(caller, before)

    def _known(self, operator: str | None) -> str | None:
        """Asterisk's own queue may name an extension that has no operator."""
        return operator if operator is not None and self._seats.seat(operator) else None

    def _carry_out(self, order: Order, caller: Caller, before: Callback) -> None:
        callback = caller.callback
        operator = callback.operator or before.operator
        match order:
            case Order.TAKE_OVER:
                self._take_over_soon(caller)
            case Order.FIND_OPERATOR:
                self.serve()
            case Order.JOIN:
                assert operator is not None
                caller.assigned_s = self._clock.monotonic()
                self._actions.start(self._connect(callback.id, operator))
                self._move_operator(operator, Event.ASSIGNED, callback.id)
            case Order.OPERATOR_TALKS:
                # also whom Asterisk's own queue gave a caller, whatever they were doing
                self._seats.resume(operator or "", callback.id)
            case Order.OPERATOR_GONE:
                self._operator_gone(operator, callback.id)
            case Order.SETTLE:
                end = CallbackEnd(callback=callback, number_key=caller.number_key)
                self._ledger.add(end)
            case _:
                self._move_operator(operator, _OPERATOR_EVENTS[order], callback.id)

    def _take_over_soon(self, caller: Caller) -> None:
        if caller.take_over is not None:
            caller.take_over.cancel()
        loop = asyncio.get_running_loop()
        caller.take_over = loop.call_later(TAKE_OVER_AFTER_S, self._take_over, caller)

    def _take_over(self, caller: Caller) -> None:
        """Unless an operator has the caller: a talk is never cut."""
        now_s, last_s = self._clock.monotonic(), caller.taken_over_s
        is_there = caller.callback.state is State.ALONE and not self._blind
        if is_there and (last_s is None or now_s - last_s > TAKE_OVER_AGAIN_S):
            caller.taken_over_s = now_s
            self._actions.send(handover.take_over(caller.callback.id))

    def _operator_gone(self, operator: str | None, callback: str) -> None:
        self._move_operator(operator, Event.MISSED, callback)
        self._actions.ask_for_leg(operator or "", self._leg_up)

    def _is_alive(self, callback: str) -> bool:
        caller = self._callers.get(callback)
        return caller is not None and caller.callback.state is not State.ENDED

    def _leg_up(self, operator: str) -> None:
        self._move_operator(operator, Event.LEG_UP, "")

    def _move_operator(self, operator: str | None, event: Event, callback: str) -> None:
        seat = self._seats.seat(operator) if operator is not None else None
        # whom Asterisk's own queue gave a second call is still busy with the first
        if seat is None or seat.attempt not in (None, callback):
            return
        try:
            self._seats.move(seat.operator, event, callback)
        except NotNowError as error:
            _log.warning("operator_not_moved", operator=seat.operator, why=str(error))

    async def _connect(self, callback: str, operator: str) -> None:
        """Join them. Asterisk refuses a line that is gone, whose end it will tell, and one that is on its way
        to another place for some milliseconds; refused, nothing has happened, so it is sent again."""
        for _ in range(CONNECT_TRIES):
            try:
                await self._link.act(handover.connect_callback(callback, operator))
                return
            except RefusedError:
                await asyncio.sleep(CONNECT_AGAIN_S)
            except AmiError as error:
                # whether they are joined will be told, or is found by recovery
                _log.info("action_failed", action="Redirect", callback=callback, error=error)
                return
            if not self._is_joining(callback, operator) or self._blind:
                return
        _log.warning("caller_not_joined", callback=callback, operator=operator)
        moment = self.moment(callback)
        assert moment is not None
        self.apply(OperatorMissed(callback=callback, at=moment, operator=operator))

    def _is_joining(self, callback: str, operator: str) -> bool:
        caller = self._callers.get(callback)
        return caller is not None and (caller.callback.state, caller.callback.operator) == (
            State.JOINING,
            operator,
        )


_OPERATOR_EVENTS: dict[Order, Event] = {
    Order.FREE_OPERATOR: Event.RELEASED,
    Order.AFTER_CALL: Event.TALK_ENDED,
}


def forget(callback: str) -> dict[str, Value]:
    """Delete what the journal has of a callback."""
    return {"Action": "DBDel", "Family": contract.CALLBACK_JOURNAL, "Key": callback}


def _place(one: Caller | Placeholder) -> datetime:
    return one.callback.arrived_at if isinstance(one, Caller) else one.arrived_at


def _detail(before: Callback, callback: Callback, fact: Fact) -> str | None:
    if callback.state is State.ENDED:
        return before.state.value
    return fact.sounds[:500] if isinstance(fact, GuidancePlayed) else None

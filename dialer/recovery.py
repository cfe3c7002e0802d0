"""After a start, a lost link or a restart of Asterisk: what is really there against what we believe.

The ledger says which attempts have no outcome, Asterisk says which channels live, its journal says how
far calls came while nobody listened. From the three each call catches up with what happened, talks go
on, what is gone ends, and a channel that nobody knows is hung up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from panoramisk.message import Message

from db import ledger
from db.ledger import InFlight
from db.session import Sessions
from dialer.ami import contract, handover
from dialer.ami.link import Link, Value
from dialer.calls import Calls, Line
from dialer.clock import Clock
from dialer.errors import RefusedError
from dialer.seats import Seats
from rules.call_events import (
    Answered,
    Connected,
    CourtesyStarted,
    Fact,
    MessageChosen,
    MessageLeft,
    OperatorAssigned,
    OperatorMissed,
    Rang,
    Vanished,
)
from rules.call_state import Call, State
from rules.operator_state import Event

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FRESH_S = 5.0
"""A call younger than this may have no channel yet: its Originate is on its way, even one that was sent
before the link broke. `Service` looks again when the time is over."""
UNHEARD_S = 10.0
"""An attempt this old that nobody follows was never originated, and will not be: the pacer does not carry
out a decision that is older than `placing.STALE_S`."""

_log = structlog.get_logger()


class Recovery:
    """Makes our picture true again."""

    def __init__(
        self,
        clock: Clock,
        sessions: Sessions,
        link: Link,
        calls: Calls,
        seats: Seats,
        trunk_is: Callable[[bool], None],
    ) -> None:
        """
        Args:
            trunk_is: told whether the carrier can be reached.
        """
        self._clock = clock
        self._sessions = sessions
        self._link = link
        self._calls = calls
        self._seats = seats
        self._trunk_is = trunk_is

    async def load(self) -> None:
        """At the start: take up the attempts that have no outcome yet.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            alive = await ledger.in_flight(session)
        for row in alive:
            self._take_up(row)
            if row.ended:
                self._calls.end_again(row.attempt_id)
        if alive:
            _log.info("attempts_taken_up", count=len(alive))

    async def reconcile(self, *, after_silence: bool) -> None:
        """Compare with Asterisk, and catch up.

        Args:
            after_silence: events may have been missed; else it is the regular look, which only finds
                calls without a channel and channels without a call.

        Raises:
            AmiError: the link broke again.
            DatabaseError: the database is away.
        """
        if not after_silence:
            await self._take_up_unheard()
        # known before Asterisk is asked: what begins meanwhile is not among the channels it tells of
        begun = {line.call.attempt for line in self._calls.lines() if self._has_begun(line.call)}
        channels = {c.uniqueid: c for c in await self._list("CoreShowChannels")}
        journal = await self._journal()
        if after_silence:
            await self.look_at_legs()
            await self.look_at_trunk()
        caught_up = [
            (line, self._unseen(line.call, begun, channels, journal, after_silence=after_silence))
            for line in self._calls.lines()
            if line.call.state is not State.ENDED
        ]
        # talks first: their operators must not be given to somebody who waits
        for line, facts in sorted(caught_up, key=lambda one: not _is_talk(*one)):
            self._calls.catch_up(line.call.attempt, facts)
            channel = channels.get(line.call.attempt)
            if line.call.state is State.MESSAGE and channel and channel.context == contract.CONNECT:
                # the operator has turned to the next call, but our Redirect was lost
                self._calls.play_message(line.call.attempt)
        await self._hang_up_orphans(channels)
        for attempt in journal:
            line_now = self._calls.line(attempt)
            # only what is committed may be forgotten: until then a crash would lose the story
            if line_now is None:
                await self._forget(attempt)

    def _take_up(self, row: InFlight) -> None:
        self._calls.take(
            Line(
                call=call_of(row),
                campaign_id=row.campaign_id,
                case_id=row.case_id,
                phone_id=row.phone_id,
                placed_s=self._clock.monotonic() - max(0.0, self._age_s(row)),
                seq=row.changes[-1].seq,
            )
        )

    async def _take_up_unheard(self) -> None:
        """Attempts written down by a commit whose arrival nobody heard of: never originated, and in the
        way of their household until they have an outcome."""
        async with self._sessions.read() as session:
            alive = await ledger.in_flight(session)
        for row in alive:
            unheard = self._calls.line(row.attempt_id) is None and len(row.changes) == 1
            if unheard and self._age_s(row) > UNHEARD_S:
                _log.warning("attempt_unheard_of", attempt=row.attempt_id)
                self._take_up(row)

    def _age_s(self, row: InFlight) -> float:
        return (self._clock.now() - row.placed_at).total_seconds()

    def _has_begun(self, call: Call) -> bool:
        """Whether the call has had a channel by now, if it is ever to have one."""
        at = self._calls.moment(call.attempt)
        fresh = at is not None and (at - call.placed_at).total_seconds() < FRESH_S
        return call.state is not State.PLACED or not fresh

    def _unseen(
        self,
        call: Call,
        begun: Collection[str],
        channels: Mapping[str, Message],
        journal: Mapping[str, str],
        *,
        after_silence: bool,
    ) -> list[Fact]:
        """What happened to the call unseen."""
        at = self._calls.moment(call.attempt)
        assert at is not None
        channel, story = channels.get(call.attempt), journal.get(call.attempt)
        if channel is not None:
            return _seen(call, channel, story, at) if after_silence else []
        if call.attempt not in begun:
            return []
        _log.info("call_vanished", attempt=call.attempt, state=call.state.value)
        return [*_missed(call, story, at), Vanished(attempt=call.attempt, at=at)]

    async def look_at_legs(self) -> None:
        """The operators' legs. One in use belongs to a talk, or is not ready yet and will tell; one that is
        neither ready nor in use is gone."""
        devices = await self._list("DeviceStateList")
        states = {device.device: device.state for device in devices}
        for seat in self._seats.seats():
            state = states.get(contract.AGENT_DEVICE + seat.operator)
            if state == "NOT_INUSE":
                self._seats.move(seat.operator, Event.LEG_UP)
            elif state != "INUSE":
                self._seats.move(seat.operator, Event.LEG_LOST)

    async def look_at_trunk(self) -> None:
        """Whether the carrier answers. The trunk's device cannot tell: it counts as unavailable until
        the carrier was asked for the first time, which may take half a minute.

        Raises:
            AmiError: Asterisk does not answer.
        """
        contact = await self._value(f"PJSIP_AOR({contract.TRUNK},contact)")
        status = await self._value(f"PJSIP_CONTACT({contact},status)")
        self._trunk_is(status != "Unreachable")

    async def _value(self, variable: str) -> str:
        answer = await self._link.act({"Action": "Getvar", "Variable": variable})
        return str(answer[0].value)

    async def _hang_up_orphans(self, channels: Mapping[str, Message]) -> None:
        """A call of ours that has its outcome already must not go on ringing; a talk is not cut."""
        for attempt, channel in channels.items():
            if channel.channelstatedesc != "Up" and self.is_orphan(attempt):
                await self.hang_up_orphan(attempt)

    def is_orphan(self, channel: str) -> bool:
        """Whether this channel (Uniqueid) is a call of ours that is over for us."""
        if not _UUID.fullmatch(channel):
            return False
        line = self._calls.line(channel)
        return line is None or line.call.state is State.ENDED

    async def hang_up_orphan(self, attempt: str) -> None:
        """End what rings and belongs to no call.

        Raises:
            AmiError: the link broke.
        """
        _log.warning("orphan_hung_up", attempt=attempt)
        await self._act(handover.hang_up(attempt))

    async def _journal(self) -> dict[str, str]:
        try:
            entries = await self._link.act({"Action": "DBGetTree", "Family": contract.JOURNAL})
        except RefusedError:  # an empty family is an error to Asterisk
            return {}
        return {
            e.key.removeprefix(f"/{contract.JOURNAL}/"): e.val
            for e in entries
            if e.event == "DBGetTreeResponse"
        }

    async def _forget(self, attempt: str) -> None:
        await self._act({"Action": "DBDel", "Family": contract.JOURNAL, "Key": attempt})

    async def _act(self, action: Mapping[str, Value]) -> None:
        try:
            await self._link.act(action)
        except RefusedError:
            return  # it is gone by itself

    async def _list(self, action: str) -> Sequence[Message]:
        answer = await self._link.act({"Action": action})
        return [message for message in answer if "event" in message and not _is_end(message)]


def _is_talk(line: Line, unseen: Sequence[Fact]) -> bool:
    begun = any(isinstance(fact, Connected) for fact in unseen)
    return begun or line.call.state is State.TALKING


def _is_end(message: Message) -> bool:
    return bool(message.event.endswith("Complete"))


def call_of(row: InFlight) -> Call:
    """The call as the ledger's changes tell it."""
    times: dict[State, datetime] = {}
    operator: str | None = None
    for change in row.changes:
        times.setdefault(change.state, change.at)
        operator = change.operator_id or operator
    last = row.changes[-1]
    rings = [change.ring_ms for change in row.changes if change.ring_ms is not None]
    end = times.get(State.WAITING) or times.get(State.ENDED)
    rang_at = times.get(State.RINGING)
    if rang_at is None and rings and end is not None:
        rang_at = end - timedelta(milliseconds=rings[0])
    return Call(
        attempt=row.attempt_id,
        placed_at=row.placed_at,
        state=last.state,
        rang_at=rang_at,
        answered_at=times.get(State.WAITING),
        connected_at=times.get(State.TALKING),
        ended_at=times.get(State.ENDED),
        operator=operator,
        courtesy=State.COURTESY in times,
        message_chosen=State.MESSAGE in times,
        cause=last.cause,
    )


def _missed(call: Call, journal: str | None, at: datetime) -> list[Fact]:
    """What the journal tells of a call between the state we knew and its end."""
    if journal is None:
        return []
    return _up_to(call, journal, at)


def _seen(call: Call, channel: Message, journal: str | None, at: datetime) -> list[Fact]:
    """What a living channel tells that we do not know yet."""
    if channel.channelstatedesc != "Up":
        ringing = channel.channelstatedesc in ("Ring", "Ringing")
        return [Rang(attempt=call.attempt, at=at)] if ringing else []
    if channel.context == contract.CONNECT:
        return _up_to(call, contract.JOURNAL_TALK + channel.exten, at)
    return _up_to(call, journal or contract.JOURNAL_ANSWERED, at)


def _up_to(call: Call, journal: str, at: datetime) -> list[Fact]:
    """The facts that lead from the call's state to what the journal says."""
    attempt = call.attempt
    operator = journal.removeprefix(contract.JOURNAL_TALK)
    answered: list[Fact] = [Answered(attempt=attempt, at=at)]
    talk: list[Fact] = [
        OperatorAssigned(attempt=attempt, at=at, operator=operator),
        Connected(attempt=attempt, at=at, operator=operator),
    ]
    message: list[Fact] = [MessageChosen(attempt=attempt, at=at)]
    left: list[Fact] = [MessageLeft(attempt=attempt, at=at)]
    missed: list[Fact] = [OperatorMissed(attempt=attempt, at=at, operator=call.operator or "")]
    if journal == contract.JOURNAL_ANSWERED:
        # after the joining it says so again when the operator's leg did not take the call
        return {
            State.PLACED: answered,
            State.RINGING: answered,
            State.JOINING: missed,
        }.get(call.state, [])
    if journal == contract.JOURNAL_COURTESY:
        courtesy: list[Fact] = [CourtesyStarted(attempt=attempt, at=at)]
        early = (State.PLACED, State.RINGING)
        return answered + courtesy if call.state in early else courtesy
    if journal.startswith(contract.JOURNAL_TALK):
        return {
            State.PLACED: answered + talk,
            State.RINGING: answered + talk,
            State.WAITING: talk,
            State.JOINING: talk[1:],
        }.get(call.state, [])
    # only an operator on the line can choose the message, so the talk is known
    return {
        State.TALKING: message + left if journal == contract.JOURNAL_LEFT else message,
        State.MESSAGE: left if journal == contract.JOURNAL_LEFT else [],
    }.get(call.state, [])

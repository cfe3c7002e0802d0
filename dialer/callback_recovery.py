"""After a start, a lost link or a restart of Asterisk: callbacks on record and in memory against the channels
and the journal.

The dialplan serves callers without us and writes down how far it came: what happened meanwhile is put on
record with its times, who waits is taken over in the order of arrival, and talks go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from db import callbacks as record
from db.callbacks import InHand
from db.session import Sessions
from dialer.ami import contract
from dialer.ami.link import Link
from dialer.ami.translate import caller_number, stage_fact
from dialer.callbacks import Callbacks, forget
from dialer.clock import Clock
from dialer.errors import DatabaseError, RefusedError
from rules.callback_events import (
    Connected,
    Fact,
    HungUp,
    LeftAlone,
    MessageBegun,
    OperatorAssigned,
    OperatorMissed,
    Queued,
    TakenByQueue,
)
from rules.callback_state import ID, Callback, State

FRESH_S = 5.0
"""A callback this young may not be among the channels we were just told of."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """What the journal has of a callback. No repr: the number is personal."""

    stage: str
    detail: str
    arrived_at: datetime
    at: datetime
    """When it came to the stage, or ended."""
    ended: bool
    called: str
    number: str | None


class CallbackRecovery:
    """Makes our picture of callbacks true again."""

    def __init__(self, clock: Clock, sessions: Sessions, link: Link, callbacks: Callbacks) -> None:
        self._clock = clock
        self._sessions = sessions
        self._link = link
        self._callbacks = callbacks
        self._ended: set[str] = set()
        """Ended on record, without what follows from it: the journal may know of a message."""

    async def load(self) -> None:
        """At the start: take up the callbacks in hand.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            rows = await record.in_hand(session)
        for row in rows:
            callback = callback_of(row)
            self._callbacks.take(row.arrived, callback, seq=len(row.changes))
            if callback.state is State.ENDED and callback.talked:
                self._callbacks.end_again(callback.id)
            elif callback.state is State.ENDED:
                self._ended.add(callback.id)
        if rows:
            _log.info("callbacks_taken_up", count=len(rows))

    async def reconcile(self, *, after_silence: bool) -> None:
        """Compare with Asterisk, and catch up.

        Args:
            after_silence: events may have been missed; else it is the regular look, which only finds
                callbacks without a channel, talks unheard of, and what is left in the journal.

        Raises:
            AmiError: the link broke again.
        """
        # known before Asterisk is asked: what begins meanwhile is not among the channels it tells of
        begun = {caller.callback.id for caller in self._callbacks.alive()}
        answer = await self._link.act({"Action": "CoreShowChannels"})
        channels = {one.uniqueid: one for one in answer if one.event == "CoreShowChannel"}
        journal = await self._journal()
        await self._take_up(journal)
        caught_up = []
        for caller in self._callbacks.alive():
            callback = caller.callback
            entry, channel = journal.get(callback.id), channels.get(callback.id)
            if channel is None and (callback.id in begun or self._is_over(entry)):
                caught_up.append((callback, self._gone(callback, entry)))
            elif channel is not None and entry is not None:
                bridged = bool(channel.bridgeid)
                # the regular look only finds a talk whose beginning nobody heard
                if after_silence or (bridged and callback.state is State.JOINING):
                    caught_up.append((callback, _up_to(callback, entry, joined=bridged)))
        # talks first: their operators must not be given to somebody who waits
        for callback, facts in sorted(caught_up, key=lambda one: not _is_talk(*one)):
            self._callbacks.catch_up(callback.id, facts)
        self._settle_ended(journal)

    async def _take_up(self, journal: Mapping[str, Entry]) -> None:
        """Callbacks that nobody told us of; what is only left in the journal is deleted there."""
        unknown = [one for one in journal if self._callbacks.caller(one) is None]
        known = [one for one in journal if one not in unknown]
        over = {one for one in known if self._callbacks.caller(one).committed}  # type: ignore[union-attr]
        try:
            async with self._sessions.read() as session:
                over |= await record.on_record(session, unknown)
        except DatabaseError as error:
            # who waits is served all the same; what is over waits until we can know whether it is on record
            _log.warning("callbacks_not_compared", error=error)
            unknown = [one for one in unknown if not journal[one].ended]
        for callback in over:
            await self._act_if_there(callback)
        for callback in sorted(set(unknown) - over, key=lambda one: _order(one, journal[one])):
            entry = journal[callback]
            _log.info("callback_taken_up", callback=callback, stage=entry.stage)
            self._callbacks.arrive(callback, entry.called, entry.number, entry.arrived_at)

    def _is_over(self, entry: Entry | None) -> bool:
        """Whether a callback just taken up, which has no channel, is over."""
        if entry is None:
            return False
        age_s = (self._clock.now() - entry.arrived_at).total_seconds()
        return entry.ended or age_s > FRESH_S

    def _gone(self, callback: Callback, entry: Entry | None) -> list[Fact]:
        """What happened to a callback whose channel is not there any more."""
        now = self._callbacks.moment(callback.id)
        assert now is not None
        _log.info("callback_gone", callback=callback.id, state=callback.state.value)
        if entry is None:
            return [HungUp(callback=callback.id, at=now)]
        at = entry.at if entry.ended else now
        facts = _up_to(callback, entry, joined=True)
        return [*facts, HungUp(callback=callback.id, at=max(at, callback.arrived_at))]

    def _settle_ended(self, journal: Mapping[str, Entry]) -> None:
        for callback in self._ended:
            entry = journal.get(callback)
            recorded = entry is not None and entry.stage == contract.STAGE_RECORDED
            message_s = (
                int(entry.detail) if recorded and entry and entry.detail.isdecimal() else None
            )
            self._callbacks.end_again(callback, message_s)
        self._ended.clear()

    async def _journal(self) -> dict[str, Entry]:
        action = {"Action": "DBGetTree", "Family": contract.CALLBACK_JOURNAL}
        try:
            answer = await self._link.act(action)
        except RefusedError:  # an empty family is an error to Asterisk
            return {}
        prefix = f"/{contract.CALLBACK_JOURNAL}/"
        told = [one for one in answer if one.event == "DBGetTreeResponse"]
        # a pretended clock is not Asterisk's
        ahead = timedelta() if self._clock.is_real else self._clock.now() - datetime.now(UTC)
        entries = ((one.key.removeprefix(prefix), entry_of(one.val, ahead)) for one in told)
        return {key: entry for key, entry in entries if entry is not None and ID.fullmatch(key)}

    async def _act_if_there(self, callback: str) -> None:
        try:
            await self._link.act(forget(callback))
        except RefusedError:
            return  # it is gone by itself


def entry_of(value: str, ahead: timedelta = timedelta()) -> Entry | None:
    """An entry of the journal; None: it cannot be read.

    Args:
        ahead: by how much our clock is ahead of Asterisk's.
    """
    parts = value.split("|")
    if len(parts) != 7 or not (parts[2].isdecimal() and parts[3].isdecimal()):
        return None
    stage, detail, arrived, at, ended, called, number = parts
    return Entry(
        stage=stage,
        detail=detail,
        arrived_at=datetime.fromtimestamp(int(arrived), UTC) + ahead,
        at=datetime.fromtimestamp(int(at), UTC) + ahead,
        ended=ended == "1",
        called=called[:32],
        number=caller_number(number),
    )


def callback_of(row: InHand) -> Callback:
    """The callback as the changes on record tell it."""
    callback = Callback(id=row.arrived.id, arrived_at=row.arrived.arrived_at)
    connected_at: datetime | None = None
    asked_back = False
    for change in row.changes:
        if change.state is State.TALKING:
            connected_at, asked_back = change.at, False
        elif change.state in (State.WAITING, State.ALONE):
            connected_at = None
        elif change.state is State.ASKED_BACK:
            asked_back = True
    if not row.changes:
        return callback
    last = row.changes[-1]
    return Callback(
        id=callback.id,
        arrived_at=callback.arrived_at,
        state=last.state,
        operator=last.operator_id,
        connected_at=connected_at,
        ended_at=last.at if last.state is State.ENDED else None,
        asked_back=asked_back,
    )


def _up_to(callback: Callback, entry: Entry, *, joined: bool) -> list[Fact]:
    """The facts that lead from the callback's state to the journal's stage.

    Args:
        joined: whoever was being joined with an operator talks, or has talked, with them.
    """
    same = entry.detail == callback.operator
    at = max(entry.at, callback.arrived_at)
    name = callback.id
    facts: list[Fact] = []
    with_operator = callback.state in (State.JOINING, State.TALKING)
    goes_on = entry.stage in (contract.STAGE_JOINING, contract.STAGE_TALK) and same
    if with_operator and not goes_on:
        facts.append(OperatorMissed(callback=name, at=at, operator=callback.operator or ""))
    if callback.state is State.ARRIVED and entry.stage in _FROM_THE_LINE:
        facts.append(Queued(callback=name, at=at))
    if callback.state is State.ARRIVED and entry.stage == contract.STAGE_TALK:
        facts.append(LeftAlone(callback=name, at=at))
    if entry.stage == contract.STAGE_JOINING:
        return [*facts, *_joined(callback, entry, at, joined=joined)]
    if entry.stage == contract.STAGE_RECORDED:
        facts.append(MessageBegun(callback=name, at=at))
    told = stage_fact(name, entry.stage, entry.detail, at)
    if told is not None and not isinstance(told, OperatorMissed | HungUp):
        facts.append(told)
    return facts


_FROM_THE_LINE = (
    contract.STAGE_JOINING,
    contract.STAGE_MISSED,
    contract.STAGE_ASKED_BACK,
)


def _joined(callback: Callback, entry: Entry, at: datetime, *, joined: bool) -> Iterable[Fact]:
    if callback.state is State.TALKING and callback.operator == entry.detail:
        return
    if callback.state is not State.JOINING or callback.operator != entry.detail:
        yield OperatorAssigned(callback=callback.id, at=at, operator=entry.detail)
    if joined:
        yield Connected(callback=callback.id, at=at, operator=entry.detail)
    else:
        # the Redirect was sent: what comes of it will be told
        yield Queued(callback=callback.id, at=at)


def _order(callback: str, entry: Entry) -> tuple[datetime, int]:
    return entry.arrived_at, int(callback.partition(".")[2])


def _is_talk(callback: Callback, unseen: Iterable[Fact]) -> bool:
    begun = any(isinstance(fact, Connected | TakenByQueue) for fact in unseen)
    return begun or callback.state is State.TALKING

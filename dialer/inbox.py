"""Words from the CLI, read from the database several times a second and acted on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from db import cases, notices, stops
from db.campaigns import CampaignState
from db.notices import NoticeKind
from db.session import Sessions
from db.tables import Notice
from dialer.caller_ids import CallerIds
from dialer.calls import Calls
from dialer.clock import Clock
from dialer.desk import OperatorsDesk
from dialer.errors import DatabaseError
from dialer.months import Months

EVERY_S = 0.2
"""A stop order silences a ringing phone within a second (rule 8)."""

_log = structlog.get_logger()


class Inbox:
    """Acts on notices in their order."""

    def __init__(
        self,
        sessions: Sessions,
        clock: Clock,
        months: Months,
        calls: Calls,
        desk: OperatorsDesk,
        caller_ids: CallerIds,
        wake: Callable[[], None],
        look_at_legs: Callable[[], None],
        messages_ordered: Callable[[], Awaitable[None]],
    ) -> None:
        """
        Args:
            wake: told when something may be called now.
            look_at_legs: told of new operators, whose legs may be up already.
            messages_ordered: reads anew which messages the city ordered.
        """
        self._sessions = sessions
        self._clock = clock
        self._months = months
        self._calls = calls
        self._desk = desk
        self._caller_ids = caller_ids
        self._wake = wake
        self._look_at_legs = look_at_legs
        self._messages_ordered = messages_ordered
        self._last = 0
        self.emergency = False
        """Whether an emergency stop is in force."""

    async def open(self) -> None:
        """Learn the present state; later notices are changes of it.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            self._last = await notices.newest_id(session)
        await self._reload()
        await self._desk.reload()
        await self._messages_ordered()

    async def stop_what_may_not_ring(self) -> None:
        """After a restart: orders that came while nobody listened reach the calls taken up (rule 8).

        Raises:
            DatabaseError: the database is away.
        """
        if self.emergency:
            self._calls.stop_all()
        for month in self._months.all():
            if month.state is CampaignState.CLOSED:
                self._calls.stop_campaign(month.id)
        await self._stop_what_ended()

    async def run(self) -> None:
        """Read until cancelled; what the database does not give now is read later."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.look()
            except DatabaseError as error:
                _log.warning("notices_not_read", error=error)

    async def look(self) -> None:
        """Read what is new, and act on it.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            new = await notices.newer_than(session, self._last)
        for notice in new:
            await _ACTS[NoticeKind(notice.kind)](self, notice)
            self._last = notice.id
            _log.info("notice", kind=notice.kind, case=notice.case_id)
        if new:
            self._wake()

    async def _stop_what_ended(self) -> None:
        """Stop orders and payments reach what rings for them (rules 8 and 9)."""
        called = [line.case_id for line in self._calls.lines()]
        async with self._sessions.read() as session:
            ended = await cases.not_to_ring(session, called)
        for case_id in ended:
            self._end_calls_of(case_id)

    async def _stop_case(self, notice: Notice) -> None:
        assert notice.case_id is not None
        self._end_calls_of(notice.case_id)

    async def _payments(self, _notice: Notice) -> None:
        await self._stop_what_ended()

    def _end_calls_of(self, case_id: int) -> None:
        """What rings is hung up; who talks is told."""
        self._calls.stop_case(case_id)
        for line in self._calls.lines():
            if line.case_id == case_id and line.call.operator is not None:
                self._desk.load(line.call.operator, line.call.attempt)

    async def _emergency_stop(self, _notice: Notice) -> None:
        await self._reload()
        if self.emergency:
            self._calls.stop_all()

    async def _campaign(self, _notice: Notice) -> None:
        await self._reload()
        for month in self._months.all():
            if month.state is CampaignState.CLOSED:
                self._calls.stop_campaign(month.id)

    async def _cases(self, _notice: Notice) -> None:
        """New or changed cases: the pacer is woken, which is all there is to do."""

    async def _operators(self, _notice: Notice) -> None:
        await self._desk.reload()
        self._look_at_legs()

    async def _criteria(self, _notice: Notice) -> None:
        await self._desk.reload()

    async def _caller_ids_changed(self, _notice: Notice) -> None:
        await self._reload()

    async def _messages(self, _notice: Notice) -> None:
        await self._messages_ordered()

    async def _reload(self) -> None:
        async with self._sessions.read() as session:
            await self._months.reload(session, self._clock.now())
            await self._caller_ids.reload(session)
            self.emergency = await stops.emergency(session) is not None


_ACTS: dict[NoticeKind, Callable[[Inbox, Notice], Awaitable[None]]] = {
    NoticeKind.STOP_CASE: Inbox._stop_case,
    NoticeKind.EMERGENCY_STOP: Inbox._emergency_stop,
    NoticeKind.CAMPAIGN: Inbox._campaign,
    NoticeKind.CASES: Inbox._cases,
    NoticeKind.OPERATORS: Inbox._operators,
    NoticeKind.CALLER_IDS: Inbox._caller_ids_changed,
    NoticeKind.PAYMENTS: Inbox._payments,
    NoticeKind.CRITERIA: Inbox._criteria,
    NoticeKind.MESSAGES: Inbox._messages,
}

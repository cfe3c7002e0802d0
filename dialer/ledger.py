"""Writes what happens to calls into the database, in order, without making a call wait.

The consumer of events only puts entries here; one task commits everything that has gathered as one
transaction (group commit), and tries again until the database has it: every entry is written so that
writing it twice changes nothing. The one write a call does wait for, the attempt's row before
Originate, is `db.ledger.place` and not here.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db import callbacks, ledger, operators, seat_changes
from db.callbacks import Arrived, Moved
from db.errors import DatabaseError
from db.ledger import Change
from db.seat_changes import SeatMove
from db.session import Sessions
from rules.call_outcome import LineOutcome
from rules.callback_state import Callback

RETRY_S = 0.5
GATHER_S = 0.1
"""How long entries gather when nobody waits for them: a commit costs more than what it holds."""
BATCH = 200
"""Entries of one transaction at most: a long one would hold up who waits for a result."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Settlement:
    """A call's outcome as the line itself told it."""

    attempt: str
    case_id: int
    campaign_id: int
    outcome: LineOutcome


@dataclass(frozen=True, slots=True)
class Readiness:
    """An operator asked for calls, or for none."""

    operator: str
    ready: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CallbackEnd:
    """A callback is over."""

    callback: Callback
    number_key: str | None
    """Of the caller's number; None: it is not known."""


Entry = Change | Settlement | Readiness | SeatMove | Arrived | Moved | CallbackEnd
Settle = Callable[[AsyncSession, list[Settlement]], Awaitable[None]]
SettleCallbacks = Callable[[AsyncSession, list[CallbackEnd]], Awaitable[None]]


class LedgerWriter:
    """The queue of entries and the task that commits them."""

    def __init__(self, sessions: Sessions, settle: Settle, settled: Callable[[str], None]) -> None:
        """
        Args:
            settle: writes line outcomes within a transaction (`dialer.results.settle_by_line`).
            settled: told of each attempt whose outcome is committed.
        """
        self._sessions = sessions
        self._settle = settle
        self._settled = settled
        self._entries: list[Entry] = []
        self._added = asyncio.Event()
        self._flushed = asyncio.Condition()
        self._hurry = asyncio.Event()
        """Somebody waits for what has gathered."""
        self._numbered = 0
        self._written = 0
        self.database_ok = True
        self.settle_callbacks: SettleCallbacks
        """Writes what follows from the end of callbacks; set by `bootstrap`, as is `callback_settled`."""
        self.callback_settled: Callable[[str], None]
        """Told of each callback whose end is committed."""

    def add(self, entry: Entry) -> None:
        """Take an entry; it is written soon, after all earlier ones."""
        self._entries.append(entry)
        self._numbered += 1
        self._added.set()

    async def flushed(self) -> None:
        """Return once everything added so far is committed."""
        until = self._numbered
        if self._written < until:
            self._hurry.set()
        async with self._flushed:
            await self._flushed.wait_for(lambda: self._written >= until)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._added.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), GATHER_S)
            while batch := self._entries[:BATCH]:
                if not await self._write(batch):
                    await asyncio.sleep(RETRY_S)
                    continue
                del self._entries[: len(batch)]
                await self._tell(batch)
            self._added.clear()
            self._hurry.clear()

    async def _write(self, batch: list[Entry]) -> bool:
        try:
            async with self._sessions.write() as session:
                await self._put(session, batch)
        except (DatabaseError, OSError) as error:
            if self.database_ok:
                _log.error("ledger_cannot_write", error=error, waiting=len(self._entries))
            self.database_ok = False
            return False
        if not self.database_ok:
            _log.info("ledger_writes_again", waiting=len(self._entries))
        self.database_ok = True
        return True

    async def _put(self, session: AsyncSession, batch: Iterable[Entry]) -> None:
        sorted_: defaultdict[type, list[Entry]] = defaultdict(list)
        for entry in batch:
            sorted_[type(entry)].append(entry)
        if sorted_[Change]:
            await ledger.record(session, sorted_[Change])  # type: ignore[arg-type]
        if sorted_[Settlement]:
            await self._settle(session, sorted_[Settlement])  # type: ignore[arg-type]
        if sorted_[SeatMove]:
            await seat_changes.record(session, sorted_[SeatMove])  # type: ignore[arg-type]
        if sorted_[Arrived]:
            await callbacks.take(session, sorted_[Arrived])  # type: ignore[arg-type]
        if sorted_[Moved]:
            await callbacks.record(session, sorted_[Moved])  # type: ignore[arg-type]
        if sorted_[CallbackEnd]:
            await self.settle_callbacks(session, sorted_[CallbackEnd])  # type: ignore[arg-type]
        latest = {e.operator: e.ready for e in batch if isinstance(e, Readiness)}
        for operator, ready in latest.items():
            await operators.set_ready(session, operator, ready=ready)

    async def _tell(self, batch: list[Entry]) -> None:
        for entry in batch:
            if isinstance(entry, Settlement):
                self._settled(entry.attempt)
            elif isinstance(entry, CallbackEnd):
                self.callback_settled(entry.callback.id)
        async with self._flushed:
            self._written += len(batch)
            self._flushed.notify_all()

"""Publishes the board that answers to callers go by (`agi.board`): at every change, and every second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import timedelta
from pathlib import Path

import structlog

from agi.board import write_board
from db import ordered_messages
from db.campaigns import CampaignState
from db.session import Sessions
from dialer.callback_stats import CallbackStats
from dialer.callbacks import Callbacks
from dialer.clock import Clock
from dialer.months import Months
from dialer.seats import Seats
from rules import sounds
from rules.answering import Board, Opening, OrderedMessage, Waiting
from rules.hours import openings

EVERY_S = 1.0
AT_MOST_EVERY_S = 0.05
"""Changes that come together are published together."""

_log = structlog.get_logger()


def openings_of(months: Months) -> list[Opening]:
    """Hours in which callers reach operators, of all campaigns that are not over, oldest first; those
    that overlap are one."""
    found: set[Opening] = set()
    for month in months.all():
        if month.state is not CampaignState.CLOSED:
            found.update(openings(month.calendar, month.profile))
    joined: list[Opening] = []
    for one in sorted(found, key=lambda one: one.start):
        if joined and one.start <= joined[-1].end:
            last = joined.pop()
            one = Opening(start=last.start, end=max(last.end, one.end))
        joined.append(one)
    return joined


class BoardWriter:
    """Draws the board and writes it."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        sessions: Sessions,
        months: Months,
        seats: Seats,
        callbacks: Callbacks,
        stats: CallbackStats,
        group: Callable[[], Collection[str]],
    ) -> None:
        """
        Args:
            group: the operators who take callbacks; empty: everybody.
        """
        self._path = path
        self._clock = clock
        self._sessions = sessions
        self._months = months
        self._seats = seats
        self._callbacks = callbacks
        self._stats = stats
        self._group = group
        self._changed = asyncio.Event()
        self._ordered: tuple[OrderedMessage, ...] = ()
        self._written = True

    async def reload(self) -> None:
        """Read anew which messages the city ordered.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            rows = await ordered_messages.in_force_or_to_come(session, self._clock.now())
        self._ordered = tuple(
            OrderedMessage(
                id=row.id, sound=sounds.ordered(row.id), from_at=row.from_at, until_at=row.until_at
            )
            for row in rows
        )
        self.changed()

    def changed(self) -> None:
        """Something on the board is different now."""
        self._changed.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            self._changed.clear()
            self.write()
            await asyncio.sleep(AT_MOST_EVERY_S)
            try:
                await asyncio.wait_for(self._changed.wait(), EVERY_S - AT_MOST_EVERY_S)
            except TimeoutError:
                continue

    def write(self) -> None:
        """Publish the board as it is now. Where it cannot be written, callers are served without us."""
        try:
            # a small file that nobody waits for on the disk: shorter than handing it to a thread
            write_board(self._path, self.board())
        except OSError as error:
            if self._written:
                _log.error("board_not_written", error=error)
            self._written = False
            return
        self._written = True

    def board(self) -> Board:
        """The centre as it is now."""
        now = self._clock.now()
        since = now - timedelta(days=1)
        waiting = enumerate(self._callbacks.waiting(), start=1)
        return Board(
            at=now,
            openings=tuple(one for one in openings_of(self._months) if one.end > since),
            ordered=self._ordered,
            operators=len(self._seats.for_callbacks(self._group())),
            waiting=tuple(
                Waiting(id=callback, expected_s=self._stats.expected_s(position))
                for position, callback in waiting
            ),
        )

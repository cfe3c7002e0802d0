"""From one day to the next: the months are read anew with the values then in force, and the cases that
a change of their profile concerns are folded again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date

import structlog

from db import cases
from db.campaigns import CampaignState
from db.session import Sessions
from dialer.clock import Clock
from dialer.errors import DatabaseError
from dialer.months import Month, Months
from rules.calendar import JST

EVERY_S = 1.0
"""The clock is asked, not waited for: it may be set, and a machine may sleep through midnight."""

_log = structlog.get_logger()


class NewDay:
    """Looks whether another day has begun."""

    def __init__(
        self, sessions: Sessions, clock: Clock, months: Months, wake: Callable[[], None]
    ) -> None:
        """
        Args:
            wake: told when the new day's values are in force.
        """
        self._sessions = sessions
        self._clock = clock
        self._months = months
        self._wake = wake
        self._settled = date.min
        """The last day whose changes of profiles the cases' projections know; after a start none."""

    async def run(self) -> None:
        """Look until cancelled; what the database does not take now is done later."""
        while True:
            try:
                await self.look()
            except DatabaseError as error:
                _log.warning("new_day_not_begun", error=error)
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Begin the day, if it is another one than at the last look.

        Raises:
            DatabaseError: the database is away.
        """
        now = self._clock.now()
        today = now.astimezone(JST).date()
        if today == self._settled:
            return
        if self._months.day != today:
            async with self._sessions.read() as session:
                await self._months.reload(session, now)
        changed = [month for month in self._months.all() if self._is_changed(month)]
        for month in changed:
            await self._refresh(month)
        self._settled = today
        self._wake()
        _log.info("new_day", day=today, changed_profiles=[month.name for month in changed])

    def _is_changed(self, month: Month) -> bool:
        return month.state is not CampaignState.CLOSED and month.profile.since > self._settled

    async def _refresh(self, month: Month) -> None:
        """In steps of their own, so that an outcome never waits long for its turn to be written."""
        async with self._sessions.read() as session:
            ids = await cases.ids(session, month.id)
        for start in range(0, len(ids), cases.BATCH):
            async with self._sessions.write() as session:
                batch = ids[start : start + cases.BATCH]
                await cases.refresh(
                    session, batch, month.profile, month.calendar, self._clock.now()
                )

"""The day's calls that a person answered, counted as they happen: what the cap on abandoned calls is of."""

from __future__ import annotations

from datetime import date, datetime, time

from db import pacing
from db.pacing import DayCounts
from db.session import Sessions
from dialer.calls import Line
from dialer.clock import Clock
from dialer.months import Month
from rules.calendar import JST
from rules.call_outcome import ABANDONED
from rules.call_state import Call
from rules.hours import opening_of
from rules.pacing.snapshot import Today

_NONE = DayCounts(connected=0, abandoned=0)


class DaySoFar:
    """Counts all campaigns together (`dialer.calls.Watcher`); a day is one of Japan."""

    def __init__(self, clock: Clock, sessions: Sessions) -> None:
        self._clock = clock
        self._sessions = sessions
        self._day: date | None = None
        self._counts = _NONE

    async def load(self) -> None:
        """Begin with what the database has of the day.

        Raises:
            DatabaseError: the database is away.
        """
        day = self._today()
        midnight = datetime.combine(day, time(), JST)
        async with self._sessions.read() as session:
            self._counts = await pacing.day_counts(session, midnight)
        self._day = day

    def counts(self) -> DayCounts:
        """The day's so far."""
        if self._day != self._today():
            self._day, self._counts = self._today(), _NONE
        return self._counts

    def share(self) -> float:
        """Abandoned ÷ (abandoned + connected) of the day."""
        connected, abandoned = self.counts()
        return abandoned / max(1, abandoned + connected)

    def today(self, month: Month) -> Today:
        """The day as pacing sees it while it calls a campaign."""
        connected, abandoned = self.counts()
        closes = opening_of(self._today(), month.calendar, month.profile).last_originate
        left_s = max(0.0, (closes - self._clock.now()).total_seconds())
        return Today(connected=connected, abandoned=abandoned, left_s=left_s)

    def _today(self) -> date:
        return self._clock.now().astimezone(JST).date()

    # dialer.calls.Watcher ------------------------------------------------------------------------

    def moved(self, line: Line, before: Call) -> None:
        """A call changed its state: is it joined?"""
        if before.connected_at is None and line.call.connected_at is not None:
            self._counts = self.counts()._replace(connected=self.counts().connected + 1)

    def settled(self, line: Line, outcome: str) -> None:
        """A call has its outcome: was it abandoned?"""
        if outcome == ABANDONED:
            self._counts = self.counts()._replace(abandoned=self.counts().abandoned + 1)

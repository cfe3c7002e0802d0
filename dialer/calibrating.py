"""Looks every night how far what pacing believed came true, and warns while it did not.

A warning keeps nothing from being dialled: the day's cap is kept by what is counted, not by what is believed.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db import recorded_day
from db.session import Sessions
from dialer.clock import Clock
from dialer.metrics import Metrics
from dialer.reports.calibration import DayCalibration, calibration_of, off_in_words
from rules.calendar import JST

EVERY_S = 60.0
"""Seconds between two looks at the clock."""
JUDGED_FROM = time(21, 30)
"""From then on a day is over: calling closes before, and results are saved."""

_log = structlog.get_logger()


async def day_calibration(session: AsyncSession, day: date) -> DayCalibration:
    """The calibration of a day of Japan, all campaigns together.

    Raises:
        DatabaseError: the database is away.
    """
    midnight = datetime.combine(day, time(), JST)
    return calibration_of(
        day, await recorded_day.calls(session, midnight, midnight + timedelta(days=1))
    )


class Calibrating:
    """Judges the newest day that is over."""

    def __init__(self, sessions: Sessions, clock: Clock, metrics: Metrics) -> None:
        self._sessions = sessions
        self._clock = clock
        self._metrics = metrics
        self._looked_on: date | None = None
        """The newest day that was over at the last look."""
        self.warning = ""
        """What is off on the newest day with calls; empty: nothing."""

    async def look(self) -> None:
        """Judge the newest day with calls, once after every evening and once after a start.

        Raises:
            DatabaseError: the database is away; what was found goes on to be shown.
        """
        over = self._newest_over()
        if over == self._looked_on:
            return
        async with self._sessions.read() as session:
            until = datetime.combine(over + timedelta(days=1), time(), JST)
            newest = await recorded_day.newest_call(session, until)
            if newest is not None:
                self._tell(await day_calibration(session, newest.astimezone(JST).date()))
        self._looked_on = over

    def _newest_over(self) -> date:
        now = self._clock.now().astimezone(JST)
        return now.date() if now.time() >= JUDGED_FROM else now.date() - timedelta(days=1)

    def _tell(self, found: DayCalibration) -> None:
        self.warning = off_in_words(found)
        for what, one in (("answers", found.answers), ("abandoned", found.abandoned)):
            self._metrics.calibration_z.labels(what).set(one.z)
            tell = _log.warning if one.off else _log.info
            tell(
                "pacing_calibration",
                day=found.day.isoformat(),
                what=what,
                calls=one.calls,
                expected=round(one.believed, 2),
                happened=one.happened,
                z=round(one.z, 2),
                brier=round(one.brier, 4),
                off=one.off,
            )

"""Appointments that are near and those that were missed: for operators, supervisors and monitoring (rule 7).

Who has an appointment is called by the pacer all the same; this only tells of it, and names nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from db import appointments
from db.appointments import ToKeep
from db.campaigns import CampaignState
from db.session import Sessions
from dialer.clock import Clock
from dialer.metrics import Metrics
from dialer.months import Month, Months

EVERY_S = 5.0
"""Seconds between two looks."""
SUPERVISOR_AHEAD = timedelta(minutes=30)
OPERATOR_AHEAD = timedelta(minutes=15)

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Reminder:
    """One appointment that waits for its call."""

    campaign: str
    reference: str
    """整理番号."""
    at: datetime
    missed: bool
    """Its window is over, and we have not called."""


class Reminders:
    """What the last look at the database told."""

    def __init__(
        self,
        sessions: Sessions,
        clock: Clock,
        months: Months,
        metrics: Metrics,
        changed: Callable[[], None],
    ) -> None:
        """
        Args:
            changed: told when the operators' reminder is another one.
        """
        self._sessions = sessions
        self._clock = clock
        self._months = months
        self._metrics = metrics
        self._changed = changed
        self._told: set[tuple[int, datetime]] = set()
        """Missed appointments (case, time) that are in the log already."""
        self.standing: tuple[Reminder, ...] = ()
        """The missed ones, and those of the next 30 minutes, the earliest first."""
        self.next_at: datetime | None = None
        """The next one, if it is due or will be within 15 minutes."""

    async def look(self) -> None:
        """Ask the database anew.

        Raises:
            DatabaseError: the database is away; what was known goes on to be shown.
        """
        now = self._clock.now()
        months = {one.id: one for one in self._months.all() if one.state in _CALLED}
        async with self._sessions.read() as session:
            found = await appointments.to_keep(session, months, now + SUPERVISOR_AHEAD)
        missed = {
            (one.case_id, one.at) for one in found if _is_missed(one, months[one.campaign_id], now)
        }
        self.standing = tuple(
            Reminder(
                campaign=months[one.campaign_id].name,
                reference=one.reference,
                at=one.at,
                missed=(one.case_id, one.at) in missed,
            )
            for one in found
        )
        self._metrics.appointments.labels("missed").set(len(missed))
        self._metrics.appointments.labels("near").set(len(found) - len(missed))
        self._log_missed([one for one in found if (one.case_id, one.at) in missed - self._told])
        self._told = missed
        self._remind_operators(now)

    def _log_missed(self, found: list[ToKeep]) -> None:
        for one in found:
            _log.warning("appointment_missed", case=one.reference, appointment=one.at)

    def _remind_operators(self, now: datetime) -> None:
        ahead = now + OPERATOR_AHEAD
        near = [one.at for one in self.standing if not one.missed and one.at <= ahead]
        next_at = min(near, default=None)
        if next_at != self.next_at:
            self.next_at = next_at
            self._changed()


_CALLED = (CampaignState.RUNNING, CampaignState.PAUSED)


def _is_missed(one: ToKeep, month: Month, now: datetime) -> bool:
    return now > one.at + timedelta(minutes=month.profile.appointment_window_min)

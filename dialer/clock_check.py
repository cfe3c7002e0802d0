"""Whether the machine's clock can be trusted with the hours of calling.

Three witnesses: the database's clock, if it has one of its own (PostgreSQL); the machine's steady clock,
by which the time of day goes on between two looks at the database; and the newest call on record,
which cannot have been placed in the future.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog

from db import clock as database_clock
from db.session import Sessions
from dialer.clock import Clock

EVERY_S = 5.0
"""Seconds between two looks at the database."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """The last comparison that told something."""

    at: datetime
    """What the machine's clock said then."""
    steady_s: float
    ahead_s: float
    """By how much it was ahead of the database's; 0 if that has none of its own."""


class ClockCheck:
    """Compares the clocks; a pretended clock is not compared, as it goes by none of them."""

    def __init__(self, clock: Clock, sessions: Sessions, bound_s: float) -> None:
        """
        Args:
            bound_s: seconds the clocks may differ by.
        """
        self._clock = clock
        self._sessions = sessions
        self._bound_s = bound_s
        self._reading: _Reading | None = None
        self._own_clock = False
        self._newest_placed: datetime | None = None
        self._logged: str | None = None

    def wrong(self) -> str | None:
        """Why the clock cannot be trusted at this moment, in English; None: it can. Asks no database."""
        if not self._clock.is_real:
            return None
        if self._reading is None:
            return "clock: not compared with the database's yet"
        now, ahead_s = self._clock.now(), self._ahead_s(self._reading)
        if abs(ahead_s) > self._bound_s:
            if self._own_clock:
                return f"clock: differs from the database's by {abs(ahead_s):.0f} s"
            return (
                f"clock: jumped by {ahead_s:+.0f} s; set it right, or restart the service if it is"
            )
        behind_s = _seconds(now, self._newest_placed)
        if behind_s > self._bound_s:
            return f"clock: {behind_s:.0f} s behind the newest call on record"
        return None

    async def look(self) -> None:
        """Compare with the database.

        Raises:
            DatabaseError: the database is away; what was known goes on to hold.
        """
        if not self._clock.is_real:
            return
        begun_s = self._clock.monotonic()
        async with self._sessions.read() as session:
            told = await database_clock.ask(session)
        now, steady_s = self._clock.now(), self._clock.monotonic()
        self._own_clock = told.now is not None
        self._newest_placed = told.newest_placed
        took_s = steady_s - begun_s
        if told.now is not None and took_s <= self._bound_s:  # a slower answer tells too little
            ahead_s = _at_worst((now - told.now).total_seconds(), took_s)
            self._reading = _Reading(at=now, steady_s=steady_s, ahead_s=ahead_s)
        elif told.now is None and self._may_go_on():
            self._reading = _Reading(at=now, steady_s=steady_s, ahead_s=0.0)
        self._log_change()

    def _may_go_on(self) -> bool:
        """Without a second clock a jump stays one until the clock is set back or we are restarted.

        Small steps are how clocks are kept right, and do not add up.
        """
        return self._reading is None or abs(self._ahead_s(self._reading)) <= self._bound_s

    def _ahead_s(self, reading: _Reading) -> float:
        """By how much the clock is ahead now, with what it has jumped since."""
        passed_s = self._clock.monotonic() - reading.steady_s
        return (self._clock.now() - reading.at).total_seconds() - passed_s + reading.ahead_s

    def _log_change(self) -> None:
        wrong = self.wrong()
        if wrong is not None and self._logged is None:
            _log.error("clock_wrong", problem=wrong)
        elif wrong is None and self._logged is not None:
            _log.info("clock_right_again")
        self._logged = wrong


def _seconds(now: datetime, placed: datetime | None) -> float:
    return 0.0 if placed is None else (placed - now).total_seconds()


def _at_worst(ahead_s: float, took_s: float) -> float:
    """The answer was given at some moment of the `took_s` seconds before now, so the difference lies
    between `ahead_s - took_s` and `ahead_s`: the end that is farther from zero."""
    return max(ahead_s, ahead_s - took_s, key=abs)

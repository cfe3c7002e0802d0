"""Where "now" comes from. Rules are handed the moment; only the service asks a clock."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Protocol

from rules.calendar import JST


class Clock(Protocol):
    """Tells the moment for the calendar, and a steady time for durations."""

    is_real: bool
    """Whether it is the machine's, which somebody may set at any moment."""

    def now(self) -> datetime:
        """The moment, aware, Japan time."""
        ...

    def monotonic(self) -> float:
        """Seconds since some start; never set back."""
        ...


class SystemClock:
    """The machine's clock."""

    is_real = True

    def now(self) -> datetime:
        """The machine's moment in Japan time."""
        return datetime.now(JST)

    def monotonic(self) -> float:
        """The machine's steady clock."""
        return time.monotonic()


class JumpClock:
    """Runs at real speed from a chosen moment, and jumps when told: for demos and training.

    Whoever makes it jump sees to it that no call is in flight.
    """

    is_real = False

    def __init__(self, start: datetime) -> None:
        self._anchor = start.astimezone(JST)
        self._since = time.monotonic()

    def now(self) -> datetime:
        """The pretended moment."""
        return self._anchor + timedelta(seconds=time.monotonic() - self._since)

    def monotonic(self) -> float:
        """Real seconds: durations of calls are not pretended."""
        return time.monotonic()

    def jump_to(self, moment: datetime) -> None:
        """Go on from a later moment.

        Raises:
            ValueError: the moment is in the past.
        """
        if moment < self.now():
            raise ValueError("a clock that jumps back would call people twice")
        self._anchor = moment.astimezone(JST)
        self._since = time.monotonic()

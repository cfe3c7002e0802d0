"""What keeps the service from dialling and has to be mended, in the order in which it is told."""

from __future__ import annotations

from enum import StrEnum


class Problem(StrEnum):
    """One problem; its value is what supervisors and monitoring read."""

    ASTERISK_AWAY = "Asterisk cannot be reached"
    CATCHING_UP = "catching up with Asterisk"
    TRUNK_DOWN = "the trunk is not reachable"
    DATABASE_AWAY = "the database cannot be written"
    LOCK_LOST = "the lock on the database is lost"
    CLOCK_WRONG = "the clock cannot be trusted"

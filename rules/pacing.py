"""How many calls to place now. Progressive: never more calls in flight than free operators.

One pure function of a snapshot; another way of pacing replaces `calls_to_place` and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Limit(StrEnum):
    """What kept the number from being higher."""

    STOPPED = "stopped"
    """Emergency stop, shutting down, or Asterisk away."""
    OPERATORS = "operators"
    LINES = "lines"
    APPOINTMENTS = "appointments"
    """An operator who is free is kept for an appointment (rule 7)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """What pacing may know; all counts ≥ 0."""

    may_dial: bool
    operators_free: int
    calls_unanswered: int
    """Calls placed or ringing: each may need an operator within seconds."""
    calls_waiting: int
    """Answered and not yet joined to an operator."""
    lines: int
    """Calls the carrier allows at once."""
    lines_used: int
    appointments_soon: int = 0
    """Appointments that are due, or will be sooner than another call ends, and not called yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How many calls to place now, and what limits it."""

    calls: int
    """To whoever is due."""
    limit: Limit
    reserved: int = 0
    """Beside them, only to appointments."""


def calls_to_place(snapshot: Snapshot) -> Pace:
    """Progressive pacing: free operators not yet spoken for, within the carrier's lines.

    An appointment is kept by holding an operator and a line back for it while they are free.
    """
    if not snapshot.may_dial:
        return Pace(calls=0, limit=Limit.STOPPED)
    unclaimed = snapshot.operators_free - snapshot.calls_unanswered - snapshot.calls_waiting
    lines = snapshot.lines - snapshot.lines_used
    room = max(0, min(unclaimed, lines))
    reserved = min(room, snapshot.appointments_soon)
    limit = Limit.LINES if lines < unclaimed else Limit.OPERATORS
    return Pace(
        calls=room - reserved, limit=Limit.APPOINTMENTS if reserved else limit, reserved=reserved
    )

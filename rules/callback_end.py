"""What a callback came to, told from the states it went through: for lists and reports (§10(1))."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from rules.callback_state import State


class CameTo(StrEnum):
    """What became of a caller."""

    LIVE = "live"
    """Still on the line, nobody talked with them yet."""
    TALKED = "talked"
    """An operator talked with them."""
    ASKED_BACK = "asked_back"
    """They asked to be called back."""
    MESSAGE = "message"
    """They left a message."""
    GUIDANCE = "guidance"
    """They heard the guidance: outside the hours or the period (§8(6))."""
    GAVE_UP = "gave_up"
    """They hung up before anybody was there for them."""


def came_to(states: Collection[State], *, left_message: bool) -> CameTo:
    """What the callback came to.

    Args:
        states: all it has been in.
        left_message: a message of theirs is on record.
    """
    if State.TALKING in states:
        return CameTo.TALKED
    if State.ASKED_BACK in states:
        return CameTo.ASKED_BACK
    if left_message:
        return CameTo.MESSAGE
    if State.GUIDANCE in states:
        return CameTo.GUIDANCE
    return CameTo.GAVE_UP if State.ENDED in states else CameTo.LIVE

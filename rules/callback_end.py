"""What a callback came to, told from the states it went through: for lists and reports (§10(1))."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from rules.callback_state import WAITS, State

SHORTEST_TALK: Final = timedelta(seconds=1)
"""Nobody could say anything in less."""


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


def never_talks(changes: Sequence[tuple[State, datetime]]) -> frozenset[int]:
    """Which of a callback's changes, oldest first, led into a talk that never was one: the caller waited
    again before anybody could say a word (a line that broke, or two who served them at once)."""
    return frozenset(
        place
        for place, ((state, at), (then, then_at)) in enumerate(pairwise(changes))
        if state is State.TALKING and then in WAITS and then_at - at < SHORTEST_TALK
    )


def came_to(states: Collection[State], *, left_message: bool) -> CameTo:
    """What the callback came to.

    Args:
        states: all it has been in, without `never_talks`.
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

"""Who answered a call, as far as it can be known: nothing tells a machine from a person but the operator."""

from __future__ import annotations

from enum import Enum

from rules.call_outcome import CANCELLED, FAILED, VOICEMAIL_FAILED, VOICEMAIL_LEFT

PERSON_AFTER_S = 20.0
"""Seconds of talk after which it was no machine that answered: nobody listens to one so long."""
MACHINES = frozenset({VOICEMAIL_LEFT, VOICEMAIL_FAILED})
OURS = frozenset({CANCELLED, FAILED})
"""Outcomes that say nothing of the phone: we ended the call, or it never got there."""


class Answerer(Enum):
    """Who answered."""

    PERSON = "person"
    MACHINE = "machine"
    NOBODY = "nobody"


def who_answered(outcome: str | None, *, answered: bool, talk_s: float | None) -> Answerer | None:
    """Who answered a call that is over; None: it cannot be told.

    Args:
        outcome: as recorded; None: the operator still owes it.
        talk_s: seconds an operator was joined to it; None: nobody was.
    """
    if not answered:
        return None if outcome is None or outcome in OURS else Answerer.NOBODY
    if outcome in MACHINES:
        return Answerer.MACHINE
    if outcome is not None or (talk_s is not None and talk_s > PERSON_AFTER_S):
        return Answerer.PERSON
    return None

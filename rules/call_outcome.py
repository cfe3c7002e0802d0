"""The outcome of a call that no operator talked in: what the line itself tells.

A talk's outcome is the operator's to record; everything else follows from how far the call came, how
long it rang (§8(5)ア) and the profile's table of causes.
"""

from __future__ import annotations

from dataclasses import dataclass

from rules.calendar import JST
from rules.call_state import Call, EndedBy
from rules.profile import Profile

NO_ANSWER = "no_answer"
VOICEMAIL_LEFT = "voicemail_left"
VOICEMAIL_FAILED = "voicemail_failed"
HUNG_UP = "hung_up"
ABANDONED = "abandoned"
FAILED = "failed"
CANCELLED = "cancelled"

CODES = (NO_ANSWER, VOICEMAIL_LEFT, VOICEMAIL_FAILED, HUNG_UP, ABANDONED, FAILED, CANCELLED)
"""What the line records without asking the profile: every profile has these outcomes."""

NO_ANSWER_CAUSES = frozenset({0, 16, 18, 19, 31})
"""Q.850: unknown, normal clearing, no user responding, no answer, normal unspecified. Ringing that the
network ended with one of these is an unanswered call; with any other the cause decides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LineOutcome:
    """An outcome's code, and whether it stays unclear (to the review list)."""

    code: str
    review: bool = False


def line_outcome(call: Call, profile: Profile) -> LineOutcome | None:
    """What the ended call came to; None: it was a talk, the operator records it.

    Judged by the profile as it was in force on the day the call was placed.
    """
    profile = profile.on(call.placed_at.astimezone(JST).date())
    if call.message_chosen:
        return LineOutcome(code=VOICEMAIL_LEFT if call.message_left else VOICEMAIL_FAILED)
    if call.connected_at is not None:
        return None
    if call.ended_by is EndedBy.STOP:
        return LineOutcome(code=CANCELLED)
    if call.answered_at is not None:
        return LineOutcome(code=_answered(call))
    if call.ended_by in (EndedBy.REFUSED, EndedBy.VANISHED):
        return LineOutcome(code=FAILED)
    return _unanswered(call, profile)


def _answered(call: Call) -> str:
    """A person answered and got no operator: they went first, or we let them down."""
    went_first = not call.courtesy and call.ended_by is None
    return HUNG_UP if went_first else ABANDONED


def _unanswered(call: Call, profile: Profile) -> LineOutcome:
    ring_s = call.ring_s() or 0.0
    by_us = call.ended_by is not None
    if ring_s >= profile.ring_min_s and (by_us or (call.cause or 0) in NO_ANSWER_CAUSES):
        return LineOutcome(code=NO_ANSWER)
    if by_us:
        return LineOutcome(code=FAILED)
    rule = next(
        rule
        for rule in profile.causes
        if rule.matches(
            call.cause or 0, rang=call.rang_at is not None, early_media=call.early_media
        )
    )
    return LineOutcome(code=rule.outcome, review=rule.review)

"""When a phone's turn comes: not before the rules allow it, and in the band the plan chose for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rules.calendar import Calendar
from rules.case import CaseState, Id
from rules.eligibility import next_from
from rules.priority import needs_operator, rank
from rules.profile import Profile


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedBand:
    """One attempt of the plan: on this phone, from here to there."""

    starts_at: datetime
    ends_at: datetime
    """It is placed before this moment; later it is missed, and called as soon as the rules allow."""
    gain: int
    """What is lost if it is missed, in millionths of a contact; ≥ 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """Where a phone stands in the line."""

    due_at: datetime | None
    """From when on it is called; None: never again."""
    rank: int
    """Among those due the lowest goes first."""
    planned: PlannedBand | None
    """The attempt of the plan that comes next; None: due as the rules say."""


def turn_of(
    state: CaseState,
    phone_id: Id,
    now: datetime,
    calendar: Calendar,
    profile: Profile,
    planned: Sequence[PlannedBand] = (),
) -> Turn:
    """The phone's place in the line from `now` on.

    The plan only ever delays: what the rules refuse stays refused. An appointment does not wait for it,
    nor does a person whom we owe a call because they answered and found no operator, or called us and
    reached nobody.

    Args:
        planned: the plan's attempts on this phone, in order of time.

    Raises:
        KeyError, ValueError: as `rules.eligibility.may_call`.
    """
    phone = state.phones[phone_id]
    is_owed = phone.called_back is not None or needs_operator(state, phone)
    waits = state.appointment is None and not is_owed
    following = _next(state, phone_id, now, planned) if waits else None
    start = now if following is None else max(now, following.starts_at)
    gain = 0 if following is None else following.gain
    return Turn(
        due_at=next_from(state, phone_id, start, calendar, profile),
        rank=rank(state, phone_id, now, calendar, profile, gain),
        planned=following,
    )


def _next(
    state: CaseState, phone_id: Id, now: datetime, planned: Sequence[PlannedBand]
) -> PlannedBand | None:
    counted = state.phones[phone_id].counted
    made = counted[-1] if counted else None
    for band in planned:
        if band.ends_at > now and (made is None or band.starts_at > made):
            return band
    return None

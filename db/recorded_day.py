"""The calls of a day as they went, of all campaigns together, without anything that names a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.results import is_current
from db.tables import Attempt, AttemptChange, ResultRow, table_of
from rules.call_state import State


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedCall:
    """One call: what was believed of it and what came of it."""

    campaign_id: int
    placed_at: datetime
    chance: float | None
    """Probability that a person answers, as believed when it was placed; None: not placed by pacing."""
    miss: float | None
    """Probability that nobody is free for who answers, as believed then; None: an operator was held."""
    answered_at: datetime | None
    talk_from: datetime | None
    """When an operator was joined."""
    message_from: datetime | None
    """When the operator left the line to the message on an answering machine."""
    ended_at: datetime | None
    """None: the call lives, or its end was never seen."""
    outcome: str | None
    """As last corrected; None: not recorded yet."""
    saved_at: datetime | None
    """When its first result was saved."""

    @property
    def talk_s(self) -> float | None:
        """Seconds from an operator's joining to the call's end; None: nobody joined, or it has no end."""
        if self.talk_from is None or self.ended_at is None:
            return None
        return (self.ended_at - self.talk_from).total_seconds()


async def calls(session: AsyncSession, since: datetime, until: datetime) -> list[RecordedCall]:
    """All calls placed from `since` on and before `until`, in order of time."""
    placed = (Attempt.placed_at >= since, Attempt.placed_at < until)
    moments = (
        select(AttemptChange.attempt_id, *(_first(state) for state in _STATES))
        .join(Attempt, Attempt.id == AttemptChange.attempt_id)
        .where(*placed)
        .group_by(AttemptChange.attempt_id)
        .subquery()
    )
    query = (
        select(
            Attempt.campaign_id,
            Attempt.placed_at,
            Attempt.chance,
            Attempt.miss,
            moments.c.waiting.label("answered_at"),
            moments.c.talking.label("talk_from"),
            moments.c.message.label("message_from"),
            moments.c.ended.label("ended_at"),
            ResultRow.outcome,
            _first_result.c.at.label("saved_at"),
        )
        .outerjoin(moments, moments.c.attempt_id == Attempt.id)
        .outerjoin(ResultRow, (ResultRow.attempt_id == Attempt.id) & is_current())
        .outerjoin(
            _first_result,
            (_first_result.c.attempt_id == Attempt.id) & _first_result.c.replaces_id.is_(None),
        )
        .where(*placed)
        .order_by(Attempt.placed_at, Attempt.id)
    )
    return [RecordedCall(**row) for row in (await session.execute(query)).mappings()]


async def newest_call(session: AsyncSession, before: datetime) -> datetime | None:
    """When the newest call placed before a moment was placed; None: there is none."""
    query = select(func.max(Attempt.placed_at, type_=Attempt.placed_at.type))
    return await session.scalar(query.where(Attempt.placed_at < before))


_STATES = (State.WAITING, State.TALKING, State.MESSAGE, State.ENDED)
_first_result = table_of(ResultRow).alias("first_result")


def _first(state: State) -> Any:
    entered = case((AttemptChange.state == state.value, AttemptChange.at))
    return func.min(entered, type_=AttemptChange.at.type).label(state.value)

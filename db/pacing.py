"""What pacing keeps: what it learned, as numbers without persons, and the day's calls so far."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.results import is_current
from db.tables import Attempt, AttemptChange, PacingBelief, ResultRow
from rules.call_outcome import ABANDONED
from rules.call_state import State


class DayCounts(NamedTuple):
    """Calls of a day that a person answered, all campaigns together."""

    connected: int
    """Joined to an operator."""
    abandoned: int


async def keep_beliefs(session: AsyncSession, beliefs: Mapping[str, float], at: datetime) -> None:
    """Keep these numbers in place of those kept before."""
    for name, value in beliefs.items():
        await session.merge(PacingBelief(name=name, value=value, at=at))


async def beliefs(session: AsyncSession) -> dict[str, float]:
    """The numbers kept last, by name."""
    return {row.name: row.value for row in await session.scalars(select(PacingBelief))}


async def day_counts(session: AsyncSession, since: datetime) -> DayCounts:
    """The calls placed from `since` on."""
    asked = {"since": since}
    return DayCounts(
        connected=await session.scalar(_CONNECTED, asked) or 0,
        abandoned=await session.scalar(_ABANDONED, asked) or 0,
    )


_PLACED = Attempt.placed_at >= bindparam("since")
_CONNECTED = (
    select(func.count(AttemptChange.attempt_id.distinct()))
    .join(Attempt, Attempt.id == AttemptChange.attempt_id)
    .where(_PLACED, AttemptChange.state == State.TALKING.value)
)
_ABANDONED = (
    select(func.count())
    .select_from(ResultRow)
    .join(Attempt, Attempt.id == ResultRow.attempt_id)
    .where(_PLACED, ResultRow.outcome == ABANDONED, is_current())
)

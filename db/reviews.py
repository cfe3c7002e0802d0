"""Results that stayed unclear on the line: a supervisor looks at each of them (rule 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.results import is_current
from db.tables import Attempt, AttemptChange, CaseRow, PhoneRow, ResultRow
from rules.call_state import State


@dataclass(frozen=True, kw_only=True, slots=True)
class Unclear:
    """One result to be looked at, and what the line told of it."""

    attempt_id: str
    reference: str
    """整理番号."""
    phone: int
    """From 1, as in the file; those learned in a call follow."""
    placed_at: datetime
    outcome: str
    """What it counts as until it is settled."""
    cause: int | None
    """Q.850; None: the line told none."""
    ring_s: float | None
    """Seconds of ringing; None: it did not ring."""
    early_media: bool | None
    """An announcement was heard before any answer; None: not on record."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptMadeOn:
    """Where an attempt belongs: what a result of it is checked against."""

    campaign_id: int
    case_id: int
    phone_id: int
    placed_at: datetime
    ring_s: float | None


async def to_look_at(session: AsyncSession, campaign_id: int) -> list[Unclear]:
    """Those of a campaign that nobody has settled, the oldest first."""
    query = _UNCLEAR.where(Attempt.campaign_id == campaign_id)
    return [
        Unclear(
            attempt_id=row.id,
            reference=row.reference,
            phone=row.position,
            placed_at=row.placed_at,
            outcome=row.outcome,
            cause=row.cause,
            ring_s=_seconds(row.ring_ms),
            early_media=row.early_media,
        )
        for row in await session.execute(query)
    ]


async def attempt(session: AsyncSession, attempt_id: str) -> AttemptMadeOn | None:
    """The attempt; None: there is none with this id."""
    row = await session.get(Attempt, attempt_id)
    if row is None:
        return None
    ring_ms = await session.scalar(
        select(func.max(AttemptChange.ring_ms)).where(AttemptChange.attempt_id == attempt_id)
    )
    return AttemptMadeOn(
        campaign_id=row.campaign_id,
        case_id=row.case_id,
        phone_id=row.phone_id,
        placed_at=row.placed_at,
        ring_s=_seconds(ring_ms),
    )


def _seconds(ring_ms: int | None) -> float | None:
    return None if ring_ms is None else ring_ms / 1000


_UNCLEAR = (
    select(
        Attempt.id,
        CaseRow.reference,
        PhoneRow.position,
        Attempt.placed_at,
        ResultRow.outcome,
        AttemptChange.cause,
        AttemptChange.ring_ms,
        AttemptChange.early_media,
    )
    .join(ResultRow, ResultRow.attempt_id == Attempt.id)
    .join(CaseRow, CaseRow.id == Attempt.case_id)
    .join(PhoneRow, PhoneRow.id == Attempt.phone_id)
    .outerjoin(
        AttemptChange,
        (AttemptChange.attempt_id == Attempt.id) & (AttemptChange.state == State.ENDED.value),
    )
    .where(ResultRow.review, is_current())
    .order_by(Attempt.placed_at, Attempt.id)
)

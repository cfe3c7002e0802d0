"""Rows for the reports: one per call of a day, with its outcome as last corrected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import results
from db.tables import Attempt, AttemptChange, CaseRow, PhoneRow, ResultRow
from rules.call_state import State
from rules.case import CaseStatus, PhoneKind, Result


@dataclass(frozen=True, kw_only=True, slots=True)
class CallMade:
    """One attempt, without anything that names the person but the city's reference."""

    attempt_id: str
    case_id: int
    reference: str
    """整理番号."""
    case_status: CaseStatus
    clause: str | None
    phone_id: int
    phone_kind: PhoneKind
    phone_position: int
    """From 1, as in the file; those learned in a call follow."""
    learned: bool
    placed_at: datetime
    ring_s: float | None
    """Seconds of ringing; None: it did not ring."""
    talk_from: datetime | None
    """When an operator was connected; None: nobody talked."""
    ended_at: datetime | None
    """None: the call lives."""
    operator_id: str | None
    result: Result | None
    """None: not recorded yet."""
    recorded_by: str | None
    talk_results: tuple[str, ...]


async def calls_between(
    session: AsyncSession, campaign_id: int, start: datetime, end: datetime
) -> list[CallMade]:
    """All attempts of a campaign placed from `start` to before `end`, in order of time."""
    query = _CALLS.where(
        Attempt.campaign_id == campaign_id, Attempt.placed_at >= start, Attempt.placed_at < end
    )
    return [_call(row) for row in await session.execute(query)]


def _first(column: Any, state: State) -> Any:
    return (
        select(func.min(column, type_=column.type))
        .where(AttemptChange.attempt_id == Attempt.id, AttemptChange.state == state.value)
        .scalar_subquery()
    )


_CALLS = (
    select(
        Attempt.id.label("attempt"),
        Attempt.case_id.label("case"),
        CaseRow.reference,
        CaseRow.status,
        CaseRow.clause,
        Attempt.phone_id,
        PhoneRow.kind,
        PhoneRow.position,
        PhoneRow.learned,
        Attempt.placed_at,
        _first(AttemptChange.at, State.TALKING).label("talk_from"),
        _first(AttemptChange.at, State.ENDED).label("ended_at"),
        _first(AttemptChange.operator_id, State.TALKING).label("operator"),
        select(func.max(AttemptChange.ring_ms))
        .where(AttemptChange.attempt_id == Attempt.id)
        .scalar_subquery()
        .label("ring_ms"),
        ResultRow.outcome,
        ResultRow.script_finished,
        ResultRow.same_household,
        ResultRow.offered,
        ResultRow.appointment,
        ResultRow.scope,
        ResultRow.by,
        ResultRow.talk_results,
    )
    .join(CaseRow, CaseRow.id == Attempt.case_id)
    .join(PhoneRow, PhoneRow.id == Attempt.phone_id)
    .outerjoin(ResultRow, (ResultRow.attempt_id == Attempt.id) & results.is_current())
    .order_by(Attempt.placed_at, Attempt.id)
)


def _call(row: Any) -> CallMade:
    return CallMade(
        attempt_id=row.attempt,
        case_id=row.case,
        reference=row.reference,
        case_status=CaseStatus(row.status),
        clause=row.clause,
        phone_id=row.phone_id,
        phone_kind=PhoneKind(row.kind),
        phone_position=row.position,
        learned=row.learned,
        placed_at=row.placed_at,
        ring_s=None if row.ring_ms is None else row.ring_ms / 1000,
        talk_from=row.talk_from,
        ended_at=row.ended_at,
        operator_id=row.operator,
        result=results.result_of(row) if row.outcome is not None else None,
        recorded_by=row.by,
        talk_results=tuple(row.talk_results or ()),
    )

"""What the service wrote down of its calls, as rows: one per attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.results import is_current, result_of
from db.tables import Attempt, CaseRow, PhoneRow, ResultRow
from rules.case import Result
from rules.outcome import is_contact
from rules.profile import Profile


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One attempt of the service's ledger."""

    attempt_id: str
    case_id: int
    number: str
    placed_at: datetime
    reserved: bool
    """An operator was held for it."""
    outcomes: int
    """How many first results it has: must be one."""
    result: Result | None
    """As last corrected."""


async def all_records(session: AsyncSession) -> list[Record]:
    """Every attempt in order of time."""
    first = (
        select(func.count())
        .where(ResultRow.attempt_id == Attempt.id, ResultRow.replaces_id.is_(None))
        .correlate(Attempt)
        .scalar_subquery()
    )
    query = (
        select(Attempt, PhoneRow.number, first, ResultRow)
        .join(PhoneRow, PhoneRow.id == Attempt.phone_id)
        .outerjoin(ResultRow, (ResultRow.attempt_id == Attempt.id) & is_current())
        .order_by(Attempt.placed_at)
    )
    return [
        Record(
            attempt_id=attempt.id,
            case_id=attempt.case_id,
            number=number,
            placed_at=attempt.placed_at,
            reserved=attempt.miss is None,
            outcomes=outcomes,
            result=None if row is None else result_of(row),
        )
        for attempt, number, outcomes, row in await session.execute(query)
    ]


async def case_states(session: AsyncSession) -> dict[str, int]:
    """How many cases have which status."""
    query = select(CaseRow.status, func.count()).group_by(CaseRow.status)
    return {status: count for status, count in await session.execute(query)}


def contact_rate(records: Sequence[Record], profile: Profile) -> float:
    """Distinct cases with a contact ÷ distinct cases called (rule 14); 0 before the first call."""
    called = {record.case_id for record in records}
    reached = {
        record.case_id
        for record in records
        if record.result is not None
        and is_contact(profile.outcomes[record.result.outcome], record.result)
    }
    return len(reached) / len(called) if called else 0.0

"""Appointments (rule 7) as they stand in the projections: those to be kept, without persons.

The phone to be called at one has the rank of those that need an operator kept for their call, so that few
rows are read however large the month.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import households
from db.results import is_current
from db.tables import CallInFlight, CaseRow, PhoneRow, ResultRow
from rules import priority
from rules.case import CaseStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class ToKeep:
    """The appointment of an open case that is not being called."""

    campaign_id: int
    case_id: int
    reference: str
    """整理番号."""
    at: datetime


async def to_keep(
    session: AsyncSession, campaign_ids: Collection[int], until: datetime
) -> list[ToKeep]:
    """The appointments up to `until` that wait for their call, the earliest first."""
    asked = {"campaigns": list(campaign_ids), "until": until}
    return [
        ToKeep(campaign_id=row.campaign_id, case_id=row.id, reference=row.reference, at=row.at)
        for row in await session.execute(_TO_KEEP, asked)
    ]


async def callable_by(session: AsyncSession, campaign_ids: Collection[int], until: datetime) -> int:
    """How many cases the rules may let us call by `until` that need an operator kept for it: at an
    appointment, or after a call that found none; not those of a household on the line."""
    asked = {"campaigns": list(campaign_ids), "until": until}
    return await session.scalar(_CALLABLE, asked) or 0


async def learned(session: AsyncSession, campaign_id: int) -> list[int]:
    """The cases in whose calls an appointment was named, whatever became of it."""
    query = (
        select(CaseRow.id)
        .join(ResultRow, ResultRow.case_id == CaseRow.id)
        .where(CaseRow.campaign_id == campaign_id, ResultRow.appointment.is_not(None), is_current())
        .distinct()
        .order_by(CaseRow.id)
    )
    return list(await session.scalars(query))


async def on_the_line(session: AsyncSession) -> set[int]:
    """The cases that are being called."""
    return set(await session.scalars(select(CallInFlight.case_id)))


_NEEDS_OPERATOR = (
    PhoneRow.campaign_id.in_(bindparam("campaigns", expanding=True)),
    PhoneRow.rank == priority.RESERVED,
    CaseRow.status == CaseStatus.OPEN.value,
    CaseRow.id.not_in(select(CallInFlight.case_id)),
)
"""Of an open case that is not being called."""
_TO_KEEP = (
    select(CaseRow.campaign_id, CaseRow.id, CaseRow.reference, CaseRow.appointment.label("at"))
    .join(PhoneRow, PhoneRow.case_id == CaseRow.id)
    .where(*_NEEDS_OPERATOR, CaseRow.appointment <= bindparam("until"))
    .distinct()
    .order_by(CaseRow.appointment, CaseRow.id)
)
_CALLABLE = (
    select(func.count(CaseRow.id.distinct()))
    .join(PhoneRow, PhoneRow.case_id == CaseRow.id)
    .where(
        *_NEEDS_OPERATOR,
        PhoneRow.due_at <= bindparam("until"),
        households.is_quiet(CaseRow.id, CaseRow.household_key),
    )
)

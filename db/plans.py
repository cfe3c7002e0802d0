"""Plans: the attempts planned for each phone, and the sums of every plan as it was made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import CaseRow, PhoneRow, Plan, PlannedAttempt, table_of
from rules.case import CaseStatus
from rules.turn import PlannedBand


async def notes_of_open(session: AsyncSession, campaign_id: int) -> dict[int, str]:
    """The city's notes (備考) on the campaign's open cases, by case. Personal."""
    query = (
        select(CaseRow.id, CaseRow.note)
        .where(CaseRow.campaign_id == campaign_id, CaseRow.status == CaseStatus.OPEN.value)
        .order_by(CaseRow.id)
    )
    return {row.id: row.note for row in await session.execute(query)}


async def replace(
    session: AsyncSession,
    case_ids: Sequence[int],
    planned: Mapping[int, Iterable[PlannedBand]],
) -> None:
    """Plan the phones of these cases anew; they must be refreshed in the same transaction.

    Args:
        planned: by phone; one that is not in it has no plan any more.
    """
    await session.execute(_FORGET, {"ids": list(case_ids)})
    rows = [
        {
            "phone_id": phone,
            "starts_at": band.starts_at,
            "ends_at": band.ends_at,
            "gain": band.gain,
        }
        for phone, bands in planned.items()
        for band in bands
    ]
    if rows:
        await session.execute(insert(table_of(PlannedAttempt)), rows)


async def add(
    session: AsyncSession,
    campaign_id: int,
    *,
    at: datetime,
    by: str,
    figures: Mapping[str, Any],
    chances: list[Any],
) -> None:
    """Keep the sums of a plan and what it believed of answering; it is the newest one from now on."""
    session.add(
        Plan(
            campaign_id=campaign_id,
            made_at=at,
            made_by=by,
            figures=dict(figures),
            chances=chances,
        )
    )
    await session.flush()


async def newest(session: AsyncSession, campaign_id: int) -> Plan | None:
    """The plan that is followed; None: none was made."""
    query = select(Plan).where(Plan.campaign_id == campaign_id).order_by(Plan.id.desc()).limit(1)
    return await session.scalar(query)


async def chances(session: AsyncSession, campaign_id: int) -> list[Any]:
    """What the newest plan believed of answering (`Plan.chances`); empty: there is none, or it kept none."""
    query = select(Plan.chances).where(Plan.campaign_id == campaign_id)
    return await session.scalar(query.order_by(Plan.id.desc()).limit(1)) or []


async def of_case(session: AsyncSession, case_id: int) -> list[tuple[int, PlannedBand]]:
    """The planned attempts of a case in order of time, each with the position of its phone.

    None once the case has ended, though its plan is kept: it holds again if the case is reopened.
    """
    query = (
        select(
            PhoneRow.position,
            PlannedAttempt.starts_at,
            PlannedAttempt.ends_at,
            PlannedAttempt.gain,
        )
        .join(PhoneRow, PhoneRow.id == PlannedAttempt.phone_id)
        .join(CaseRow, CaseRow.id == PhoneRow.case_id)
        .where(CaseRow.id == case_id, CaseRow.status == CaseStatus.OPEN.value)
        .order_by(PlannedAttempt.starts_at, PhoneRow.position)
    )
    return [
        (row.position, PlannedBand(starts_at=row.starts_at, ends_at=row.ends_at, gain=row.gain))
        for row in await session.execute(query)
    ]


async def positions(session: AsyncSession, phone_ids: Sequence[int]) -> dict[int, tuple[str, int]]:
    """Reference of the case and position of each phone: what it is called to a supervisor."""
    found: dict[int, tuple[str, int]] = {}
    for start in range(0, len(phone_ids), 500):
        batch = {"ids": list(phone_ids[start : start + 500])}
        for row in await session.execute(_POSITIONS, batch):
            found[row.id] = row.reference, row.position
    return found


_IDS: Any = bindparam("ids", expanding=True)
_POSITIONS = (
    select(PhoneRow.id, CaseRow.reference, PhoneRow.position)
    .join(CaseRow, CaseRow.id == PhoneRow.case_id)
    .where(PhoneRow.id.in_(_IDS))
)
_FORGET = delete(table_of(PlannedAttempt)).where(
    PlannedAttempt.phone_id.in_(select(PhoneRow.id).where(PhoneRow.case_id.in_(_IDS)))
)

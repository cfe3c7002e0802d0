"""Stop orders of the city, and the emergency stop (§8(3)ク, rule 8).

A stop order is about a person: it reaches every case of the person that is still worked on, and an
intake of a later month asks here who is stopped. A running service hears of it by a notice.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import cases, notices
from db.campaigns import CampaignState
from db.cases import FactKind
from db.errors import ConflictError
from db.insert import insert_if_new
from db.notices import NoticeKind
from db.tables import Campaign, CaseRow, EmergencyStop, StopOrder, table_of


async def order(session: AsyncSession, person_key: str, *, at: datetime, by: str) -> list[int]:
    """Stop a person until lifted; again changes nothing.

    Returns:
        The person's cases that are stopped by it: refresh them in the same transaction.
    """
    values = {"person_key": person_key, "at": at, "by": by}
    new = await session.run_sync(
        lambda session: insert_if_new(session.connection(), table_of(StopOrder), values)
    )
    if not new:
        return []
    stopped = await _cases_worked_on(session, person_key)
    for case_id in stopped:
        await cases.add_fact(session, case_id, FactKind.STOP, at=at, by=by)
        await notices.add(session, NoticeKind.STOP_CASE, at=at, by=by, case_id=case_id)
    return stopped


async def lift(session: AsyncSession, person_key: str, *, at: datetime, by: str) -> list[int]:
    """Take a person's stop order back.

    Returns:
        The person's cases it no longer stops: refresh them in the same transaction.

    Raises:
        ConflictError: no stop order is in force.
    """
    lifted = await session.execute(
        update(table_of(StopOrder))
        .where(StopOrder.person_key == person_key, StopOrder.lifted_at.is_(None))
        .values(lifted_at=at, lifted_by=by)
    )
    if lifted.rowcount == 0:  # type: ignore[attr-defined]
        raise ConflictError("no stop order is in force for this person")
    freed = await _cases_worked_on(session, person_key)
    for case_id in freed:
        await cases.add_fact(session, case_id, FactKind.UNSTOP, at=at, by=by)
    await notices.add(session, NoticeKind.CASES, at=at, by=by)
    return freed


async def in_force(session: AsyncSession) -> list[StopOrder]:
    """All stop orders not lifted, oldest first."""
    query = select(StopOrder).where(StopOrder.lifted_at.is_(None)).order_by(StopOrder.at)
    return list(await session.scalars(query))


async def stopped_among(session: AsyncSession, person_keys: Collection[str]) -> set[str]:
    """Those of the persons for whom a stop order is in force."""
    query = select(StopOrder.person_key).where(StopOrder.lifted_at.is_(None))
    return set(await session.scalars(query)).intersection(person_keys)


async def set_emergency(session: AsyncSession, *, at: datetime, by: str) -> None:
    """Stop everything, in all campaigns, until lifted.

    Raises:
        ConflictError: an emergency stop stands already.
    """
    if await emergency(session) is not None:
        raise ConflictError("an emergency stop stands already")
    await session.execute(insert(table_of(EmergencyStop)), {"at": at, "by": by})
    await notices.add(session, NoticeKind.EMERGENCY_STOP, at=at, by=by)


async def lift_emergency(session: AsyncSession, *, at: datetime, by: str) -> None:
    """Let everything go on.

    Raises:
        ConflictError: no emergency stop stands.
    """
    lifted = await session.execute(
        update(table_of(EmergencyStop))
        .where(EmergencyStop.lifted_at.is_(None))
        .values(lifted_at=at, lifted_by=by)
    )
    if lifted.rowcount == 0:  # type: ignore[attr-defined]
        raise ConflictError("no emergency stop stands")
    await notices.add(session, NoticeKind.EMERGENCY_STOP, at=at, by=by)


async def emergency(session: AsyncSession) -> EmergencyStop | None:
    """The emergency stop that stands; None: none does."""
    query = select(EmergencyStop).where(EmergencyStop.lifted_at.is_(None))
    return (await session.scalars(query)).first()


async def _cases_worked_on(session: AsyncSession, person_key: str) -> list[int]:
    query = (
        select(CaseRow.id)
        .join(Campaign, Campaign.id == CaseRow.campaign_id)
        .where(CaseRow.person_key == person_key, Campaign.state != CampaignState.CLOSED.value)
        .order_by(CaseRow.id)
    )
    return list(await session.scalars(query))

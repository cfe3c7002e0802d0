"""Which contract profile a campaign is called by from which day on, and who ordered it. Only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import CaseRow, ProfileOrder, ResultRow, table_of


async def add(
    session: AsyncSession,
    campaign_id: int,
    *,
    from_day: date,
    name: str,
    text: str,
    at: datetime,
    by: str,
) -> None:
    """Keep an order; `text` is the profile's file, checked.

    Of a running campaign the service must be told, and its cases refreshed (`db.cases.refresh`).
    """
    values = {
        "campaign_id": campaign_id,
        "from_day": from_day,
        "name": name,
        "text": text,
        "sha256": sha256(text.encode()).hexdigest(),
        "ordered_by": by,
        "ordered_at": at,
    }
    await session.execute(insert(table_of(ProfileOrder)), values)


async def of_campaign(session: AsyncSession, campaign_id: int) -> list[ProfileOrder]:
    """All orders of a campaign as they were given; none for one made by an older version."""
    query = select(ProfileOrder).where(ProfileOrder.campaign_id == campaign_id)
    return list(await session.scalars(query.order_by(ProfileOrder.id)))


def in_force(orders: Sequence[ProfileOrder]) -> list[ProfileOrder]:
    """Those that hold from their day until the next one's: of several for a day the last given.

    Args:
        orders: as they were given.
    """
    by_day = {order.from_day: order for order in orders}
    return [by_day[day] for day in sorted(by_day)]


async def outcomes_used(session: AsyncSession, campaign_id: int) -> set[str]:
    """Codes of all outcomes recorded in the campaign, also of results corrected since."""
    query = (
        select(ResultRow.outcome)
        .join(CaseRow, CaseRow.id == ResultRow.case_id)
        .where(CaseRow.campaign_id == campaign_id)
        .distinct()
    )
    return set(await session.scalars(query))

"""The roster: operators expected at work in each hour of each day, for all campaigns together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import RosterHour, table_of


async def hours(session: AsyncSession, first: date, last: date) -> dict[tuple[date, int], int]:
    """Operators by day and hour (of Japan, 0-23) from `first` to `last`, both included.

    A day or an hour nobody was entered for is not in it.
    """
    rows = await session.scalars(
        select(RosterHour)
        .where(RosterHour.day.between(first, last))
        .order_by(RosterHour.day, RosterHour.hour)
    )
    return {(row.day, row.hour): row.operators for row in rows}


async def replace(
    session: AsyncSession,
    operators: Mapping[tuple[date, int], int],
    *,
    at: datetime,
    by: str,
) -> None:
    """Enter operators by day and hour; every day named loses what was entered for it before."""
    if not operators:
        return
    days = {day for day, _hour in operators}
    roster = table_of(RosterHour)
    await session.execute(delete(roster).where(RosterHour.day.in_(days)))
    await session.execute(
        insert(roster),
        [
            {"day": day, "hour": hour, "operators": count, "entered_by": by, "entered_at": at}
            for (day, hour), count in operators.items()
        ],
    )

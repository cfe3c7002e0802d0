"""What the database knows of the time: its own clock, and the newest call on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import Attempt, Campaign


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One look."""

    now: datetime | None
    """PostgreSQL's clock; None: SQLite has none but this machine's."""
    newest_placed: datetime | None
    """When the latest call on record was placed; None: there is none.

    Of all moments on record the one that never lies far off, should a clock ever have run ahead:
    calls are placed inside a calling period alone, results are saved at any moment.
    """


async def ask(session: AsyncSession) -> Told:
    """Ask the database; a millisecond, however many calls there are."""
    now = None
    if session.get_bind().dialect.name == "postgresql":
        now = await session.scalar(select(func.clock_timestamp()))
    return Told(now=now, newest_placed=await session.scalar(_NEWEST))


# campaign by campaign, each by its index: the newest of all attempts at once would read them all
_OF_CAMPAIGN = (
    select(func.max(Attempt.placed_at))
    .where(Attempt.campaign_id == Campaign.id)
    .correlate(Campaign)
    .scalar_subquery()
)
_NEWEST = select(func.max(_OF_CAMPAIGN, type_=Attempt.placed_at.type)).select_from(Campaign)

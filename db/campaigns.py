"""Campaigns: one month's calling each, with the days on which it may call."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db import notices
from db.errors import ConflictError, NotFoundError
from db.notices import NoticeKind
from db.tables import Campaign, ExcludedDay, table_of


class CampaignState(StrEnum):
    """Only a running campaign is called; a closed one stays closed."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    CLOSED = "closed"


_C = CampaignState
_MAY_BECOME = {
    _C.DRAFT: {_C.RUNNING, _C.CLOSED},
    _C.RUNNING: {_C.PAUSED, _C.CLOSED},
    _C.PAUSED: {_C.RUNNING, _C.CLOSED},
    _C.CLOSED: set(),
}


async def create(
    session: AsyncSession,
    name: str,
    *,
    profile: str,
    period_from: date,
    period_to: date,
    at: datetime,
) -> Campaign:
    """A new campaign, as a draft.

    Raises:
        ConflictError: the name is taken, or the period ends before it begins.
    """
    if period_to < period_from:
        raise ConflictError(f"campaign {name}: the period ends before it begins")
    row = Campaign(
        name=name,
        profile=profile,
        state=CampaignState.DRAFT.value,
        period_from=period_from,
        period_to=period_to,
        created_at=at,
    )
    session.add(row)
    try:
        await session.flush()
    except IntegrityError:
        raise ConflictError(f"campaign {name}: exists already") from None
    return row


async def all_campaigns(session: AsyncSession) -> list[Campaign]:
    """All campaigns, oldest first."""
    return list(await session.scalars(select(Campaign).order_by(Campaign.id)))


async def get(session: AsyncSession, name: str) -> Campaign:
    """The campaign of this name.

    Raises:
        NotFoundError: there is none.
    """
    row = await session.scalar(select(Campaign).where(Campaign.name == name))
    if row is None:
        raise NotFoundError(f"campaign {name}: does not exist; see `dialer campaign list`")
    return row


async def set_state(
    session: AsyncSession, name: str, state: CampaignState, *, at: datetime, by: str
) -> None:
    """Start, pause, resume or close a campaign, and tell the service.

    Raises:
        NotFoundError: there is no such campaign.
        ConflictError: its present state does not allow it.
    """
    row = await get(session, name)
    if state not in _MAY_BECOME[CampaignState(row.state)]:
        raise ConflictError(f"campaign {name}: is {row.state}, cannot become {state}")
    await session.execute(
        update(table_of(Campaign)).where(Campaign.id == row.id).values(state=state.value)
    )
    await notices.add(session, NoticeKind.CAMPAIGN, at=at, by=by)


async def exclude_day(
    session: AsyncSession, name: str, day: date, *, at: datetime, by: str
) -> None:
    """Take a day out of the calling period (§6(2)); again changes nothing.

    The projections of the campaign's cases must be refreshed afterwards (`db.cases.refresh`).

    Raises:
        NotFoundError: there is no such campaign.
        ConflictError: the day is not in the period.
    """
    row = await get(session, name)
    if not row.period_from <= day <= row.period_to:
        raise ConflictError(f"campaign {name}: {day} is not in its calling period")
    if day in await excluded_days(session, row.id):
        return
    values = {"campaign_id": row.id, "day": day, "ordered_by": by, "ordered_at": at}
    await session.execute(insert(table_of(ExcludedDay)), values)
    await notices.add(session, NoticeKind.CAMPAIGN, at=at, by=by)


async def excluded_days(session: AsyncSession, campaign_id: int) -> frozenset[date]:
    """The days the city took out of the period."""
    query = select(ExcludedDay.day).where(ExcludedDay.campaign_id == campaign_id)
    return frozenset(await session.scalars(query))

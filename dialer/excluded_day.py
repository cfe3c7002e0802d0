"""A day that the city takes out of the calling period, also while it is called (§6(2))."""

from __future__ import annotations

from datetime import date, datetime

from db import campaigns, cases
from db.session import Sessions
from dialer.months import Month, Months


async def exclude_day(sessions: Sessions, name: str, day: date, *, at: datetime, by: str) -> Month:
    """Exclude it at once, then fold the campaign's cases again, step by step: calls go on meanwhile.

    Asked again after an interruption it goes through all cases once more.

    Returns:
        The campaign with its new calendar.

    Raises:
        NotFoundError: there is no such campaign.
        ConflictError: the day is not in the period.
        DatabaseError: the database is away.
    """
    months = Months()
    async with sessions.write() as session:
        await campaigns.exclude_day(session, name, day, at=at, by=by)
        await months.reload(session, at)
        month = months.get((await campaigns.get(session, name)).id)
        ids = await cases.ids(session, month.id)
    for start in range(0, len(ids), cases.BATCH):
        async with sessions.write() as session:
            batch = ids[start : start + cases.BATCH]
            await cases.refresh(session, batch, month.profile, month.calendar, at)
    return month

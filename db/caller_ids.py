"""Which number of the pool is shown from when on (§11(2)イウ), as ordered. Orders are only ever added
or cancelled; the attempts keep what was shown."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db import notices
from db.errors import ConflictError, NotFoundError
from db.notices import NoticeKind
from db.tables import CallerIdChange


async def all_changes(session: AsyncSession) -> list[CallerIdChange]:
    """Every change ever ordered, cancelled ones too, in order of the moments they hold from.

    Of two for one moment the one ordered later comes later, and holds.
    """
    query = select(CallerIdChange).order_by(CallerIdChange.from_at, CallerIdChange.id)
    return list(await session.scalars(query))


async def standing(session: AsyncSession) -> list[tuple[datetime, str]]:
    """The changes that were not cancelled, as moment and number, in the order of `all_changes`."""
    changes = await all_changes(session)
    return [(one.from_at, one.number) for one in changes if one.cancelled_at is None]


async def schedule(
    session: AsyncSession, number: str, *, from_at: datetime, at: datetime, by: str
) -> CallerIdChange:
    """Order a change, and tell the service.

    Raises:
        ConflictError: its moment is past: what was shown then cannot be changed.
    """
    if from_at < at:
        raise ConflictError("the moment is past; leave --from out to change the number at once")
    row = CallerIdChange(number=number, from_at=from_at, ordered_by=by, ordered_at=at)
    session.add(row)
    await session.flush()
    await notices.add(session, NoticeKind.CALLER_IDS, at=at, by=by)
    return row


async def cancel(session: AsyncSession, change_id: int, *, at: datetime, by: str) -> None:
    """Take a change back before its moment comes, and tell the service.

    Raises:
        NotFoundError: there is none with this id.
        ConflictError: it is cancelled already, or its moment has come.
    """
    row = await session.get(CallerIdChange, change_id)
    if row is None:
        raise NotFoundError(f"change {change_id}: does not exist; see `dialer caller-id show`")
    if row.cancelled_at is not None:
        raise ConflictError(f"change {change_id}: is cancelled already")
    if row.from_at <= at:
        raise ConflictError(
            f"change {change_id}: its moment has come; schedule another number instead"
        )
    row.cancelled_at, row.cancelled_by = at, by
    await session.flush()
    await notices.add(session, NoticeKind.CALLER_IDS, at=at, by=by)

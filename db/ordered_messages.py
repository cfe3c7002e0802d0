"""What callers hear by order of the city (§11(2)オ). Orders are only ever added or cancelled."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db import notices
from db.errors import ConflictError, NotFoundError
from db.notices import NoticeKind
from db.tables import OrderedMessage


async def all_orders(session: AsyncSession) -> list[OrderedMessage]:
    """Every order ever given, cancelled ones too, as they were given."""
    return list(await session.scalars(select(OrderedMessage).order_by(OrderedMessage.id)))


async def in_force_or_to_come(session: AsyncSession, now: datetime) -> list[OrderedMessage]:
    """Those that are heard now or may be later, newest order first: of several in force the first holds."""
    query = select(OrderedMessage).where(OrderedMessage.cancelled_at.is_(None))
    rows = await session.scalars(query.order_by(OrderedMessage.id.desc()))
    return [row for row in rows if row.until_at is None or row.until_at > now]


async def order(
    session: AsyncSession,
    text: str | None,
    *,
    from_at: datetime,
    until_at: datetime | None,
    at: datetime,
    by: str,
) -> OrderedMessage:
    """Order a message, and tell the service.

    Args:
        text: what is said; None: a recording was handed over.

    Raises:
        ConflictError: it would never be heard.
    """
    if until_at is not None and until_at <= max(from_at, at):
        raise ConflictError("the message would never be heard; correct --from or --until")
    row = OrderedMessage(
        text=text, from_at=from_at, until_at=until_at, ordered_by=by, ordered_at=at
    )
    session.add(row)
    await session.flush()
    await notices.add(session, NoticeKind.MESSAGES, at=at, by=by)
    return row


async def cancel(session: AsyncSession, message_id: int, *, at: datetime, by: str) -> None:
    """Take an order back, whether it is heard already or not, and tell the service.

    Raises:
        NotFoundError: there is none with this id.
        ConflictError: it is cancelled already, or over.
    """
    row = await session.get(OrderedMessage, message_id)
    if row is None:
        raise NotFoundError(f"message {message_id}: does not exist; see `dialer message list`")
    if row.cancelled_at is not None:
        raise ConflictError(f"message {message_id}: is cancelled already")
    if row.until_at is not None and row.until_at <= at:
        raise ConflictError(f"message {message_id}: is over already")
    row.cancelled_at, row.cancelled_by = at, by
    await session.flush()
    await notices.add(session, NoticeKind.MESSAGES, at=at, by=by)

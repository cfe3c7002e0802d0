"""Operators: who sits at which extension, known by the hash of a token."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db import notices
from db.errors import ConflictError, NotFoundError
from db.notices import NoticeKind
from db.tables import Operator, table_of


async def add(
    session: AsyncSession,
    operator_id: str,
    name: str,
    *,
    at: datetime,
    by: str,
    callbacks_only: bool = False,
) -> str:
    """An operator for an extension that has none, or whose operator was removed; returns the token,
    which is shown once and kept only as its SHA-256.

    Args:
        callbacks_only: gets callbacks alone, and only while nobody else is free for them.

    Raises:
        ConflictError: the extension has an operator already. The transaction is lost.
    """
    token = secrets.token_urlsafe(24)
    values = {
        "name": name,
        "token_sha256": _sha256(token),
        "active": True,
        "ready": False,
        "callbacks_only": callbacks_only,
    }
    removed = (Operator.id == operator_id, Operator.active.is_(False))
    again = await session.execute(update(table_of(Operator)).where(*removed).values(values))
    if again.rowcount == 0:  # type: ignore[attr-defined]
        try:
            await session.execute(insert(table_of(Operator)), values | {"id": operator_id})
        except IntegrityError:
            hint = "for a new token remove it, then add it again"
            raise ConflictError(f"operator {operator_id}: exists already; {hint}") from None
    await notices.add(session, NoticeKind.OPERATORS, at=at, by=by)
    return token


async def all_operators(session: AsyncSession) -> list[Operator]:
    """All operators, the inactive ones included, by extension."""
    return list(await session.scalars(select(Operator).order_by(Operator.id)))


async def deactivate(session: AsyncSession, operator_id: str, *, at: datetime, by: str) -> None:
    """Refuse the operator's token from now on; what they recorded stays.

    Raises:
        NotFoundError: there is no such operator.
    """
    changed = await session.execute(
        update(table_of(Operator)).where(Operator.id == operator_id).values(active=False)
    )
    if changed.rowcount == 0:  # type: ignore[attr-defined]
        raise NotFoundError(f"operator {operator_id}: does not exist")
    await notices.add(session, NoticeKind.OPERATORS, at=at, by=by)


async def set_ready(session: AsyncSession, operator_id: str, *, ready: bool) -> None:
    """Remember whether the operator asked for calls, for the next start of the service."""
    await session.execute(
        update(table_of(Operator)).where(Operator.id == operator_id).values(ready=ready)
    )


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

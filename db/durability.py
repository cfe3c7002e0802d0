"""Whether what the database has confirmed outlives its crash."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def synchronous_commit(session: AsyncSession) -> str | None:
    """PostgreSQL's setting for our connections: with `off` a crash forgets the last of what it had
    confirmed; None: SQLite, which we tell ourselves to be safe (`db.session`)."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    return str(await session.scalar(text("SHOW synchronous_commit")))

"""Inserting rows that may be there already, alike on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession


async def insert_or_ignore(
    session: AsyncSession, table: Table, rows: Sequence[dict[str, Any]]
) -> None:
    """Insert rows; those that a unique key refuses are there already and are left as they are."""
    if rows:
        await session.execute(_ignoring(session, table), list(rows))


async def insert_if_new(session: AsyncSession, table: Table, row: dict[str, Any]) -> bool:
    """Insert a row; False: a unique key refused it, and nothing was changed."""
    statement = _ignoring(session, table).returning(*table.primary_key.columns)
    return (await session.execute(statement, row)).first() is not None


def _ignoring(session: AsyncSession, table: Table) -> sqlite.Insert | postgresql.Insert:
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()

"""Inserting rows that may be there already, alike on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_or_ignore(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; those that a unique key refuses are there already and are left as they are."""
    if rows:
        connection.execute(_ignoring(connection, table), rows)


def insert_if_new(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert a row; False: a unique key refused it, and nothing was changed."""
    statement = _ignoring(connection, table).returning(*table.primary_key.columns)
    return connection.execute(statement, row).first() is not None


def _ignoring(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()

"""Engines and transactions for SQLite (the embedded default) and PostgreSQL.

A transaction is either `Sessions.write()` (committed at its end, or not at all) or `Sessions.read()`.
On SQLite a writing transaction takes the write lock at its start: one that starts as a reader and
writes later fails at once with "database is locked" when somebody else wrote in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from db import sqlite_inline
from db.errors import DatabaseError

BUSY_S = 30.0
"""Seconds a writer waits for another process's transaction (an intake of 100,000 rows takes less)."""

_READS = "yobirin_reads"


def parse_url(url: str) -> URL:
    """Check a database URL.

    Raises:
        DatabaseError: it is neither `sqlite+aiosqlite:///FILE` nor `postgresql+asyncpg://…`.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        # the URL itself is not shown: it may hold a password
        raise DatabaseError(
            "service.database: expected sqlite+aiosqlite:///FILE or postgresql+asyncpg://…"
        )
    if parsed.drivername == "sqlite+aiosqlite" and parsed.database in (None, "", ":memory:"):
        raise DatabaseError(
            "service.database: SQLite needs a file, its data must outlive the service"
        )
    return parsed


def make_engine(url: str) -> AsyncEngine:
    """An engine with durable commits; connects lazily.

    Raises:
        DatabaseError: the URL is not one of ours.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_async_engine(
            parsed,
            # an error's text would otherwise show the values, which may be personal
            hide_parameters=True,
            connect_args={
                "timeout": 5,
                "command_timeout": 60,
                # compiling a statement takes longer than any of ours runs, and is done where the
                # planner's guess of the costs is off, as after an intake
                "server_settings": {"jit": "off"},
            },
        )
    engine = create_async_engine(
        parsed,
        hide_parameters=True,
        connect_args={"timeout": BUSY_S, "async_creator_fn": sqlite_inline.connect},
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = (
        None  # transactions are begun by `_begin_sqlite`, not by the driver
    )
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get(_READS, False)
    # by the driver's own cursor: SQLAlchemy's way to a statement costs more than the statement
    cursor = connection.connection.cursor()
    cursor.execute("BEGIN" if reads else sqlite_inline.BEGIN_WRITING)
    cursor.close()


class Sessions:
    """Where every transaction begins; one per process and database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        options: dict[str, Any] = {_READS: True}
        if engine.dialect.name == "postgresql":
            # as SQLite does it anyway: all that is read is of one moment
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = engine.execution_options(**options)
        # within one process writers queue here: fairer and quicker than SQLite's polling
        self._queue = asyncio.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed and durable when the block ends, undone if it raises.

        Raises:
            DatabaseError: the database is away, or refused a statement. Whether a commit under way
                arrived is not known.
        """
        async with self._queue, _translated(), AsyncSession(self.engine) as session:
            yield session
            await session.commit()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """One look, at one moment; nothing can be written in it that stays.

        Raises:
            DatabaseError: the database is away, or refused a statement.
        """
        async with _translated(), AsyncSession(self._reading) as session:
            yield session

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def make_sessions(url: str) -> Sessions:
    """`Sessions` on a database URL.

    Raises:
        DatabaseError: the URL is not one of ours.
    """
    return Sessions(make_engine(url))


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    """Turn the drivers' many errors into one without values: those of a row may be personal."""
    try:
        yield
    except DBAPIError as error:
        raise DatabaseError(_reason(error)) from None
    except (ConnectionError, FileNotFoundError, TimeoutError) as error:
        raise DatabaseError(f"the database cannot be reached ({type(error).__name__})") from None


def _reason(error: DBAPIError) -> str:
    kind = type(error.orig).__name__
    text = str(error.orig)
    # PostgreSQL: undefined table, undefined column
    missing = getattr(error.orig, "sqlstate", None) in ("42P01", "42703")
    if missing or text.startswith(("no such table", "no such column")):
        return "the database has no tables or old ones; run `dialer db upgrade`"
    if error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError)):
        return f"the database cannot be used ({kind}); is it running?"
    statement = " ".join((error.statement or "").split())
    return f"the database refused a statement ({kind}): {statement:.200}"

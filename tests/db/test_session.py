"""Transactions: durable, whole, side by side with another process, and honest about trouble."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, insert, select, text, update

from db.errors import DatabaseError
from db.session import Sessions, make_sessions
from db.tables import EmergencyStop, table_of
from tests.databases import PostgresServer
from tests.db.town import NOON


async def test_what_is_committed_is_there_for_another_connection(
    database_url: str, sessions: Sessions
) -> None:
    async with sessions.write() as session:
        await session.execute(insert(table_of(EmergencyStop)), {"at": NOON, "by": "tests"})
    other = make_sessions(database_url)
    async with other.read() as session:
        assert await session.scalar(select(EmergencyStop.at)) == NOON
    await other.close()


async def test_what_raises_leaves_nothing(sessions: Sessions) -> None:
    with pytest.raises(RuntimeError):
        async with sessions.write() as session:
            await session.execute(insert(table_of(EmergencyStop)), {"at": NOON, "by": "tests"})
            raise RuntimeError
    async with sessions.read() as session:
        assert await session.scalar(select(EmergencyStop.id)) is None


async def test_two_processes_that_read_and_then_write_are_never_told_locked(
    database_url: str,
) -> None:
    """As CLI and service do; a deferred SQLite transaction would fail on its first write."""
    both = [make_sessions(database_url) for _ in range(2)]
    async with both[0].write() as session:
        await session.execute(insert(table_of(EmergencyStop)), {"at": NOON, "by": "0"})

    async def add_one(sessions: Sessions) -> None:
        for _n in range(20):
            async with sessions.write() as session:
                # the row lock that SQLite's write lock implies
                by = await session.scalar(select(EmergencyStop.by).with_for_update())
                await asyncio.sleep(0)
                await session.execute(
                    update(table_of(EmergencyStop)).values(by=str(int(by or 0) + 1))
                )

    await asyncio.gather(*(add_one(sessions) for sessions in both for _ in range(2)))
    async with both[0].read() as session:
        assert await session.scalar(select(EmergencyStop.by)) == "80"
    for sessions in both:
        await sessions.close()


async def test_sqlite_commits_durably_and_minds_foreign_keys(tmp_path) -> None:
    sessions = make_sessions(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    async with sessions.read() as session:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert await session.scalar(text(f"PRAGMA {pragma}")) == value
    await sessions.close()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://root:secret@localhost/x",
        "sqlite:///x.db",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "not a url",
    ],
)
def test_a_url_of_another_kind_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(DatabaseError) as refused:
        make_sessions(url)
    assert "secret" not in str(refused.value)


async def test_a_database_that_is_away_is_said_to_be_away(tmp_path) -> None:
    for url in (
        f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/x.db",
        f"postgresql+asyncpg://postgres@/x?host={tmp_path}",
    ):
        sessions = make_sessions(url)
        with pytest.raises(DatabaseError):
            async with sessions.read() as session:
                await session.execute(select(func.now()))
        await sessions.close()


async def test_a_server_killed_within_a_transaction_is_away_and_later_there_again() -> None:
    with PostgresServer.running() as server:
        sessions = make_sessions(server.url("postgres"))
        with pytest.raises(DatabaseError):
            async with sessions.write() as session:
                await session.execute(text("CREATE TABLE lost (x int)"))
                server.stop()
                await session.execute(text("INSERT INTO lost VALUES (1)"))
        with pytest.raises(DatabaseError):
            async with sessions.read() as session:
                await session.execute(text("SELECT 1"))
        server.start()
        async with sessions.read() as session:
            assert await session.scalar(text("SELECT to_regclass('lost')")) is None
        await sessions.close()


async def test_postgresql_runs_statements_without_compiling_them(postgres: PostgresServer) -> None:
    sessions = make_sessions(postgres.url("yobirin"))
    async with sessions.read() as session:
        assert await session.scalar(text("SHOW jit")) == "off"
    await sessions.close()


async def test_an_error_shows_no_values(sessions: Sessions) -> None:
    with pytest.raises(DatabaseError) as refused:
        async with sessions.write() as session:
            await session.execute(text("INSERT INTO notice (id) VALUES (:x)"), {"x": "星野"})
    assert "星野" not in str(refused.value)

"""What may wait goes to the thread, what cannot stays: a library's inside we rely on."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import text

from db.session import make_sessions
from db.sqlite_inline import MANY


async def test_only_steps_that_may_wait_leave_the_event_loop_s_thread(tmp_path: Path) -> None:
    sessions = make_sessions(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    where: list[tuple[str, bool]] = []
    here = threading.get_ident()
    async with sessions.write() as session:
        await session.execute(text("CREATE TABLE t (x int)"))
        raw = await (await session.connection()).get_raw_connection()
        raw.driver_connection._conn.set_trace_callback(
            lambda sql: where.append((sql.split()[0], threading.get_ident() == here))
        )
    async with sessions.write() as session:
        await session.execute(text("INSERT INTO t VALUES (:x)"), {"x": 1})
        await session.execute(text("SELECT x FROM t"))
    assert where == [
        ("COMMIT", False),
        ("BEGIN", False),
        ("INSERT", True),
        ("SELECT", True),
        ("COMMIT", False),
    ]
    where.clear()
    async with sessions.read() as session:
        await session.execute(text("SELECT x FROM t"))
    assert where == [("BEGIN", True), ("SELECT", True), ("ROLLBACK", True)]
    where.clear()
    async with sessions.write() as session:
        rows = [{"x": n} for n in range(MANY + 1)]
        await session.execute(text("INSERT INTO t VALUES (:x)"), rows)
    assert {inside for statement, inside in where if statement == "INSERT"} == {False}
    await sessions.close()

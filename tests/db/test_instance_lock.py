"""One dialer service per database."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest
from sqlalchemy import text

from db.errors import DatabaseError
from db.instance_lock import InstanceLock
from db.session import make_sessions

HOLDER = """
import asyncio, sys
from db.instance_lock import InstanceLock

async def main():
    async with InstanceLock(sys.argv[1]):
        print("held", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_second_service_is_refused_until_the_first_is_gone(database_url: str) -> None:
    async with InstanceLock(database_url) as first:
        with pytest.raises(DatabaseError, match="another dialer"):
            async with InstanceLock(database_url):
                pass
        await first.renew()
    async with InstanceLock(database_url):
        pass


async def test_a_killed_service_holds_nothing(database_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, database_url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"held\n"
    with pytest.raises(DatabaseError):
        async with InstanceLock(database_url):
            pass
    process.send_signal(signal.SIGKILL)
    await process.wait()
    async with asyncio.timeout(30):
        while True:  # PostgreSQL notices the closed connection a moment later
            try:
                async with InstanceLock(database_url):
                    return
            except DatabaseError:
                await asyncio.sleep(0.01)


async def test_a_lock_lost_with_its_connection_is_taken_again(database_url: str) -> None:
    async with InstanceLock(database_url) as lock:
        if database_url.startswith("postgresql"):
            sessions = make_sessions(database_url)
            async with sessions.write() as session:
                await session.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_locks "
                        "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
                    )
                )
            await sessions.close()
        await lock.renew()
        with pytest.raises(DatabaseError, match="another dialer"):
            async with InstanceLock(database_url):
                pass


async def test_a_database_that_is_away_cannot_be_locked(tmp_path) -> None:
    for url in (
        f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/x.db",
        f"postgresql+asyncpg://postgres@/x?host={tmp_path}",
    ):
        with pytest.raises(DatabaseError):
            async with InstanceLock(url):
                pass

"""Throw-away databases: every test that asks for `database_url` runs on SQLite and on PostgreSQL.

One PostgreSQL server per test run, on a UNIX socket of its own. A migrated database is made once for
each kind: SQLite's file is copied for every test, PostgreSQL's tables are emptied after it (quicker
than a copy of a whole database).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from db.session import Sessions, make_sessions
from db.tables import Base
from db.upgrade import upgrade

_QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200")


class PostgresServer:
    """A server that lives in one folder; as root it runs as the user `postgres`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = _find_programs()
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[PostgresServer]:
        """A server of one's own; gone with all its data at the end."""
        # not pytest's own folder, which only its owner may enter; short, for a socket's path
        folder = Path(tempfile.mkdtemp(prefix="yobirin-pg-"))
        try:
            server = cls(folder)
            server._create()
            server.start()
            try:
                yield server
            finally:
                if server.is_up():
                    server.stop()
        finally:
            shutil.rmtree(folder)

    def _create(self) -> None:
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync")

    def start(self, *settings: str) -> None:
        """Start, and return when it takes connections."""
        options = " ".join(f"-c {setting}" for setting in (*_QUICK, *settings))
        network = f"-c listen_addresses= -k {self._folder}"
        log = str(self._folder / "log")
        self._run("pg_ctl", "start", "--wait", "--log", log, "-o", f"{network} {options}")

    def stop(self, mode: str = "immediate") -> None:
        """Stop; `immediate` is a crash without a last word."""
        self._run("pg_ctl", "stop", "--wait", "--mode", mode)

    def is_up(self) -> bool:
        """Whether its main process lives."""
        return (self._folder / "data" / "postmaster.pid").exists()

    def url(self, database: str) -> str:
        """URL of one of its databases, as the settings file takes it."""
        return f"postgresql+asyncpg://postgres@/{database}?host={self._folder}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement."""
        where = f"host={self._folder} user=postgres dbname={database}"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        as_user = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
        data = str(self._folder / "data")
        command = [*as_user, str(self._programs / program), "-D", data, *arguments]
        # a folder that the user `postgres` may enter; a log file, not a pipe that the server keeps open
        with (self._folder / f"{program}.out").open("a+") as out:
            done = subprocess.run(command, cwd=self._folder, stdout=out, stderr=out, check=False)
            if done.returncode:
                out.seek(0)
                pytest.fail(f"{program} failed:\n{out.read()}")


def _find_programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.fail("PostgreSQL is missing: install the package `postgresql` (scripts/test does)")
    return found[-1].parent


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The test run's server, with a migrated database `yobirin`."""
    with PostgresServer.running() as server:
        server.execute("CREATE DATABASE yobirin")
        asyncio.run(upgrade(server.url("yobirin")))
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"empty_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a migrated database without rows."""
    if request.param == "sqlite":
        path = tmp_path / "yobirin.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    yield server.url("yobirin")
    # what a test left open would hold its locks
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'yobirin'"
    )
    tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
    server.execute(f"TRUNCATE {tables} RESTART IDENTITY", "yobirin")


@pytest.fixture
async def sessions(database_url: str) -> AsyncIterator[Sessions]:
    """Transactions on a migrated database without rows."""
    made = make_sessions(database_url)
    yield made
    await made.close()

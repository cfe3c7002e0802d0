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
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from db.session import Sessions, make_sessions
from db.tables import Base
from db.upgrade import upgrade

_AS_USER = ("--reuid=postgres", "--regid=postgres", "--clear-groups")
"""The server refuses to run as root."""
_SETPRIV = ("setpriv", *(_AS_USER if os.geteuid() == 0 else ()))
_WHILE_WE_LIVE = '"$@" & read -r _; kill -QUIT $!; wait $!'
"""Shell: the server ends when our end of the pipe closes, also when the test run is killed."""
_START_S = 30.0
_QUICK = (
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "max_connections=200",
)


class PostgresServer:
    """A server that lives in one folder; as root it runs as the user `postgres`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = _find_programs()
        self._process: subprocess.Popen[bytes] | None = None
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
                server.stop()
        finally:
            shutil.rmtree(folder)

    def _create(self) -> None:
        options = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync")
        program = str(self._programs / "initdb")
        done = subprocess.run(
            [*_SETPRIV, program, "-D", str(self._folder / "data"), *options],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"initdb failed:\n{done.stdout}{done.stderr}")

    def start(self, *settings: str) -> None:
        """Start, and return when it takes connections."""
        options = [part for setting in (*_QUICK, *settings) for part in ("-c", setting)]
        program = str(self._programs / "postgres")
        with (self._folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                [
                    *("sh", "-c", _WHILE_WE_LIVE, "sh", *_SETPRIV, program),
                    *("-D", str(self._folder / "data"), "-k", str(self._folder), *options),
                ],
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start:\n{(self._folder / 'log').read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Crash it without a last word; one that is down already stays so."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    @property
    def runs(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._process is not None

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        """URL of one of its databases, as the settings file takes it."""
        return f"postgresql+asyncpg://postgres@/{database}?host={self._folder}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement."""
        where = f"host={self._folder} user=postgres dbname={database}"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())


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

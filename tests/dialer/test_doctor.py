"""What `dialer doctor` finds of the database, without any Asterisk."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialer import doctor
from dialer.doctor import Finding
from dialer.settings import Settings
from tests.asterisk.pbx import settings_in
from tests.databases import PostgresServer


async def commits(folder: Path, url: str | None = None) -> Finding:
    """What is found of confirmed commits; no URL: on SQLite."""
    settings: Settings = settings_in(folder)
    if url is not None:
        service = settings.service.model_copy(update={"database": url})
        settings = settings.model_copy(update={"service": service})
    findings = await doctor.check(settings, folder / "s.toml")
    (found,) = (one for one in findings if one.name == "confirmed commits")
    return found


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """Name of a database of one's own."""
    name = f"doctor_{uuid.uuid4().hex}"
    postgres.execute(f"CREATE DATABASE {name}")
    yield name
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


SETTINGS = [("on", True), ("remote_apply", True), ("local", True), ("off", False)]


@pytest.mark.parametrize(("setting", "ok"), SETTINGS)
async def test_a_postgresql_that_may_lose_what_it_confirmed_is_found(
    tmp_path: Path, postgres: PostgresServer, database: str, setting: str, ok: bool
) -> None:
    postgres.execute(f"ALTER DATABASE {database} SET synchronous_commit = {setting}")
    found = await commits(tmp_path, postgres.url(database))
    assert (found.ok, found.detail) == (ok, f"synchronous_commit is {setting}")
    assert ("SET synchronous_commit = on" in found.what_to_do) is not ok


async def test_sqlite_keeps_what_it_confirmed(tmp_path: Path) -> None:
    assert (await commits(tmp_path)).ok

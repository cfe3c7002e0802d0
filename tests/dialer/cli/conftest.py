"""An installation in a folder of its own, and the command run on it."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from db import campaigns
from db.session import make_sessions
from db.tables import CaseRow, Intake, PhoneRow
from dialer.cli.app import run
from dialer.cli.work import now
from dialer.refresh import refresh
from dialer.settings import ensure_secrets, load_settings

T = TypeVar("T")

PERSON = {"name": "試験　花子", "number": "0258000001", "address": "長岡市試験町1番"}


@dataclass(frozen=True)
class Done:
    """What a command line came to."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class House:
    """One installation."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def settings(self) -> Path:
        return self.folder / "yobirin.toml"

    @property
    def url(self) -> str:
        return f"sqlite+aiosqlite:///{self.folder / 'yobirin.db'}"

    def run(self, *arguments: str) -> Done:
        """Run `dialer --settings … ARGUMENTS` in this process."""
        self.capsys.readouterr()
        status = run(["--settings", str(self.settings), *arguments])
        out, err = self.capsys.readouterr()
        return Done(status, out, err)

    def do(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """What `work` returns, done in one transaction on the database."""

        async def opened() -> T:
            sessions = make_sessions(self.url)
            try:
                async with sessions.write() as session:
                    return await work(session)
            finally:
                await sessions.close()

        return asyncio.run(opened())

    def add_case(self, campaign: str, reference: str, person: str = "P") -> int:
        """A case of an invented person with one phone."""

        async def work(session: AsyncSession) -> int:
            month = await campaigns.get(session, campaign)
            return await _add_case(session, month.id, reference, person)

        return self.do(work)


@pytest.fixture
def house(tmp_path: Path, sqlite_template: Path, capsys: pytest.CaptureFixture[str]) -> House:
    """An installation with a migrated database without rows, and nothing that runs."""
    made = House(tmp_path, capsys)
    made.settings.write_text(
        f'[service]\ndatabase = "{made.url}"\n'
        f'[trunk]\nhost = "127.0.0.1"\n'
        f'[caller_id]\npool = ["0258000001", "0258000002"]\n'
        f"[http]\nport = {free_port()}\n",
        encoding="utf-8",
    )
    ensure_secrets(load_settings(made.settings), made.settings)
    shutil.copyfile(sqlite_template, tmp_path / "yobirin.db")
    return made


@pytest.fixture
def month(house: House) -> House:
    """The installation with a draft campaign `2026-09`."""
    period = ("--from", "2026-09-18", "--to", "2026-09-24")
    assert house.run("campaign", "create", "2026-09", *period).status == 0
    return house


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _add_case(session: AsyncSession, campaign_id: int, reference: str, person: str) -> int:
    intake = Intake(
        campaign_id=campaign_id,
        sha256="0" * 64,
        at=now(),
        handed_by="test",
        rows=1,
        added=1,
        changed=0,
        unchanged=0,
        refused=0,
    )
    session.add(intake)
    await session.flush()
    case = CaseRow(
        campaign_id=campaign_id,
        intake_id=intake.id,
        reference=reference,
        person_key=person,
        household_key=f"H-{person}",
        person_number="1",
        household_number="1",
        name=PERSON["name"],
        kana="シケン ハナコ",
        birth_date=date(1970, 1, 2).isoformat(),
        postal_code="940-0000",
        address=PERSON["address"],
        category="初期滞納",
        amount_yen="12300",
        instalments="",
        last_paid=None,
        note="",
        status="open",
        clause=None,
        appointment=None,
    )
    session.add(case)
    await session.flush()
    phone = PhoneRow(
        campaign_id=campaign_id,
        case_id=case.id,
        position=1,
        number=PERSON["number"],
        number_key=f"N-{reference}",
        kind="fixed",
        status="open",
        due_at=None,
    )
    session.add(phone)
    await session.flush()
    await refresh(session, [case.id], now())
    return case.id

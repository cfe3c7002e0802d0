"""A call centre to measure: a real PBX, operators' legs and callees played by SIPp, a database full of
cases, and the dialer in a process of its own. Everything on free ports and in one temporary folder."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import httpx
from sqlalchemy import func, insert, select

from db import campaigns
from db.campaigns import CampaignState
from db.keys import Keys
from db.session import Sessions, make_sessions
from db.tables import Attempt, CaseRow, Intake, Operator, PhoneRow, table_of
from db.upgrade import upgrade
from dialer.asterisk_config import render
from dialer.settings import Secrets, Settings, ensure_secrets, load_settings
from rules.calendar import JST
from scripts.asterisk.instance import RunningAsterisk, start_asterisk
from scripts.asterisk.ports import free_port
from scripts.bench.answerer import answering
from scripts.bench.sipp import Sipp, key_tone
from scripts.sounds import write_prompts

NOW = datetime(2026, 10, 26, 10, 0, tzinfo=JST)
"""A Monday inside calling hours; the dialer's clock begins here."""
PERIOD = (date(2026, 10, 20), date(2026, 10, 31))
CAMPAIGN = "2026-10"
PROFILE = "nagaoka-r8"
POOL = ("0258990001", "0258990002")
FIRST_EXTENSION = 201
BY = "benchmark"
_PATIENCE_S = 60.0
_BATCH = 500


@dataclass
class Centre:
    """Everything but the callees and the dialer, which a benchmark starts as it needs them."""

    folder: Path
    settings_path: Path
    settings: Settings
    secrets: Secrets
    asterisk: RunningAsterisk
    sessions: Sessions

    async def add_cases(self, numbers: list[str]) -> None:
        """A case for each number, due at once, without the intake's checks and without folding."""
        keys = Keys.from_hex(self.secrets.lookup_key)
        async with self.sessions.write() as session:
            campaign = await campaigns.get(session, CAMPAIGN)
            intake = Intake(
                campaign_id=campaign.id, sha256="0" * 64, at=NOW, handed_by=BY, rows=len(numbers),
                added=len(numbers), changed=0, unchanged=0, refused=0,
            )  # fmt: skip
            session.add(intake)
            await session.flush()
            first = 1 + (await session.scalar(select(func.max(CaseRow.id))) or 0)
            for start in range(0, len(numbers), _BATCH):
                batch = list(enumerate(numbers[start : start + _BATCH], first + start))
                rows = [_case(n, campaign.id, intake.id, keys) for n, _ in batch]
                await session.execute(insert(table_of(CaseRow)), rows)
                phones = [_phone(n, number, campaign.id, keys) for n, number in batch]
                await session.execute(insert(table_of(PhoneRow)), phones)

    async def seat_operators(self) -> None:
        """An operator at every extension, who asked for calls."""
        rows = [
            {
                "id": extension,
                "name": extension,
                "token_sha256": hashlib.sha256(extension.encode()).hexdigest(),
                "active": True,
                "ready": True,
            }
            for extension in self.settings.operators.extensions()
        ]
        async with self.sessions.write() as session:
            await session.execute(insert(table_of(Operator)), rows)

    async def set_campaign(self, state: CampaignState) -> None:
        """Start or pause calling, as the command line does."""
        async with self.sessions.write() as session:
            await campaigns.set_state(session, CAMPAIGN, state, at=NOW, by=BY)

    async def attempts(self) -> dict[str, str]:
        """The number called, by attempt."""
        query = select(Attempt.id, PhoneRow.number).join(PhoneRow, PhoneRow.id == Attempt.phone_id)
        async with self.sessions.read() as session:
            return {row.id: row.number for row in await session.execute(query)}

    @contextmanager
    def legs(self) -> Iterator[None]:
        """A softphone for every operator, nailed up as long as the block lasts."""
        listed = self.folder / "operators.csv"
        extensions = self.settings.operators.extensions()
        lines = [
            f"{extension};[authentication username={extension} password={self.secrets.sip[extension]}]"
            for extension in extensions
        ]
        listed.write_text("\n".join(["SEQUENTIAL", *lines]) + "\n")
        count = str(len(extensions))
        where = f"127.0.0.1:{self.settings.asterisk.sip_port}"
        more = ("-inf", str(listed), "-m", count, "-r", "20", where)
        with Sipp("operator", self.folder, free_port(), *more):
            yield

    @contextmanager
    def answerer(self) -> Iterator[subprocess.Popen[bytes]]:
        """The process that tells the PBX what callers get."""
        with answering(self.settings, self.folder) as process:
            yield process

    @contextmanager
    def callers(
        self, ways: Sequence[str], *, rate: float, at_once: int | None = None
    ) -> Iterator[Sipp]:
        """People who call us, each from a number of their own (`caller_number`).

        Args:
            ways: what each does on the line (`sipp/caller.xml`).
            rate: calls a second.
            at_once: so many of them at most; None: all.
        """
        listed = self.folder / "callers.csv"
        lines = [f"{caller_number(n)};{POOL[n % len(POOL)]};{way}" for n, way in enumerate(ways)]
        listed.write_text("\n".join(["SEQUENTIAL", *lines]) + "\n")
        for key in "12":
            (self.folder / f"key{key}.ulaw").write_bytes(key_tone(key))
        count = str(len(ways))
        where = f"127.0.0.1:{self.settings.asterisk.sip_port}"
        more = ("-inf", str(listed), "-m", count, "-r", str(rate), "-l", str(at_once or count))
        with Sipp("caller", self.folder, free_port(), *more, where) as sipp:
            yield sipp

    @contextmanager
    def callees(self, scenario: str, *, full: bool = False) -> Iterator[Sipp]:
        """Everybody who can be called."""
        with Sipp(scenario, self.folder, self.settings.trunk.port, full=full) as sipp:
            yield sipp

    @contextmanager
    def dialer(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """The dialer's process."""
        command = [sys.executable, "-m", "scripts.bench.serve", str(self.settings_path), *arguments]
        with (self.folder / "dialer.log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    async def operators_ready(self) -> None:
        """Wait until the dialer says that every operator is free."""
        url = f"http://127.0.0.1:{self.settings.http.port}/api/status"
        # a proxy set for the web must not be asked for this machine
        async with httpx.AsyncClient(trust_env=False) as http:

            async def ready() -> bool:
                try:
                    status = (await http.get(url)).raise_for_status().json()
                except httpx.HTTPError:
                    return False
                return all(operator["state"] == "free" for operator in status["operators"])

            await until(ready, "operators to be free")


def caller_number(n: int) -> str:
    """The number of the caller at this place of the list."""
    return f"0258{700000 + n:06}"


async def until(
    true: Callable[[], Awaitable[bool]], what: str, within_s: float = _PATIENCE_S
) -> None:
    """Wait for something.

    Raises:
        TimeoutError: it did not come.
    """
    try:
        async with asyncio.timeout(within_s):
            while not await true():
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise TimeoutError(f"waited {within_s:.0f} s in vain for {what}") from None


@asynccontextmanager
async def centre(
    operators: int, *, identity: str = "both", lines: int = 300, profile: str = PROFILE
) -> AsyncIterator[Centre]:
    """A PBX with its database, one campaign that is not started, and operators who asked for calls.

    Args:
        profile: the campaign's, by name or file.
    """
    async with AsyncExitStack() as stack:
        # a short name: the path of Asterisk's control socket has a limit
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="yobirin-"))
        folder = Path(name)
        path = folder / "yobirin.toml"
        path.write_text(_settings(folder, operators, identity, lines))
        settings = load_settings(path)
        secrets = ensure_secrets(settings, path)
        write_prompts(settings.asterisk.sounds_dir)
        render(settings, secrets, path, folder / "conf")
        await upgrade(settings.service.database)
        sessions = make_sessions(settings.service.database)
        stack.push_async_callback(sessions.close)
        async with sessions.write() as session:
            await campaigns.create(
                session, CAMPAIGN, profile=profile, period_from=PERIOD[0],
                period_to=PERIOD[1], at=NOW,
            )  # fmt: skip
        asterisk = await asyncio.to_thread(start_asterisk, folder / "conf", folder / "run")
        stack.push_async_callback(asyncio.to_thread, asterisk.stop)
        made = Centre(folder, path, settings, secrets, asterisk, sessions)
        await made.seat_operators()
        yield made


def _settings(folder: Path, operators: int, identity: str, lines: int) -> str:
    rtp_ports = 2 * (lines + operators) + 100
    # above those that others look for; Asterisk passes over one that is taken
    rtp = random.randrange(33000, 60000 - rtp_ports, 2)
    return f"""\
[service]
database = "sqlite+aiosqlite:///{folder / "yobirin.db"}"
drain_s = 0

[ami]
port = {free_port()}

[http]
port = {free_port()}

[trunk]
host = "127.0.0.1"
port = {free_port()}
lines = {lines}
identity = "{identity}"

[agi]
port = {free_port()}
board = "{folder}/run/board.json"

[caller_id]
pool = {json.dumps(POOL)}

[operators]
first_extension = {FIRST_EXTENSION}
count = {operators}

[asterisk]
sip_port = {free_port()}
rtp_start = {rtp}
rtp_end = {rtp + rtp_ports - 1}
run_dir = "{folder}/run/run"
var_dir = "{folder}/run/var"
spool_dir = "{folder}/run/spool"
log_dir = "{folder}/run/log"
sounds_dir = "{folder}/run/sounds"
messages_dir = "{folder}/run/messages"
"""


def _case(n: int, campaign_id: int, intake_id: int, keys: Keys) -> dict[str, object]:
    return {
        "id": n, "campaign_id": campaign_id, "intake_id": intake_id, "reference": f"{n:010}",
        "person_key": keys.person(str(n)), "household_key": keys.household(str(n)),
        "person_number": str(n), "household_number": str(n), "name": "試験 太郎",
        "kana": "シケン タロウ", "birth_date": "1970-01-01", "postal_code": "940-0000",
        "address": "長岡市試験町1番1号", "category": "初期滞納", "amount_yen": "1000",
        "instalments": "", "last_paid": None, "note": "", "status": "open", "clause": None,
        "appointment": None,
    }  # fmt: skip


def _phone(n: int, number: str, campaign_id: int, keys: Keys) -> dict[str, object]:
    return {
        "id": n, "campaign_id": campaign_id, "case_id": n, "position": 1, "number": number,
        "number_key": keys.number(number), "kind": "fixed", "learned": False, "status": "open",
        "counted": 0, "weekend_met": False, "due_at": NOW, "rank": 1,
    }  # fmt: skip

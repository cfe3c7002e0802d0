"""A whole installation in one folder: settings, secrets, database, a PBX, all on free ports.

Everything is set up through the command line a supervisor would use.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

from dialer.settings import Secrets, Settings, load_secrets, load_settings
from scripts.asterisk.ports import free_port, free_range

CALLER_IDS = ("0258990001", "0258990002")
"""Invented numbers of the call centre."""
FIRST_EXTENSION = 201
_RTP_PORTS = 400
_DIALER = Path(sys.executable).with_name("dialer")
_AGI = Path(sys.executable).with_name("yobirin-agi")
_LISTENS_S = 60.0
_BY = "demo"


class CommandError(RuntimeError):
    """A command of the dialer failed; the text is what it said."""


class Installation:
    """The dialer's side of a demo."""

    def __init__(self, folder: Path, operators: int, trunk_port: int) -> None:
        """Write the settings file; the carrier is at 127.0.0.1:`trunk_port`."""
        self.folder = folder
        self.settings_path = folder / "yobirin.toml"
        self.settings_path.write_text(_settings(folder, operators, trunk_port), encoding="utf-8")

    @property
    def settings(self) -> Settings:
        """As the service reads them."""
        return load_settings(self.settings_path)

    @property
    def secrets(self) -> Secrets:
        """There once the configuration of Asterisk was rendered."""
        return load_secrets(self.settings_path)

    @property
    def pbx_conf(self) -> Path:
        """What the PBX takes as its configuration folder."""
        return self.folder / "pbx" / "conf"

    async def dialer(self, *arguments: str) -> str:
        """Run a command of the dialer and return what it printed.

        Raises:
            CommandError: its exit status was not 0.
        """
        process = await asyncio.create_subprocess_exec(
            str(_DIALER),
            "--settings",
            str(self.settings_path),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complained = await process.communicate()
        if process.returncode:
            raise CommandError(f"dialer {' '.join(arguments[:2])}: {complained.decode().strip()}")
        return said.decode()

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """Run what tells Asterisk what callers get, until the block ends.

        Raises:
            CommandError: it did not begin to listen.
        """
        with (self.folder / "agi.log").open("w") as log:
            process = await asyncio.create_subprocess_exec(
                str(_AGI), "--settings", str(self.settings_path), stderr=log
            )
        try:
            await self._listens(process)
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    async def _listens(self, process: asyncio.subprocess.Process) -> None:
        agi = self.settings.agi
        async with asyncio.timeout(_LISTENS_S):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection(agi.host, agi.port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    return writer.close()
        raise CommandError("yobirin-agi: ended at once")

    async def prepare(self) -> None:
        """Tables, secrets and the PBX's configuration."""
        await self.dialer("db", "upgrade")
        await self.dialer("asterisk", "render", str(self.pbx_conf))

    async def add_operators(self) -> dict[str, str]:
        """Seat an operator at every extension; their tokens by extension."""
        extensions = self.settings.operators.extensions()
        tokens = await asyncio.gather(*map(self._add_operator, extensions))
        return dict(zip(extensions, tokens, strict=True))

    async def _add_operator(self, extension: str) -> str:
        who = (extension, "--name", f"オペレータ{extension}", "--by", _BY)
        added = json.loads(await self.dialer("operator", "add", *who, "--json"))
        token: str = added["token"]
        return token

    async def start_campaign(
        self, name: str, first: date, last: date, city_file: Path, shifts: Mapping[date, range]
    ) -> None:
        """Make a campaign, take in the city's file and the operators' roster, begin to call."""
        period = ("--from", first.isoformat(), "--to", last.isoformat())
        await self.dialer("campaign", "create", name, *period, "--by", _BY)
        taken_in = ("--campaign", name, "--handed-by", _BY)
        await self.dialer("cases", "import", str(city_file), *taken_in)
        await self.dialer("roster", "import", str(self._roster(shifts)), "--by", _BY)
        await self.dialer("campaign", "start", name, "--by", _BY)

    def _roster(self, shifts: Mapping[date, range]) -> Path:
        operators = len(self.settings.operators.extensions())
        lines = [f"{day},{hour},{operators}" for day, hours in shifts.items() for hour in hours]
        file = self.folder / "roster.csv"
        file.write_text("\n".join(["日付,時,人数", *lines, ""]), encoding="utf-8")
        return file


class MonthsCampaign:
    """One campaign, paused and resumed through the command line."""

    def __init__(self, installation: Installation, name: str) -> None:
        self._installation = installation
        self._name = name

    async def pause(self) -> None:
        """Place no new call; returns once the service acted on it."""
        await self._installation.dialer("campaign", "pause", self._name, "--by", _BY)

    async def resume(self) -> None:
        """Place calls again."""
        await self._installation.dialer("campaign", "resume", self._name, "--by", _BY)


def _settings(folder: Path, operators: int, trunk_port: int) -> str:
    rtp = free_range(_RTP_PORTS)
    pbx = folder / "pbx"
    return f"""\
[service]
database = "sqlite+aiosqlite:///{folder / "yobirin.db"}"

[ami]
port = {free_port()}

[http]
port = {free_port()}

[agi]
port = {free_port()}
board = "{folder / "board.json"}"

[trunk]
host = "127.0.0.1"
port = {trunk_port}
lines = {4 * operators}

[caller_id]
pool = {json.dumps(CALLER_IDS)}

[operators]
first_extension = {FIRST_EXTENSION}
count = {operators}

[asterisk]
sip_port = {free_port()}
rtp_start = {rtp}
rtp_end = {rtp + _RTP_PORTS - 1}
run_dir = "{pbx / "run"}"
var_dir = "{pbx / "var"}"
spool_dir = "{pbx / "spool"}"
log_dir = "{pbx / "log"}"
sounds_dir = "{pbx / "sounds"}"
messages_dir = "{pbx / "messages"}"
"""

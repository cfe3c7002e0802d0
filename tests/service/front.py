"""A centre that is called, with parts that can be killed: the dialer, `yobirin-agi` and PostgreSQL; a real
Asterisk, telephones on both sides, and operators at their screens."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import httpx
from panoramisk.message import Message
from sqlalchemy import select

from agi.board import moment_of, read_board
from db.tables import Callback, CallbackChange
from db.upgrade import upgrade
from dialer.ami import contract
from dialer.ami.link import Link
from dialer.profiles import read_profile
from scripts.bench.answerer import start_answerer
from tests.asterisk import tones
from tests.asterisk.pbx import POOL
from tests.asterisk.phone import HOST, Call
from tests.databases import PostgresServer
from tests.service.rig import MONDAY, START_S, Rig, Screen, open_house, rig

T = TypeVar("T")

READY_S = START_S
"""Longest until a part that was started again is there."""
_LOOK_S = 0.05
_DURABLE = "synchronous_commit=on"
"""What was committed outlives the server's death, as anywhere but in quick tests."""
_LOUD = 0x20
"""From this step of µ-law on something is heard."""


class Part(StrEnum):
    """What can be killed."""

    DIALER = "dialer"
    ANSWERER = "yobirin-agi"
    DATABASE = "PostgreSQL"


@dataclass
class Caller:
    """Somebody who calls us, and when they heard anything."""

    number: str
    dialled: float
    """Seconds of `time.monotonic`, as all here."""
    line: Call | None = None
    """Once it is answered."""
    loud: list[float] = field(default_factory=list)
    """When something was heard, to 20 ms."""

    @property
    def first_sound_s(self) -> float | None:
        """From dialling to the first sound; None: there was none."""
        return self.loud[0] - self.dialled if self.loud else None

    def longest_silence_s(self) -> float:
        """Between two sounds."""
        pairs = zip(self.loud, self.loud[1:], strict=False)
        return max((late - early for early, late in pairs), default=0.0)

    def tones(self) -> list[int]:
        """What was heard, in turn."""
        return tones.heard_in_turn(self.line.heard) if self.line else []


@dataclass
class Front:
    """The centre, and what is done to it."""

    rig: Rig
    postgres: PostgresServer
    link: Link
    moment: datetime = MONDAY
    """The dialer's calendar at `since`."""
    since: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    told: list[Message] = field(default_factory=list)
    """What the dialplan told of callbacks."""
    dialer: subprocess.Popen[bytes] | None = None
    answerer: subprocess.Popen[bytes] | None = None
    _callers: int = 0
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    # parts -------------------------------------------------------------------------------------

    def start_dialer(self) -> None:
        """Start its process; `ready` waits for it."""
        folder = self.rig.folder
        command = [
            sys.executable, "-m", "tests.service.serve_at", str(folder / "serve.json"),
            str(folder / "secrets.json"), self.moment.isoformat(), str(self.since),
        ]  # fmt: skip
        with (folder / "dialer.log").open("ab") as log:
            self.dialer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)

    def go_to(self, moment: datetime) -> None:
        """The dialer lives in another moment from its next start on."""
        self.moment, self.since = moment, time.time()

    async def start_answerer(self) -> None:
        """Start its process, and wait until it answers."""
        settings, folder = self.rig.settings, self.rig.folder
        self.answerer = await asyncio.to_thread(start_answerer, settings, folder)

    async def kill(self, part: Part) -> None:
        """Without a last word; one that is dead stays so."""
        if part is Part.DATABASE:
            await asyncio.to_thread(self.postgres.stop)
        elif process := self._process(part):
            process.kill()
            await asyncio.to_thread(process.wait)

    async def repair(self) -> None:
        """Start whatever is dead, and wait until all is well."""
        if not self.postgres.runs:
            await asyncio.to_thread(self.postgres.start, _DURABLE)
        await self.rig.sessions.engine.dispose()  # our own connections died too
        if self.answerer is None or self.answerer.poll() is not None:
            await self.start_answerer()
        if self.dialer is None or self.dialer.poll() is not None:
            self.start_dialer()
        await self.ready()

    async def ready(self) -> None:
        """Wait until the service dials and its board is new."""
        base = f"http://127.0.0.1:{self.rig.settings.http.port}"
        path = self.rig.settings.agi.board
        until = time.monotonic() + READY_S
        told: Any = None
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=2) as http:
            while time.monotonic() < until:
                with contextlib.suppress(httpx.HTTPError):
                    told = (await http.get("/healthz")).json()
                    board = read_board(path)
                    fresh = board and moment_of(path, board) - board.at < timedelta(seconds=2)
                    if fresh and told["ready"]:
                        return
                await asyncio.sleep(_LOOK_S)
        raise TimeoutError(f"not ready within {READY_S:.0f} s, it says: {told}")

    def hold_answerer(self) -> None:
        """It hangs until `let_answerer_go`."""
        assert self.answerer is not None
        self.answerer.send_signal(signal.SIGSTOP)

    def let_answerer_go(self) -> None:
        """It goes on, if it lives."""
        assert self.answerer is not None
        self.answerer.send_signal(signal.SIGCONT)

    def _process(self, part: Part) -> subprocess.Popen[bytes] | None:
        return self.dialer if part is Part.DIALER else self.answerer

    async def standing(self, lines: int = 15) -> list[str]:
        """Where every operator is and the end of the dialer's log, for one who looks for a fault."""
        told = (self.rig.folder / "dialer.log").read_text().splitlines()[-lines:]
        for screen in self.rig.screens:
            with contextlib.suppress(httpx.HTTPError):
                me = await screen.me()
                caller = me["callback"]
                told.append(f"{screen.id} {me['state']}, caller: {caller and caller['on_line']}")
        return told

    # callers -----------------------------------------------------------------------------------

    def call_us(self) -> tuple[Caller, asyncio.Task[None]]:
        """Somebody calls; the task is done when they are answered."""
        self._callers += 1
        caller = Caller(f"09055{self._callers:06}", time.monotonic())
        self.rig.carrier.identity = f"<sip:{caller.number}@{HOST}>"
        return caller, self.start(self._call(caller))

    async def answered(self) -> Caller:
        """Somebody who calls, and was answered."""
        caller, call = self.call_us()
        await call
        return caller

    async def _call(self, caller: Caller) -> None:
        status, caller.line = await self.rig.carrier.call(POOL[0])
        assert status == 200, "not answered"
        self.start(self._listen(caller, caller.line))

    async def _listen(self, caller: Caller, line: Call) -> None:
        before = 0
        while not line.ended.is_set():
            new = line.heard[before:]
            before += len(new)
            if any(~byte & 0x7F > _LOUD for byte in new):
                caller.loud.append(time.monotonic())
            await asyncio.sleep(0.02)

    async def stage(self, caller: Caller, stage: str) -> Message:
        """Wait until the dialplan tells a stage of theirs."""
        async with asyncio.timeout(30):
            while True:
                arrived = self._told(contract.STAGE_ARRIVED, number=caller.number)
                if arrived and (found := self._told(stage, callback=arrived.callback)):
                    return found
                await asyncio.sleep(0.001)

    def _told(self, stage: str, **fields: str) -> Message | None:
        for event in self.told:
            if event.stage == stage and all(getattr(event, k) == v for k, v in fields.items()):
                return event
        return None

    async def _note_events(self) -> None:
        while True:
            event = await self.link.events.get()
            if isinstance(event, Message) and event.userevent == contract.EVENT_CALLBACK:
                self.told.append(event)

    async def states(self, caller: Caller) -> list[list[str]]:
        """The states of each callback on record from their number."""
        async with self.rig.sessions.read() as session:
            # numbers may be kept enciphered: they are compared here
            rows = [r.id for r in await session.scalars(select(Callback))
                    if r.number == caller.number]  # fmt: skip
            query = select(CallbackChange).where(CallbackChange.callback_id.in_(rows))
            changes = list(await session.scalars(query.order_by(CallbackChange.seq)))
        return [[c.state for c in changes if c.callback_id == row] for row in rows]

    # the rest ----------------------------------------------------------------------------------

    def start(self, job: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something beside; it is ended with the centre."""
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """End the processes and everything beside."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.kill(Part.DIALER)
        await self.kill(Part.ANSWERER)


async def settle(screen: Screen) -> None:
    """The operator closes whatever callback is owed, and takes no calls any more."""
    async with asyncio.timeout(30):
        while True:
            me = await screen.me()
            caller = me["callback"]
            if caller is None and me["state"] in ("paused", "away"):
                return
            if caller is not None and not caller["on_line"]:
                closed = {"callback_id": caller["callback_id"], "kind": "other", "note": ""}
                await screen.post("callback/close", closed)
            elif me["state"] == "free":
                await screen.post("pause")
            await asyncio.sleep(_LOOK_S)


def _profile(folder: Path, pacing_mode: str) -> Path:
    """The profile that ships, with another way of pacing."""
    text, found = re.subn(
        r"(\n  pacing_mode:.*\n *- \{from: [^,]+, value: )\w+",
        rf"\g<1>{pacing_mode}",
        read_profile("nagaoka-r8").text,
    )
    assert found == 1
    file = folder / "nagaoka-r8.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@asynccontextmanager
async def front(operators: int, pacing_mode: str = "predictive") -> AsyncIterator[Front]:
    """A centre at work, with operators who are logged in and take no calls yet."""
    with PostgresServer.running() as postgres:
        postgres.stop()
        postgres.start(_DURABLE)
        postgres.execute("CREATE DATABASE front")
        url = postgres.url("front")
        await upgrade(url)
        async with open_house() as house, rig(url, house=house) as made:
            folder = made.folder
            profile = _profile(folder, pacing_mode)
            service = made.settings.service.model_copy(update={"profile": str(profile)})
            settings = made.settings.model_copy(update={"service": service})
            (folder / "serve.json").write_text(settings.model_dump_json())
            (folder / "secrets.json").write_text(made.secrets.model_dump_json())
            link = Link(made.settings.ami, made.secrets.ami)
            await link.connect()
            centre = Front(made, postgres, link)
            try:
                centre.start(centre._note_events())
                screens = await made.add_operators(operators)
                await centre.repair()
                for screen in screens:
                    screen.leg = await house.nailed_up(screen.id)
                    screen.leg.speaks = tones.OPERATOR_HZ
                    await screen.until("paused")
                yield centre
            finally:
                await centre.stop()
                link.close()

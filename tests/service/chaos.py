"""A call centre that is disturbed: the dialer as a process that is started again whenever it dies, a real
PBX, and a carrier that counts every INVITE on its own.

What must hold is checked from the carrier's side (`Chaos.broken`): no number called twice at once, no
INVITE without an attempt of its own, no talk cut; and in the ledger: exactly one outcome for each attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

import httpx
from sqlalchemy import func, select

from db.campaigns import CampaignState
from db.tables import Attempt, AttemptChange, CallInFlight, PhoneRow, ResultRow
from rules.call_state import State
from scripts.asterisk.ports import free_port
from tests.asterisk.phone import Call
from tests.databases import PostgresServer
from tests.service.ami_proxy import AmiProxy
from tests.service.rig import MONDAY, House, Rig, Screen, open_house, rig
from tests.service.serve_at import RING_MIN_S

OPERATORS = 3
RESTART_S = 0.5
"""The dialer is started again this long after its end, as systemd would do."""
SETTLED_S = 120.0
"""Longest time after a disturbance until everything placed before it has its outcome."""
BACK_S = 300.0
"""Longest time after a disturbance until a phone is called again."""
_LOOK_S = 0.05
_SAME_S = 0.1
"""The clocks of the dialer's process and of ours agree within this."""


class Disturbance(StrEnum):
    """What is done to the centre."""

    KILL = "kill -9 dialer"
    ASTERISK = "core restart now"
    CUT = "cut AMI link"
    STALL = "stalled AMI link"
    POSTGRES = "killed PostgreSQL"


@dataclass
class Leg:
    """One INVITE as the carrier saw it."""

    number: str
    kind: str
    invited: float
    """Seconds of `time.monotonic`, as all here."""
    call: Call
    rang: float | None = None
    answered: float | None = None
    ended: float | None = None
    by_pbx: bool = False
    """The PBX ended it (CANCEL or BYE), not the person."""
    lost: bool = False
    """Asterisk restarted under it."""


@dataclass(frozen=True)
class Recovery:
    """How long it took, in seconds since what was broken was there again."""

    ready_s: float
    """Until the service says it is ready."""
    dialling_s: float
    """Until the next INVITE: this waits for an operator to be free, after a restart of Asterisk also for
    the operators' telephones and the 5 s of AgentLogin."""
    settled_s: float
    """Until every attempt placed before has its outcome."""


@dataclass
class Chaos:
    """The centre, and what is done to it."""

    rig: Rig
    chance: random.Random
    proxy: AmiProxy
    postgres: PostgresServer | None
    legs: list[Leg] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Promises that did not hold; no numbers."""
    since: float = field(default_factory=time.time)
    began: float = field(default_factory=time.monotonic)
    ready_at: float | None = None
    """Since when the service has been ready; None: it is not."""
    _dialer: asyncio.subprocess.Process | None = None
    _numbers: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _stopping: bool = False

    @property
    def house(self) -> House:
        """PBX and telephones."""
        return self.rig.house

    # parts that go on by themselves ------------------------------------------------------------

    def start(self, job: Coroutine[Any, Any, None]) -> None:
        """Run a part until the end."""
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.broken.append(f"a part of the test failed: {error!r}")

    async def stop(self) -> None:
        """End the dialer and all parts."""
        self._stopping = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.kill_dialer()
        if self._dialer is not None:
            await self._dialer.wait()

    async def keep_serving(self) -> None:
        """systemd's part."""
        folder = self.rig.folder
        ami = self.rig.settings.ami.model_copy(update={"port": self.proxy.port})
        settings = self.rig.settings.model_copy(update={"ami": ami})
        (folder / "serve.json").write_text(settings.model_dump_json())
        (folder / "secrets.json").write_text(self.rig.secrets.model_dump_json())
        command = [
            sys.executable, "-m", "tests.service.serve_at", str(folder / "serve.json"),
            str(folder / "secrets.json"), MONDAY.isoformat(), str(self.since),
        ]  # fmt: skip
        while not self._stopping:
            with (folder / "dialer.log").open("ab") as log:
                self._dialer = await asyncio.create_subprocess_exec(
                    *command, stderr=log, stdin=subprocess.DEVNULL
                )
            await self._dialer.wait()
            await asyncio.sleep(RESTART_S)

    async def watch_health(self) -> None:
        """Note since when the service is ready."""
        base = f"http://127.0.0.1:{self.rig.settings.http.port}"
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=2) as http:
            while True:
                ready = False
                with contextlib.suppress(httpx.HTTPError):
                    ready = bool((await http.get("/healthz")).json()["ready"])
                if not ready:
                    self.ready_at = None
                elif self.ready_at is None:
                    self.ready_at = time.monotonic()
                await asyncio.sleep(_LOOK_S)

    async def take_calls(self) -> None:
        """The carrier: every call that arrives is noted, and answered as its person does."""
        while True:
            call = await self.rig.carrier.called(within_s=1e6)
            number = _number(call)
            for other in self.legs:
                if other.number == number and not other.call.ended.is_set():
                    self.broken.append("a number was called twice at once")
            kind = _KINDS[int(number) % len(_KINDS)]
            leg = Leg(number, kind, time.monotonic(), call)
            self.legs.append(leg)
            self.start(self._person(leg))

    async def _person(self, leg: Leg) -> None:
        behaviour = asyncio.create_task(self._behave(leg))
        ended = asyncio.create_task(leg.call.ended.wait())
        await asyncio.wait([behaviour, ended], return_when=asyncio.FIRST_COMPLETED)
        leg.by_pbx = not behaviour.done()
        behaviour.cancel()
        if not ended.done():  # it is the person who ended it
            ended.cancel()
        leg.ended = leg.call.ended_at

    async def _behave(self, leg: Leg) -> None:
        """Return when the person has ended the call; who never does waits for the PBX."""
        call, chance = leg.call, self.chance
        if leg.kind == "busy":
            await asyncio.sleep(0.2)
            call.respond("486 Busy Here")
            call.over()
            return
        await asyncio.sleep(chance.uniform(1.5, 3) if leg.kind == "late" else 0.05)
        leg.rang = time.monotonic()
        call.respond("180 Ringing")
        if leg.kind == "silent":
            await asyncio.sleep(1e6)
        await asyncio.sleep(chance.uniform(0.2, 2.5))
        # no sound: a telephone that speaks costs more than the whole call
        call.respond("200 OK", call.sdp())
        leg.answered = time.monotonic()
        await asyncio.sleep(0.4 if leg.kind == "brief" else chance.uniform(2, 9))
        call.hang_up()

    async def work(self, screen: Screen) -> None:
        """An operator with a telephone that logs in again, and a screen that is asked again."""
        while True:
            try:
                await self.house.nailed_up(screen.id)
                await self._turn(screen)
            except (httpx.HTTPError, TimeoutError, AssertionError, KeyError):
                await asyncio.sleep(0.3)

    async def _turn(self, screen: Screen) -> None:
        me = await screen.me()
        call = me["call"]
        if call is not None and me["state"] in ("after_call_work", "paused"):
            outcome = self.chance.choice(["hung_up", "person_incomplete", "wrong_number"])
            answer = await screen.post(
                "result", {"attempt_id": call["attempt_id"], "outcome": outcome}
            )
            if answer.status_code not in (200, 409, 503):
                self.broken.append(f"a result was refused: {answer.status_code} {answer.text}")
            await asyncio.sleep(_LOOK_S)
        elif me["state"] == "paused":
            await screen.post("ready")
        else:
            await asyncio.sleep(0.2)

    # what is done --------------------------------------------------------------------------------

    async def standing(self) -> list[str]:
        """Where every operator is, for one who looks for a fault."""
        screens = [await screen.me() for screen in self.rig.screens]
        return [
            f"{me['operator']['id']} {me['state']}, call on screen: {me['call'] is not None}"
            for me in screens
        ]

    def last_words(self, lines: int = 20) -> list[str]:
        """The end of the dialer's log."""
        return (self.rig.folder / "dialer.log").read_text().splitlines()[-lines:]

    def kill_dialer(self) -> None:
        """`kill -9`."""
        if self._dialer is not None:
            # it may just be dead, and not started again yet
            with contextlib.suppress(ProcessLookupError):
                self._dialer.kill()

    async def disturb(self, what: Disturbance) -> float:
        """Do it; returns the moment at which what was broken was there again."""
        match what:
            case Disturbance.KILL:
                self.kill_dialer()
                self.ready_at = None
                assert self._dialer is not None
                await self._dialer.wait()
            case Disturbance.CUT:
                self.proxy.cut()
            case Disturbance.STALL:
                self.proxy.stall()
                await asyncio.sleep(self.chance.uniform(1, 13))
                self.proxy.resume()
            case Disturbance.ASTERISK:
                await self._restart_asterisk()
            case Disturbance.POSTGRES:
                assert self.postgres is not None
                await asyncio.to_thread(self.postgres.stop)
                await asyncio.sleep(self.chance.uniform(0.5, 4))
                await asyncio.to_thread(self.postgres.start)
                await self.rig.sessions.engine.dispose()  # our own connections died too
        return time.monotonic()

    async def _restart_asterisk(self) -> None:
        before = [leg for leg in self.legs if leg.ended is None]
        restart = asyncio.create_task(asyncio.to_thread(self.rig.asterisk.restart))
        await asyncio.sleep(0.3)
        for leg in before:
            leg.lost = True
            if leg.ended is None:
                leg.call.over()
        await restart
        # not earlier: the telephones would log in to the Asterisk that is about to go
        for extension in list(self.house.legs):
            self.house.legs.pop(extension).over()

    async def add_numbers(self, count: int) -> None:
        """New cases, each with a number of its own."""
        numbers = [[f"02581{n:05}"] for n in range(self._numbers, self._numbers + count)]
        self._numbers += count
        await self.rig.add_cases(*numbers)

    async def run(self, what: Disturbance) -> Recovery:
        """Wait for calls under way, disturb them at a random moment, and see how all comes back."""
        await self._until(lambda: len(self._alive()) >= 2, "calls under way", BACK_S)
        await asyncio.sleep(self.chance.uniform(0, 3))
        began = time.monotonic()
        moment = self._moment(began)
        back = await self.disturb(what)
        if self.ready_at is not None and what is not Disturbance.STALL:
            self.ready_at = None  # it will say so again
        await self._until(lambda: self.ready_at is not None, "the service ready", BACK_S)
        ready = self.ready_at or time.monotonic()
        await self._until(lambda: self._invited_after(max(back, ready)), "dialling again", BACK_S)
        dialling = next(leg.invited for leg in self.legs if leg.invited > max(back, ready))
        async with asyncio.timeout(SETTLED_S):
            while await self._owed(moment):
                await asyncio.sleep(0.1)
        settled = time.monotonic()
        return Recovery(max(0.0, ready - back), dialling - back, settled - back)

    async def finish(self) -> None:
        """No more calls; what is alive ends by itself; then look at everything."""
        await self.rig.set_campaign(CampaignState.PAUSED)
        async with asyncio.timeout(SETTLED_S):
            while await self._owed(None):
                await asyncio.sleep(0.2)
        self.broken += await self._untrue()

    # what must hold ------------------------------------------------------------------------------

    async def _owed(self, until: datetime | None) -> int:
        """Attempts placed before `until` that have no outcome."""
        query = (
            select(func.count())
            .select_from(CallInFlight)
            .join(Attempt, Attempt.id == CallInFlight.attempt_id)
        )
        if until is not None:
            query = query.where(Attempt.placed_at < until)
        async with self.rig.sessions.read() as session:
            return await session.scalar(query) or 0

    async def _untrue(self) -> list[str]:
        async with self.rig.sessions.read() as session:
            attempts = (
                await session.execute(
                    select(Attempt.id, Attempt.placed_at, PhoneRow.number).join(
                        PhoneRow, PhoneRow.id == Attempt.phone_id
                    )
                )
            ).all()
            first = ResultRow.replaces_id.is_(None)
            outcomes: defaultdict[str | None, list[str]] = defaultdict(list)
            for row in await session.scalars(select(ResultRow).where(first)):
                outcomes[row.attempt_id].append(row.outcome)
            talks = set(
                await session.scalars(
                    select(AttemptChange.attempt_id).where(
                        AttemptChange.state == State.TALKING.value
                    )
                )
            )
        broken = [
            f"an attempt has {len(outcomes[row.id])} outcomes"
            for row in attempts
            if len(outcomes[row.id]) != 1
        ]
        placed: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
        for row in sorted(attempts, key=lambda row: row.placed_at):
            placed[row.number].append((self._monotonic(row.placed_at), row.id))
        return broken + self._untrue_legs(placed, outcomes, talks)

    def _untrue_legs(
        self,
        placed: dict[str, list[tuple[float, str]]],
        outcomes: dict[str | None, list[str]],
        talks: set[str],
    ) -> list[str]:
        broken = []
        of: defaultdict[str, list[Leg]] = defaultdict(list)
        for leg in self.legs:
            made = [attempt for at, attempt in placed[leg.number] if at <= leg.invited + _SAME_S]
            if not made:
                broken.append("an INVITE without an attempt")
                continue
            of[made[-1]].append(leg)
            if outcomes[made[-1]] == ["no_answer"] and _rang_s(leg) < RING_MIN_S - _SAME_S:
                broken.append("a no_answer that did not ring long enough")
            if made[-1] in talks and leg.by_pbx and not leg.lost:
                broken.append("a talk was cut")
        broken += ["two INVITEs for one attempt" for legs in of.values() if len(legs) > 1]
        for number in placed:
            legs = [leg for leg in self.legs if leg.number == number]
            broken += [
                "a number was called twice at once"
                for one, next_ in pairwise(legs)
                if one.ended is None or one.ended > next_.invited
            ]
        return broken

    def _alive(self) -> list[Leg]:
        return [leg for leg in self.legs if leg.ended is None]

    def _invited_after(self, moment: float) -> bool:
        return any(leg.invited > moment for leg in self.legs)

    def _moment(self, monotonic: float) -> datetime:
        """The dialer's calendar at a moment of ours."""
        return MONDAY + timedelta(seconds=monotonic - self.began)

    def _monotonic(self, moment: datetime) -> float:
        return self.began + (moment - MONDAY).total_seconds()

    @staticmethod
    async def _until(holds: Callable[[], bool], what: str, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                while not holds():
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise TimeoutError(f"not within {within_s:.0f} s: {what}") from None


_KINDS = ("talks", "silent", "talks", "late", "busy", "talks", "brief")


def _number(call: Call) -> str:
    found = re.search(r"sip:(\d+)@", call.invite.start)
    assert found
    return found[1]


def _rang_s(leg: Leg) -> float:
    return 0.0 if leg.rang is None or leg.ended is None else leg.ended - leg.rang


@asynccontextmanager
async def chaos(
    seed: int, database_url: str | None = None, postgres: PostgresServer | None = None
) -> AsyncIterator[Chaos]:
    """A centre with its campaign running and its operators at work.

    Args:
        database_url: of a migrated database; None: a new SQLite file.
        postgres: the server of that database, to be killed.
    """
    async with (
        open_house() as house,
        rig(database_url, house=house) as made,
        AmiProxy(free_port(), house.settings.ami.port) as proxy,
    ):
        centre = Chaos(made, random.Random(seed), proxy, postgres)
        try:
            await centre.add_numbers(40)
            screens = await made.add_operators(OPERATORS)
            centre.start(centre.keep_serving())
            centre.start(centre.watch_health())
            centre.start(centre.take_calls())
            for screen in screens:
                centre.start(centre.work(screen))
            await made.set_campaign(CampaignState.RUNNING)
            yield centre
        finally:
            await centre.stop()

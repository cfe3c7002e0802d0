"""Everything together: town, carrier, PBX, service, operators. The demo plays it, tests look into it."""

from __future__ import annotations

import asyncio
import csv
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from agi.board import read_board
from db import callbacks
from db.session import Sessions
from dialer.bootstrap import build
from dialer.clock import JumpClock
from dialer.service import Service
from dialer.web.models import Status
from scripts.asterisk.instance import RunningAsterisk, start_asterisk
from scripts.asterisk.ports import free_port
from scripts.cityfile import write_city_file
from scripts.sounds import say, write_prompts
from scripts.town.callers import Callers
from scripts.town.callers_check import OPERATOR_VOICE
from scripts.town.carrier import Carrier, Exchange
from scripts.town.conductor import is_non_weekday
from scripts.town.ears import Ears
from scripts.town.installation import CALLER_IDS, Installation, MonthsCampaign
from scripts.town.occasions import Occasions
from scripts.town.people import Town
from scripts.town.records import CallerRecord, Record, all_callers, all_records, all_refused
from scripts.town.robots import Manner, Robot, screen
from scripts.town.softphones import Softphones
from scripts.town.words import OPERATOR

_COLUMNS = ("電話番号1", "電話番号2")
_START_S = 90.0
"""Longest wait for the service and all operators to be ready, in seconds."""
_BREAK_AFTER = 3
"""The first operator announces a break after so many results."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be rehearsed."""

    folder: Path
    cases: int
    operators: int
    seed: int
    first_day: date
    last_day: date
    shifts: Mapping[date, range]
    """Hours at which the operators work, by day: what the campaign's plan goes by."""

    @property
    def campaign(self) -> str:
        """The month, for example `2026-11`."""
        return f"{self.first_day:%Y-%m}"


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What runs, for the conductor and for checks."""

    plan: Plan
    clock: JumpClock
    town: Town
    installation: Installation
    campaign: MonthsCampaign
    carrier: Carrier
    callers: Callers
    pbx: RunningAsterisk
    service: Service
    tokens: dict[str, str]
    """Of the operators, by extension."""
    references: dict[str, str]
    """整理番号 by the number of those who may be called."""

    async def status(self) -> Status:
        """How the service says it stands."""
        return await self.service.desk.status()

    async def records(self) -> list[Record]:
        """What the service wrote down."""
        async with self.sessions.read() as session:
            return await all_records(session)

    async def refused(
        self, numbers: Iterable[str], moments: Iterable[datetime]
    ) -> frozenset[tuple[str, datetime]]:
        """When the rules did not let the service call whom, as `dialer case explain` tells it."""
        async with self.sessions.read() as session:
            return await all_refused(session, numbers, moments)

    async def called_us(self) -> list[CallerRecord]:
        """What the service wrote down of those who called."""
        async with self.sessions.read() as session:
            return await all_callers(session)

    def occasions(self, left_s: Callable[[], float]) -> Occasions:
        """People who call us, while they go on.

        Args:
            left_s: seconds until no call of ours is placed any more for a while.
        """
        return Occasions(
            self.callers,
            self.carrier.ledger,
            self.references,
            all_busy=self._all_busy,
            left_s=left_s,
            told=self._told,
            noted=self._noted,
            now=self.clock.now,
            operators=self.plan.operators,
            seed=self.plan.seed,
        )

    def _told(self) -> datetime | None:
        board = read_board(self.installation.settings.agi.board)
        return board.at if board is not None else None

    async def _noted(self) -> bool:
        async with self.sessions.read() as session:
            if await callbacks.in_hand(session):
                return False
            return len(await all_callers(session)) >= len(self.callers.calls)

    async def _all_busy(self) -> bool:
        return all(operator.state != "free" for operator in (await self.status()).operators)

    @property
    def sessions(self) -> Sessions:
        """The service's database."""
        return self.service.sessions

    async def all_free(self) -> None:
        """Return when every operator can be given a call."""
        async with asyncio.timeout(_START_S):
            while any(operator.state != "free" for operator in (await self.status()).operators):
                await asyncio.sleep(0.1)


@asynccontextmanager
async def rehearsal(plan: Plan, clock: JumpClock) -> AsyncIterator[Rehearsal]:
    """All of it, running, with the campaign started; stopped in order at the end."""
    trunk_port = free_port()
    installation = Installation(plan.folder, plan.operators, trunk_port)
    city_file = plan.folder / "city.csv"
    write_city_file(city_file, month=plan.campaign, cases=plan.cases, seed=plan.seed)
    sounds_dir = installation.settings.asterisk.sounds_dir
    await asyncio.gather(installation.prepare(), asyncio.to_thread(write_prompts, sounds_dir))
    settings, secrets = installation.settings, installation.secrets
    rows = called_for_certain_first(_to_be_called(city_file))
    first, second = (list(_numbered(rows, column)) for column in _COLUMNS)
    town = Town(first, second, plan.seed, is_non_weekday)
    exchange = Exchange(
        host=settings.asterisk.bind, sip_port=settings.asterisk.sip_port, secrets=secrets.sip
    )
    carrier = Carrier(town, clock.now, plan.folder / "carrier", trunk_port, exchange)
    softphones = Softphones(settings.operators.extensions())
    carrier.serve("operator", softphones.on_pickup)
    ears = await asyncio.to_thread(Ears, _all_sounds(sounds_dir))
    callers = Callers(carrier, ears, clock.now, CALLER_IDS[0])
    async with _pbx(installation) as pbx, installation.answering(), carrier:
        tokens, _ = await asyncio.gather(
            installation.add_operators(),
            installation.start_campaign(
                plan.campaign, plan.first_day, plan.last_day, city_file, plan.shifts
            ),
        )
        service = build(settings, secrets, clock)
        async with _serving(service), AsyncExitStack() as screens:
            base = f"http://{settings.http.host}:{settings.http.port}"
            robots = []
            manners = chain([Manner(break_after=_BREAK_AFTER)], repeat(Manner()))
            for (extension, token), manner in zip(tokens.items(), manners, strict=False):
                http = await screens.enter_async_context(screen(base, token))
                softphone = softphones.by_extension[extension]
                heard = carrier.ledger.heard
                robots.append(Robot(http, softphone, heard, plan.seed, manner, callers.speaking))
            jobs = [softphones.stay_logged_in(carrier.asterisk), *(r.work() for r in robots)]
            async with going_on(jobs):
                yield Rehearsal(
                    plan=plan, clock=clock, town=town, installation=installation,
                    campaign=MonthsCampaign(installation, plan.campaign), carrier=carrier,
                    callers=callers, pbx=pbx, service=service, tokens=tokens,
                    references={n: r for c in _COLUMNS for n, r in _numbered(rows, c).items()},
                )  # fmt: skip


def _to_be_called(city_file: Path) -> list[dict[str, str]]:
    with city_file.open(encoding="cp932", newline="") as file:
        return [row for row in csv.DictReader(file) if not row["停止フラグ"]]


def called_for_certain_first(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Rows of a city's file, those of one number first, and of them those of a household of their own: a
    call to another number may end a case, one to the household keep it waiting, before its turn comes."""
    cases = Counter(row["世帯番号"] for row in rows)
    return sorted(rows, key=lambda row: (row["電話番号2"] != "", cases[row["世帯番号"]] > 1))


def _numbered(rows: list[dict[str, str]], column: str) -> dict[str, str]:
    """整理番号 by the numbers (digits) of a column."""
    return {row[column].replace("-", ""): row["整理番号"] for row in rows if row[column]}


def _all_sounds(sounds_dir: Path) -> dict[str, Path]:
    """Everything a caller may hear: our sounds, and an operator."""
    return {file.stem: file for file in sounds_dir.glob("*.wav")} | {OPERATOR_VOICE: say(OPERATOR)}


@asynccontextmanager
async def _pbx(installation: Installation) -> AsyncIterator[RunningAsterisk]:
    pbx = await asyncio.to_thread(
        start_asterisk, installation.pbx_conf, installation.folder / "pbx"
    )
    try:
        yield pbx
    finally:
        await asyncio.to_thread(pbx.stop)


@asynccontextmanager
async def _serving(service: Service) -> AsyncIterator[None]:
    """The service, stopped as by SIGTERM."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(service.run())
        async with asyncio.timeout(_START_S):
            await service.ready.wait()
        yield
        service.request_stop()


@asynccontextmanager
async def going_on(jobs: Iterable[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Jobs that go on until the block ends; one that fails ends the block."""
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(job) for job in jobs]
        yield
        for task in started:
            task.cancel()

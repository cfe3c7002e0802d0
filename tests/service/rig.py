"""A whole call centre for tests: a real PBX, a carrier whose calls arrive at one telephone, operators
with telephones and screens, a database with cases, and the service."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from db import campaigns, cases, operators, stops
from db.campaigns import CampaignState
from db.keys import Keys
from db.session import Sessions, make_sessions
from db.tables import AttemptChange, Callback, CallbackChange, CaseRow, Intake, PhoneRow, ResultRow
from db.upgrade import upgrade
from dialer.ami import contract
from dialer.ami.link import Link
from dialer.asterisk_config import render
from dialer.bootstrap import build
from dialer.calendar import campaign_calendar
from dialer.calls import Line
from dialer.clock import JumpClock
from dialer.errors import RefusedError
from dialer.profiles import load_profile
from dialer.service import Service
from dialer.settings import Secrets, Settings, ensure_secrets
from rules.calendar import JST
from rules.call_state import State
from scripts.asterisk.instance import RunningAsterisk, start_asterisk
from scripts.asterisk.ports import free_port
from tests.asterisk.pbx import settings_in, work_dir, write_sounds
from tests.asterisk.phone import WAIT_S, Call, Phone
from tests.plans import without_plan

MONDAY = datetime(2026, 10, 26, 10, 0, tzinfo=JST)
"""A weekday inside calling hours, in the band 午前."""
PERIOD = (date(2026, 10, 20), date(2026, 10, 31))
CAMPAIGN = "2026-10"
START_S = 300.0
"""The longest a service may take to begin: in a fresh clone it compiles first, and so do others beside it."""


@dataclass
class Screen:
    """One operator: a telephone, nailed up, and the HTTP interface."""

    id: str
    http: httpx.AsyncClient
    house: House
    leg: Call | None = None

    async def log_in(self) -> None:
        """Register, call `*1`, ask for calls."""
        self.leg = await self.house.nailed_up(self.id)
        await self.until("paused", "free")
        await self.post("ready")
        await self.until("free")

    async def me(self) -> dict[str, Any]:
        """The screen now."""
        return (await self.http.get("/api/me")).raise_for_status().json()

    async def post(self, verb: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Press a button."""
        return await self.http.post(f"/api/{verb}", json=body)

    async def until(self, *states: str, within_s: float = WAIT_S) -> dict[str, Any]:
        """Wait for a state (and, in a call, for the case on the screen)."""
        async with asyncio.timeout(within_s):
            me = await self.me()
            while me["state"] not in states or (
                me["state"] in ("talking", "after_call_work")
                and me["call"] is None
                and me["callback"] is None
            ):
                answer = await self.http.get("/api/me", params={"since": me["rev"], "wait": 2})
                me = answer.raise_for_status().json()
        return me

    async def save(self, outcome: str, **fields: Any) -> httpx.Response:
        """Record the result of the call on the screen."""
        call = (await self.me())["call"]
        return await self.post(
            "result", {"attempt_id": call["attempt_id"], "outcome": outcome, **fields}
        )


@dataclass
class House:
    """What outlives a database: the PBX, the carrier's telephone, the operators' telephones."""

    folder: Path
    settings: Settings
    secrets: Secrets
    settings_path: Path
    asterisk: RunningAsterisk
    carrier: Phone
    stack: AsyncExitStack
    phones: dict[str, Phone] = field(default_factory=dict)
    legs: dict[str, Call] = field(default_factory=dict)

    async def phone_of(self, extension: str) -> Phone:
        """The operator's telephone."""
        if extension not in self.phones:
            self.phones[extension] = await self.stack.enter_async_context(
                Phone(
                    self.settings.asterisk.sip_port,
                    user=extension,
                    secret=self.secrets.sip[extension],
                )
            )
        return self.phones[extension]

    async def nailed_up(self, extension: str) -> Call:
        """The operator's leg, logged in; one that is still up is kept."""
        if extension not in self.legs or self.legs[extension].ended.is_set():
            phone = await self.phone_of(extension)
            await phone.register()
            status, self.legs[extension] = await phone.call("*1")
            assert status == 200
        return self.legs[extension]


@dataclass
class Rig:
    """What a test works with."""

    house: House
    settings: Settings
    clock: JumpClock
    sessions: Sessions
    stack: AsyncExitStack
    service: Service | None = None
    screens: list[Screen] = field(default_factory=list)
    task: asyncio.Task[None] | None = None

    @property
    def folder(self) -> Path:
        """All files of the PBX."""
        return self.house.folder

    @property
    def secrets(self) -> Secrets:
        """The installation's secrets."""
        return self.house.secrets

    @property
    def settings_path(self) -> Path:
        """The settings file's place (tests hold the settings themselves)."""
        return self.house.settings_path

    @property
    def asterisk(self) -> RunningAsterisk:
        """The PBX."""
        return self.house.asterisk

    @property
    def carrier(self) -> Phone:
        """Every call of the dialer arrives here."""
        return self.house.carrier

    async def add_cases(self, *cases_phones: list[str]) -> list[int]:
        """Add open cases, each with these numbers; returns their ids."""
        keys = Keys.from_hex(self.secrets.lookup_key)
        now = self.clock.now()
        ids = []
        async with self.sessions.write() as session:
            campaign = await campaigns.get(session, CAMPAIGN)
            start = len(await cases.ids(session, campaign.id))
            intake = Intake(
                campaign_id=campaign.id, sha256="0" * 64, at=now, handed_by="test", rows=1,
                added=1, changed=0, unchanged=0, refused=0,
            )  # fmt: skip
            session.add(intake)
            await session.flush()
            for n, numbers in enumerate(cases_phones, start):
                row = CaseRow(
                    campaign_id=campaign.id, intake_id=intake.id, reference=f"20261000{n:04}",
                    person_key=keys.person(str(n)), household_key=keys.household(str(n)),
                    person_number=str(n), household_number=str(n), name=f"試験 太郎{n}",
                    kana="シケン タロウ", birth_date="1970-01-01", postal_code="940-0000",
                    address="長岡市試験町1丁目", category="初期滞納", amount_yen="1000",
                    instalments="", last_paid=None, note="", status="open", clause=None,
                    appointment=None,
                )  # fmt: skip
                session.add(row)
                await session.flush()
                ids.append(row.id)
                for position, number in enumerate(numbers, 1):
                    session.add(
                        PhoneRow(
                            campaign_id=campaign.id,
                            case_id=row.id,
                            position=position,
                            number=number,
                            number_key=keys.number(number),
                            kind="fixed",
                            status="open",
                            due_at=None,
                        )
                    )
            await session.flush()
            profile = load_profile("nagaoka-r8", now.date())
            calendar = campaign_calendar(*PERIOD, frozenset(), profile)
            await cases.refresh(session, ids, profile, calendar, now)
        return ids

    async def add_operators(self, count: int) -> list[Screen]:
        """Make operators with screens and telephones; they are not logged in yet."""
        base = f"http://127.0.0.1:{self.settings.http.port}"
        for extension in self.settings.operators.extensions()[:count]:
            async with self.sessions.write() as session:
                token = await operators.add(
                    session, extension, extension, at=self.clock.now(), by="test"
                )
            http = await self.stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=base,
                    headers={"Authorization": f"Bearer {token}"},
                    trust_env=False,
                    timeout=WAIT_S,
                )
            )
            self.screens.append(Screen(extension, http, self.house))
        return self.screens

    async def serve(self) -> Service:
        """Run the service in this process until it is ready."""
        self.service = build(self.settings, self.secrets, self.clock, without_plan)
        self.task = asyncio.create_task(self.service.run())
        ready = asyncio.create_task(self.service.ready.wait())
        await asyncio.wait([self.task, ready], return_when=asyncio.FIRST_COMPLETED, timeout=START_S)
        if self.task.done():
            await self.task
        assert ready.done(), "the service did not become ready"
        await self.reachable()
        return self.service

    async def stop_service(self) -> None:
        """End the service in this process at once, without draining."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None

    async def reachable(self) -> None:
        """Wait for the web interface."""
        async with asyncio.timeout(START_S):
            while True:
                with socket.socket() as probe:
                    probe.setblocking(False)
                    address = ("127.0.0.1", self.settings.http.port)
                    try:
                        await asyncio.get_running_loop().sock_connect(probe, address)
                        return
                    except OSError:
                        await asyncio.sleep(0.05)

    async def set_campaign(self, state: CampaignState) -> None:
        """Start, pause or close the campaign, as the CLI does."""
        async with self.sessions.write() as session:
            await campaigns.set_state(session, CAMPAIGN, state, at=self.clock.now(), by="test")

    async def stop_case(self, case_id: int) -> None:
        """A stop order of the city for the case's person, as the CLI writes it."""
        now = self.clock.now()
        profile = load_profile("nagaoka-r8", now.date())
        calendar = campaign_calendar(*PERIOD, frozenset(), profile)
        async with self.sessions.write() as session:
            row = await cases.get(session, case_id)
            stopped = await stops.order(session, row.person_key, at=now, by="test")
            await cases.refresh(session, stopped, profile, calendar, now)

    async def results(self) -> list[ResultRow]:
        """Every result on record, oldest first."""
        async with self.sessions.read() as session:
            return list(await session.scalars(select(ResultRow).order_by(ResultRow.id)))

    async def changes(self) -> list[AttemptChange]:
        """The whole ledger."""
        async with self.sessions.read() as session:
            query = select(AttemptChange).order_by(AttemptChange.attempt_id, AttemptChange.seq)
            return list(await session.scalars(query))

    async def callbacks(self) -> dict[str, list[str]]:
        """The states each callback on record went through, in the order of their arrival."""
        async with self.sessions.read() as session:
            query = (
                select(CallbackChange)
                .join(Callback, Callback.id == CallbackChange.callback_id)
                .order_by(Callback.arrived_at, Callback.id, CallbackChange.seq)
            )
            states: dict[str, list[str]] = {}
            for change in await session.scalars(query):
                states.setdefault(change.callback_id, []).append(change.state)
        return states

    async def until_ended(self, count: int, within_s: float = WAIT_S) -> list[list[str]]:
        """Wait until so many callbacks on record have ended; their states."""
        async with asyncio.timeout(within_s):
            while True:
                ended = [one for one in (await self.callbacks()).values() if one[-1] == "ended"]
                if len(ended) >= count:
                    return ended
                await asyncio.sleep(0.05)

    async def until_results(self, count: int, within_s: float = WAIT_S) -> list[ResultRow]:
        """Wait until this many results are on record."""
        async with asyncio.timeout(within_s):
            while len(rows := await self.results()) < count:
                await asyncio.sleep(0.05)
        return rows


async def forget_callers(house: House) -> None:
    """What the PBX still has in its journal of the test before."""
    link = Link(house.settings.ami, house.secrets.ami)
    await link.connect()
    with suppress(RefusedError):  # nothing
        await link.act({"Action": "DBDelTree", "Family": contract.CALLBACK_JOURNAL})
    link.close()


@asynccontextmanager
async def open_house(
    prompts: Callable[[Path], None] = write_sounds, **trunk: Any
) -> AsyncIterator[House]:
    """A PBX and its telephones; `trunk` changes that section of the settings.

    Args:
        prompts: writes what callers hear; else it is a tone for each.
    """
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(work_dir())
        settings = settings_in(folder, **trunk)
        http = settings.http.model_copy(update={"port": free_port()})
        settings = settings.model_copy(update={"http": http})
        path = folder / "yobirin.toml"
        secrets = ensure_secrets(settings, path)
        prompts(settings.asterisk.sounds_dir)
        render(settings, secrets, path, folder / "conf")
        carrier = await stack.enter_async_context(
            Phone(settings.asterisk.sip_port, port=settings.trunk.port, user="carrier")
        )
        asterisk = await asyncio.to_thread(start_asterisk, folder / "conf", folder)
        stack.push_async_callback(asyncio.to_thread, asterisk.stop)
        yield House(folder, settings, secrets, path, asterisk, carrier, stack)


@asynccontextmanager
async def rig(
    database_url: str | None = None,
    start: datetime = MONDAY,
    house: House | None = None,
    **trunk: Any,
) -> AsyncIterator[Rig]:
    """Everything but the service itself and the operators.

    Args:
        database_url: of a migrated database; None: a new SQLite file.
        house: a PBX that runs already; None: one of its own.
    """
    async with AsyncExitStack() as stack:
        if house is None:
            house = await stack.enter_async_context(open_house(**trunk))
        settings = house.settings
        if database_url is not None:
            service = settings.service.model_copy(update={"database": database_url})
            settings = settings.model_copy(update={"service": service})
        else:
            await upgrade(settings.service.database)
        sessions = make_sessions(settings.service.database)
        stack.push_async_callback(sessions.close)
        clock = JumpClock(start)
        async with sessions.write() as session:
            await campaigns.create(
                session, CAMPAIGN, profile="nagaoka-r8", period_from=PERIOD[0],
                period_to=PERIOD[1], at=clock.now(),
            )  # fmt: skip
        made = Rig(house, settings, clock, sessions, stack)
        try:
            yield made
        finally:
            await made.stop_service()
            house.carrier.forget()


async def operator(centre: Rig) -> Screen:
    """One operator who asked for calls, while the campaign runs."""
    [screen] = await centre.add_operators(1)
    await until_known(centre, 1)
    await screen.log_in()
    await centre.set_campaign(CampaignState.RUNNING)
    return screen


async def until_known(centre: Rig, operators: int) -> None:
    """Wait for the service to have read the notice of new operators."""
    assert centre.service is not None
    async with asyncio.timeout(30):
        while len(centre.service.seats.seats()) < operators:
            await asyncio.sleep(0.02)


async def lines_in(centre: Rig, *states: State) -> list[Line]:
    """The calls that are in one of these states, once the service knows of one."""
    assert centre.service is not None
    async with asyncio.timeout(WAIT_S):
        while not (
            found := [line for line in centre.service.calls.lines() if line.call.state in states]
        ):
            await asyncio.sleep(0.01)
    return found


async def answered(centre: Rig) -> Call:
    """The next call, ringing and picked up."""
    call = await centre.carrier.called()
    call.respond("180 Ringing")
    call.answer()
    return call

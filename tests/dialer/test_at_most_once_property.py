"""At most once: whatever breaks, and at whatever moment, no number is called by two attempts at once, no
attempt is called twice, and none stays without its outcome.

The whole service, less its web server, runs on a real SQLite file against a model of Asterisk
(`model_asterisk`), in virtual time. Disturbances come at random moments and at the few that matter
most: just before and after a commit, just before and after an Originate.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from panoramisk.message import Message
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import campaigns, operators
from db.campaigns import CampaignState
from db.session import Sessions, make_engine
from db.tables import Attempt, CallInFlight, ResultRow
from dialer import bootstrap, inbox, months
from dialer.ami.link import Value
from dialer.errors import ConflictError, DatabaseError, NotFoundError
from dialer.service import Service
from dialer.settings import Secrets, Settings
from dialer.web.case_models import ResultIn
from rules.profile import with_overrides
from tests.conftest import THOROUGH
from tests.db.town import NOON, PROFILE, Town
from tests.dialer import virtual_time
from tests.dialer.model_asterisk import ModelAsterisk, ModelLink
from tests.plans import without_plan

RUNS = 200 if settings.get_current_profile_name() == THOROUGH else 40
"""Stories; `--hypothesis-profile=thorough` plays 200 (two minutes)."""
OPERATORS = ["201", "202", "203"]
SHORT = dict.fromkeys(
    ("failed_retry_min", "busy_retry_min", "abandon_gap_min", "case_gap_min", "household_gap_min"),
    1,
)
"""The gaps after which a number may be called again, in minutes: as short as they can be set, so that
calls that should not be meet each other soon."""
RESUMED_S = 100.0
"""Longest time until a new case is called after the last disturbance: found dead, reconnected, and an
operator is free again after ringing, talk and after-call work."""
QUIET_S = 300.0
"""Longest time until everything has its outcome: an unheard commit is looked for after two minutes."""


class Kind(StrEnum):
    """What can happen."""

    KILL = "the dialer is killed"
    KILL_BEFORE_COMMIT = "killed just before a commit"
    KILL_AFTER_COMMIT = "killed just after a commit"
    KILL_BEFORE_ORIGINATE = "killed just before an Originate"
    KILL_AFTER_ORIGINATE = "killed just after an Originate"
    CUT = "the link is cut"
    CUT_AT_ORIGINATE = "the link is cut with an Originate on its way"
    STALL = "the link stalls, and goes on or is found dead"
    ASTERISK = "Asterisk restarts"
    BOTH = "Asterisk restarts while the dialer is away"
    DATABASE = "the database is away"
    UNHEARD_COMMIT = "a commit arrives and the database is gone before it says so"


class World:
    """The service, what it stands on, and what happens to it."""

    is_real = False

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.chance = random.Random(seed)
        self.loop = asyncio.get_running_loop()
        self.asterisk = ModelAsterisk(self.chance, OPERATORS)
        self.armed: set[Kind] = set()
        """Kinds that wait for their moment."""
        self.away_until = -1.0
        """When the database is back."""
        self.service: Service | None = None
        self.link: FragileLink
        self._kill = asyncio.Event()
        self._restart_s = 1.0
        self._own: set[asyncio.Task[Any] | None] = {asyncio.current_task()}

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.loop.time())

    def monotonic(self) -> float:
        return self.loop.time()

    def start(self, job: Coroutine[Any, Any, None]) -> None:
        """Run a part of the world, which no kill of the dialer ends."""
        self._own.add(asyncio.create_task(job))

    def check_parts(self) -> None:
        """A part of the world that broke breaks the test."""
        for task in self._own:
            if task is not None and task.done():
                task.result()

    async def end(self) -> None:
        """Everything stops."""
        here = asyncio.current_task()
        parts = [task for task in self._own if task is not None and task is not here]
        for task in parts:
            task.cancel()
        await asyncio.gather(*parts, return_exceptions=True)
        self.kill()
        await self._end_everything()

    # the process -------------------------------------------------------------------------------

    async def keep_serving(self) -> None:
        """Start the dialer, and again whenever it has ended, as systemd does."""
        while True:
            self._kill.clear()
            self.link = FragileLink(self)
            with (
                patch.object(bootstrap, "Link", lambda *_: self.link),
                patch.object(bootstrap, "make_sessions", lambda _: FragileSessions(self)),
            ):
                self.service = bootstrap.build(_settings(self.url), _SECRETS, self, without_plan)
            running = asyncio.create_task(self.service.run())
            killed = asyncio.create_task(self._kill.wait())
            await asyncio.wait([running, killed], return_when=asyncio.FIRST_COMPLETED)
            self.service = None
            self.link.close()
            await self._end_everything()
            await asyncio.sleep(self._restart_s)

    async def _end_everything(self) -> None:
        here = asyncio.current_task()
        rest = [task for task in asyncio.all_tasks() if task not in self._own and task is not here]
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=0.1)

    def kill(self) -> None:
        """`kill -9` of the dialer."""
        if self.service is not None:
            self.service = None
            self.link.close()
            self._kill.set()

    async def die(self) -> None:
        """The same, from within: nothing follows."""
        self.kill()
        await asyncio.Future()

    # disturbances ------------------------------------------------------------------------------

    async def happen(self, kind: Kind, seconds: float) -> None:
        match kind:
            case Kind.KILL:
                self._restart_s = seconds
                self.kill()
            case Kind.CUT:
                self.link.cut()
            case Kind.STALL:
                self.link.stall()
                self.loop.call_later(seconds, self.link.resume)
            case Kind.ASTERISK:
                self.asterisk.restart(seconds)
            case Kind.BOTH:
                self._restart_s = seconds
                self.kill()
                self.loop.call_later(seconds / 2, self.asterisk.restart, 1.0)
            case Kind.DATABASE:
                self.away_until = self.loop.time() + seconds
            case _:
                self.armed.add(kind)

    def disarm(self, kind: Kind) -> bool:
        """Whether this kind waited for this moment."""
        waited = kind in self.armed
        self.armed.discard(kind)
        return waited

    def database_away(self) -> bool:
        return self.loop.time() < self.away_until

    # people with screens -------------------------------------------------------------------------

    async def work(self, operator: str) -> None:
        """An operator: logs in, talks, ends some talks, records results, and is ready again."""
        while True:
            await asyncio.sleep(0.5)
            self.asterisk.log_in(operator)
            if self.service is not None:
                # part of the dying process when the dialer is killed
                turn = asyncio.create_task(self._turn(self.service, operator))
                await asyncio.wait([turn])
                if not turn.cancelled() and (error := turn.exception()) is not None:
                    raise error

    async def _turn(self, dialer: Service, operator: str) -> None:
        desk = dialer.desk
        try:
            me = desk.me(operator)
            if me.state == "talking" and me.call is not None and self.chance.random() < 0.1:
                self.asterisk.may_cut.add(me.call.attempt_id)
                if self.chance.random() < 0.5:
                    await desk.hangup(operator)
                else:
                    await desk.leave_message(operator)
            elif me.state in ("after_call_work", "paused") and me.call is not None:
                outcome = self.chance.choice(["hung_up", "person_incomplete", "wrong_number"])
                result = ResultIn(attempt_id=me.call.attempt_id, outcome=outcome)
                await desk.save_result(operator, result)
            elif me.state == "paused" or (
                me.state == "away" and not dialer.seats.seat(operator).ready
            ):
                await desk.ready(operator)
        except (ConflictError, DatabaseError, NotFoundError):
            return  # the screen says so, and they try again


class FragileSessions(Sessions):
    """Transactions of one process, which may die or lose the database at each step of a commit."""

    def __init__(self, world: World) -> None:
        super().__init__(make_engine(world.url))
        self._world = world

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        world = self._world
        self._check()
        async with super().write() as session:
            yield session
            if world.disarm(Kind.KILL_BEFORE_COMMIT):
                await world.die()
            self._check()
        if world.disarm(Kind.KILL_AFTER_COMMIT):
            await world.die()
        if world.disarm(Kind.UNHEARD_COMMIT):
            world.away_until = world.loop.time() + 2
        self._check()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        self._check()
        async with super().read() as session:
            yield session

    def _check(self) -> None:
        if self._world.database_away():
            raise DatabaseError("the database is away")


class FragileLink(ModelLink):
    """The link of a process that may die as it sends."""

    def __init__(self, world: World) -> None:
        super().__init__(world.asterisk)
        self._world = world

    async def act(self, action: Mapping[str, Value]) -> list[Message]:
        if action["Action"] != "Originate":
            return await super().act(action)
        world = self._world
        if world.disarm(Kind.KILL_BEFORE_ORIGINATE):
            await world.die()
        sending = asyncio.ensure_future(super().act(action))
        await asyncio.sleep(0)
        if world.disarm(Kind.KILL_AFTER_ORIGINATE):
            await world.die()
        if world.disarm(Kind.CUT_AT_ORIGINATE):
            self.cut()
        return await sending


class NoWeb:
    """Stands where the web server stands."""

    def __init__(self, *_: object) -> None:
        self._stop = asyncio.Event()

    async def run(self) -> None:
        await self._stop.wait()

    async def stop(self) -> None:
        self._stop.set()


_SECRETS = Secrets(ami="", lookup_key="00" * 32, sip={})


def _settings(url: str) -> Settings:
    return Settings.model_validate(
        {
            "trunk": {"host": "127.0.0.1"},
            "caller_id": {"pool": ["0258990001", "0258990002"]},
            "service": {"database": url},
            "agi": {"board": Path(url.partition("///")[2]).with_name("board.json")},
        }
    )


def _drop(*_: object) -> NoReturn:
    raise structlog.DropEvent


@contextmanager
def _stand_ins() -> Iterator[None]:
    profile = with_overrides(PROFILE, SHORT)
    with ExitStack() as stack:
        for module, name, stand_in in (
            (bootstrap, "load_profile", lambda *_: profile),
            (months, "load_profile", lambda *_: profile),
            (bootstrap, "create_app", lambda *_: None),
            (bootstrap, "WebServer", NoWeb),
            (inbox, "EVERY_S", 1.0),
        ):
            stack.enter_context(patch.object(module, name, stand_in))
        structlog.configure(processors=[_drop])
        stack.callback(structlog.reset_defaults)
        yield


_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""A process that is killed loses nothing that a disk would keep; the commits need not wait for one."""

Story = list[tuple[float, Kind, float]]
"""Disturbances: seconds since the one before, what, and how long it lasts (or the restart takes)."""

_STORY = st.lists(
    st.tuples(
        st.floats(0.05, 12).map(lambda s: round(s, 3)),
        st.sampled_from(Kind),
        st.floats(0.3, 12).map(lambda s: round(s, 2)),
    ),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=RUNS,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=_STORY, seed=st.integers(0, 2**32 - 1))
def test_no_number_is_called_twice_at_once_and_no_attempt_stays_without_an_outcome(
    sqlite_template: Path, story: Story, seed: int
) -> None:
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder, _stand_ins():
        path = Path(folder) / "yobirin.db"
        shutil.copyfile(sqlite_template, path)
        virtual_time.run(_play(f"sqlite+aiosqlite:///{path}", story, seed))


async def _play(url: str, story: Story, seed: int) -> None:
    world = World(url, seed)
    sessions = Sessions(make_engine(url))
    town = await Town(sessions).open()
    async with sessions.write() as session:
        for operator in OPERATORS:
            if operator != "201":
                await operators.add(session, operator, "窓口", at=NOON, by="tests")
    for n in range(10):
        await town.case(f"A{n}", f"02580000{n:02}", *([f"02581000{n:02}"] if n % 3 else []))
    await town.case("B", "0258000000")  # another household with the number of the first
    try:
        world.start(world.keep_serving())
        for operator in OPERATORS:
            world.start(world.work(operator))
        await asyncio.sleep(8)
        for pause_s, kind, seconds in story:
            await asyncio.sleep(pause_s)
            await world.happen(kind, seconds)
            world.check_parts()
        await asyncio.sleep(2)
        world.armed.clear()
        await asyncio.sleep(max(0.0, world.away_until - world.loop.time()))
        await _resumes(world, town)
        await _all_have_outcomes(world, sessions)
        world.check_parts()
        assert world.asterisk.broken == []
        await _check_ledger(world, sessions)
    finally:
        await world.end()
        await sessions.close()


async def _resumes(world: World, town: Town) -> None:
    """Dialling goes on by itself: a new case is called."""
    number = "0258999999"
    await town.case("Z", number)
    async with asyncio.timeout(RESUMED_S):
        while all(channel.number != number for channel in world.asterisk.invites):
            await asyncio.sleep(0.5)
            world.check_parts()


async def _all_have_outcomes(world: World, sessions: Sessions) -> None:
    async with sessions.write() as session:
        await campaigns.set_state(session, "2026-09", CampaignState.PAUSED, at=NOON, by="tests")
    await asyncio.sleep(2)
    async with asyncio.timeout(QUIET_S):
        while await _count(sessions, CallInFlight):
            await asyncio.sleep(1)
            world.check_parts()


async def _check_ledger(world: World, sessions: Sessions) -> None:
    """One first result for every attempt, an attempt for every INVITE, and no invented `no_answer`."""
    async with sessions.read() as session:
        attempts = list(await session.scalars(select(Attempt.id)))
        outcomes = {
            row.attempt_id: row.outcome
            for row in await session.scalars(
                select(ResultRow).where(ResultRow.replaces_id.is_(None))
            )
        }
    assert outcomes.keys() == set(attempts)
    invited = {channel.attempt: channel for channel in world.asterisk.invites}
    assert invited.keys() <= set(attempts)
    for attempt, outcome in outcomes.items():
        if outcome == "no_answer":
            assert invited[attempt].ring_s >= PROFILE.ring_min_s


async def _count(sessions: Sessions, table: type) -> int:
    async with sessions.read() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0

"""The machine's clock is set forth and back, at any moment of the dialling, around every edge of the
calling hours: no call is ever placed outside them.

What is allowed is written down here once more, from the contract, without the rules of the program.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from db import campaigns
from db.clock import Told, ask
from db.session import Sessions, make_engine, make_sessions
from db.tables import Attempt, Campaign, PhoneRow
from dialer.ami.link import Value
from dialer.clock_check import ClockCheck
from rules.call_events import HungUp
from tests.conftest import THOROUGH
from tests.db.town import Town
from tests.dialer import virtual_time
from tests.dialer.fakes import turns
from tests.dialer.test_pacer import Office

RUNS = 500 if settings.get_current_profile_name() == THOROUGH else 60
"""Stories; `--hypothesis-profile=thorough` plays 500."""
CASES = 40
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
BOUND_S = 30.0
JAPAN = timezone(timedelta(hours=9))
FIRST, LAST = date(2026, 12, 24), date(2027, 1, 11)
BY_THE_CITY = date(2026, 12, 28)
CLOSED = {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}
HOLIDAYS = {date(2027, 1, 1), date(2027, 1, 11)}
LONG_AGO = datetime(2026, 1, 1, tzinfo=JAPAN)


def allowed(moment: datetime) -> bool:
    """Whether the contract lets a call be placed at this moment (§6(2))."""
    local = moment.astimezone(JAPAN)
    day = local.date()
    if not FIRST <= day <= LAST or day == BY_THE_CITY or (day.month, day.day) in CLOSED:
        return False
    shorter = day.weekday() in (5, 6) or day in HOLIDAYS
    return time(9) <= local.time() <= (time(16, 58, 54) if shorter else time(19, 58, 54))


def test_the_days_and_moments_of_the_oracle_are_what_they_say() -> None:
    def at(text: str) -> datetime:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=JAPAN)

    yes = [
        "2026-12-24 09:00:00",
        "2026-12-25 19:58:54",
        "2026-12-26 16:58:54",
        "2027-01-11 16:58:54",
    ]
    no = [
        "2026-12-23 12:00:00", "2027-01-12 12:00:00",  # outside the period
        "2026-12-24 08:59:59", "2026-12-25 19:58:55", "2026-12-26 16:58:55", "2027-01-11 16:58:55",
        "2026-12-28 12:00:00", "2026-12-29 12:00:00", "2027-01-03 12:00:00",
    ]  # fmt: skip
    assert [allowed(at(moment)) for moment in yes + no] == [True] * len(yes) + [False] * len(no)


_EDGES = (time(9), time(16, 58, 54), time(19, 58, 54))
_TIMES = (time(0), time(9), time(12), time(16, 58, 54), time(17), time(19, 58, 54), time(20))
_CALLING_DAYS = [FIRST, date(2026, 12, 26), date(2026, 12, 27), date(2027, 1, 4), LAST]
_DAYS = [
    *_CALLING_DAYS, date(2026, 12, 23), BY_THE_CITY, date(2026, 12, 29), date(2027, 1, 1),
    date(2027, 1, 12),
]  # fmt: skip


def _moments(days: Sequence[date], times: Sequence[time]) -> st.SearchStrategy[datetime]:
    """Around these times of these days."""
    return st.builds(
        lambda day, clock, off_s: datetime.combine(day, clock, JAPAN) + timedelta(seconds=off_s),
        st.sampled_from(days),
        st.sampled_from(times),
        st.floats(-15, 15),
    )


_WHEN = ("before", "while choosing", "while writing", "when written")


@dataclass(frozen=True)
class Step:
    """Time passes, the clock is set at some moment of the dialling, and it is dialled."""

    passes_s: float
    set_to: datetime | float | None
    """Another moment, or so many seconds from the true one; None: nobody sets it."""
    when: str


_STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 60.0, 3600.0, 11 * 3600.0, 86400.0]),
        st.one_of(
            st.sampled_from([None, 0.0]),
            *(st.floats(-BOUND_S, BOUND_S),) * 2,  # too little to be told: the worst
            st.floats(-86400, 86400),
            _moments(_DAYS, _TIMES),
        ),
        st.sampled_from(_WHEN),
    ),
    min_size=1,
    max_size=8,
)


class World(Office):
    """An office whose clock is set, and checked as the service checks it."""

    def __init__(self, town: Town, start: datetime, *, witness: bool, seen: Counter[str]) -> None:
        super().__init__(town, start, operators=2, lines=4)
        self.clock.is_real = True
        self.check = ClockCheck(self.clock, Sessions(town.sessions.engine), BOUND_S)
        self.witness = witness
        self.seen = seen
        self.broken: list[str] = []
        self.pending: Step | None = None
        self.link.before = self._leaves
        read, write = town.sessions.read, town.sessions.write
        town.sessions.read = self._around(read, None, "while choosing")
        town.sessions.write = self._around(write, "while writing", "when written")

    @property
    def may_dial(self) -> bool:
        return self.check.wrong() is None

    @may_dial.setter
    def may_dial(self, _value: bool) -> None:
        """The check alone decides."""

    def _around(self, real: object, first: str | None, last: str) -> object:
        @asynccontextmanager
        async def transaction() -> AsyncIterator[object]:
            async with real() as session:
                self._maybe_set(first)
                yield session
            self._maybe_set(last)

        return transaction

    def _maybe_set(self, when: str | None) -> None:
        step = self.pending
        if step is None or step.when != when:
            return
        self.pending = None
        if isinstance(step.set_to, datetime):
            self.clock.error_s += (step.set_to - self.clock.now()).total_seconds()
        elif step.set_to is not None:
            self.clock.error_s = step.set_to

    async def _leaves(self, action: Mapping[str, Value]) -> None:
        """At the moment at which a call leaves the house."""
        self.seen["placed"] += 1
        reading = self.clock.now()
        if not allowed(reading):
            self.broken.append(f"called at {reading}")
        if self.witness and abs(self.clock.error_s) > BOUND_S:
            # within it the true time is in the hours too, give or take the bound
            self.broken.append(f"called while the clock was {self.clock.error_s} s off")
        async with Sessions(self.town.sessions.engine).read() as session:
            placed_at = await session.scalar(
                select(Attempt.placed_at).where(Attempt.id == action["ActionID"])
            )
        if not allowed(placed_at):
            self.broken.append(f"written down as called at {placed_at}")

    async def ask(self, session: object) -> Told:
        """What the database says: with a witness also what time it is."""
        newest = (await ask(session)).newest_placed
        return Told(now=self.clock.true_now() if self.witness else None, newest_placed=newest)

    async def go_through(self, step: Step) -> None:
        """One step; every call it placed is over at its end."""
        self.clock.move(step.passes_s)
        self.pending = step
        self._maybe_set("before")
        if step.passes_s >= 5:
            await self.check.look()
        self.seen["not trusted"] += self.check.wrong() is not None
        async with Sessions(self.town.sessions.engine).write() as session:
            # all could be called, for all that their rows say
            await session.execute(update(PhoneRow).values(due_at=LONG_AGO))
        await self.pacer._dial()
        await turns()
        self.seen["held back"] += sum(o == "failed" for o in self.ledger.outcomes())
        self.ledger.entries.clear()
        for line in self.calls.lines():
            await self.tell(HungUp, attempt=line.call.attempt)
            self.calls.settled(line.call.attempt)
        self.pending = None
        assert self.broken == []


async def _prepare(path: Path) -> None:
    """A month over the new year, with cases that were never called."""
    sessions = make_sessions(f"sqlite+aiosqlite:///{path}")
    town = await Town(sessions).open()
    async with sessions.write() as session:
        await session.execute(update(Campaign).values(period_from=FIRST, period_to=LAST))
        await campaigns.exclude_day(session, "2026-09", BY_THE_CITY, at=LONG_AGO, by="tests")
    for number in range(CASES):
        await town.case(str(number), f"02580000{number:02}")
    await sessions.close()


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """The database that every story begins with."""
    path = tmp_path_factory.mktemp("clock") / "month.db"
    shutil.copyfile(sqlite_template, path)
    asyncio.run(_prepare(path))
    return path


async def _play(
    path: Path, start: datetime, steps: list[Step], witness: bool, seen: Counter[str]
) -> None:
    sessions = Sessions(make_engine(f"sqlite+aiosqlite:///{path}"))
    world = World(Town(sessions), start, witness=witness, seen=seen)
    try:
        async with Sessions(sessions.engine).read() as session:
            await world.months.reload(session, world.clock.now())
        with patch("dialer.clock_check.database_clock.ask", world.ask):
            await world.check.look()
            for step in steps:
                await world.go_through(step)
    finally:
        await sessions.close()


def tell(
    month: Path, start: datetime, steps: list[Step], *, witness: bool, seen: Counter[str]
) -> None:
    """One story, on a database of its own."""
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        path = Path(folder) / "yobirin.db"
        shutil.copyfile(month, path)
        virtual_time.run(_play(path, start, steps, witness, seen))


LAST_MOMENT = datetime(2026, 12, 24, 19, 58, 50, tzinfo=JAPAN)
NOON = datetime(2026, 12, 24, 12, tzinfo=JAPAN)
HELD_BACK = [
    # what the clock says, by how much it is set while a call is under way to be placed
    (LAST_MOMENT, 10.0),  # past closing, by too little to be told from a clock that is kept right
    (NOON, 3600.0),  # within the hours, but nobody knows which of the two is true
    (NOON, -3600.0),
    (NOON, 86400.0 * 365),
]


@pytest.mark.parametrize(("start", "set_to"), HELD_BACK)
@pytest.mark.parametrize("witness", [True, False], ids=["a second clock", "no second clock"])
@pytest.mark.parametrize("when", _WHEN)
def test_a_clock_set_between_the_decision_and_the_call_holds_the_call_back(
    month: Path, start: datetime, set_to: float, witness: bool, when: str
) -> None:
    seen: Counter[str] = Counter()
    tell(month, start, [Step(0.5, None, "before")], witness=witness, seen=seen)
    assert seen["placed"] == 2
    seen.clear()
    tell(month, start, [Step(0.5, set_to, when)], witness=witness, seen=seen)
    assert seen["placed"] == 0


@pytest.mark.parametrize("witness", [True, False], ids=["a second clock", "no second clock"])
def test_whatever_the_clock_is_set_to_no_call_is_placed_outside_the_hours(
    month: Path, witness: bool
) -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=RUNS, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(start=_moments(_CALLING_DAYS, _EDGES), steps=_STEPS)
    def story(start: datetime, steps: list[Step]) -> None:
        tell(month, start, steps, witness=witness, seen=seen)

    story()
    # the stories are worth telling: calls were placed, and others held back at the last moment
    assert min(seen["placed"], seen["held back"], seen["not trusted"]) > 0, seen

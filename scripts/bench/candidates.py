"""How long the next candidate takes, and how that grows with the open phones of the month.

    .venv/bin/python -m scripts.bench.candidates [--phones 10000 100000 1000000] [--picks 1000]

On both databases one month of each size is made and brought into several states: an ordinary one, and
those that are worst for a search. In each of them phones are picked as the dialer picks them; after each
pick the first one is called, and of the calls in flight the oldest ends: its phone then is the last of its
rank. Exit status 0 only if the p99 of picking was at most 5 ms everywhere. A PostgreSQL is started for it
that does not wait for its disk: times of placing a call are comparable on SQLite only.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, String, Table, case, cast, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import campaigns, candidates, ledger
from db.campaigns import CampaignState
from db.session import Sessions, make_sessions
from db.tables import Attempt, CallInFlight, CaseRow, Intake, PhoneRow, table_of
from db.types import Moment
from db.upgrade import upgrade
from dialer.choosing import LOOK_AHEAD
from rules.calendar import JST
from rules.priority import LAST
from scripts.bench.figures import machine, percentile
from tests.databases import PostgresServer

NOW = datetime(2026, 9, 24, 14, 0, tzinfo=JST)
MORNING = NOW - timedelta(hours=5)
TOMORROW = MORNING + timedelta(days=1)
AIM_S = 0.005
LINES = 60
"""Calls in flight at any time."""
BATCH = 20_000
CAMPAIGN = 1

_PHONE = table_of(PhoneRow)
_MIXED = _PHONE.c.id % 1009 * 619 % 1009
"""0-1008, in no order."""
_ON_THE_LINE = _PHONE.c.case_id.in_(
    select(CaseRow.id).where(CaseRow.household_key.in_(select(CallInFlight.household_key)))
)


@dataclass(frozen=True, kw_only=True)
class State:
    """How the ranks and due times of a month's phones lie."""

    what: str
    rank: ColumnElement[Any] | int
    due: ColumnElement[bool]
    """Since the morning; the others from tomorrow on."""
    rest: bool = False
    """Nothing happens between the picks."""


STATES = [
    State(what="an ordinary afternoon", rank=LAST - _MIXED % 30, due=_MIXED < 400),
    State(what="all due since the same moment", rank=LAST, due=_PHONE.c.id > 0),
    State(what="only the last rank is due", rank=_MIXED % (LAST + 1), due=_MIXED % 101 == LAST),
    State(
        what="one phone of each rank is due",
        rank=_PHONE.c.id % (LAST + 1),
        due=_PHONE.c.id <= LAST,
    ),
    State(what="none is due", rank=_MIXED % (LAST + 1), due=_PHONE.c.id < 0, rest=True),
    State(
        what="the first are on the line",
        rank=case((_ON_THE_LINE, 1), else_=LAST),
        due=_PHONE.c.id > 0,
        rest=True,
    ),
]


@dataclass(frozen=True)
class Took:
    """Seconds of each pick and of each call placed."""

    pick_s: list[float] = field(default_factory=list)
    pick_cpu_s: list[float] = field(default_factory=list)
    """Of this process: on a busy machine, and on SQLite, all that the pick itself took."""
    place_s: list[float] = field(default_factory=list)


class Town:
    """One month with many phones, of which some calls are in flight."""

    def __init__(self, sessions: Sessions, phones: int) -> None:
        self._sessions = sessions
        self._phones = phones
        self._in_flight: deque[tuple[str, int]] = deque()

    async def use_lines(self) -> None:
        """Place calls until all lines are in use."""
        while len(self._in_flight) < LINES:
            await self._call(Took())

    async def come_to(self, state: State) -> None:
        """Give all phones the state's ranks and due times."""
        due_at = case((state.due, literal(MORNING, Moment)), else_=literal(TOMORROW, Moment))
        change = update(_PHONE).values(rank=state.rank, due_at=due_at)
        for first in range(1, self._phones + 1, BATCH):
            async with self._sessions.write() as session:
                own = _PHONE.c.id.between(first, first + BATCH - 1)
                await session.execute(change.where(own))

    async def pick(self, picks: int, *, rest: bool) -> Took:
        """Pick again and again."""
        took = Took()
        for _ in range(picks):
            if rest:
                await self._due(took)
            elif await self._call(took):
                await self._end()
        return took

    async def _due(self, took: Took) -> Sequence[candidates.Candidate]:
        begun, used = time.perf_counter(), time.process_time()
        async with self._sessions.read() as session:
            found = await candidates.due(session, CAMPAIGN, NOW, 1 + LOOK_AHEAD)
        took.pick_s.append(time.perf_counter() - begun)
        took.pick_cpu_s.append(time.process_time() - used)
        return found

    async def _call(self, took: Took) -> bool:
        """Call the first one; False: nobody is due."""
        found = await self._due(took)
        if not found:
            return False
        attempt, phone = str(uuid.uuid4()), found[0].phone_id
        begun = time.perf_counter()
        async with self._sessions.write() as session:
            await ledger.place(
                session, attempt_id=attempt, phone_id=phone, placed_at=NOW, caller_id="0258001000"
            )
        took.place_s.append(time.perf_counter() - begun)
        self._in_flight.append((attempt, phone))
        return True

    async def _end(self) -> None:
        attempt, phone = self._in_flight.popleft()
        async with self._sessions.write() as session:
            await ledger.finish(session, [attempt])
            await session.execute(update(_PHONE).where(_PHONE.c.id == phone).values(due_at=NOW))


async def make_month(sessions: Sessions, phones: int) -> Town:
    """A campaign with so many open phones, all due; every third one was called two days ago."""
    async with sessions.write() as session:
        await campaigns.create(
            session,
            "2026-09",
            profile="nagaoka-r8",
            period_from=date(2026, 9, 21),
            period_to=date(2026, 9, 30),
            at=NOW,
        )
        session.add(Intake(campaign_id=CAMPAIGN, sha256="", at=NOW, handed_by="benchmark", **_SUMS))
        await campaigns.set_state(session, "2026-09", CampaignState.RUNNING, at=NOW, by="benchmark")
    for model, rows in {CaseRow: _cases(phones), PhoneRow: _phones(phones)}.items():
        while batch := list(islice(rows, BATCH)):
            async with sessions.write() as session:
                await _load(session, table_of(model), batch)
    async with sessions.write() as session:
        await session.execute(_ATTEMPTS)
    return Town(sessions, phones)


async def _load(session: AsyncSession, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Past SQLAlchemy, which takes longer for a row than the database."""
    columns, values = list(rows[0]), [tuple(row.values()) for row in rows]
    raw = await (await session.connection()).get_raw_connection()
    driver: Any = raw.driver_connection
    if session.get_bind().dialect.name == "postgresql":
        await driver.copy_records_to_table(table.name, records=values, columns=columns)
    else:
        places = ", ".join("?" * len(columns))
        await driver.executemany(
            f'INSERT INTO "{table.name}" ({", ".join(columns)}) VALUES ({places})', values
        )


_ATTEMPTS = insert(table_of(Attempt)).from_select(
    ["id", "campaign_id", "case_id", "phone_id", "placed_at", "caller_id"],
    select(
        cast(_PHONE.c.id, String),
        _PHONE.c.campaign_id,
        _PHONE.c.case_id,
        _PHONE.c.id,
        literal(NOW - timedelta(days=2), Moment),
        literal("0258001000"),
    ).where(_PHONE.c.id % 3 == 1),
)
_SUMS = dict.fromkeys(("rows", "added", "changed", "unchanged", "refused"), 0)
_PERSON = dict.fromkeys(
    ("person_number", "household_number", "name", "kana", "birth_date", "postal_code"), "架空"
) | dict.fromkeys(("address", "category", "amount_yen", "instalments", "note"), "架空の町一丁目")


def _case_of(phone: int) -> int:
    """Of three phones in a row the first two are one case's."""
    return (phone - 1) // 3 * 2 + (2 if phone % 3 == 0 else 1)


def _cases(phones: int) -> Iterator[dict[str, Any]]:
    for n in range(1, _case_of(phones) + 1):
        # every tenth household has four cases
        household = n // 4 if n // 4 % 10 == 0 else -n
        yield _PERSON | {
            "id": n,
            "campaign_id": CAMPAIGN,
            "intake_id": 1,
            "reference": f"{n:08}",
            "person_key": _key("person", n),
            "household_key": _key("household", household),
            "status": "open",
        }


def _phones(phones: int) -> Iterator[dict[str, Any]]:
    for n in range(1, phones + 1):
        number = n if n % 50 else n - 7  # some are shared
        yield {
            "id": n,
            "campaign_id": CAMPAIGN,
            "case_id": _case_of(n),
            "position": 2 if n % 3 == 2 else 1,
            "number": f"0258{number:07}",
            "number_key": _key("number", number),
            "kind": "fixed",
            "status": "open",
            "learned": False,
            "counted": int(n % 3 == 1),
            "weekend_met": False,
            "rank": LAST,
            "gain": 0,
        }


def _key(kind: str, n: int) -> str:
    return hashlib.sha256(f"{kind} {n}".encode()).hexdigest()


async def measure(url: str, phones: int, picks: int, tidy: Callable[[], None]) -> dict[str, Took]:
    """Make one month and pick in each of its states.

    Args:
        tidy: does what a database does by itself some time after many changes.
    """
    await upgrade(url)
    sessions = make_sessions(url)
    town = await make_month(sessions, phones)
    tidy()
    await town.come_to(STATES[0])
    await town.use_lines()
    took = {}
    for state in STATES:
        await town.come_to(state)
        tidy()
        await town.pick(20, rest=state.rest)  # statements are prepared by the first ones
        took[state.what] = await town.pick(picks, rest=state.rest)
        _print(phones, state.what, took[state.what])
    await sessions.close()
    return took


def _print(phones: int, what: str, took: Took) -> None:
    figures = [f"{phones:>9,}  {what:<32}"]
    for seconds in filter(None, (took.pick_s, took.pick_cpu_s, took.place_s)):
        p50, p99 = (percentile(seconds, share) * 1000 for share in (0.5, 0.99))
        figures.append(f"p50 {p50:6.2f}  p99 {p99:6.2f}  max {max(seconds) * 1000:7.2f}")
    print(" | ".join(figures), flush=True)


def run(database: str, sizes: Sequence[int], picks: int) -> bool:
    """Measure one database at all sizes; whether the aim was met."""
    print(f"{database}: ms to pick | of it this process on the CPU | ms to place the call")
    found: list[dict[str, Took]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = None
        if database == "postgresql":
            server = stack.enter_context(PostgresServer.running())
        for phones in sizes:
            name = f"month_{phones}"
            url, tidy = f"sqlite+aiosqlite:///{folder / name}", _nothing
            if server is not None:
                server.execute(f"CREATE DATABASE {name}")
                url, tidy = server.url(name), partial(server.execute, "VACUUM ANALYZE", name)
            found.append(asyncio.run(measure(url, phones, picks, tidy)))
    for what in found[0]:
        small, large = found[0][what], found[-1][what]
        print(
            f"{sizes[-1]:,} against {sizes[0]:,}, {what}: {_growth(small.pick_s, large.pick_s)}; "
            f"on the CPU {_growth(small.pick_cpu_s, large.pick_cpu_s)}"
        )
    worst_s = max(percentile(took.pick_s, 0.99) for states in found for took in states.values())
    return worst_s <= AIM_S


def _growth(small: Sequence[float], large: Sequence[float]) -> str:
    shares = {"p50": 0.5, "p99": 0.99}
    return ", ".join(
        f"{name} x {percentile(large, share) / percentile(small, share):.2f}"
        for name, share in shares.items()
    )


def _nothing() -> None:
    pass


def main() -> int:
    """Print the tables; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--phones", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--picks", type=int, default=1_000)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    met = [run(database, asked.phones, asked.picks) for database in asked.databases]
    print(f"p99 at most {AIM_S * 1000:.0f} ms: {'yes' if all(met) else 'no'}; {machine()}")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())

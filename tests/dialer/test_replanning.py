"""When a new plan is made, and the process that makes it."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from db import plans
from db.campaigns import CampaignState
from db.session import Sessions
from dialer import replanning
from dialer.errors import PlanningError
from dialer.months import Month
from dialer.replanning import Replanning, in_own_process
from tests.db.town import NOON, Town
from tests.dialer.fakes import StillClock
from tests.rules.stories import NOVEMBER, PROFILE, at, profile_with

MONTH = Month(id=1, name="2026-11", state=CampaignState.RUNNING, profile=PROFILE, calendar=NOVEMBER)


class Running:
    """The campaigns that are called now."""

    def __init__(self, *months: Month) -> None:
        self.months = list(months)

    def running(self) -> list[Month]:
        return self.months


class Planner:
    """Notes what it is asked for."""

    def __init__(self, clock: StillClock) -> None:
        self._clock = clock
        self.asked: list[tuple[str, datetime]] = []
        self.fails: Exception | None = None

    async def __call__(self, campaign: str, now: datetime) -> None:
        self.asked.append((campaign, now))
        if self.fails is not None:
            raise self.fails


class Desk:
    """A `Replanning` that looks all the time, and a clock that is told."""

    def __init__(self, now: str, *months: Month) -> None:
        self.clock = StillClock(at(now))
        self.months = Running(*(months or (MONTH,)))
        self.planner = Planner(self.clock)

    async def turn_to(self, now: str) -> list[datetime]:
        """Set the clock; the moments planned for then."""
        self.clock.move((at(now) - self.clock.now()).total_seconds())
        return await self.look()

    async def look(self) -> list[datetime]:
        """What is planned when it looks several times."""
        before = len(self.planner.asked)
        for _ in range(20):
            await asyncio.sleep(0)
        return [now for _, now in self.planner.asked[before:]]


@asynccontextmanager
async def looking(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(replanning, "EVERY_S", 0)
    task = asyncio.create_task(
        Replanning(desk.clock, desk.months, desk.planner).run()  # type: ignore[arg-type]
    )
    try:
        yield
        assert not task.done(), "it goes on looking"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_plan_is_made_at_once_and_with_every_hour_of_calling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk("20 10:20")
    async with looking(desk, monkeypatch):
        assert await desk.look() == [at("20 10:20")]
        assert await desk.look() == []
        for now, planned in [
            ("20 10:59:59", False),
            ("20 11:00", True),
            ("20 11:30", False),
            ("20 12:00", True),
            ("20 19:58", True),
            ("20 19:58:55", True),  # nothing is placed any more: what is left is planned
            ("20 20:00", False),
            ("20 23:59:59", False),
            ("21 08:00", True),  # another day
            ("21 08:59:59", False),
            ("21 09:00", True),
        ]:
            assert await desk.turn_to(now) == ([at(now)] if planned else []), now


async def test_a_campaign_that_is_started_is_planned_and_each_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk("20 10:20")
    async with looking(desk, monkeypatch):
        await desk.look()
        desk.months.months.append(replace(MONTH, id=2, name="other"))
        await desk.look()
        assert [name for name, _ in desk.planner.asked] == ["2026-11", "other"]


@pytest.mark.parametrize(
    "changed",
    [
        replace(MONTH, calendar=replace(NOVEMBER, excluded=frozenset({date(2026, 11, 28)}))),
        replace(MONTH, profile=profile_with(attempts=2)),
    ],
    ids=["a day taken out", "another profile"],
)
async def test_what_a_supervisor_changes_of_the_days_is_planned_for_at_once(
    changed: Month, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk("20 10:20")
    async with looking(desk, monkeypatch):
        await desk.look()
        desk.months.months = [replace(MONTH)]  # reread, but the same
        assert await desk.look() == []
        desk.months.months = [changed]
        assert await desk.look() == [at("20 10:20")]


async def test_a_campaign_is_planned_before_its_period_and_not_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk("18 10:00")
    async with looking(desk, monkeypatch):
        assert await desk.look() == [at("18 10:00")]
        assert await desk.turn_to("30 19:00") == [at("30 19:00")]
        over = datetime(2026, 12, 1, 9, tzinfo=at("30 19:00").tzinfo)
        desk.clock.move((over - desk.clock.now()).total_seconds())
        assert await desk.look() == []


async def test_a_plan_that_fails_is_logged_and_made_again_in_the_next_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk("20 10:20")
    desk.planner.fails = PlanningError("campaign 2026-11: no plan was made; see the log")
    with capture_logs() as logs:
        async with looking(desk, monkeypatch):
            assert await desk.look() == [at("20 10:20")]
            assert await desk.turn_to("20 10:30") == []
            desk.planner.fails = None
            assert await desk.turn_to("20 11:00") == [at("20 11:00")]
    assert [(entry["event"], entry["campaign"]) for entry in logs] == [
        ("not_planned", "2026-11"),
        ("planned", "2026-11"),
    ]
    assert logs[0]["log_level"] == "error"


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[Any, ...], Process]]:
    """Every process that is started, with its arguments."""
    started: list[tuple[tuple[Any, ...], Process]] = []
    start: Callable[..., Any] = asyncio.create_subprocess_exec

    async def noted(*arguments: Any, **options: Any) -> Process:
        process: Process = await start(*arguments, **options)
        started.append((arguments, process))
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    return started


async def test_a_process_of_its_own_plans(
    sessions: Sessions,
    database_url: str,
    children: list[tuple[tuple[Any, ...], Process]],
) -> None:
    town = await Town(sessions).open()
    case_id = await town.case("1", "0258000001")
    await in_own_process(database_url)("2026-09", NOON)
    async with sessions.read() as session:
        plan = await plans.newest(session, town.campaign_id)
        bands = await plans.of_case(session, case_id)
    assert plan is not None
    assert (plan.made_at, plan.made_by) == (NOON, "dialer")
    assert len(bands) == 3
    phone = await town.phone(case_id)
    assert phone.planned_from == bands[0][1].starts_at
    ((arguments, process),) = children
    assert process.returncode == 0
    assert not [word for word in arguments if database_url in str(word)], "it may hold a password"


async def test_a_process_that_could_not_plan_is_an_error(
    database_url: str, sessions: Sessions
) -> None:
    with pytest.raises(PlanningError, match="2026-10"):
        await in_own_process(database_url)("2026-10", NOON)


async def test_the_process_ends_when_nobody_waits_for_it_any_more(
    tmp_path: object, children: list[tuple[tuple[Any, ...], Process]]
) -> None:
    make = in_own_process(f"sqlite+aiosqlite:///{tmp_path}/none.db")
    planning = asyncio.ensure_future(make("2026-09", NOON))
    while not children:
        await asyncio.sleep(0.001)
    planning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await planning
    ((_, process),) = children
    assert process.returncode == -9

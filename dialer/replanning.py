"""A new plan every hour, from what was learned meanwhile, and when the days of a campaign change.

A plan is made in a process of its own: it may take minutes, and calls go on meanwhile by the one before.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from dialer.clock import Clock
from dialer.errors import PlanningError
from dialer.months import Month, Months
from dialer.planning.order import Order
from rules.calendar import JST
from rules.hours import is_open

EVERY_S = 1.0
"""The clock is asked, not waited for: it may be set, or jump in a demo."""
BY = "dialer"
"""Who is named as the maker of such a plan."""

_log = structlog.get_logger()

MakePlan = Callable[[str, datetime], Awaitable[None]]
"""Plans the campaign of this name as of a moment."""


def in_own_process(database: str) -> MakePlan:
    """Plans in a process of its own (`dialer.planning.__main__`), which ends with us.

    Args:
        database: its URL, which may hold a password: it is not seen among the process's arguments.
    """

    async def make(campaign: str, now: datetime) -> None:
        order = Order(database=database, campaign=campaign, now=now, by=BY)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dialer.planning", stdin=asyncio.subprocess.PIPE
        )
        try:
            await process.communicate(order.model_dump_json().encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise PlanningError(f"campaign {campaign}: no plan was made; see the log")

    return make


class Replanning:
    """Looks whether a new plan is due."""

    def __init__(self, clock: Clock, months: Months, make_plan: MakePlan) -> None:
        self._clock = clock
        self._months = months
        self._make_plan = make_plan
        self._planned_for: dict[int, tuple[object, ...]] = {}

    async def run(self) -> None:
        """Look until cancelled; a plan that could not be made is made in the next hour."""
        while True:
            for month in self._due():
                await self._plan(month)
            await asyncio.sleep(EVERY_S)

    def _due(self) -> list[Month]:
        return [
            month
            for month in self._months.running()
            if self._planned_for.get(month.id) != self._now_of(month)
        ]

    def _now_of(self, month: Month) -> tuple[object, ...]:
        """What a plan is made for: the hour of calling (one plan holds from closing to opening), and
        everything that a supervisor may change of the days."""
        now = self._clock.now().astimezone(JST)
        hour = now.hour if is_open(now, month.calendar, month.profile) else None
        return now.date(), hour, month.calendar, month.profile

    async def _plan(self, month: Month) -> None:
        now = self._clock.now()
        self._planned_for[month.id] = self._now_of(month)
        if not any(month.calendar.calling_days(now.astimezone(JST).date())):
            return
        begun = self._clock.monotonic()
        try:
            await self._make_plan(month.name, now)
        except Exception as error:  # calls go on by the plan before
            _log.error("not_planned", campaign=month.name, error=error)
            return
        _log.info("planned", campaign=month.name, seconds=round(self._clock.monotonic() - begun, 1))

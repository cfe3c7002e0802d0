"""People who call us, in a rehearsal where everything is real but them: by day, and at night."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dialer.clock import JumpClock
from rules.calendar import JST
from scripts.town.callers import Caller, Way
from scripts.town.callers_check import check_callers, check_callers_shown, who_is_owed_a_call
from scripts.town.conductor import NIGHT, rounds_from
from scripts.town.demo import first_possible_day
from scripts.town.occasions import STRANGER
from scripts.town.people import Kind
from scripts.town.rehearsal import Plan, Rehearsal, rehearsal

pytestmark = pytest.mark.asterisk


async def test_callers_get_what_they_want_by_day_and_hear_the_guidance_at_night() -> None:
    begins = rounds_from(first_possible_day(), 0)[0].begins
    clock = JumpClock(begins)
    day = begins.date()
    with tempfile.TemporaryDirectory(prefix="yobirin-") as folder:  # a short path: sockets
        plan = Plan(
            folder=Path(folder),
            cases=5,
            operators=2,
            seed=1,
            first_day=day,
            last_day=day + timedelta(days=1),
            shifts={day: range(17, 20)},
        )
        async with rehearsal(plan, clock) as stage:
            await stage.all_free()
            number = {kind: number for number, kind in stage.town.kinds.items()}
            await by_day(stage, number)
            await called_back(stage, number[Kind.QUICK_TO_ANSWER])
            await at_night(stage, begins, number[Kind.DAYTIME])
            await all_was_right(stage)


async def by_day(stage: Rehearsal, number: dict[Kind, str]) -> None:
    """Three talk with two operators; meanwhile the others do not want to wait."""
    talking = [
        Caller(way=Way.TALKS, number=number[Kind.TAKES_MESSAGE]),
        Caller(way=Way.TALKS, number=None, reference=stage.references[number[Kind.WORKER]]),
        Caller(way=Way.TALKS, number=STRANGER),
    ]
    impatient = [
        Caller(way=Way.ASKS_BACK, number=number[Kind.QUICK_TO_ANSWER]),
        Caller(way=Way.GIVES_UP, number=number[Kind.WEEKENDER]),
        Caller(way=Way.LEAVES_MESSAGE, number=None),
    ]
    async with asyncio.timeout(120), asyncio.TaskGroup() as tasks:
        for caller in talking:
            tasks.create_task(stage.callers.call(caller))
        await asyncio.sleep(0.5)  # the others come after them
        for caller in impatient:
            tasks.create_task(stage.callers.call(caller))


async def called_back(stage: Rehearsal, number: str) -> None:
    """Wait until the person was called, and nobody is on a line."""
    async with asyncio.timeout(120):
        while not any(call.number == number and call.ended for call in stage.carrier.ledger.calls):
            await asyncio.sleep(0.1)
        await stage.campaign.pause()
        await stage.carrier.ledger.idle.wait()
        await stage.all_free()


async def at_night(stage: Rehearsal, begun: datetime, missed: str) -> None:
    """The month is paused; in the morning it goes on."""
    occasions = stage.occasions(lambda: 0.0)
    stage.clock.jump_to(datetime.combine(begun.date(), NIGHT, JST))
    async with occasions.night():
        assert occasions.idle()
    morning = begun.replace(hour=9, minute=0) + timedelta(days=1)
    listened = stage.callers.calls[-2:]
    assert {call.caller.number for call in listened} == {missed, None}
    for call in listened:
        assert call.heard.sounds == (
            "guidance", "next-open", f"month-{morning.month}", f"day-{morning.day}",
            f"weekday-{morning.weekday()}", "hour-9",
        )  # fmt: skip
    stage.clock.jump_to(morning)
    before = stage.carrier.ledger.next_call(missed)
    await stage.campaign.resume()
    async with asyncio.timeout(60):
        while stage.carrier.ledger.next_call(missed) == before:
            await asyncio.sleep(0.1)


async def all_was_right(stage: Rehearsal) -> None:
    calls, on_record = stage.callers.calls, await stage.called_us()
    ours, records = stage.carrier.ledger.calls, await stage.records()
    until = stage.clock.now()
    moments = [*(record.placed_at for record in records), until]
    refused = await stage.refused(who_is_owed_a_call(calls), moments)
    checks = check_callers(calls, on_record, ours, records, refused, until)
    assert [check for check in checks if not check.held] == []
    shown = check_callers_shown(calls, on_record, stage.references)
    assert [check for check in shown if not check.held] == []
    assert stage.carrier.asterisk.complaints() == stage.pbx.complaints() == []

"""The whole of it with five cases: everything real but the people."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from dialer.clock import JumpClock
from scripts.town.conductor import Conductor, Round, is_non_weekday, rounds_from
from scripts.town.demo import first_possible_day
from scripts.town.installation import CALLER_IDS
from scripts.town.people import Heard
from scripts.town.rehearsal import Plan, Rehearsal, rehearsal
from scripts.town.selfcheck import check_all

pytestmark = pytest.mark.asterisk


async def test_a_thursday_evening_in_a_town_of_five() -> None:
    """Three people are at home in the evening and two are not: their telephones ring out."""
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
            last_day=day,
            shifts={day: range(17, 20)},
        )
        async with rehearsal(plan, clock) as stage:
            await stage.all_free()
            await play_the_evening(stage, Round(begins=begins, until_s=150))
            await compare(stage)
            await lose_the_operators_and_get_them_back(stage)


async def lose_the_operators_and_get_them_back(stage: Rehearsal) -> None:
    """The softphones dial again, and the robots ask for calls again."""
    for extension in stage.tokens:
        channels = stage.pbx.cli("core show channels concise").splitlines()
        leg = next(line.split("!")[0] for line in channels if line.startswith(f"PJSIP/{extension}"))
        await asyncio.to_thread(stage.pbx.cli, f"channel request hangup {leg}")
    async with asyncio.timeout(30):
        while all(seat.state == "free" for seat in (await stage.status()).operators):
            await asyncio.sleep(0.01)
    await stage.all_free()


async def play_the_evening(stage: Rehearsal, evening: Round) -> None:
    """The calling period has no other day: after the evening nothing becomes due any more."""
    begun = time.monotonic()
    conductor = Conductor(
        stage.clock, stage.campaign, stage.carrier.ledger.idle.is_set, stage.status
    )
    await conductor.play([evening], lambda: time.monotonic() - begun)


async def compare(stage: Rehearsal) -> None:
    records, ledger = await stage.records(), stage.carrier.ledger
    outcomes = Counter(record.result.outcome for record in records if record.result)
    heard = Counter(call.behaviour.heard for call in ledger.calls)
    assert outcomes["no_answer"] == heard[None] == 2
    assert outcomes["person_done"] == heard[Heard.PERSON] >= 2
    assert outcomes["household_done"] == heard[Heard.FAMILY_OFFERING] >= 1
    checks = check_all(
        records,
        ledger.calls,
        called_twice_at_once=ledger.called_twice_at_once,
        caller_ids=CALLER_IDS,
        is_non_weekday=is_non_weekday,
    )
    assert [check for check in checks if not check.held] == []
    assert stage.carrier.asterisk.complaints() == []

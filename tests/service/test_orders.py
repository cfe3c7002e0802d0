"""What is ordered while calls go on: another caller ID, a day taken out (§11(2)イウ, §6(2))."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from db import caller_ids
from dialer.excluded_day import exclude_day
from tests.asterisk.pbx import POOL
from tests.asterisk.phone import Call
from tests.service.rig import CAMPAIGN, House, Rig, forget_callers, operator, rig

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def centre(house: House, database_url: str) -> AsyncIterator[Rig]:
    """A centre whose service runs, with three cases; the campaign is not started."""
    await forget_callers(house)
    async with rig(database_url, house=house) as made:
        await made.add_cases(["0258000001"], ["0258000002"], ["0258000003"])
        await made.serve()
        yield made


def presented(call: Call) -> set[str]:
    """The numbers an INVITE names as the caller's."""
    headers = ("From", "P-Asserted-Identity", "P-Preferred-Identity")
    return {re.findall(r"sip:(\d+)@", call.invite.get(name))[0] for name in headers}


async def test_a_scheduled_caller_id_shows_from_its_moment_on_and_the_old_one_takes_callbacks(
    centre: Rig,
) -> None:
    hour = timedelta(hours=1)
    async with centre.sessions.write() as session:
        now = centre.clock.now()
        await caller_ids.schedule(session, POOL[1], from_at=now + hour, at=now, by="test")
    # the campaign is started by a later notice, so the order is known when the first call comes
    screen = await operator(centre)
    before = await centre.carrier.called()
    assert presented(before) == {POOL[0]}
    await screen.post("pause")
    before.respond("486 Busy Here")
    await centre.until_results(1)

    centre.clock.jump_to(centre.clock.now() + hour)
    await screen.post("ready")
    after = await centre.carrier.called()
    assert presented(after) == {POOL[1]}

    status, callback = await centre.carrier.call(POOL[0])
    assert status == 200
    await screen.until("talking")
    callback.hang_up()
    await screen.until("after_call_work")


async def test_from_the_moment_today_is_excluded_nothing_is_placed_and_what_rings_goes_on(
    centre: Rig,
) -> None:
    screen = await operator(centre)
    call = await centre.carrier.called()
    call.respond("180 Ringing")
    now = centre.clock.now()
    await exclude_day(centre.sessions, CAMPAIGN, now.date(), at=now, by="test")
    assert centre.service is not None
    [month] = centre.service.months.all()
    async with asyncio.timeout(30):  # until the service has read the order
        while month.calendar.is_calling_day(now.date()):
            await asyncio.sleep(0.02)
            [month] = centre.service.months.all()
    call.answer()  # a person who answers is talked to
    await screen.until("talking")
    call.hang_up()
    await screen.until("after_call_work")
    assert (await screen.save("hung_up")).status_code == 200
    with pytest.raises(TimeoutError):
        await centre.carrier.called(within_s=2.5)

    # the next day it goes on
    centre.clock.jump_to(centre.clock.now() + timedelta(days=1))
    async with asyncio.timeout(30):
        await centre.carrier.called()

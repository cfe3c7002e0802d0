"""A payment reaches a ringing telephone, and one household is called once (rules 9 and 10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from db.campaigns import CampaignState
from dialer.payments import add_payment
from tests.service.rig import CAMPAIGN, House, Rig, operator, rig, until_known

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def centre(house: House, database_url: str) -> AsyncIterator[Rig]:
    """A centre whose service runs; the campaign is not started."""
    async with rig(database_url, house=house) as made:
        await made.serve()
        yield made


async def test_a_payment_silences_a_ringing_phone(centre: Rig) -> None:
    await centre.add_cases(["0258000001"])
    await operator(centre)
    call = await centre.carrier.called()
    call.respond("180 Ringing")
    async with centre.sessions.write() as session:
        await add_payment(session, CAMPAIGN, "202610000000", at=centre.clock.now(), by="市")
    await call.is_over()
    assert (await centre.until_results(1))[0].outcome == "cancelled"


async def test_two_cases_that_share_a_number_are_called_one_after_the_other(centre: Rig) -> None:
    """Neither on the shared number nor on another one, with an operator free for each."""
    await centre.add_cases(["0258000001", "0258000002"], ["0258000003", "0258000002"])
    screens = await centre.add_operators(2)
    await until_known(centre, 2)
    await asyncio.gather(*(screen.log_in() for screen in screens))
    await centre.set_campaign(CampaignState.RUNNING)
    first = await centre.carrier.called()
    with pytest.raises(TimeoutError):
        await centre.carrier.called(within_s=1.5)
    first.respond("486 Busy Here")
    await centre.until_results(1)
    with pytest.raises(TimeoutError):  # nor within 30 minutes
        await centre.carrier.called(within_s=1.5)

"""`dialer why` asks a running service: what it answers before, while and after calls are placed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from db.campaigns import CampaignState
from dialer.web.models import Status
from dialer.why import Seen, Why, why
from dialer.why_seen import database_seen, service_seen
from tests.service.rig import House, Rig, operator, rig

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def centre(house: House, database_url: str) -> AsyncIterator[Rig]:
    """A centre whose service runs, with one case; the campaign is not started."""
    async with rig(database_url, house=house) as made:
        await made.add_cases(["0258000001"])
        await made.serve()
        yield made


async def answer(centre: Rig) -> Why:
    """What the command does, without the terminal."""
    url = f"http://127.0.0.1:{centre.settings.http.port}/api/status"
    async with httpx.AsyncClient(trust_env=False) as http:
        got = (await http.get(url)).raise_for_status()
    status = Status.model_validate_json(got.content)
    async with centre.sessions.read() as session:
        database = await database_seen(session, status.now)
    return why(Seen(now=status.now, service=service_seen(status), database=database))


async def until(centre: Rig, code: str) -> Why:
    """Wait for an answer."""
    async with asyncio.timeout(30):
        while (found := await answer(centre)).answer.code != code:
            await asyncio.sleep(0.05)
    return found


async def test_the_answer_follows_the_day_from_the_first_operator_to_the_last_case(
    centre: Rig,
) -> None:
    before = await answer(centre)
    assert before.answer.code == "no_campaign_running"
    assert [one.code for one in before.others] == ["no_operator"]

    screen = await operator(centre)  # also starts the campaign
    call = await centre.carrier.called()
    call.respond("180 Ringing")
    dialled = await until(centre, "dialling")
    assert "1 dialling or ringing, 1 placed in the last 5 minutes" in dialled.answer.words
    call.answer()
    await screen.until("talking")
    call.hang_up()
    await screen.until("after_call_work")
    assert (await screen.save("no_answer")).status_code == 422
    assert (await screen.save("person_done", script_finished=True)).status_code == 200
    left = await until(centre, "no_case_left")
    assert left.answer.words == "campaign 2026-10: no case is open any more"

    await centre.set_campaign(CampaignState.PAUSED)
    paused = await answer(centre)
    assert paused.answer.words == "no campaign runs: 2026-10 is paused"

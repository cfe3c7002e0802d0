"""What the running service keeps of pacing: what was believed, what operators did, what was learned."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import select

from db import pacing, plans, seat_changes
from db.campaigns import get
from db.tables import Attempt
from dialer.estimating import BEFOREHAND
from tests.service.rig import CAMPAIGN, MONDAY, House, Rig, answered, operator, rig

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

OWN_CHANCE = 0.47
AHEAD = timedelta(hours=1)


@pytest_asyncio.fixture(loop_scope="module")
async def centre(house: House, database_url: str) -> AsyncIterator[Rig]:
    """A centre whose service runs, with one case and a plan; the campaign is not started."""
    async with rig(database_url, house=house) as made:
        await made.add_cases(["0258000001"])
        async with made.sessions.write() as session:
            campaign = await get(session, CAMPAIGN)
            await plans.add(
                session,
                campaign.id,
                at=MONDAY,
                by="tests",
                figures={},
                chances=[["午前", False, "fixed", 1, OWN_CHANCE]],
            )
        await made.serve()
        yield made


async def test_a_talk_leaves_its_chance_the_operators_day_and_what_it_taught(centre: Rig) -> None:
    screen = await operator(centre)
    call = await answered(centre)
    await screen.until("talking")
    call.hang_up()
    await screen.until("after_call_work")
    assert (await screen.save("person_done", script_finished=True)).status_code == 200
    await screen.until("free")
    status = await centre.service.desk.report()
    assert (status.pacing.connected, status.pacing.abandoned) == (1, 0)
    learned = centre.service.estimating.estimates
    assert learned.talk.weight == BEFOREHAND.talk.weight + 1
    centre.service.request_stop()
    await centre.task

    async with centre.sessions.read() as session:
        attempt = (await session.scalars(select(Attempt))).one()
        moves = await seat_changes.between(session, MONDAY - AHEAD, MONDAY + AHEAD)
        beliefs = await pacing.beliefs(session)
        counts = await pacing.day_counts(session, MONDAY.replace(hour=0))
    assert attempt.chance is not None
    assert attempt.miss is not None
    assert 0 <= attempt.miss <= 1
    # with a plan of its phone, and nothing learned yet
    assert attempt.chance == pytest.approx(OWN_CHANCE)
    assert [move.state.value for move in moves if move.operator_id == screen.id] == [
        "paused",
        "free",
        "ringing_for",
        "talking",
        "after_call_work",
        "free",
    ]
    assert beliefs["talk.mu"] == learned.talk.mu
    assert counts == (1, 0)

    service = await centre.serve()  # begins where it ended
    assert service.estimating.estimates == learned
    assert service.day.counts() == (1, 0)

"""The service ends gently, and comes back to what it left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from rules.call_state import State
from tests.asterisk import tones
from tests.plans import without_plan
from tests.service.rig import House, Rig, answered, lines_in, operator, rig

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def centre(house: House, database_url: str) -> AsyncIterator[Rig]:
    """A centre whose service runs, with three cases."""
    async with rig(database_url, house=house) as made:
        await made.add_cases(["0258000001"], ["0258000002"], ["0258000003"])
        await made.serve()
        yield made


async def crash(centre: Rig) -> None:
    """The service is gone without a word; Asterisk and the telephones are not."""
    await centre.stop_service()


async def test_after_sigterm_a_talk_ends_by_itself_and_nothing_new_is_dialled(
    centre: Rig,
) -> None:
    screen = await operator(centre)
    call = await answered(centre)
    await screen.until("talking")
    assert centre.service is not None
    assert centre.task is not None
    centre.service.request_stop()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(centre.task), 1.0)
    assert not call.ended.is_set()
    call.hang_up()
    await asyncio.wait_for(centre.task, 30)
    assert centre.carrier.calls.empty()
    # the result is still owed: the next start brings it back to the operator's screen
    await centre.serve()
    await screen.until("after_call_work")
    assert (await screen.save("hung_up")).status_code == 200


async def test_a_talk_survives_a_crash_and_its_result_is_recorded_after_the_restart(
    centre: Rig,
) -> None:
    screen = await operator(centre)
    call = await answered(centre)
    await screen.until("talking")
    assert screen.leg is not None
    await crash(centre)
    call.speaks, screen.leg.speaks = 500, 700
    await asyncio.gather(screen.leg.hears(500), call.hears(700))
    await centre.serve()
    me = await screen.until("talking")
    assert me["call"]["on_line"]
    await asyncio.gather(screen.leg.hears(500), call.hears(700))
    call.hang_up()
    await screen.until("after_call_work")
    assert (await screen.save("person_done", script_finished=True)).status_code == 200
    await centre.carrier.called()  # dialling goes on by itself, the operator is still ready


async def test_a_talk_that_ends_while_the_service_is_away_still_gets_its_result(
    centre: Rig,
) -> None:
    screen = await operator(centre)
    call = await answered(centre)
    await screen.until("talking")
    await crash(centre)
    call.hang_up()
    await centre.serve()
    await screen.until("after_call_work")
    assert (await screen.save("person_done", script_finished=True)).status_code == 200


async def test_a_person_who_answers_while_the_service_is_away_is_abandoned_with_courtesy(
    centre: Rig,
) -> None:
    await operator(centre)
    call = await centre.carrier.called()
    call.respond("180 Ringing")
    assert centre.service is not None
    await centre.service.ledger.flushed()
    await crash(centre)
    call.answer()
    await call.hears(tones.COURTESY_HZ)
    await call.is_over()
    await centre.serve()
    assert (await centre.until_results(1))[0].outcome == "abandoned"


async def test_a_ringing_phone_keeps_ringing_through_a_restart_and_can_still_be_answered(
    centre: Rig,
) -> None:
    screen = await operator(centre)
    call = await centre.carrier.called()
    call.respond("180 Ringing")
    await crash(centre)
    await centre.serve()
    assert not call.ended.is_set()
    call.answer()
    await screen.until("talking")
    assert centre.carrier.calls.empty()


async def test_a_stop_order_given_while_the_service_was_away_silences_the_phone_at_its_return(
    centre: Rig,
) -> None:
    await operator(centre)
    call = await centre.carrier.called()
    call.respond("180 Ringing")
    assert centre.service is not None
    [line] = await lines_in(centre, State.RINGING)
    await centre.service.ledger.flushed()
    await crash(centre)
    await centre.stop_case(line.case_id)
    await centre.serve()
    await call.is_over()
    assert (await centre.until_results(1))[0].outcome == "cancelled"


async def test_a_call_that_ended_unanswered_while_the_service_was_away_is_failed(
    centre: Rig,
) -> None:
    await operator(centre)
    call = await centre.carrier.called()
    call.respond("180 Ringing")
    await crash(centre)
    call.respond("486 Busy Here")
    await centre.serve()
    assert (await centre.until_results(1))[0].outcome == "failed"


async def test_a_second_service_on_the_same_database_is_refused(centre: Rig) -> None:
    from dialer.bootstrap import build
    from dialer.errors import DatabaseError

    with pytest.raises(DatabaseError, match="another dialer"):
        await build(centre.settings, centre.secrets, centre.clock, without_plan).run()

"""Calls from pacing to result, on a real Asterisk with SIP telephones at both ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from db import stops
from db.campaigns import CampaignState
from rules.call_state import State
from tests.asterisk import tones
from tests.asterisk.phone import Call
from tests.service.rig import House, Rig, answered, lines_in, operator, rig, until_known

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

SLOW_S = 8.0
"""So much later may be seen what a slow machine does in time."""
NUMBERS = [["0258000001"], ["0258000002"], ["0258000003"], ["0258000004"]]


@pytest_asyncio.fixture(loop_scope="module")
async def centre(house: House, database_url: str) -> AsyncIterator[Rig]:
    """A centre whose service runs, with four cases; the campaign is not started."""
    async with rig(database_url, house=house) as made:
        await made.add_cases(*NUMBERS)
        await made.serve()
        yield made


async def outcomes(centre: Rig, count: int) -> list[str]:
    return [row.outcome for row in await centre.until_results(count)]


async def test_an_answered_person_talks_with_the_operator_and_the_result_is_recorded(
    centre: Rig,
) -> None:
    screen = await operator(centre)
    call = await answered(centre)
    assert screen.leg is not None
    call.speaks, screen.leg.speaks = 500, 700
    me = await screen.until("talking")
    assert me["call"]["phone"] in {number for [number] in NUMBERS}
    await asyncio.gather(screen.leg.hears(500), call.hears(700))
    call.hang_up()
    await screen.until("after_call_work")
    refused = await screen.save("person_done")
    assert (refused.status_code, refused.json()["field"]) == (422, "script_finished")
    assert (await screen.save("person_done", script_finished=True)).status_code == 200
    assert (await screen.me())["state"] == "free"
    # one operator, one call at a time: the next one comes now
    await centre.carrier.called()


async def test_a_saved_result_can_be_corrected_and_the_old_one_stays_on_record(
    centre: Rig,
) -> None:
    screen = await operator(centre)
    call = await answered(centre)
    me = await screen.until("talking")
    attempt = me["call"]["attempt_id"]
    assert (await screen.save("person_done", script_finished=True)).status_code == 409  # talking
    assert (await screen.post("hangup")).status_code == 200
    await call.is_over()
    await screen.until("after_call_work")
    await screen.post("pause")
    assert (await screen.save("person_done", script_finished=True)).status_code == 200
    corrected = await screen.http.put(
        f"/api/result/{attempt}", json={"attempt_id": attempt, "outcome": "wrong_number"}
    )
    assert corrected.status_code == 200
    rows = await centre.results()
    assert [(row.outcome, row.replaces_id) for row in rows] == [
        ("person_done", None),
        ("wrong_number", rows[0].id),
    ]


async def test_a_person_whom_nobody_can_serve_hears_the_courtesy_message_and_is_abandoned(
    centre: Rig,
) -> None:
    screen = await operator(centre)
    call = await centre.carrier.called()
    call.respond("180 Ringing")
    await screen.post("pause")
    began = time.monotonic()
    call.answer()
    await call.hears(tones.COURTESY_HZ)
    assert time.monotonic() - began > 2.0
    await call.is_over()
    assert await outcomes(centre, 1) == ["abandoned"]


async def test_a_person_waits_for_an_operator_who_becomes_free_within_two_seconds(
    centre: Rig,
) -> None:
    screen = await operator(centre)
    call = await centre.carrier.called()
    call.respond("180 Ringing")
    await screen.post("pause")
    call.answer()
    await screen.post("ready")
    await screen.until("talking")


async def test_a_person_who_hangs_up_before_an_operator_is_there_hung_up(centre: Rig) -> None:
    screen = await operator(centre)
    call = await centre.carrier.called()
    call.respond("180 Ringing")
    await screen.post("pause")
    call.answer()
    await lines_in(centre, State.WAITING)
    call.hang_up()
    assert await outcomes(centre, 1) == ["hung_up"]


async def test_on_an_answering_machine_one_click_leaves_the_message_and_frees_the_operator(
    centre: Rig,
) -> None:
    screen = await operator(centre)
    call = await answered(centre)
    call.speaks = 600  # the greeting
    await screen.until("talking")
    me = (await screen.post("message")).json()
    assert (me["state"], me["call"]) == ("free", None)
    following = await centre.carrier.called()  # the operator is free while the message is left
    following.respond("180 Ringing")
    call.speaks = None  # the beep is over
    await call.hears(tones.VOICEMAIL_HZ)
    await call.is_over()
    following.respond("486 Busy Here")
    assert sorted((await outcomes(centre, 2))[:2]) == ["busy", "voicemail_left"]


async def test_a_machine_that_hangs_up_before_the_message_is_voicemail_failed(
    centre: Rig,
) -> None:
    screen = await operator(centre)
    call = await answered(centre)
    call.speaks = 600
    await screen.until("talking")
    await screen.post("pause")
    await screen.post("message")
    await lines_in(centre, State.MESSAGE)
    call.hang_up()
    assert await outcomes(centre, 1) == ["voicemail_failed"]


async def test_a_stop_order_silences_a_ringing_phone(centre: Rig) -> None:
    await operator(centre)
    call = await centre.carrier.called()
    call.respond("180 Ringing")
    await stop_the_case_of(centre)
    await call.is_over()
    assert (await centre.until_results(1))[0].outcome == "cancelled"


async def test_a_stop_order_does_not_cut_a_talk_and_its_operator_is_told(centre: Rig) -> None:
    screen = await operator(centre)
    call = await answered(centre)
    me = await screen.until("talking")
    assert me["call"]["case_status"] == "open"
    await stop_the_case_of(centre)
    async with asyncio.timeout(30):
        while me["call"]["case_status"] != "stopped":
            me = (await screen.http.get("/api/me", params={"since": me["rev"], "wait": 1})).json()
    assert me["state"] == "talking"
    assert not call.ended.is_set()


async def test_an_emergency_stop_hangs_up_what_rings_and_nothing_is_dialled_until_it_is_lifted(
    centre: Rig,
) -> None:
    await operator(centre)
    call = await centre.carrier.called()
    call.respond("180 Ringing")
    async with centre.sessions.write() as session:
        await stops.set_emergency(session, at=centre.clock.now(), by="test")
    await call.is_over()
    with pytest.raises(TimeoutError):
        await centre.carrier.called(within_s=1.5)
    async with centre.sessions.write() as session:
        await stops.lift_emergency(session, at=centre.clock.now(), by="test")
    await centre.carrier.called()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("486 Busy Here", "busy"),
        ("404 Not Found", "out_of_service"),
        ("603 Decline", "failed"),  # without ringing: unclear
        ("503 Service Unavailable", "failed"),
    ],
)
async def test_what_the_network_says_becomes_the_outcome(
    centre: Rig, status: str, outcome: str
) -> None:
    await operator(centre)
    call = await centre.carrier.called()
    call.respond(status)
    assert (await outcomes(centre, 1))[0] == outcome


async def test_an_unanswered_phone_rings_for_35_seconds_and_little_more_whenever_ringing_begins(
    house: House,
) -> None:
    """§8(5)ア: counted from the first ringing indication, at the callee."""
    async with rig(house=house) as centre:
        await centre.add_cases(*NUMBERS[:3])
        await centre.serve()
        screens = await centre.add_operators(3)
        await until_known(centre, 3)
        await asyncio.gather(*(screen.log_in() for screen in screens))
        await centre.set_campaign(CampaignState.RUNNING)
        rings = await asyncio.gather(
            *[rung(await centre.carrier.called(), late_s) for late_s in (0, 3, 6)]
        )
        assert all(35.0 <= ring <= 37.0 + SLOW_S for ring in rings), rings
        rows = await centre.until_results(3)
        assert [row.outcome for row in rows] == ["no_answer"] * 3


async def rung(call: Call, late_s: float) -> float:
    """Ring after `late_s`, never answer; seconds until the caller gave up."""
    await asyncio.sleep(late_s)
    began = time.monotonic()
    call.respond("180 Ringing")
    await call.is_over(within_s=60)
    return call.ended_at - began


async def stop_the_case_of(centre: Rig) -> None:
    """A stop order for the only case whose phone rings, or who talks."""
    [line] = await lines_in(centre, State.RINGING, State.TALKING)
    await centre.stop_case(line.case_id)

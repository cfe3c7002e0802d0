"""People who call us, on a real Asterisk: in their order to operators, called back, and taken over after an
absence of ours."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from panoramisk.message import Message
from sqlalchemy import select

from agi.server import Server
from db.campaigns import CampaignState
from db.tables import CalledBack
from dialer.ami import contract
from dialer.callbacks import TAKE_OVER_AFTER_S
from dialer.errors import RefusedError
from dialer.service import Service
from rules.answering import STALE_S
from tests.asterisk import tones
from tests.asterisk.pbx import POOL
from tests.asterisk.phone import HOST, Call
from tests.service.answerer import answering
from tests.service.rig import House, Rig, Screen, forget_callers, rig, until_known

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

NUMBER = "0258000001"


@pytest.fixture
def answerer(house: House) -> Iterator[Server]:
    with answering(house.settings) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def centre(house: House, database_url: str, answerer: Server) -> AsyncIterator[Rig]:
    """A centre whose service runs, with a case in a campaign that is not called yet."""
    await forget_callers(house)
    async with rig(database_url, house=house) as made:
        await made.add_cases([NUMBER])
        await made.serve()
        yield made


async def logged_in(centre: Rig, count: int = 1) -> list[Screen]:
    """Operators who asked for calls."""
    screens = await centre.add_operators(count)
    await until_known(centre, count)
    for screen in screens:
        await screen.log_in()
    return screens


async def call_us(centre: Rig, number: str = NUMBER) -> Call:
    """Somebody calls; returns once they were answered."""
    centre.carrier.identity = f"<sip:{number}@{HOST}>"
    status, call = await centre.carrier.call(POOL[0])
    assert status == 200
    return call


async def test_a_caller_talks_with_an_operator_who_identifies_them_and_completes_the_case(
    centre: Rig,
) -> None:
    [screen] = await logged_in(centre)
    call = await call_us(centre)
    me = await screen.until("talking")
    assert screen.leg is not None
    call.speaks, screen.leg.speaks = 500, 700
    await asyncio.gather(screen.leg.hears(500), call.hears(700))
    told = me["callback"]
    assert (told["number"], told["on_line"], told["case"]) == (NUMBER, True, None)
    while not (told := (await screen.me())["callback"])["candidates"]:
        await asyncio.sleep(0.05)
    [brief] = told["candidates"]
    named = {"callback_id": told["callback_id"], "case_id": brief["case_id"]}
    identified = (await screen.post("callback/identify", named)).raise_for_status().json()
    assert identified["callback"]["case"]["reference"] == brief["reference"]
    refused = await screen.post("callback/result", {**named, "outcome": "person_done"})
    assert refused.status_code == 409  # on the line
    call.hang_up()
    await screen.until("after_call_work")
    done = {**named, "outcome": "person_done", "script_finished": True}
    assert (await screen.post("callback/result", done)).status_code == 200
    assert (await screen.me())["state"] == "free"
    [row] = await centre.results()
    assert (row.callback_id, row.attempt_id, row.outcome) == (
        told["callback_id"],
        None,
        "person_done",
    )
    assert await centre.until_ended(1) == [["waiting", "joining", "talking", "ended"]]
    # the same again changes nothing
    assert (await screen.post("callback/result", done)).status_code == 200
    assert len(await centre.results()) == 1


async def test_callers_wait_in_their_order_and_the_next_is_joined_as_the_operator_saves(
    centre: Rig,
) -> None:
    [screen] = await logged_in(centre)
    calls = [await call_us(centre, f"025800010{n}") for n in range(3)]
    await calls[1].hears(tones.WAIT_HZ)
    await screen.until("talking")
    async with asyncio.timeout(30):
        while (callers := await told_of_callers(screen))["waiting"] != 2:
            await asyncio.sleep(0.05)
    assert callers["longest_wait_s"] > 0
    for n, call in enumerate(calls):
        me = await screen.until("talking")
        assert me["callback"]["number"] == f"025800010{n}"
        call.hang_up()
        await screen.until("after_call_work")
        closed = {"callback_id": me["callback"]["callback_id"], "kind": "unrelated", "note": ""}
        assert (await screen.post("callback/close", closed)).status_code == 200
    assert (await screen.me())["state"] == "free"
    states = await centre.until_ended(3)
    assert states == [["waiting", "joining", "talking", "ended"]] * 3


async def test_whose_operators_line_breaks_gets_the_same_operator_again_when_they_are_back(
    centre: Rig,
) -> None:
    [screen] = await logged_in(centre)
    call = await call_us(centre)
    await screen.until("talking")
    assert screen.leg is not None
    screen.leg.hang_up()
    await screen.until("away")
    await call.hears(tones.WAIT_HZ)
    screen.leg = await centre.house.nailed_up(screen.id)
    await screen.until("paused")
    await screen.post("ready")
    await screen.until("talking")
    call.speaks = 500
    await screen.leg.hears(500)
    call.hang_up()
    await screen.until("after_call_work")
    [states] = await centre.until_ended(1)
    assert states == [*["waiting", "joining", "talking"] * 2, "ended"]


async def test_who_presses_the_key_is_called_back(centre: Rig) -> None:
    [screen] = await logged_in(centre)
    await screen.post("pause")
    call = await call_us(centre)
    await call.hears(tones.WAIT_HZ)
    await centre.set_campaign(CampaignState.RUNNING)
    call.press("1")
    await call.hears(tones.ASKED_BACK_HZ)
    await call.is_over()
    assert await centre.until_ended(1) == [["waiting", "asked_back", "ended"]]
    await screen.post("ready")
    back = await centre.carrier.called()
    assert back.invite.get("To").startswith(f"<sip:{NUMBER}@")
    back.answer()
    me = await screen.until("talking")
    assert me["call"]["phone"] == NUMBER
    [row] = await rows_called_back(centre)
    assert (row.asked, row.case_id) == (True, me["call"]["case_id"])


async def test_who_pressed_the_key_is_called_before_later_callers_also_after_a_crash(
    centre: Rig,
) -> None:
    [screen] = await logged_in(centre)
    await screen.post("pause")
    await centre.set_campaign(CampaignState.RUNNING)
    first = await call_us(centre)
    await first.hears(tones.WAIT_HZ)
    first.press("1")
    await first.is_over()
    await centre.until_ended(1)
    second = await call_us(centre, "0258000102")
    await second.hears(tones.WAIT_HZ)
    async with asyncio.timeout(30):  # the wish is on record
        while not await rows_called_back(centre):
            await asyncio.sleep(0.05)
    await centre.stop_service()
    await centre.serve()
    await screen.post("ready")
    back = await centre.carrier.called()
    assert back.invite.get("To").startswith(f"<sip:{NUMBER}@")
    back.answer()
    me = await screen.until("talking")
    assert (me["call"]["phone"], me["callback"]) == (NUMBER, None)
    assert not second.ended.is_set()


async def rows_called_back(centre: Rig) -> list[CalledBack]:
    async with centre.sessions.read() as session:
        return list(await session.scalars(select(CalledBack)))


async def test_who_gives_up_is_on_record_and_called_next(centre: Rig) -> None:
    [screen] = await logged_in(centre)
    await screen.post("pause")
    await centre.set_campaign(CampaignState.RUNNING)
    call = await call_us(centre)
    await call.hears(tones.WAIT_HZ)
    call.hang_up()
    assert await centre.until_ended(1) == [["waiting", "ended"]]
    async with asyncio.timeout(30):
        while not (rows := await rows_called_back(centre)):
            await asyncio.sleep(0.05)
    assert (rows[0].asked, rows[0].phone_id is not None) == (False, True)


async def test_a_waiting_caller_is_taken_over_after_a_crash_of_the_service(centre: Rig) -> None:
    [screen] = await logged_in(centre)
    await screen.post("pause")
    call = await call_us(centre)
    await call.hears(tones.WAIT_HZ)
    await centre.stop_service()
    await centre.serve()
    await screen.post("ready")
    await screen.until("talking")
    call.hang_up()
    await screen.until("after_call_work")
    assert await centre.until_ended(1) == [["waiting", "joining", "talking", "ended"]]


async def test_a_talk_survives_a_crash_and_its_result_is_owed_after_the_restart(
    centre: Rig,
) -> None:
    [screen] = await logged_in(centre)
    call = await call_us(centre)
    me = await screen.until("talking")
    await centre.stop_service()
    call.hang_up()
    await asyncio.sleep(0.5)  # Asterisk has nobody to tell
    await centre.serve()
    again = await screen.until("after_call_work")
    assert again["callback"]["callback_id"] == me["callback"]["callback_id"]
    assert again["callback"]["on_line"] is False


async def test_who_called_while_we_were_away_is_on_record_afterwards(centre: Rig) -> None:
    [screen] = await logged_in(centre)
    await screen.post("pause")
    await centre.stop_service()
    call = await call_us(centre)
    await asyncio.sleep(0.3)
    call.hang_up()
    await asyncio.sleep(0.5)
    await centre.serve()
    [states] = await centre.until_ended(1)
    assert states[-1] == "ended"


async def test_asterisks_own_queue_serves_while_we_are_away_and_the_talk_is_taken_up(
    centre: Rig,
) -> None:
    [screen] = await logged_in(centre)
    await centre.stop_service()
    assert screen.leg is not None
    await asyncio.sleep(STALE_S + 0.5)  # nobody renews the board
    call = await call_us(centre)
    call.speaks = 500
    await screen.leg.hears(500)
    await centre.serve()
    me = await screen.until("talking")
    assert me["callback"]["number"] == NUMBER
    call.hang_up()
    await screen.until("after_call_work")
    assert await centre.until_ended(1) == [["alone", "talking", "ended"]]


async def test_without_anybody_who_answers_callers_reach_operators_all_the_same(
    centre: Rig, answerer: Server
) -> None:
    [screen] = await logged_in(centre)
    answerer.stop()
    await gone(centre)
    call = await call_us(centre)
    me = await screen.until("talking")
    assert me["callback"]["number"] == NUMBER
    call.hang_up()
    await screen.until("after_call_work")
    [states] = await centre.until_ended(1)
    assert (states[0], states[-2:]) == ("alone", ["talking", "ended"])


async def test_without_anybody_who_answers_a_talk_with_an_operator_on_a_pause_is_not_cut(
    centre: Rig, answerer: Server
) -> None:
    [screen] = await logged_in(centre)
    await screen.post("pause")
    answerer.stop()
    await gone(centre)
    call = await call_us(centre)
    me = await screen.until("talking")
    assert me["callback"]["number"] == NUMBER
    assert screen.leg is not None
    await asyncio.sleep(2 * TAKE_OVER_AFTER_S)  # nothing tells that nothing happens
    call.speaks, screen.leg.speaks = 500, 700
    await asyncio.gather(screen.leg.hears(500), call.hears(700))
    call.hang_up()
    await screen.until("after_call_work")
    assert await centre.until_ended(1) == [["alone", "talking", "ended"]]


async def told_of_callers(screen: Screen) -> dict[str, Any]:
    """What the status says of those who call us."""
    callers: dict[str, Any] = (await screen.http.get("/api/status")).json()["callers"]
    return callers


async def gone(centre: Rig) -> None:
    """Nobody listens where Asterisk asks."""
    async with asyncio.timeout(30):
        while True:
            with socket.socket() as probe:
                probe.setblocking(False)
                address = (HOST, centre.settings.agi.port)
                try:
                    await asyncio.get_running_loop().sock_connect(probe, address)
                except ConnectionRefusedError:
                    return
                except ConnectionResetError:  # it is about to close
                    pass
            await asyncio.sleep(0.02)


async def test_nothing_of_a_caller_stays_in_the_journal_once_the_end_is_on_record(
    centre: Rig,
) -> None:
    [screen] = await logged_in(centre)
    call = await call_us(centre)
    await screen.until("talking")
    call.hang_up()
    await centre.until_ended(1)
    assert centre.service is not None
    async with asyncio.timeout(30):
        while await journal(centre.service):
            await asyncio.sleep(0.05)


async def journal(service: Service) -> list[Message]:
    """What Asterisk's own database has of callers."""
    asked = {"Action": "DBGetTree", "Family": contract.CALLBACK_JOURNAL}
    try:
        answer = await service.link.act(asked)
    except RefusedError:  # it never had anything
        return []
    return [one for one in answer if one.event == "DBGetTreeResponse"]

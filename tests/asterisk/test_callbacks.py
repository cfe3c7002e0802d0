"""What happens to a caller's line in the dialplan: what they hear, what is told, what is on record."""

from __future__ import annotations

import asyncio
import math
import re
import struct
import time
import wave
from pathlib import Path

import pytest

from dialer.ami import contract
from rules import sounds
from rules.answering import Do
from tests.asterisk.callbacks import Caller, Lobby, Way, lobby
from tests.asterisk.pbx import ANSWER_WITHIN_S, LONG_S, POOL, Pbx
from tests.asterisk.room import operator
from tests.asterisk.tones import (
    ASKED_BACK_HZ,
    BEEP_HZ,
    GUIDANCE_HZ,
    KEYS_HZ,
    LEAVE_MESSAGE_HZ,
    MESSAGE_TAKEN_HZ,
    OPERATOR_HZ,
    ORDERED_HZ,
    OTHER_HZ,
    PERSON_HZ,
    POSITION_HZ,
    RATE,
    WAIT_HZ,
    encode,
    heard_in_turn,
)  # fmt: skip

pytestmark = pytest.mark.asterisk
ORDERED, LONG = sounds.ordered(1), sounds.ordered(2)
PLACE = (sounds.position(1), sounds.KEYS_BOTH)


async def test_a_caller_outside_hours_hears_what_was_answered_and_is_hung_up(pbx: Pbx) -> None:
    async with lobby(pbx) as here:
        here.answerer.arrived = (Do.GUIDANCE, (sounds.GUIDANCE, sounds.NEXT_OPEN, sounds.day(5)))
        caller = await here.caller()
        await caller.line.is_over()
        assert heard_in_turn(caller.line.heard) == [GUIDANCE_HZ, OTHER_HZ]
        assert await here.life(caller) == [
            "arrived", "guidance guidance&next-open&day-5", "ended guidance",
        ]  # fmt: skip
        assert here.answerer.asked == [("callback", caller.id, POOL[0])]


async def test_a_sound_that_is_missing_is_made_up_for_by_the_guidance(pbx: Pbx) -> None:
    async with lobby(pbx) as here:
        here.answerer.arrived = (Do.GUIDANCE, (sounds.ordered(99), sounds.NEXT_OPEN))
        caller = await here.caller()
        await caller.line.is_over()
        assert heard_in_turn(caller.line.heard) == [OTHER_HZ, GUIDANCE_HZ]


async def test_a_waiting_caller_hears_the_ordered_message_to_wait_and_then_their_place(
    pbx: Pbx,
) -> None:
    async with lobby(pbx) as here:
        here.answerer.arrived = (Do.QUEUE, (ORDERED,))
        here.answerer.waiting = (Do.WAIT, PLACE)
        caller = await here.caller()
        await here.asked(contract.AGI_WAITING)
        await caller.line.hears(KEYS_HZ)
        assert heard_in_turn(caller.line.heard)[:3] == [ORDERED_HZ, WAIT_HZ, POSITION_HZ]
        assert here.answerer.asked[-1] == ("wait", caller.id, "1")
        caller.line.hang_up()
        assert await here.life(caller) == ["arrived", "waiting", "ended waiting"]


async def test_what_is_heard_while_waiting_comes_again_after_10_seconds(pbx: Pbx) -> None:
    async with lobby(pbx) as here:
        here.answerer.waiting = (Do.WAIT, (sounds.position(1),))
        caller = await here.caller()
        await caller.line.hears(POSITION_HZ)
        here.answerer.waiting = (Do.WAIT, (sounds.KEYS_MESSAGE,))
        await caller.line.hears(KEYS_HZ)
        _, first, second = here.answerer.asked_at
        assert second - first > contract.ASK_AGAIN_S


# -- the service redirects a caller to an operator, whatever is happening to the line just then


async def _unanswered(here: Lobby) -> Caller:
    """While it is asked what they get."""
    here.answerer.way = Way.HANGS
    caller, answered = await here.ringing()
    await here.asked(contract.AGI_ARRIVED)
    await here.connect(caller, "201")
    caller.line = await answered
    return caller


async def _hearing(here: Lobby, hz: int, ordered: str = ORDERED) -> Caller:
    here.answerer.arrived = (Do.QUEUE, (ordered,))
    here.answerer.waiting = (Do.WAIT, PLACE)
    caller = await here.caller()
    await caller.line.hears(hz)
    await here.connect(caller, "201")
    return caller


async def _ordered(here: Lobby) -> Caller:
    return await _hearing(here, ORDERED_HZ, LONG)


async def _wait(here: Lobby) -> Caller:
    return await _hearing(here, WAIT_HZ)


async def _place(here: Lobby) -> Caller:
    return await _hearing(here, POSITION_HZ)


async def _asking(here: Lobby) -> Caller:
    caller = await here.caller()
    here.answerer.way = Way.HANGS
    await here.asked(contract.AGI_WAITING)
    await here.connect(caller, "201")
    return caller


async def _silent(here: Lobby) -> Caller:
    caller = await here.caller()
    await here.asked(contract.AGI_WAITING)
    await asyncio.sleep(0.5)  # nothing tells that nothing happens
    await here.connect(caller, "201")
    return caller


PHASES = [_unanswered, _ordered, _wait, _place, _asking, _silent]


async def test_a_caller_is_joined_at_once_from_wherever_they_are(pbx: Pbx) -> None:
    async with lobby(pbx) as here, operator(here.place) as leg:
        for phase in PHASES:
            here.answerer.begin_anew()
            caller = await phase(here)
            asked_s = time.monotonic() - here.answerer.asked_at[-1]
            await here.bridged(caller, "201")
            await asyncio.gather(caller.line.hears(OPERATOR_HZ), leg.hears(PERSON_HZ))
            # nothing was waited for: neither the end of a sound, nor the next question, nor an answer
            assert len(caller.line.heard) < LONG_S * RATE, phase
            assert len(here.answerer.asked) <= 2, phase
            if asked_s < ANSWER_WITHIN_S / 2:
                assert contract.STAGE_ALONE not in here.stages(caller), phase
            assert (await here.journal(caller))[:2] == ["joining", "201"]
            if here.answerer.way is Way.HANGS:  # longer than anybody is waited for who is asked
                await asyncio.sleep(ANSWER_WITHIN_S + 0.2)
            assert not caller.line.ended.is_set(), phase
            caller.line.hang_up()
            assert (await here.life(caller))[-2:] == ["joining 201", "ended joining"]
            await here.place.agent_is("201", "AGENT_IDLE")


async def test_a_caller_is_taken_out_of_asterisks_own_queue_too(pbx: Pbx) -> None:
    """The service is there again, and somebody else is free."""
    async with lobby(pbx) as here, operator(here.place):
        here.answerer.way = Way.CLOSES
        first = await here.caller()
        await here.told(first, contract.STAGE_TALK, "201")
        second = await here.caller()
        await second.line.hears(WAIT_HZ)
        await here.connect(second, "202")
        await here.told(second, contract.STAGE_MISSED, "202")
        await here.told(second, contract.STAGE_ALONE)
        await here.place.redirect(second.id, contract.CALLBACK_WAIT)
        await here.told(second, contract.STAGE_WAITING)
        await second.line.hears(WAIT_HZ)


MISSED = ["299", "202", "201"]
"""Agents who do not exist, are not logged in, or are talking."""


async def test_a_caller_whose_operator_cannot_be_reached_waits_again(pbx: Pbx) -> None:
    async with lobby(pbx) as here, operator(here.place):
        here.answerer.waiting = (Do.WAIT, (sounds.position(1),))
        other = await here.caller()
        await here.connect(other, "201")
        await here.bridged(other, "201")
        for agent in MISSED:
            caller = await here.caller()
            await caller.line.hears(WAIT_HZ)
            await here.connect(caller, agent)
            await here.told(caller, contract.STAGE_MISSED, agent)
            assert (await here.journal(caller))[:2] == ["missed", agent]
            await caller.line.hears(POSITION_HZ)
            caller.line.hang_up()
            assert (await here.life(caller))[2:] == [
                f"joining {agent}", f"missed {agent}", "ended missed",
            ]  # fmt: skip


async def test_a_caller_whose_operators_line_dies_waits_and_gets_another(pbx: Pbx) -> None:
    async with lobby(pbx) as here, operator(here.place, "202"):
        async with operator(here.place) as leg:
            caller = await here.caller()
            await here.connect(caller, "201")
            await caller.line.hears(OPERATOR_HZ)
            leg.hang_up()
            await caller.line.hears(WAIT_HZ)
            await here.told(caller, contract.STAGE_MISSED, "201")
        await here.connect(caller, "202")
        await here.bridged(caller, "202")
        await caller.line.hears(OPERATOR_HZ)


async def test_a_talk_that_the_service_ends_ends_without_a_sound(pbx: Pbx) -> None:
    async with lobby(pbx) as here, operator(here.place):
        caller = await here.caller()
        await here.connect(caller, "201")
        await caller.line.hears(OPERATOR_HZ)
        channel = await here.place.channel_of(caller.id)
        await here.place.link.act({"Action": "Hangup", "Channel": channel})
        await caller.line.is_over()
        assert (await here.life(caller))[-1] == "ended joining"
        assert heard_in_turn(caller.line.heard)[-1] == OPERATOR_HZ


# -- keys


@pytest.mark.parametrize("events", [True, False])
async def test_key_1_asks_to_be_called_back(pbx: Pbx, events: bool) -> None:
    async with lobby(pbx) as here:
        here.place.carrier.key_events = events
        here.answerer.waiting = (Do.WAIT, (sounds.KEYS_BOTH,))
        caller = await here.caller()
        caller.line.speaks = None
        await caller.line.hears(KEYS_HZ)
        caller.line.press("1")
        await caller.line.hears(ASKED_BACK_HZ)
        await caller.line.is_over()
        assert await here.life(caller) == ["arrived", "waiting", "asked_back", "ended asked_back"]


HEARD = [
    # what is heard when the key is pressed
    ORDERED_HZ,
    WAIT_HZ,
    KEYS_HZ,
]


@pytest.mark.parametrize("hz", HEARD)
async def test_key_2_leads_to_the_message_whatever_is_heard(pbx: Pbx, hz: int) -> None:
    async with lobby(pbx) as here:
        here.answerer.arrived = (Do.QUEUE, (ORDERED,))
        here.answerer.waiting = (Do.WAIT, (sounds.KEYS_BOTH,))
        caller = await here.caller()
        await caller.line.hears(hz)
        caller.line.press("2")
        await caller.line.hears(LEAVE_MESSAGE_HZ)


async def test_no_other_key_ends_the_waiting_nor_does_1_without_a_number(pbx: Pbx) -> None:
    async with lobby(pbx) as here:
        here.answerer.waiting = (Do.WAIT, (sounds.position(1),))
        caller = await here.withheld()
        caller.line.speaks = None
        for asked, key in enumerate("13*0#", start=2):
            await caller.line.hears(POSITION_HZ)
            caller.line.press(key)
            await here.asked(contract.AGI_WAITING, times=asked)
        assert here.answerer.asked[-1] == ("wait", caller.id, "0")
        caller.line.hang_up()
        assert await here.life(caller) == ["arrived", "waiting", "ended waiting"]


# -- messages


async def test_a_message_is_recorded_until_the_key_at_its_end(pbx: Pbx) -> None:
    async with lobby(pbx) as here:
        here.answerer.arrived = (Do.MESSAGE, (ORDERED,))
        caller = await here.caller()
        await caller.line.hears(BEEP_HZ)
        await asyncio.sleep(2.5)  # the message
        caller.line.press("#")
        await caller.line.is_over()
        assert heard_in_turn(caller.line.heard) == [
            ORDERED_HZ, LEAVE_MESSAGE_HZ, BEEP_HZ, MESSAGE_TAKEN_HZ,
        ]  # fmt: skip
        said_s = recorded_s(pbx, caller)
        assert said_s > 1.0
        told = f"recorded {math.ceil(said_s)}"
        assert await here.life(caller) == ["arrived", "message", told, "ended recorded"]


async def test_a_message_ends_with_the_line_too(pbx: Pbx) -> None:
    async with lobby(pbx) as here:
        here.answerer.arrived = (Do.MESSAGE, ())
        caller = await here.caller()
        await caller.line.hears(BEEP_HZ)
        await asyncio.sleep(1.5)  # the message
        caller.line.hang_up()
        life = await here.life(caller)
        said_s = recorded_s(pbx, caller)
        assert said_s > 0.5
        lasted = f"{math.ceil(said_s)}"
        assert life == ["arrived", "message", f"recorded {lasted}", "ended recorded"]
        journal = await here.journal(caller)
        assert (journal[:2], journal[4]) == (["recorded", lasted], "1")


async def test_a_message_ends_after_5_seconds_of_silence(pbx: Pbx) -> None:
    async with lobby(pbx) as here:
        here.answerer.arrived = (Do.MESSAGE, ())
        caller = await here.caller()
        await caller.line.hears(BEEP_HZ)
        began = time.monotonic()
        await asyncio.sleep(1.5)  # the message
        caller.line.speaks = None
        spoke_s = time.monotonic() - began
        await caller.line.hears(MESSAGE_TAKEN_HZ)
        # without the silence
        assert 0.5 < recorded_s(pbx, caller) < spoke_s + contract.MESSAGE_SILENCE_S - 1


async def test_who_hangs_up_before_the_beep_left_no_message(pbx: Pbx) -> None:
    async with lobby(pbx) as here:
        here.answerer.arrived = (Do.MESSAGE, (LONG,))
        caller = await here.caller()
        await caller.line.hears(ORDERED_HZ)
        caller.line.hang_up()
        assert await here.life(caller) == ["arrived", "message", "ended message"]
        assert not message_of(pbx, caller).exists()


async def test_a_message_that_cannot_be_kept_is_not_said_to_be_taken(pbx: Pbx) -> None:
    folder = pbx.settings.asterisk.messages_dir
    kept = folder.rename(folder.with_name("kept")) if folder.exists() else None
    folder.write_text("no folder")
    async with lobby(pbx) as here:
        here.answerer.arrived = (Do.MESSAGE, ())
        caller = await here.caller()
        await caller.line.hears(BEEP_HZ)
        await caller.line.hears(GUIDANCE_HZ)
        await caller.line.is_over()
    folder.unlink()
    if kept:
        kept.rename(folder)


def message_of(pbx: Pbx, caller: Caller) -> Path:
    return pbx.settings.asterisk.messages_dir / f"{caller.id}.wav"


def recorded_s(pbx: Pbx, caller: Caller) -> float:
    """Length of the caller's message; what was said is in it."""
    with wave.open(str(message_of(pbx, caller))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        linear = struct.unpack(f"<{file.getnframes()}h", file.readframes(file.getnframes()))
    assert heard_in_turn(encode(list(linear))) == [PERSON_HZ]
    return len(linear) / RATE


# -- Asterisk alone

AWAY = [*(way for way in Way if way is not Way.ANSWERS), None]
"""How somebody is asked in vain; None: nobody is at the port."""


@pytest.mark.parametrize("way", AWAY)
async def test_a_caller_is_not_left_with_ringing_whoever_answers_for_us(
    pbx: Pbx, way: Way | None
) -> None:
    async with lobby(pbx) as here:
        if way:
            here.answerer.way = way
        else:
            here.server.close()
        caller = await here.caller()
        await caller.line.hears(GUIDANCE_HZ if way is Way.DIES_HALFWAY else LEAVE_MESSAGE_HZ)
        caller.line.hang_up()
        told = ["guidance guidance"] if way is Way.DIES_HALFWAY else ["alone", "message"]
        assert (await here.life(caller))[: 1 + len(told)] == ["arrived", *told]


@pytest.mark.parametrize("way", [way for way in AWAY if way is not Way.DIES_HALFWAY])
async def test_a_caller_who_waits_hears_of_it_when_nobody_answers_for_us_any_more(
    pbx: Pbx, way: Way | None
) -> None:
    async with lobby(pbx) as here:
        caller = await here.caller()
        await caller.line.hears(WAIT_HZ)
        if way:
            here.answerer.way = way
        else:
            here.server.close()
        await caller.line.hears(LEAVE_MESSAGE_HZ)
        caller.line.hang_up()
        assert (await here.life(caller))[:4] == ["arrived", "waiting", "alone", "message"]


async def test_alone_asterisk_joins_callers_with_whoever_is_logged_in(pbx: Pbx) -> None:
    async with lobby(pbx) as here, operator(here.place) as leg:
        here.answerer.arrived = (Do.ALONE, (ORDERED,))
        first = await here.caller()
        await first.line.hears(ORDERED_HZ)
        await here.bridged(first, "201")
        await asyncio.gather(first.line.hears(OPERATOR_HZ), leg.hears(PERSON_HZ))
        await here.told(first, contract.STAGE_TALK, "201")
        assert (await here.journal(first))[:2] == ["talk", "201"]

        here.answerer.arrived = (Do.ALONE, ())
        second = await here.caller()
        await second.line.hears(WAIT_HZ)
        first.line.hang_up()
        assert await here.life(first) == ["arrived", "alone", "talk 201", "ended talk"]
        await asyncio.gather(second.line.hears(OPERATOR_HZ), leg.hears(PERSON_HZ))
        second.line.hang_up()
        assert await here.life(second) == ["arrived", "alone", "talk 201", "ended talk"]
        await here.place.agent_is("201", "AGENT_IDLE")


async def test_alone_a_caller_whose_operators_line_dies_gets_another_or_leaves_a_message(
    pbx: Pbx,
) -> None:
    async with (
        lobby(pbx) as here,
        operator(here.place, "202") as other,
        operator(here.place) as leg,
    ):
        here.answerer.way = Way.CLOSES
        caller = await here.caller()
        await caller.line.hears(OPERATOR_HZ)
        had_first = (await here.journal(caller))[1]
        (leg if had_first == "201" else other).hang_up()
        await here.told(caller, contract.STAGE_MISSED, had_first)
        had_then = {"201": "202", "202": "201"}[had_first]
        await here.told(caller, contract.STAGE_TALK, had_then)
        await caller.line.hears(OPERATOR_HZ)
        (leg if had_then == "201" else other).hang_up()
        await caller.line.hears(LEAVE_MESSAGE_HZ)


async def test_alone_key_2_leads_to_the_message_too(pbx: Pbx) -> None:
    async with lobby(pbx) as here, operator(here.place):
        here.answerer.way = Way.CLOSES
        first = await here.caller()
        await here.told(first, contract.STAGE_TALK, "201")
        second = await here.caller()
        await second.line.hears(KEYS_HZ)
        second.line.press("2")
        await second.line.hears(LEAVE_MESSAGE_HZ)


async def test_alone_a_caller_is_not_kept_waiting_when_the_last_operator_goes(pbx: Pbx) -> None:
    async with lobby(pbx) as here, operator(here.place) as leg:
        here.answerer.way = Way.CLOSES
        first = await here.caller()
        await here.told(first, contract.STAGE_TALK, "201")
        second = await here.caller()
        await second.line.hears(WAIT_HZ)
        leg.hang_up()
        await asyncio.gather(
            first.line.hears(LEAVE_MESSAGE_HZ), second.line.hears(LEAVE_MESSAGE_HZ)
        )


# -- hang-ups, numbers, hostile callers


async def test_who_hangs_up_before_the_answer_is_on_record(pbx: Pbx) -> None:
    async with lobby(pbx) as here:
        here.answerer.way = Way.HANGS
        gone, answered = await here.ringing()
        here.place.carrier.give_up()
        with pytest.raises(AssertionError):
            await answered
        assert await here.life(gone) == ["arrived", "ended arrived"]
        journal = await here.journal(gone)
        assert journal == ["arrived", "", journal[2], journal[3], "1", POOL[0], gone.number]
        assert int(journal[2]) <= int(journal[3])


async def test_the_end_is_told_before_asterisk_tells_it_and_keeps_what_was_last(pbx: Pbx) -> None:
    async with lobby(pbx) as here:
        caller = await here.caller()
        await caller.line.hears(WAIT_HZ)
        caller.line.hang_up()
        await here.place.event("Hangup", uniqueid=caller.id)
        assert here.stages(caller)[-1] == "ended waiting"
        journal = await here.journal(caller)
        assert journal == [
            "waiting", "", journal[2], journal[3], "1", POOL[0], caller.number,
        ]  # fmt: skip


NUMBERS = [
    # dialled into us, number that was called
    (POOL[1], POOL[1]),
    (f"+81{POOL[1][1:]}", POOL[1]),
    ("0258990199", "0258990199"),  # replaced and taken out of the settings
    ("+12025550123", "12025550123"),
    ("0258-99-0001", "0258990001"),
    ("201", "201"),  # no operator is reached so
    ("0258990001%29%3A0%3A5%2C%22%24%7BEXTEN%7D%0d%0aX:%20y", "02589"),  # shortens itself
    ("1" * 70, "1" * 20),
]


@pytest.mark.parametrize(("dialled", "called"), NUMBERS)
async def test_every_number_that_leads_to_us_is_answered(
    pbx: Pbx, dialled: str, called: str
) -> None:
    async with lobby(pbx) as here:
        caller = await here.caller(dialled)
        await caller.line.hears(WAIT_HZ)
        assert here.answerer.asked[0] == ("callback", caller.id, called)
        assert (await here.journal(caller))[5] == called


HOSTILE = [
    # From, number
    ('"x" <sip:%22%27%3B,%7D%29%5D090@127.0.0.1>', ""),
    ("<sip:090%0d%0aStage:%20ended%0d%0a@127.0.0.1>", "090"),
    ("<sip:%24%7BSHELL(id)%7D@127.0.0.1>", ""),
    ("<sip:0901%29%3A0%3A2%2C%7C1%7C@127.0.0.1>", "09"),
    (r'"${EPOCH},|\\" <sip:%2B819012345678@127.0.0.1>', "+819012345678"),
    (f"<sip:{'9' * 200}@127.0.0.1>", "9" * 20),
    ("<sip:../../../etc@127.0.0.1>", ""),
    ("<sip:trunk@127.0.0.1>", ""),
]


@pytest.mark.parametrize(("identity", "number"), HOSTILE)
async def test_a_hostile_caller_is_a_caller(pbx: Pbx, identity: str, number: str) -> None:
    async with lobby(pbx) as here:
        here.place.carrier.identity = identity
        line = await here.answered()
        caller = await here.arrived(number)
        await line.hears(WAIT_HZ)
        journal = await here.journal(caller)
        assert (journal[0], journal[4:]) == ("waiting", ["0", POOL[0], number])
        assert here.answerer.shown[0] == (number or "unknown")
        line.hang_up()
        assert await here.life(caller) == ["arrived", "waiting", "ended waiting"]


async def test_the_log_of_all_this_has_no_number_and_no_complaint_but_of_what_was_spoilt(
    pbx: Pbx,
) -> None:
    """Runs last: it reads what the tests above left."""
    spoilt = ("ordered-99", "etcpasswd", "nothingx", "messages", "agi", "sounds/ ")
    complaints = [c for c in pbx.asterisk.complaints() if not any(word in c for word in spoilt)]
    assert complaints == []
    assert not re.search(r"0609999\d{4}", pbx.asterisk.log())

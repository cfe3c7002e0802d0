"""What happens to a person's line in the dialplan, seen from both telephones."""

from __future__ import annotations

import asyncio

import pytest

from dialer.ami import contract
from tests.asterisk.pbx import POOL, Pbx
from tests.asterisk.phone import Phone
from tests.asterisk.room import NUMBER, operator, room
from tests.asterisk.tones import (
    COURTESY_HZ,
    OPERATOR_HZ,
    PERSON_HZ,
    VOICEMAIL_HZ,
    heard_in_turn,
)

pytestmark = pytest.mark.asterisk


async def test_a_person_who_gets_no_operator_hears_the_courtesy_message_after_2_seconds(
    pbx: Pbx,
) -> None:
    async with room(pbx) as place:
        attempt, person = await place.place()
        answered = place.saw("UserEvent", userevent=contract.EVENT_ANSWERED, attempt=attempt)
        told = await place.event("UserEvent", userevent=contract.EVENT_COURTESY, attempt=attempt)
        # by Asterisk's own time
        assert float(told.timestamp) - float(answered.timestamp) > 1.9
        assert await place.journal(attempt) == contract.JOURNAL_COURTESY
        await person.hears(COURTESY_HZ)
        await person.is_over()


async def test_a_person_and_the_operator_hear_each_other(pbx: Pbx) -> None:
    async with room(pbx) as place, operator(place) as leg:
        attempt, person = await place.place()
        await place.connect(attempt, "201")
        await asyncio.gather(person.hears(OPERATOR_HZ), leg.hears(PERSON_HZ))
        assert await place.journal(attempt) == f"{contract.JOURNAL_TALK}201"

        person.hang_up()
        await place.event("Hangup", uniqueid=attempt)
        await place.agent_is("201", "AGENT_IDLE")
        assert not leg.ended.is_set()


async def test_a_talk_that_the_service_ends_ends_without_a_message(pbx: Pbx) -> None:
    async with room(pbx) as place, operator(place):
        attempt, person = await place.place()
        await place.connect(attempt, "201")
        await person.hears(OPERATOR_HZ)
        await place.link.act({"Action": "Hangup", "Channel": await place.channel_of(attempt)})
        await person.is_over()
        await place.event("Hangup", uniqueid=attempt)
        assert not place.saw("UserEvent", userevent=contract.EVENT_COURTESY, attempt=attempt)
        assert COURTESY_HZ not in heard_in_turn(person.heard)


async def test_a_person_whose_operators_line_dies_is_told_and_then_hung_up(pbx: Pbx) -> None:
    async with room(pbx) as place, operator(place) as leg:
        attempt, person = await place.place()
        await place.connect(attempt, "201")
        await person.hears(OPERATOR_HZ)
        leg.hang_up()
        await person.hears(COURTESY_HZ)
        await place.event("UserEvent", userevent=contract.EVENT_COURTESY, attempt=attempt)
        await person.is_over()


async def test_a_person_sent_to_the_message_leaves_the_operator_free_and_hears_it_after_the_greeting(
    pbx: Pbx,
) -> None:
    async with room(pbx) as place, operator(place) as leg:
        attempt, machine = await place.place()
        await place.connect(attempt, "201")
        await leg.hears(PERSON_HZ)
        await place.redirect(attempt, contract.MESSAGE)

        # the greeting is still heard, and the operator talks to the next person already
        other, person = await place.place()
        await place.connect(other, "201")
        await asyncio.gather(person.hears(OPERATOR_HZ), leg.hears(PERSON_HZ))
        assert not place.saw("UserEvent", userevent=contract.EVENT_MESSAGE_STARTED)

        machine.speaks = None
        await machine.hears(VOICEMAIL_HZ)
        await place.event("UserEvent", userevent=contract.EVENT_MESSAGE_STARTED, attempt=attempt)
        await place.event("UserEvent", userevent=contract.EVENT_MESSAGE_LEFT, attempt=attempt)
        await machine.is_over()
        assert await place.journal(attempt) == contract.JOURNAL_LEFT
        assert not person.ended.is_set()


async def test_a_message_cut_short_is_not_left(pbx: Pbx) -> None:
    async with room(pbx) as place:
        attempt, machine = await place.place()
        await place.redirect(attempt, contract.MESSAGE)
        machine.speaks = None
        await machine.hears(VOICEMAIL_HZ)
        machine.hang_up()
        await place.event("Hangup", uniqueid=attempt)
        assert await place.journal(attempt) == contract.JOURNAL_MESSAGE
        assert not place.saw("UserEvent", userevent=contract.EVENT_MESSAGE_LEFT)


MISSED = [
    # agent, what AgentRequest says of it
    ("299", "INVALID"),
    ("202", "NOT_LOGGED_IN"),
    ("201", "BUSY"),  # in a talk with somebody else
]


async def test_a_person_whose_operator_cannot_be_reached_goes_on_waiting(pbx: Pbx) -> None:
    async with room(pbx) as place, operator(place):
        other, _ = await place.place()
        await place.connect(other, "201")
        for agent, status in MISSED:
            attempt, person = await place.place()
            await place.redirect(attempt, contract.CONNECT, agent)
            missed = await place.event(
                "UserEvent", userevent=contract.EVENT_OPERATOR_MISSED, attempt=attempt
            )
            assert (missed.operator, missed.status) == (agent, status)
            assert await place.journal(attempt) == contract.JOURNAL_ANSWERED
            await person.hears(COURTESY_HZ)
            person.hang_up()


async def test_the_trunk_reaches_nothing_but_numbers(pbx: Pbx) -> None:
    async with Phone(pbx.settings.asterisk.sip_port, pbx.settings.trunk.port) as carrier:
        for extension in (contract.LOGIN_EXTENSION, "s", "T", "yobirin"):
            status, _ = await carrier.call(extension)
            assert status == 404, extension


async def test_an_operator_reaches_nothing_but_the_login(pbx: Pbx) -> None:
    secret = pbx.secrets.sip["201"]
    async with Phone(pbx.settings.asterisk.sip_port, user="201", secret=secret) as phone:
        for extension in ("202", NUMBER, "s", POOL[0]):
            status, _ = await phone.call(extension)
            assert status == 404, extension


async def test_a_wrong_secret_logs_nobody_in(pbx: Pbx) -> None:
    async with Phone(pbx.settings.asterisk.sip_port, user="201", secret="guessed") as phone:
        status, _ = await phone.call(contract.LOGIN_EXTENSION)
        assert status == 401


async def test_a_softphone_started_again_takes_the_place_of_its_dead_line(pbx: Pbx) -> None:
    async with room(pbx) as place, operator(place) as dead:
        place.seen.clear()
        async with operator(place) as leg:
            await dead.is_over()
            attempt, person = await place.place()
            await place.connect(attempt, "201")
            await asyncio.gather(person.hears(OPERATOR_HZ), leg.hears(PERSON_HZ))


async def test_the_log_of_all_this_has_no_complaint_and_no_number(pbx: Pbx) -> None:
    """Runs last: it reads what the tests above left."""
    assert pbx.asterisk.complaints() == []
    assert NUMBER not in pbx.asterisk.log()

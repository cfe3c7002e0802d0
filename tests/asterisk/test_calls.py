"""What happens to a person's line in the dialplan, seen from both telephones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from panoramisk.message import Message

from dialer.ami import contract
from dialer.ami.link import Link
from dialer.ami.originate import Placement, originate_action
from tests.asterisk.pbx import POOL, Pbx
from tests.asterisk.phone import Call, Phone
from tests.asterisk.tones import (
    COURTESY_HZ,
    GUIDANCE_HZ,
    OPERATOR_HZ,
    PERSON_HZ,
    VOICEMAIL_HZ,
)

pytestmark = pytest.mark.asterisk
NUMBER = "0258990100"


class Room:
    """A carrier with one person, and a manager session."""

    def __init__(self, pbx: Pbx, link: Link, carrier: Phone) -> None:
        self.pbx = pbx
        self.link = link
        self.carrier = carrier
        self.seen: list[Message] = []

    async def place(self) -> tuple[str, Call]:
        """Call the person, who picks up and speaks."""
        attempt = str(uuid4())
        placement = Placement(attempt=attempt, number=NUMBER, caller_id=POOL[0])
        await self.link.act(
            originate_action(placement, self.pbx.settings.trunk, set_up_s=30, ring_s=36)
        )
        call = await self.carrier.called()
        call.speaks = PERSON_HZ
        call.answer()
        await self.event("UserEvent", userevent=contract.EVENT_ANSWERED, attempt=attempt)
        return attempt, call

    async def redirect(self, attempt: str, context: str, exten: str = "s") -> None:
        """Send the person's line elsewhere in the dialplan."""
        channel = await self.channel_of(attempt)
        await self.link.act(
            {
                "Action": "Redirect",
                "Channel": channel,
                "Context": context,
                "Exten": exten,
                "Priority": "1",
            }
        )

    async def connect(self, attempt: str, agent: str) -> None:
        """Join the person with an operator."""
        await self.redirect(attempt, contract.CONNECT, agent)
        await self.event(contract.EVENT_CONNECTED, uniqueid=attempt, connectedlinenum=agent)

    async def channel_of(self, attempt: str) -> str:
        """Name of the channel that is the attempt."""
        shown = await self.link.act({"Action": "CoreShowChannels"})
        return next(str(c.channel) for c in shown if c.uniqueid == attempt)

    async def event(self, name: str, **fields: str) -> Message:
        """Wait for an event with these fields; those seen before count too."""
        async with asyncio.timeout(8):
            while not (found := self.saw(name, **fields)):
                news = await self.link.events.get()
                if isinstance(news, Message):
                    self.seen.append(news)
        return found

    def saw(self, name: str, **fields: str) -> Message | None:
        """The first event with these fields that was seen until now."""

        def fits(event: Message) -> bool:
            return event.event == name and all(event[k] == v for k, v in fields.items())

        return next((event for event in self.seen if fits(event)), None)

    async def journal(self, attempt: str) -> str:
        """What Asterisk's own database says of the attempt."""
        shown = await self.link.act({"Action": "DBGetTree", "Family": contract.JOURNAL})
        wanted = f"/{contract.JOURNAL}/{attempt}"
        return next((str(m.val) for m in shown if m.key == wanted), "")

    async def agent_state(self, agent: str) -> str:
        """AGENT_IDLE, AGENT_ONCALL or AGENT_LOGGEDOFF."""
        shown = await self.link.act({"Action": "Agents"})
        return next(str(m.status) for m in shown if m.agent == agent)


@asynccontextmanager
async def room(pbx: Pbx) -> AsyncIterator[Room]:
    async with (
        Phone(pbx.settings.asterisk.sip_port, pbx.settings.trunk.port) as carrier,
        pbx.link() as link,
    ):
        yield Room(pbx, link, carrier)


@asynccontextmanager
async def operator(place: Room, extension: str = "201") -> AsyncIterator[Call]:
    """A softphone logged in as its own agent."""
    pbx = place.pbx
    secret = pbx.secrets.sip[extension]
    async with Phone(pbx.settings.asterisk.sip_port, user=extension, secret=secret) as phone:
        await phone.register()
        status, leg = await phone.call(contract.LOGIN_EXTENSION)
        assert status == 200
        leg.speaks = OPERATOR_HZ
        # an agent takes calls 5 s after its login
        await place.event("DeviceStateChange", device=f"Agent:{extension}", state="NOT_INUSE")
        yield leg
    async with asyncio.timeout(8):
        while await place.agent_state(extension) != "AGENT_LOGGEDOFF":
            await asyncio.sleep(0.02)


async def test_a_person_who_gets_no_operator_hears_the_courtesy_message_after_2_seconds(
    pbx: Pbx,
) -> None:
    async with room(pbx) as place:
        attempt, person = await place.place()
        answered_at = time.monotonic()
        await place.event("UserEvent", userevent=contract.EVENT_COURTESY, attempt=attempt)
        assert 1.9 < time.monotonic() - answered_at < 2.3
        assert await place.journal(attempt) == contract.JOURNAL_COURTESY
        await person.hears(COURTESY_HZ)
        await person.is_over()


async def test_a_person_and_the_operator_hear_each_other_at_once(pbx: Pbx) -> None:
    async with room(pbx) as place, operator(place) as leg:
        attempt, person = await place.place()
        asked_at = time.monotonic()
        await place.connect(attempt, "201")
        assert time.monotonic() - asked_at < 0.2
        await asyncio.gather(person.hears(OPERATOR_HZ), leg.hears(PERSON_HZ))
        assert await place.journal(attempt) == f"{contract.JOURNAL_TALK}201"

        person.hang_up()
        await place.event("Hangup", uniqueid=attempt)
        assert await place.agent_state("201") == "AGENT_IDLE"
        assert not leg.ended.is_set()


async def test_a_talk_that_the_service_ends_ends_without_a_message(pbx: Pbx) -> None:
    async with room(pbx) as place, operator(place):
        attempt, person = await place.place()
        await place.connect(attempt, "201")
        await person.hears(OPERATOR_HZ)
        await place.link.act({"Action": "Hangup", "Channel": await place.channel_of(attempt)})
        await person.is_over(within_s=1.0)
        assert not place.saw("UserEvent", userevent=contract.EVENT_COURTESY, attempt=attempt)


async def test_a_person_whose_operators_line_dies_is_told_and_then_hung_up(pbx: Pbx) -> None:
    async with room(pbx) as place, operator(place) as leg:
        attempt, person = await place.place()
        await place.connect(attempt, "201")
        await person.hears(OPERATOR_HZ)
        leg.hang_up()
        await person.hears(COURTESY_HZ, within_s=1.5)
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


async def test_a_caller_of_our_number_hears_the_guidance(pbx: Pbx) -> None:
    for number in (POOL[0], f"+81{POOL[1][1:]}"):
        async with Phone(pbx.settings.asterisk.sip_port, pbx.settings.trunk.port) as carrier:
            status, call = await carrier.call(number)
            assert status == 200
            await call.hears(GUIDANCE_HZ)
            await call.is_over()


async def test_the_trunk_reaches_nothing_but_our_own_numbers(pbx: Pbx) -> None:
    async with Phone(pbx.settings.asterisk.sip_port, pbx.settings.trunk.port) as carrier:
        for extension in ("201", contract.LOGIN_EXTENSION, "0258990199", "s"):
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

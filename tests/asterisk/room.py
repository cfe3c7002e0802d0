"""A person at the carrier's end, operators with softphones, and a manager session to steer them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from panoramisk.message import Message

from dialer.ami import contract
from dialer.ami.link import Link
from dialer.ami.originate import Placement, originate_action
from tests.asterisk.pbx import POOL, Pbx
from tests.asterisk.phone import WAIT_S, Call, Phone
from tests.asterisk.tones import OPERATOR_HZ, PERSON_HZ

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
        async with asyncio.timeout(WAIT_S):
            while not (found := self.saw(name, **fields)):
                news = await self.link.events.get()
                if isinstance(news, Message):
                    self.seen.append(news)
        return found

    def saw(self, name: str, **fields: str) -> Message | None:
        """The first event with these fields that `event` has taken from the queue until now."""

        def fits(event: Message) -> bool:
            # an attribute, for a header without a value is not there at all
            return event.event == name and all(getattr(event, k) == v for k, v in fields.items())

        return next((event for event in self.seen if fits(event)), None)

    async def journal(self, attempt: str) -> str:
        """What Asterisk's own database says of the attempt."""
        shown = await self.link.act({"Action": "DBGetTree", "Family": contract.JOURNAL})
        wanted = f"/{contract.JOURNAL}/{attempt}"
        return next((str(m.val) for m in shown if m.key == wanted), "")

    async def agent_is(self, agent: str, state: str) -> None:
        """Wait for AGENT_IDLE, AGENT_ONCALL or AGENT_LOGGEDOFF."""
        async with asyncio.timeout(WAIT_S):
            while await self._agent_state(agent) != state:
                await asyncio.sleep(0.02)

    async def _agent_state(self, agent: str) -> str:
        shown = await self.link.act({"Action": "Agents"})
        return next(str(m.status) for m in shown if m.agent == agent)


@asynccontextmanager
async def room(pbx: Pbx) -> AsyncIterator[Room]:
    trunk = pbx.settings.trunk
    async with (
        Phone(pbx.settings.asterisk.sip_port, trunk.port, host=trunk.host) as carrier,
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
    await place.agent_is(extension, "AGENT_LOGGEDOFF")

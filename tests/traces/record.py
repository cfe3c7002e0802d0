"""Records what a real Asterisk tells of a call: one file of raw AMI events per way a call can go.

    .venv/bin/python -m tests.traces.record

writes every `tests/traces/*.txt` anew (half a minute). Do it when the dialplan or the version of Asterisk
changes, and read the difference. The attempts have fixed ids, the numbers belong to nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from panoramisk.message import Message

from dialer.ami import contract, handover
from dialer.ami.link import Link
from dialer.ami.originate import Placement, originate_action
from rules import sounds
from rules.answering import Do
from tests.asterisk.callbacks import Lobby, Way, lobby
from tests.asterisk.pbx import Pbx, started_pbx
from tests.asterisk.phone import Phone
from tests.asterisk.room import operator
from tests.asterisk.tones import BEEP_HZ

FOLDER = Path(__file__).parent
CALLER_ID = "0258000001"
OPERATOR, ABSENT = "201", "202"


class Studio:
    """A PBX, a carrier with one telephone, one operator, and the manager session that is recorded."""

    def __init__(self, pbx: Pbx, link: Link, carrier: Phone, attempt: str, number: str) -> None:
        self.pbx = pbx
        self.carrier = carrier
        self.attempt = attempt
        self.link = link
        self._number = number

    async def originate(self, trunk: str = contract.TRUNK) -> None:
        placement = Placement(attempt=self.attempt, number=self._number, caller_id=CALLER_ID)
        action = originate_action(placement, self.pbx.settings.trunk, set_up_s=30, ring_s=36)
        action["Channel"] = f"PJSIP/{self._number}@{trunk}"
        await self.link.act(action)

    async def until(self, event: str, **fields: str) -> None:
        """Wait for an event of the session."""
        async with asyncio.timeout(30):
            while True:
                seen = await self.link.events.get()
                if not isinstance(seen, Message) or seen.event != event:
                    continue
                if all(seen[name] == value for name, value in fields.items()):
                    return

    async def until_gone(self) -> None:
        await self.until("OriginateResponse")

    async def connect(self) -> None:
        await self.link.act(handover.connect(self.attempt, OPERATOR))
        await self.until(contract.EVENT_CONNECTED, uniqueid=self.attempt)

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[None]:
        secret = self.pbx.secrets.sip[OPERATOR]
        port = self.pbx.settings.asterisk.sip_port
        async with Phone(port, user=OPERATOR, secret=secret) as phone:
            await phone.register()
            await phone.call(contract.LOGIN_EXTENSION)
            await self.until("DeviceStateChange", device=f"Agent:{OPERATOR}", state="NOT_INUSE")
            yield
        await self.until("AgentLogoff", agent=OPERATOR)


async def no_answer(studio: Studio) -> None:
    """It rings, the carrier says so twice, and we hang up."""
    await studio.originate()
    call = await studio.carrier.called()
    for _ in range(2):
        call.respond("180 Ringing")
        await studio.until("DialState")
    await studio.link.act(handover.hang_up(studio.attempt))
    await call.is_over()
    await studio.until_gone()


async def rings_in_vain_to_busy(studio: Studio) -> None:
    """It rings, and then the person rejects the call."""
    await studio.originate()
    call = await studio.carrier.called()
    call.respond("180 Ringing")
    await studio.until("DialState")
    call.respond("486 Busy Here")
    await studio.until_gone()


async def busy(studio: Studio) -> None:
    """The line is busy."""
    await _refused(studio, "486 Busy Here")


async def unassigned(studio: Studio) -> None:
    """The number does not exist."""
    await _refused(studio, "404 Not Found")


async def suspended(studio: Studio) -> None:
    """An announcement in early media, then the end."""
    await studio.originate()
    call = await studio.carrier.called()
    call.respond("183 Session Progress", call.sdp())
    call.begin_sound(call.invite.body)
    await studio.until("DialState")
    call.respond("480 Temporarily Unavailable")
    await studio.until_gone()


async def no_line(studio: Studio) -> None:
    """No INVITE leaves the house."""
    await studio.originate(trunk="nowhere")
    await studio.until_gone()


async def courtesy(studio: Studio) -> None:
    """Answered at once, and no operator."""
    await studio.originate()
    call = await studio.carrier.called()
    call.answer()
    await call.is_over()
    await studio.until("Hangup", uniqueid=studio.attempt)


async def operator_missed(studio: Studio) -> None:
    """The person is sent to an operator who is not there."""
    await studio.originate()
    call = await studio.carrier.called()
    call.answer()
    await studio.until("UserEvent", userevent=contract.EVENT_ANSWERED)
    await studio.link.act(handover.connect(studio.attempt, ABSENT))
    await studio.until("UserEvent", userevent=contract.EVENT_OPERATOR_MISSED)
    call.hang_up()
    await studio.until("Hangup", uniqueid=studio.attempt)


async def talk(studio: Studio) -> None:
    """The operator logs in, talks, the person hangs up, the operator logs off."""
    async with studio.operator():
        await studio.originate()
        call = await studio.carrier.called()
        call.respond("180 Ringing")
        await studio.until("DialState")
        call.answer()
        await studio.until("UserEvent", userevent=contract.EVENT_ANSWERED)
        await studio.connect()
        call.hang_up()
        await studio.until("Hangup", uniqueid=studio.attempt)


async def message(studio: Studio) -> None:
    """An answering machine: the operator sends it to the message, which is played to its end."""
    async with studio.operator():
        await studio.originate()
        call = await studio.carrier.called()
        call.answer()
        await studio.until("UserEvent", userevent=contract.EVENT_ANSWERED)
        await studio.connect()
        await studio.link.act(handover.leave_message(studio.attempt))
        await call.is_over()
        await studio.until("Hangup", uniqueid=studio.attempt)


async def _refused(studio: Studio, status: str) -> None:
    await studio.originate()
    call = await studio.carrier.called()
    call.respond(status)
    await studio.until_gone()


SCENES: tuple[Callable[[Studio], Awaitable[None]], ...] = (
    no_answer, rings_in_vain_to_busy, busy, unassigned, suspended, no_line, courtesy,
    operator_missed, talk, message,
)  # fmt: skip


async def callback_talk(here: Lobby) -> None:
    """A caller waits, is joined with an operator, and hangs up."""
    async with operator(here.place, OPERATOR):
        caller = await here.caller(CALLER_ID)
        await here.connect(caller, OPERATOR)
        await here.bridged(caller, OPERATOR)
        caller.line.hang_up()
        await here.life(caller)


async def callback_missed(here: Lobby) -> None:
    """The operator is not there; the caller waits again, and asks to be called back."""
    caller = await here.caller(CALLER_ID)
    await here.connect(caller, ABSENT)
    await here.told(caller, contract.STAGE_MISSED, ABSENT)
    await here.asked(contract.AGI_WAITING)
    caller.line.speaks = None
    caller.line.press(contract.KEY_ASK_BACK)
    await here.life(caller)


async def callback_alone(here: Lobby) -> None:
    """Nobody answers for us; Asterisk joins the caller with an operator, whose line breaks."""
    here.answerer.way = Way.CLOSES
    async with operator(here.place, OPERATOR) as leg:
        caller = await here.caller(CALLER_ID)
        await here.bridged(caller, OPERATOR)
        await here.told(caller, contract.STAGE_TALK, OPERATOR)
        leg.hang_up()
        await here.told(caller, contract.STAGE_MESSAGE)
        caller.line.hang_up()
        await here.life(caller)


async def callback_message(here: Lobby) -> None:
    """Nobody is logged in: the caller leaves a message, and hangs up."""
    here.answerer.arrived = (Do.MESSAGE, ())
    caller = await here.caller(CALLER_ID)
    await caller.line.hears(BEEP_HZ)
    await asyncio.sleep(1.5)  # the message
    caller.line.hang_up()
    await here.life(caller)


async def callback_guidance(here: Lobby) -> None:
    """Outside hours, from a number that is not shown."""
    here.answerer.arrived = (Do.GUIDANCE, (sounds.GUIDANCE, sounds.NEXT_OPEN))
    caller = await here.withheld(CALLER_ID)
    await here.life(caller)


CALLBACK_SCENES: tuple[Callable[[Lobby], Awaitable[None]], ...] = (
    callback_talk, callback_missed, callback_alone, callback_message, callback_guidance,
)  # fmt: skip


def attempt_of(trace: str) -> str:
    """The attempt's id in the trace of this name."""
    number = [scene.__name__ for scene in SCENES].index(trace) + 1
    return f"00000000-0000-4000-8000-{number:012}"


@asynccontextmanager
async def recording(pbx: Pbx, path: Path) -> AsyncIterator[None]:
    """A second manager session of the service's own user: its events, byte for byte."""
    ami = pbx.settings.ami
    reader, writer = await asyncio.open_connection(ami.host, ami.port)
    login = f"Action: Login\r\nUsername: {ami.user}\r\nSecret: {pbx.secrets.ami}\r\n\r\n"
    writer.write(login.encode())
    await reader.readuntil(b"Event: FullyBooted")
    await reader.readuntil(b"\r\n\r\n")
    yield
    writer.write(b"Action: Logoff\r\n\r\n")
    events = (await reader.read(-1)).decode().split("\r\n\r\n")
    kept = [event.replace("\r\n", "\n") for event in events if event.startswith("Event: ")]
    path.write_text("\n\n".join(kept) + "\n", encoding="utf-8")
    writer.close()


async def record_callbacks(pbx: Pbx) -> None:
    """The same of callers."""
    for scene in CALLBACK_SCENES:
        async with lobby(pbx) as here, recording(pbx, FOLDER / f"{scene.__name__}.txt"):
            await scene(here)
        print(f"recorded {scene.__name__}")


async def _record_all(pbx: Pbx) -> None:
    for position, scene in enumerate(SCENES):
        name = scene.__name__
        async with (
            Phone(pbx.settings.asterisk.sip_port, pbx.settings.trunk.port) as carrier,
            pbx.link() as link,
        ):
            studio = Studio(pbx, link, carrier, attempt_of(name), f"02580010{position:02}")
            async with recording(pbx, FOLDER / f"{name}.txt"):
                await scene(studio)
        print(f"recorded {name}")


if __name__ == "__main__":
    with started_pbx() as pbx:
        asyncio.run(_record_all(pbx))
        asyncio.run(record_callbacks(pbx))

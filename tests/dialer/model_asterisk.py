"""A small Asterisk with its carrier, as the service sees them through its link: channels that ring, are
answered and end, a journal, operators' legs, and a connection that can be cut, stalled and restarted.

It counts at the carrier's side: every INVITE is kept, and two at once for one number, or two for one
attempt, are broken promises.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from panoramisk.message import Message

from dialer.ami import contract
from dialer.ami.link import ANSWER_WITHIN_S, LinkDown, LinkUp, Value
from dialer.errors import AmiError, RefusedError

_WIRE_S = 0.002
_LATEST_S = 4.0
"""An action on its way when the link broke may still arrive this much later."""
_PATIENCE_S = 2.0
_LEG_READY_S = 5.0


@dataclass
class Channel:
    """One call at the carrier."""

    attempt: str
    number: str
    kind: str
    state: str = "Down"
    context: str = contract.INBOUND
    exten: str = "s"
    rang_at: float | None = None
    ended_at: float | None = None
    talked: bool = False
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        return self.ended_at is None

    @property
    def ring_s(self) -> float:
        """Seconds it rang, for a call that nobody answered."""
        return (
            0.0 if self.rang_at is None or self.ended_at is None else self.ended_at - self.rang_at
        )


@dataclass
class Leg:
    """An operator's nailed-up line."""

    up: bool = False
    ready: bool = False
    talk: str | None = None


class ModelAsterisk:
    """Everything beyond the service's link."""

    def __init__(self, chance: random.Random, operators: list[str]) -> None:
        self.chance = chance
        self.legs = {operator: Leg() for operator in operators}
        self.journal: dict[str, str] = {}
        self.invites: list[Channel] = []
        self.broken: list[str] = []
        """Promises that did not hold."""
        self.may_cut: set[str] = set()
        """Talks that an operator ended by the screen."""
        self.up = True
        self.link: ModelLink | None = None
        self._loop = asyncio.get_running_loop()

    # the world ---------------------------------------------------------------------------------

    def restart(self, down_s: float) -> None:
        """`core restart now`: every call and every connection ends without a word."""
        self.up = False
        if self.link is not None:
            self.link.cut(lost=True)
        for channel in self._alive():
            self._stop(channel)
        for leg in self.legs.values():
            leg.up = leg.ready = False
            leg.talk = None
        self._loop.call_later(down_s, self._booted)

    def log_in(self, operator: str) -> None:
        """The operator's telephone calls `*1`."""
        if self.up and not self.legs[operator].up:
            self.legs[operator].up = True
            self._loop.call_later(_LEG_READY_S, self._leg_ready, operator)

    def _booted(self) -> None:
        self.up = True

    def _leg_ready(self, operator: str) -> None:
        leg = self.legs[operator]
        if leg.up and leg.talk is None:
            leg.ready = True
            device = contract.AGENT_DEVICE + operator
            self._tell(Event="DeviceStateChange", Device=device, State="NOT_INUSE")

    def _alive(self) -> list[Channel]:
        return [channel for channel in self.invites if channel.alive]

    def _channel(self, attempt: str) -> Channel:
        for channel in self._alive():
            if channel.attempt == attempt:
                return channel
        raise RefusedError("no such channel")

    def _later(self, channel: Channel, seconds: float, what: Callable[[Channel], None]) -> None:
        channel.timers.append(self._loop.call_later(seconds, what, channel))

    def _tell(self, **headers: str) -> None:
        if self.link is not None:
            self.link.hear(Message(headers))

    # a call ------------------------------------------------------------------------------------

    def _originate(self, attempt: str, number: str) -> None:
        if any(channel.attempt == attempt for channel in self.invites):
            self.broken.append("an attempt was originated twice")
        if any(channel.number == number for channel in self._alive()):
            self.broken.append("a number was called twice at once")
        kinds = (
            "silent",
            "busy",
            "unassigned",
            "talker",
            "talker",
            "talker",
            "late",
            "machine",
            "brief",
        )
        channel = Channel(attempt, number, self.chance.choice(kinds))
        self.invites.append(channel)
        self._tell(Event="DialBegin", DestUniqueid=attempt)
        match channel.kind:
            case "busy":
                self._later(channel, 0.3, lambda c: self._end(c, 17))
            case "unassigned":
                self._later(channel, 0.1, lambda c: self._end(c, 1))
            case "late":
                self._later(channel, self.chance.uniform(2, 6), self._ring)
            case _:
                self._later(channel, 0.05, self._ring)
        self._later(channel, 70, lambda c: self._end(c, 19))

    def _ring(self, channel: Channel) -> None:
        channel.state, channel.rang_at = "Ringing", self._loop.time()
        self._tell(Event="DialState", DestUniqueid=channel.attempt, DialStatus="RINGING")
        if channel.kind != "silent":
            self._later(channel, self.chance.uniform(0.5, 12), self._pick_up)

    def _pick_up(self, channel: Channel) -> None:
        channel.state, channel.context = "Up", contract.ANSWERED
        self._clear(channel)
        self._tell(
            Event="OriginateResponse", ActionID=channel.attempt, Response="Success",
            Uniqueid=channel.attempt,
        )  # fmt: skip
        self._say(contract.EVENT_ANSWERED, channel)
        self.journal[channel.attempt] = contract.JOURNAL_ANSWERED
        if channel.kind == "brief":
            self._later(channel, self.chance.uniform(0.01, 1), self._hang_up)
        self._later(channel, _PATIENCE_S, self._courtesy)

    def _courtesy(self, channel: Channel) -> None:
        self._say(contract.EVENT_COURTESY, channel)
        self.journal[channel.attempt] = contract.JOURNAL_COURTESY
        self._later(channel, 1.5, self._hang_up)

    def _say(self, what: str, channel: Channel, **more: str) -> None:
        self._tell(Event="UserEvent", UserEvent=what, Attempt=channel.attempt, **more)

    def _connect(self, channel: Channel, operator: str) -> None:
        self._clear(channel)
        channel.context, channel.exten = contract.CONNECT, operator
        self.journal[channel.attempt] = contract.JOURNAL_TALK + operator
        leg = self.legs[operator]
        if leg.ready and leg.talk is None:
            leg.talk, leg.ready = channel.attempt, False
            self._later(channel, 0.005, self._bridged)
        else:
            self._later(channel, 0.02, self._missed)

    def _bridged(self, channel: Channel) -> None:
        channel.talked = True
        self._tell(
            Event=contract.EVENT_CONNECTED, Uniqueid=channel.attempt,
            ConnectedLineNum=channel.exten,
        )  # fmt: skip
        if channel.kind != "machine":
            self._later(channel, self.chance.uniform(0.2, 20), self._hang_up)

    def _missed(self, channel: Channel) -> None:
        operator = channel.exten
        channel.context, channel.exten = contract.ANSWERED, "s"
        self.journal[channel.attempt] = contract.JOURNAL_ANSWERED
        self._say(contract.EVENT_OPERATOR_MISSED, channel, Operator=operator, Status="BUSY")
        self._later(channel, _PATIENCE_S, self._courtesy)

    def _message(self, channel: Channel) -> None:
        self._clear(channel)
        self._free_leg(channel)
        channel.context, channel.exten = contract.MESSAGE, "s"
        self.journal[channel.attempt] = contract.JOURNAL_MESSAGE
        self._later(channel, 3, self._left)

    def _left(self, channel: Channel) -> None:
        self._say(contract.EVENT_MESSAGE_LEFT, channel)
        self.journal[channel.attempt] = contract.JOURNAL_LEFT
        self._hang_up(channel)

    def _hang_up(self, channel: Channel) -> None:
        self._end(channel, 16)

    def _end(self, channel: Channel, cause: int) -> None:
        answered = channel.state == "Up"
        self._stop(channel)
        self._free_leg(channel)
        self._tell(Event="Hangup", Uniqueid=channel.attempt, Cause=str(cause))
        if not answered:
            self._tell(
                Event="OriginateResponse", ActionID=channel.attempt, Response="Failure",
                Uniqueid="<null>",
            )  # fmt: skip

    def _stop(self, channel: Channel) -> None:
        self._clear(channel)
        channel.ended_at = self._loop.time()

    @staticmethod
    def _clear(channel: Channel) -> None:
        for timer in channel.timers:
            timer.cancel()
        channel.timers.clear()

    def _free_leg(self, channel: Channel) -> None:
        for operator, leg in self.legs.items():
            if leg.talk == channel.attempt:
                leg.talk = None
                self._loop.call_later(0.1, self._leg_ready, operator)

    # what the service asks ---------------------------------------------------------------------

    def take(self, action: Mapping[str, Value]) -> list[Message]:
        """Carry out an action that arrived.

        Raises:
            RefusedError: Asterisk says no.
        """
        if not self.up:
            raise RefusedError("nobody there")
        attempt = str(action.get("Channel", ""))
        match action["Action"]:
            case "Originate":
                number = attempt.removeprefix("PJSIP/").partition("@")[0]
                # Async: the answer comes before the channel is there
                delay = self.chance.uniform(0, 0.03)
                self._loop.call_later(
                    delay, self._originate_if_up, str(action["ChannelId"]), number
                )
            case "Hangup":
                self._hang_up_by_order(self._channel(attempt))
            case "Redirect":
                self._redirect(self._channel(attempt), str(action["Context"]), str(action["Exten"]))
            case "DBDel":
                self.journal.pop(str(action["Key"]), None)
            case "Getvar":
                return [self._value(str(action["Variable"]))]
            case asked:
                return self._listed(str(asked))
        return [Message({"Response": "Success"})]

    def _hang_up_by_order(self, channel: Channel) -> None:
        talks = channel.talked and channel.context == contract.CONNECT
        if talks and channel.attempt not in self.may_cut:
            self.broken.append("a talk was cut")
        self._hang_up(channel)

    def _redirect(self, channel: Channel, context: str, exten: str) -> None:
        if channel.state != "Up":
            raise RefusedError("not up")
        if context == contract.CONNECT:
            self._connect(channel, exten)
        else:
            self._message(channel)

    def _listed(self, asked: str) -> list[Message]:
        family = f"/{contract.JOURNAL}/"
        entries = {
            "CoreShowChannels": [_shown(channel) for channel in self._alive()],
            "DeviceStateList": [self._device(operator) for operator in self.legs],
            "DBGetTree": [
                {"Event": "DBGetTreeResponse", "Key": family + key, "Val": value}
                for key, value in self.journal.items()
            ],
        }[asked]
        if asked == "DBGetTree" and not entries:
            raise RefusedError("an empty family is an error to Asterisk")
        end = {"Event": f"{asked}Complete", "EventList": "Complete"}
        return [Message({"Response": "Success"}), *map(Message, entries), Message(end)]

    def _originate_if_up(self, attempt: str, number: str) -> None:
        if self.up:
            self._originate(attempt, number)

    def _value(self, variable: str) -> Message:
        device = variable.removeprefix(f"DEVICE_STATE({contract.AGENT_DEVICE}").rstrip(")")
        value = self._device(device)["State"] if device in self.legs else "Reachable"
        return Message({"Response": "Success", "Value": value})

    def _device(self, operator: str) -> dict[str, str]:
        leg = self.legs[operator]
        state = ("NOT_INUSE" if leg.ready else "INUSE") if leg.up else "UNAVAILABLE"
        device = contract.AGENT_DEVICE + operator
        return {"Event": "DeviceStateChange", "Device": device, "State": state}


def _shown(channel: Channel) -> dict[str, str]:
    return {
        "Event": "CoreShowChannel",
        "Uniqueid": channel.attempt,
        "ChannelStateDesc": channel.state,
        "Context": channel.context,
        "Exten": channel.exten,
    }


class ModelLink:
    """One dialer process's link (`dialer.ami.link.Link`), whose other end is the model."""

    def __init__(self, asterisk: ModelAsterisk) -> None:
        self.events: asyncio.Queue[Message | LinkUp | LinkDown] = asyncio.Queue()
        self.up = False
        self.prompt = True
        self._asterisk = asterisk
        self._connection = 0
        """Grows with every loss of the connection: what was sent before it gets no answer."""
        self._stalled = False
        self._held: list[Message] = []
        self._lost = False
        self._resumed = asyncio.Event()
        self._closed = False
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        self._loop.call_later(0.01, self._try)

    def close(self) -> None:
        """The process is gone: nobody listens, nothing more is sent."""
        self._closed = True
        self.up = False

    def _try(self) -> None:
        if self._closed or self.up:
            return
        if not self._asterisk.up:
            self._loop.call_later(1.0, self._try)
            return
        self.up, self._stalled = True, False
        self._asterisk.link = self
        self.events.put_nowait(LinkUp())

    def hear(self, event: Message) -> None:
        """An event from Asterisk."""
        if self._stalled:
            self._held.append(event)
        elif self.up:
            self.events.put_nowait(event)

    def stall(self) -> None:
        """Nothing comes through, in neither direction; the service finds out by its ping."""
        if self.up:
            self._stalled = True
            self._resumed.clear()
            self._loop.call_later(8.0, self._found_dead, self._connection)

    def resume(self) -> None:
        """Everything held comes through, in order."""
        if self._stalled:
            self._stalled = False
            for event in self._held:
                self.events.put_nowait(event)
            self._held.clear()
            self._resumed.set()

    def _found_dead(self, connection: int) -> None:
        if self._stalled and connection == self._connection:
            self.cut()

    def cut(self, *, lost: bool = False) -> None:
        """The connection breaks; it is made again after a second.

        Args:
            lost: what is on its way never arrives, as when Asterisk itself is gone.
        """
        if not self.up:
            return
        self.up, self._stalled = False, False
        self._connection += 1
        self._held.clear()
        self._lost = lost
        self._resumed.set()
        self._asterisk.link = None
        self.events.put_nowait(LinkDown())
        self._loop.call_later(1.0, self._try)

    async def act(self, action: Mapping[str, Value]) -> list[Message]:
        if not self.up:
            raise RefusedError(f"{action['Action']}: the link to Asterisk is down")
        connection, began = self._connection, self._loop.time()
        # what was sent arrives even when the process that sent it is killed meanwhile
        arrival = self._loop.create_future()
        self._loop.call_later(_WIRE_S, self._arrive, action, connection, arrival)
        try:
            async with asyncio.timeout_at(began + ANSWER_WITHIN_S):
                answer = await asyncio.shield(arrival)
                if self._stalled:
                    await self._resumed.wait()
                if connection != self._connection:
                    await asyncio.Future()
        except TimeoutError:
            raise AmiError(f"{action['Action']}: no answer from Asterisk") from None
        if isinstance(answer, RefusedError):
            raise answer
        return answer

    def _arrive(
        self, action: Mapping[str, Value], connection: int, arrival: asyncio.Future[object]
    ) -> None:
        if self._stalled and connection == self._connection:
            self._loop.call_later(0.05, self._arrive, action, connection, arrival)
            return
        if connection != self._connection:
            late = self._asterisk.chance.uniform(0, 2 * _LATEST_S)
            if not self._lost and late < _LATEST_S:
                self._loop.call_later(late, self._carry_out, action, arrival)
            return
        self._carry_out(action, arrival)

    def _carry_out(self, action: Mapping[str, Value], arrival: asyncio.Future[object]) -> None:
        try:
            answer: object = self._asterisk.take(action)
        except RefusedError as error:
            answer = error
        if not arrival.done():
            arrival.set_result(answer)

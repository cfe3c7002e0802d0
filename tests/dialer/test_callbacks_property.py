"""At most once, and nobody lost: whatever crosses, breaks or is killed, no caller is taken out of a talk, all
are served as soon as somebody is there for them, and every one of them is on record.

The service's part for callers runs against a model of the dialplan, whose events come late, or never while
the link is cut.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from panoramisk.message import Message

from db import callbacks as record
from db.callbacks import Arrived, InHand, Moved
from dialer.ami.link import Value
from dialer.ami.translate import translate
from dialer.callback_recovery import CallbackRecovery
from dialer.errors import AmiError, RefusedError
from dialer.events import Events
from dialer.ledger import CallbackEnd
from dialer.recovery import Recovery
from rules.callback_state import WAITS
from rules.operator_state import Event, NotNowError
from rules.operator_state import State as SeatState
from tests.dialer.fakes import FakeLink, turns
from tests.dialer.test_callback_recovery import Records
from tests.dialer.test_calls import Floor
from tests.dialer.test_recovery import NoDatabase

OPERATORS = ("201", "202")


class Dialplan:
    """What is true in Asterisk: where callers are, whom agents are with, what the journal says."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.callers: dict[str, str] = {}
        """`waiting`, `alone`, `asked_back`, or the agent they talk with; whoever is gone is not here."""
        self.agents: dict[str, str] = dict.fromkeys(OPERATORS, "")
        """Whom each one who is logged in talks with."""
        self.journal: dict[str, list[object]] = {}
        self.events: deque[Message] = deque()
        self.up = True
        self.lost = False
        """The next action is carried out, and the link breaks before its answer."""
        self.arrived: list[str] = []

    def tell(self, event: str, **headers: str) -> None:
        if self.up:
            self.events.append(Message({"Event": event, **headers}))

    def stage(self, callback: str, stage: str, detail: str = "") -> None:
        known = self.journal.setdefault(callback, ["", "", int(time.time()), 0, 0])
        if stage != "ended":
            known[:2] = [stage, detail]
        known[3:] = [int(time.time()), int(stage == "ended")]
        headers = {"UserEvent": "YobirinCallback", "Callback": callback, "Stage": stage}
        self.tell("UserEvent", **headers, Detail=detail, Called="0258000101", Number="")

    # what people do ------------------------------------------------------------------------------

    def call(self) -> None:
        callback = f"1790211600.{len(self.arrived) + 1}"
        self.arrived.append(callback)
        self.stage(callback, "arrived")
        self._wait(callback, self.chance.choice(["waiting", "waiting", "alone"]))

    def hang_up(self, callback: str) -> None:
        self.free(self.callers.pop(callback))
        self.stage(callback, "ended")
        self.tell("Hangup", Uniqueid=callback, Cause="16")

    def press(self, callback: str) -> None:
        self.callers[callback] = "asked_back"
        self.stage(callback, "asked_back")

    def break_line(self, agent: str) -> None:
        """The softphone of an operator dies."""
        callback = self.agents.pop(agent)
        self.tell("AgentLogoff", Agent=agent)
        if callback:
            self.stage(callback, "missed", agent)
            self.callers[callback] = "waiting"

    def log_in(self, agent: str) -> None:
        self.agents[agent] = ""
        self.tell("DeviceStateChange", Device=f"Agent:{agent}", State="NOT_INUSE")

    def serve_alone(self, callback: str, agent: str) -> None:
        """Asterisk's own queue."""
        self._bridge(callback, agent)
        self.stage(callback, "talk", agent)

    # what the service does -----------------------------------------------------------------------

    def carry_out(self, action: Mapping[str, Value]) -> None:
        name, callback = action["Action"], str(action.get("Channel", ""))
        if name == "DBDel":
            self.journal.pop(str(action["Key"]), None)
        if name not in ("Redirect", "Hangup"):
            return
        if callback not in self.callers:
            raise RefusedError("no such channel")
        if name == "Hangup":
            self.hang_up(callback)
            return
        # only Asterisk's own queue may have been quicker than we knew
        ours = self.journal[callback][0] == "joining"
        assert not (ours and self.callers[callback] in OPERATORS), "taken out of a talk"
        self.free(self.callers[callback])
        if action["Context"] == "yobirin-callback-wait":
            self._wait(callback, "waiting")
            return
        agent = str(action["Exten"])
        self.stage(callback, "joining", agent)
        if self.agents.get(agent, "busy") == "":
            self._bridge(callback, agent)
            self.tell("NewConnectedLine", Uniqueid=callback, ConnectedLineNum=agent)
        else:
            self.stage(callback, "missed", agent)
            self.callers[callback] = "waiting"

    def free(self, agent: str) -> None:
        if agent in self.agents:
            self.log_in(agent)

    def _wait(self, callback: str, where: str) -> None:
        self.callers[callback] = where
        self.stage(callback, where)

    def _bridge(self, callback: str, agent: str) -> None:
        assert self.agents[agent] == ""
        self.callers[callback], self.agents[agent] = agent, callback

    def lists(self) -> dict[str, list[dict[str, str]]]:
        """What Asterisk answers questions with."""
        channels = [
            {"Event": "CoreShowChannel", "Uniqueid": callback, "ChannelStateDesc": "Up",
             "BridgeId": "b" if where in OPERATORS else ""}
            for callback, where in self.callers.items()
        ]  # fmt: skip
        journal = [
            {"Event": "DBGetTreeResponse", "Key": f"/yobirin-callback/{key}",
             "Val": "|".join(map(str, [*known, "0258000101", ""]))}
            for key, known in self.journal.items()
        ]  # fmt: skip
        legs = [
            {"Event": "DeviceStateChange", "Device": f"Agent:{agent}",
             "State": "INUSE" if with_whom else "NOT_INUSE"}
            for agent, with_whom in self.agents.items()
        ]  # fmt: skip
        return {"CoreShowChannels": channels, "DBGetTree": journal, "DeviceStateList": legs}


class ModelLink(FakeLink):
    """Carries actions to the model, or is cut."""

    def __init__(self, pbx: Dialplan) -> None:
        super().__init__()
        self.pbx = pbx

    async def act(self, action: Mapping[str, Value]) -> list[Message]:
        if not self.pbx.up:
            raise RefusedError("the link is down")
        if action["Action"] == "DBGetTree" and action["Family"] == "yobirin":
            raise RefusedError("empty")
        self.pbx.carry_out(action)
        if self.pbx.lost and action["Action"] == "Redirect":
            self.pbx.lost = self.pbx.up = False
            self.pbx.events.clear()
            raise AmiError("no answer")
        self.lists = self.pbx.lists()
        return await super().act(action)


class Service(Floor):
    """The part of the service that is about callers."""

    def __init__(self, pbx: Dialplan, entries: list[object]) -> None:
        super().__init__()
        self.pbx = pbx
        self.link = ModelLink(pbx)
        self.ledger.entries = list(entries)
        self.callbacks._link = self.callbacks._actions._link = self.link
        self.callbacks.asked_back = lambda *_: None
        self.records = Records()
        self.events = Events(
            self.link, self.calls, self.callbacks, self.seats, early_media_rings=False
        )
        self.recovery = Recovery(
            self.clock, NoDatabase(), self.link, self.calls, self.seats, lambda _: None
        )
        self.own = CallbackRecovery(self.clock, self.records, self.link, self.callbacks)
        self.committed = 0
        self.seats.seat_all([(operator, True) for operator in OPERATORS])

    async def start(self) -> None:
        """From what is on record."""
        self.records.in_hand = self._in_hand()
        self.committed = len(self.ledger.entries)
        await self.own.load()

    def _in_hand(self) -> list[InHand]:
        arrived = {one.id: one for one in self.ledger.entries if isinstance(one, Arrived)}
        changes = {
            name: tuple(
                one
                for one in self.ledger.entries
                if isinstance(one, Moved) and one.callback_id == name
            )
            for name in arrived
        }
        done = {one for one in self.ledger.entries if isinstance(one, str)}
        done |= {
            one.callback.id
            for one in self.ledger.entries
            if isinstance(one, CallbackEnd) and not one.callback.talked
        }
        return [InHand(arrived=arrived[n], changes=changes[n]) for n in arrived if n not in done]

    def on_record(self) -> set[str]:
        return {one.id for one in self.ledger.entries[: self.committed] if isinstance(one, Arrived)}

    async def catch_up(self) -> None:
        """The link is back."""
        self.pbx.up = True
        self.pbx.events.clear()
        self.callbacks.lose_sight()
        self.records.finished = self.on_record()
        await self.own.reconcile(after_silence=True)
        await self.recovery.reconcile(after_silence=True)
        self.callbacks.regain_sight()
        await turns()

    async def listen(self, most: int = 1000) -> None:
        """Take so many events, as they came."""
        for _ in range(most):
            if not self.pbx.events:
                break
            event = self.pbx.events.popleft()
            self.events.apply(
                translate(event, self.calls.moment, self.callbacks.moment, early_media_rings=False)
            )
        await turns()

    def commit(self) -> None:
        """The database takes what has gathered."""
        fresh, self.committed = self.ledger.entries[self.committed :], len(self.ledger.entries)
        for one in fresh:
            if isinstance(one, CallbackEnd):
                self.callbacks.committed(one.callback.id)

    def save(self, operator: str) -> None:
        """The operator's result is committed."""
        seat = self.seats.seat(operator)
        if seat.state is SeatState.AFTER_CALL_WORK or (
            seat.attempt and seat.state in (SeatState.PAUSED, SeatState.AWAY)
        ):
            self.commit()
            self.ledger.entries.append(seat.attempt)
            self.callbacks.settled(seat.attempt)
            self.seats.move(operator, Event.RESULT_SAVED)

    def ask_for_calls(self, operator: str) -> None:
        """The operator presses the button."""
        with suppress(NotNowError):
            self.seats.move(operator, Event.READY)


async def play(seed: int, steps: int) -> None:
    chance = random.Random(seed)
    pbx = Dialplan(chance)
    service = Service(pbx, [])
    await service.catch_up()
    for _ in range(steps):
        service.clock.move(1)
        service = await step(chance, pbx, service)
        await turns()
    await settle(pbx, service)


async def step(chance: random.Random, pbx: Dialplan, service: Service) -> Service:
    """One thing happens, if it can."""
    waiting = [c for c, where in pbx.callers.items() if where == "waiting"]
    alone = [c for c, where in pbx.callers.items() if where == "alone"]
    idle = [agent for agent, with_whom in pbx.agents.items() if not with_whom]
    away = [agent for agent in OPERATORS if agent not in pbx.agents]
    can: list[Callable[[], object]] = [pbx.call, pbx.call]
    can += [lambda: pbx.hang_up(chance.choice(list(pbx.callers)))] * (2 * bool(pbx.callers))
    can += [lambda: pbx.press(chance.choice(waiting))] * bool(waiting)
    can += [lambda: pbx.break_line(chance.choice(list(pbx.agents)))] * bool(pbx.agents)
    can += [lambda: pbx.log_in(chance.choice(away))] * (2 * bool(away))
    if alone and idle:
        can += [lambda: pbx.serve_alone(chance.choice(alone), chance.choice(idle))] * 2
    can += [lambda: service.save(chance.choice(OPERATORS))] * 3
    can += [lambda: service.ask_for_calls(chance.choice(OPERATORS)), service.commit]
    what = chance.choice(
        [*can, "listen", "listen", "listen", "listen", "cut", "lose", "kill", "back"]
    )
    if what == "listen":
        await service.listen(chance.randint(1, 4))
    elif what == "cut" and pbx.up:
        pbx.up = False
        pbx.events.clear()
        service.callbacks.lose_sight()
    elif what == "lose":
        pbx.lost = pbx.up
    elif what == "back" and not pbx.up:
        await service.catch_up()
    elif what == "kill":
        pbx.up = False
        await turns()
        service = Service(pbx, service.ledger.entries[: service.committed])
        await service.start()
        await service.catch_up()
    elif callable(what):
        what()
    return service


async def settle(pbx: Dialplan, service: Service) -> None:
    """Quiet: the link is up, everything is told, all results are saved."""
    pbx.lost = False
    await service.catch_up()
    for agent in OPERATORS:
        if agent not in pbx.agents:
            pbx.log_in(agent)
    for _ in range(4 * len(pbx.arrived) + 10):
        await service.listen()
        for operator in OPERATORS:
            service.save(operator)
            service.ask_for_calls(operator)
        for callback, where in list(pbx.callers.items()):
            if where in OPERATORS or where == "asked_back":
                pbx.hang_up(callback)
        await service.listen()
    assert pbx.callers == {}, "a caller was never served"
    service.commit()
    for operator in OPERATORS:
        service.save(operator)
    await turns()
    assert service.callbacks.callers() == []
    recorded = {one.id for one in service.ledger.entries if isinstance(one, Arrived)}
    assert recorded == set(pbx.arrived), "a caller is not on record"
    ended = [
        one.callback_id
        for one in service.ledger.entries
        if isinstance(one, Moved) and one.state == "ended"
    ]
    assert sorted(ended) == sorted(pbx.arrived)
    assert not any(one in WAITS for one in service.callbacks.callers())
    assert pbx.journal == {}


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> None:
    async def in_hand(known: Records) -> list[InHand]:
        return known.in_hand

    async def on_record(known: Records, ids: list[str]) -> set[str]:
        return known.finished & set(ids)

    monkeypatch.setattr(record, "in_hand", in_hand)
    monkeypatch.setattr(record, "on_record", on_record)
    monkeypatch.setattr("dialer.callbacks.TAKE_OVER_AFTER_S", 0)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.integers(5, 60))
async def test_no_caller_is_taken_out_of_a_talk_or_lost(
    records: None, seed: int, steps: int
) -> None:
    await play(seed, steps)

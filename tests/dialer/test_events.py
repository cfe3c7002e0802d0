"""The one path of events, from the link's queue to calls and operators."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from panoramisk.message import Message

from dialer import events as events_module
from dialer.ami.link import LinkDown, LinkUp
from dialer.events import Events
from tests.dialer.fakes import turns
from tests.dialer.test_calls import Floor

A = "a"


class Path(Floor):
    """Events that run from the link's queue to the calls, noting what the link did."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[str] = []
        self.events = Events(
            self.link, self.calls, self.callbacks, self.seats, early_media_rings=False
        )
        self.events.link_up = self._link_up
        self.events.link_down = lambda: self.noted.append("down")
        self.events.trunk_in_doubt = lambda: self.noted.append("doubt")

    async def _link_up(self) -> None:
        await asyncio.sleep(0)  # it asks Asterisk; nothing else is taken meanwhile
        self.noted.append(f"up, {A} is {self.state(A) if self.calls.line(A) else 'unknown'}")

    async def send(self, *items: object) -> None:
        for item in items:
            self.link.events.put_nowait(item)
        await turns(20)


@pytest.fixture
async def path() -> AsyncIterator[Path]:
    made = Path()
    task = asyncio.create_task(made.events.run())
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def ringing() -> Message:
    return Message({"Event": "DialState", "DestUniqueid": A, "DialStatus": "RINGING"})


def hung_up(cause: int) -> Message:
    return Message({"Event": "Hangup", "Uniqueid": A, "Cause": str(cause)})


def failed() -> Message:
    return Message({"Event": "OriginateResponse", "ActionID": A, "Response": "Failure"})


async def test_events_move_calls_in_order_and_the_link_in_its_place(path: Path) -> None:
    path.place(A)
    await path.send(LinkDown(), LinkUp(), ringing(), LinkDown(), hung_up(17))
    assert path.noted == ["down", "up, a is placed", "down"]
    assert path.ledger.states() == ["ringing", "ended"]
    assert path.ledger.outcomes() == ["busy"]


async def test_a_failed_originate_does_not_take_the_cause_from_the_hangup_that_crosses_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "HANGUP_WITHIN_S", 0.2)
    path.place(A)
    await path.send(failed(), hung_up(17))
    await asyncio.sleep(0.3)
    assert path.ledger.outcomes() == ["busy"]


async def test_a_failed_originate_that_no_hangup_follows_never_had_a_channel(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "HANGUP_WITHIN_S", 1.0)
    path.place(A)
    await path.send(failed())
    assert path.ledger.outcomes() == []
    async with asyncio.timeout(30):
        while not path.ledger.outcomes():
            await asyncio.sleep(0.01)
    assert path.ledger.outcomes() == ["failed"]


async def test_an_event_that_cannot_be_taken_does_not_stop_those_after_it(path: Path) -> None:
    path.place(A)
    poisoned = Message({"Event": "DialState", "DestUniqueid": ["two", "of them"]})
    await path.send(poisoned, ringing())
    assert path.state(A) == "ringing"


async def test_operators_legs_come_and_go(path: Path) -> None:
    path.seats.seat_all([("201", True)])
    device = {"Event": "DeviceStateChange", "Device": "Agent:201", "State": "NOT_INUSE"}
    await path.send(Message(device))
    assert path.seat() == ("free", None)
    await path.send(Message({"Event": "AgentLogoff", "Agent": "201"}))
    assert path.seat() == ("away", None)


async def test_a_trunk_that_may_be_down_is_asked_about_and_one_that_is_used_is_up(
    path: Path,
) -> None:
    device = {"Event": "DeviceStateChange", "Device": "PJSIP/trunk"}
    path.events.trunk_is(False)
    await path.send(Message(device | {"State": "INUSE"}))
    assert path.events.trunk_reachable
    await path.send(Message(device | {"State": "UNAVAILABLE"}))
    assert path.noted == ["doubt"]
    assert path.events.trunk_reachable  # until it was asked

"""Callbacks after silence: what we knew, what Asterisk shows and what its journal says, against what becomes
of them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from db import callbacks as record
from db.callbacks import Arrived, InHand, Moved
from db.errors import DatabaseError
from dialer.callback_recovery import CallbackRecovery, callback_of, entry_of
from dialer.ledger import CallbackEnd
from rules.callback_events import Connected, LeftAlone, MessageBegun, OperatorAssigned
from rules.callback_state import State
from rules.operator_state import Event
from tests.dialer.fakes import turns
from tests.dialer.test_callbacks import A, B, C, Line

NUMBER = "0258000001"


class Records:
    """A database that knows these callbacks, or is away."""

    def __init__(self) -> None:
        self.in_hand: list[InHand] = []
        self.finished: set[str] = set()
        self.away = False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Records]:
        if self.away:
            raise DatabaseError("away")
        yield self


class Room(Line):
    """Callers with a recovery that looks at an invented Asterisk."""

    def __init__(self) -> None:
        super().__init__()
        self.records = Records()
        self.recovery = CallbackRecovery(self.clock, self.records, self.link, self.callbacks)
        self.callbacks.lose_sight()
        self.asterisk()

    def asterisk(self, channels: dict[str, str] | None = None, **journal: str) -> None:
        """What Asterisk shows: callbacks with the bridge they are in, and the journal by letter."""
        self.link.lists["CoreShowChannels"] = [
            {"Event": "CoreShowChannel", "Uniqueid": name, "BridgeId": bridge}
            for name, bridge in (channels or {}).items()
        ]
        entries = [
            {"Event": "DBGetTreeResponse", "Key": f"/yobirin-callback/{_NAMES[key]}", "Val": value}
            for key, value in journal.items()
        ]
        self.link.lists["DBGetTree"] = entries
        self.link.refuses = set() if entries else {"DBGetTree"}

    def forgotten(self) -> list[object]:
        return [one["Key"] for one in self.link.sent if one["Action"] == "DBDel"]

    def ends(self) -> list[CallbackEnd]:
        return [one for one in self.ledger.entries if isinstance(one, CallbackEnd)]

    async def look(self, *, after_silence: bool = True) -> None:
        await self.recovery.reconcile(after_silence=after_silence)
        await turns()


_NAMES = {"a": A, "b": B, "c": C}


def stage(value: object) -> str | None:
    """A case is named by the journal's stage: its times are of the moment."""
    return value.split("|")[0] if isinstance(value, str) else None


def entry(stage: str, detail: str = "", *, ended: bool = False, ago_s: int = 60) -> str:
    """A value of the journal, of a caller who came so long ago and reached the stage 20 s later."""
    now = int(time.time())
    number = "+81258000001"
    return f"{stage}|{detail}|{now - ago_s}|{now - ago_s + 20}|{ended:d}|0258000101|{number}"


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    made = Room()

    async def in_hand(records: Records) -> list[InHand]:
        return records.in_hand

    async def on_record(records: Records, ids: list[str]) -> set[str]:
        return records.finished & set(ids)

    monkeypatch.setattr(record, "in_hand", in_hand)
    monkeypatch.setattr(record, "on_record", on_record)
    monkeypatch.setattr("dialer.callbacks.TAKE_OVER_AFTER_S", 0)
    return made


WAYS: dict[State, list[tuple[type, dict[str, object]]]] = {
    State.ARRIVED: [],
    State.ALONE: [(LeftAlone, {})],
    State.RECORDING: [(MessageBegun, {})],
}


async def brought(room: Room, state: State) -> None:
    """A caller of whom we knew that they were there; 201 is who was or is with them."""
    room.sit("201")
    if state in WAYS:
        room.callbacks.arrive(A, "0258000101", NUMBER)
        for kind, more in WAYS[state]:
            await room.say(kind, A, **more)
        return
    await room.call(A, number=NUMBER)
    if state in (State.JOINING, State.TALKING):
        await room.say(OperatorAssigned, operator="201")
    if state is State.TALKING:
        await room.say(Connected)


ALIVE = [
    # we knew, the journal says, bridged -> the state then, and 201's
    (State.ARRIVED, entry("arrived"), "", "arrived", "free"),
    (State.ARRIVED, entry("waiting"), "", "waiting", "free"),
    (State.ARRIVED, entry("joining", "201"), "b", "talking", "talking"),
    (State.ARRIVED, entry("joining", "201"), "", "joining", "free"),
    (State.ARRIVED, entry("missed", "201"), "", "waiting", "free"),
    (State.ARRIVED, entry("alone"), "", "alone", "free"),
    (State.ARRIVED, entry("talk", "201"), "b", "talking", "talking"),
    (State.ARRIVED, entry("guidance", "guidance"), "", "guidance", "free"),
    (State.ARRIVED, entry("message"), "", "recording", "free"),
    (State.ARRIVED, entry("recorded", "7"), "", "recording", "free"),
    (State.ARRIVED, entry("asked_back"), "", "asked_back", "free"),
    (State.WAITING, entry("waiting"), "", "waiting", "free"),
    (State.WAITING, entry("alone"), "", "alone", "free"),
    (State.WAITING, entry("talk", "201"), "b", "talking", "talking"),
    (State.ALONE, entry("alone"), "", "alone", "free"),
    (State.ALONE, entry("talk", "201"), "b", "talking", "talking"),
    (State.ALONE, entry("waiting"), "", "waiting", "free"),
    # our Redirect was lost, or carried out
    (State.JOINING, entry("waiting"), "", "waiting", "away"),
    (State.JOINING, entry("missed", "201"), "", "waiting", "away"),
    (State.JOINING, entry("joining", "201"), "", "joining", "ringing_for"),
    (State.JOINING, entry("joining", "201"), "b", "talking", "talking"),
    (State.JOINING, entry("alone"), "", "alone", "away"),
    (State.TALKING, entry("joining", "201"), "b", "talking", "talking"),
    # the operator's line broke
    (State.TALKING, entry("missed", "201"), "", "waiting", "away"),
    (State.RECORDING, entry("recorded", "7"), "", "recording", "free"),
]


@pytest.mark.parametrize(("knew", "journal", "bridge", "state", "seat"), ALIVE, ids=stage)
async def test_a_caller_who_is_there_is_where_the_journal_says(
    room: Room, knew: State, journal: str, bridge: str, state: str, seat: str
) -> None:
    await brought(room, knew)
    room.asterisk({A: bridge}, a=journal)
    await room.look()
    assert (room.where(), room.seat()[0]) == (state, seat)
    # and again it is no news
    moved = len(room.ledger.entries)
    await room.look()
    assert len(room.ledger.entries) == moved


GONE = [
    # we knew, the journal's last word -> talked, asked back, seconds of a message
    (State.ARRIVED, entry("waiting", ended=True), (False, False, None)),
    (State.ARRIVED, entry("guidance", "guidance", ended=True), (False, False, None)),
    (State.ARRIVED, entry("asked_back", ended=True), (False, True, None)),
    (State.ARRIVED, entry("recorded", "7", ended=True), (False, False, 7)),
    (State.ARRIVED, entry("joining", "201", ended=True), (True, False, None)),
    (State.ARRIVED, entry("talk", "201", ended=True), (True, False, None)),
    (State.ARRIVED, None, (False, False, None)),
    (State.WAITING, entry("joining", "201", ended=True), (True, False, None)),
    (State.WAITING, entry("alone", ended=True), (False, False, None)),
    (State.JOINING, entry("waiting", ended=True), (False, False, None)),
    (State.TALKING, entry("joining", "201", ended=True), (True, False, None)),
    (State.TALKING, entry("missed", "201", ended=True), (False, False, None)),
    # Asterisk died with everything in it
    (State.WAITING, entry("waiting"), (False, False, None)),
    (State.TALKING, None, (True, False, None)),
]


@pytest.mark.parametrize(("knew", "journal", "expected"), GONE, ids=stage)
@pytest.mark.parametrize("after_silence", [True, False])
async def test_a_caller_who_is_gone_ended_as_the_journal_says(
    room: Room,
    knew: State,
    journal: str | None,
    expected: tuple[bool, bool, int | None],
    after_silence: bool,
) -> None:
    await brought(room, knew)
    room.asterisk(**({"a": journal} if journal else {}))
    await room.look(after_silence=after_silence)
    [end] = room.ends()
    callback = end.callback
    assert (callback.talked, callback.asked_back, callback.message_s) == expected
    owed = room.seat() == ("after_call_work", A)
    assert (owed, room.seat()[1]) == (callback.talked, A if callback.talked else None)


async def test_who_came_and_went_while_we_were_away_is_put_on_record_with_its_times(
    room: Room,
) -> None:
    room.asterisk(a=entry("waiting", ended=True, ago_s=100))
    await room.look()
    [arrived] = [one for one in room.ledger.entries if isinstance(one, Arrived)]
    assert (arrived.id, arrived.number, arrived.called) == (A, NUMBER, "0258000101")
    ago = room.clock.now() - arrived.arrived_at
    assert timedelta(seconds=99) < ago < timedelta(seconds=102)
    moved = [one for one in room.ledger.entries if isinstance(one, Moved)]
    assert [one.state.value for one in moved] == ["waiting", "ended"]
    assert moved[-1].at - arrived.arrived_at == timedelta(seconds=20)


async def test_callers_are_taken_over_in_the_order_in_which_they_arrived(room: Room) -> None:
    room.asterisk(
        {A: "", B: "", C: ""},
        c=entry("alone", ago_s=30),
        b=entry("waiting", ago_s=30),
        a=entry("alone", ago_s=20),
    )
    await room.look()
    assert room.callbacks.waiting() == [B, C, A]
    room.callbacks.regain_sight()
    await turns()
    # out of Asterisk's own queue into ours
    taken = [one["Channel"] for one in room.link.sent if one["Action"] == "Redirect"]
    assert sorted(map(str, taken)) == sorted([C, A])
    room.sit("201")
    assert await room.joined() == [(B, "201")]


async def test_an_operator_in_a_talk_is_not_given_to_who_waits(room: Room) -> None:
    room.sit("201")
    room.asterisk({A: "", B: "bridge"}, a=entry("waiting"), b=entry("joining", "201", ago_s=30))
    await room.look()
    room.callbacks.regain_sight()
    assert await room.joined() == []
    assert room.seat() == ("talking", B)


async def test_what_is_committed_is_forgotten_and_nothing_else(room: Room) -> None:
    room.records.finished = {A}
    await room.call(B)
    room.asterisk({B: ""}, a=entry("waiting", ended=True), b=entry("waiting"))
    await room.look(after_silence=False)
    assert room.forgotten() == [A]
    assert room.callbacks.caller(A) is None
    # whose result is owed is on record too
    room.sit("201")
    await brought_to_owed(room)
    room.asterisk(b=entry("joining", "201", ended=True))
    await room.look(after_silence=False)
    assert room.forgotten() == [A, B, B]


async def brought_to_owed(room: Room) -> None:
    await room.say(OperatorAssigned, B, operator="201")
    await room.say(Connected, B)
    room.asterisk()
    await room.look(after_silence=False)
    room.callbacks.committed(B)


async def test_while_the_database_is_away_who_waits_is_served_and_what_is_over_waits(
    room: Room,
) -> None:
    room.records.away = True
    room.asterisk({A: ""}, a=entry("waiting"), b=entry("waiting", ended=True))
    await room.look()
    assert room.where(A) == "waiting"
    assert room.callbacks.caller(B) is None
    assert room.forgotten() == []
    room.records.away = False
    await room.look(after_silence=False)
    assert [one.callback.id for one in room.ends()] == [B]


async def test_a_caller_who_has_just_come_is_not_taken_for_gone(room: Room) -> None:
    room.asterisk(a=entry("arrived", ago_s=1))  # the list of channels was older than that
    await room.look(after_silence=False)
    assert (room.where(A), room.ends()) == ("arrived", [])


@pytest.mark.parametrize("value", ["", "waiting", "a|b|c|d|0|x|y", "a|b|1|2|0|x|y|z"])
def test_what_cannot_be_read_of_the_journal_is_left_out(value: str) -> None:
    assert entry_of(value) is None


async def test_other_keys_of_the_journal_are_left_alone(room: Room) -> None:
    room.asterisk(a=entry("waiting"))
    room.link.lists["DBGetTree"][0]["Key"] = "/yobirin-callback/what;ever"
    await room.look()
    assert (room.callbacks.callers(), room.forgotten()) == ([], [])


def on_record(*states: State, operator: str = "201") -> InHand:
    """A callback of the database that went through these states, a second each."""
    at = Line().clock.now()
    arrived = Arrived(id=A, arrived_at=at, called="0258000101", number=NUMBER, number_key="k")
    with_operator = (State.JOINING, State.TALKING, State.ENDED)
    changes = tuple(
        Moved(
            callback_id=A,
            seq=seq,
            at=at + timedelta(seconds=seq),
            state=state,
            operator_id=operator if state in with_operator else None,
        )
        for seq, state in enumerate(states, start=1)
    )
    return InHand(arrived=arrived, changes=changes)


_S = State
LOADED = [
    ([], "arrived", False, False),
    ([_S.WAITING], "waiting", False, False),
    ([_S.WAITING, _S.JOINING, _S.TALKING], "talking", True, False),
    ([_S.WAITING, _S.JOINING, _S.TALKING, _S.WAITING], "waiting", False, False),
    ([_S.ALONE, _S.TALKING, _S.ALONE, _S.ENDED], "ended", False, False),
    ([_S.WAITING, _S.ASKED_BACK, _S.ENDED], "ended", False, True),
    ([_S.WAITING, _S.JOINING, _S.TALKING, _S.ENDED], "ended", True, False),
]


@pytest.mark.parametrize(("states", "state", "talked", "asked"), LOADED)
async def test_a_callback_is_what_its_changes_tell(
    states: list[State], state: str, talked: bool, asked: bool
) -> None:
    callback = callback_of(on_record(*states))
    assert (callback.state.value, callback.talked, callback.asked_back) == (state, talked, asked)
    assert (callback.ended_at is not None) == (state == "ended")


async def test_after_a_start_a_result_is_owed_and_changes_are_numbered_on(room: Room) -> None:
    room.sit("201")
    room.records.in_hand = [on_record(_S.WAITING, _S.JOINING, _S.TALKING)]
    await room.recovery.load()
    room.asterisk(a=entry("joining", "201", ended=True))
    await room.look()
    assert room.seat() == ("after_call_work", A)
    [moved] = [one for one in room.ledger.entries if isinstance(one, Moved)]
    assert (moved.seq, moved.state) == (4, State.ENDED)


async def test_after_a_start_an_ended_talk_is_owed_at_once(room: Room) -> None:
    room.sit("201")
    room.records.in_hand = [on_record(_S.WAITING, _S.JOINING, _S.TALKING, _S.ENDED)]
    await room.recovery.load()
    assert room.seat() == ("after_call_work", A)
    assert room.ends()[0].callback.talked


async def test_an_end_whose_consequences_were_lost_has_them_after_the_start(room: Room) -> None:
    room.records.in_hand = [on_record(_S.RECORDING, _S.ENDED)]
    await room.recovery.load()
    assert room.ends() == []
    room.asterisk(a=entry("recorded", "9", ended=True))
    await room.look()
    await room.look()
    [end] = room.ends()
    assert end.callback.message_s == 9
    assert room.forgotten() == []  # not before it is committed


async def test_an_operator_who_comes_late_finds_what_they_owe(room: Room) -> None:
    room.records.in_hand = [on_record(_S.WAITING, _S.JOINING, _S.TALKING, _S.ENDED)]
    await room.recovery.load()
    room.sit("201")
    assert room.seat() == ("after_call_work", A)
    room.seats.move("201", Event.LEG_DOWN)
    room.callbacks.settled(A)
    room.free()
    assert room.seat() == ("away", None)


async def test_a_journal_that_contradicts_what_was_heard_changes_nothing(room: Room) -> None:
    await brought(room, State.RECORDING)
    room.asterisk({A: ""}, a=entry("asked_back"))
    await room.look()
    assert room.where() == "recording"
    room.asterisk(a=entry("asked_back", ended=True))
    await room.look()
    assert not room.ends()[0].callback.asked_back


@pytest.mark.parametrize(("bridge", "state"), [("b", "talking"), ("", "joining")])
async def test_the_regular_look_finds_a_talk_whose_beginning_nobody_heard(
    room: Room, bridge: str, state: str
) -> None:
    await brought(room, State.JOINING)
    room.asterisk({A: bridge}, a=entry("joining", "201"))
    await room.look(after_silence=False)
    assert room.where() == state

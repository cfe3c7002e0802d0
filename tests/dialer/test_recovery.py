"""After silence: what the ledger knew, what Asterisk shows and what its journal says, against what
becomes of the call."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from db import ledger
from db.ledger import Change, InFlight
from dialer.ami import contract
from dialer.ami.link import Value
from dialer.recovery import FRESH_S, UNHEARD_S, Recovery, call_of
from rules.call_events import Answered, Rang, RingLimitReached
from rules.call_state import Call, State
from rules.operator_state import Event
from tests.db.town import NOON, Town
from tests.dialer.fakes import turns
from tests.dialer.test_calls import T0, Floor

A = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


class NoDatabase:
    """A database in which nothing is in flight."""

    @asynccontextmanager
    async def read(self) -> AsyncIterator[None]:
        yield None


class Room(Floor):
    """Calls and operators with a recovery that looks at an invented Asterisk."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk: list[bool] = []
        self.recovery = Recovery(
            self.clock, NoDatabase(), self.link, self.calls, self.seats, self.trunk.append
        )
        self.asterisk()

    def asterisk(
        self,
        channels: list[dict[str, str]] | None = None,
        journal: dict[str, str] | None = None,
        **legs: str,
    ) -> None:
        """What Asterisk shows; legs as `leg_201="INUSE"`."""
        self.link.lists["CoreShowChannels"] = channels or []
        entries = [
            {"Event": "DBGetTreeResponse", "Key": f"/yobirin/{key}", "Val": value}
            for key, value in (journal or {}).items()
        ]
        self.link.lists["DBGetTree"] = entries
        if not entries:
            self.link.refuses.add("DBGetTree")  # so says Asterisk of an empty family
        else:
            self.link.refuses.discard("DBGetTree")
        self.link.lists["DeviceStateList"] = [
            {"Event": "DeviceStateChange", "Device": f"Agent:{leg[4:]}", "State": state}
            for leg, state in legs.items()
        ]

    def forgotten(self) -> list[object]:
        """The journal's entries that were deleted."""
        return [one["Key"] for one in self.link.sent if one["Action"] == "DBDel"]

    async def look(self, *, after_silence: bool = True) -> None:
        await self.recovery.reconcile(after_silence=after_silence)
        await turns()


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    async def nothing(_session: object) -> list[InFlight]:
        return []

    monkeypatch.setattr(ledger, "in_flight", nothing)
    return Room()


def channel(kind: str, attempt: str = A) -> dict[str, str]:
    """A channel as CoreShowChannels lists it."""
    states = {
        "dialling": ("Down", contract.INBOUND, "s"),
        "ringing": ("Ringing", contract.INBOUND, "s"),
        "waiting": ("Up", contract.ANSWERED, "s"),
        "talking": ("Up", contract.CONNECT, "201"),
        "message": ("Up", contract.MESSAGE, "s"),
    }
    state, context, exten = states[kind]
    return {
        "Event": "CoreShowChannel",
        "Uniqueid": attempt,
        "ChannelStateDesc": state,
        "Context": context,
        "Exten": exten,
    }


def known(state: State) -> dict[str, object]:
    """What the ledger knew of a call in the state."""
    way = [State.RINGING, State.WAITING, State.JOINING, State.TALKING, State.MESSAGE]
    past = way[: way.index(state) + 1] if state in way else []
    answered = State.WAITING in past or state is State.COURTESY
    talked = State.TALKING in past
    return {
        "state": state,
        "placed_at": T0 - timedelta(seconds=20),
        "rang_at": T0 - timedelta(seconds=18) if past or answered else None,
        "answered_at": T0 - timedelta(seconds=11) if answered else None,
        "connected_at": T0 - timedelta(seconds=10) if talked else None,
        "operator": "201" if State.JOINING in past else None,
        "courtesy": state is State.COURTESY,
        "message_chosen": state is State.MESSAGE,
    }


GONE = [
    # the ledger's last state, the journal -> the line's outcome (None: the operator's to record)
    (State.PLACED, None, "failed"),
    (State.RINGING, None, "failed"),
    (State.WAITING, None, "abandoned"),
    (State.JOINING, None, "abandoned"),
    (State.TALKING, None, None),
    (State.COURTESY, None, "abandoned"),
    (State.MESSAGE, None, "voicemail_failed"),
    (State.PLACED, "answered", "abandoned"),
    (State.RINGING, "answered", "abandoned"),
    (State.WAITING, "answered", "abandoned"),
    (State.PLACED, "courtesy", "abandoned"),
    (State.RINGING, "courtesy", "abandoned"),
    (State.WAITING, "courtesy", "abandoned"),
    (State.COURTESY, "courtesy", "abandoned"),
    # the talk began and ended while nobody listened
    (State.RINGING, "talk:201", None),
    (State.WAITING, "talk:201", None),
    (State.JOINING, "talk:201", None),
    (State.TALKING, "talk:201", None),
    (State.TALKING, "courtesy", None),  # the operator's line died at the end
    (State.TALKING, "message", "voicemail_failed"),
    (State.TALKING, "left", "voicemail_left"),
    (State.MESSAGE, "message", "voicemail_failed"),
    (State.MESSAGE, "left", "voicemail_left"),
]


@pytest.mark.parametrize(("state", "journal", "outcome"), GONE)
async def test_a_call_whose_channel_is_gone_ends_with_what_the_journal_says(
    room: Room, state: State, journal: str | None, outcome: str | None
) -> None:
    room.seats.seat_all([("201", True)])
    room.place(A, **known(state))
    room.asterisk(journal={A: journal} if journal else {}, leg_201="NOT_INUSE")
    await room.look()
    assert room.state(A) == "ended"
    assert room.ledger.outcomes() == ([outcome] if outcome else [])
    owed = ("after_call_work", A) if outcome is None else ("free", None)
    assert room.seat() == owed
    # the journal keeps it until the outcome is committed: a crash would lose what was caught up with
    assert room.forgotten() == []
    room.calls.settled(A)
    await room.look()
    assert room.forgotten() == ([A] if journal else [])
    assert "Originate" not in room.link.names()


ALIVE = [
    # the ledger's last state, the channel, the journal -> state, the operator then
    (State.PLACED, "dialling", None, "placed", "free"),
    (State.PLACED, "ringing", None, "ringing", "free"),
    (State.RINGING, "ringing", None, "ringing", "free"),
    # answered unseen: joined at once
    (State.PLACED, "waiting", "answered", "joining", "ringing_for"),
    (State.RINGING, "waiting", "answered", "joining", "ringing_for"),
    (State.RINGING, "waiting", None, "joining", "ringing_for"),  # before the journal's entry
    (State.RINGING, "waiting", "courtesy", "courtesy", "free"),
    (State.WAITING, "waiting", "courtesy", "courtesy", "free"),
    # joined by us just before the link was lost
    (State.RINGING, "talking", "talk:201", "talking", "talking"),
    (State.WAITING, "talking", "talk:201", "talking", "talking"),
    (State.JOINING, "talking", "talk:201", "talking", "talking"),
    (State.TALKING, "talking", "talk:201", "talking", "talking"),
    (State.MESSAGE, "message", "message", "message", "free"),
    (State.MESSAGE, "message", "left", "message", "free"),
]


@pytest.mark.parametrize(("state", "shown", "journal", "after", "seat"), ALIVE)
async def test_a_call_that_lives_goes_on_from_where_it_really_is(
    room: Room, state: State, shown: str, journal: str | None, after: str, seat: str
) -> None:
    room.seats.seat_all([("201", True)])
    room.place(A, **known(state))
    leg = "INUSE" if shown == "talking" else "NOT_INUSE"
    room.asterisk([channel(shown)], {A: journal} if journal else {}, leg_201=leg)
    await room.look()
    assert (room.state(A), room.seat()[0]) == (after, seat)
    assert room.ledger.outcomes() == []
    assert "DBDel" not in room.link.names()  # its story is not over
    assert "Hangup" not in room.link.names()


SHOWN = [None, "dialling", "ringing", "waiting", "talking", "message"]
JOURNALS = [None, "answered", "courtesy", "talk:201", "message", "left"]
STATES = [state for state in State if state is not State.ENDED]


@pytest.mark.parametrize("state", STATES)
async def test_no_picture_however_odd_stops_the_catching_up(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be tried again and again, and nothing would ever be dialled."""

    async def nothing(_session: object) -> list[InFlight]:
        return []

    monkeypatch.setattr(ledger, "in_flight", nothing)
    for shown, journal in itertools.product(SHOWN, JOURNALS):
        room = Room()
        room.seats.seat_all([("201", True)])
        room.place(A, **known(state))
        channels = [channel(shown)] if shown else []
        room.asterisk(channels, {A: journal} if journal else {}, leg_201="INUSE")
        await room.look()
        assert (room.state(A) == "ended") is (shown is None), (shown, journal)


async def test_a_machine_whose_redirect_to_the_message_was_lost_is_sent_there_again(
    room: Room,
) -> None:
    """The operator has no button for it any more, and their leg would stay taken."""
    room.place(A, **known(State.MESSAGE))
    room.asterisk([channel("talking")], {A: "talk:201"})
    await room.look()
    assert [one["Context"] for one in room.link.sent if one["Action"] == "Redirect"] == [
        contract.MESSAGE
    ]


@pytest.mark.parametrize(
    ("state", "journal"), [(State.TALKING, {}), (State.WAITING, {OTHER: "talk:201"})]
)
async def test_an_operator_who_owes_a_result_is_not_given_to_somebody_who_waits(
    room: Room, state: State, journal: dict[str, str]
) -> None:
    """Else nobody could record the talk's result, and its phone would stay taken for ever."""
    room.seats.seat_all([("201", True)])
    room.place(A, **known(State.RINGING))
    room.place(OTHER, case=2, **known(state))
    room.asterisk([channel("waiting")], {A: "answered", **journal}, leg_201="NOT_INUSE")
    await room.look()
    assert room.seat() == ("after_call_work", OTHER)
    assert room.state(A) == "waiting"


async def test_the_regular_look_lets_a_fresh_call_be_and_ends_one_without_a_channel(
    room: Room,
) -> None:
    room.place(A)
    room.clock.move(FRESH_S - 0.1)
    await room.look(after_silence=False)
    assert room.state(A) == "placed"
    room.clock.move(0.2)
    await room.look(after_silence=False)
    assert room.ledger.outcomes() == ["failed"]


async def test_the_regular_look_does_not_guess_about_a_living_call(room: Room) -> None:
    room.place(A, **known(State.RINGING))
    room.asterisk([channel("waiting")], {A: "answered"})
    await room.look(after_silence=False)
    assert room.state(A) == "ringing"  # its event is on the way
    assert [one["Action"] for one in room.link.sent] == ["CoreShowChannels", "DBGetTree"]


async def test_a_call_that_begins_to_ring_while_asterisk_is_asked_is_let_be(room: Room) -> None:
    """It is not among the channels that were listed a moment ago."""
    room.place(A)

    async def rings(action: Mapping[str, Value]) -> None:
        if action["Action"] == "DBGetTree":
            await room.tell(Rang, attempt=A)

    room.link.before = rings
    await room.look(after_silence=False)
    assert room.state(A) == "ringing"
    room.link.before = None
    await room.look(after_silence=False)
    assert room.ledger.outcomes() == ["failed"]


async def test_after_silence_too_a_fresh_call_is_let_be_for_its_originate_may_be_late(
    room: Room,
) -> None:
    room.place(A)
    await room.look()
    assert room.ledger.outcomes() == []
    room.clock.move(FRESH_S + 0.1)
    await room.look()
    assert room.ledger.outcomes() == ["failed"]


async def test_a_ring_that_nobody_saw_end_is_never_a_no_answer(room: Room) -> None:
    """§8(5)ア: it may have ended before 35 s, with Asterisk or while the link was dead."""
    room.place(A, **known(State.RINGING))
    await room.tell(RingLimitReached, attempt=A)
    room.clock.move(40)
    await room.look()
    assert room.ledger.outcomes() == ["failed"]


async def test_an_operator_whose_leg_did_not_take_the_call_unheard_is_let_go(room: Room) -> None:
    room.sit("201")
    room.place(A)
    await room.tell(Answered, attempt=A)
    assert (room.state(A), room.seat()) == ("joining", ("ringing_for", A))
    room.asterisk([channel("waiting")], {A: "answered"}, leg_201="INUSE")
    await room.look()
    assert (room.state(A), room.seat()) == ("waiting", ("away", None))


async def test_what_rings_without_a_call_of_ours_is_hung_up_and_a_talk_is_not(room: Room) -> None:
    third = A.replace("1", "3")
    operators_leg = {**channel("waiting"), "Uniqueid": "1795341240.7"}
    room.asterisk(
        [channel("ringing", OTHER), channel("talking", third), operators_leg],
        {OTHER: "answered", third: "talk:201"},
    )
    await room.look()
    assert [one["Channel"] for one in room.link.sent if one["Action"] == "Hangup"] == [OTHER]


async def test_an_ended_call_is_left_to_its_operator(room: Room) -> None:
    room.seats.seat_all([("201", True)])
    room.place(A, **{**known(State.TALKING), "state": State.ENDED, "ended_at": T0})
    room.asterisk(journal={A: "talk:201"})
    await room.look()
    assert room.ledger.entries == []
    assert room.forgotten() == []  # its result is still owed


LEGS = [
    # state of the operator's device, the operator then
    ("NOT_INUSE", "free"),
    ("INUSE", "away"),  # on its way: it will tell
    ("UNAVAILABLE", "away"),
    (None, "away"),
]


@pytest.mark.parametrize(("device", "state"), LEGS)
async def test_operators_are_where_their_legs_are(
    room: Room, device: str | None, state: str
) -> None:
    room.seats.seat_all([("201", True)])
    room.asterisk(**({"leg_201": device} if device else {}))
    await room.look()
    assert room.seat()[0] == state


async def test_an_operator_whose_leg_went_with_asterisk_is_ready_when_it_is_back(
    room: Room,
) -> None:
    room.sit("201")
    await room.look()
    assert room.seat()[0] == "away"
    room.seats.move("201", Event.LEG_UP)
    assert room.seat()[0] == "free"


@pytest.mark.parametrize(
    ("status", "reachable"),
    [("Reachable", True), ("NonQualified", True), ("Unknown", True), ("Unreachable", False)],
)
async def test_the_trunk_is_what_the_carrier_last_answered(
    room: Room, status: str, reachable: bool
) -> None:
    room.link.values["PJSIP_AOR(trunk,contact)"] = "trunk@@1"
    room.link.values["PJSIP_CONTACT(trunk@@1,status)"] = status
    await room.look()
    assert room.trunk == [reachable]


# from the ledger -------------------------------------------------------------------------------


def row(*changes: tuple[State, dict[str, object]]) -> InFlight:
    """An attempt as the ledger has it, its changes ten seconds apart."""
    return InFlight(
        attempt_id=A,
        campaign_id=1,
        case_id=2,
        phone_id=3,
        placed_at=T0,
        changes=tuple(
            Change(attempt_id=A, seq=seq, at=moment(seq), state=state, **more)
            for seq, (state, more) in enumerate([(State.PLACED, {}), *changes])
        ),
    )


def moment(seq: int) -> datetime:
    return T0 + timedelta(seconds=10 * seq)


PLACED = Call(attempt=A, placed_at=T0)
RINGING = replace(PLACED, state=State.RINGING, rang_at=moment(1))
WAITING = replace(RINGING, state=State.WAITING, answered_at=moment(2))
JOINING = replace(WAITING, state=State.JOINING, operator="201")
TALKING = replace(JOINING, state=State.TALKING, connected_at=moment(4))

RANG = (State.RINGING, {})
ANSWERED = (State.WAITING, {"ring_ms": 10_000})
JOINED = (State.JOINING, {"operator_id": "201"})
TALKED = (State.TALKING, {"operator_id": "201"})

LEDGER = [
    ([], PLACED),
    ([RANG], RINGING),
    ([RANG, ANSWERED], WAITING),
    ([RANG, ANSWERED, JOINED], JOINING),
    ([RANG, ANSWERED, JOINED, TALKED], TALKING),
    (
        [RANG, ANSWERED, JOINED, TALKED, (State.ENDED, {"operator_id": "201", "cause": 16})],
        replace(TALKING, state=State.ENDED, ended_at=moment(5), cause=16),
    ),
    (
        [RANG, ANSWERED, (State.COURTESY, {})],
        replace(WAITING, state=State.COURTESY, courtesy=True),
    ),
    (
        [RANG, ANSWERED, JOINED, TALKED, (State.MESSAGE, {"operator_id": "201"})],
        replace(TALKING, state=State.MESSAGE, message_chosen=True),
    ),
    (
        [RANG, (State.ENDED, {"cause": 17, "ring_ms": 10_000})],
        replace(RINGING, state=State.ENDED, ended_at=moment(2), cause=17),
    ),
    # an operator missed it, and the person waits again since they first answered
    ([RANG, ANSWERED, JOINED, (State.WAITING, {})], replace(WAITING, operator="201")),
]


@pytest.mark.parametrize(("changes", "call"), LEDGER)
def test_a_call_is_what_the_ledger_tells_of_it(
    changes: list[tuple[State, dict[str, object]]], call: Call
) -> None:
    assert call_of(row(*changes)) == call


# on real databases -----------------------------------------------------------------------------


async def test_a_start_takes_up_every_attempt_without_an_outcome(town: Town) -> None:
    floor = Floor()
    floor.seats.seat_all([("201", True)])
    recovery = Recovery(
        floor.clock, town.sessions, floor.link, floor.calls, floor.seats, lambda _: None
    )
    ringing = await town.place(await town.phone(await town.case("1", "0258000001")))
    owed = await town.talk(await town.phone(await town.case("2", "0258000002")))
    await town.ring_out(await town.phone(await town.case("3", "0258000003")))
    await recovery.load()
    assert sorted(line.call.attempt for line in floor.calls.lines()) == sorted([ringing, owed])
    assert floor.seat() == ("after_call_work", owed)
    assert floor.calls.line(owed).seq == 5  # the next change goes on from here


async def test_an_attempt_whose_commit_nobody_heard_of_is_found_and_ends(town: Town) -> None:
    """The database went away as the attempt was written down: it was never originated."""
    floor = Floor(NOON)
    recovery = Recovery(
        floor.clock, town.sessions, floor.link, floor.calls, floor.seats, lambda _: None
    )
    floor.link.lists["CoreShowChannels"] = []
    attempt = await town.place(await town.phone(await town.case("1", "0258000001")))
    await recovery.reconcile(after_silence=False)
    assert floor.calls.lines() == []  # so young, its commit may still be heard of
    floor.clock.move(UNHEARD_S + 1)
    await recovery.reconcile(after_silence=False)
    assert floor.state(attempt) == "ended"
    assert floor.ledger.outcomes() == ["failed"]
    assert floor.link.names() == []

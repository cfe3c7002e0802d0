"""Callers moved by facts: whom they are sent to and in which order, what becomes of operators, and what the
ledger is told."""

from __future__ import annotations

import asyncio

import pytest

from db.callbacks import Arrived, Moved
from dialer.callbacks import TAKE_OVER_AFTER_S, TAKE_OVER_AGAIN_S, Caller
from dialer.ledger import CallbackEnd
from rules.call_events import Answered
from rules.callback_events import (
    AskedBack,
    Connected,
    GuidancePlayed,
    HungUp,
    LeftAlone,
    MessageBegun,
    MessageRecorded,
    OperatorMissed,
    Queued,
    TakenByQueue,
)
from rules.callback_state import State
from rules.operator_state import Event, Hold
from tests.dialer import virtual_time
from tests.dialer.fakes import turns
from tests.dialer.test_calls import Floor

A, B, C = "1763838000.1", "1763838000.2", "1763838000.3"
TALKS: dict[str, object] = {"operator": "201"}


class Line(Floor):
    """Callers on a link and a ledger that only note."""

    def __init__(self) -> None:
        super().__init__()
        self.callbacks.regain_sight()
        self.wishes: list[str] = []
        self.callbacks.asked_back = lambda callback, _at: self.wishes.append(callback)

    async def call(self, *callbacks: str, number: str | None = None) -> None:
        """They call us one after the other, and wait."""
        for callback in callbacks:
            self.clock.move(1)
            self.callbacks.arrive(callback, "0258000101", number)
            await self.say(Queued, callback)

    async def say(self, kind: type, callback: str = A, **more: object) -> None:
        """A fact of this moment, and what it sets going."""
        if kind in (Connected, OperatorMissed):
            more.setdefault("operator", self.callbacks.caller(callback).callback.operator)
        fact = kind(callback=callback, at=self.callbacks.moment(callback), **more)
        self.callbacks.apply(fact)
        await turns()

    def of(self, callback: str = A) -> Caller:
        return self.callbacks.caller(callback)

    def where(self, callback: str = A) -> str:
        return self.of(callback).callback.state.value

    async def joined(self) -> list[tuple[object, object]]:
        """Who was sent to whom, in order."""
        await turns()
        return [
            (one["Channel"], one["Exten"])
            for one in self.link.sent
            if one["Action"] == "Redirect" and one["Context"] == "yobirin-callback-connect"
        ]

    async def taken_over(self, after_s: float) -> int:
        """How many callers were taken out of Asterisk's own queue, so many seconds from now."""
        self.clock.move(after_s)
        await asyncio.sleep(after_s)
        return sum(one.get("Context") == "yobirin-callback-wait" for one in self.link.sent)

    def free(self, operator: str = "201") -> None:
        """The operator has saved what they owed."""
        self.seats.move(operator, Event.RESULT_SAVED)


@pytest.fixture
async def line() -> Line:
    return Line()


async def test_a_caller_goes_to_the_operator_free_longest(line: Line) -> None:
    line.sit("202", "201")
    await line.call(A, number="0258000001")
    assert await line.joined() == [(A, "202")]
    assert line.seat("202") == ("ringing_for", A)
    await line.say(Connected)
    assert (line.where(), line.seat("202")) == ("talking", ("talking", A))
    await line.say(HungUp)
    assert line.seat("202") == ("after_call_work", A)
    line.callbacks.committed(A)
    await turns()
    assert line.of(A).committed  # its result is owed
    assert line.link.sent[-1] == {"Action": "DBDel", "Family": "yobirin-callback", "Key": A}
    line.callbacks.settled(A)
    assert line.callbacks.callers() == []


async def test_the_ledger_is_told_everything_in_order(line: Line) -> None:
    line.sit("201")
    await line.call(A, number="0258000001")
    await line.say(Connected)
    await line.say(HungUp)
    arrived, *moved, end = (
        one for one in line.ledger.entries if isinstance(one, Arrived | Moved | CallbackEnd)
    )
    assert (arrived.id, arrived.number, end.number_key) == (A, "0258000001", arrived.number_key)
    assert [(one.seq, one.state.value, one.operator_id) for one in moved] == [
        (1, "waiting", None),
        (2, "joining", "201"),
        (3, "talking", "201"),
        (4, "ended", "201"),
    ]
    assert moved[-1].detail == "talking"
    assert end.callback.talked


async def test_callers_are_served_in_the_order_in_which_they_arrived(line: Line) -> None:
    await line.call(A, B, C)
    assert line.callbacks.waiting() == [A, B, C]
    await line.say(HungUp, A)  # gave up
    line.sit("201")
    assert (line.where(B), line.where(C)) == ("joining", "waiting")
    line.sit("201", "202")
    assert await line.joined() == [(B, "201"), (C, "202")]
    assert line.callbacks.waiting_count() == 0


async def test_who_calls_us_goes_before_who_answered_our_call(line: Line) -> None:
    line.place("a")
    await line.tell(Answered)
    await line.call(A)
    line.sit("201")
    assert (line.where(), line.state("a")) == ("joining", "waiting")
    line.sit("201", "202")
    assert line.state("a") == "joining"


async def test_whom_an_operator_missed_stays_first(line: Line) -> None:
    line.sit("201")
    await line.call(A, B)
    await line.say(OperatorMissed)
    assert line.seat() == ("away", None)  # whose leg did not take it
    line.come("202")
    assert await line.joined() == [(A, "201"), (A, "202")]
    assert line.where(B) == "waiting"


async def test_whose_operators_line_broke_is_first_again_and_begins_anew(line: Line) -> None:
    line.sit("201")
    await line.call(A, B)
    await line.say(Connected)
    await line.say(OperatorMissed)
    assert (line.where(), line.seat()) == ("waiting", ("away", None))
    assert line.callbacks.waiting() == [A, B]
    line.come("202")
    assert (await line.joined())[-1] == (A, "202")
    await line.say(HungUp)
    assert not line.of(A).callback.talked


async def test_an_operator_held_for_an_appointment_is_not_taken_and_one_offered_a_case_is(
    line: Line,
) -> None:
    line.sit("201", "202")
    line.seats.hold(Hold(attempt="a", case_id=1, phone_id=1))
    line.seats.hold(Hold(attempt="b", case_id=2, phone_id=2, offered=True))
    await line.call(A, B)
    assert await line.joined() == [(A, "202")]
    assert line.seats.held_for("b") is None
    assert line.where(B) == "waiting"
    line.seats.let_go("a")
    assert (await line.joined())[-1] == (B, "201")


async def test_only_the_group_takes_callbacks_and_a_supervisor_when_none_of_it_is_free(
    line: Line,
) -> None:
    line.group = {"202"}
    line.seats.seat_all([(one, True) for one in ("201", "202", "203")], callbacks_only={"203"})
    for operator in ("203", "201", "202"):
        line.clock.move(1)
        line.seats.move(operator, Event.LEG_UP)
    await line.call(A, B, C)
    assert await line.joined() == [(A, "202"), (B, "203")]
    assert (line.where(C), line.seat("201")) == ("waiting", ("free", None))
    assert [seat.operator for seat in line.seats.for_callbacks(line.group)] == ["202", "203"]


async def test_a_seat_for_callbacks_alone_gets_no_outbound_call(line: Line) -> None:
    line.seats.seat_all([("201", True)], callbacks_only={"201"})
    line.seats.move("201", Event.LEG_UP)
    line.place("a")
    await line.tell(Answered)
    assert (line.state("a"), line.seat()) == ("waiting", ("free", None))
    assert (line.seats.free(), line.seats.working()) == ([], [])
    # a seat that becomes one for calls is one at once
    line.seats.seat_all([("201", True)])
    assert line.state("a") == "joining"


def test_a_caller_in_asterisks_own_queue_is_taken_over_once_and_served_all_the_same() -> None:
    async def story() -> None:
        line = Line()
        line.callbacks.arrive(A, "0258000101", None)
        await line.say(LeftAlone)
        assert await line.taken_over(after_s=TAKE_OVER_AFTER_S + 0.1) == 1
        await line.say(Queued)
        await line.say(
            LeftAlone
        )  # nobody answers the dialplan: it is no use to send them there again
        assert await line.taken_over(after_s=TAKE_OVER_AGAIN_S - 1) == 1
        await line.say(Queued)
        await line.say(LeftAlone)
        assert await line.taken_over(after_s=2) == 2
        line.sit("201")
        assert await line.joined() == [(A, "201")]

    virtual_time.run(story())


NOT_TAKEN_OVER: list[tuple[str, list[tuple[float, type, dict[str, object]]]]] = [
    # what happens so many seconds after a caller came into Asterisk's own queue
    ("it joined them at once, also with somebody on a pause", [(0.006, TakenByQueue, TALKS)]),
    ("it joined them in the last moment", [(TAKE_OVER_AFTER_S - 0.001, TakenByQueue, TALKS)]),
    ("they are there again", [(0.2, TakenByQueue, TALKS), (0.2, LeftAlone, {})]),
    ("they leave a message", [(0.1, MessageBegun, {})]),
    ("they hung up", [(0.1, HungUp, {})]),
]


@pytest.mark.parametrize(
    "happens", [case[1] for case in NOT_TAKEN_OVER], ids=[case[0] for case in NOT_TAKEN_OVER]
)
def test_only_whom_asterisks_own_queue_has_kept_for_a_while_is_taken_out_of_it(
    happens: list[tuple[float, type, dict[str, object]]],
) -> None:
    async def story() -> None:
        line = Line()
        line.come("201")
        line.seats.move("201", Event.PAUSE)
        line.callbacks.arrive(A, "0258000101", None)
        await line.say(LeftAlone)
        for after_s, kind, more in happens:
            await asyncio.sleep(after_s)
            await line.say(kind, **more)
        assert await line.taken_over(after_s=TAKE_OVER_AFTER_S - 0.1) == 0

    virtual_time.run(story())


def test_a_talk_is_not_cut_by_a_service_that_sees_again() -> None:
    async def story() -> None:
        line = Line()
        line.callbacks.lose_sight()
        line.callbacks.arrive(A, "0258000101", None)
        await line.say(LeftAlone)
        line.callbacks.regain_sight()
        await line.say(TakenByQueue, **TALKS)
        assert await line.taken_over(after_s=1) == 0

    virtual_time.run(story())


async def test_whom_asterisks_own_queue_gave_an_operator_talks_with_them(line: Line) -> None:
    line.sit("201")
    line.callbacks.lose_sight()
    line.callbacks.arrive(A, "0258000101", None)
    await line.say(LeftAlone)
    await line.say(TakenByQueue, operator="201")
    assert (line.where(), line.seat()) == ("talking", ("talking", A))
    await line.say(HungUp)
    assert line.seat() == ("after_call_work", A)


async def test_an_operator_given_a_caller_while_another_result_was_owed_owes_both(
    line: Line,
) -> None:
    line.sit("201")
    await line.call(A)
    await line.say(Connected)
    await line.say(HungUp)
    line.callbacks.arrive(B, "0258000101", None)
    await line.say(LeftAlone, B)
    await line.say(TakenByQueue, B, operator="201")
    assert line.seat() == ("after_call_work", A)
    await line.say(HungUp, B)
    line.callbacks.settled(A)
    line.free()
    assert line.seat() == ("after_call_work", B)
    line.callbacks.settled(B)
    line.free()
    assert line.seat() == ("free", None)


async def test_an_operator_who_saves_while_the_queues_caller_talks_is_in_that_talk(
    line: Line,
) -> None:
    line.sit("201")
    await line.call(A)
    await line.say(Connected)
    await line.say(HungUp)
    line.callbacks.arrive(B, "0258000101", None)
    await line.say(LeftAlone, B)
    await line.say(TakenByQueue, B, operator="201")
    line.callbacks.settled(A)
    line.free()
    assert line.seat() == ("talking", B)


async def test_the_queue_may_name_an_extension_that_has_no_operator(line: Line) -> None:
    line.callbacks.arrive(A, "0258000101", None)
    await line.say(LeftAlone)
    await line.say(TakenByQueue, operator="299")
    await line.say(HungUp)
    moved = [one for one in line.ledger.entries if isinstance(one, Moved)]
    assert [one.operator_id for one in moved] == [None, None, None]


async def test_nobody_is_sent_anywhere_while_asterisk_is_away(line: Line) -> None:
    await line.call(A)
    line.callbacks.lose_sight()
    line.sit("201")
    assert (await line.joined(), line.where()) == ([], "waiting")
    line.callbacks.regain_sight()
    assert await line.joined() == [(A, "201")]


async def test_who_gave_up_while_being_joined_leaves_the_operator_free_for_the_next(
    line: Line,
) -> None:
    line.sit("201")
    await line.call(A, B)
    await line.say(HungUp)
    assert await line.joined() == [(A, "201"), (B, "201")]


class Kept:
    """A place in the line."""

    def __init__(self, line: Line, callback: str) -> None:
        self.id = callback
        self.arrived_at = line.clock.now()
        self.served: list[str] = []

    def serve(self, operator: str) -> None:
        self.served.append(operator)


async def test_who_asked_to_be_called_back_keeps_the_place(line: Line) -> None:
    await line.call(A)
    kept = Kept(line, B)
    await line.call(C)
    line.callbacks.keep_place(kept)
    assert line.callbacks.waiting() == [A, B, C]
    line.sit("201")
    line.sit("201", "202")
    # B's turn came; whoever is not held for B goes on with the line
    assert kept.served == ["202"]
    assert await line.joined() == [(A, "201"), (C, "202")]
    assert line.callbacks.waiting() == []


async def test_a_place_is_served_at_once_when_somebody_is_free(line: Line) -> None:
    line.sit("201")
    kept = Kept(line, A)
    line.callbacks.keep_place(kept)
    assert kept.served == ["201"]


ENDS = [
    # facts before the end -> state the callback ended in, asked back, seconds of a message
    ([], "arrived", False, None),
    ([(GuidancePlayed, {"sounds": "guidance&next-open"})], "guidance", False, None),
    ([(Queued, {})], "waiting", False, None),
    ([(Queued, {}), (AskedBack, {})], "asked_back", True, None),
    ([(MessageBegun, {}), (MessageRecorded, {"seconds": 7})], "recording", False, 7),
    ([(LeftAlone, {}), (MessageBegun, {})], "recording", False, None),
]


@pytest.mark.parametrize(("facts", "ended_in", "asked", "message_s"), ENDS)
async def test_who_reached_nobody_is_settled_by_the_line(
    line: Line,
    facts: list[tuple[type, dict[str, object]]],
    ended_in: str,
    asked: bool,
    message_s: int | None,
) -> None:
    line.callbacks.arrive(A, "0258000101", "0258000001")
    for kind, more in facts:
        await line.say(kind, A, **more)
    await line.say(HungUp)
    *_, last, end = (e for e in line.ledger.entries if isinstance(e, Moved | CallbackEnd))
    assert last.detail == ended_in
    callback = end.callback
    assert (callback.talked, callback.asked_back, callback.message_s) == (False, asked, message_s)
    line.callbacks.committed(A)
    assert line.wishes == ([A] if asked else [])
    assert line.callbacks.caller(A) is None


async def test_what_was_played_is_on_record(line: Line) -> None:
    line.callbacks.arrive(A, "0258000101", None)
    await line.say(GuidancePlayed, sounds="guidance&next-open")
    moved = [one for one in line.ledger.entries if isinstance(one, Moved)]
    assert moved[-1].detail == "guidance&next-open"


async def test_a_callback_told_twice_is_one(line: Line) -> None:
    await line.call(A)
    line.callbacks.arrive(A, "0258000101", None)
    assert line.where() == "waiting"
    assert sum(isinstance(one, Arrived) for one in line.ledger.entries) == 1


async def test_what_the_table_does_not_know_changes_nothing(line: Line) -> None:
    await line.call(A)
    await line.say(MessageRecorded, seconds=3)
    await line.say(Queued, A)
    assert line.where() == "waiting"
    line.callbacks.apply(Queued(callback=B, at=line.clock.now()))  # nobody of ours
    assert line.callbacks.caller(B) is None


async def test_a_leg_that_became_ready_as_it_missed_a_caller_is_asked_for(line: Line) -> None:
    line.link.values["DEVICE_STATE(Agent:201)"] = "NOT_INUSE"
    line.sit("201")
    await line.call(A)
    await line.say(OperatorMissed)
    assert await line.joined() == [(A, "201"), (A, "201")]


async def test_a_line_is_hung_up_until_it_is_gone(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.actions.HANG_UP_AGAIN_S", 0.01)
    line.sit("201")
    await line.call(A)
    await line.say(Connected)
    line.link.refuses.add("Hangup")
    line.callbacks.hang_up(A)
    while line.link.names().count("Hangup") < 2:
        await turns(1)
    await line.say(HungUp)
    assert line.where() == State.ENDED


async def test_nothing_of_a_caller_is_in_a_repr(line: Line) -> None:
    await line.call(A, number="0258000001")
    assert "0258000001" not in repr(line.of(A))
    assert "0258000001" not in "".join(map(repr, line.ledger.entries))


async def test_a_line_that_is_on_its_way_elsewhere_is_joined_a_moment_later(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.callbacks.CONNECT_AGAIN_S", 0)
    line.link.refuses.add("Redirect")
    line.sit("201")
    await line.call(A)
    line.link.refuses.clear()
    await turns()
    tried = await line.joined()
    assert tried == [(A, "201")] * len(tried)
    assert len(tried) > 1
    await line.say(Connected)
    await turns()
    assert (await line.joined(), line.where()) == (tried, "talking")


async def test_a_line_that_is_gone_is_left_alone(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.callbacks.CONNECT_AGAIN_S", 0)
    line.link.refuses.add("Redirect")
    line.sit("201")
    await line.call(A)
    await line.say(HungUp)
    tried = await line.joined()
    await turns()
    assert await line.joined() == tried
    assert line.seat() == ("free", None)


async def test_an_operator_to_whom_nobody_can_be_sent_is_given_back(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.callbacks.CONNECT_AGAIN_S", 0)
    monkeypatch.setattr("dialer.callbacks.CONNECT_TRIES", 3)
    line.link.refuses.add("Redirect")
    line.sit("201")
    await line.call(A)
    await turns(20)
    assert (len(await line.joined()), line.where(), line.seat()) == (3, "waiting", ("away", None))


async def test_who_is_found_alone_while_somebody_is_free_is_joined_at_once(line: Line) -> None:
    line.sit("201")
    line.callbacks.arrive(A, "0258000101", None)
    await line.say(LeftAlone)
    assert [one["Context"] for one in line.link.sent] == ["yobirin-callback-connect"]

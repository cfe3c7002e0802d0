"""Calls moved by facts: what is sent, what becomes of the operator, what the ledger is told."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.ledger import Change
from dialer.callbacks import Callbacks
from dialer.calls import Calls, Line
from dialer.ledger import LedgerWriter
from dialer.metrics import Metrics
from dialer.seats import Seats
from rules.call_events import (
    Answered,
    Connected,
    CourtesyStarted,
    EarlyMediaHeard,
    HungUp,
    MessageLeft,
    OperatorMissed,
    OriginateRefused,
    Rang,
    RingLimitReached,
    SetupLimitReached,
    StopRequested,
    Vanished,
)
from rules.call_state import Call, State
from rules.operator_state import Event
from tests.db.town import KEYS
from tests.dialer.fakes import FakeLedger, FakeLink, StillClock, turns
from tests.rules.stories import PROFILE, at

T0 = at("24 10:00")


class Floor:
    """Calls with operators, on a link and a ledger that only note."""

    def __init__(self, now: datetime = T0, ledger: LedgerWriter | None = None) -> None:
        self.clock = StillClock(now)
        self.link = FakeLink()
        self.ledger = ledger or FakeLedger()
        self.changes = 0
        self.seats = Seats(self.clock, lambda _: PROFILE.after_call_limit_s, self._seat_moved)
        self.metrics = Metrics()
        self.calls = Calls(
            self.clock, self.link, self.seats, self.ledger, self.metrics, lambda _: PROFILE, self._changed
        )  # fmt: skip
        self.group: set[str] = set()
        """The operators who take callbacks; empty: everybody."""
        self.callbacks = Callbacks(
            self.clock, self.link, self.seats, self.ledger, self.metrics, KEYS, lambda: self.group
        )

    def _seat_moved(self, _before: object, after: object) -> None:
        if after.attempt is None:
            self.callbacks.owed_by(after.operator)
        if after.state.value == "free":
            self.callbacks.serve()
            self.calls.serve_waiting()

    def _changed(self) -> None:
        self.changes += 1

    def sit(self, *operators: str) -> None:
        self.seats.seat_all([(operator, True) for operator in operators])
        for operator in operators:
            self.clock.move(0.001)
            self.seats.move(operator, Event.LEG_UP)

    def come(self, operator: str) -> None:
        """One more operator logs in."""
        known = {seat.operator for seat in self.seats.seats()} | {operator}
        self.seats.seat_all([(one, True) for one in known])
        self.seats.move(operator, Event.LEG_UP)

    def place(self, attempt: str = "a", case: int = 1, campaign: int = 1, **known: object) -> None:
        """A call is placed now (or was, as far as is known)."""
        call = Call(**{"attempt": attempt, "placed_at": self.clock.now(), **known})
        steady = self.clock.monotonic() - (self.clock.now() - call.placed_at).total_seconds()
        self.calls.take(
            Line(call=call, campaign_id=campaign, case_id=case, phone_id=case, placed_s=steady)
        )

    async def tell(self, *kinds: type, attempt: str = "a", **more: object) -> None:
        """Facts of this moment, and what they set going."""
        for kind in kinds:
            fields = dict(more)
            if kind is HungUp:
                fields.setdefault("cause", 16)
            elif kind in (Connected, OperatorMissed):
                fields.setdefault("operator", self.calls.line(attempt).call.operator or "201")
            self.calls.apply(kind(attempt=attempt, at=self.clock.now(), **fields))
        await turns()

    def state(self, attempt: str = "a") -> str:
        return self.calls.line(attempt).call.state.value

    def left_s(self, attempt: str = "a") -> float:
        """Seconds until the call's limit is reached."""
        return self.calls.line(attempt).timer.when() - asyncio.get_running_loop().time()

    def seat(self, operator: str = "201") -> tuple[str, str | None]:
        seat = self.seats.seat(operator)
        return seat.state.value, seat.attempt


@pytest.fixture
async def floor() -> Floor:
    return Floor()


async def test_an_answered_call_goes_to_the_operator_free_longest(floor: Floor) -> None:
    floor.sit("202", "201")
    floor.place()
    await floor.tell(Rang, Answered)
    assert floor.link.sent[-1]["Action"] == "Redirect"
    assert floor.link.sent[-1]["Exten"] == "202"
    assert floor.seat("202") == ("ringing_for", "a")
    await floor.tell(Connected)
    assert (floor.state(), floor.seat("202")) == ("talking", ("talking", "a"))
    await floor.tell(HungUp)
    assert floor.seat("202") == ("after_call_work", "a")
    assert floor.ledger.states() == ["ringing", "waiting", "joining", "talking", "ended"]
    assert floor.ledger.outcomes() == []  # it is the operator's to record
    floor.calls.settled("a")
    assert floor.calls.lines() == []


async def test_changes_are_numbered_in_order_without_gaps(floor: Floor) -> None:
    floor.sit("201")
    floor.place()
    await floor.tell(Rang, Rang, Answered, Connected, HungUp)
    assert [entry.seq for entry in floor.ledger.entries] == [1, 2, 3, 4, 5]


async def test_ringing_is_written_on_the_change_that_ended_it(floor: Floor) -> None:
    floor.place()
    floor.clock.move(2)
    await floor.tell(Rang)
    floor.clock.move(7.25)
    await floor.tell(Answered)
    rings = {entry.state: entry.ring_ms for entry in floor.ledger.entries}
    assert rings == {State.RINGING: None, State.WAITING: 7250}


async def test_who_waits_longest_is_served_first(floor: Floor) -> None:
    for attempt in ("a", "b", "c"):
        floor.place(attempt, case=ord(attempt))
        await floor.tell(Answered, attempt=attempt)
    await floor.tell(HungUp, attempt="a")  # gave up
    floor.sit("201")
    await turns()
    assert (floor.state("b"), floor.state("c")) == ("joining", "waiting")
    floor.sit("201", "202")
    await turns()
    assert (floor.state("c"), floor.seat("202")) == ("joining", ("ringing_for", "c"))


async def test_a_person_who_hears_the_courtesy_message_is_not_served_any_more(floor: Floor) -> None:
    floor.place()
    await floor.tell(Answered, CourtesyStarted)
    floor.sit("201")
    await turns()
    assert (floor.state(), floor.seat()) == ("courtesy", ("free", None))
    await floor.tell(HungUp)
    assert floor.ledger.outcomes() == ["abandoned"]


async def test_an_operator_who_missed_the_call_gets_nothing_until_their_leg_is_ready(
    floor: Floor,
) -> None:
    floor.sit("201")
    floor.place()
    await floor.tell(Answered, OperatorMissed)
    assert (floor.state(), floor.seat()) == ("waiting", ("away", None))
    floor.seats.move("201", Event.LEG_UP)
    await turns()
    assert (floor.state(), floor.seat()) == ("joining", ("ringing_for", "a"))


async def test_a_missed_call_goes_to_the_next_free_operator(floor: Floor) -> None:
    floor.sit("201", "202")
    floor.place()
    await floor.tell(Answered)
    await floor.tell(OperatorMissed)
    assert floor.seat("202") == ("ringing_for", "a")
    asked = [one["Exten"] for one in floor.link.sent if one["Action"] == "Redirect"]
    assert asked == ["201", "202"]


async def test_a_leg_that_became_ready_in_the_same_instant_is_asked_for(floor: Floor) -> None:
    floor.link.values["DEVICE_STATE(Agent:201)"] = "NOT_INUSE"
    floor.sit("201")
    floor.place()
    await floor.tell(Answered)
    await floor.tell(OperatorMissed)
    assert floor.seat() == ("ringing_for", "a")


async def test_a_machine_is_left_the_message_while_the_operator_is_free_again(floor: Floor) -> None:
    floor.sit("201")
    floor.place()
    await floor.tell(Answered, Connected)
    floor.calls.leave_message("a")
    await turns()
    assert floor.link.sent[-1]["Context"] == "yobirin-message"
    assert floor.seat() == ("free", None)
    await floor.tell(MessageLeft, HungUp)
    assert floor.ledger.outcomes() == ["voicemail_left"]
    assert floor.seat() == ("free", None)


async def test_an_operator_whose_person_hung_up_while_being_joined_owes_nothing(
    floor: Floor,
) -> None:
    floor.sit("201")
    floor.place()
    await floor.tell(Answered, HungUp)
    assert floor.seat() == ("free", None)
    assert floor.ledger.outcomes() == ["hung_up"]


STOPS = [
    # facts before, how often it is hung up, the outcome once the line is gone
    ([], 1, "cancelled"),
    ([Rang], 1, "cancelled"),
    ([Answered], 1, "cancelled"),
    ([Answered, CourtesyStarted], 0, "abandoned"),
]


async def test_a_call_is_hung_up_until_it_is_gone(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first Hangup may come before the channel is there, and the phone would ring on."""
    monkeypatch.setattr("dialer.actions.HANG_UP_AGAIN_S", 0.01)
    floor.place()
    floor.link.refuses.add("Hangup")
    floor.calls.stop_case(1)
    async with asyncio.timeout(30):
        while len(floor.link.sent) < 3:
            await asyncio.sleep(0.01)
    floor.link.refuses.clear()
    await floor.tell(HungUp)
    sent = len(floor.link.sent)
    await asyncio.sleep(0.05)
    assert len(floor.link.sent) == sent


@pytest.mark.parametrize(("before", "hang_ups", "outcome"), STOPS)
async def test_a_stop_order_silences_every_call_of_the_case(
    floor: Floor, before: list[type], hang_ups: int, outcome: str
) -> None:
    floor.place("other", case=2)
    floor.place()
    await floor.tell(*before)
    floor.calls.stop_case(1)
    await turns()
    hung_up = [one["Channel"] for one in floor.link.sent if one["Action"] == "Hangup"]
    assert hung_up == ["a"] * hang_ups
    await floor.tell(HungUp)
    assert floor.ledger.outcomes() == [outcome]


async def test_a_stop_order_does_not_cut_a_talk_and_its_operator_is_told(floor: Floor) -> None:
    floor.sit("201")
    floor.place()
    await floor.tell(Answered, Connected)
    revision = floor.seats.revision("201")
    floor.calls.stop_case(1)
    await turns()
    assert "Hangup" not in floor.link.names()
    assert floor.seats.revision("201") > revision


async def test_an_emergency_stop_silences_all_and_a_closed_campaign_its_own(floor: Floor) -> None:
    for attempt, campaign in (("a", 1), ("b", 2), ("c", 2)):
        floor.place(attempt, case=ord(attempt), campaign=campaign)
    floor.calls.stop_campaign(1)
    await turns()
    assert [one["Channel"] for one in floor.link.sent] == ["a"]
    floor.calls.stop_all()
    await turns()
    assert sorted(one["Channel"] for one in floor.link.sent[1:]) == ["a", "b", "c"]


async def test_an_ended_call_is_not_stopped(floor: Floor) -> None:
    floor.sit("201")
    floor.place()
    await floor.tell(Answered, Connected, HungUp)
    sent = len(floor.link.sent)
    floor.calls.stop_all()
    await turns()
    assert len(floor.link.sent) == sent


TIMERS = [
    # what is known, seconds since it was placed, the limit
    ({}, PROFILE.setup_allowance_s),
    ({"state": State.RINGING, "rang_at": T0}, PROFILE.ring_limit_s),
]


@pytest.mark.parametrize(("known", "limit_s"), TIMERS)
async def test_a_call_is_hung_up_at_its_limit_and_not_before(
    floor: Floor, known: dict[str, object], limit_s: float
) -> None:
    floor.clock.move(limit_s - 9)
    floor.place(placed_at=T0, **known)
    assert 0 < floor.left_s() <= 9.001
    floor.clock.move(9)
    floor.place("b", case=2, placed_at=T0, **known)
    async with asyncio.timeout(30):
        while not floor.link.sent:
            await asyncio.sleep(0.01)
    assert [(one["Action"], one["Channel"]) for one in floor.link.sent] == [("Hangup", "b")]


async def test_ringing_is_timed_from_its_first_indication_and_not_from_the_start(
    floor: Floor,
) -> None:
    floor.place()
    floor.clock.move(29)
    await floor.tell(Rang)
    timer = floor.calls.line("a").timer
    assert floor.left_s() == pytest.approx(PROFILE.ring_limit_s, abs=1)
    floor.clock.move(5)
    await floor.tell(Rang)  # the carrier repeats it: the timer runs on
    assert floor.calls.line("a").timer is timer


async def test_a_talk_has_no_limit(floor: Floor) -> None:
    floor.sit("201")
    floor.place()
    await floor.tell(Rang, Answered, Connected)
    assert floor.calls.line("a").timer is None


async def test_a_fact_the_table_does_not_list_changes_and_sends_nothing(floor: Floor) -> None:
    floor.place()
    await floor.tell(Connected)
    assert (floor.state(), floor.link.sent, floor.ledger.entries) == ("placed", [], [])


async def test_facts_of_attempts_that_are_not_ours_are_ignored(floor: Floor) -> None:
    await floor.tell(Rang, attempt="another")
    assert floor.calls.moment("another") is None
    floor.calls.leave_message("another")
    floor.calls.settled("another")
    floor.calls.catch_up("another", [])
    assert floor.ledger.entries == []


async def test_moments_of_a_call_hang_on_the_steady_clock(floor: Floor) -> None:
    floor.place()
    floor.clock.move(12.5)
    assert floor.calls.moment("a") == T0 + timedelta(seconds=12.5)


async def test_an_action_that_fails_leaves_the_call_to_its_events(floor: Floor) -> None:
    floor.link.refuses.add("Hangup")
    floor.link.swallows.add("Redirect")
    floor.sit("201")
    floor.place()
    floor.place("b", case=2)
    await floor.tell(Answered)
    floor.calls.hang_up("b")
    await turns()
    assert (floor.state(), floor.state("b")) == ("joining", "placed")


async def test_the_pacer_hears_of_every_change_that_makes_room(floor: Floor) -> None:
    floor.place()
    await floor.tell(Rang)
    assert floor.changes == 1
    await floor.tell(HungUp)
    floor.calls.settled("a")
    assert floor.changes == 3


async def test_the_metrics_count_the_calls_alive_those_found_at_the_start_too(
    floor: Floor,
) -> None:
    def alive() -> dict[str, float]:
        (family,) = floor.metrics.calls.collect()
        return {one.labels["state"]: one.value for one in family.samples if one.value}

    floor.place()
    floor.place("b", case=2, state=State.TALKING, operator="201", answered_at=T0, connected_at=T0)
    floor.place("c", case=3, state=State.ENDED, ended_at=T0)
    assert alive() == {"placed": 1, "talking": 1}
    await floor.tell(Rang)
    assert alive() == {"ringing": 1, "talking": 1}
    await floor.tell(HungUp)
    await floor.tell(HungUp, attempt="b")
    assert alive() == {}


# after silence ---------------------------------------------------------------------------------


async def test_a_talk_that_the_ledger_knew_puts_its_operator_back_into_it(floor: Floor) -> None:
    """The dialer was started again in the middle of a talk."""
    floor.seats.seat_all([("201", True)])
    floor.place(state=State.TALKING, operator="201", answered_at=T0, connected_at=T0)
    floor.calls.catch_up("a", [])
    assert floor.seat() == ("talking", "a")
    floor.seats.move("201", Event.LEG_UP)
    assert floor.seats.free_longest() is None
    await floor.tell(HungUp)
    assert floor.seat() == ("after_call_work", "a")


async def test_missed_facts_are_written_down_and_only_the_last_is_acted_on(floor: Floor) -> None:
    floor.sit("201", "202")
    floor.place()
    common = {"attempt": "a", "at": T0}
    floor.calls.catch_up("a", [Answered(**common), CourtesyStarted(**common)])
    await turns()
    assert floor.ledger.states() == ["waiting", "courtesy"]
    assert floor.link.sent == []
    assert floor.seat("201") == floor.seat("202") == ("free", None)


async def test_who_answered_unseen_and_waits_still_gets_an_operator(floor: Floor) -> None:
    floor.sit("201")
    floor.place()
    floor.calls.catch_up("a", [Answered(attempt="a", at=T0)])
    await turns()
    assert floor.seat() == ("ringing_for", "a")


async def test_a_talk_that_ended_unseen_leaves_its_operator_the_result(floor: Floor) -> None:
    floor.sit("201")
    floor.place(state=State.TALKING, operator="201", answered_at=T0, connected_at=T0)
    floor.calls.catch_up("a", [Vanished(attempt="a", at=T0)])
    assert floor.seat() == ("after_call_work", "a")


ENDED_BEFORE = [
    # what is known of the call that had ended when we started, the operator then, the outcome
    (
        {"operator": "201", "answered_at": T0, "connected_at": T0},
        ("after_call_work", "a"),
        [],
    ),
    ({"cause": 17}, ("away", None), ["busy"]),
    (
        {"operator": "201", "answered_at": T0, "connected_at": T0, "message_chosen": True},
        ("away", None),
        ["voicemail_failed"],
    ),
]


@pytest.mark.parametrize(("known", "seat", "outcomes"), ENDED_BEFORE)
async def test_a_call_that_had_ended_before_the_start_is_settled_or_owed(
    floor: Floor, known: dict[str, object], seat: tuple[str, str | None], outcomes: list[str]
) -> None:
    floor.seats.seat_all([("201", True)])
    floor.place(state=State.ENDED, ended_at=T0, **known)
    floor.calls.end_again("a")
    assert (floor.seat(), floor.ledger.outcomes()) == (seat, outcomes)


# whatever happens ------------------------------------------------------------------------------

FACTS = (
    OriginateRefused, Rang, EarlyMediaHeard, Answered, CourtesyStarted, Connected, OperatorMissed,
    MessageLeft, RingLimitReached, SetupLimitReached, StopRequested, HungUp, Vanished,
)  # fmt: skip
SEAT_EVENTS = (Event.LEG_UP, Event.LEG_LOST, Event.PAUSE)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(FACTS))
        | st.tuples(st.sampled_from(["201", "202"]), st.sampled_from(SEAT_EVENTS)),
        max_size=40,
    )
)
async def test_no_order_of_events_gives_an_operator_two_calls_or_a_call_two_outcomes(
    story: list[tuple[str, object]],
) -> None:
    floor = Floor()
    floor.sit("201", "202")
    for number, attempt in enumerate(("a", "b", "c")):
        floor.place(attempt, case=number)
    for subject, what in story:
        if isinstance(what, Event):
            floor.seats.move(subject, what)
        else:
            await floor.tell(what, attempt=subject)
        joined = [
            line.call.operator
            for line in floor.calls.lines()
            if line.call.state in (State.JOINING, State.TALKING)
        ]
        assert len(joined) == len(set(joined))
        for line in floor.calls.lines():
            if line.call.state in (State.JOINING, State.TALKING):
                assert floor.seats.seat(line.call.operator).attempt == line.call.attempt
    settled = [entry.attempt for entry in floor.ledger.entries if hasattr(entry, "outcome")]
    assert len(settled) == len(set(settled))


async def test_an_announcement_before_any_answer_is_on_record_with_the_end(floor: Floor) -> None:
    for attempt, facts in (("a", [EarlyMediaHeard]), ("b", [Rang])):
        floor.place(attempt, case=ord(attempt))
        await floor.tell(*facts, HungUp, attempt=attempt)
    ends = [one for one in floor.ledger.entries if getattr(one, "state", None) is State.ENDED]
    assert [(one.attempt_id, one.early_media) for one in ends] == [("a", True), ("b", False)]
    others = [
        e.early_media for e in floor.ledger.entries if isinstance(e, Change) and e not in ends
    ]
    assert set(others) == {None}

"""The life of one outbound call: every row of the table, everything the table does not list, and what
no sequence of facts may ever bring about."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import call_events
from rules.call_events import (
    Answered,
    Connected,
    CourtesyStarted,
    EarlyMediaHeard,
    Fact,
    HungUp,
    MessageChosen,
    MessageLeft,
    OperatorAssigned,
    OperatorMissed,
    OriginateRefused,
    Rang,
    RingLimitReached,
    SetupLimitReached,
    StopRequested,
    Vanished,
)
from rules.call_state import Call, EndedBy, IllegalFactError, Order, State, apply
from tests.rules.stories import at

ATTEMPT = "11111111-1111-4111-8111-111111111111"
T0 = at("24 10:00")
FACTS: tuple[type, ...] = get_args(call_events.Fact)

# state, fact -> state, orders
TABLE = """
placed    OriginateRefused   ended     settle
placed    Rang               ringing
placed    EarlyMediaHeard    placed
placed    Answered           waiting   find_operator
placed    SetupLimitReached  placed    hang_up
placed    StopRequested      placed    hang_up
placed    HungUp             ended     settle
placed    Vanished           ended     settle

ringing   Rang               ringing
ringing   EarlyMediaHeard    ringing
ringing   Answered           waiting   find_operator
ringing   RingLimitReached   ringing   hang_up
ringing   SetupLimitReached  ringing
ringing   StopRequested      ringing   hang_up
ringing   OriginateRefused   ended     settle
ringing   HungUp             ended     settle
ringing   Vanished           ended     settle

waiting   OperatorAssigned   joining   join
waiting   CourtesyStarted    courtesy
waiting   StopRequested      waiting   hang_up
waiting   Rang               waiting
waiting   EarlyMediaHeard    waiting
waiting   RingLimitReached   waiting
waiting   SetupLimitReached  waiting
waiting   OperatorMissed     waiting
waiting   HungUp             ended     settle
waiting   Vanished           ended     settle

joining   Connected          talking   operator_talks
joining   OperatorMissed     waiting   operator_gone find_operator
joining   CourtesyStarted    joining
joining   StopRequested      joining   tell_operator
joining   Rang               joining
joining   EarlyMediaHeard    joining
joining   RingLimitReached   joining
joining   SetupLimitReached  joining
joining   HungUp             ended     free_operator settle
joining   Vanished           ended     free_operator settle

talking   MessageChosen      message   play_message free_operator
talking   StopRequested      talking   tell_operator
talking   Connected          talking
talking   OperatorMissed     talking
talking   CourtesyStarted    talking
talking   HungUp             ended     after_call settle
talking   Vanished           ended     after_call settle

courtesy  CourtesyStarted    courtesy
courtesy  StopRequested      courtesy
courtesy  RingLimitReached   courtesy
courtesy  SetupLimitReached  courtesy
courtesy  HungUp             ended     settle
courtesy  Vanished           ended     settle

message   MessageLeft        message
message   OperatorMissed     message
message   CourtesyStarted    message
message   StopRequested      message   hang_up
message   HungUp             ended     settle
message   Vanished           ended     settle
"""
ROWS = [
    (State(state), getattr(call_events, fact), State(after), tuple(map(Order, orders)))
    for line in TABLE.split("\n")
    if line
    for state, fact, after, *orders in [line.split()]
]
LISTED = {(state, fact) for state, fact, *_ in ROWS}


def fact_of(kind: type, seconds: float = 0.0, cause: int = 16, operator: str = "201") -> Fact:
    """A fact, so many seconds after the call was placed."""
    common = {"attempt": ATTEMPT, "at": T0 + timedelta(seconds=seconds)}
    if kind is HungUp:
        return HungUp(**common, cause=cause)
    if kind in (OperatorAssigned, Connected, OperatorMissed):
        return kind(**common, operator=operator)
    return kind(**common)


WAYS: dict[State, list[type]] = {
    State.PLACED: [],
    State.RINGING: [Rang],
    State.WAITING: [Rang, Answered],
    State.JOINING: [Rang, Answered, OperatorAssigned],
    State.TALKING: [Rang, Answered, OperatorAssigned, Connected],
    State.COURTESY: [Rang, Answered, CourtesyStarted],
    State.MESSAGE: [Rang, Answered, OperatorAssigned, Connected, MessageChosen],
    State.ENDED: [Rang, HungUp],
}


def call_after(*kinds: type) -> Call:
    """The call after these facts, a second apart; the first one a second after it was placed."""
    call = Call(attempt=ATTEMPT, placed_at=T0)
    for seconds, kind in enumerate(kinds, start=1):
        call, _ = apply(call, fact_of(kind, seconds))
    return call


def call_in(state: State) -> Call:
    """A call that came to the state in the usual way."""
    return call_after(*WAYS[state])


@pytest.mark.parametrize(("state", "fact", "after", "orders"), ROWS)
def test_a_listed_fact_moves_the_call_and_orders_what_the_table_says(
    state: State, fact: type, after: State, orders: tuple[Order, ...]
) -> None:
    call, ordered = apply(call_in(state), fact_of(fact, 100))
    assert (call.state, ordered) == (after, orders)


@pytest.mark.parametrize(
    ("state", "fact"),
    [
        pair
        for pair in itertools.product(State, FACTS)
        if pair not in LISTED and pair[0] is not State.ENDED
    ],
)
def test_a_fact_the_table_does_not_list_raises_and_names_no_call(state: State, fact: type) -> None:
    with pytest.raises(IllegalFactError, match=f"^{fact.__name__} in state {state}$"):
        apply(call_in(state), fact_of(fact))


@pytest.mark.parametrize("fact", FACTS)
def test_an_ended_call_stays_as_it_ended_whatever_is_told_of_it(fact: type) -> None:
    ended = call_in(State.ENDED)
    assert apply(ended, fact_of(fact, 100)) == (ended, ())


def seconds(count: float) -> datetime:
    return T0 + timedelta(seconds=count)


NOTED = [
    # facts a second apart, what the call says of itself then
    ([Rang, Rang], {"rang_at": seconds(1)}),  # the first indication counts
    ([EarlyMediaHeard], {"early_media": True, "rang_at": None}),
    ([EarlyMediaHeard, Rang], {"early_media": True, "rang_at": seconds(2)}),
    ([Rang, Answered, Rang], {"rang_at": seconds(1), "answered_at": seconds(2)}),
    # a ringing indication that crossed the answer tells of no ringing after it
    ([Answered, Rang], {"rang_at": None}),
    ([Answered, OperatorAssigned], {"operator": "201", "connected_at": None}),
    ([Answered, OperatorAssigned, OperatorMissed], {"operator": None}),
    ([Answered, OperatorAssigned, Connected, Connected], {"connected_at": seconds(3)}),
    # the operator's line died in the talk: it was a talk all the same
    ([Answered, OperatorAssigned, Connected, OperatorMissed], {"operator": "201"}),
    ([Answered, OperatorAssigned, Connected, CourtesyStarted], {"courtesy": False}),
    ([Answered, OperatorAssigned, CourtesyStarted], {"courtesy": True}),
    ([Answered, CourtesyStarted], {"courtesy": True}),
    (
        [Answered, OperatorAssigned, Connected, MessageChosen],
        {"message_chosen": True, "message_left": False},
    ),
    ([Answered, OperatorAssigned, Connected, MessageChosen, MessageLeft], {"message_left": True}),
    ([HungUp], {"ended_at": seconds(1), "cause": 16, "ended_by": None}),
    ([Vanished], {"ended_at": seconds(1), "cause": None, "ended_by": EndedBy.VANISHED}),
    ([OriginateRefused], {"cause": None, "ended_by": EndedBy.REFUSED}),
    ([Rang, RingLimitReached, HungUp], {"ended_by": EndedBy.RING_LIMIT, "cause": 16}),
    ([SetupLimitReached, HungUp], {"ended_by": EndedBy.SETUP_LIMIT}),
    ([Rang, StopRequested, HungUp], {"ended_by": EndedBy.STOP}),
    # whoever hung up first ended it
    ([Rang, RingLimitReached, StopRequested, HungUp], {"ended_by": EndedBy.RING_LIMIT}),
    ([Rang, StopRequested, Vanished], {"ended_by": EndedBy.STOP}),
    # nobody saw whether the limit came first
    ([Rang, RingLimitReached, Vanished], {"ended_by": EndedBy.VANISHED}),
    ([Rang, StopRequested, OriginateRefused], {"ended_by": EndedBy.STOP}),
    # a stop order in a talk tells the operator and ends nothing (rule 8)
    ([Answered, OperatorAssigned, Connected, StopRequested, HungUp], {"ended_by": None}),
    # a limit that crossed the answer ended nothing
    ([Rang, Answered, RingLimitReached, HungUp], {"ended_by": None}),
]


@pytest.mark.parametrize(("kinds", "expected"), NOTED)
def test_a_call_keeps_what_its_facts_tell(kinds: list[type], expected: dict[str, object]) -> None:
    call = call_after(*kinds)
    assert {name: getattr(call, name) for name in expected} == expected


def test_a_second_operator_is_the_one_who_talked() -> None:
    call = call_after(Answered, OperatorAssigned, OperatorMissed)
    for kind in (OperatorAssigned, Connected):
        call, _ = apply(call, fact_of(kind, 10, operator="202"))
    assert (call.operator, call.state) == ("202", State.TALKING)


def test_the_operator_is_the_one_who_was_connected_whoever_had_been_assigned() -> None:
    call, _ = apply(call_after(Answered, OperatorAssigned), fact_of(Connected, 10, operator="202"))
    assert call.operator == "202"


RINGS = [
    ([], None),
    ([Rang], None),  # not over
    ([Answered], None),
    ([HungUp], None),
    ([Rang, HungUp], 1.0),
    ([Rang, Rang, Rang, HungUp], 3.0),
    ([Rang, Answered], 1.0),
    ([Rang, Rang, Answered, CourtesyStarted, HungUp], 2.0),  # ringing ends at the answer
    ([EarlyMediaHeard, Rang, HungUp], 1.0),
]


@pytest.mark.parametrize(("kinds", "ring_s"), RINGS)
def test_ringing_is_measured_from_the_first_indication_to_answer_or_end(
    kinds: list[type], ring_s: float | None
) -> None:
    assert call_after(*kinds).ring_s() == ring_s


gaps = st.lists(st.floats(0, 100), min_size=20, max_size=20)
stories = st.lists(st.sampled_from(FACTS), max_size=20)


def told(story: Sequence[type], waits: Sequence[float]) -> list[tuple[Call, Fact, bool]]:
    """Every step of a story: the call after it, the fact, whether it was legal."""
    steps = []
    call = Call(attempt=ATTEMPT, placed_at=T0)
    passed = 0.0
    for kind, wait in zip(story, waits, strict=False):
        passed += wait
        fact = fact_of(kind, passed)
        try:
            call, _ = apply(call, fact)
            legal = True
        except IllegalFactError:
            legal = False
        steps.append((call, fact, legal))
    return steps


@given(stories, gaps)
def test_no_story_leaves_the_end_or_breaks_the_calls_own_order(
    story: list[type], waits: list[float]
) -> None:
    before = Call(attempt=ATTEMPT, placed_at=T0)
    for call, fact, legal in told(story, waits):
        if not legal or before.state is State.ENDED:
            assert call == before
        assert (call.state is State.ENDED) == (call.ended_at is not None)
        moments = (call.placed_at, call.rang_at, call.answered_at, call.connected_at, call.ended_at)
        known = [moment for moment in moments if moment is not None]
        assert known == sorted(known)
        assert call.ring_s() is None or call.ring_s() >= 0
        if call.state in (State.JOINING, State.TALKING):
            assert call.operator is not None
        if call.connected_at is not None:
            assert call.answered_at is not None
        assert call.message_chosen or not call.message_left
        assert call.attempt == fact.attempt
        before = call


@given(stories, gaps)
def test_every_ended_call_was_settled_exactly_once(story: list[type], waits: list[float]) -> None:
    call = Call(attempt=ATTEMPT, placed_at=T0)
    settled = 0
    for kind, wait in zip(story, waits, strict=False):
        try:
            call, orders = apply(call, fact_of(kind, wait))
        except IllegalFactError:
            continue
        settled += orders.count(Order.SETTLE)
    assert settled == (call.state is State.ENDED)


@given(stories, gaps)
def test_an_operator_taken_is_given_back_or_owes_a_result(
    story: list[type], waits: list[float]
) -> None:
    """Assigned operators are freed, gone or in after-call work when the call is over."""
    call = Call(attempt=ATTEMPT, placed_at=T0)
    held = 0
    for kind, wait in zip(story, waits, strict=False):
        try:
            call, orders = apply(call, fact_of(kind, wait))
        except IllegalFactError:
            continue
        held += orders.count(Order.JOIN)
        gives_back = {Order.FREE_OPERATOR, Order.OPERATOR_GONE, Order.AFTER_CALL}
        held -= sum(order in gives_back for order in orders)
        assert held == (call.state in (State.JOINING, State.TALKING))


@given(st.sampled_from(State), st.sampled_from(FACTS))
def test_applying_a_fact_never_changes_the_call_it_is_given(state: State, kind: type) -> None:
    call = call_in(state)
    copy = replace(call)
    try:
        apply(call, fact_of(kind, 100))
    except IllegalFactError:
        assert (state, kind) not in LISTED
    assert call == copy

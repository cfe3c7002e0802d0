"""The life of one callback: every row of the table, everything the table does not list, and what no
sequence of facts may ever bring about."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import callback_events
from rules.callback_events import (
    AskedBack,
    Connected,
    Fact,
    GuidancePlayed,
    HungUp,
    LeftAlone,
    MessageBegun,
    MessageRecorded,
    OperatorAssigned,
    OperatorMissed,
    Queued,
    TakenByQueue,
)
from rules.callback_state import WAITS, Callback, IllegalFactError, Order, State, apply
from tests.rules.stories import at

CALLBACK = "1763838000.12"
T0 = at("24 10:00")
FACTS: tuple[type, ...] = get_args(callback_events.Fact)

# state, fact -> state, orders
TABLE = """
arrived    Queued            waiting    find_operator
arrived    LeftAlone         alone      find_operator take_over
arrived    GuidancePlayed    guidance
arrived    MessageBegun      recording
arrived    HungUp            ended      settle

waiting    OperatorAssigned  joining    join
waiting    TakenByQueue      talking    operator_talks
waiting    Queued            waiting
waiting    OperatorMissed    waiting
waiting    LeftAlone         alone      find_operator take_over
waiting    GuidancePlayed    guidance
waiting    MessageBegun      recording
waiting    AskedBack         asked_back
waiting    HungUp            ended      settle

alone      OperatorAssigned  joining    join
alone      TakenByQueue      talking    operator_talks
alone      Connected         alone
alone      Queued            waiting    find_operator
alone      LeftAlone         alone
alone      OperatorMissed    alone
alone      GuidancePlayed    guidance
alone      MessageBegun      recording
alone      AskedBack         asked_back
alone      HungUp            ended      settle

joining    Connected         talking    operator_talks
joining    OperatorMissed    waiting    operator_gone find_operator
joining    TakenByQueue      joining
joining    Queued            joining
joining    LeftAlone         joining
joining    MessageBegun      joining
joining    MessageRecorded   joining
joining    AskedBack         joining
joining    HungUp            ended      free_operator settle

talking    Connected         talking
talking    TakenByQueue      talking
talking    OperatorMissed    waiting    operator_gone find_operator
talking    Queued            waiting    free_operator find_operator
talking    LeftAlone         alone      free_operator find_operator take_over
talking    HungUp            ended      after_call settle

guidance   GuidancePlayed    guidance
guidance   HungUp            ended      settle

recording  MessageBegun      recording
recording  MessageRecorded   recording
recording  GuidancePlayed    guidance
recording  HungUp            ended      settle

asked_back AskedBack         asked_back
asked_back HungUp            ended      settle
"""
ROWS = [
    (State(state), getattr(callback_events, fact), State(after), tuple(map(Order, orders)))
    for line in TABLE.split("\n")
    if line
    for state, fact, after, *orders in [line.split()]
]
LISTED = {(state, fact) for state, fact, *_ in ROWS}


def fact_of(kind: type, seconds: float = 0.0, operator: str = "201") -> Fact:
    """A fact, so many seconds after the callback arrived."""
    common = {"callback": CALLBACK, "at": T0 + timedelta(seconds=seconds)}
    if kind is MessageRecorded:
        return MessageRecorded(**common, seconds=7)
    if kind in (OperatorAssigned, Connected, TakenByQueue, OperatorMissed):
        return kind(**common, operator=operator)
    return kind(**common)


WAYS: dict[State, list[type]] = {
    State.ARRIVED: [],
    State.WAITING: [Queued],
    State.JOINING: [Queued, OperatorAssigned],
    State.TALKING: [Queued, OperatorAssigned, Connected],
    State.GUIDANCE: [GuidancePlayed],
    State.RECORDING: [Queued, MessageBegun],
    State.ALONE: [LeftAlone],
    State.ASKED_BACK: [Queued, AskedBack],
    State.ENDED: [Queued, HungUp],
}


def after(*kinds: type) -> Callback:
    """The callback after these facts, a second apart; the first one a second after it arrived."""
    callback = Callback(id=CALLBACK, arrived_at=T0)
    for seconds, kind in enumerate(kinds, start=1):
        callback, _ = apply(callback, fact_of(kind, seconds))
    return callback


@pytest.mark.parametrize(("state", "fact", "then", "orders"), ROWS)
def test_a_listed_fact_moves_the_callback_and_orders_what_the_table_says(
    state: State, fact: type, then: State, orders: tuple[Order, ...]
) -> None:
    callback, ordered = apply(after(*WAYS[state]), fact_of(fact, 100))
    assert (callback.state, ordered) == (then, orders)


@pytest.mark.parametrize(
    ("state", "fact"),
    [
        pair
        for pair in itertools.product(State, FACTS)
        if pair not in LISTED and pair[0] is not State.ENDED
    ],
)
def test_a_fact_the_table_does_not_list_raises(state: State, fact: type) -> None:
    with pytest.raises(IllegalFactError, match=f"^{fact.__name__} in state {state}$"):
        apply(after(*WAYS[state]), fact_of(fact))


@pytest.mark.parametrize("fact", FACTS)
def test_an_ended_callback_stays_as_it_ended_whatever_is_told_of_it(fact: type) -> None:
    ended = after(*WAYS[State.ENDED])
    assert apply(ended, fact_of(fact, 100)) == (ended, ())


NOTED = [
    # facts a second apart, what the callback says of itself then
    ([Queued, OperatorAssigned], {"operator": "201", "talked": False}),
    ([Queued, OperatorAssigned, OperatorMissed], {"operator": None}),
    ([Queued, OperatorAssigned, Connected, Connected], {"connected_at": T0 + timedelta(seconds=3)}),
    ([LeftAlone, TakenByQueue, HungUp], {"talked": True, "operator": "201"}),
    ([LeftAlone, Connected], {"talked": False, "operator": None}),
    # the operator's line broke: somebody else begins anew, and if nobody does they were not reached
    ([Queued, OperatorAssigned, Connected, OperatorMissed], {"talked": False, "operator": None}),
    ([Queued, AskedBack, HungUp], {"asked_back": True, "talked": False}),
    # the key crossed our Redirect: put through after all, or gone before
    ([Queued, OperatorAssigned, AskedBack, Connected, HungUp], {"asked_back": False}),
    ([Queued, OperatorAssigned, AskedBack, HungUp], {"asked_back": True}),
    ([MessageBegun, HungUp], {"message_s": None}),
    ([MessageBegun, MessageRecorded, HungUp], {"message_s": 7}),
    ([HungUp], {"ended_at": T0 + timedelta(seconds=1)}),
]


@pytest.mark.parametrize(("kinds", "expected"), NOTED)
def test_a_callback_keeps_what_its_facts_tell(
    kinds: list[type], expected: dict[str, object]
) -> None:
    callback = after(*kinds)
    assert {name: getattr(callback, name) for name in expected} == expected


@pytest.mark.parametrize("state", [State.JOINING, State.TALKING])
@pytest.mark.parametrize("kind", [OperatorMissed, Connected, TakenByQueue])
def test_what_is_told_of_another_operator_is_no_news(state: State, kind: type) -> None:
    callback = after(*WAYS[state])
    assert apply(callback, fact_of(kind, 9, operator="202")) == (callback, ())


stories = st.lists(st.tuples(st.sampled_from(FACTS), st.sampled_from(["201", "202"])), max_size=20)


@given(stories)
def test_no_story_breaks_what_a_callback_promises(story: list[tuple[type, str]]) -> None:
    callback = Callback(id=CALLBACK, arrived_at=T0)
    settled = taken = 0
    for seconds, (kind, operator) in enumerate(story):
        before = callback
        try:
            callback, orders = apply(callback, fact_of(kind, seconds, operator))
        except IllegalFactError:
            assert (before.state, kind) not in LISTED
            continue
        settled += orders.count(Order.SETTLE)
        # an operator taken is given back, gone, or owes a result
        taken += Order.JOIN in orders
        taken += before.state in WAITS and callback.state is State.TALKING
        gives_back = {Order.FREE_OPERATOR, Order.OPERATOR_GONE, Order.AFTER_CALL}
        taken -= sum(order in gives_back for order in orders)
        assert taken == (callback.state in (State.JOINING, State.TALKING))
        assert settled == (callback.state is State.ENDED) == (callback.ended_at is not None)
        # whoever begins to wait is looked after at once, and nobody waits with an operator
        if callback.state in WAITS and before.state is not callback.state:
            assert Order.FIND_OPERATOR in orders
        if callback.state in WAITS:
            assert callback.operator is None
        # never sent to an operator from anywhere but the line
        assert Order.JOIN not in orders or before.state in WAITS
        # who talked does not ask to be called back as well
        assert not (callback.talked and callback.asked_back and callback.state is State.TALKING)


@given(st.sampled_from(State), st.sampled_from(FACTS))
def test_applying_a_fact_never_changes_the_callback_it_is_given(state: State, kind: type) -> None:
    callback = after(*WAYS[state])
    copy = replace(callback)
    try:
        apply(callback, fact_of(kind, 100))
    except IllegalFactError:
        assert (state, kind) not in LISTED
    assert callback == copy

"""What an operator is doing: every row of the table, everything else, and what must always hold."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.operator_state import Event, NotNowError, Seat, State, apply
from tests.rules.stories import at

T0 = at("24 10:00")
LATER = T0 + timedelta(seconds=7)
ATTEMPT = "11111111-1111-4111-8111-111111111111"

# state, event -> state; the operator's leg is up and they asked for calls
TABLE = """
away             leg_up            free
away             leg_down          away
away             leg_lost          away
away             pause             away
away             result_saved      away
away             released          away

paused           leg_up            paused
paused           leg_down          away
paused           leg_lost          away
paused           ready             free
paused           pause             paused
paused           result_saved      paused
paused           released          paused

free             leg_up            free
free             leg_down          away
free             leg_lost          away
free             ready             free
free             pause             paused
free             assigned          ringing_for
free             released          free

ringing_for      leg_up            ringing_for
ringing_for      leg_down          ringing_for
ringing_for      leg_lost          ringing_for
ringing_for      pause             ringing_for
ringing_for      connected         talking
ringing_for      released          free
ringing_for      missed            away

talking          leg_up            talking
talking          leg_down          talking
talking          leg_lost          talking
talking          pause             talking
talking          connected         talking
talking          released          free
talking          talk_ended        after_call_work

after_call_work  leg_up            after_call_work
after_call_work  leg_down          after_call_work
after_call_work  leg_lost          after_call_work
after_call_work  pause             after_call_work
after_call_work  ready             after_call_work
after_call_work  result_saved      free
after_call_work  after_call_limit  paused
"""
ROWS = [
    (State(state), Event(event), State(after))
    for line in TABLE.split("\n")
    if line
    for state, event, after in [line.split()]
]
LISTED = {(state, event) for state, event, _ in ROWS}


def seat_in(state: State, *, leg_up: bool = True, ready: bool = True) -> Seat:
    """A seat as it is when nothing unusual happened."""
    busy = state in (State.RINGING_FOR, State.TALKING, State.AFTER_CALL_WORK)
    return Seat(
        operator="201",
        since=T0,
        state=state,
        leg_up=leg_up and state is not State.AWAY,
        ready=ready,
        attempt=ATTEMPT if busy else None,
    )


def after(seat: Seat, *events: Event) -> Seat:
    for event in events:
        seat = apply(seat, event, LATER, ATTEMPT)
    return seat


@pytest.mark.parametrize(("state", "event", "expected"), ROWS)
def test_a_listed_event_moves_the_operator(state: State, event: Event, expected: State) -> None:
    moved = after(seat_in(state), event)
    assert moved.state is expected
    assert moved.since == (LATER if expected is not state else T0)


@pytest.mark.parametrize(
    ("state", "event"), [pair for pair in itertools.product(State, Event) if pair not in LISTED]
)
def test_what_the_table_does_not_list_is_refused(state: State, event: Event) -> None:
    with pytest.raises(NotNowError, match=f"^{event} in state {state}$"):
        after(seat_in(state), event)


STORIES = [
    # a leg that comes up is free only for those who asked for calls
    (State.AWAY, False, [Event.LEG_UP], State.PAUSED),
    (State.AWAY, True, [Event.LEG_UP], State.FREE),
    # readiness outlives an Asterisk that restarted, but not hanging up
    (State.FREE, True, [Event.LEG_LOST, Event.LEG_UP], State.FREE),
    (State.FREE, True, [Event.LEG_DOWN, Event.LEG_UP], State.PAUSED),
    (State.FREE, True, [Event.LEG_LOST, Event.PAUSE, Event.LEG_UP], State.PAUSED),
    # a pause asked for in a call begins after its result
    (
        State.TALKING,
        True,
        [Event.PAUSE, Event.TALK_ENDED, Event.RESULT_SAVED],
        State.PAUSED,
    ),
    (
        State.AFTER_CALL_WORK,
        False,
        [Event.READY, Event.RESULT_SAVED],
        State.FREE,
    ),
    (State.TALKING, True, [Event.PAUSE, Event.RELEASED], State.PAUSED),
    # after-call work outlives a lost leg
    (State.AFTER_CALL_WORK, True, [Event.LEG_LOST, Event.RESULT_SAVED], State.AWAY),
    (State.AFTER_CALL_WORK, True, [Event.LEG_LOST, Event.LEG_UP, Event.RESULT_SAVED], State.FREE),
    (State.AFTER_CALL_WORK, True, [Event.LEG_LOST, Event.AFTER_CALL_LIMIT], State.AWAY),
    # the limit of after-call work: paused until the result is saved, and then until they ask
    (State.AFTER_CALL_WORK, True, [Event.AFTER_CALL_LIMIT, Event.RESULT_SAVED], State.PAUSED),
    (
        State.AFTER_CALL_WORK,
        True,
        [Event.AFTER_CALL_LIMIT, Event.RESULT_SAVED, Event.READY],
        State.FREE,
    ),
    # who still owes a result does not become free by calling in again
    (
        State.AFTER_CALL_WORK,
        True,
        [Event.AFTER_CALL_LIMIT, Event.LEG_LOST, Event.LEG_UP],
        State.PAUSED,
    ),
    # a leg that was lost while a person was being joined
    (State.RINGING_FOR, True, [Event.LEG_LOST, Event.RELEASED], State.AWAY),
    (State.RINGING_FOR, True, [Event.MISSED, Event.LEG_UP], State.FREE),
    (State.RINGING_FOR, True, [Event.PAUSE, Event.MISSED, Event.LEG_UP], State.PAUSED),
]


@pytest.mark.parametrize(("state", "ready", "events", "expected"), STORIES)
def test_where_an_operator_ends_up(
    state: State, ready: bool, events: list[Event], expected: State
) -> None:
    assert after(seat_in(state, ready=ready), *events).state is expected


def test_nobody_gets_calls_while_they_owe_a_result() -> None:
    seat = after(seat_in(State.AFTER_CALL_WORK), Event.AFTER_CALL_LIMIT)
    with pytest.raises(NotNowError, match=r"^result_owed$"):
        after(seat, Event.READY)
    assert after(seat, Event.RESULT_SAVED, Event.READY).state is State.FREE


@pytest.mark.parametrize(
    ("state", "event", "attempt"),
    [
        (State.FREE, Event.ASSIGNED, ATTEMPT),
        (State.TALKING, Event.TALK_ENDED, ATTEMPT),
        (State.RINGING_FOR, Event.RELEASED, None),
        (State.TALKING, Event.RELEASED, None),
        (State.RINGING_FOR, Event.MISSED, None),
        (State.AFTER_CALL_WORK, Event.RESULT_SAVED, None),
        (State.AFTER_CALL_WORK, Event.AFTER_CALL_LIMIT, ATTEMPT),
        (State.TALKING, Event.LEG_LOST, ATTEMPT),
    ],
)
def test_an_operators_attempt_is_the_one_they_talk_in_or_owe_a_result_of(
    state: State, event: Event, attempt: str | None
) -> None:
    assert after(seat_in(state), event).attempt == attempt


@given(st.lists(st.sampled_from(Event), max_size=40))
def test_whatever_happens_only_who_is_on_the_line_asked_and_owes_nothing_is_free(
    events: list[Event],
) -> None:
    seat = Seat(operator="201", since=T0)
    for number, event in enumerate(events):
        before = seat
        try:
            seat = apply(seat, event, T0 + timedelta(seconds=number), ATTEMPT)
        except NotNowError:
            assert seat == before
        if seat.state is State.FREE:
            assert seat.leg_up
            assert seat.ready
            assert seat.attempt is None
        if seat.state is State.PAUSED:
            assert seat.leg_up
        if seat.state in (State.RINGING_FOR, State.TALKING, State.AFTER_CALL_WORK):
            assert seat.attempt == ATTEMPT
        if seat.state is not before.state:
            assert seat.since == T0 + timedelta(seconds=number)
        else:
            assert seat.since == before.since

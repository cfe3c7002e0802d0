"""What an operator is doing: every row of the table, everything else, and what must always hold."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.operator_state import (
    Event,
    Hold,
    NotNowError,
    Seat,
    State,
    apply,
    break_announced,
    called,
    held,
    resumed,
    ticked,
    unticked,
)
from rules.pacing.snapshot import Tick
from tests.rules.stories import at

T0 = at("24 10:00")
LATER = T0 + timedelta(seconds=7)
ATTEMPT = "11111111-1111-4111-8111-111111111111"
HOLD = Hold(attempt=ATTEMPT, case_id=1, phone_id=2)
QUARTER, HALF = Tick(share=0.25, at_s=40.0), Tick(share=0.5, at_s=90.0)

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
talking          missed            away

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


# held for a call -----------------------------------------------------------------------------


@pytest.mark.parametrize("state", State)
def test_only_who_is_free_can_be_held_for_a_call(state: State) -> None:
    seat = seat_in(state)
    if state is State.FREE:
        assert held(seat, HOLD) == replace(seat, hold=HOLD)
        return
    with pytest.raises(NotNowError, match=r"^not_free$"):
        held(seat, HOLD)


def test_nobody_is_held_for_two_calls() -> None:
    with pytest.raises(NotNowError):
        held(held(seat_in(State.FREE), HOLD), replace(HOLD, attempt="another"))


@pytest.mark.parametrize(
    ("event", "goes_on"),
    [
        (Event.LEG_UP, True),
        (Event.READY, True),
        (Event.RELEASED, True),  # of the call before, told late
        (Event.ASSIGNED, False),
        (Event.PAUSE, False),
        (Event.LEG_DOWN, False),
        (Event.LEG_LOST, False),
    ],
)
def test_a_hold_ends_when_the_operator_is_not_free_any_more(event: Event, goes_on: bool) -> None:
    seat = after(held(seat_in(State.FREE), HOLD), event)
    assert seat.hold == (HOLD if goes_on else None)


def test_what_was_offered_is_an_offer_no_more_once_it_was_placed() -> None:
    offered = held(seat_in(State.FREE), replace(HOLD, offered=True))
    assert called(offered).hold == HOLD
    assert called(seat_in(State.FREE)) == seat_in(State.FREE)


def test_the_screen_shows_the_call_they_have_or_else_the_one_they_are_held_for() -> None:
    seat = held(seat_in(State.FREE), HOLD)
    assert seat_in(State.FREE).on_screen is None
    assert seat.on_screen == ATTEMPT
    assert after(seat, Event.ASSIGNED).on_screen == ATTEMPT


# how far the talk is -------------------------------------------------------------------------


def test_steps_of_the_script_are_kept_in_order_until_the_talk_ends() -> None:
    seat = ticked(ticked(seat_in(State.TALKING), QUARTER), HALF)
    assert seat.ticks == (QUARTER, HALF)
    assert after(seat, Event.PAUSE, Event.LEG_LOST).ticks == (QUARTER, HALF)
    for end in (Event.TALK_ENDED, Event.RELEASED):
        assert after(seat, end).ticks == ()


def test_a_step_ticked_twice_or_too_late_tells_nothing() -> None:
    seat = ticked(seat_in(State.TALKING), HALF)
    for late in (replace(QUARTER, at_s=120.0), replace(HALF, at_s=120.0)):
        assert ticked(seat, late) == seat


def test_a_step_ticked_by_mistake_is_taken_back() -> None:
    seat = ticked(ticked(seat_in(State.TALKING), QUARTER), HALF)
    assert unticked(seat, 0.5).ticks == (QUARTER,)
    assert unticked(seat, 0.25).ticks == (HALF,)
    assert unticked(seat, 0.75) == seat
    again = replace(HALF, at_s=130.0)
    assert ticked(unticked(seat, 0.5), again).ticks == (QUARTER, again)


@pytest.mark.parametrize("state", [state for state in State if state is not State.TALKING])
def test_steps_are_ticked_only_in_a_talk(state: State) -> None:
    steps: list[Callable[[Seat], Seat]] = [
        lambda seat: ticked(seat, QUARTER),
        lambda seat: unticked(seat, 0.25),
    ]
    for step in steps:
        with pytest.raises(NotNowError, match=r"^not_talking$"):
            step(seat_in(state))


def test_a_talk_that_went_on_unseen_keeps_what_was_ticked_and_another_begins_anew() -> None:
    seat = ticked(seat_in(State.TALKING), QUARTER)
    assert resumed(seat, ATTEMPT, LATER) == seat
    begun = resumed(held(seat_in(State.FREE), HOLD), ATTEMPT, LATER)
    assert (begun.state, begun.since, begun.hold) == (State.TALKING, LATER, None)


# an announced break --------------------------------------------------------------------------


def test_a_break_is_announced_moved_and_called_off() -> None:
    seat = break_announced(seat_in(State.TALKING), 600.0)
    assert break_announced(seat, 900.0).break_at_s == 900.0
    assert break_announced(seat, None).break_at_s is None


def test_who_takes_no_calls_has_nothing_to_break_off() -> None:
    with pytest.raises(NotNowError, match=r"^not_ready$"):
        break_announced(seat_in(State.PAUSED, ready=False), 600.0)


@pytest.mark.parametrize(
    ("event", "stands"),
    [
        (Event.PAUSE, False),
        (Event.LEG_DOWN, False),
        (Event.LEG_LOST, True),
        (Event.READY, True),
        (Event.ASSIGNED, True),
    ],
)
def test_an_announced_break_is_over_once_they_take_no_calls(event: Event, stands: bool) -> None:
    seat = after(break_announced(seat_in(State.FREE), 600.0), event)
    assert seat.break_at_s == (600.0 if stands else None)


TOLD: dict[str, Callable[[Seat], Seat]] = {
    "held": lambda seat: held(seat, HOLD),
    "called": called,
    "ticked": lambda seat: ticked(seat, HALF),
    "unticked": lambda seat: unticked(seat, 0.5),
    "break": lambda seat: break_announced(seat, 600.0),
    "no break": lambda seat: break_announced(seat, None),
    "resumed": lambda seat: resumed(seat, ATTEMPT, LATER),
}


@given(st.lists(st.one_of(st.sampled_from(Event), st.sampled_from(sorted(TOLD))), max_size=40))
def test_nothing_outlives_the_state_it_belongs_to(happened: list[Event | str]) -> None:
    seat = Seat(operator="201", since=T0)
    for one in happened:
        try:
            seat = apply(seat, one, LATER, ATTEMPT) if isinstance(one, Event) else TOLD[one](seat)
        except NotNowError:
            continue
        assert seat.hold is None or seat.state is State.FREE
        assert not seat.ticks or seat.state is State.TALKING
        assert seat.break_at_s is None or seat.ready


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

"""The operators in memory: who is next, what moves them, and who is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from dialer.seats import RINGS_AT_MOST_S, Seats
from rules.operator_state import Event, Hold, NotNowError, Seat, State
from rules.pacing.snapshot import Activity, OperatorNow
from tests.dialer.fakes import StillClock
from tests.rules.stories import at

T0 = at("24 10:00")
LIMIT_S = 180.0


class Hall:
    """Seats with a clock that stands, and what was told of their changes."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self.clock = StillClock(T0)
        self.told: list[tuple[Seat, Seat]] = []
        self.seats = Seats(self.clock, lambda _: limit_s, lambda *pair: self.told.append(pair))

    def sit(self, *operators: str) -> None:
        """Operators who asked for calls and are on the line, one second after the other."""
        self.seats.seat_all([(operator, True) for operator in operators])
        for operator in operators:
            self.clock.move(1)
            self.seats.move(operator, Event.LEG_UP)

    def talk(self, operator: str, attempt: str = "a") -> None:
        for event in (Event.ASSIGNED, Event.CONNECTED):
            self.seats.move(operator, event, attempt)

    def states(self) -> dict[str, str]:
        return {seat.operator: seat.state.value for seat in self.seats.seats()}


@pytest.fixture
async def hall() -> Hall:
    return Hall()


async def test_who_has_been_free_longest_is_next(hall: Hall) -> None:
    hall.sit("202", "201", "203")
    assert hall.seats.free_longest() == "202"
    hall.talk("202")
    assert hall.seats.free_longest() == "201"
    hall.clock.move(60)
    hall.seats.move("202", Event.RELEASED)
    # back from a call: last in line
    hall.talk("201")
    assert hall.seats.free_longest() == "203"
    hall.talk("203")
    assert hall.seats.free_longest() == "202"
    hall.talk("202")
    assert hall.seats.free_longest() is None


async def test_asking_for_calls_again_does_not_lose_ones_place(hall: Hall) -> None:
    hall.sit("201", "202")
    hall.clock.move(5)
    hall.seats.move("201", Event.READY)
    assert hall.seats.free_longest() == "201"


async def test_operators_are_counted_by_state(hall: Hall) -> None:
    hall.sit("201", "202", "203")
    hall.talk("201")
    assert (hall.seats.count(State.FREE), hall.seats.count(State.TALKING)) == (2, 1)


async def test_seating_the_same_operators_again_moves_nobody(hall: Hall) -> None:
    hall.sit("201", "202")
    hall.talk("201")
    hall.seats.seat_all([("201", False), ("202", True), ("203", False)])
    assert hall.states() == {"201": "talking", "202": "free", "203": "away"}


async def test_a_removed_operator_goes_at_once_or_after_their_result(hall: Hall) -> None:
    hall.sit("201", "202")
    hall.talk("201")
    hall.seats.seat_all([])
    assert hall.states() == {"201": "talking"}
    hall.seats.move("201", Event.TALK_ENDED, "a")
    hall.seats.move("201", Event.RESULT_SAVED)
    assert hall.seats.free_longest() is None  # nothing new comes to them
    hall.seats.seat_all([])
    assert hall.states() == {}


async def test_nobody_is_moved_who_is_not_there(hall: Hall) -> None:
    assert hall.seats.move("299", Event.LEG_UP) is None
    assert hall.seats.seat("299") is None
    hall.seats.resume("299", "a")
    hall.seats.touch("299")
    assert hall.told == []


async def test_a_refused_move_changes_and_tells_nothing(hall: Hall) -> None:
    hall.sit("201")
    revision, told = hall.seats.revision("201"), len(hall.told)
    with pytest.raises(NotNowError):
        hall.seats.move("201", Event.TALK_ENDED, "a")
    assert (hall.seats.revision("201"), len(hall.told)) == (revision, told)


async def test_every_change_is_told_with_before_and_after(hall: Hall) -> None:
    hall.sit("201")
    hall.talk("201")
    states = [(before.state.value, after.state.value) for before, after in hall.told]
    assert states == [("away", "free"), ("free", "ringing_for"), ("ringing_for", "talking")]


async def test_after_call_work_has_a_deadline_and_ends_in_a_pause() -> None:
    hall = Hall(limit_s=0.02)
    hall.sit("201")
    hall.talk("201")
    assert hall.seats.deadline(hall.seats.seat("201")) is None
    ended = hall.seats.move("201", Event.TALK_ENDED, "a")
    assert hall.seats.deadline(ended) == hall.clock.now() + timedelta(seconds=0.02)
    await hall.seats.changed("201", hall.seats.revision("201"), 30.0)
    assert hall.states() == {"201": "paused"}
    assert hall.seats.seat("201").attempt == "a"  # the result is owed still


async def test_a_result_in_time_stops_the_deadline() -> None:
    hall = Hall(limit_s=0.02)
    hall.sit("201")
    hall.talk("201")
    hall.seats.move("201", Event.TALK_ENDED, "a")
    hall.seats.move("201", Event.RESULT_SAVED)
    await asyncio.sleep(0.05)
    assert hall.states() == {"201": "free"}


async def test_a_watcher_is_answered_at_once_if_something_changed_since(hall: Hall) -> None:
    hall.sit("201")
    await asyncio.wait_for(hall.seats.changed("201", hall.seats.revision("201") - 1, 60), 30)


async def test_a_watcher_wakes_at_the_next_change_and_not_at_anothers(hall: Hall) -> None:
    hall.sit("201", "202")
    watching = asyncio.create_task(hall.seats.changed("201", hall.seats.revision("201"), wait_s=60))
    await asyncio.sleep(0)
    hall.talk("202")
    await asyncio.sleep(0)
    assert not watching.done()
    hall.seats.touch("201")
    await asyncio.wait_for(watching, 30)


async def test_a_watcher_of_a_quiet_seat_is_answered_after_the_wait(hall: Hall) -> None:
    hall.sit("201")
    await asyncio.wait_for(hall.seats.changed("201", hall.seats.revision("201"), 0.01), 30)


async def test_everybody_who_watches_is_woken_at_shutdown(hall: Hall) -> None:
    hall.sit("201", "202")
    watching = [
        asyncio.create_task(hall.seats.changed(operator, hall.seats.revision(operator), 60))
        for operator in ("201", "202")
    ]
    await asyncio.sleep(0)
    hall.seats.touch_all()
    await asyncio.wait_for(asyncio.gather(*watching), 30)


RESUMED = [
    # the operator's own attempt before, whether they are now in the talk
    (None, True),
    ("a", True),
    ("another", False),  # what they are in now is the truth
]


@pytest.mark.parametrize(("before", "resumed"), RESUMED)
async def test_an_operator_is_put_back_into_a_talk_that_went_on_unseen(
    hall: Hall, before: str | None, resumed: bool
) -> None:
    hall.sit("201")
    if before is not None:
        hall.talk("201", before)
    hall.seats.resume("201", "a")
    seat = hall.seats.seat("201")
    assert (seat.attempt == "a") is resumed
    assert not resumed or seat.state is State.TALKING


async def test_a_talk_that_was_known_goes_on_since_it_began(hall: Hall) -> None:
    hall.sit("201")
    hall.talk("201")
    began = hall.seats.seat("201").since
    hall.clock.move(30)
    hall.seats.resume("201", "a")
    assert hall.seats.seat("201").since == began


# held for one call, how far the talk is, breaks ------------------------------------------------


def hold(attempt: str = "h") -> Hold:
    return Hold(attempt=attempt, case_id=1, phone_id=1)


async def test_who_is_held_for_a_call_is_given_to_nobody_else(hall: Hall) -> None:
    hall.sit("201", "202", "203")
    assert hall.seats.hold(hold("a")) == "201"
    assert hall.seats.free_longest() == "202"
    assert hall.seats.hold(hold("b")) == "202"
    assert (hall.seats.held_for("a"), hall.seats.held_for("b")) == ("201", "202")
    assert hall.seats.held_for("c") is None
    assert hall.seats.hold(hold("c")) == "203"
    assert hall.seats.free_longest() is None
    assert hall.seats.hold(hold("d")) is None


async def test_who_has_only_been_offered_a_call_is_there_for_whoever_is_on_the_line(
    hall: Hall,
) -> None:
    hall.sit("201", "202", "203")
    offer = Hold(attempt="a", case_id=1, phone_id=1, offered=True)
    assert hall.seats.hold(offer) == "201"
    assert hall.seats.free_longest() == "202"
    hall.seats.hold(hold("b"))
    hall.seats.hold(hold("c"))
    assert hall.seats.free() == []
    assert hall.seats.free_longest() == "201"
    revision = hall.seats.revision("201")
    hall.seats.called("a")  # it rings: now somebody may answer it
    assert hall.seats.free_longest() is None
    assert hall.seats.revision("201") > revision
    hall.seats.called("of nobody")


async def test_who_is_let_go_keeps_their_place_in_line_and_is_told_to_whoever_waits(
    hall: Hall,
) -> None:
    hall.sit("201", "202")
    hall.seats.hold(hold())
    told = len(hall.told)
    hall.seats.let_go("h")
    assert hall.seats.free_longest() == "201"
    assert [after.hold for _, after in hall.told[told:]] == [None]
    hall.seats.let_go("h")  # again: nothing happens
    assert len(hall.told) == told + 1


async def test_nobody_is_held_for_a_call_who_breaks_off_before_it_has_rung_out(hall: Hall) -> None:
    hall.sit("201", "202")
    hall.seats.announce_break("201", RINGS_AT_MOST_S)
    assert hall.seats.hold(hold("a")) == "202"
    assert hall.seats.hold(hold("b")) is None
    hall.seats.announce_break("201", RINGS_AT_MOST_S + 1)
    assert hall.seats.hold(hold("b")) == "201"
    hall.seats.announce_break("201", None)


async def test_pacing_sees_whoever_takes_calls_with_what_they_told(hall: Hall) -> None:
    hall.sit("201", "202", "203", "204", "205", "206")  # at 1 s, 2 s, …
    hall.clock.move(4)
    for operator in ("202", "204"):
        hall.talk(operator)
    hall.seats.move("204", Event.TALK_ENDED, "a")
    hall.seats.move("203", Event.ASSIGNED, "b")
    hall.seats.hold(hold())  # 201
    hall.seats.move("206", Event.PAUSE)
    hall.clock.move(5)
    hall.seats.tick("202", 0.25, done=True)
    hall.clock.move(1)
    hall.seats.tick("202", 0.5, done=True)
    hall.seats.tick("202", 0.5, done=False)
    hall.seats.announce_break("205", 600)
    talking, joining, working, free = hall.seats.working()
    assert (talking.activity, talking.since_s) == (Activity.TALKING, 10)
    assert [(tick.share, tick.at_s) for tick in talking.ticks] == [(0.25, 15)]
    assert (joining.activity, working.activity) == (Activity.JOINING, Activity.AFTER_CALL_WORK)
    assert free == OperatorNow(activity=Activity.FREE, since_s=5, break_at_s=616)
    hall.seats.announce_break("205", None)


@pytest.mark.parametrize("event", [Event.PAUSE, Event.LEG_DOWN, Event.LEG_LOST])
async def test_who_will_not_be_free_after_the_talk_is_not_among_those_who_take_calls(
    hall: Hall, event: Event
) -> None:
    hall.sit("201", "202")
    hall.talk("201")
    hall.seats.move("201", event)
    assert [one.activity for one in hall.seats.working()] == [Activity.FREE]


async def test_times_of_pacing_do_not_move_with_the_clock_on_the_wall(hall: Hall) -> None:
    hall.sit("201")
    hall.clock.error_s = -3600
    hall.clock.move(9)
    (one,) = hall.seats.working()
    assert one.since_s == 1


async def test_an_announced_break_begins_by_itself_when_free() -> None:
    hall = Hall()
    hall.sit("201", "202")
    hall.seats.announce_break("201", 0.02)
    seat = hall.seats.seat("201")
    assert hall.seats.break_at(seat) == hall.clock.now() + timedelta(seconds=0.02)
    await hall.seats.changed("201", hall.seats.revision("201"), 30.0)
    assert hall.states() == {"201": "paused", "202": "free"}
    assert hall.seats.break_at(hall.seats.seat("201")) is None


async def test_a_break_that_is_due_in_a_talk_begins_after_its_result() -> None:
    hall = Hall()
    hall.sit("201")
    hall.talk("201")
    hall.seats.announce_break("201", 0.02)
    await hall.seats.changed("201", hall.seats.revision("201"), 30.0)
    assert hall.states() == {"201": "talking"}
    hall.seats.move("201", Event.TALK_ENDED, "a")
    hall.seats.move("201", Event.RESULT_SAVED)
    assert hall.states() == {"201": "paused"}


async def test_a_break_called_off_does_not_begin() -> None:
    hall = Hall()
    hall.sit("201")
    hall.seats.announce_break("201", 0.02)
    hall.seats.announce_break("201", None)
    await asyncio.sleep(0.05)
    assert hall.states() == {"201": "free"}


async def test_the_limit_of_after_call_work_does_not_begin_anew_with_a_break() -> None:
    hall = Hall(limit_s=180.0)
    hall.sit("201")
    hall.talk("201")
    hall.seats.move("201", Event.TALK_ENDED, "a")
    hall.clock.move(179.98)
    hall.seats.announce_break("201", 600)
    await hall.seats.changed("201", hall.seats.revision("201"), 30.0)
    assert hall.states() == {"201": "paused"}

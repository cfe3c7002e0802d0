"""The operators in memory: who is next, what moves them, and who is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from dialer.seats import Seats
from rules.operator_state import Event, NotNowError, Seat, State
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
    await hall.seats.changed("201", hall.seats.revision("201"), 2.0)
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
    await asyncio.wait_for(hall.seats.changed("201", hall.seats.revision("201") - 1, 60), 1)


async def test_a_watcher_wakes_at_the_next_change_and_not_at_anothers(hall: Hall) -> None:
    hall.sit("201", "202")
    watching = asyncio.create_task(hall.seats.changed("201", hall.seats.revision("201"), wait_s=60))
    await asyncio.sleep(0)
    hall.talk("202")
    await asyncio.sleep(0)
    assert not watching.done()
    hall.seats.touch("201")
    await asyncio.wait_for(watching, 1)


async def test_a_watcher_of_a_quiet_seat_is_answered_after_the_wait(hall: Hall) -> None:
    hall.sit("201")
    await asyncio.wait_for(hall.seats.changed("201", hall.seats.revision("201"), 0.01), 1)


async def test_everybody_who_watches_is_woken_at_shutdown(hall: Hall) -> None:
    hall.sit("201", "202")
    watching = [
        asyncio.create_task(hall.seats.changed(operator, hall.seats.revision(operator), 60))
        for operator in ("201", "202")
    ]
    await asyncio.sleep(0)
    hall.seats.touch_all()
    await asyncio.wait_for(asyncio.gather(*watching), 1)


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

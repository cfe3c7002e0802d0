"""The day's calls that a person answered: what the cap on abandoned calls is of."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from dialer.day_so_far import DaySoFar
from rules.call_events import Answered, Connected, CourtesyStarted, HungUp, Rang
from rules.pacing.snapshot import Today
from tests.db.town import CALENDAR, NOON, PROFILE, Town, at
from tests.dialer.test_calls import Floor

MONTH = SimpleNamespace(calendar=CALENDAR, profile=PROFILE)


class Counted(Floor):
    """A floor whose calls are counted."""

    def __init__(self, town: Town) -> None:
        super().__init__(NOON)
        self.day = DaySoFar(self.clock, town.sessions)
        self.calls.watchers = [self.day]

    async def abandon(self, attempt: str) -> None:
        self.place(attempt)
        await self.tell(Rang, Answered, CourtesyStarted, HungUp, attempt=attempt)

    async def join(self, attempt: str) -> None:
        self.place(attempt)
        await self.tell(Rang, Answered, Connected, attempt=attempt)


async def test_it_begins_with_the_database_and_goes_on_with_what_happens(town: Town) -> None:
    await town.talk(await town.phone(await town.case("1", "0258000001")), at("24 09:00"))
    floor = Counted(town)
    await floor.day.load()
    assert (floor.day.counts(), floor.day.share()) == ((1, 0), 0.0)
    await floor.abandon("a")  # nobody is there
    floor.sit("201")
    await floor.join("b")
    await floor.tell(Connected, attempt="b")  # told twice
    assert (floor.day.counts(), floor.day.share()) == ((2, 1), pytest.approx(1 / 3))
    await floor.tell(HungUp, attempt="b")
    assert floor.day.counts() == (2, 1)


async def test_a_call_nobody_answered_counts_for_nothing(town: Town) -> None:
    floor = Counted(town)
    await floor.day.load()
    floor.place()
    await floor.tell(Rang)
    floor.clock.move(36)
    await floor.tell(HungUp, cause=19)
    assert (floor.day.counts(), floor.day.share()) == ((0, 0), 0.0)


async def test_the_next_day_begins_at_nothing(town: Town) -> None:
    floor = Counted(town)
    await floor.day.load()
    await floor.abandon("a")
    floor.clock.move(timedelta(hours=12).total_seconds())
    assert floor.day.counts() == (0, 0)
    await floor.abandon("b")
    assert floor.day.counts() == (0, 1)


LEFT = [
    # now, seconds until the last call of the day may be placed: 66 s before closing time
    (at("24 12:00"), 8 * 3600 - 66),
    (at("26 16:00"), 3600 - 66),  # a Saturday
    (at("24 20:30"), 0),
]


@pytest.mark.parametrize(("now", "left_s"), LEFT)
async def test_what_is_left_of_the_day_ends_with_its_last_call(
    town: Town, now: object, left_s: float
) -> None:
    floor = Floor(now)
    day = DaySoFar(floor.clock, town.sessions)
    assert day.today(MONTH) == Today(connected=0, abandoned=0, left_s=left_s)

"""The calendar jumps only while nothing goes on, and every round gets its time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.clock import JumpClock
from dialer.web.models import CallersStatus, CallsInFlight, CampaignStatus, OperatorStatus, Status
from rules.calendar import JST
from scripts.town import conductor
from scripts.town.conductor import Conductor, Round, is_non_weekday, rounds_from
from tests.dialer.web.fake import PACING

LONG_AGO = datetime(2026, 9, 24, 17, 0, tzinfo=JST)


@dataclass
class PretendedService:
    """Has phones due at given moments; each is a call that lasts a given time."""

    clock: JumpClock
    due: list[datetime]
    call_s: float = 0.0
    hesitates_s: float = 0.0
    """So long it takes to call whoever is due."""
    placed: list[datetime] = field(default_factory=list)
    paused: bool = False
    words: list[str] = field(default_factory=list)
    _busy_until: float = 0.0

    async def pause(self) -> None:
        self.paused = True
        self.words.append("pause")

    async def resume(self) -> None:
        self.paused = False
        self.words.append("resume")

    async def look(self) -> Status:
        now = self.clock.now()
        since = now - timedelta(seconds=self.hesitates_s)
        while not self.paused and self.due and self.due[0] <= since:
            self.due.pop(0)
            self.placed.append(now)
            self._busy_until = time.monotonic() + self.call_s
        talking = time.monotonic() < self._busy_until
        waiting = sum(due <= now for due in self.due)
        next_due = self.due[0] if self.due and not waiting else None
        state = "paused" if self.paused else "running"
        return status(now, next_due, "talking" if talking else "free", waiting, state)


def status(
    now: datetime,
    due: datetime | None,
    state: Literal["free", "talking"],
    waiting: int,
    campaign: str,
) -> Status:
    return Status(
        now=now, started_at=now, draining=False, emergency_stop=False, asterisk_connected=True,
        database_ok=True, problems={}, pace="", limit="operators", pacing=PACING, lines=1,
        calls=CallsInFlight(talking=int(state == "talking")),
        operators=(OperatorStatus(id="201", state=state, since=now),),
        campaigns=(
            CampaignStatus(
                name="m", state=campaign, cases=1, open=1, complete=0, due=waiting,
                placed_today=0, counted_today=0, next_due=due,
            ),
        ),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conductor, "_LOOK_S", 0.005)


async def play(service: PretendedService, rounds: list[Round]) -> None:
    begun = time.monotonic()
    playing = Conductor(service.clock, service, lambda: True, service.look)
    await playing.play(rounds, lambda: time.monotonic() - begun)


def soon_after(due: list[datetime], came: list[datetime]) -> bool:
    """Whether each came when it was due, or some minutes later: the pretended clock goes on meanwhile."""
    return len(due) == len(came) and all(
        planned <= moment < planned + timedelta(minutes=5)
        for planned, moment in zip(due, came, strict=True)
    )


def later(**lengths: float) -> datetime:
    return LONG_AGO + timedelta(**lengths)


async def test_the_calendar_jumps_to_whatever_becomes_due_next() -> None:
    due = [later(minutes=10), later(minutes=30), later(days=1), later(days=2)]
    service = PretendedService(JumpClock(LONG_AGO), list(due))
    rounds = [Round(begins=LONG_AGO, until_s=60), Round(begins=later(days=1), until_s=60)]
    await play(service, rounds)
    assert soon_after(due, service.placed)
    assert service.words == []


async def test_no_call_in_progress_sees_a_jump() -> None:
    service = PretendedService(
        JumpClock(LONG_AGO), [later(seconds=0), later(minutes=10)], call_s=0.3
    )
    begun = time.monotonic()
    await play(service, [Round(begins=LONG_AGO, until_s=60)])
    assert len(service.placed) == 2
    assert time.monotonic() - begun >= 0.6


async def test_whoever_is_due_is_called_before_the_calendar_jumps() -> None:
    due = [later(seconds=0), later(minutes=10)]
    service = PretendedService(JumpClock(LONG_AGO), list(due), hesitates_s=0.3)
    await play(service, [Round(begins=LONG_AGO, until_s=60)])
    assert soon_after(due, service.placed)


async def test_a_round_that_takes_too_long_is_paused_and_the_next_one_begins() -> None:
    every_second = [later(seconds=n / 100) for n in range(500)]  # never quiet by itself
    service = PretendedService(JumpClock(LONG_AGO), [*every_second, later(days=1)], call_s=0.05)
    rounds = [Round(begins=LONG_AGO, until_s=0.5), Round(begins=later(days=1), until_s=60)]
    await play(service, rounds)
    assert service.words == ["pause", "resume"]
    assert service.placed[-1] >= later(days=1)


async def test_the_first_night_belongs_to_others_and_the_next_day_comes_after_it() -> None:
    service = PretendedService(JumpClock(LONG_AGO), [later(days=1), later(days=2)])
    nights: list[datetime] = []

    @asynccontextmanager
    async def night() -> AsyncIterator[None]:
        assert service.placed == []
        nights.append(service.clock.now())
        yield
        nights.append(service.clock.now())

    rounds = [Round(begins=later(days=n), until_s=60) for n in range(3)]
    begun = time.monotonic()
    playing = Conductor(service.clock, service, lambda: True, service.look)
    await playing.play(rounds, lambda: time.monotonic() - begun, night)
    assert soon_after([LONG_AGO.replace(hour=21), later(days=1)], nights)


@pytest.mark.parametrize("somebody", ["on a line", "waiting"])
async def test_the_calendar_stands_still_while_somebody_calls_us(somebody: str) -> None:
    service = PretendedService(JumpClock(LONG_AGO), [later(minutes=10)])
    over = time.monotonic() + 0.3

    async def look() -> Status:
        status = await service.look()
        waiting = int(somebody == "waiting" and time.monotonic() < over)
        return status.model_copy(update={"callers": CallersStatus(waiting=waiting)})

    def idle() -> bool:
        assert 0 < playing.left_s() <= 60
        return somebody != "on a line" or time.monotonic() >= over

    begun = time.monotonic()
    playing = Conductor(service.clock, service, idle, look)
    await playing.play([Round(begins=LONG_AGO, until_s=60)], lambda: time.monotonic() - begun)
    assert len(service.placed) == 1
    assert time.monotonic() >= over


@given(st.dates(date(2026, 9, 1), date(2030, 12, 31)))
def test_the_rounds_show_three_bands_on_three_days_the_last_one_a_non_weekday(day: date) -> None:
    evening, morning, weekend = (r.begins for r in rounds_from(day, 300.0))
    assert day <= evening.date() < morning.date() < weekend.date()
    assert [is_non_weekday(m) for m in (evening, morning, weekend)] == [False, False, True]
    assert (evening.hour, morning.hour, weekend.hour) == (17, 9, 12)


@pytest.mark.parametrize(
    ("earliest", "thursday"),
    [
        (date(2026, 9, 24), date(2026, 9, 24)),  # a Thursday
        (date(2026, 9, 25), date(2026, 10, 1)),
        (date(2026, 11, 20), date(2026, 11, 26)),
        # a holiday on Tuesday, 3 November: that week does not suit
        (date(2026, 10, 29), date(2026, 11, 5)),
        # the turn of the year, and Monday, 11 January
        (date(2026, 12, 24), date(2027, 1, 14)),
    ],
)
def test_the_week_is_the_next_without_holidays(earliest: date, thursday: date) -> None:
    assert rounds_from(earliest, 300.0)[0].begins.date() == thursday

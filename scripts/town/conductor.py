"""Makes the calendar jump: from one moment at which something becomes due to the next.

It jumps only while nothing is going on, so that no call ever sees a jump. Rounds keep a long first
band from eating the time in which the later attempts and the weekend are to be seen: a round that
takes too long is paused, its calls end, and the next round begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

import jpholiday

from dialer.clock import JumpClock
from dialer.web.models import CallsInFlight, Status
from rules.calendar import JST

NIGHT = time(21)
"""Nobody is there any more."""
_LOOK_S = 0.2
_QUIET_LOOKS = 8
"""How often in a row nothing may be going on before the calendar jumps: the pacer looks once a
second at the latest."""


def is_non_weekday(moment: datetime) -> bool:
    """Saturday, Sunday or public holiday."""
    return moment.weekday() >= 5 or jpholiday.is_holiday(moment.date())


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One stretch of calling."""

    begins: datetime
    """Calendar time."""
    until_s: float
    """Seconds of the demo's time at which it has to be over."""


def rounds_from(earliest: date, length_s: float) -> tuple[Round, ...]:
    """Thursday evening, Friday morning, Saturday afternoon of the first week that suits.

    Three bands on three days, the last one a non-weekday: three attempts on a phone fit in. The
    week lies ahead of the machine's own calendar, because the calling period of a campaign has to.
    """
    thursday = earliest + timedelta(days=(3 - earliest.weekday()) % 7)
    while not _suits(thursday):
        thursday += timedelta(days=7)
    return tuple(
        Round(
            begins=datetime.combine(thursday + timedelta(days=days), begins, JST),
            until_s=length_s * share,
        )
        # the first round has the most to do: everybody's first call
        for days, begins, share in ((0, time(17, 5), 0.5), (1, time(9), 0.75), (2, time(12), 1.0))
    )


def shifts_of(rounds: Sequence[Round]) -> dict[date, range]:
    """When the operators are at work: in the band of each round."""
    bands = {9: range(9, 12), 12: range(12, 17), 17: range(17, 20)}
    return {one.begins.date(): bands[one.begins.hour] for one in rounds}


def _suits(thursday: date) -> bool:
    week = [thursday + timedelta(days=n) for n in range(7)]
    year_end = any((day.month, day.day) >= (12, 29) or day.timetuple().tm_yday <= 3 for day in week)
    return not year_end and not any(jpholiday.is_holiday(day) for day in week)


class Campaign(Protocol):
    """What the conductor asks of the campaign."""

    async def pause(self) -> None:
        """Place no new call."""
        ...

    async def resume(self) -> None:
        """Place calls again."""
        ...


class Conductor:
    """Plays the rounds."""

    def __init__(
        self,
        clock: JumpClock,
        campaign: Campaign,
        idle: Callable[[], bool],
        look: Callable[[], Awaitable[Status]],
    ) -> None:
        """
        Args:
            idle: whether nobody in the town is on a line.
            look: asks the service how it stands.
        """
        self._clock = clock
        self._campaign = campaign
        self._idle = idle
        self._look = look
        self._left_s: Callable[[], float] = lambda: 0.0

    def left_s(self) -> float:
        """Seconds of the demo's time that are left of the round; 0 before the first."""
        return self._left_s()

    async def play(
        self,
        rounds: Sequence[Round],
        spent_s: Callable[[], float],
        night: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        """Until nothing becomes due any more or the last round's time is over; then no call is in
        flight.

        Args:
            spent_s: seconds of the demo's time so far.
            night: what happens at `NIGHT` of the first round's day; it ends when the next round begins.
        """
        for this, following in zip(rounds, [*rounds[1:], None], strict=True):
            in_time = await self._play_round(this, following, spent_s)
            if not in_time:
                await self._campaign.pause()
                await self._quiet(None)
            if following is None:
                return
            if this is rounds[0]:
                self._jump(datetime.combine(this.begins.date(), NIGHT, JST))
            async with night() if this is rounds[0] else nullcontext():
                self._jump(following.begins)
            if not in_time:
                await self._campaign.resume()

    async def _play_round(
        self, this: Round, following: Round | None, spent_s: Callable[[], float]
    ) -> bool:
        """True: nothing becomes due any more before the following round; False: time is over."""
        self._left_s = lambda: this.until_s - spent_s()
        while self.left_s() > 0:
            status = await self._quiet(self.left_s())
            if status is None:
                return False
            due = [month.next_due for month in status.campaigns if month.next_due is not None]
            if not due or (following is not None and min(due) >= following.begins):
                return True
            self._jump(min(due))
        return False

    async def _quiet(self, within_s: float | None) -> Status | None:
        """Wait until no call is in flight, or about to be placed, and every operator is free; None: not
        within this time."""
        try:
            async with asyncio.timeout(within_s):
                looks = 0
                while True:
                    status = await self._look()
                    looks = looks + 1 if self._nothing_goes_on(status) else 0
                    if looks == _QUIET_LOOKS:
                        return status
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            return None

    def _nothing_goes_on(self, status: Status) -> bool:
        return (
            status.calls == CallsInFlight()
            and self._idle()
            and not status.callers.waiting
            and all(operator.state == "free" for operator in status.operators)
            # on a busy machine pacing may need longer to call them than the looks take
            and not any(month.due for month in status.campaigns if month.state == "running")
        )

    def _jump(self, moment: datetime) -> None:
        if moment > self._clock.now():
            self._clock.jump_to(moment)

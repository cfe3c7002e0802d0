"""When somebody of the town calls us: after a call of ours, once many at a time, and at night."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from itertools import islice

from scripts.town.callers import Caller, Callers, Way
from scripts.town.ledger import Ledger
from scripts.town.people import Kind

STRANGER = "0258009999"
"""A number that is in no file of the city's."""
RETURN_SHARE = 0.12
"""Share of those we called who call back soon, of their own accord."""
RETURNS_AT_MOST = 6
RUSH_WITHIN_S = 75.0
"""So long the rush waits until everybody who belongs to it was called and no operator is free; for those who
were not called it waits while it can."""
RUSH_S = 30.0
"""So long it lasts, with the call to whoever asked for one."""
_RETURN_AFTER_S = (1.0, 4.0)
_AT_LAST_S = 5.0
"""So long before there is no time for the rush any more, whoever is there calls."""
_TALKERS_FIRST_S = 0.5
"""By so much those who talk come earlier: the others find a line."""
_LOOK_S = 0.1
_NOTED_S = 10.0
"""From the end of a call to us until the service has it on record; a night is longer."""
_TOLD_OFTEN = timedelta(seconds=2)
"""What callers get is told anew every second."""

ANSWER_NEXT = (Kind.IN_A_HURRY, Kind.SAYS_WHEN, Kind.BUSY_ONCE)
"""Whose second call is the first with the person: until it they wait for one. The last are also found behind
second numbers, whose case may have ended otherwise."""
# who was called, by what they do then
_RETURNING = (
    Kind.NEVER_ANSWERS,  # a call was missed
    Kind.SUSPENDED,
    Kind.BUSY,
    Kind.TAKES_MESSAGE,  # told by whoever took the message
    Kind.WORKER,
    Kind.QUICK_TO_ANSWER,  # one more question
)
_IMPATIENT = {
    Way.ASKS_BACK: ANSWER_NEXT,
    Way.GIVES_UP: (Kind.WEEKENDER, Kind.DAYTIME),
    Way.LEAVES_MESSAGE: (Kind.MACHINE,),
}
_AT_NIGHT = (Kind.DAYTIME, Kind.WEEKENDER, Kind.NEVER_ANSWERS)


class Occasions:
    """Makes people call us."""

    def __init__(
        self,
        callers: Callers,
        ledger: Ledger,
        references: dict[str, str],
        all_busy: Callable[[], Awaitable[bool]],
        left_s: Callable[[], float],
        told: Callable[[], datetime | None],
        noted: Callable[[], Awaitable[bool]],
        now: Callable[[], datetime],
        operators: int,
        seed: int,
    ) -> None:
        """
        Args:
            references: 整理番号 by number.
            all_busy: whether no operator is free.
            left_s: seconds until no call of ours is placed any more for a while.
            told: of what moment it is known what callers get; None: of none.
            noted: whether the service has written down every call to us, and what follows from it.
        """
        self._callers = callers
        self._ledger = ledger
        self._references = references
        self._all_busy = all_busy
        self._left_s = left_s
        self._told = told
        self._noted = noted
        self._now = now
        self._operators = operators
        self._chance = random.Random(f"{seed} callers")
        self._settled: set[int] = set()
        """Calls of ours after which it was settled who calls back, by their place in the ledger."""
        self._chosen: set[str] = set()
        """Numbers of those who called us, or will."""
        self._under_way = 0
        self._day = asyncio.Event()
        self._day.set()

    def idle(self) -> bool:
        """Whether nobody is on a line to us, or about to call."""
        return not self._under_way

    async def go_on(self) -> None:
        """By day people call back, now and then, and once many at a time; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._rush())
            returns = 0
            while returns < RETURNS_AT_MOST:
                await asyncio.sleep(_LOOK_S)
                await self._day.wait()
                for number in islice(self._returning(), RETURNS_AT_MOST - returns):
                    returns += 1
                    tasks.create_task(self._return(number))

    @asynccontextmanager
    async def night(self) -> AsyncIterator[None]:
        """Nobody is there: somebody calls whom we did not reach, and somebody who shows no number. Nobody
        calls by day until the block ends."""
        self._day.clear()
        missed = self._take(_AT_NIGHT)
        callers = [Caller(way=Way.LISTENS, number=number) for number in {missed, None}]
        await self._all(callers)
        with suppress(TimeoutError):  # what is not written down then, the checks tell
            async with asyncio.timeout(_NOTED_S):
                while not await self._noted():
                    await asyncio.sleep(_LOOK_S)
        yield
        self._day.set()

    async def _rush(self) -> None:
        """More callers than operators, and three of them do not want to wait."""
        try:
            async with asyncio.timeout(RUSH_WITHIN_S):
                while not (self._everybody_was_called() and await self._all_busy()):
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            pass  # a small town, or a quiet one
        while not self._may_rush():
            await asyncio.sleep(_LOOK_S)
        talkers, impatient = list(self._talkers()), list(self._impatient())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._all(talkers))
            await asyncio.sleep(_TALKERS_FIRST_S)
            tasks.create_task(self._all(impatient))

    def _may_rush(self) -> bool:
        """There is time for it; and everybody is there, or it would be too late soon."""
        left_s = self._left_s()
        in_time = self._day.is_set() and left_s >= RUSH_S
        return in_time and (self._everybody_was_called() or left_s <= RUSH_S + _AT_LAST_S)

    def _talkers(self) -> Iterator[Caller]:
        """One more than there are operators."""
        for _ in range(self._operators - 1):
            if (number := self._take(_RETURNING)) is not None:
                yield Caller(way=Way.TALKS, number=number)
        if (withheld := self._take(_RETURNING)) is not None:
            yield Caller(way=Way.TALKS, number=None, reference=self._references[withheld])
        yield Caller(way=Way.TALKS, number=STRANGER)

    def _impatient(self) -> Iterator[Caller]:
        for way, kinds in _IMPATIENT.items():
            if (number := self._take(kinds)) is not None:
                yield Caller(way=way, number=number)

    async def _return(self, number: str) -> None:
        self._under_way += 1
        try:
            await asyncio.sleep(self._chance.uniform(*_RETURN_AFTER_S))
            await self._all([Caller(way=Way.TALKS, number=number)])
        finally:
            self._under_way -= 1

    async def _all(self, callers: Sequence[Caller]) -> None:
        """They call at the same time; until all calls are over."""
        self._under_way += 1
        try:
            while (told := self._told()) is None or self._now() - told > _TOLD_OFTEN:
                await asyncio.sleep(_LOOK_S)  # the calendar jumped just now
            await asyncio.gather(*map(self._callers.call, callers))
        finally:
            self._under_way -= 1

    # who was called -----------------------------------------------------------------------------

    def _returning(self) -> Iterator[str]:
        """Numbers of those who call back after calls that ended just now."""
        for place, call in enumerate(self._ledger.calls):
            if call.ended is None or place in self._settled:
                continue
            self._settled.add(place)
            if self._chance.random() < RETURN_SHARE and call.number in self._called(_RETURNING):
                self._chosen.add(call.number)
                yield call.number

    def _everybody_was_called(self) -> bool:
        return all(self._called(kinds) for kinds in (_RETURNING, *_IMPATIENT.values()))

    def _take(self, kinds: Sequence[Kind]) -> str | None:
        """Somebody of these kinds whom we called; the first kinds first."""
        number = next(iter(self._called(kinds)), None)
        if number is not None:
            self._chosen.add(number)
        return number

    def _called(self, kinds: Sequence[Kind]) -> list[str]:
        """Numbers of these kinds with an ended call of ours, that did not call us yet."""
        ended = dict.fromkeys(
            (call.number, call.kind) for call in self._ledger.calls if call.ended is not None
        )
        free = [
            (number, kind)
            for number, kind in ended
            if number not in self._chosen
            # who was reached asks for no call, and gets none
            and (kind not in ANSWER_NEXT or self._ledger.next_call(number) == 2)
        ]
        return [number for wanted in kinds for number, kind in free if kind is wanted]

"""People answer our calls in the same instant as others call us: who gets an operator, what of the others?

Each run: some operators are free and as many telephones ring. Then all are picked up and one or two callers
come, within some hundredths of a second. Who is abandoned is called again, with an operator kept for it.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from db import pacing
from db.campaigns import CampaignState
from db.tables import Attempt, AttemptChange, Callback, CallbackChange, PhoneRow
from rules import call_state, callback_state
from tests.asterisk import tones
from tests.asterisk.phone import Call
from tests.service.front import Caller, Front
from tests.service.rig import MONDAY, Screen

OPERATORS = 3
SAME_INSTANT_S = 0.06
_AHEAD_S = 0.03
"""From dialling us until one waits."""
_RUN_S = 120.0
_TALK_S = (0.6, 3.5)
"""So that who waits often does so longer than the patience."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One call or callback as it is on record."""

    number: str
    changes: tuple[tuple[str, datetime, str | None], ...]
    """State, since when, operator."""
    reserved: bool = False
    """It was placed for a person we had abandoned, with an operator kept for it."""

    def entered(self, state: str) -> datetime | None:
        """When it came to a state for the first time; None: never."""
        return next((at for one, at, _ in self.changes if one == state), None)

    def times(self, state: str) -> int:
        """How often it came to a state."""
        return sum(one == state for one, _, _ in self.changes)

    def waited_at(self, moment: datetime) -> bool:
        """Whether it waited for an operator then."""
        return any(
            state == callback_state.State.WAITING and began < moment < ended
            for (state, began, _), (_, ended, _) in pairwise(self.changes)
        )

    def talks(self) -> list[tuple[str, datetime, datetime]]:
        """Operator, beginning, end."""
        return [
            (operator or "", began, ended)
            for (state, began, operator), (_, ended, _) in pairwise(self.changes)
            if state == callback_state.State.TALKING
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Race:
    """What one run came to."""

    operators: int
    callers: int
    called: int
    abandoned: int
    after_s: float
    """How much later than a caller a person we called began to wait (less than 0: earlier), at the least."""
    broken: list[str]


@dataclass
class Course:
    """Where the races are run."""

    centre: Front
    chance: random.Random
    legs: list[tuple[str, Call]] = field(default_factory=list)
    """Every call of ours that arrived, by number."""
    abandoned: int = 0
    _numbers: int = 0

    async def run(self) -> Race:
        """One race; returns when everybody has talked."""
        count = self.chance.randint(1, OPERATORS)
        screens = self.centre.rig.screens[:count]
        numbers = [f"02581{self._numbers + n:05}" for n in range(count)]
        self._numbers += count
        self.legs.clear()
        self.centre.told.clear()
        await self.centre.rig.add_cases(*([number] for number in numbers))
        for screen in screens:
            (await screen.post("ready")).raise_for_status()
        await self.centre.rig.set_campaign(CampaignState.RUNNING)
        ringing = [await self._rings() for _ in range(count)]
        beside = [self.centre.start(job) for job in (self._take_calls(), *map(self._work, screens))]
        picked_up = [self.centre.start(self._pick_up(call)) for call in ringing]
        dialled = [self.centre.start(self._dials()) for _ in range(self.chance.randint(1, 2))]
        try:
            await asyncio.gather(*picked_up)
            callers = await asyncio.gather(*dialled)
            await self._until(lambda: self._over(callers, numbers))
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self.centre.rig.set_campaign(CampaignState.PAUSED)
        race = await self._judge(count, callers, numbers)
        for screen in screens:
            await screen.post("pause")
        return race

    # what everybody does -------------------------------------------------------------------------

    async def _rings(self) -> Call:
        call = await self.centre.rig.carrier.called()
        self._note(call)
        call.respond("180 Ringing")
        return call

    def _note(self, call: Call) -> None:
        found = re.search(r"sip:(\d+)@", call.invite.start)
        assert found
        self.legs.append((found[1], call))

    async def _pick_up(self, call: Call) -> None:
        await asyncio.sleep(_AHEAD_S + self.chance.uniform(0.0, SAME_INSTANT_S))
        call.answer()

    async def _dials(self) -> Caller:
        await asyncio.sleep(self.chance.uniform(0.0, SAME_INSTANT_S))
        return await self.centre.answered()

    async def _take_calls(self) -> None:
        """Who was abandoned picks up again."""
        while True:
            call = await self.centre.rig.carrier.called(within_s=1e6)
            self._note(call)
            call.respond("180 Ringing")
            await asyncio.sleep(self.chance.uniform(0.05, 0.3))
            call.answer()

    async def _work(self, screen: Screen) -> None:
        """An operator: talks for a while, ends it, says what came of it."""
        me = await screen.me()
        while True:
            call, caller = me["call"], me["callback"]
            if me["state"] == "talking" and (call or caller):
                await asyncio.sleep(self.chance.uniform(*_TALK_S))
                await screen.post("hangup")
                await screen.until("after_call_work", "paused")
            elif me["state"] == "after_call_work" and caller is not None:
                closed = {"callback_id": caller["callback_id"], "kind": "other", "note": ""}
                await screen.post("callback/close", closed)
            elif me["state"] == "after_call_work" and call is not None:
                done = {"outcome": "person_done", "script_finished": True}
                await screen.post("result", {"attempt_id": call["attempt_id"], **done})
            else:
                await screen.http.get("/api/me", params={"since": me["rev"], "wait": 2})
            me = await screen.me()

    async def _until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(_RUN_S):
            while not await holds():
                await asyncio.sleep(0.05)

    async def _over(self, callers: list[Caller], numbers: list[str]) -> bool:
        """Everybody has talked, nothing is on the line, and nobody owes anything."""
        if not all(caller.line and caller.line.ended.is_set() for caller in callers):
            return False
        if not all(call.ended.is_set() for _, call in self.legs):
            return False
        calls = await self._calls(numbers)
        ended = call_state.State.ENDED
        if not all(call.entered(ended) for call in calls):
            return False
        talked = {call.number for call in calls if call.entered(call_state.State.TALKING)}
        states = [(await screen.me())["state"] for screen in self.centre.rig.screens]
        return talked == set(numbers) and set(states) <= {"free", "paused"}

    # what must hold ------------------------------------------------------------------------------

    async def _judge(self, operators: int, callers: list[Caller], numbers: list[str]) -> Race:
        calls = await self._calls(numbers)
        callbacks = await self._callbacks({caller.number for caller in callers})
        lost = [call for call in calls if not call.entered(call_state.State.TALKING)]
        self.abandoned += len(lost)
        broken = [
            *self._heard_otherwise(callers, calls),
            *_unserved(callers, callbacks),
            *_called_wrongly(calls),
            *_out_of_turn(calls, callbacks),
            *_twice_at_once([*calls, *callbacks]),
        ]
        async with self.centre.rig.sessions.read() as session:
            counted = await pacing.day_counts(session, MONDAY.replace(hour=0))
        if counted.abandoned != self.abandoned:
            broken.append(f"{counted.abandoned} counted as abandoned, {self.abandoned} were")
        return Race(
            operators=operators,
            callers=len(callers),
            called=len(numbers),
            abandoned=len(lost),
            after_s=_after_s(calls, callbacks),
            broken=broken,
        )

    def _heard_otherwise(self, callers: list[Caller], calls: list[Side]) -> list[str]:
        """The record against what was heard at the other end."""
        found = ["a caller heard no operator" for one in callers
                 if tones.OPERATOR_HZ not in one.tones()]  # fmt: skip
        for number in {number for number, _ in self.legs}:
            of = [call for call in calls if call.number == number]
            legs = [call for one, call in self.legs if one == number]
            if len(of) != len(legs):
                found.append(f"{len(of)} attempts, {len(legs)} calls")
                continue
            for call, leg in zip(of, legs, strict=True):
                heard = tones.heard_in_turn(leg.heard)
                talked = call.entered(call_state.State.TALKING) is not None
                if (tones.OPERATOR_HZ in heard) != talked:
                    found.append(f"talk on record: {talked}, heard: {not talked}")
                if (tones.COURTESY_HZ in heard) == talked:
                    found.append(f"abandoned on record: {not talked}, courtesy heard: {talked}")
        return found

    async def _calls(self, numbers: list[str]) -> list[Side]:
        """In the order in which they were placed."""
        async with self.centre.rig.sessions.read() as session:
            query = select(Attempt.id, PhoneRow.number).join(
                PhoneRow, PhoneRow.id == Attempt.phone_id
            )
            rows = await session.execute(query.order_by(Attempt.placed_at))
            of = {row.id: row.number for row in rows if row.number in numbers}
            ordered = select(AttemptChange).order_by(AttemptChange.seq)
            changes = _by(await session.scalars(ordered), "attempt_id")
        earlier: set[str] = set()
        found = []
        for attempt, number in of.items():
            found.append(
                Side(number=number, changes=changes.get(attempt, ()), reserved=number in earlier)
            )
            earlier.add(number)
        return found

    async def _callbacks(self, numbers: set[str]) -> list[Side]:
        """In the order in which they arrived."""
        async with self.centre.rig.sessions.read() as session:
            rows = await session.scalars(select(Callback).order_by(Callback.arrived_at))
            of = {row.id: row.number for row in rows if row.number in numbers}
            ordered = select(CallbackChange).order_by(CallbackChange.seq)
            changes = _by(await session.scalars(ordered), "callback_id")
        return [Side(number=number, changes=changes.get(one, ())) for one, number in of.items()]


def _by(changes: Any, key: str) -> dict[str, tuple[tuple[str, datetime, str | None], ...]]:
    found: dict[str, tuple[tuple[str, datetime, str | None], ...]] = {}
    for change in changes:
        of = getattr(change, key)
        found[of] = (*found.get(of, ()), (change.state, change.at, change.operator_id))
    return found


def _unserved(callers: list[Caller], callbacks: list[Side]) -> list[str]:
    if len(callbacks) != len(callers):
        return [f"{len(callbacks)} callbacks of {len(callers)} callers"]
    talking, ended = callback_state.State.TALKING, callback_state.State.ENDED
    return [
        f"a caller had {one.times(talking)} talks and {one.times(ended)} ends"
        for one in callbacks
        if (one.times(talking), one.times(ended)) != (1, 1)
    ]


def _called_wrongly(calls: list[Side]) -> list[str]:
    """Each person talks once; whoever is abandoned is called once more, with an operator kept."""
    found = []
    for number in {call.number for call in calls}:
        talked = [
            call.entered(call_state.State.TALKING) is not None
            for call in calls
            if call.number == number
        ]
        if talked not in ([True], [False, True]):
            found.append(f"a person's calls, connected or not: {talked}")
    return found


def _out_of_turn(calls: list[Side], callbacks: list[Side]) -> list[str]:
    found = []
    joining = call_state.State.JOINING
    for call in calls:
        assigned = call.entered(joining)
        if assigned and not call.reserved and any(one.waited_at(assigned) for one in callbacks):
            found.append("an operator got a person we called while a caller waited")
    for place, caller in enumerate(callbacks):
        assigned = caller.entered(callback_state.State.JOINING)
        if assigned and any(one.waited_at(assigned) for one in callbacks[:place]):
            found.append("a caller was served before one who had arrived earlier")
    return found


def _twice_at_once(sides: list[Side]) -> list[str]:
    talks = sorted(talk for side in sides for talk in side.talks())
    return [
        "an operator in two talks at once"
        for (one, _, ended), (next_, began, _) in pairwise(talks)
        if one == next_ and began < ended
    ]


def _after_s(calls: list[Side], callbacks: list[Side]) -> float:
    answered = [call.entered(call_state.State.WAITING) for call in calls if not call.reserved]
    waiting = [one.entered(callback_state.State.WAITING) for one in callbacks]
    apart = ((a - w).total_seconds() for a in answered for w in waiting if a and w)
    return min(apart, key=abs)

"""A part of the centre is killed at a stage of a callback: what does the caller hear, what is on record?"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from sqlalchemy import select

from db.tables import CallbackMessage, CalledBack
from dialer.ami import contract
from rules.callback_state import State
from tests.asterisk import tones
from tests.service.front import Caller, Front, Part, settle
from tests.service.rig import Screen

HEARS_WITHIN_S = 2.0
"""From dialling to the first sound."""
SILENT_AT_MOST_S = contract.ASK_AGAIN_S + contract.ANSWER_WITHIN_S + 1.0
"""While waiting callers are told something every ten seconds."""
RECORD_S = 60.0
"""After everything is there again the callback is on record within this."""
EVENING_H = 11
"""So many hours later the centre is closed."""
_STALE_S = 6.0


class Stage(StrEnum):
    """Where the callback is when something is killed."""

    ARRIVING = "arriving"
    ASKED = "asked"
    WAITING = "waiting"
    JOINING = "joining"
    TALKING = "talking"
    QUEUE = "own queue"
    RECORDING = "recording"
    GUIDANCE = "guidance"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wreck:
    """What one run came to."""

    stage: Stage
    part: Part
    first_sound_s: float | None
    silent_s: float
    states: list[str]
    broken: list[str]
    """What does not hold, however slow the machine is."""
    late: list[str]
    """What took longer than it may."""


ALL = list(product(Stage, Part))
"""Every part, at every stage; guidance last: the centre's clock cannot go back."""


@dataclass
class Wrecker:
    """Does one thing after the other to a centre with one operator."""

    centre: Front
    chance: random.Random

    @property
    def screen(self) -> Screen:
        """The operator's."""
        return self.centre.rig.screens[0]

    async def run(self, stage: Stage, part: Part) -> Wreck:
        """Call, kill, repair, and look at what came of it."""
        centre = self.centre
        centre.told.clear()
        caller = await _STAGES[stage](self, part)
        # half of them hang up while the part is dead
        waits = self.chance.random() < 0.5
        await asyncio.sleep(self.chance.uniform(1.0, 2.5))
        if not waits:
            self._hang_up(caller)
        await centre.repair()
        await self._serve(caller)
        self._hang_up(caller)
        broken = await self._untrue(caller)
        await self._tidy()
        if self._still_there(caller):
            broken.append("the line is still there")
        first, silent_s, late = caller.first_sound_s, caller.longest_silence_s(), []
        if first is None:
            broken.append("nothing was ever heard")
        elif first > HEARS_WITHIN_S:
            late.append(f"nothing was heard for {first:.1f} s")
        if silent_s > SILENT_AT_MOST_S:
            late.append(f"silence of {silent_s:.1f} s")
        [states] = await centre.states(caller) or [[]]
        return Wreck(
            stage=stage, part=part, first_sound_s=first, silent_s=silent_s, states=states,
            broken=broken, late=late,
        )  # fmt: skip

    async def evening(self) -> None:
        """Go to a time when the centre is closed."""
        await self.centre.kill(Part.DIALER)
        self.centre.go_to(self.centre.moment.replace(hour=self.centre.moment.hour + EVENING_H))
        await self.centre.repair()

    # the stages --------------------------------------------------------------------------------

    async def _arriving(self, part: Part) -> Caller:
        kill = self.centre.start(self._kill_after(self.chance.uniform(0.0, 0.03), part))
        caller, call = self.centre.call_us()
        await asyncio.gather(kill, call)
        return caller

    async def _asked(self, part: Part) -> Caller:
        self.centre.hold_answerer()
        caller, call = self.centre.call_us()
        await self.centre.stage(caller, contract.STAGE_ARRIVED)
        await self.centre.kill(part)
        if part is not Part.ANSWERER:
            await asyncio.sleep(self.chance.uniform(0.0, 0.5))
            self.centre.let_answerer_go()
        await call
        return caller

    async def _waiting(self, part: Part) -> Caller:
        caller = await self._in_line()
        await asyncio.sleep(self.chance.uniform(0.0, 1.5))
        await self.centre.kill(part)
        return caller

    async def _joining(self, part: Part) -> Caller:
        caller = await self._in_line()
        ready = self.centre.start(self.screen.post("ready"))
        await self.centre.stage(caller, contract.STAGE_JOINING)
        await self.centre.kill(part)
        await asyncio.gather(ready, return_exceptions=True)
        return caller

    async def _talking(self, part: Part) -> Caller:
        caller = await self._in_line()
        await self.screen.post("ready")
        await self._hears_operator(caller)
        await self.centre.kill(part)
        await self._hears_operator(caller)
        return caller

    async def _queue(self, part: Part) -> Caller:
        """Asterisk's own queue: waiting behind another caller, or talking."""
        centre = self.centre
        if part is Part.ANSWERER:
            await centre.kill(Part.DIALER)
            await asyncio.sleep(
                _STALE_S
            )  # it is told by the board's age, and there is nothing to see
        else:
            await centre.kill(Part.ANSWERER)
        first = await centre.answered()
        await self._hears_operator(first)
        caller = first
        if self.chance.random() < 0.5:
            caller = await centre.answered()
            await centre.stage(caller, contract.STAGE_ALONE)
            await asyncio.sleep(self.chance.uniform(0.0, 1.0))
        await centre.kill(part)
        if caller is not first:
            await asyncio.sleep(1.0)
            self._hang_up(first)
        return caller

    async def _recording(self, part: Part) -> Caller:
        caller = await self._in_line()
        assert caller.line is not None
        caller.line.press("2")
        await caller.line.hears(tones.BEEP_HZ)
        caller.line.speaks = tones.PERSON_HZ
        await asyncio.sleep(self.chance.uniform(0.5, 1.0))
        await self.centre.kill(part)
        await asyncio.sleep(0.5)
        caller.line.press("#")
        await caller.line.hears(tones.MESSAGE_TAKEN_HZ)
        return caller

    async def _guidance(self, part: Part) -> Caller:
        caller = await self.centre.answered()
        assert caller.line is not None
        await caller.line.hears(tones.GUIDANCE_HZ)
        await self.centre.kill(part)
        return caller

    # how ---------------------------------------------------------------------------------------

    async def _kill_after(self, seconds: float, part: Part) -> None:
        await asyncio.sleep(seconds)
        await self.centre.kill(part)

    async def _in_line(self) -> Caller:
        caller = await self.centre.answered()
        assert caller.line is not None
        await caller.line.hears(tones.WAIT_HZ)
        await self.centre.stage(caller, contract.STAGE_WAITING)
        return caller

    @staticmethod
    async def _hears_operator(caller: Caller) -> None:
        assert caller.line is not None
        await caller.line.hears(tones.OPERATOR_HZ)
        await asyncio.sleep(0.3)  # long enough to be found again in all that was heard

    async def _serve(self, caller: Caller) -> None:
        """The operator is there for whoever still waits."""
        not_waiting = {tones.LEAVE_MESSAGE_HZ, tones.GUIDANCE_HZ} & set(caller.tones())
        if not_waiting or not self._still_there(caller):
            return
        me = await self.screen.me()
        if me["state"] == "paused" and me["callback"] is None:
            await self.screen.post("ready")
        await self._hears_operator(caller)

    @staticmethod
    def _still_there(caller: Caller) -> bool:
        return caller.line is not None and not caller.line.ended.is_set()

    def _hang_up(self, caller: Caller) -> None:
        if self._still_there(caller):
            assert caller.line is not None
            caller.line.hang_up()

    async def _tidy(self) -> None:
        """Nobody is on the line, nothing is owed, and everything is there."""
        await self.centre.repair()
        self.centre.rig.carrier.forget()
        self.screen.leg = await self.centre.rig.house.nailed_up(self.screen.id)
        self.screen.leg.speaks = tones.OPERATOR_HZ
        await settle(self.screen)

    async def _untrue(self, caller: Caller) -> list[str]:
        """What is not on record as it was, once it could be."""
        until = time.monotonic() + RECORD_S
        broken = await self._not_on_record(caller)
        while broken and time.monotonic() < until:
            await asyncio.sleep(0.1)
            broken = await self._not_on_record(caller)
        return broken

    async def _not_on_record(self, caller: Caller) -> list[str]:
        found = await self.centre.states(caller)
        if len(found) != 1:
            return [f"{len(found)} callbacks on record"]
        [states] = found
        if not states or states.count(State.ENDED.value) != 1 or states[-1] != State.ENDED.value:
            return [f"not one end: {states}"]
        heard = caller.tones()
        if tones.OPERATOR_HZ in heard and State.TALKING.value not in states:
            return ["a talk is not on record"]
        # a caller whose talk was cut waits again
        talked = states[-2:] == [State.TALKING.value, State.ENDED.value]
        if talked and tones.OPERATOR_HZ not in heard:
            return ["a talk on record was none"]
        arrived = next(e for e in self.centre.told if e.number == caller.number)
        async with self.centre.rig.sessions.read() as session:
            message = await session.get(CallbackMessage, arrived.callback)
            query = select(CalledBack).where(CalledBack.callback_id == arrived.callback)
            to_call = await session.scalar(query)
        broken = []
        if (message is None) == (tones.MESSAGE_TAKEN_HZ in heard):
            broken.append("a message that was taken is not on record, or the other way round")
        if (to_call is None) != talked:
            broken.append("who reached nobody is not to be called, or the other way round")
        return broken


_STAGES: dict[Stage, Callable[[Wrecker, Part], Awaitable[Caller]]] = {
    Stage.ARRIVING: Wrecker._arriving,
    Stage.ASKED: Wrecker._asked,
    Stage.WAITING: Wrecker._waiting,
    Stage.JOINING: Wrecker._joining,
    Stage.TALKING: Wrecker._talking,
    Stage.QUEUE: Wrecker._queue,
    Stage.RECORDING: Wrecker._recording,
    Stage.GUIDANCE: Wrecker._guidance,
}

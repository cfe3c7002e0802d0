"""Callers on a real Asterisk: is everybody served in turn, and how soon after an operator is free?

    .venv/bin/python -m scripts.bench.callbacks [crowd | soon] [--callers 30 | 1000] [--operators 3 | 5]

`crowd`: callers who come at once. Some give up, ask to be called back or leave a message; the others stay.
Exit status 0: each is on record with an end, nobody was joined twice, and who stayed was served in order of
arrival. `soon`: the line is never empty, and each time an operator saves what came of a call it is measured
how long it takes until the first in line is joined with them (Asterisk's time stamp; one machine, one clock).
Exit status 0: as above, and p99 of that is at most 300 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import select

from db.tables import Callback, CallbackChange
from rules.callback_end import CameTo, came_to
from rules.callback_state import WAITS, State
from scripts.bench.centre import Centre, caller_number, centre, until
from scripts.bench.connect import joined
from scripts.bench.figures import machine, percentile, spread
from scripts.bench.robots import Served, Server, screen
from scripts.bench.sipp import Message
from scripts.town.rehearsal import going_on

AIM_S = 0.300
"""p99 from a saved result to the next caller being joined."""
AT_ONCE_S = 1.0
"""So long it takes all of a crowd to arrive."""
SAME_S = 0.1
"""Who arrives, or is joined, within this counts as doing so in the same moment."""
IN_LINE = 30
"""Callers on the line while it is measured how soon the next is joined."""
_TALK_S = (0.3, 0.8)
_CROWD_TALK_S = (0.5, 1.5)
_WAYS = ("stays",) * 7 + ("leaves", "asks", "message")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """One callback as it is on record."""

    id: str
    number: str | None
    arrived_at: datetime
    changes: tuple[tuple[State, datetime], ...]

    @property
    def states(self) -> list[State]:
        """All it went through."""
        return [state for state, _ in self.changes]

    def entered(self, state: State) -> datetime | None:
        """When it came to a state for the first time; None: never."""
        return next((at for one, at in self.changes if one is state), None)

    def waited_at(self, moment: datetime) -> bool:
        """Whether it was in the line at this moment."""
        return any(
            state in WAITS and began < moment < ended
            for (state, began), (_, ended) in pairwise(self.changes)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What one run came to."""

    ways: Sequence[str]
    recorded: list[Recorded]
    """In order of arrival."""
    joined: dict[str, float]
    """When each callback was joined with an operator for the first time, by Asterisk's time stamp."""
    served: list[Served]
    invited: dict[str, float]
    """When each number called, by SIPp's clock."""


async def run(
    ways: Sequence[str],
    operators: int,
    *,
    rate: float,
    at_once: int | None,
    talk_s: tuple[float, float],
) -> Outcome:
    """Have them call, and serve them until all have ended."""
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(centre(operators, lines=len(ways) // 5 + 60))
        file = made.folder / "joined"
        stack.enter_context(made.legs())
        stack.enter_context(made.answerer())
        stack.enter_context(made.dialer("--screens", "--joined", str(file)))
        await made.operators_ready()
        robots = [
            Server(one, await stack.enter_async_context(screen(made.settings.http.port, one)),
                   talk_s, random.Random(one))
            for one in made.settings.operators.extensions()
        ]  # fmt: skip
        async with going_on(robot.work() for robot in robots):
            callers = stack.enter_context(made.callers(ways, rate=rate, at_once=at_once))

            async def all_over() -> bool:
                ended = [one for one in await _recorded(made) if State.ENDED in one.states]
                return len(ended) >= len(ways) and not callers.running()

            longest_s = len(ways) * (talk_s[1] + 1.0) / operators
            await until(all_over, "the last caller", within_s=60 + longest_s)
        messages = callers.messages()
        return Outcome(
            ways=ways,
            recorded=await _recorded(made),
            joined=joined(file),
            served=[one for robot in robots for one in robot.served],
            invited=_invited(messages),
        )


async def _recorded(made: Centre) -> list[Recorded]:
    async with made.sessions.read() as session:
        rows = list(await session.scalars(select(Callback).order_by(Callback.arrived_at)))
        changes: dict[str, list[tuple[State, datetime]]] = {row.id: [] for row in rows}
        query = select(CallbackChange).order_by(CallbackChange.callback_id, CallbackChange.seq)
        for change in await session.scalars(query):
            changes.setdefault(change.callback_id, []).append((State(change.state), change.at))
    return [
        Recorded(
            id=row.id,
            number=row.number,
            arrived_at=row.arrived_at,
            changes=tuple(changes[row.id]),
        )
        for row in rows
    ]


def _invited(messages: list[Message]) -> dict[str, float]:
    found: dict[str, float] = {}
    for message in messages:
        if message.sent and message.start.startswith("INVITE "):
            # SIPp counts its calls from 1 on
            number = caller_number(int(message.call_id.partition("-")[0]) - 1)
            found.setdefault(number, message.at)
    return found


# what must hold -----------------------------------------------------------------------------------

_MAY: dict[str, frozenset[CameTo]] = {
    "stays": frozenset({CameTo.TALKED}),
    "leaves": frozenset({CameTo.TALKED, CameTo.GAVE_UP}),
    "asks": frozenset({CameTo.TALKED, CameTo.ASKED_BACK}),
    "message": frozenset({CameTo.TALKED, CameTo.MESSAGE}),
}


def ends(outcome: Outcome) -> Counter[tuple[str, str]]:
    """How often each way of calling came to what."""
    return Counter((way, _came_to(one).value) for way, one in _by_way(outcome) if one is not None)


def faults(outcome: Outcome) -> list[str]:
    """Promises that did not hold; no numbers."""
    return [*_lost(outcome), *_twice(outcome), *_out_of_turn(outcome)]


def _by_way(outcome: Outcome) -> list[tuple[str, Recorded | None]]:
    of = {one.number: one for one in outcome.recorded}
    return [(way, of.get(caller_number(n))) for n, way in enumerate(outcome.ways)]


def _came_to(one: Recorded) -> CameTo:
    # nobody says anything here: who was asked for a message counts as having left one
    return came_to(one.states, left_message=State.RECORDING in one.states)


def _lost(outcome: Outcome) -> list[str]:
    found = []
    if len(outcome.recorded) != len(outcome.ways):
        found.append(f"{len(outcome.recorded)} callbacks of {len(outcome.ways)} calls")
    for way, one in _by_way(outcome):
        if one is None:
            found.append("a caller is not on record")
        elif one.states.count(State.ENDED) != 1 or one.states[-1] is not State.ENDED:
            found.append("a callback has not one end")
        elif _came_to(one) not in _MAY[way]:
            found.append(f"who {way} came to {_came_to(one)}")
    return found


def _twice(outcome: Outcome) -> list[str]:
    times = Counter(one.callback for one in outcome.served)
    found = [f"a caller was on {n} screens" for n in times.values() if n > 1]
    talked = {one.id for one in outcome.recorded if State.TALKING in one.states}
    found += ["a talk of more than one" for one in outcome.recorded
              if one.states.count(State.TALKING) > 1]  # fmt: skip
    if not talked == set(times) == set(outcome.joined):
        found.append(
            f"{len(talked)} talks on record, {len(times)} on screens, {len(outcome.joined)} joined"
        )
    return found


def _out_of_turn(outcome: Outcome) -> list[str]:
    """By the record, and by what the callers and Asterisk say."""
    found = []
    for one in outcome.recorded:
        assigned = one.entered(State.JOINING)
        found += [
            "somebody was served before one who had arrived earlier"
            for other in outcome.recorded
            if assigned and other.arrived_at < one.arrived_at and other.waited_at(assigned)
        ]
    stayed = [one for way, one in _by_way(outcome) if one is not None and way == "stays"]
    in_turn = sorted(
        (outcome.joined[one.id], outcome.invited[one.number or ""])
        for one in stayed
        if one.id in outcome.joined
    )
    for place, (joined_at, invited) in enumerate(in_turn):
        # two who are joined at once with two operators may overtake each other by a moment
        overtaken = [
            joined_at - earlier
            for earlier, other in in_turn[:place]
            if invited < other - SAME_S and joined_at - earlier > SAME_S
        ]
        if overtaken:
            found.append(f"joined {max(overtaken):.1f} s after one who had called later")
    return found


def waits(outcome: Outcome) -> tuple[list[float], list[float]]:
    """Seconds from a saved result, as it was sent and as it was answered, to the same operator being joined
    with the next caller; only where somebody was waiting already."""
    of = {one.id: one for one in outcome.recorded}
    sent, answered = [], []
    by_operator: dict[str, list[Served]] = {}
    for one in sorted(outcome.served, key=lambda one: one.sent_at):
        by_operator.setdefault(one.operator, []).append(one)
    for turns in by_operator.values():
        for before, after in pairwise(turns):
            called = outcome.invited[of[after.callback].number or ""]
            if called + 2 * SAME_S < before.sent_at:
                sent.append(outcome.joined[after.callback] - before.sent_at)
                answered.append(outcome.joined[after.callback] - before.saved_at)
    return sent, answered


# the two runs -------------------------------------------------------------------------------------


async def crowd(callers: int, operators: int, seed: int = 1) -> Outcome:
    """All come within a second."""
    ways = [_WAYS[n % len(_WAYS)] for n in range(callers)]
    random.Random(seed).shuffle(ways)
    rate = callers / AT_ONCE_S
    return await run(ways, operators, rate=rate, at_once=None, talk_s=_CROWD_TALK_S)


async def soon(callers: int, operators: int) -> Outcome:
    """There is always somebody in line."""
    return await run(["stays"] * callers, operators, rate=20, at_once=IN_LINE, talk_s=_TALK_S)


def tell_crowd(outcome: Outcome) -> bool:
    """Print what it came to; whether everything held."""
    told = ", ".join(f"{way} → {end} {n}" for (way, end), n in sorted(ends(outcome).items()))
    broken = faults(outcome)
    print(f"{len(outcome.ways)} callers at once: {told}   ({machine()})")
    for fault, times in Counter(broken).items():
        print(f"BROKEN {times} times: {fault}")
    return not broken


def tell_soon(outcome: Outcome) -> bool:
    """Print the figures; whether everything held."""
    sent, answered = waits(outcome)
    held = percentile(sent, 0.99) <= AIM_S
    print(
        f"{len(sent)} times, from the result being sent to the next caller joined: {spread(sent)}"
    )
    print(f"{'':{len(str(len(sent)))}} from it being answered: {spread(answered)}")
    print(
        f"aim p99 of the first <= {AIM_S * 1000:.0f} ms: {'met' if held else 'missed'}"
        f"   ({machine()})"
    )
    return tell_crowd(outcome) and held


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("crowd", "soon"))
    parser.add_argument("--callers", type=int, help="default: 30, or 1,000 for `soon`")
    parser.add_argument("--operators", type=int, help="default: 3, or 5 for `soon`")
    asked = parser.parse_args()
    if asked.what == "crowd":
        outcome = asyncio.run(crowd(asked.callers or 30, asked.operators or 3))
        sys.exit(0 if tell_crowd(outcome) else 1)
    outcome = asyncio.run(soon(asked.callers or 1000, asked.operators or 5))
    sys.exit(0 if tell_soon(outcome) else 1)


if __name__ == "__main__":
    main()

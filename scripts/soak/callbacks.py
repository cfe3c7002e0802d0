"""Disturb a centre that is called, again and again, and count what callers heard and what is on record.

    python -m scripts.soak.callbacks kill [--runs 32] [--seed 1]
    python -m scripts.soak.callbacks race [--runs 100] [--seed 1]

`kill`: the dialer, `yobirin-agi` or PostgreSQL is killed at every stage of a callback. `race`: people answer
our calls in the same instant as others call us. One line per run; exit status 0 only if everything held.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable

from scripts.bench.figures import machine, spread
from tests.service.front import front
from tests.service.races import OPERATORS, Course, Race
from tests.service.wrecks import ALL, Stage, Wreck, Wrecker

RUNS = {"kill": 32, "race": 100}


async def kill(runs: int, seed: int) -> int:
    """Each part at each stage, then by lot; returns the exit status."""
    chance = random.Random(seed)
    plan = [*ALL, *chance.choices(ALL, k=max(0, runs - len(ALL)))][:runs]
    # the evening comes once
    plan.sort(key=lambda one: one[0] is Stage.GUIDANCE)
    found: list[Wreck] = []
    async with front(operators=1) as centre:
        wrecker = Wrecker(centre, chance)
        for number, (stage, part) in enumerate(plan, 1):
            if stage is Stage.GUIDANCE and (not found or found[-1].stage is not Stage.GUIDANCE):
                await wrecker.evening()
            began = time.monotonic()
            try:
                wreck = await wrecker.run(stage, part)
            except (TimeoutError, AssertionError) as error:
                print(f"stuck at {stage}, {part}: {error!r}", *await centre.standing(), sep="\n")
                return 1
            found.append(wreck)
            print(
                f"run {number:3}  {stage:9}  {part:11}  first sound"
                f" {wreck.first_sound_s or -1:4.2f} s  longest silence {wreck.silent_s:5.2f} s"
                f"  took {time.monotonic() - began:4.1f} s  {' '.join(wreck.states)}"
                f"  {'; '.join(wreck.broken + wreck.late)}",
                flush=True,
            )
    firsts = [one.first_sound_s for one in found if one.first_sound_s is not None]
    print(f"\n{len(found)} runs; first sound after at most {max(firsts):.2f} s")
    return _told(fault for one in found for fault in one.broken + one.late)


async def race(runs: int, seed: int) -> int:
    """One race after the other; returns the exit status."""
    found: list[Race] = []
    async with front(OPERATORS, "progressive") as centre:
        course = Course(centre, random.Random(seed))
        for number in range(1, runs + 1):
            began = time.monotonic()
            try:
                one = await course.run()
            except (TimeoutError, AssertionError) as error:
                print(f"stuck in run {number}: {error!r}", *await centre.standing(), sep="\n")
                return 1
            found.append(one)
            print(
                f"run {number:3}  operators {one.operators}  callers {one.callers}  abandoned"
                f" {one.abandoned} of {one.called}  answered {one.after_s * 1000:5.1f} ms later  took"
                f" {time.monotonic() - began:4.1f} s  {'; '.join(one.broken)}",
                flush=True,
            )
    print(
        f"\n{len(found)} races: {sum(one.callers for one in found)} callers, all served;"
        f" {sum(one.called for one in found)} people called,"
        f" {sum(one.abandoned for one in found)} abandoned first and then called with an operator"
        f" kept; a caller was there first {sum(one.after_s > 0 for one in found)} times;"
        f" answer and caller apart {spread([abs(one.after_s) for one in found])}   ({machine()})"
    )
    return _told([fault for one in found for fault in one.broken])


def _told(faults: Iterable[str]) -> int:
    broken = Counter(faults)
    for fault, times in broken.items():
        print(f"BROKEN {times} times: {fault}")
    return 1 if broken else 0


def main() -> int:
    """Run what is asked for; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=sorted(RUNS))
    parser.add_argument("--runs", type=int)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    runs = asked.runs or RUNS[asked.what]
    return asyncio.run({"kill": kill, "race": race}[asked.what](runs, asked.seed))


if __name__ == "__main__":
    raise SystemExit(main())

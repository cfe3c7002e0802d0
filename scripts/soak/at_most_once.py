"""Disturb a running call centre, again and again, and count what the carrier saw.

    python -m scripts.soak.at_most_once --runs 30 --seed 1 [--database postgresql]

One line per run, a table at the end; exit status 0 only if every promise held: no number called twice at
once, no attempt called twice or left without its outcome, no talk cut by a crash of the dialer, dialling
resumed by itself. Times are seconds since what was broken was there again.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections import Counter, defaultdict
from contextlib import nullcontext

from db.upgrade import upgrade
from tests.databases import PostgresServer
from tests.service.chaos import Chaos, Disturbance, Recovery, chaos

RUNS_PER_CENTRE = 8
"""A new centre after this many runs: its numbers, all of one weekday, are used up."""


async def main() -> int:
    """Run; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    asked = parser.parse_args()
    kinds = [
        k for k in Disturbance if asked.database == "postgresql" or k is not Disturbance.POSTGRES
    ]
    chance = random.Random(asked.seed)
    # every kind comes equally often, in a random order
    plan = [kinds[run % len(kinds)] for run in range(asked.runs)]
    chance.shuffle(plan)
    recoveries: defaultdict[Disturbance, list[Recovery]] = defaultdict(list)
    broken: list[str] = []
    invites = 0
    with PostgresServer.running() if asked.database == "postgresql" else nullcontext() as postgres:
        for first in range(0, asked.runs, RUNS_PER_CENTRE):
            url = None
            if postgres is not None:
                name = f"soak_{first}"
                postgres.execute(f"CREATE DATABASE {name}")
                url = postgres.url(name)
                await upgrade(url)
            async with chaos(asked.seed + first, url, postgres) as centre:
                part = plan[first : first + RUNS_PER_CENTRE]
                broken += await _disturb(centre, part, first, recoveries)
                invites += len(centre.legs)
    _report(recoveries, invites, broken)
    return 1 if broken or sum(map(len, recoveries.values())) < asked.runs else 0


async def _disturb(
    centre: Chaos,
    plan: list[Disturbance],
    first: int,
    recoveries: defaultdict[Disturbance, list[Recovery]],
) -> list[str]:
    """Run one centre's share of the plan; returns what broke."""
    try:
        for number, what in enumerate(plan, first + 1):
            await centre.add_numbers(12)
            began = time.monotonic()
            recovery = await centre.run(what)
            recoveries[what].append(recovery)
            print(
                f"run {number:3}  {what.value:18}  ready {recovery.ready_s:5.1f} s  "
                f"dialling {recovery.dialling_s:5.1f} s  settled {recovery.settled_s:5.1f} s  "
                f"took {time.monotonic() - began:5.1f} s  broken {len(centre.broken)}",
                flush=True,
            )
        await centre.finish()
    except TimeoutError as error:
        print(f"stuck: {error}; the dialer's last words:", *centre.last_words(), sep="\n")
        print(*await centre.standing(), *centre.broken, sep="\n", flush=True)
        return [*centre.broken, f"stuck: {error}"]
    return centre.broken


def _report(recoveries: dict[Disturbance, list[Recovery]], invites: int, broken: list[str]) -> None:
    print(
        f"\n{'':18}  runs  {'ready p50/max':>15}  {'dialling p50/max':>16}  {'settled p50/max':>16}"
    )
    for what, times in recoveries.items():
        row = [
            f"{statistics.median(values):.1f} / {max(values):.1f} s"
            for values in (
                [one.ready_s for one in times],
                [one.dialling_s for one in times],
                [one.settled_s for one in times],
            )
        ]
        print(f"{what.value:18}  {len(times):4}  {row[0]:>15}  {row[1]:>16}  {row[2]:>16}")
    print(f"INVITEs at the carrier: {invites}")
    for promise, times_broken in Counter(broken).items():
        print(f"BROKEN {times_broken} times: {promise}")


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))

"""How soon a ringing telephone falls silent after the city's stop order (§8(3)ク: at once; within 1 s).

    .venv/bin/python -m scripts.bench.stop_order [--calls 120]

The order is written as `dialer stop-order add` writes it, by another process than the dialer; the time
runs from before that transaction begins to the CANCEL at the callee, by SIPp's clock (one machine, one
clock). Exit status 0: p99 is at most 1 s, and nothing went on ringing.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from db import references, stops
from db.campaigns import CampaignState
from dialer.refresh import refresh
from scripts.bench.centre import BY, NOW, Centre, centre, until
from scripts.bench.figures import machine, percentile, spread
from scripts.bench.sipp import Message, Sipp

LIMIT_S = 1.0
EVERY_S = 0.1
"""Between two orders: all are given while all telephones ring."""


async def order(made: Centre, reference: str) -> float:
    """Stop the person of this case; returns when it was said, in seconds since the epoch."""
    said = time.time()
    async with made.sessions.write() as session:
        person = await references.person_called(session, reference)
        stopped = await stops.order(session, person, at=NOW, by=BY)
        await refresh(session, stopped, NOW)
    return said


def silenced(messages: list[Message]) -> dict[str, float]:
    """When each number was told to stop ringing, in seconds since the epoch."""
    return {m.number: m.at for m in messages if m.start.startswith("CANCEL ")}


async def ringing(callees: Sipp, calls: int) -> None:
    """Wait until so many telephones ring."""

    async def all_ring() -> bool:
        return sum(m.sent and " 180 " in m.start for m in callees.messages()) >= calls

    await until(all_ring, "every telephone to ring")


async def measure(calls: int) -> list[float]:
    """Seconds from each order to silence."""
    numbers = [f"02581{n:05}" for n in range(calls)]
    async with centre(calls) as made:
        await made.add_cases(numbers)
        with made.legs(), made.callees("ring") as callees, made.dialer():
            await made.operators_ready()
            await made.set_campaign(CampaignState.RUNNING)
            await ringing(callees, calls)
            said: dict[str, float] = {}
            for n, number in enumerate(numbers, 1):
                said[number] = await order(made, f"{n:010}")
                await asyncio.sleep(EVERY_S)
            await asyncio.sleep(2 * LIMIT_S)
            silent = silenced(callees.messages())
    return [silent[number] - at for number, at in said.items() if number in silent]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=120, help="at most 150; default: 120")
    calls = parser.parse_args().calls
    took = asyncio.run(measure(calls))
    print(f"{len(took)} of {calls} fell silent after  {spread(took)}   ({machine()})")
    sys.exit(0 if len(took) == calls and percentile(took, 0.99) <= LIMIT_S else 1)


if __name__ == "__main__":
    main()

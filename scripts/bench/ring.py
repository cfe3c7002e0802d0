"""How long the callee's telephone rings when nobody picks up (§8(5)ア: at least 35 s of ringing).

    .venv/bin/python -m scripts.bench.ring [--calls 102]

SIPp sends its first 180 after 0, 3 or 6 s and never picks up; ringing is counted from that 180 to the
CANCEL, by SIPp's clock. Exit status 0: every call rang 35.0-37.0 s.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import defaultdict

from db.campaigns import CampaignState
from scripts.bench.centre import centre, until
from scripts.bench.figures import machine, spread
from scripts.bench.sipp import Message

LEAST_S, MOST_S = 35.0, 37.0
DELAYS_S = {"1": 0, "2": 3, "3": 6}
"""Seconds before the first 180, by the digit after 0258 (`sipp/ring.xml`)."""
AT_ONCE = 51
_KIND = len("0258")


def rings(messages: list[Message]) -> dict[int, list[float]]:
    """Seconds of ringing of every ended call, by the delay of the first 180."""
    delay_of: dict[str, int] = {}
    since: dict[str, float] = {}
    found: dict[int, list[float]] = defaultdict(list)
    for message in messages:
        if message.start.startswith("INVITE "):
            delay_of[message.call_id] = DELAYS_S[message.number[_KIND]]
        elif message.sent and message.start.startswith("SIP/2.0 180"):
            since.setdefault(message.call_id, message.at)
        elif message.start.startswith("CANCEL "):
            found[delay_of[message.call_id]].append(message.at - since[message.call_id])
    return found


async def measure(calls: int) -> dict[int, list[float]]:
    """Ring at every callee once."""
    async with centre(AT_ONCE) as made:
        kinds = sorted(DELAYS_S)
        await made.add_cases([f"0258{kinds[n % 3]}{n:05}" for n in range(calls)])
        with made.legs(), made.callees("ring") as callees, made.dialer():
            await made.operators_ready()
            await made.set_campaign(CampaignState.RUNNING)

            async def all_over() -> bool:
                return sum(m.start.startswith("CANCEL ") for m in callees.messages()) >= calls

            waves = -(-calls // AT_ONCE)
            await until(all_over, "the last call to end", within_s=60.0 * waves)
            return rings(callees.messages())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=102)
    calls = parser.parse_args().calls
    found = asyncio.run(measure(calls))
    for delay, lasted in sorted(found.items()):
        print(f"180 after {delay} s: {len(lasted):>4} calls rang  {spread(lasted, 's', 1.0)}")
    every = [s for lasted in found.values() for s in lasted]
    right = sum(LEAST_S <= s <= MOST_S for s in every)
    print(f"rang {LEAST_S}-{MOST_S} s: {right} of {calls} calls   ({machine()})")
    sys.exit(0 if right == len(every) == calls else 1)


if __name__ == "__main__":
    main()

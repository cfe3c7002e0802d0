"""How long a person who picks up waits for an operator, while operators are free.

    .venv/bin/python -m scripts.bench.connect [--answers 1000]

From the callee's 200 OK (SIPp's clock) to Asterisk's event that the person and the operator were joined
(Asterisk's time stamp; one machine, one clock), at 5 and at 20 answers a second. Exit status 0: everybody
who picked up was joined.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from db.campaigns import CampaignState
from scripts.bench.centre import Centre, centre, until
from scripts.bench.figures import machine, percentile, spread
from scripts.bench.sipp import Message, Sipp

RATES = (5.0, 20.0)
OPERATORS = 60
AIM_S = 0.050
"""p99 to aim at, on two cores."""


def picked_up(messages: list[Message]) -> dict[str, float]:
    """When each number picked up, in seconds since the epoch."""
    number_of: dict[str, str] = {}
    found: dict[str, float] = {}
    for message in messages:
        if message.start.startswith("INVITE "):
            number_of[message.call_id] = message.number
        elif message.sent and message.method == "INVITE" and " 200 " in message.start:
            found.setdefault(number_of[message.call_id], message.at)
    return found


def joined(file: Path) -> dict[str, float]:
    """When each attempt was joined to an operator, in seconds since the epoch."""
    found: dict[str, float] = {}
    for line in file.read_text().splitlines():
        attempt, at = line.split()
        found.setdefault(attempt, float(at))
    return found


async def measure(made: Centre, callees: Sipp, rate: float, answers: int) -> bool:
    """Call so many people at this rate, print the figures; whether everybody was joined."""
    kind = str(RATES.index(rate) + 1)
    numbers = {f"0258{kind}{n:05}" for n in range(answers)}
    await made.add_cases(sorted(numbers))
    file = made.folder / f"joined-{kind}"
    with made.dialer("--rate", str(rate), "--joined", str(file)):
        await made.operators_ready()
        await made.set_campaign(CampaignState.RUNNING)

        async def all_over() -> bool:
            ended = sum(m.start.startswith("SIP/2.0 200") and m.method == "BYE"
                        for m in callees.messages())  # fmt: skip
            return ended >= answers * int(kind)

        await until(all_over, "the last talk to end", within_s=1.2 * answers / rate + 30)
        await made.set_campaign(CampaignState.PAUSED)
    answered = {n: at for n, at in picked_up(callees.messages()).items() if n in numbers}
    number_of = await made.attempts()
    ready = {number_of[attempt]: at for attempt, at in joined(file).items()}
    waits = [ready[n] - at for n, at in answered.items() if n in ready]
    met = "met" if percentile(waits, 0.99) <= AIM_S else "missed"
    print(
        f"{rate:>4.0f} answers/s: {len(waits)} of {len(answered)} joined  {spread(waits)}"
        f"  (aim p99 <= {AIM_S * 1000:.0f} ms: {met}; {machine()})",
        flush=True,
    )
    return len(waits) == len(answered) == answers


async def run(answers: int) -> bool:
    """Both rates, on one PBX."""
    async with centre(OPERATORS) as made:
        with made.legs(), made.callees("answer") as callees:
            return all([await measure(made, callees, rate, answers) for rate in RATES])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=1000, help="at each rate; default: 1000")
    sys.exit(0 if asyncio.run(run(parser.parse_args().answers)) else 1)


if __name__ == "__main__":
    main()

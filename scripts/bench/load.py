"""How many calls a second are held on this machine, and what the dialer costs beside Asterisk.

    .venv/bin/python -m scripts.bench.load [--rate 30] [--minutes 1] [--profile FILE]

Pacing is replaced by a fixed rate. Of ten callees five never pick up (36 s of ringing), three reject the
call after 4 s, two pick up after 5 s and talk 8 s with an operator. Measured after a minute, when as many
calls end as begin. Exit status 0: the rate was held in every ten seconds, every call got its outcome, and
none failed.
`--profile` writes a flame graph of the dialer; it needs `pip install py-spy`, and takes part of the CPU.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from db import ledger
from db.campaigns import CampaignState
from db.tables import ResultRow
from scripts.bench.centre import Centre, centre, until
from scripts.bench.figures import machine
from scripts.bench.sipp import Message

OPERATORS = 90
RAMP_S = 50.0
"""A telephone rings 36 s: after that as many calls end as begin."""
WINDOW_S = 10
HELD = 0.95
"""Share of the rate that every window must reach: a window does not begin with a call."""
KINDS = "1121321321"
"""What the callees do, by the digit after 0258 (`sipp/day.xml`)."""
AIM = 0.25
"""The dialer's CPU as a share of Asterisk's, to aim at."""
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Processor time of a process, all threads, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def placed_at(messages: list[Message]) -> list[float]:
    """When each call arrived at the callee, in seconds since the epoch."""
    arrived: dict[str, float] = {}
    for message in messages:
        if message.start.startswith("INVITE "):
            arrived.setdefault(message.call_id, message.at)  # a busy machine repeats an INVITE
    return list(arrived.values())


def windows(arrived: list[float], begin: float, end: float) -> list[float]:
    """Calls a second in each full window between two moments."""
    count = Counter(int((at - begin) / WINDOW_S) for at in arrived if begin <= at < end)
    return [count[n] / WINDOW_S for n in range(int((end - begin) / WINDOW_S))]


async def everything_ended(made: Centre) -> None:
    """Wait until no call is without its outcome."""

    async def ended() -> bool:
        async with made.sessions.read() as session:
            return not await ledger.in_flight(session)

    await until(ended, "every call to have its outcome", within_s=120)


async def outcomes(made: Centre) -> dict[str, int]:
    """How often each outcome came."""
    query = select(ResultRow.outcome, func.count()).group_by(ResultRow.outcome)
    async with made.sessions.read() as session:
        return {outcome: count for outcome, count in await session.execute(query)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What one run came to."""

    rates: list[float]
    """Calls a second, in each window."""
    calls: int
    dialer_s: float
    asterisk_s: float
    outcomes: dict[str, int]
    placed: int
    """All calls of the run, the first minute's too."""


async def run(rate: float, seconds: float, profile: Path | None) -> Measured:
    """Hold the rate for so long."""
    calls = int(rate * (seconds + RAMP_S) * 1.1)
    async with centre(OPERATORS, lines=int(rate * 40)) as made:
        await made.add_cases([f"0258{KINDS[n % 10]}{n:05}" for n in range(calls)])
        with (
            made.legs(),
            made.callees("day") as callees,
            made.dialer("--rate", str(rate)) as dialer,
        ):
            pids = (dialer.pid, made.asterisk.pid)
            await made.operators_ready()
            await made.set_campaign(CampaignState.RUNNING)
            await asyncio.sleep(RAMP_S)
            begin, before = time.time(), [cpu_s(pid) for pid in pids]
            with profiler(dialer.pid, seconds, profile):
                await asyncio.sleep(seconds)
            end, after = time.time(), [cpu_s(pid) for pid in pids]
            await made.set_campaign(CampaignState.PAUSED)
            await everything_ended(made)
            arrived = placed_at(callees.messages())
        dialer_s, asterisk_s = (late - early for early, late in zip(before, after, strict=True))
        return Measured(
            rates=windows(arrived, begin, end),
            calls=sum(begin <= at < end for at in arrived),
            dialer_s=dialer_s,
            asterisk_s=asterisk_s,
            outcomes=await outcomes(made),
            placed=len(arrived),
        )


@contextmanager
def profiler(pid: int, seconds: float, file: Path | None) -> Iterator[None]:
    """py-spy beside the dialer, if a file is named for it."""
    if file is None:
        yield
        return
    command = [
        str(Path(sys.executable).with_name("py-spy")),
        "record",
        "--pid",
        str(pid),
        "--duration",
        str(int(seconds) - 2),
    ]
    shape = "raw" if file.suffix == ".txt" else "flamegraph"
    with subprocess.Popen([*command, "--format", shape, "--output", str(file)]):
        yield


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=30.0, help="originates a second; default: 30")
    parser.add_argument("--minutes", type=float, default=1.0, help="default: 1")
    parser.add_argument("--profile", type=Path, help="flame graph (.svg) or stacks (.txt)")
    options = parser.parse_args()
    found = asyncio.run(run(options.rate, options.minutes * 60, options.profile))
    rates, calls = found.rates, found.calls
    share = found.dialer_s / found.asterisk_s
    print(
        f"originates/s in windows of {WINDOW_S} s: least {min(rates):.1f}, mean"
        f" {sum(rates) / len(rates):.1f}, most {max(rates):.1f}   ({machine()})"
    )
    print(
        f"CPU a call: dialer {found.dialer_s / calls * 1000:.2f} ms,"
        f" Asterisk {found.asterisk_s / calls * 1000:.2f} ms: {share:.0%}"
        f" (aim {AIM:.0%}: {'met' if share <= AIM else 'missed'}); of one core: dialer"
        f" {found.dialer_s / options.minutes / 60:.0%}, Asterisk"
        f" {found.asterisk_s / options.minutes / 60:.0%}"
    )
    told = ", ".join(f"{code} {n}" for code, n in sorted(found.outcomes.items()))
    print(f"{found.placed} calls, {sum(found.outcomes.values())} outcomes: {told}")
    held = min(rates) >= HELD * options.rate
    complete = found.placed == sum(found.outcomes.values()) and "failed" not in found.outcomes
    sys.exit(0 if held and complete else 1)


if __name__ == "__main__":
    main()

"""What is seen while a demo runs and at its end."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.live import Live
from rich.table import Table

from rules.profile import Profile
from scripts.town.records import CallerRecord, Record, contact_rate
from scripts.town.selfcheck import Check

_TICK_S = 0.5
_PLAIN_TICK_S = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """One look at a running demo."""

    now: datetime
    """The pretended moment."""
    ringing: int
    talking: int
    messages: int
    """Being left on answering machines; their operators are free."""
    waiting: int
    """Callers on the line, for an operator."""
    callbacks: int
    """Callers an operator talked with."""
    attempts: int
    cases: int
    cases_done: int
    contact_rate: float
    calls_a_minute: float

    def line(self) -> str:
        """In one line."""
        return (
            f"{self.now:%a %d %b %H:%M:%S}  ringing {self.ringing}  talking {self.talking}  "
            f"messages {self.messages}  waiting {self.waiting}  callbacks {self.callbacks}  "
            f"calls {self.attempts} ({self.calls_a_minute:.0f}/min)  "
            f"cases done {self.cases_done}/{self.cases}  contact rate {self.contact_rate:.0%}"
        )


async def show(console: Console, look: Callable[[], Awaitable[Moment]]) -> None:
    """Show the demo's state until cancelled: in place on a terminal, else a line now and then."""
    if not console.is_terminal:
        while True:
            print((await look()).line(), flush=True)
            await asyncio.sleep(_PLAIN_TICK_S)
    with Live(console=console, refresh_per_second=4) as live:
        while True:
            live.update((await look()).line())
            await asyncio.sleep(_TICK_S)


class Stopwatch:
    """Says what the demo is doing, with the seconds since its beginning."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def spent_s(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._begun

    def say(self, what: str) -> None:
        """One line of what is done now."""
        print(f"[{self.spent_s():5.1f} s] {what}", flush=True)


def print_outcomes(console: Console, records: Sequence[Record], profile: Profile) -> None:
    """How often each outcome occurred, and the contact rate."""
    table = Table(title="Outcomes")
    table.add_column("outcome")
    table.add_column("")
    table.add_column("attempts", justify="right")
    counts = Counter(record.result.outcome for record in records if record.result)
    for code, rule in profile.outcomes.items():
        if counts[code]:
            table.add_row(code, rule.label, str(counts[code]))
    table.add_section()
    table.add_row("all", "", str(len(records)))
    console.print(table)
    print(f"contact rate {contact_rate(records, profile):.0%} of the cases called")


def print_callers(console: Console, callers: Sequence[CallerRecord]) -> None:
    """What the calls to us came to."""
    table = Table(title="Calls to us")
    table.add_column("came to")
    table.add_column("calls", justify="right")
    for came_to, calls in Counter(caller.came_to for caller in callers).most_common():
        table.add_row(came_to.value, str(calls))
    console.print(table)


def print_checks(checks: Sequence[Check]) -> bool:
    """Each promise and whether it held; whether all did."""
    for check in checks:
        print(f"{'ok    ' if check.held else 'BROKEN'} {check.promise}")
        for broken in check.broken:
            print(f"         {broken}")
    sys.stdout.flush()
    return all(check.held for check in checks)

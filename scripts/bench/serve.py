"""The dialer in a process of its own, for benchmarks: the service as it is, on a clock that stands inside
calling hours, with operators who save a result the moment a talk is over.

    python -m scripts.bench.serve SETTINGS [--rate CALLS_A_SECOND] [--joined FILE] [--screens] [--at MOMENT]

With `--rate` pacing is replaced by that fixed rate. `--joined` gets one line per person joined to an
operator: the attempt and Asterisk's own time of it. With `--screens` the operators save their results
themselves, by their screens. SIGTERM ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import uvloop
from panoramisk.message import Message

import dialer.pacer
from dialer.ami import contract
from dialer.bootstrap import build
from dialer.clock import JumpClock
from dialer.logs import set_up_logs
from dialer.service import Service
from dialer.settings import load_secrets, load_settings
from dialer.web.case_models import ResultIn
from rules.operator_state import State
from rules.pacing.snapshot import Limit, Pace, Snapshot
from scripts.bench.centre import NOW

GRANT_EVERY_S = 0.2
LOOK_EVERY_S = 0.05


class FixedRate:
    """Stands in for `rules.pacing.decision.calls_to_place`: so many calls a second, whatever the operators
    do."""

    def __init__(self, rate: float, placed: Callable[[], float]) -> None:
        """
        Args:
            placed: how many calls have been placed so far.
        """
        self._rate = rate
        self._placed = placed
        self._granted_at = time.monotonic()
        self._granted = 0.0

    def __call__(self, snapshot: Snapshot) -> Pace:
        now = time.monotonic()
        passed = now - self._granted_at
        if passed >= GRANT_EVERY_S:
            self._granted_at = now
            # what a stall of more than a second kept from being placed is lost: the rate shows it
            self._granted = min(self._granted + passed * self._rate, self._placed() + self._rate)
        owed = max(0, int(self._granted - self._placed()))
        if not snapshot.may_dial or not owed:
            return Pace(calls=0, limit=Limit.OPERATORS)
        chosen = tuple(range(min(owed, len(snapshot.candidates))))
        return Pace(
            calls=len(chosen), limit=Limit.LINES, chosen=chosen, misses=(0.0,) * len(chosen)
        )


def pace_by(rate: float, service: Service) -> None:
    """Place calls at a fixed rate."""
    registry = service.pacer._metrics.registry

    def placed() -> float:
        return registry.get_sample_value("yobirin_calls_placed_total") or 0.0

    dialer.pacer.calls_to_place = FixedRate(rate, placed)


async def wake(service: Service) -> None:
    """Have pacing asked as often as the rate needs."""
    while True:
        await asyncio.sleep(GRANT_EVERY_S)
        service.pacer.wake()


async def save_results(service: Service) -> None:
    """Every operator's after-call work, done by the same call that a screen's request ends in."""
    while True:
        for seat in service.seats.seats():
            if seat.state is State.AFTER_CALL_WORK and seat.attempt is not None:
                result = ResultIn(
                    attempt_id=seat.attempt, outcome="person_done", script_finished=True
                )
                await service.desk.save_result(seat.operator, result)
        await asyncio.sleep(LOOK_EVERY_S)


def note_joined(service: Service, file: TextIO) -> None:
    """Write down when Asterisk says that a person and an operator were joined."""

    def joined(_manager: Any, event: Message) -> None:
        file.write(f"{event.uniqueid} {event.timestamp}\n")

    service.link._manager.register_event(contract.EVENT_CONNECTED, joined)


async def without_plan(_campaign: str, _now: datetime) -> None:
    """What is measured here is calling alone."""


async def serve(options: argparse.Namespace) -> None:
    """Run until SIGTERM."""
    settings, secrets = load_settings(options.settings), load_secrets(options.settings)
    service = build(settings, secrets, JumpClock(options.at), without_plan)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, service.request_stop)
    with ExitStack() as stack:
        if options.joined:
            note_joined(service, stack.enter_context(options.joined.open("w", buffering=1)))
        helpers = []
        if not options.screens:
            helpers.append(asyncio.create_task(save_results(service)))
        if options.rate:
            pace_by(options.rate, service)
            helpers.append(asyncio.create_task(wake(service)))
        try:
            await service.run()
        finally:
            for helper in helpers:
                helper.cancel()
            # a helper that failed made the figures worthless: say so
            for helper in helpers:
                if helper.done() and not helper.cancelled():
                    helper.result()


def main() -> None:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--joined", type=Path)
    parser.add_argument("--screens", action="store_true")
    parser.add_argument("--at", type=datetime.fromisoformat, default=NOW)
    options = parser.parse_args()
    set_up_logs()
    uvloop.run(serve(options))


if __name__ == "__main__":
    main()

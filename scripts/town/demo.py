"""A calling period in at most six minutes: real ringing, real talks, a calendar that jumps.

Exit status 0 only if everything that must hold held and every behaviour of the town was seen.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, redirect_stderr
from datetime import date, datetime, timedelta
from pathlib import Path

from rich.console import Console

from dialer.clock import JumpClock, SystemClock
from dialer.logs import set_up_logs
from dialer.profiles import load_profile
from rules.calendar import JST
from scripts.town.callers_check import check_callers, check_callers_shown, who_is_owed_a_call
from scripts.town.conductor import Conductor, is_non_weekday, rounds_from, shifts_of
from scripts.town.installation import CALLER_IDS
from scripts.town.people import Kind
from scripts.town.progress import (
    Moment,
    Stopwatch,
    print_callers,
    print_checks,
    print_outcomes,
    show,
)
from scripts.town.records import CallerRecord, contact_rate
from scripts.town.rehearsal import Plan, Rehearsal, going_on, rehearsal
from scripts.town.selfcheck import Check, check_all, check_shown

PLAY_S = 280.0
"""No call is placed later than this after all operators are logged in, which takes 20 s unless the machine is
busy: the last calls end and the reports are made before six minutes are over."""
WAIT_S = 70.0
"""Longest time that calls under way may need to end after that."""
REPORTS = Path("var/demo")
"""Where the daily reports stay."""
CASES_PER_OPERATOR = 10
"""So many an operator gets through in the time, third attempts included."""
_STEADY_S = 15.0  # a rate of the first seconds would say nothing


def main() -> None:
    """Entry point of `scripts/demo`."""
    options = _options()
    REPORTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="yobirin-demo-") as name:
        folder = Path(name)
        held = False
        try:
            with (folder / "service.log").open("w") as log:
                with redirect_stderr(log):  # the terminal is for the demo
                    set_up_logs()
                held = asyncio.run(run(options, folder))
        except KeyboardInterrupt:
            sys.exit(130)
        finally:
            if not held:
                _keep_logs(folder)
    sys.exit(0 if held else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--cases", type=_at_least(1), default=40, help="default: 40")
    parser.add_argument("--operators", type=_at_least(1), default=4, help="default: 4")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another town")
    parser.add_argument("--keep", action="store_true", help="leave it running until Ctrl-C")
    return parser.parse_args()


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"at least {least}")
        return value

    return number


def _keep_logs(folder: Path) -> None:
    """What went wrong is looked for in the logs; they name nobody."""
    kept = REPORTS / "logs"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for log in (
        folder / "service.log",
        folder / "agi.log",
        *folder.glob("*/log/*"),
        *folder.glob("*/console"),
    ):
        if log.is_file():
            shutil.copyfile(log, kept / "-".join(log.relative_to(folder).parts))
    print(f"logs: {kept}", flush=True)


async def run(options: argparse.Namespace, folder: Path) -> bool:
    """Play the demo; whether everything held."""
    watch, console = Stopwatch(), Console()
    rounds = rounds_from(first_possible_day(), PLAY_S)
    clock = JumpClock(rounds[0].begins)
    first_day = rounds[0].begins.date()
    plan = Plan(
        folder=folder,
        cases=options.cases,
        operators=options.operators,
        seed=options.seed,
        first_day=first_day,
        last_day=first_day + timedelta(days=6),
        shifts=shifts_of(rounds),
    )
    watch.say(f"setting up {plan.cases} cases, {plan.operators} operators, PBX and carrier")
    async with rehearsal(plan, clock) as stage:
        await stage.all_free()
        watch.say("all operators are logged in; the town is called by this plan:")
        logged_in_s = watch.spent_s()
        print(await _plan(stage, rounds[0].begins), flush=True)
        occasions = stage.occasions(lambda: conductor.left_s())

        def played_s() -> float:  # a slow machine's start takes nothing from it
            return watch.spent_s() - logged_in_s

        def idle() -> bool:
            return stage.carrier.ledger.idle.is_set() and occasions.idle()

        conductor = Conductor(clock, stage.campaign, idle, stage.status)
        calling_us = going_on([occasions.go_on()])
        async with asyncio.timeout(PLAY_S + WAIT_S), calling_us, _shown(console, stage, watch):
            await conductor.play(rounds, played_s, occasions.night)
        watch.say("no call is left")
        held = await _judge(console, stage)
        if options.keep:
            await _keep(stage)
    watch.say("done" if held else "done, but not everything held")
    return held


def first_possible_day() -> date:
    """The calling period lies ahead of the machine's calendar, which the command line goes by."""
    return max(SystemClock().now().date() + timedelta(days=1), date(2026, 9, 1))


async def _plan(stage: Rehearsal, begins: datetime) -> str:
    """What the month is expected to come to."""
    at = f"{begins:%Y-%m-%d %H:%M}"
    told = await stage.installation.dialer("plan", "make", stage.plan.campaign, "--at", at)
    # the bands in which somebody works
    return "\n".join(line for line in told.splitlines() if "│ 0.0 " not in line)


@asynccontextmanager
async def _shown(console: Console, stage: Rehearsal, watch: Stopwatch) -> AsyncIterator[None]:
    """The live view, while the block runs."""
    begun_s = watch.spent_s()
    profile = load_profile(stage.installation.settings.service.profile, stage.plan.first_day)

    async def look() -> Moment:
        status, records = await stage.status(), await stage.records()
        callers = await stage.called_us()
        minutes = max(watch.spent_s() - begun_s, _STEADY_S) / 60
        return Moment(
            now=status.now,
            ringing=status.calls.dialling + status.calls.ringing,
            talking=status.calls.talking,
            messages=status.calls.message,
            waiting=status.callers.waiting,
            callbacks=sum(caller.talks > 0 for caller in callers),
            attempts=len(records),
            cases=sum(month.cases for month in status.campaigns),
            cases_done=sum(month.complete for month in status.campaigns),
            contact_rate=contact_rate(records, profile),
            calls_a_minute=len(records) / minutes,
        )

    async with asyncio.TaskGroup() as tasks:
        showing = tasks.create_task(show(console, look))
        yield
        showing.cancel()


async def _judge(console: Console, stage: Rehearsal) -> bool:
    """Outcomes, reports and the self-check; whether everything held."""
    records, ledger = await stage.records(), stage.carrier.ledger
    profile = load_profile(stage.installation.settings.service.profile, stage.plan.first_day)
    callers = await stage.called_us()
    print_outcomes(console, records, profile)
    print_callers(console, callers)
    for day in sorted({record.placed_at.astimezone(JST).date() for record in records}):
        await _report(stage, day)
    checks = check_all(
        records,
        ledger.calls,
        called_twice_at_once=ledger.called_twice_at_once,
        caller_ids=CALLER_IDS,
        is_non_weekday=is_non_weekday,
    )
    calls, until = stage.callers.calls, stage.clock.now()
    moments = [*(record.placed_at for record in records), until]
    refused = await stage.refused(who_is_owed_a_call(calls), moments)
    checks += check_callers(calls, callers, ledger.calls, records, refused, until)
    return print_checks([*checks, *_shown_enough(stage, callers)])


def _shown_enough(stage: Rehearsal, callers: Sequence[CallerRecord]) -> list[Check]:
    """A town too small for every behaviour, or too large for its operators to get through in the
    time, is not a whole demo and need not show everything."""
    kinds = set(stage.town.kinds.values())
    too_large = stage.plan.cases > CASES_PER_OPERATOR * stage.plan.operators
    if too_large or not kinds >= set(Kind):
        return []
    return [
        *check_shown(stage.carrier.ledger.calls, kinds, is_non_weekday),
        *check_callers_shown(stage.callers.calls, callers, stage.references),
    ]


async def _report(stage: Rehearsal, day: date) -> None:
    path = await stage.installation.dialer(
        "report", "daily", "--campaign", stage.plan.campaign, "--date", day.isoformat(),
        "--out", str(REPORTS),
    )  # fmt: skip
    print(f"daily report of {day}: {path.strip()}")


async def _keep(stage: Rehearsal) -> None:
    """Leave everything running, at the speed of real time, until Ctrl-C."""
    if any(month.state == "paused" for month in (await stage.status()).campaigns):
        await stage.campaign.resume()  # the time was over before everything was done
    settings = stage.installation.settings
    print(f"still running, until Ctrl-C. It is {stage.clock.now():%a %d %b %H:%M} there.")
    print(f"  operator's page  http://{settings.http.host}:{settings.http.port}/")
    for extension, token in stage.tokens.items():
        print(f"  operator {extension}     token {token}")
    print(f"  supervisor       dialer --settings {stage.installation.settings_path} status --watch")
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    await stopped.wait()


if __name__ == "__main__":
    main()

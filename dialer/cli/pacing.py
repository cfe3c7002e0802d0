"""`dialer pacing …`: ways of pacing tried out on simulated days, and a recorded day looked at again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.cli.show import print_json, print_table
from dialer.cli.work import DAY, AsJson, installation, now, parse_day
from dialer.errors import NotFoundError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from dialer.simulation.replay import Figures, RecordedDay
    from dialer.simulation.table import Row, Setting
    from dialer.simulation.worlds import World
    from rules.pacing.snapshot import Terms

app = typer.Typer(help="How many calls are placed ahead of free operators.")

ALL = "all"
MOST = 500
AS_IT_WAS, WHAT_IF = "as it was", "what if"
Plot = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", dir_okay=False, help="Write a plot (.svg, .png)."),
]


@app.command()
def simulate(
    operators: Annotated[
        str,
        typer.Option("--operators", metavar="N,N,…", help=f"Numbers of operators, 1 to {MOST}."),
    ] = "2,3,5,10",
    cap: Annotated[
        float,
        typer.Option(
            "--cap", min=0.0, max=1.0, metavar="SHARE", help="Of abandoned calls in a day."
        ),
    ] = 0.01,
    days: Annotated[
        int, typer.Option("--days", min=1, metavar="N", help="Days of each kind.")
    ] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of the first day.")] = 1,
    scenario: Annotated[
        str,
        typer.Option("--scenario", metavar="NAME", help=f"docs/pacing.md lists them; or: {ALL}."),
    ] = "stationary",
    no_detection: Annotated[
        bool, typer.Option("--no-detection", help="Answering machines reach operators.")
    ] = False,
    script_progress: Annotated[
        bool, typer.Option("--script-progress", help="Operators tick the steps of a talk.")
    ] = False,
    known_chances: Annotated[
        bool, typer.Option("--known-chances", help="Pacing knows each phone's own chance.")
    ] = False,
    phones_sd: Annotated[
        float | None,
        typer.Option(
            "--phones-sd",
            min=0.0,
            max=0.45,
            metavar="SD",
            help="Standard deviation of phones' chances to be answered. Default: the scenario's.",
        ),
    ] = None,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Simulate whole days with ours and other ways of pacing, and compare them.

    Needs no installation: nothing is called, and no database is read.
    """
    from dataclasses import replace

    from dialer.simulation.rivals import WAYS
    from dialer.simulation.table import Setting
    from dialer.simulation.worlds import SCRIPT, without_detection

    def world_of(world: World, size: int) -> World:
        if no_detection:
            world = without_detection(world)
        return replace(
            world,
            operators=size,
            terms=replace(world.terms, cap=cap),
            script=SCRIPT if script_progress else world.script,
            chances_known=known_chances or world.chances_known,
            phones_sd=world.phones_sd if phones_sd is None else phones_sd,
        )

    settings = [
        Setting(name, way, world_of(world, size))
        for name, world in _worlds(scenario).items()
        for size in _sizes(operators)
        for way in WAYS
    ]
    rows = _run(settings, days, seed)
    if plot is not None:
        from dialer.simulation.plot import save_plot

        save_plot(rows, cap, plot)
    if as_json:
        print_json([row.plain() for row in rows])
    else:
        _print(rows, persons=no_detection)


@app.command()
def calibration(
    ctx: typer.Context,
    day: Annotated[
        date | None,
        typer.Argument(parser=parse_day, metavar=DAY, help="Of Japan. Default: yesterday."),
    ] = None,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Hold what pacing believed of a day's calls against what happened. Status 1 if it is off."""
    from dialer.calibrating import day_calibration
    from dialer.reports.calibration import report

    asked = day or now().date() - timedelta(days=1)
    found = installation(ctx).read(lambda session: day_calibration(session, asked))
    if not found.answers.calls:
        raise NotFoundError(f"pacing placed no call on {asked} of which it is known who answered")
    if plot is not None:
        from dialer.reports.reliability_plot import save_reliability

        save_reliability(found, plot)
    if as_json:
        print_json(asdict(found) | {"off": found.off})
    else:
        for line in report(found):
            print(line)
    if found.off:
        raise typer.Exit(1)


@app.command()
def replay(
    ctx: typer.Context,
    day: Annotated[
        date, typer.Argument(parser=parse_day, metavar=DAY, help="A day on record, of Japan.")
    ],
    cap: Annotated[
        float | None,
        typer.Option(
            "--cap",
            min=0.0,
            max=1.0,
            metavar="SHARE",
            help="What if: paced predictively within this cap.",
        ),
    ] = None,
    operators: Annotated[
        int,
        typer.Option(
            "--operators", min=0, max=MOST, metavar="+N", help="What if: so many operators more."
        ),
    ] = 0,
    days: Annotated[
        int, typer.Option("--days", min=2, metavar="N", help="Simulated days of each kind.")
    ] = 20,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of the first day.")] = 1,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a day that is on record: as it was, and with another cap or more operators.

    The first tells how far the simulator can be trusted about this day.
    """
    from dialer.simulation.replay import with_cap, with_more

    here = installation(ctx)
    recorded, terms = here.read(lambda session: _recorded(session, day))
    as_it_was = recorded.world(terms, here.settings.trunk.lines)
    worlds = {AS_IT_WAS: as_it_was}
    if operators or cap is not None:
        other = with_more(as_it_was, operators)
        worlds[WHAT_IF] = other if cap is None else with_cap(other, cap)
    simulated = _replayed(worlds, days, seed)
    figures = recorded.figures()
    if plot is not None:
        from dialer.simulation.replay_plot import save_replay_plot

        save_replay_plot(figures, simulated, plot)
    _print_replay(figures, simulated, as_json=as_json)


async def _recorded(session: AsyncSession, day: date) -> tuple[RecordedDay, Terms]:
    """The day, and the terms of the campaign with most of its calls.

    Raises:
        NotFoundError: there was no call.
        ConflictError: there were too few.
    """
    from collections import Counter

    from db import recorded_day, seat_changes
    from dialer.months import Months
    from dialer.pacing_view import terms_of
    from dialer.simulation.replay import RecordedDay
    from rules.calendar import JST

    midnight = datetime.combine(day, time(), JST)
    following = midnight + timedelta(days=1)
    calls = await recorded_day.calls(session, midnight, following)
    if not calls:
        raise NotFoundError(f"no call was placed on {day}")
    months = Months()
    await months.reload(session, midnight)
    ((most, _),) = Counter(call.campaign_id for call in calls).most_common(1)
    profile = months.profile(most)
    moves = await seat_changes.between(session, midnight, following)
    return RecordedDay(calls, moves, profile.after_call_limit_s), terms_of(profile)


def _replayed(worlds: dict[str, World], days: int, seed: int) -> dict[str, list[Figures]]:
    from dialer.simulation.replay import simulated_figures
    from dialer.simulation.rivals import OURS
    from dialer.simulation.table import Setting, played

    settings = [Setting(name, OURS, world) for name, world in worlds.items()]
    with _days(len(settings) * days) as done:
        return {
            setting.scenario: [simulated_figures(day, setting.world) for day in came]
            for setting, came in played(settings, days, seed, done)
        }


def _print_replay(recorded: Figures, simulated: dict[str, list[Figures]], *, as_json: bool) -> None:
    from dialer.simulation.replay import outside, spreads, table_rows

    spread = {name: spreads(days) for name, days in simulated.items()}
    beside = outside(recorded, spread[AS_IT_WAS])
    if as_json:
        plain = {
            name: {of: asdict(one) for of, one in each.items()} for name, each in spread.items()
        }
        print_json({"recorded": asdict(recorded), **plain, "outside": beside})
        return
    print_table(["", "recorded", *spread], table_rows(recorded, list(spread.values())))
    print("simulated: mean (a single day lies within, 95 %)")
    told = f"recorded lies outside in: {', '.join(beside)}" if beside else "recorded lies within"
    print(f"{AS_IT_WAS}: {told}")


def _sizes(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.strip().isdecimal() and 1 <= int(part) <= MOST for part in parts):
        raise typer.BadParameter(
            f"whole numbers from 1 to {MOST}, like 2,3,5", param_hint="--operators"
        )
    return [int(part) for part in parts]


def _worlds(name: str) -> dict[str, World]:
    from dialer.simulation.worlds import WORLDS

    if name == ALL:
        return dict(WORLDS)
    if name not in WORLDS:
        raise typer.BadParameter(f"one of {', '.join(WORLDS)} or {ALL}", param_hint="--scenario")
    return {name: WORLDS[name]}


def _run(settings: Sequence[Setting], days: int, seed: int) -> list[Row]:
    from dialer.simulation.table import simulate as simulate_days

    with _days(len(settings) * days) as done:
        return list(simulate_days(settings, days, seed, done))


@contextmanager
def _days(total: int) -> Iterator[Callable[[], None]]:
    """How many days are done, shown; called after each one."""
    from rich.console import Console
    from rich.progress import Progress

    # on stderr, and only where somebody watches: stdout is the table
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("days", total=total)
        yield lambda: progress.advance(task)


def _print(rows: Sequence[Row], *, persons: bool) -> None:
    columns = ["scenario", "operators", "way", "utilisation", "abandoned", "days over cap"]
    columns += ["idle", "wait s"] + ["persons abandoned"] * persons
    print_table(columns, (_cells(row, persons=persons) for row in rows))
    print("% of the day's means, ± 95 % confidence; wait: from answer to operator, those connected")


def _cells(row: Row, *, persons: bool) -> list[object]:
    cells: list[object] = [
        row.scenario,
        row.operators,
        row.way,
        f"{row.utilisation.value:.1%} ± {100 * row.utilisation.half:.1f}",
        f"{row.abandoned.value:.2%} ± {100 * row.abandoned.half:.2f}",
        f"{row.days_over_cap} of {row.days}",
        f"{row.idle.value:.1%}",
        f"{row.wait_s:.2f}",
    ]
    if persons:
        cells.append(f"{row.persons_abandoned.value:.2%}")
    return cells

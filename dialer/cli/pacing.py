"""`dialer pacing …`: ways of pacing tried out on simulated days."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.cli.show import print_json, print_table
from dialer.cli.work import AsJson

if TYPE_CHECKING:
    from dialer.simulation.table import Row, Setting
    from dialer.simulation.worlds import World

app = typer.Typer(help="How many calls are placed ahead of free operators.")

ALL = "all"
MOST = 500


@app.callback()
def pacing() -> None:
    """How many calls are placed ahead of free operators."""


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
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", dir_okay=False, help="Write a plot (.svg, .png)."),
    ] = None,
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
    from rich.console import Console
    from rich.progress import Progress

    from dialer.simulation.table import simulate as simulate_days

    # on stderr, and only where somebody watches: stdout is the table
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("days", total=len(settings) * days)
        return list(simulate_days(settings, days, seed, lambda: progress.advance(task)))


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

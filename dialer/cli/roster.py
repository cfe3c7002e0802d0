"""`dialer roster …`: how many operators are at work in each hour, for the plan."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.show import print_json, print_table
from dialer.cli.work import DAY, AsJson, By, installation, now, parse_day
from dialer.errors import IntakeError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

app = typer.Typer(help="Operators at work in each hour, for all campaigns together.")

SHOWN_DAYS = 31


@app.command("import")
def import_roster(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: 日付, 時, 人数.")],
    by: By,
) -> None:
    """Take a roster in, as a whole or not at all. The days in it lose their former hours."""
    from db import roster
    from dialer.intake.reader import read_file
    from dialer.profiles import load_profile
    from dialer.roster import opening_hours, read_roster

    here, at = installation(ctx), now()
    profile = load_profile(here.settings.service.profile, at.date())
    data = read_file(file, profile.intake)
    operators, faults = read_roster(data, opening_hours(profile.hours))
    for fault in faults:
        print(fault.text())
    if faults:
        raise IntakeError(f"nothing was taken in: {len(faults)} faults; correct the file")

    async def work(session: AsyncSession) -> None:
        await roster.replace(session, operators, at=at, by=by)

    here.write(work)
    days = {day for day, _hour in operators}
    print(f"roster: {len(days)} days entered, {sum(operators.values())} operator-hours")


@app.command()
def show(
    ctx: typer.Context,
    first: Annotated[
        date | None,
        typer.Option("--from", parser=parse_day, metavar=DAY, help="Default: today."),
    ] = None,
    last: Annotated[
        date | None,
        typer.Option(
            "--to", parser=parse_day, metavar=DAY, help=f"Default: {SHOWN_DAYS} days in all."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the roster, a line a day. A day without a line was not entered."""
    from db import roster

    begin = first or now().date()
    end = last or begin + timedelta(days=SHOWN_DAYS - 1)

    async def work(session: AsyncSession) -> dict[tuple[date, int], int]:
        return await roster.hours(session, begin, end)

    operators = installation(ctx).read(work)
    if as_json:
        print_json(
            [
                {"day": day, "hour": hour, "operators": count}
                for (day, hour), count in operators.items()
            ]
        )
    else:
        _print_roster(operators)


def _print_roster(operators: dict[tuple[date, int], int]) -> None:
    hours = sorted({hour for _day, hour in operators})
    rows: list[list[Any]] = []
    for day in sorted({day for day, _hour in operators}):
        counts = [operators.get((day, hour), 0) for hour in hours]
        rows.append([f"{day:%Y-%m-%d %a}", *counts, sum(counts)])
    print_table(("day", *map(str, hours), "operator-hours"), rows)


@app.command()
def template(
    ctx: typer.Context,
    campaign: Annotated[str, typer.Option("--campaign", metavar="NAME")],
    operators: Annotated[
        int, typer.Option("--operators", min=0, max=200, help="In every open hour.")
    ],
) -> None:
    """Print a roster file of the campaign's calling days, to be corrected and imported."""
    from dialer.months import Month, month_named
    from dialer.reports.spreadsheet import csv_bytes
    from dialer.roster import template_rows

    async def work(session: AsyncSession) -> Month:
        return await month_named(session, campaign, now())

    month = installation(ctx).read(work)
    sys.stdout.buffer.write(csv_bytes(template_rows(month, operators)))
    sys.stdout.flush()

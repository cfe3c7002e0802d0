"""`dialer report …`: what the city receives (§10)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.show import print_json
from dialer.cli.work import DAY, AsJson, installation, now, parse_day
from dialer.errors import NotFoundError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from dialer.evidence import CaseEvidence
    from dialer.months import Month

app = typer.Typer(help="Reports for the city.")


@app.callback()
def group() -> None:
    """Reports for the city."""


@app.command()
def daily(
    ctx: typer.Context,
    day: Annotated[
        date | None,
        typer.Option("--date", parser=parse_day, metavar=DAY, help="Default: today."),
    ] = None,
    campaign: Annotated[
        str | None,
        typer.Option(
            "--campaign", metavar="NAME", help="Default: all with that day in their period."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where the files go.")
    ] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write the daily report (§10(1)) as CSV and print its path."""
    from dialer.reports.daily import daily_of, write_daily

    reported = day or now().date()

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        written = []
        for month in await _months(session, reported, campaign):
            sums = await daily_of(session, month, reported)
            path = write_daily(sums, month, out)
            written.append({"campaign": month.name, "path": path, **asdict(sums)})
        return written

    written = installation(ctx).read(work)
    if as_json:
        print_json(written)
    else:
        for one in written:
            print(one["path"])


@app.command()
def evidence(
    ctx: typer.Context,
    campaign: Annotated[str, typer.Option("--campaign", metavar="NAME", help="Of which campaign.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where the files go.")
    ] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write what was done for every case, and what follows for every phone, as CSV (証跡)."""
    from db import campaigns
    from dialer.months import Months
    from dialer.reports.evidence import campaign_evidence, write_campaign

    async def work(session: AsyncSession) -> tuple[Month, list[CaseEvidence]]:
        row = await campaigns.get(session, campaign)
        months = Months()
        await months.reload(session, now())
        month = months.get(row.id)
        return month, [one async for one in campaign_evidence(session, month)]

    month, found = installation(ctx).read(work)
    paths = write_campaign(found, month, out)
    if as_json:
        print_json({"campaign": campaign, "cases": len(found), "paths": paths})
    else:
        for path in paths:
            print(path)


async def _months(session: AsyncSession, day: date, name: str | None) -> list[Month]:
    from db import campaigns
    from dialer.months import Months
    from rules.calendar import JST

    if name is not None:
        await campaigns.get(session, name)  # a name that does not exist is told as such
    months = Months()
    await months.reload(session, datetime.combine(day, time(), JST))
    found = [
        month
        for month in months.all()
        if month.name == name or (name is None and month.calendar.is_in_period(day))
    ]
    if not found:
        raise NotFoundError(f"no campaign has {day} in its calling period")
    return found

"""`dialer appointment …`: the times at which somebody can be reached (§8(5)エ)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from dialer.cli.cases import CampaignName
from dialer.cli.show import print_json, print_table, write_list
from dialer.cli.work import AsJson, Out, installation, now

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from dialer.appointments import Appointment

app = typer.Typer(help="Appointments learned in calls.")


@app.callback()
def group() -> None:
    """Appointments learned in calls."""


@app.command("list")
def list_appointments(
    ctx: typer.Context, campaign: CampaignName, out: Out = None, as_json: AsJson = False
) -> None:
    """List appointments: pending, due, missed, called too late, and those that cannot be kept."""
    from dialer.appointments import listed
    from dialer.months import month_named
    from dialer.reports.city_lists import APPOINTMENT_HEADER, appointment_rows

    at = now()

    async def work(session: AsyncSession) -> list[Appointment]:
        return await listed(session, await month_named(session, campaign, at), at)

    found = installation(ctx).read(work)
    if out is not None:
        write_list(out, APPOINTMENT_HEADER, appointment_rows(found))
    elif as_json:
        print_json([asdict(one) for one in found])
    else:
        columns = ("at", "case", "status", "phone", "standing")
        print_table(columns, (list(asdict(one).values()) for one in found))

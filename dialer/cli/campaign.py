"""`dialer campaign …`: the months."""

from __future__ import annotations

import re
import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.show import print_json, print_table
from dialer.cli.work import DAY, AsJson, By, Yes, confirm, installation, now, parse_day

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from db.session import Sessions
    from dialer.months import Month
    from rules.calendar import Calendar
    from rules.profile import Profile

app = typer.Typer(help="A month's calling for one contract.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="For example 2026-09.")]


@app.command()
def create(
    ctx: typer.Context,
    name: Name,
    period_from: Annotated[
        date,
        typer.Option("--from", parser=parse_day, metavar=DAY, help="First day of the period."),
    ],
    period_to: Annotated[
        date, typer.Option("--to", parser=parse_day, metavar=DAY, help="Its last day.")
    ],
    by: By,
    excluded: Annotated[
        list[date] | None,
        typer.Option(
            "--exclude",
            parser=parse_day,
            metavar=DAY,
            help="A day the city takes out; may be repeated.",
        ),
    ] = None,
    profile_name: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME|FILE",
            help="The contract profile, kept as it is now. Default: service.profile.",
        ),
    ] = None,
) -> None:
    """Make a campaign. It calls nobody before it is started."""
    from db import campaigns, profile_orders
    from dialer.calendar import campaign_calendar
    from dialer.profiles import parsed, read_profile

    if not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", name):
        raise typer.BadParameter("letters, digits, - and _ only", param_hint="NAME")

    here = installation(ctx)
    written = read_profile(profile_name or here.settings.service.profile)
    profile = parsed(written).on(period_from)

    async def work(session: AsyncSession) -> None:
        at = now()
        campaign = await campaigns.create(
            session, name, profile=profile.name, period_from=period_from, period_to=period_to, at=at
        )
        await profile_orders.add(
            session,
            campaign.id,
            from_day=period_from,
            name=written.name,
            text=written.text,
            at=at,
            by=by,
        )
        for day in excluded or []:
            await campaigns.exclude_day(session, name, day, at=at, by=by)

    here.write(work)
    print(f"campaign {name}: created; import its cases, then start it")
    _warn_of_few_non_weekdays(
        campaign_calendar(period_from, period_to, frozenset(excluded or []), profile), profile
    )


def _warn_of_few_non_weekdays(calendar: Calendar, profile: Profile) -> None:
    """§6(2): the month's period needs a number of worked non-weekdays."""
    days = calendar.calling_days(calendar.period_from)
    found = sum(calendar.is_non_weekday(day) for day in days)
    if found < profile.min_non_weekdays:
        print(
            f"warning: {found} non-weekdays to call on, the contract asks for "
            f"{profile.min_non_weekdays}",
            file=sys.stderr,
        )


@app.command("list")
def list_campaigns(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the campaigns."""
    from db import campaigns

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        return [
            {
                "name": row.name,
                "profile": row.profile,
                "state": row.state,
                "from": row.period_from,
                "to": row.period_to,
                "excluded": sorted(await campaigns.excluded_days(session, row.id)),
            }
            for row in await campaigns.all_campaigns(session)
        ]

    rows = installation(ctx).read(work)
    if as_json:
        print_json(rows)
    else:
        columns = ("name", "profile", "state", "from", "to", "excluded")
        cells = ([*list(row.values())[:-1], " ".join(map(str, row["excluded"]))] for row in rows)
        print_table(columns, cells)


@app.command()
def exclude(
    ctx: typer.Context,
    name: Name,
    day: Annotated[date, typer.Argument(parser=parse_day, metavar=DAY)],
    by: By,
    yes: Yes = False,
) -> None:
    """Take a day out of the calling period, as the city orders (§6(2)). It cannot be put back.

    From this moment nothing is placed on that day; what rings or talks goes on.
    """
    from dialer.excluded_day import exclude_day

    confirm(f"Take {day} out of campaign {name}?", yes=yes)
    at = now()

    async def work(sessions: Sessions) -> Month:
        return await exclude_day(sessions, name, day, at=at, by=by)

    month = installation(ctx).with_sessions(work)
    print(f"campaign {name}: {day} is excluded")
    _warn_of_few_non_weekdays(month.calendar, month.profile)
    print(f"which phones keep their attempts: run `dialer plan check {name}`")


@app.command()
def start(ctx: typer.Context, name: Name, by: By) -> None:
    """Begin to call."""
    _set_state(ctx, name, "running", by)


@app.command()
def pause(ctx: typer.Context, name: Name, by: By) -> None:
    """Place no new call; talks and ringing calls go on."""
    _set_state(ctx, name, "paused", by)


@app.command()
def resume(ctx: typer.Context, name: Name, by: By) -> None:
    """Call again after a pause."""
    _set_state(ctx, name, "running", by)


@app.command()
def close(ctx: typer.Context, name: Name, by: By, yes: Yes = False) -> None:
    """End the month. A closed campaign stays closed.

    What it taught of answering is kept for later months: sums, without persons.
    """
    from db import campaigns
    from db.campaigns import CampaignState
    from dialer.months import month_named
    from dialer.planning.learned import keep_sums

    confirm(f"Close campaign {name} for good?", yes=yes)

    async def work(session: AsyncSession) -> None:
        at = now()
        await campaigns.set_state(session, name, CampaignState.CLOSED, at=at, by=by)
        await keep_sums(session, await month_named(session, name, at))

    installation(ctx).write(work)
    print(f"campaign {name}: closed")


def _set_state(ctx: typer.Context, name: str, state: str, by: str) -> None:
    from db import campaigns
    from db.campaigns import CampaignState

    async def work(session: AsyncSession) -> None:
        await campaigns.set_state(session, name, CampaignState(state), at=now(), by=by)

    installation(ctx).write(work)
    print(f"campaign {name}: {state}")

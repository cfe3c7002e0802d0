"""`dialer plan …`: which phone is tried in which band of which day, and whether every promise holds."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.show import print_json, print_table
from dialer.cli.work import MOMENT, AsJson, By, installation, now, parse_moment

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from db.session import Sessions
    from dialer.planning.figures import Figures
    from dialer.planning.make import Draft
    from dialer.planning.risks import PhoneRisk

app = typer.Typer(help="The plan of a campaign's attempts.")

SHOWN_PHONES = 50

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of which campaign.")]


At = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        parser=parse_moment,
        metavar=MOMENT,
        help="As of this moment, Japan time. Default: now.",
    ),
]


@app.command()
def make(ctx: typer.Context, name: Name, by: By, at: At = None, as_json: AsJson = False) -> None:
    """Plan the attempts that remain; the dialer follows the newest plan.

    A running dialer makes a new plan by itself every hour.
    """
    from dialer.planning.make import plan_campaign

    async def work(sessions: Sessions) -> Draft:
        return await plan_campaign(sessions, name, at or now(), by)

    made = installation(ctx).with_sessions(work)
    _show(made.figures, as_json=as_json)


@app.command()
def show(
    ctx: typer.Context,
    name: Name,
    reference: Annotated[
        str | None,
        typer.Option("--case", metavar="REFERENCE", help="What is planned for one case."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest plan: what every band of every day is expected to take and to bring."""
    from db import campaigns, cases, plans
    from dialer.errors import NotFoundError
    from dialer.planning.figures import Figures

    async def newest(session: AsyncSession) -> Figures:
        campaign = await campaigns.get(session, name)
        plan = await plans.newest(session, campaign.id)
        if plan is None:
            raise NotFoundError(f"campaign {name}: has no plan yet; make one: `dialer plan make`")
        return Figures.model_validate(plan.figures)

    async def of_case(session: AsyncSession) -> list[dict[str, Any]]:
        campaign = await campaigns.get(session, name)
        case = await cases.by_reference(session, campaign.id, reference or "")
        return [
            {"phone": position, "from": band.starts_at, "to": band.ends_at, "gain": band.gain / 1e6}
            for position, band in await plans.of_case(session, case.id)
        ]

    here = installation(ctx)
    if reference is None:
        _show(here.read(newest), as_json=as_json)
    else:
        _show_case(here.read(of_case), as_json=as_json)


@app.command()
def check(ctx: typer.Context, name: Name, at: At = None, as_json: AsJson = False) -> None:
    """Tell whether every promise can be kept from now on (or from --at), phone by phone; changes nothing.

    Exit status 1: a phone cannot get all its attempts, or too few non-weekdays are worked.
    """
    from db import plans
    from dialer.planning.make import draft
    from dialer.planning.risks import Danger, phones_at_risk, warnings

    moment = at or now()

    async def work(sessions: Sessions) -> tuple[Draft, list[PhoneRisk], dict[int, tuple[str, int]]]:
        made = await draft(sessions, name, moment)
        month = made.month
        risks = phones_at_risk(
            made.known, made.plan.shortfalls, moment, month.calendar, month.profile
        )
        async with sessions.read() as session:
            places = await plans.positions(session, [risk.phone_id for risk in risks])
        return made, risks, places

    made, risks, places = installation(ctx).with_sessions(work)
    told = list(warnings(made.figures, made.month.calendar, made.month.profile))
    rows = [_risk_row(risk, places[risk.phone_id]) for risk in risks]
    if as_json:
        print_json({"figures": made.figures.model_dump(), "warnings": told, "phones": rows})
    else:
        _print_check(made.figures, told, rows)
    broken = any(risk.danger is not Danger.NEAR for risk in risks)
    few = sum(map(made.month.calendar.is_non_weekday, _calling_days(made)))
    if broken or few < made.month.profile.min_non_weekdays:
        raise typer.Exit(1)


@app.command()
def rates(ctx: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Show the answer rates the plan believes in: published, and learned from our own attempts."""
    from dialer.months import month_named
    from dialer.planning.rates_view import rates_rows

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        return await rates_rows(session, await month_named(session, name, now()))

    rows = installation(ctx).read(work)
    if as_json:
        print_json(rows)
    else:
        print_table(tuple(rows[0]), (list(row.values()) for row in rows))


def _calling_days(made: Draft) -> list[Any]:
    calendar = made.month.calendar
    return list(calendar.calling_days(calendar.period_from))


def _show(figures: Figures, *, as_json: bool) -> None:
    if as_json:
        print_json(figures.model_dump())
        return
    columns = (
        "day",
        "band",
        "rostered h",
        "needed h",
        "wanted h",
        "attempts",
        "contacts",
        "1 h more brings",
    )
    print_table(
        columns,
        (
            [
                f"{band.day}{' *' if band.non_weekday else ''}",
                band.band,
                f"{band.operator_hours:.1f}",
                f"{band.needed_hours:.1f}",
                f"{band.wanted_hours:.1f}",
                f"{band.attempts:.0f}",
                f"{band.contacts:.1f}",
                f"{band.worth_of_hour:.2f}",
            ]
            for band in figures.bands
        ),
    )
    print("* not a weekday; wanted: if there were always enough operators")
    _print_sums(figures)


def _print_sums(figures: Figures) -> None:
    print(
        f"{figures.cases} open cases, {figures.phones} phones planned; {figures.called} cases called, "
        f"{figures.contacted} reached so far"
    )
    if figures.rate is not None:
        low, high = (x / figures.all_cases for x in (figures.expected_low, figures.expected_high))
        print(
            f"expected contact rate of the month: {figures.rate:.1%} ({low:.0%} to {high:.0%} if every "
            f"rate is at an end of its interval); goal {figures.goal:.0%}"
        )


def _show_case(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
    else:
        columns = ("phone", "from", "to", "gain")
        print_table(columns, (list(row.values()) for row in rows))


def _risk_row(risk: PhoneRisk, place: tuple[str, int]) -> dict[str, Any]:
    return {
        "case": place[0],
        "phone": place[1],
        "danger": risk.danger.value,
        "missing": risk.missing,
        "weekend_missed": risk.weekend_missed,
        "deadline": risk.deadline,
    }


_TOLD = {
    "lost": "cannot get all they are owed: not enough days are left",
    "operators": "cannot get all they are owed: not enough operators",
    "near": "must be called today or on the next day they can be",
}


def _print_check(figures: Figures, told: list[str], rows: list[dict[str, Any]]) -> None:
    from dialer.planning.risks import by_day

    columns = ("day", "rostered h", "needed h", "wanted h")
    days = by_day(figures.bands)
    print_table(
        columns,
        (
            [
                day,
                f"{sum(band.operator_hours for band in bands):.1f}",
                f"{sum(band.needed_hours for band in bands):.1f}",
                f"{sum(band.wanted_hours for band in bands):.1f}",
            ]
            for day, bands in days.items()
        ),
    )
    _print_sums(figures)
    for warning in told:
        print(f"warning: {warning}")
    counts = Counter(row["danger"] for row in rows)
    for danger, text in _TOLD.items():
        print(f"{counts[danger]} phones {text}")
    if rows:
        print_table(tuple(rows[0]), (list(row.values()) for row in rows[:SHOWN_PHONES]))
    if len(rows) > SHOWN_PHONES:
        print(f"… and {len(rows) - SHOWN_PHONES} more; all of them: --json")

"""`dialer escalation …`: cases that are the city's to decide (§8(3)キ)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.cases import CampaignName
from dialer.cli.show import print_json, print_table, write_list
from dialer.cli.stop_order import OrderedBy
from dialer.cli.work import AsJson, By, Out, Yes, confirm, installation, now
from rules.case import Decision

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from dialer.escalations import Escalated

app = typer.Typer(help="Cases handed to the city to decide, and the criteria for it.")
criterion = typer.Typer(help="The city's criteria: when a case is handed to it.")
app.add_typer(criterion, name="criterion")

CaseReference = Annotated[str, typer.Argument(metavar="REF", help="整理番号.")]


@app.command("list")
def list_escalations(
    ctx: typer.Context,
    campaign: CampaignName,
    only_open: Annotated[
        bool, typer.Option("--open", help="Only those that wait for a decision.")
    ] = False,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """List the escalated cases: since when, why, the appointment that cannot be kept, the decision."""
    from dialer import escalations
    from dialer.months import month_named
    from dialer.reports.city_lists import ESCALATION_HEADER, answer, escalation_rows, why

    async def work(session: AsyncSession) -> list[Escalated]:
        month = await month_named(session, campaign, now())
        return await escalations.listed(session, month, only_open=only_open)

    found = installation(ctx).read(work)
    if out is not None:
        write_list(out, ESCALATION_HEADER, escalation_rows(found))
    elif as_json:
        print_json([asdict(one) for one in found])
    else:
        columns = ("case", "status", "since", "why", "appointment", "decision", "by")
        cells = (
            (one.reference, one.case_status, one.since, why(one), one.appointment, answer(one),
             one.decided_by)
            for one in found
        )  # fmt: skip
        print_table(columns, cells)


@app.command("raise")
def raise_case(
    ctx: typer.Context,
    reference: CaseReference,
    campaign: CampaignName,
    criterion_id: Annotated[
        int, typer.Option("--criterion", metavar="ID", help="See `dialer escalation criteria`.")
    ],
    by: By,
) -> None:
    """Hand a case to the city: it is not called until the decision."""
    from dialer import escalations
    from dialer.months import month_named

    async def work(session: AsyncSession) -> None:
        at = now()
        month = await month_named(session, campaign, at)
        await escalations.raise_by_hand(session, month, reference, criterion_id, at=at, by=by)

    installation(ctx).write(work)
    print(f"case {reference}: handed to the city")


@app.command()
def decide(
    ctx: typer.Context,
    reference: CaseReference,
    campaign: CampaignName,
    decision: Annotated[
        Decision,
        typer.Option(
            metavar="|".join(Decision),
            help="resume: call on. stop: as `stop-order add`. close: no further call this month.",
        ),
    ],
    by: OrderedBy,
    yes: Yes = False,
) -> None:
    """Write down what the city decided; all that waits for it of the case is decided."""
    from dialer import escalations
    from dialer.months import month_named

    if decision is Decision.STOP:
        confirm(f"Stop all calls to the person of case {reference}?", yes=yes)

    async def work(session: AsyncSession) -> None:
        at = now()
        month = await month_named(session, campaign, at)
        await escalations.decide(session, month, reference, decision, at=at, by=by)

    installation(ctx).write(work)
    print(f"case {reference}: decided, {decision}")


@app.command()
def criteria(
    ctx: typer.Context,
    removed: Annotated[bool, typer.Option("--removed", help="Those removed, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the city's criteria."""
    from db import escalations

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        return [
            {
                "id": one.id,
                "label": one.label,
                "talk_result": one.talk_result,
                "added_at": one.added_at,
                "added_by": one.added_by,
                "removed_at": one.removed_at,
                "removed_by": one.removed_by,
            }
            for one in await escalations.criteria(session, removed=removed)
        ]

    rows = installation(ctx).read(work)
    if as_json:
        print_json(rows)
    else:
        columns = ("id", "criterion", "raised by talk result", "added", "by", "removed", "by")
        print_table(columns, (list(row.values()) for row in rows))


@criterion.command()
def add(
    ctx: typer.Context,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="What it says, in Japanese.")],
    by: OrderedBy,
    talk_result: Annotated[
        str | None,
        typer.Option(
            "--talk-result",
            metavar="CODE",
            help="A talk with this talk result (折衝内容) raises it by itself.",
        ),
    ] = None,
) -> None:
    """Add a criterion."""
    from db import escalations
    from dialer.profiles import load_profile

    here, at = installation(ctx), now()
    if talk_result is not None:
        profile = load_profile(here.settings.service.profile, at.date())
        codes = [one.code for one in profile.talk_results]
        if talk_result not in codes:
            raise typer.BadParameter(f"use one of {', '.join(codes)}", param_hint="--talk-result")

    async def work(session: AsyncSession) -> int:
        return await escalations.add_criterion(
            session, label, talk_result=talk_result, at=at, by=by
        )

    print(f"criterion {here.write(work)}: added")


@criterion.command()
def remove(
    ctx: typer.Context,
    criterion_id: Annotated[int, typer.Argument(metavar="ID")],
    by: OrderedBy,
) -> None:
    """Take a criterion out of use; what was raised under it stays."""
    from db import escalations

    async def work(session: AsyncSession) -> None:
        await escalations.remove_criterion(session, criterion_id, at=now(), by=by)

    installation(ctx).write(work)
    print(f"criterion {criterion_id}: removed")

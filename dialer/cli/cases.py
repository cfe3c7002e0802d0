"""`dialer cases …`: the city's file goes in, the month's cases are looked at."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.show import print_findings, print_json, print_table, write_list
from dialer.cli.work import AsJson, Out, installation, now
from dialer.errors import IntakeError
from rules.case import CaseStatus

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from db.session import Sessions
    from db.tables import CaseRow
    from dialer.intake.importer import ImportReport

app = typer.Typer(help="Cases: one person to be reminded in one month each.")

CampaignName = Annotated[str, typer.Option("--campaign", metavar="NAME", help="Of which campaign.")]


@app.command("import")
def import_cases(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As the city handed it over.")],
    campaign: CampaignName,
    handed_by: Annotated[str, typer.Option("--handed-by", metavar="WHO", help="Kept (§9(3)).")],
    accept_good: Annotated[
        bool, typer.Option("--accept-good", help="Take the good rows though others have faults.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take the city's file in: as a whole, or not at all. The same file again changes nothing."""
    from db.keys import Keys
    from dialer.intake.importer import HandOver, import_file
    from dialer.settings import load_secrets

    here = installation(ctx)
    given = HandOver(source=file, campaign=campaign, handed_by=handed_by, accept_good=accept_good)

    async def work(sessions: Sessions) -> ImportReport:
        keys = Keys.from_hex(load_secrets(here.settings_path).lookup_key)
        return await import_file(sessions, given, keys=keys, now=now())

    report = here.with_sessions(work)
    if as_json:
        print_json(asdict(report))
    else:
        _print_import(report)
    if not report.taken:
        raise IntakeError(
            f"nothing was taken in: {report.refused} of {report.rows} rows have faults; "
            "have the file corrected, or take the good rows with --accept-good"
        )


@app.command("list")
def list_cases(
    ctx: typer.Context,
    campaign: CampaignName,
    status: Annotated[
        CaseStatus | None,
        typer.Option("--status", metavar="|".join(CaseStatus), help="Only these."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List a campaign's cases by the city's references, without persons."""
    from db import campaigns, cases

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        month = await campaigns.get(session, campaign)
        return [standing(case) for case in await cases.all_cases(session, month.id, status)]

    rows = installation(ctx).read(work)
    if as_json:
        print_json(rows)
    else:
        columns = ("reference", "status", "clause", "appointment")
        print_table(columns, (list(row.values()) for row in rows))


@app.command()
def learned(
    ctx: typer.Context, campaign: CampaignName, out: Out = None, as_json: AsJson = False
) -> None:
    """List the phone numbers learned in calls (§8(4)). Personal data: mind who looks on."""
    from db import campaigns, cases
    from dialer.reports.city_lists import LEARNED_HEADER, learned_rows
    from rules.case import PhoneKind

    async def work(session: AsyncSession) -> list[tuple[str, PhoneKind, str]]:
        month = await campaigns.get(session, campaign)
        found = await cases.learned_phones(session, month.id)
        return [(reference, PhoneKind(phone.kind), phone.number) for reference, phone in found]

    rows = installation(ctx).read(work)
    columns = ("reference", "kind", "number")
    if out is not None:
        write_list(out, LEARNED_HEADER, learned_rows(rows))
    elif as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(columns, rows)


def _print_import(report: ImportReport) -> None:
    print_findings(report.findings, report.findings_in_all)
    if report.taken:
        print(
            f"{report.rows} rows: {report.added} added, {report.changed} changed, "
            f"{report.unchanged} unchanged, {report.refused} refused, {report.stopped} stopped"
        )


def standing(case: CaseRow) -> dict[str, Any]:
    """Where a case stands, without the person."""
    return {
        "reference": case.reference,
        "status": case.status,
        "clause": case.clause,
        "appointment": case.appointment,
    }

"""`dialer cases …`: the city's file goes in, cases are looked at."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.show import print_json, print_table
from dialer.cli.work import AsJson, installation, now
from dialer.errors import IntakeError
from rules.case import CaseStatus

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from db.results import Past
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
        return [_standing(case) for case in await cases.all_cases(session, month.id, status)]

    rows = installation(ctx).read(work)
    if as_json:
        print_json(rows)
    else:
        columns = ("reference", "status", "clause", "appointment")
        print_table(columns, (list(row.values()) for row in rows))


@app.command()
def show(
    ctx: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="REF", help="整理番号.")],
    as_json: AsJson = False,
) -> None:
    """Show a case: the person, the phones, every call. Personal data: mind who looks on."""
    from db import references

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        found = await references.cases_called(session, reference)
        return [await _described(session, case) for case in found]

    rows = installation(ctx).read(work)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        _print_case(row)


def _print_import(report: ImportReport) -> None:
    for finding in report.findings:
        print(f"[{finding.severity}] {finding.text()}")
    if report.findings_in_all > len(report.findings):
        print(f"… {report.findings_in_all - len(report.findings)} more")
    if report.taken:
        print(
            f"{report.rows} rows: {report.added} added, {report.changed} changed, "
            f"{report.unchanged} unchanged, {report.refused} refused, {report.stopped} stopped"
        )


def _standing(case: CaseRow) -> dict[str, Any]:
    return {
        "reference": case.reference,
        "status": case.status,
        "clause": case.clause,
        "appointment": case.appointment,
    }


async def _described(session: AsyncSession, case: CaseRow) -> dict[str, Any]:
    from db import cases, results
    from db.tables import Campaign

    campaign = await session.get_one(Campaign, case.campaign_id)
    return {
        "campaign": campaign.name,
        **_standing(case),
        "name": case.name,
        "kana": case.kana,
        "birth_date": case.birth_date,
        "address": case.address,
        "category": case.category,
        "amount_yen": case.amount_yen,
        "note": case.note,
        "phones": [
            {
                "number": phone.number,
                "kind": phone.kind,
                "learned": phone.learned,
                "status": phone.status,
                "counted": phone.counted,
                "weekend_met": phone.weekend_met,
                "due_at": phone.due_at,
            }
            for phone in await cases.phones_of(session, case.id)
        ],
        "calls": [_called(past) for past in await results.past_calls(session, case.id)],
    }


def _called(past: Past) -> dict[str, Any]:
    return {
        "placed_at": past.placed_at,
        "phone_kind": past.phone_kind.value,
        "outcome": past.recorded.result.outcome,
        "by": past.recorded.by,
        "talk_results": list(past.recorded.talk_results),
        "note": past.recorded.note,
    }


def _print_case(row: dict[str, Any]) -> None:
    lists = ("phones", "calls")
    print_table(("case", ""), ((key, value) for key, value in row.items() if key not in lists))
    for name in lists:
        if row[name]:
            print_table(tuple(row[name][0]), (tuple(one.values()) for one in row[name]))

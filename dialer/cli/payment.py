"""`dialer payment …`: payments the city tells of the same day (rule 9)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.cli.cases import CampaignName
from dialer.cli.show import print_findings, print_json
from dialer.cli.stop_order import OrderedBy
from dialer.cli.work import AsJson, installation, now
from dialer.errors import IntakeError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from db.session import Sessions
    from dialer.payments import PaymentReport

app = typer.Typer(help="Payments known the same day: the case is not called any more this month.")


@app.command()
def add(
    ctx: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="REF", help="整理番号.")],
    campaign: CampaignName,
    by: OrderedBy,
) -> None:
    """One case has paid: what rings for it is hung up. A talk under way is not cut."""
    from dialer.payments import add_payment

    async def work(session: AsyncSession) -> bool:
        return await add_payment(session, campaign, reference, at=now(), by=by)

    new = installation(ctx).write(work)
    print(f"case {reference}: {'paid' if new else 'was known as paid, nothing changed'}")


@app.command("import")
def import_file(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As the city handed it over.")],
    campaign: CampaignName,
    handed_by: Annotated[str, typer.Option("--handed-by", metavar="WHO", help="Kept (§9(3)).")],
    accept_good: Annotated[
        bool, typer.Option("--accept-good", help="Take the good rows though others have faults.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take a file of payments in: as a whole, or not at all. The same file again changes nothing."""
    from dialer.intake.importer import HandOver
    from dialer.payments import import_payments

    given = HandOver(source=file, campaign=campaign, handed_by=handed_by, accept_good=accept_good)

    async def work(sessions: Sessions) -> PaymentReport:
        return await import_payments(sessions, given, now=now())

    report = installation(ctx).with_sessions(work)
    if as_json:
        print_json(asdict(report))
    else:
        print_findings(report.findings, report.findings_in_all)
        if report.taken:
            print(
                f"{report.rows} rows: {report.paid} cases paid, {report.known} known as paid, "
                f"{report.refused} refused"
            )
    if not report.taken:
        raise IntakeError(
            f"nothing was taken in: {report.refused} of {report.rows} rows have faults; "
            "have the file corrected, or take the good rows with --accept-good"
        )

"""`dialer review …`: results that stayed unclear on the line (rule 3)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.cli.cases import CampaignName
from dialer.cli.show import print_json, print_table
from dialer.cli.work import AsJson, By, installation, now

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from db.reviews import Unclear

app = typer.Typer(help="Results a supervisor looks at: the line's words were unclear.")


@app.command("list")
def list_reviews(ctx: typer.Context, campaign: CampaignName, as_json: AsJson = False) -> None:
    """List those nobody has settled, with what the line told."""
    from db import campaigns, reviews

    async def work(session: AsyncSession) -> list[Unclear]:
        month = await campaigns.get(session, campaign)
        return await reviews.to_look_at(session, month.id)

    found = installation(ctx).read(work)
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        columns = ("attempt", "case", "phone", "placed", "outcome", "cause", "rang s",
                   "announcement")  # fmt: skip
        print_table(columns, (list(asdict(one).values()) for one in found))


@app.command()
def settle(
    ctx: typer.Context,
    attempt: Annotated[str, typer.Argument(metavar="ATTEMPT", help="As `review list` shows it.")],
    outcome: Annotated[
        str, typer.Option(metavar="CODE", help="The one it has already settles it, too.")
    ],
    by: By,
) -> None:
    """Say what the attempt came to; the rules are applied again, the old result stays on record."""
    from dialer import reviews

    async def work(session: AsyncSession) -> None:
        await reviews.settle(session, attempt, outcome, at=now(), by=by)

    installation(ctx).write(work)
    print(f"attempt {attempt}: settled as {outcome}")

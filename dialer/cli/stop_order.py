"""`dialer stop-order …`: the city's word that a person must not be called again (§8(3)ク)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.show import print_json, print_table
from dialer.cli.work import AsJson, Yes, confirm, installation, now

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

app = typer.Typer(help="Stop orders of the city.")

Reference = Annotated[
    str, typer.Argument(metavar="REF", help="整理番号 of one of the person's cases.")
]
OrderedBy = Annotated[str, typer.Option("--by", help="Who at the city said so.")]


@app.command()
def add(ctx: typer.Context, reference: Reference, by: OrderedBy, yes: Yes = False) -> None:
    """Stop all the person's cases, now and in later months. A talk under way is not cut."""
    from db import references, stops
    from dialer.refresh import refresh

    confirm(f"Stop all calls to the person of case {reference}?", yes=yes)

    async def work(session: AsyncSession) -> int:
        at = now()
        person = await references.person_called(session, reference)
        stopped = await stops.order(session, person, at=at, by=by)
        await refresh(session, stopped, at)
        return len(stopped)

    stopped = installation(ctx).write(work)
    print(f"stop order: in force; cases stopped: {stopped}")


@app.command()
def lift(ctx: typer.Context, reference: Reference, by: OrderedBy, yes: Yes = False) -> None:
    """Take the person's stop order back."""
    from db import references, stops
    from dialer.refresh import refresh

    confirm(f"Let the person of case {reference} be called again?", yes=yes)

    async def work(session: AsyncSession) -> int:
        at = now()
        person = await references.person_called(session, reference)
        freed = await stops.lift(session, person, at=at, by=by)
        await refresh(session, freed, at)
        return len(freed)

    freed = installation(ctx).write(work)
    print(f"stop order: lifted; cases freed: {freed}")


@app.command("list")
def list_stop_orders(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the stop orders in force."""
    from db import references, stops

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        orders = await stops.in_force(session)
        known = await references.references_of(session, [order.person_key for order in orders])
        return [
            {"references": known.get(order.person_key, []), "at": order.at, "by": order.by}
            for order in orders
        ]

    rows = installation(ctx).read(work)
    if as_json:
        print_json(rows)
    else:
        cells = ((" ".join(row["references"]), row["at"], row["by"]) for row in rows)
        print_table(("cases", "since", "by"), cells)

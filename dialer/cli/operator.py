"""`dialer operator …`: who sits at which extension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.show import print_json, print_table
from dialer.cli.work import AsJson, By, Yes, confirm, installation, now
from dialer.errors import NotFoundError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

app = typer.Typer(help="Operators and their tokens.")

Id = Annotated[
    str, typer.Argument(metavar="ID", help="Extension of the softphone, for example 201.")
]


@app.command()
def add(
    ctx: typer.Context,
    operator_id: Id,
    name: Annotated[str, typer.Option("--name", help="As the operator's screen shows it.")],
    by: By,
    callbacks_only: Annotated[
        bool,
        typer.Option(
            "--callbacks-only",
            help="A supervisor's seat: only people who call us, and only while no operator is free.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add an operator and print the token of the screen, this once."""
    from db import operators

    here = installation(ctx)
    if operator_id not in here.settings.operators.extensions():
        raise NotFoundError(
            f"operator {operator_id}: no such extension; see [operators] in settings"
        )

    async def work(session: AsyncSession) -> str:
        return await operators.add(
            session, operator_id, name, at=now(), by=by, callbacks_only=callbacks_only
        )

    token = here.write(work)
    if as_json:
        print_json({"id": operator_id, "token": token})
    else:
        print(f"operator {operator_id}: added; the token is shown only now:\n{token}")


@app.command("list")
def list_operators(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the operators."""
    from db import operators

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        return [
            {
                "id": row.id,
                "name": row.name,
                "active": row.active,
                "callbacks_only": row.callbacks_only,
            }
            for row in await operators.all_operators(session)
        ]

    rows = installation(ctx).read(work)
    if as_json:
        print_json(rows)
    else:
        cells = (
            (
                row["id"],
                row["name"],
                "yes" if row["active"] else "removed",
                "callbacks only" if row["callbacks_only"] else "all",
            )
            for row in rows
        )
        print_table(("id", "name", "active", "calls"), cells)


@app.command()
def remove(ctx: typer.Context, operator_id: Id, by: By, yes: Yes = False) -> None:
    """Refuse the operator's token from now on. What they recorded stays."""
    from db import operators

    confirm(f"Remove operator {operator_id}?", yes=yes)

    async def work(session: AsyncSession) -> None:
        await operators.deactivate(session, operator_id, at=now(), by=by)

    installation(ctx).write(work)
    print(f"operator {operator_id}: removed")

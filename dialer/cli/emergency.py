"""`dialer emergency …`: everything at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from dialer.cli.work import By, Yes, confirm, installation, now

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

app = typer.Typer(help="The emergency stop.")


@app.command()
def stop(ctx: typer.Context, by: By, yes: Yes = False) -> None:
    """Hang up whatever rings and dial nothing in any campaign, until lifted. Talks go on."""
    from db import stops

    confirm("Stop all calling in every campaign?", yes=yes)

    async def work(session: AsyncSession) -> None:
        await stops.set_emergency(session, at=now(), by=by)

    installation(ctx).write(work)
    print("emergency stop: in force")


@app.command()
def lift(ctx: typer.Context, by: By, yes: Yes = False) -> None:
    """Let calling go on."""
    from db import stops

    confirm("Lift the emergency stop?", yes=yes)

    async def work(session: AsyncSession) -> None:
        await stops.lift_emergency(session, at=now(), by=by)

    installation(ctx).write(work)
    print("emergency stop: lifted")

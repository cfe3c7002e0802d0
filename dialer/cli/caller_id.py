"""`dialer caller-id …`: the number shown to the called, and its changes (§11(2)イウ)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.show import moment, print_json, print_table
from dialer.cli.work import MOMENT, AsJson, By, installation, now, parse_moment

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from db.tables import CallerIdChange

app = typer.Typer(help="The number shown to the called: one of the pool, changed on a schedule.")


@app.command()
def show(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show the number in force, and every change ever ordered."""
    from db import caller_ids
    from dialer.caller_ids import CallerIds

    here, at = installation(ctx), now()
    pool = here.settings.caller_id.pool
    ids = CallerIds(pool)

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        await ids.reload(session)
        return [_told(change, at) for change in await caller_ids.all_changes(session)]

    changes = here.read(work)
    if as_json:
        print_json({"in_force": ids.at(at), "pool": pool, "changes": changes})
        return
    print(f"in force: {ids.at(at)}; pool: {' '.join(pool)}")
    if changes:
        print_table(tuple(changes[0]), (tuple(change.values()) for change in changes))


def _told(change: CallerIdChange, at: datetime) -> dict[str, Any]:
    begun = "begun" if change.from_at <= at else "scheduled"
    return {
        "id": change.id,
        "number": change.number,
        "from": change.from_at,
        "state": begun if change.cancelled_at is None else "cancelled",
        "ordered_by": change.ordered_by,
        "ordered_at": change.ordered_at,
        "cancelled_by": change.cancelled_by,
        "cancelled_at": change.cancelled_at,
    }


@app.command()
def schedule(
    ctx: typer.Context,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="One of caller_id.pool.")],
    by: By,
    from_at: Annotated[
        datetime | None,
        typer.Option(
            "--from", parser=parse_moment, metavar=MOMENT, help="Japan time. Default: at once."
        ),
    ] = None,
) -> None:
    """Show another number from a moment on. The one before goes on taking callbacks."""
    from db import caller_ids
    from dialer.caller_ids import check_number
    from dialer.profiles import load_profile
    from rules.calendar import JST

    here, at = installation(ctx), now()
    begins = from_at or at
    profile = load_profile(here.settings.service.profile, begins.astimezone(JST).date())
    check_number(number, here.settings.caller_id.pool, profile)

    async def work(session: AsyncSession) -> int:
        return (await caller_ids.schedule(session, number, from_at=begins, at=at, by=by)).id

    change = here.write(work)
    print(f"caller ID: {number} from {moment(begins)} on (change {change})")


@app.command()
def cancel(
    ctx: typer.Context,
    change: Annotated[int, typer.Argument(metavar="ID", help="As `dialer caller-id show` says.")],
    by: By,
) -> None:
    """Take a scheduled change back before its moment comes."""
    from db import caller_ids

    async def work(session: AsyncSession) -> None:
        await caller_ids.cancel(session, change, at=now(), by=by)

    installation(ctx).write(work)
    print(f"caller ID: change {change} is cancelled")

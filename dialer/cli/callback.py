"""`dialer callback …`: people who called us, and what they left for us to do (§8(4)キ, §8(6))."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.show import print_json, print_table
from dialer.cli.work import DAY, AsJson, By, installation, now, parse_day

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from db.callback_rows import CallbackRow
    from db.callback_wishes import Message, Wish

app = typer.Typer(help="People who called us, and what they left for us to do.")

CallbackId = Annotated[str, typer.Argument(metavar="ID", help="As the lists show it.")]
Numbers = Annotated[
    bool, typer.Option("--numbers", help="The callers' numbers, too. They are personal data.")
]

CAME_TO = {
    "live": "on the line",
    "talked": "talked with an operator",
    "asked_back": "asked to be called back",
    "message": "left a message",
    "guidance": "heard the guidance",
    "gave_up": "gave up",
}
"""`rules.callback_end.CameTo` in words."""
WITHHELD = "withheld"


@app.command("list")
def list_callbacks(
    ctx: typer.Context,
    day: Annotated[
        date | None,
        typer.Option("--day", parser=parse_day, metavar=DAY, help="Default: today."),
    ] = None,
    numbers: Numbers = False,
    as_json: AsJson = False,
) -> None:
    """List a day's callbacks: what became of each, how long it waited, who talked, about which case."""
    from db import callback_rows
    from rules.calendar import JST

    start = datetime.combine(day or now().date(), time(), JST)

    async def work(session: AsyncSession) -> list[CallbackRow]:
        return await callback_rows.between(session, start, start + timedelta(days=1))

    rows = [_listed(row, numbers) for row in installation(ctx).read(work)]
    _print(rows, ("id", "arrived", "called", "came to", "waited s", "operator", "case", "result"),
           numbers, as_json)  # fmt: skip


@app.command()
def wishes(ctx: typer.Context, numbers: Numbers = False, as_json: AsJson = False) -> None:
    """List the callers who asked to be called back and were not yet, and the messages nobody has heard."""
    from db import callback_wishes

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        waiting = [_wish(one, numbers) for one in await callback_wishes.wishes(session)]
        new = await callback_wishes.messages(session, only_new=True)
        return waiting + [_new_message(one, numbers) for one in new]

    rows = installation(ctx).read(work)
    _print(rows, ("id", "at", "what", "case", "to do"), numbers, as_json)


@app.command()
def messages(ctx: typer.Context, numbers: Numbers = False, as_json: AsJson = False) -> None:
    """List the messages callers left: the case with their number, the file, how long, and who heard it."""
    from db import callback_wishes

    here = installation(ctx)
    folder = here.settings.asterisk.messages_dir

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        return [
            {
                "id": one.callback_id,
                "at": one.at,
                "case": one.reference,
                "file": str(folder / one.file),
                "seconds": one.seconds,
                "heard_at": one.heard_at,
                "heard_by": one.heard_by,
                **_number(one.number, numbers),
            }
            for one in await callback_wishes.messages(session)
        ]

    columns = ("id", "at", "case", "file", "seconds", "heard", "by")
    _print(here.read(work), columns, numbers, as_json)


@app.command()
def heard(ctx: typer.Context, callback: CallbackId, by: By) -> None:
    """Write down that the message was heard; what it asks for is the supervisor's to do."""
    from db import callback_wishes

    async def work(session: AsyncSession) -> None:
        await callback_wishes.heard(session, callback, at=now(), by=by)

    installation(ctx).write(work)
    print(f"callback {callback}: message heard")


@app.command()
def done(ctx: typer.Context, callback: CallbackId, by: By) -> None:
    """Settle a wish to be called back that the rules do not call for: a case that is over, or nobody's
    number."""
    from db import callback_wishes

    async def work(session: AsyncSession) -> None:
        await callback_wishes.done(session, callback, at=now(), by=by)

    installation(ctx).write(work)
    print(f"callback {callback}: done")


def _listed(row: CallbackRow, numbers: bool) -> dict[str, Any]:
    came_to = CAME_TO[row.came_to]
    result = row.result.outcome if row.result else row.closed
    return {
        "id": row.id,
        "arrived_at": row.arrived_at,
        "called": row.called,
        "came_to": came_to,
        "waited_s": None if row.waited_s is None else round(row.waited_s),
        "operator": row.operator_id,
        "case": row.reference,
        "result": "NOT RECORDED" if row.unrecorded else result,
        **_number(row.number, numbers),
    }


def _wish(wish: Wish, numbers: bool) -> dict[str, Any]:
    if wish.is_called:
        to_do = "none: the rules call it"
    elif wish.reference is None:
        to_do = "nobody's number: find out who it is, then `callback done`"
    else:
        to_do = f"the case is {wish.status} and not called: see to it, then `callback done`"
    return {
        "id": wish.callback_id,
        "at": wish.at,
        "what": "call back",
        "case": wish.reference,
        "to_do": to_do,
        **_number(wish.number, numbers),
    }


def _new_message(message: Message, numbers: bool) -> dict[str, Any]:
    return {
        "id": message.callback_id,
        "at": message.at,
        "what": f"message of {message.seconds} s",
        "case": message.reference,
        "to_do": "hear it (`callback messages`), then `callback heard`",
        **_number(message.number, numbers),
    }


def _number(number: str | None, shown: bool) -> dict[str, str]:
    return {"number": number or WITHHELD} if shown else {}


def _print(
    rows: list[dict[str, Any]], columns: tuple[str, ...], numbers: bool, as_json: bool
) -> None:
    if as_json:
        print_json(rows)
    else:
        shown = (*columns, "number") if numbers else columns
        print_table(shown, (tuple(row.values()) for row in rows))

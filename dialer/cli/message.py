"""`dialer message …`: what callers hear by order of the city (§11(2)オ)."""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.show import moment, print_json, print_table
from dialer.cli.work import MOMENT, AsJson, By, installation, now, parse_moment

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from db.tables import OrderedMessage
    from rules.profile import SpokenTexts

app = typer.Typer(help="The city's own message to callers, in force on the next call.")


@app.command()
def order(
    ctx: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="TEXT|FILE.wav",
            help="What is said, or a recording (WAV, 8 kHz, mono, 16 bit).",
        ),
    ],
    by: By,
    from_at: Annotated[
        datetime | None,
        typer.Option(
            "--from", parser=parse_moment, metavar=MOMENT, help="Japan time. Default: at once."
        ),
    ] = None,
    until_at: Annotated[
        datetime | None,
        typer.Option(
            "--until", parser=parse_moment, metavar=MOMENT, help="Default: until it is cancelled."
        ),
    ] = None,
) -> None:
    """Have callers hear a message first in hours, and in place of the guidance outside of them.

    Of several in force the one ordered last is heard.
    """
    from db import ordered_messages
    from dialer.profiles import load_profile
    from rules import sounds
    from rules.calendar import JST

    here, at = installation(ctx), now()
    begins = from_at or at
    texts = load_profile(here.settings.service.profile, begins.astimezone(JST).date()).texts
    put: list[Path] = []

    with tempfile.TemporaryDirectory() as folder:
        text, sound = _prepared(what, texts, Path(folder))

        async def work(session: AsyncSession) -> int:
            row = await ordered_messages.order(
                session, text, from_at=begins, until_at=until_at, at=at, by=by
            )
            target = here.settings.asterisk.sounds_dir / f"{sounds.ordered(row.id)}.wav"
            put.append(target)
            _put(sound, target)
            return row.id

        try:
            message = here.write(work)
        except BaseException:
            for path in put:
                path.unlink(missing_ok=True)
            raise
    until = f" until {moment(until_at)}" if until_at else " until it is cancelled"
    print(f"message {message}: heard from {moment(begins)} on,{until}")
    if text is None:
        print(
            "remember: nobody checked the recording: it must name neither a person nor arrears",
            file=sys.stderr,
        )


def _prepared(what: str, texts: SpokenTexts, folder: Path) -> tuple[str | None, Path]:
    """The text, if it is one, and its sound.

    Raises:
        SpeechError: it cannot be used.
    """
    from dialer import speech
    from dialer.errors import SpeechError

    if what.lower().endswith(".wav"):
        speech.check_wav(Path(what))
        return None, Path(what)
    forbidden = texts.forbidden_in(what)
    if forbidden is not None:
        raise SpeechError(f"the text must not contain {forbidden!r}: others may hear it")
    if not what.strip():
        raise SpeechError("the text is empty")
    spoken = folder / "message.wav"
    speech.speak(what, spoken)
    return what, spoken


def _put(sound: Path, target: Path) -> None:
    from dialer.errors import SpeechError

    new = target.with_suffix(".new")
    try:
        shutil.copyfile(sound, new)
        new.chmod(0o644)  # Asterisk runs as another user
        new.replace(target)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise SpeechError(f"{target.parent}: cannot be written ({error.strerror})") from error


@app.command("list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List every message ever ordered: by whom, and whether it is heard."""
    from db import ordered_messages

    at = now()

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        return [_told(row, at) for row in await ordered_messages.all_orders(session)]

    found = installation(ctx).read(work)
    if as_json:
        print_json(found)
        return
    columns = ("id", "state", "from", "until", "ordered_by", "ordered_at", "text")
    print_table(columns, ([row[column] for column in columns] for row in found))


def _told(row: OrderedMessage, at: datetime) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": _state(row, at),
        "text": row.text,
        "from": row.from_at,
        "until": row.until_at,
        "ordered_by": row.ordered_by,
        "ordered_at": row.ordered_at,
        "cancelled_by": row.cancelled_by,
        "cancelled_at": row.cancelled_at,
    }


def _state(row: OrderedMessage, at: datetime) -> str:
    if row.cancelled_at is not None:
        return "cancelled"
    if row.until_at is not None and row.until_at <= at:
        return "over"
    return "in force" if row.from_at <= at else "to come"


@app.command()
def cancel(
    ctx: typer.Context,
    message: Annotated[int, typer.Argument(metavar="ID", help="As `dialer message list` says.")],
    by: By,
) -> None:
    """Take a message back: from the next call on nobody hears it."""
    from db import ordered_messages

    async def work(session: AsyncSession) -> None:
        await ordered_messages.cancel(session, message, at=now(), by=by)

    installation(ctx).write(work)
    print(f"message {message}: cancelled")

"""What the verbs need to do their work: the settings, the moment, a transaction."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    # Heavy: SQLAlchemy and pydantic would double the time of `dialer --help`.
    from sqlalchemy.ext.asyncio import AsyncSession

    from db.session import Sessions
    from dialer.settings import Settings

T = TypeVar("T")


class Installation:
    """The settings file the command was given, read when first needed."""

    def __init__(self, settings_path: Path) -> None:
        self.settings_path = settings_path

    @cached_property
    def settings(self) -> Settings:
        """The settings.

        Raises:
            SettingsError: the file cannot be used.
        """
        from dialer.settings import load_settings

        return load_settings(self.settings_path)

    def with_sessions(self, work: Callable[[Sessions], Awaitable[T]]) -> T:
        """What `work` returns, done with the database open."""
        from db.session import make_sessions

        async def opened() -> T:
            sessions = make_sessions(self.settings.service.database)
            try:
                return await work(sessions)
            finally:
                await sessions.close()

        return asyncio.run(opened())

    def write(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """What `work` returns, done in one writing transaction."""

        async def writing(sessions: Sessions) -> T:
            async with sessions.write() as session:
                return await work(session)

        return self.with_sessions(writing)

    def read(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """What `work` returns, from one consistent look at the database."""

        async def reading(sessions: Sessions) -> T:
            async with sessions.read() as session:
                return await work(session)

        return self.with_sessions(reading)


def installation(ctx: typer.Context) -> Installation:
    """The installation the command was called for."""
    found: Installation = ctx.obj
    return found


def now() -> datetime:
    """The machine's moment, Japan time."""
    from dialer.clock import SystemClock

    return SystemClock().now()


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless `--yes` answered already.

    Raises:
        typer.Abort: the answer was not yes.
    """
    if not yes:
        typer.confirm(question, abort=True, err=True)


DAY = "YYYY-MM-DD"


def parse_day(text: str) -> date:
    """A day as the options take it."""
    return date.fromisoformat(text)


MOMENT = "YYYY-MM-DD HH:MM"


def parse_moment(text: str) -> datetime:
    """A moment of Japan as the options take it."""
    from rules.calendar import JST

    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=JST)


Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", dir_okay=False, help="Write it as CSV for the city instead."
    ),
]
By = Annotated[
    str,
    typer.Option(
        "--by", default_factory=getpass.getuser, show_default="login name", help="Who ordered it."
    ),
]

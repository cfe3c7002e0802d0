"""Bringing a database's tables to this version's, and telling which version they have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from db.errors import DatabaseError
from db.session import make_engine

_T = TypeVar("_T")


def head() -> str:
    """The revision this version of the code needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


async def revision_of(url: str) -> str | None:
    """The revision of a database; None: it has no tables of ours.

    Raises:
        DatabaseError: it cannot be reached.
    """
    return await _run(url, _revision)


async def upgrade(url: str) -> None:
    """Bring a database to `head`, in one transaction; one that is there already is left as it is.

    Raises:
        DatabaseError: it cannot be reached, or it was made by a newer version.
    """
    await _run(url, _upgrade)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def _run(url: str, work: Callable[[Connection], _T]) -> _T:
    engine = make_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    except CommandError:
        raise DatabaseError(
            "the database was made by a newer version; install that version"
        ) from None
    except (SQLAlchemyError, OSError) as error:
        raise DatabaseError(f"the database cannot be used ({type(error).__name__})") from error
    finally:
        await engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config

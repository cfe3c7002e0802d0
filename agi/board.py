"""What the service tells whoever answers callers: one small file, replaced as a whole, without persons.

The service writes it at every change and at least every second; who answers reads it at every call.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Opening(_Part):
    """Hours in which callers reach operators (§6(2)), from `start` until before `end`."""

    start: AwareDatetime
    end: AwareDatetime


class OrderedMessage(_Part):
    """A message the city ordered (§11(2)オ)."""

    id: int
    sound: str
    """Its file in the sounds folder, without suffix."""
    from_at: AwareDatetime
    until_at: AwareDatetime | None = None


class Waiting(_Part):
    """A caller in our line."""

    id: str
    """The callback's."""
    expected_s: float | None = None
    """Seconds until they are likely to be served; None: not known."""


class Board(_Part):
    """The centre, as callers need to know it."""

    at: AwareDatetime
    """When the service last said so: it is not there if this is old (`rules.answering.STALE_S`)."""
    openings: tuple[Opening, ...] = ()
    """From yesterday on, as far as periods are known; oldest first."""
    ordered: tuple[OrderedMessage, ...] = ()
    """In force or to come, newest order first."""
    operators: int = 0
    """Logged in, whatever they are doing."""
    waiting: tuple[Waiting, ...] = ()
    """Callers in the order in which they will be served."""


def write_board(path: Path, board: Board) -> None:
    """Replace the file as a whole: a reader sees the old board or the new one.

    Raises:
        OSError: it cannot be written.
    """
    new = path.with_name(f".{path.name}.new")
    new.write_text(board.model_dump_json(), encoding="utf-8")
    new.replace(path)


def read_board(path: Path) -> Board | None:
    """The board as last written; None: there is none, or it cannot be read."""
    try:
        return Board.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None

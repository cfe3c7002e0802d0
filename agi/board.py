"""What the service tells whoever answers callers: one small file, replaced as a whole, without persons.

The service writes it at every change and at least every second; who answers reads it at every call.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from rules.answering import Board

_BOARD = TypeAdapter(Board)


def write_board(path: Path, board: Board) -> None:
    """Replace the file as a whole: a reader sees the old board or the new one.

    Raises:
        OSError: it cannot be written.
    """
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(_BOARD.dump_json(board))
    new.replace(path)


def read_board(path: Path) -> Board | None:
    """The board as last written; None: there is none, or it cannot be read."""
    try:
        return _BOARD.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def moment_of(path: Path, board: Board) -> datetime:
    """What time it is now by the clock of whoever wrote the board: the service's clock may run in a day of
    its own (training, demos).

    Raises:
        OSError: the file is gone.
    """
    return board.at + timedelta(seconds=time.time() - path.stat().st_mtime)

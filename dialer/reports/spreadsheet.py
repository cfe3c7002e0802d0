"""CSV files that a spreadsheet opens rightly by a double click, and cannot be tricked by."""

from __future__ import annotations

import csv
import io
import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

from dialer.errors import ReportError

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would calculate instead of show."""


def cell(value: object) -> str:
    """The value as text that no spreadsheet takes for a formula; a number stays a number."""
    text = "" if value is None else str(value)
    if isinstance(value, int | float) or not text.startswith(_FORMULA):
        return text
    return "'" + text


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """The rows as CSV: UTF-8 with a byte order mark, by which spreadsheets know it, and CRLF."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([cell(one) for one in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also if we are stopped meanwhile.

    Raises:
        ReportError: it cannot be written.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with new.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(f"{path}: cannot be written ({error.strerror})") from error

"""How the verbs print what they found: a table for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from dialer.intake.faults import Finding

PIPED_WIDTH = 200
"""Columns of a table that goes into a file or a pipe."""


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table; moments in Japan time, to the minute."""
    from rich.table import Table
    from rich.text import Text

    made = Table(*columns)
    for row in rows:
        # Text, not str: square brackets in a name are no mark-up.
        made.add_row(*(Text(_cell(value)) for value in row))
    return made


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table to stdout."""
    console().print(table(columns, rows))


def console() -> Console:
    """Stdout: as wide as the terminal, or wide enough for a file or a pipe."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)


def print_json(value: Any) -> None:
    """Print one JSON document to stdout; moments as ISO 8601."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def print_findings(findings: Sequence[Finding], in_all: int) -> None:
    """Print what was found in a file of the city, and how much more there is."""
    for finding in findings:
        print(f"[{finding.severity}] {finding.text()}")
    if in_all > len(findings):
        print(f"… {in_all - len(findings)} more")


def write_list(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a list for the city as CSV and print its path.

    Raises:
        ReportError: the file cannot be written.
    """
    from dialer.reports.spreadsheet import csv_bytes, write_whole

    write_whole(path, csv_bytes([header, *rows]))
    print(path)


def moment(at: datetime) -> str:
    """A moment as people read it: Japan time, to the minute."""
    return _in_japan(at).strftime("%Y-%m-%d %H:%M")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return moment(value) if isinstance(value, datetime) else str(value)


def _plain(value: object) -> str:
    return _in_japan(value).isoformat() if isinstance(value, datetime) else str(value)


def _in_japan(at: datetime) -> datetime:
    from rules.calendar import JST

    return at.astimezone(JST)

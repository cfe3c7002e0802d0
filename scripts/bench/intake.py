"""How quickly a city's file is taken in: rows a second, and as a multiple of plain CSV reading.

    .venv/bin/python -m scripts.bench.intake [ROWS]

The multiple is of the same run on the same machine and thus comparable between machines.
"""

from __future__ import annotations

import asyncio
import csv
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from db import campaigns
from db.keys import Keys
from db.session import make_sessions
from db.upgrade import upgrade
from dialer.intake.check import Checked, check
from dialer.intake.importer import HandOver, import_file
from dialer.intake.reader import read_file, read_sheet
from dialer.profiles import load_profile
from rules.calendar import JST
from scripts.cityfile import write_city_file

MONTH = "2026-09"
NOW = datetime(2026, 9, 20, 9, 0, tzinfo=JST)


def plain(path: Path) -> int:
    """Rows that Python's own CSV reader finds, and does nothing with."""
    with path.open(encoding="cp932", newline="") as file:
        return sum(1 for _row in csv.reader(file)) - 1


def checked(path: Path) -> Checked:
    """Read and checked, nothing written."""
    layout = load_profile("nagaoka-r8", NOW.date()).intake
    return check(
        read_sheet(read_file(path, layout), layout, layout.columns), layout, MONTH, NOW.date()
    )


async def prepare(url: str) -> None:
    """A campaign to take the file into."""
    await upgrade(url)
    sessions = make_sessions(url)
    async with sessions.write() as session:
        await campaigns.create(
            session,
            MONTH,
            profile="nagaoka-r8",
            period_from=date(2026, 9, 21),
            period_to=date(2026, 9, 30),
            at=NOW,
        )
    await sessions.close()


async def take(path: Path, url: str) -> None:
    """Check the file and take it in."""
    sessions = make_sessions(url)
    given = HandOver(source=path, campaign=MONTH, handed_by="benchmark")
    report = await import_file(sessions, given, keys=Keys(b"benchmark"), now=NOW)
    await sessions.close()
    if not report.taken:
        sys.exit("the benchmark's own file has faults")


def timed(what: str, rows: int, unit_s: float | None, work: Callable[[], object]) -> float:
    """Run, print and return the seconds it took."""
    begun = time.perf_counter()
    work()
    took = time.perf_counter() - begun
    multiple = "" if unit_s is None else f"  {took / unit_s:6.1f} x plain CSV"
    print(f"{what:<24}{rows / took:>12,.0f} rows/s {took:8.2f} s{multiple}")
    return took


def main() -> None:
    """Print the table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "city.csv"
        write_city_file(path, cases=rows, seed=1, month=MONTH)
        unit_s = timed("plain CSV reading", rows, None, lambda: plain(path))
        timed("read and checked", rows, unit_s, lambda: checked(path))
        url = f"sqlite+aiosqlite:///{folder}/bench.db"
        asyncio.run(prepare(url))
        for what in ("taken in", "the same file again"):
            timed(what, rows, unit_s, lambda: asyncio.run(take(path, url)))


if __name__ == "__main__":
    main()

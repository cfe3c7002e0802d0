"""What pacing is worth: simulated days in markdown tables, and whether the figures asked for are met.

    .venv/bin/python -m scripts.bench.pacing reference [--cap 0.03 0.01] [--days 40] [--operators 2,5,20]
    .venv/bin/python -m scripts.bench.pacing ours
    .venv/bin/python -m scripts.bench.pacing aim
    .venv/bin/python -m scripts.bench.pacing no-detection
    .venv/bin/python -m scripts.bench.pacing scenarios

`reference`: the reference day, against "at least"; VICIdial's adaptive pacing and progressive pacing show
that the day is the one the figures were written for. `ours`: the reference day without them. `aim`: with
script progress and phones' own chances known. `no-detection`: machines reach operators. `scenarios`: every
scenario, against the best of the rivals that keep the cap; a day per cell takes about three minutes on two
cores.
A cell: utilisation in % with its 95 % interval (abandoned in %; share of the days over the cap).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from dialer.simulation.rivals import OURS, WAYS
from dialer.simulation.table import Row, Setting, simulate
from dialer.simulation.worlds import WORLDS, World, without_detection
from scripts.bench.figures import machine

SIZES = (2, 3, 5, 10, 20, 50)
SCENARIO_SIZES = (2, 5, 10)
MOST_DAYS_OVER = 0.05
"""Share of days over the cap that is still called keeping it."""

AT_LEAST: Mapping[float, Sequence[float]] = {
    0.03: (85, 86, 87.5, 89.5, 91.5, 95),
    0.01: (82, 83.5, 85, 87, 89.5, 93),
}
"""Utilisation in % asked for on the reference day, by cap and `SIZES`."""
AIM = (87, 88.3, 89.3, 90.8, 93.5, 96)
"""The same with script progress and chances known, at a cap of 3 %."""
ELSEWHERE: Mapping[str, Sequence[float]] = {
    "progressive": (78.7, 78.8, 79.2, 79.0, 78.9, 79.0),
    "adaptive": (79.9, 80.0, 80.6, 81.7, 85.2, 92.3),
}
"""What another simulator says of the others on the reference day at a cap of 3 %, in %, by `SIZES`."""
ADAPTIVE = ("adaptive hard", "adaptive average", "adaptive tapered", "adaptive at work")
REFERENCE_WAYS = (OURS, "progressive", *ADAPTIVE)


def rows_of(
    worlds: Mapping[str, World], ways: Sequence[str], cap: float, days: int, sizes: Sequence[int]
) -> list[Row]:
    """The days of every world, size and way."""
    settings = [
        Setting(name, way, replace(world, operators=size, terms=replace(world.terms, cap=cap)))
        for name, world in worlds.items()
        for size in sizes
        for way in ways
    ]
    return list(simulate(settings, days, seed=1))


def cell(row: Row) -> str:
    """A row as a table shows it."""
    return (
        f"{100 * row.utilisation.value:.1f} ± {100 * row.utilisation.half:.1f} "
        f"({100 * row.abandoned.value:.2f}; {row.over_share:.0%})"
    )


def by_size(rows: Sequence[Row], sizes: Sequence[int]) -> Iterator[str]:
    """A markdown table: ways down, operators across."""
    yield head(("operators", *map(str, sizes)))
    for way in dict.fromkeys(row.way for row in rows):
        cells = [cell(row) for row in rows if row.way == way]
        yield line((f"**{way}**" if way == OURS else way, *cells))


def head(cells: Sequence[str]) -> str:
    """A markdown table's first two lines."""
    return line(cells) + "\n" + "|---" * len(cells) + "|"


def line(cells: Sequence[str]) -> str:
    """A line of a markdown table."""
    return "| " + " | ".join(cells) + " |"


def verdict(row: Row, asked: float) -> str:
    """Whether a figure is met, in %, and the cap kept."""
    mean, half = 100 * row.utilisation.value, 100 * row.utilisation.half
    if row.over_share > MOST_DAYS_OVER:
        return f"CAP NOT KEPT ({row.over_share:.0%} of days)"
    if mean < asked:
        return f"MISSED by {asked - mean:.1f}"
    return "met" if mean - half >= asked else "met, within the interval"


def against(
    name: str, rows: Sequence[Row], sizes: Sequence[int], asked: Sequence[float]
) -> Iterator[str]:
    """Two lines of a table: what was asked, and what came of it."""
    figures = dict(zip(SIZES, asked, strict=True))
    ours = [row for row in rows if row.way == OURS]
    yield line((name, *(str(figures.get(size, "")) for size in sizes)))
    told = (
        verdict(row, figures[size]) if size in figures else ""
        for row, size in zip(ours, sizes, strict=True)
    )
    yield line(("", *told))


def elsewhere(rows: Sequence[Row], sizes: Sequence[int]) -> Iterator[str]:
    """How far the others lie from what another simulator says of them, in points."""
    yield head(("difference to elsewhere, points", *map(str, sizes)))
    for kind, figures in ELSEWHERE.items():
        known = dict(zip(SIZES, figures, strict=True))
        for way in dict.fromkeys(row.way for row in rows if row.way.startswith(kind)):
            apart = (
                f"{100 * row.utilisation.value - known[row.operators]:+.1f}"
                if row.operators in known
                else ""
                for row in rows
                if row.way == way
            )
            yield line((way, *apart))


def reference(
    cap: float, days: int, sizes: Sequence[int], ways: Sequence[str] = REFERENCE_WAYS
) -> Iterator[str]:
    """The reference day."""
    rows = rows_of({"stationary": WORLDS["stationary"]}, ways, cap, days, sizes)
    yield from by_size(rows, sizes)
    if cap in AT_LEAST:
        yield from against("at least", rows, sizes, AT_LEAST[cap])
    if cap == 0.03 and len(ways) > 1:
        yield ""
        yield from elsewhere(rows, sizes)


def ours(cap: float, days: int, sizes: Sequence[int]) -> Iterator[str]:
    """The reference day, without the rivals (most of whom are slow, and none of whom changes)."""
    yield from reference(cap, days, sizes, (OURS,))


def aim(cap: float, days: int, sizes: Sequence[int]) -> Iterator[str]:
    """With script progress and phones' own chances."""
    rows = rows_of({"aim": WORLDS["aim"]}, (OURS,), cap, days, sizes)
    yield from by_size(rows, sizes)
    if cap == 0.03:
        yield from against("aim", rows, sizes, AIM)


def no_detection(cap: float, days: int, sizes: Sequence[int]) -> Iterator[str]:
    """Machines reach operators; the cap is about all answers, as nobody can tell them apart."""
    world = without_detection(WORLDS["stationary"])
    rows = rows_of({"stationary": world}, REFERENCE_WAYS, cap, days, sizes)
    yield from by_size(rows, sizes)
    persons = (f"{100 * row.persons_abandoned.value:.2f}" for row in rows if row.way == OURS)
    yield line((f"{OURS}: abandoned of persons only, %", *persons))


def scenarios(cap: float, days: int, sizes: Sequence[int]) -> Iterator[str]:
    """Every scenario, ours and the best rival that keeps the cap."""
    rows = rows_of(WORLDS, tuple(WAYS), cap, days, sizes)
    yield head(("scenario", "operators", OURS, "best rival that keeps the cap", ""))
    for name in WORLDS:
        for size in sizes:
            here = [row for row in rows if (row.scenario, row.operators) == (name, size)]
            ours = next(row for row in here if row.way == OURS)
            yield line((name, str(size), cell(ours), *against_best(ours, best_rival(here))))


def against_best(ours: Row, best: Row | None) -> tuple[str, str]:
    """Two cells: the best rival, and whether ours is as good."""
    if best is None:
        return "none", verdict(ours, 0)
    return f"{best.way}: {cell(best)}", verdict(ours, 100 * best.utilisation.value)


def best_rival(rows: Sequence[Row]) -> Row | None:
    """The rival with the highest utilisation of those that keep the cap.

    Even progressive pacing may not, where persons who call back take the operator kept for a call.
    """
    keep = (row for row in rows if row.way != OURS and row.over_share <= MOST_DAYS_OVER)
    return max(keep, key=lambda row: row.utilisation.value, default=None)


TABLES = {
    "reference": reference,
    "ours": ours,
    "aim": aim,
    "no-detection": no_detection,
    "scenarios": scenarios,
}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=TABLES)
    parser.add_argument("--cap", type=float, nargs="+", default=[0.03, 0.01])
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--operators", help="like 2,3,5,10")
    given = parser.parse_args()
    usual = SCENARIO_SIZES if given.what == "scenarios" else SIZES
    sizes = [int(size) for size in given.operators.split(",")] if given.operators else usual
    for cap in given.cap:
        began = time.perf_counter()
        print(f"### {given.what}, cap {cap:.0%}, {given.days} days per cell\n")
        for text in TABLES[given.what](cap, given.days, sizes):
            print(text, flush=True)
        print(f"\n{time.perf_counter() - began:.0f} s on {machine()}\n")


if __name__ == "__main__":
    main()

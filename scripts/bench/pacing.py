"""What pacing is worth: simulated days in markdown tables, and whether the figures asked for are met.

    .venv/bin/python -m scripts.bench.pacing reference [--cap 0.03 0.01] [--days 40] [--operators 2,5,20]
    .venv/bin/python -m scripts.bench.pacing ours
    .venv/bin/python -m scripts.bench.pacing aim
    .venv/bin/python -m scripts.bench.pacing no-detection
    .venv/bin/python -m scripts.bench.pacing scenarios

`reference`: the reference day, against "at least"; VICIdial's adaptive pacing and progressive pacing show
that the day is the one the figures were written for. `ours`: the reference day without them. `aim`: with
script progress and phones' own chances known. `no-detection`: machines reach operators. `scenarios`: every
scenario, against the best of the rivals that keep the cap; a line as soon as its days are done.
A cell: utilisation in % with its 95 % interval (abandoned in %; share of the days over the cap).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from dialer.simulation.rivals import KNOW_THE_CAP, OURS, WAYS
from dialer.simulation.table import Row, Setting, played, row_of
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
    return [row for _, row in rows_by_cap(worlds, ways, [cap], days, sizes)]


def rows_by_cap(
    worlds: Mapping[str, World],
    ways: Sequence[str],
    caps: Sequence[float],
    days: int,
    sizes: Sequence[int],
) -> Iterator[tuple[float, Row]]:
    """The days of every world, size and way under each cap; those of a way that does not know of it are
    simulated once and judged by each."""
    settings = [
        Setting(name, way, within(replace(world, operators=size), cap))
        for name, world in worlds.items()
        for size in sizes
        for way in ways
        for cap in (caps if way in KNOW_THE_CAP else caps[:1])
    ]
    for setting, came in played(settings, days, seed=1):
        simulated = setting.world.terms.cap
        for cap in [simulated] if setting.way in KNOW_THE_CAP else caps:
            yield cap, row_of(replace(setting, world=within(setting.world, cap)), came)


def within(world: World, cap: float) -> World:
    """The same day under a cap."""
    return replace(world, terms=replace(world.terms, cap=cap))


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


def scenarios(caps: Sequence[float], days: int, sizes: Sequence[int]) -> Iterator[str]:
    """Every scenario under each cap, ours and the best rival that keeps it."""
    yield head(("scenario", "operators", "cap", OURS, "best rival that keeps the cap", ""))
    rows = rows_by_cap(WORLDS, tuple(WAYS), caps, days, sizes)
    for name in WORLDS:
        for size in sizes:
            here = list(islice(rows, len(WAYS) * len(caps)))
            for cap in caps:
                of_cap = [row for asked, row in here if asked == cap]
                ours = next(row for row in of_cap if row.way == OURS)
                told = against_best(ours, best_rival(of_cap))
                yield line((name, str(size), f"{cap:.0%}", cell(ours), *told))


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


TABLES = {"reference": reference, "ours": ours, "aim": aim, "no-detection": no_detection}
"""Of one cap."""


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=(*TABLES, "scenarios"))
    parser.add_argument("--cap", type=float, nargs="+", default=[0.03, 0.01])
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--operators", help="like 2,3,5,10")
    given = parser.parse_args()
    usual = SCENARIO_SIZES if given.what == "scenarios" else SIZES
    sizes = [int(size) for size in given.operators.split(",")] if given.operators else usual
    title = f"{given.what}, {given.days} days per cell"
    if given.what == "scenarios":
        show(title, scenarios(given.cap, given.days, sizes))
        return
    for cap in given.cap:
        show(f"{title}, cap {cap:.0%}", TABLES[given.what](cap, given.days, sizes))


def show(title: str, table: Iterator[str]) -> None:
    """Print a table, line by line as it is made, and how long it took."""
    began = time.perf_counter()
    print(f"### {title}\n")
    for text in table:
        print(text, flush=True)
    print(f"\n{time.perf_counter() - began:.0f} s on {machine()}\n")


if __name__ == "__main__":
    main()

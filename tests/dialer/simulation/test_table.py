"""What many days come to, and their plot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dialer.errors import ReportError
from dialer.simulation.day import Day
from dialer.simulation.plot import save_plot
from dialer.simulation.rivals import WAYS
from dialer.simulation.table import Setting, mean_of, row_of, simulate
from dialer.simulation.worlds import WORLDS, World
from rules.pacing.snapshot import Terms

WORLD = World(operators=2, hours=0.25, terms=Terms(cap=0.03))


@pytest.mark.parametrize(
    ("values", "mean", "half"),
    [
        ([0.5], 0.5, 0.0),
        ([1.0, 1.0, 1.0], 1.0, 0.0),
        # deviation 1.5811, Student's t of 4 degrees of freedom 2.776
        ([1.0, 2.0, 3.0, 4.0, 5.0], 3.0, 1.963),
        # deviation 3.0277, Student's t of 9 degrees of freedom 2.262
        ([float(value) for value in range(1, 11)], 5.5, 2.166),
    ],
)
def test_a_mean_has_students_interval(values: list[float], mean: float, half: float) -> None:
    found = mean_of(values)
    assert found.value == mean
    assert found.half == pytest.approx(half, rel=0.003)


def _day(connected: int, abandoned: int) -> Day:
    return Day(
        logged_in_s=100.0,
        worked_s=80.0,
        persons_connected=connected,
        persons_abandoned=abandoned,
        waited_s=10.0,
    )


def test_a_day_is_over_the_cap_only_if_its_share_is_greater() -> None:
    # 0 %, exactly 3 %, a little more; and one on which nobody answered
    days = [_day(100, 0), _day(97, 3), _day(96, 3), _day(0, 0)]
    row = row_of(Setting("stationary", "progressive", WORLD), days)
    assert (row.days, row.days_over_cap, row.over_share) == (4, 1, 0.25)
    assert row.utilisation.value == 0.8
    assert row.idle.value == pytest.approx(0.2)
    assert row.abandoned.value == pytest.approx((0 + 3 / 100 + 3 / 99 + 0) / 4)
    assert row.wait_s == pytest.approx(40 / 293)


def _settings() -> list[Setting]:
    return [
        Setting("stationary", way, replace(WORLD, operators=operators))
        for operators in (3, 1)
        for way in ("boost 3", "progressive")
    ]


def test_rows_come_in_order_and_do_not_depend_on_the_number_of_processes() -> None:
    told: list[None] = []
    rows = list(simulate(_settings(), 2, 5, lambda: told.append(None), processes=1))
    assert [(row.operators, row.way) for row in rows] == [
        (3, "boost 3"),
        (3, "progressive"),
        (1, "boost 3"),
        (1, "progressive"),
    ]
    assert len(told) == 8
    assert rows == list(simulate(_settings(), 2, 5, processes=2))


def test_every_scenario_and_every_way_can_be_simulated() -> None:
    settings = [
        Setting(name, way, replace(world, operators=2, hours=0.05))
        for name, world in WORLDS.items()
        for way in WAYS
    ]
    assert len(list(simulate(settings, 1, 1, processes=1))) == len(WORLDS) * len(WAYS)


def test_the_plot_shows_every_way_in_every_scenario(tmp_path: Path) -> None:
    rows = list(simulate(_settings(), 1, 1, processes=1))
    rows += [replace(row, scenario="callbacks") for row in rows]
    path = tmp_path / "plot.svg"
    save_plot(rows, 0.03, path)
    drawn = path.read_text(encoding="utf-8")
    for text in ("stationary", "callbacks", "boost 3", "progressive"):
        assert f"<!-- {text} -->" in drawn


@pytest.mark.parametrize("name", ["missing/plot.svg", "plot.txt"])
def test_a_plot_that_cannot_be_written_is_one_error(name: str, tmp_path: Path) -> None:
    rows = list(simulate(_settings()[:1], 1, 1, processes=1))
    with pytest.raises(ReportError, match="cannot be written"):
        save_plot(rows, 0.03, tmp_path / name)

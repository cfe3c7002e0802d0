"""`scripts.bench.pacing`: what its tables are made of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialer.simulation import table
from dialer.simulation.day import Day, run_day
from dialer.simulation.rivals import KNOW_THE_CAP, WAYS
from dialer.simulation.worlds import WORLDS, World
from scripts.bench import pacing

CAPS = (0.03, 0.01)
SHORT = {name: replace(WORLDS[name], hours=0.1) for name in ("stationary", "callbacks")}


@pytest.fixture
def days_run(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, float]]:
    """Days are short, and run in this process; which ones were."""
    run: list[tuple[str, int, float]] = []

    def noted(task: tuple[table.Setting, int]) -> Day:
        setting, seed = task
        run.append((setting.way, setting.world.operators, setting.world.terms.cap))
        return run_day(setting.world, seed, WAYS[setting.way]())

    monkeypatch.setattr(table, "_run", noted)
    monkeypatch.setattr(table.os, "sched_getaffinity", lambda _: {0})
    monkeypatch.setattr(pacing, "WORLDS", SHORT)
    return run


def test_a_way_that_does_not_know_the_cap_has_the_same_day_under_each() -> None:
    def day(way: str, cap: float) -> Day:
        world = pacing.within(World(operators=4, hours=3.0), cap)
        return run_day(world, 1, WAYS[way]())

    same = {way for way in WAYS if day(way, 0.1) == day(way, 0.001)}
    assert same == set(WAYS) - KNOW_THE_CAP


def test_days_that_are_the_same_under_each_cap_are_simulated_once(
    days_run: list[tuple[str, int, float]],
) -> None:
    rows = list(pacing.rows_by_cap(SHORT, tuple(WAYS), CAPS, 1, (2,)))
    assert len(days_run) == len(SHORT) * (len(WAYS) + len(KNOW_THE_CAP))
    for cap in CAPS:
        alone = pacing.rows_of(SHORT, tuple(WAYS), cap, 1, (2,))
        assert [row for asked, row in rows if asked == cap] == alone


def test_a_scenario_is_told_as_soon_as_its_days_are_done(
    days_run: list[tuple[str, int, float]],
) -> None:
    told = pacing.scenarios(CAPS, 1, (2, 3))
    next(told)
    assert days_run == []
    lines = [next(told), next(told)]
    for text, cap in zip(lines, ("3%", "1%"), strict=True):
        assert text.startswith(f"| stationary | 2 | {cap} |")
    assert {operators for _, operators, _ in days_run} == {2}
    assert len(lines + list(told)) == len(SHORT) * 2 * len(CAPS)

"""`dialer pacing simulate`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dialer.cli.app import run
from dialer.simulation import worlds
from dialer.simulation.rivals import WAYS
from dialer.simulation.worlds import WORLDS


@pytest.fixture(autouse=True)
def short_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days of a few minutes."""
    few = {name: replace(WORLDS[name], hours=0.05) for name in ("stationary", "callbacks")}
    monkeypatch.setattr(worlds, "WORLDS", few)


def simulated(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["pacing", "simulate", "--days", "1", *arguments]) == 0
    return capsys.readouterr().out


def test_all_ways_are_compared_for_each_number_of_operators(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = simulated(capsys, "--operators", "1,2")
    for way in WAYS:
        assert out.count(f" {way} ") == 2
    assert "persons abandoned" not in out


def test_in_json_a_row_is_one_way_in_one_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(simulated(capsys, "--operators", "3", "--scenario", "all", "--json"))
    assert [(row["scenario"], row["way"]) for row in rows] == [
        (scenario, way) for scenario in ("stationary", "callbacks") for way in WAYS
    ]
    assert {row["operators"] for row in rows} == {3}
    assert all(0 <= row["utilisation"]["value"] <= 1 for row in rows)


def test_the_day_is_changed_by_options_and_plotted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    plot = tmp_path / "plot.svg"
    changes = ["--no-detection", "--script-progress", "--known-chances", "--phones-sd", "0.2"]
    out = simulated(capsys, "--operators", "2", *changes, "--plot", str(plot))
    assert "persons abandoned" in out
    assert plot.stat().st_size > 0


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--operators", "0", "whole numbers from 1 to 500"),
        ("--operators", "2,many", "whole numbers from 1 to 500"),
        ("--scenario", "moonlight", "one of stationary, callbacks or all"),
        ("--cap", "1.5", "less than or equal to 1"),
        ("--phones-sd", "0.5", "less than or equal to 0.45"),
    ],
)
def test_what_cannot_be_simulated_is_told(
    option: str, value: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["pacing", "simulate", option, value]) == 2
    assert told in capsys.readouterr().err

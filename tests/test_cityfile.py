"""The generator of city files: what it writes is without faults, and always the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dialer.intake.check import check
from dialer.intake.reader import read_file, read_sheet
from scripts.cityfile import write_city_file
from tests.dialer.intake.files import LAYOUT, MONTH, NOW


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig"])
def test_a_written_file_has_nothing_to_complain_of(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "city.csv"
    write_city_file(path, cases=500, seed=3, month=MONTH, encoding=encoding)
    found = check(
        read_sheet(read_file(path, LAYOUT), LAYOUT, LAYOUT.columns), LAYOUT, MONTH, NOW.date()
    )
    assert found.findings == []
    assert len(found.cases) == 500
    assert {len(case.phones) for case in found.cases} == {1, 2}
    assert len({case.household_number for case in found.cases}) < 500
    for case in found.cases:
        for digits, _kind in case.phones:
            assert re.fullmatch("025800[0-9]{4}|0609999[0-9]{4}", digits)


def test_the_same_seed_writes_the_same_file_and_another_seed_another(tmp_path: Path) -> None:
    written = []
    for seed in (1, 1, 2):
        write_city_file(tmp_path / "x", cases=50, seed=seed, month=MONTH)
        written.append((tmp_path / "x").read_bytes())
    assert written[0] == written[1] != written[2]

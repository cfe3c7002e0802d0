"""`dialer roster …` on an installation."""

from __future__ import annotations

import json

from tests.dialer.cli.conftest import House

SHOW = ("roster", "show", "--from", "2026-09-18", "--to", "2026-09-30")


def shown(house: House) -> list[dict[str, object]]:
    done = house.run(*SHOW, "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)


def imported(house: House, lines: str) -> tuple[int, str, str]:
    file = house.folder / "roster.csv"
    file.write_text("日付,時,人数\n" + lines, encoding="utf-8")
    done = house.run("roster", "import", str(file), "--by", "佐藤")
    return done.status, done.out, done.err


def test_a_template_is_imported_and_shown(month: House) -> None:
    # nothing is called on the 21st, 22nd and 23rd but on their shorter hours: holidays
    made = month.run("roster", "template", "--campaign", "2026-09", "--operators", "3")
    assert made.status == 0
    file = month.folder / "roster.csv"
    file.write_text(made.out, encoding="utf-8", newline="")
    done = month.run("roster", "import", str(file), "--by", "佐藤")
    assert (done.status, done.out) == (
        0,
        f"roster: 7 days entered, {3 * (2 * 11 + 5 * 8)} operator-hours\n",
    )
    found = shown(month)
    assert len(found) == 2 * 11 + 5 * 8
    assert found[0] == {"day": "2026-09-18", "hour": 9, "operators": 3}
    table = month.run(*SHOW).out
    assert "2026-09-18 Fri" in table and "33" in table


def test_a_file_with_a_fault_changes_nothing_and_says_where_it_is(house: House) -> None:
    assert imported(house, "2026-09-24,9,5\n")[0] == 0
    status, out, err = imported(house, "2026-09-24,10,1\n2026-09-24,25,1\n")
    assert status == 4
    assert out.startswith("3行目 時: ")
    assert "nothing was taken in: 1 fault" in err
    assert shown(house) == [{"day": "2026-09-24", "hour": 9, "operators": 5}]


def test_a_file_that_is_not_there_is_told(house: House) -> None:
    done = house.run("roster", "import", str(house.folder / "none.csv"))
    assert (done.status, "ファイルがありません" in done.err) == (4, True)


def test_a_template_of_an_unknown_campaign_is_refused(house: House) -> None:
    done = house.run("roster", "template", "--campaign", "none", "--operators", "3")
    assert done.status == 5

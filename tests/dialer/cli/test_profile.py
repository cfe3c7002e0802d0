"""`dialer profile …` and the profile a campaign is made with."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dialer.cli.work import now
from tests.dialer.cli.conftest import House
from tests.dialer.ordered import EARLY_CLOSING, MOVED_ABROAD, SHIPPED, WITHOUT_FAX, text
from tests.rules.stories import changed

TODAY = now().date()
LAST = TODAY + timedelta(days=9)


def file_of(folder: Path, *changes: tuple[str, str], name: str = "hoshi-r8") -> str:
    """A profile of one's own: the shipped one under another name, with changes."""
    path = folder / f"{name}.yaml"
    written = changed("profile: nagaoka-r8", f"profile: {name}", text(*changes).text)
    path.write_text(written, encoding="utf-8")
    return str(path)


def in_json(house: House, *arguments: str) -> Any:
    done = house.run(*arguments, "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)


@pytest.fixture
def present(house: House) -> House:
    """An installation with a campaign `now` that lasts from today on."""
    period = ("--from", str(TODAY), "--to", str(LAST))
    assert house.run("campaign", "create", "now", *period, "--by", "市担当").status == 0
    return house


def test_profiles_that_can_be_used_are_named_with_the_days_of_their_changes(house: House) -> None:
    entry = '    - {from: 2026-09-01, value: 3, clause: "§8(4)"}\n'
    dated = (entry, entry + "    - {from: 2027-01-25, value: 2, clause: x}\n")
    path = file_of(house.folder, dated)
    done = house.run("profile", "check", "nagaoka-r8", path)
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "nagaoka-r8: can be used",
        f"{path}: can be used; changes on 2027-01-25",
    ]


def test_every_fault_of_every_file_is_told_with_file_and_line(house: House) -> None:
    path = file_of(house.folder, ("value: 36,", "value: x,"), ("    label: FAX回線\n", ""))
    done = house.run("profile", "check", path, "nagaoka-r8", "none.yaml")
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    numbers = [lines.index(next(line for line in lines if words in line)) + 1
               for words in ("value: x,", "  fax:")]  # fmt: skip
    assert done.status == 9
    told = done.out.splitlines()
    assert told[0].startswith(f"{path}:{numbers[0]}: values.ring_limit_s.0.value: Input should be")
    assert told[1] == f"{path}:{numbers[1]}: outcomes.fax.label: missing; add it"
    assert told[2] == "nagaoka-r8: can be used"
    assert told[3] == "profile none.yaml: cannot be read (No such file or directory)"


def test_the_check_is_there_for_programs_too(house: House) -> None:
    path = file_of(house.folder, ("    label: FAX回線\n", ""))
    done = house.run("profile", "check", path, "nagaoka-r8", "--json")
    assert done.status == 9
    faulty, good = json.loads(done.out)
    assert faulty["faults"][0]["field"] == "outcomes.fax.label"
    assert good == {"profile": "nagaoka-r8", "faults": [], "changes": []}


def test_a_file_that_is_no_text_is_told(house: House) -> None:
    path = house.folder / "bad.yaml"
    path.write_bytes(SHIPPED.text.encode("cp932", "replace"))
    assert "not UTF-8 at byte" in house.run("profile", "check", str(path)).out
    done = house.run("profile", "show", str(path))
    assert (done.status, done.out) == (9, "")
    assert "not UTF-8" in done.err


def test_what_is_in_force_is_shown_with_its_day_and_clause(house: House) -> None:
    shown = in_json(house, "profile", "show", "nagaoka-r8", "--on", "2026-10-01")
    assert shown["values"]["ring_min_s"] == {"value": 35, "from": "2026-09-01", "clause": "§8(5)ア"}
    assert shown["outcomes"]["fax"]["clause"] == "8(4)オ"
    assert (shown["on"], shown["city"]) == ("2026-10-01", "長岡市")
    out = house.run("profile", "show", "nagaoka-r8").out
    for words in (
        "nagaoka-r8: 令和8年度",
        "ring_min_s",
        "§8(5)ア",
        "person_done",
        "§8(4)ア",
        "本人・完了",
    ):
        assert words in out


@pytest.mark.parametrize("arguments", [[], ["nagaoka-r8", "--campaign", "now"]])
def test_one_of_profile_and_campaign_is_shown(house: House, arguments: list[str]) -> None:
    assert house.run("profile", "show", *arguments).status == 2


def test_a_difference_is_a_line_and_a_status(house: House) -> None:
    path = file_of(house.folder, EARLY_CLOSING, MOVED_ABROAD)
    assert house.run("profile", "diff", "nagaoka-r8", "nagaoka-r8").status == 0
    done = house.run("profile", "diff", "nagaoka-r8", path)
    assert done.status == 1
    lines = done.out.splitlines()
    assert "name: nagaoka-r8 → hoshi-r8" in lines
    assert "values.hours.weekday.closes: 20:00:00 → 19:00:00" in lines
    assert any(line.startswith("outcomes.moved_abroad: added,") for line in lines)


def test_differences_of_later_days_are_told_with_their_day(house: House) -> None:
    entry = '    - {from: 2026-09-01, value: 3, clause: "§8(4)"}\n'
    for_a_while = entry + "".join(
        f'    - {{from: {day}, value: {value}, clause: "§8(4)"}}\n'
        for day, value in (("2026-11-25", 2), ("2026-12-01", 3))
    )
    path = file_of(house.folder, (entry, for_a_while))
    done = house.run("profile", "diff", "nagaoka-r8", path)
    assert done.out.splitlines() == [
        "name: nagaoka-r8 → hoshi-r8",
        "from 2026-11-25:",
        "values.attempts: 3 → 2",
        "from 2026-12-01:",
        "no longer: values.attempts: 3 → 2",
    ]
    one_day = house.run("profile", "diff", "nagaoka-r8", path, "--on", "2026-11-30")
    assert one_day.out.splitlines() == ["name: nagaoka-r8 → hoshi-r8", "values.attempts: 3 → 2"]


def test_a_campaign_keeps_the_profile_it_was_made_with(present: House) -> None:
    [first] = in_json(present, "profile", "orders", "--campaign", "now")
    assert (first["from"], first["profile"], first["ordered_by"], first["state"]) == (
        str(TODAY), "nagaoka-r8", "市担当", "holds",
    )  # fmt: skip


def test_a_campaign_can_be_made_with_a_file_of_ones_own(house: House) -> None:
    path = file_of(house.folder, EARLY_CLOSING)
    period = ("--from", str(TODAY), "--to", str(LAST))
    assert house.run("campaign", "create", "own", *period, "--profile", path).status == 0
    Path(path).unlink()
    shown = in_json(house, "profile", "show", "--campaign", "own")
    assert shown["profile"] == "hoshi-r8"
    assert shown["values"]["hours"]["value"]["weekday"]["closes"] == "19:00:00"
    assert in_json(house, "campaign", "list")[0]["profile"] == "hoshi-r8"


def test_a_faulty_file_makes_no_campaign(house: House) -> None:
    path = file_of(house.folder, ("value: 66,", "value: 65,"))
    period = ("--from", str(TODAY), "--to", str(LAST))
    done = house.run("campaign", "create", "own", *period, "--profile", path)
    assert done.status == 9
    assert in_json(house, "campaign", "list") == []


def test_an_order_changes_the_campaign_from_its_day_on_and_is_listed(present: House) -> None:
    day = TODAY + timedelta(days=3)
    path = file_of(present.folder, EARLY_CLOSING)
    done = present.run(
        "profile", "order", path, "--campaign", "now", "--from", str(day), "--by", "課長"
    )
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[0] == f"campaign now: hoshi-r8 from {day}"
    assert "values.hours.weekday.closes: 20:00:00 → 19:00:00" in done.out.splitlines()
    closes = {}
    for asked in (day - timedelta(days=1), day):
        shown = in_json(present, "profile", "show", "--campaign", "now", "--on", str(asked))
        closes[shown["profile"]] = shown["values"]["hours"]["value"]["weekday"]["closes"]
    assert closes == {"nagaoka-r8": "20:00:00", "hoshi-r8": "19:00:00"}
    rows = in_json(present, "profile", "orders", "--campaign", "now")
    assert [(row["profile"], row["ordered_by"]) for row in rows] == [
        ("nagaoka-r8", "市担当"), ("hoshi-r8", "課長"),
    ]  # fmt: skip
    again = present.run("profile", "order", path, "--campaign", "now", "--from", str(TODAY))
    assert f"until an order given earlier holds from {day} on" in again.out
    assert "課長" in present.run("profile", "orders", "--campaign", "now").out


def test_an_order_that_is_replaced_stays_in_the_list(present: House) -> None:
    for name, change in (("eins", EARLY_CLOSING), ("zwei", MOVED_ABROAD)):
        path = file_of(present.folder, change, name=name)
        assert (
            present.run("profile", "order", path, "--campaign", "now", "--from", str(LAST)).status
            == 0
        )
    rows = in_json(present, "profile", "orders", "--campaign", "now")
    assert [(row["profile"], row["state"]) for row in rows] == [
        ("nagaoka-r8", "holds"), ("eins", "replaced"), ("zwei", "holds"),
    ]  # fmt: skip


def test_what_asterisk_plays_has_to_be_made_anew(present: House) -> None:
    patience = (
        "  patience_s:\n    - {from: 2026-09-01, value: 2,",
        "  patience_s:\n    - {from: 2026-09-01, value: 3,",
    )
    spoken = ("後ほど改めてお電話いたします。", "後ほどお電話いたします。")
    path = file_of(present.folder, patience, spoken)
    done = present.run("profile", "order", path, "--campaign", "now", "--from", str(LAST))
    assert "make the sound files anew" in done.err
    assert "dialer asterisk render" in done.err


@pytest.mark.parametrize(
    ("changes", "days", "campaign", "status", "told"),
    [
        ((EARLY_CLOSING,), -1, "now", 6, "is past"),
        ((EARLY_CLOSING,), 10, "now", 6, "not in its period"),
        ((EARLY_CLOSING,), 0, "then", 5, "does not exist"),
        ((("value: 66,", "value: 65,"),), 0, "now", 9, "closing_margin_s"),
    ],
)
def test_an_order_that_cannot_be_is_refused(
    present: House,
    changes: tuple[tuple[str, str], ...],
    days: int,
    campaign: str,
    status: int,
    told: str,
) -> None:
    path = file_of(present.folder, *changes)
    day = TODAY + timedelta(days=days)
    done = present.run("profile", "order", path, "--campaign", campaign, "--from", str(day))
    assert done.status == status
    assert told in done.err
    assert len(in_json(present, "profile", "orders", "--campaign", "now")) == 1


def test_an_outcome_may_only_be_dropped_before_the_calling_begins(present: House) -> None:
    path = file_of(present.folder, WITHOUT_FAX)
    order = ("profile", "order", path, "--campaign", "now", "--from", str(TODAY))
    assert present.run("campaign", "start", "now").status == 0
    done = present.run(*order)
    assert done.status == 6
    assert "outcomes fax are missing" in done.err

"""`dialer case …`, `dialer why` and `dialer report evidence`, as a supervisor types them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.dialer.cli.conftest import PERSON, House

AT = ("--at", "2026-09-18 10:00")
"""A Friday, the first day of the campaign of `month`."""


def in_json(house: House, *arguments: str) -> Any:
    done = house.run(*arguments, "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)


def test_a_phone_is_explained_at_any_moment_by_reason_clause_and_next_moment(month: House) -> None:
    month.add_case("2026-09", "202609000001")
    done = month.run("case", "explain", "202609000001", *AT)
    assert done.status == 0
    assert "case 202609000001, campaign 2026-09 (draft), 2026-09-18 10:00" in done.out
    assert "phone 1 (fixed): allowed" in done.out

    done = month.run("case", "explain", "202609000001", "--at", "2026-09-18 21:00")
    assert "phone 1 (fixed): refused, next 2026-09-19 09:00" in done.out
    assert "outside_hours  §6(2)イ  架電できる時間帯の外です" in done.out
    for value in PERSON.values():
        assert value not in done.out

    found = in_json(month, "case", "explain", "202609000001", "--at", "2026-09-24 21:00")
    [phone] = found["phones"]
    assert [one["reason"] for one in phone["because"]] == ["outside_hours"]
    assert (phone["next_from"], phone["never"]) == (None, ["no_moment_left"])


def test_a_stopped_case_is_explained_with_the_moment_of_the_order(month: House) -> None:
    month.add_case("2026-09", "1")
    month.run("stop-order", "add", "1", "--by", "市", "--yes")
    out = month.run("case", "explain", "1").out
    assert "status: stopped (§8(4)ク)" in out
    assert "stop order: 20" in out
    assert "refused, never again: stopped" in out
    found = in_json(month, "case", "explain", "1", *AT)
    assert found["status"] == "open", "in September nobody knew of it"


def test_without_a_campaign_the_newest_month_is_meant(month: House) -> None:
    month.run("campaign", "create", "2026-10", "--from", "2026-10-18", "--to", "2026-10-24")
    month.add_case("2026-09", "1")
    month.add_case("2026-10", "1")
    assert in_json(month, "case", "explain", "1")["campaign"] == "2026-10"
    assert in_json(month, "case", "explain", "1", "--campaign", "2026-09")["campaign"] == "2026-09"
    assert month.run("case", "explain", "1", "--campaign", "2026-08").status == 5
    assert month.run("case", "explain", "2", "--campaign", "2026-09").status == 5


@pytest.mark.parametrize("moment", ["2026-09-18", "tomorrow", "2026-09-18 25:00"])
def test_a_moment_that_is_none_is_refused(month: House, moment: str) -> None:
    month.add_case("2026-09", "1")
    assert month.run("case", "explain", "1", "--at", moment).status == 2


def test_the_evidence_of_a_case_is_shown_or_written(month: House) -> None:
    month.add_case("2026-09", "1")
    month.run("stop-order", "add", "1", "--by", "市", "--yes")
    shown = month.run("case", "evidence", "1").out
    assert "区分=市の指示" in shown
    assert "案件の状態=架電停止" in shown
    path = month.folder / "out" / "1.csv"
    assert month.run("case", "evidence", "1", "--out", str(path)).out == f"{path}\n"
    text = path.read_text("utf-8-sig")
    for value in PERSON.values():
        assert value not in shown + text
    found = in_json(month, "case", "evidence", "1")
    assert [row["記録者"] for row in found["course"]] == ["市"]
    assert [row["条項"] for row in found["conclusions"]] == ["§8(4)ク"]


def test_the_evidence_of_a_campaign_is_two_files(month: House) -> None:
    month.add_case("2026-09", "1")
    out = month.folder / "out"
    done = month.run("report", "evidence", "--campaign", "2026-09", "--out", str(out))
    assert [line.removeprefix(f"{out}/") for line in done.out.splitlines()] == [
        "evidence-2026-09-course.csv",
        "evidence-2026-09-conclusions.csv",
    ]
    written = in_json(month, "report", "evidence", "--campaign", "2026-09", "--out", str(out))
    assert written["cases"] == 1
    assert month.run("report", "evidence", "--campaign", "x", "--out", str(out)).status == 5


def test_without_a_service_why_says_so_and_still_tells_of_the_database(month: House) -> None:
    month.add_case("2026-09", "1")
    month.run("emergency", "stop", "--by", "甲", "--yes")
    out = month.run("why").out
    assert out.startswith("service_away: the service does not run or answer\n")
    assert "also emergency_stop: " in out
    assert "also no_campaign_running: no campaign runs: 2026-09 is draft" in out
    assert "campaign 2026-09 (draft): 1 open" in out
    found = in_json(month, "why", "--campaign", "2026-09")
    assert found["answer"]["code"] == "service_away"
    assert found["seen"]["database"]["campaigns"][0]["reasons"]["of"] == 1
    assert month.run("why", "--campaign", "2026-08").status == 5


def test_without_a_database_why_says_that_too(month: House) -> None:
    (month.folder / "yobirin.db").unlink()
    done = month.run("why")
    assert done.status == 0
    assert "also database_away: " in done.out
    assert in_json(month, "why")["seen"]["database"] is None

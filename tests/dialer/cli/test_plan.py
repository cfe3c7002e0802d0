"""`dialer plan …` on an installation: text, JSON and exit status."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db import operators, roster
from db.tables import Base, Plan, PlannedAttempt, table_of
from dialer.cli.work import now
from tests.dialer.cli.conftest import PERSON, House

BEFORE = ("--at", "2026-09-17 12:00")
"""The day before the period of `2026-09`."""


async def _hire(session: AsyncSession) -> None:
    await operators.add(session, "201", "佐藤", at=now(), by="tests")


@pytest.fixture
def manned(month: House) -> House:
    """The draft campaign `2026-09` (Fri 18 to Thu 24, with five non-weekdays), two cases, one operator."""
    month.do(_hire)
    for reference in ("17", "18"):
        month.add_case("2026-09", reference, person=f"P{reference}")
    return month


@pytest.fixture
def short(manned: House) -> House:
    """Beside it the campaign `short`: two weekdays (Mon 28 and Tue 29), two cases."""
    period = ("--from", "2026-09-28", "--to", "2026-09-29")
    assert manned.run("campaign", "create", "short", *period).status == 0
    for reference in ("31", "32"):
        manned.add_case("short", reference, person=f"P{reference}")
    return manned


def in_json(house: House, *arguments: str, status: int = 0) -> Any:
    done = house.run("plan", *arguments, "--json")
    assert done.status == status, done.err
    return json.loads(done.out)


def rows(house: House, table: type[Base]) -> list[Any]:
    async def work(session: AsyncSession) -> list[Any]:
        return list(await session.execute(select(table_of(table))))

    return house.do(work)


def test_a_plan_is_made_and_shown_with_what_every_band_takes_and_brings(manned: House) -> None:
    made = manned.run("plan", "make", "2026-09", *BEFORE, "--by", "佐藤")
    assert made.status == 0, made.err
    assert "2 open cases, 2 phones planned; 0 cases called, 0 reached so far" in made.out
    assert "goal 50%" in made.out
    assert "2026-09-19 *" in made.out
    assert manned.run("plan", "show", "2026-09").out == made.out
    (plan,) = rows(manned, Plan)
    assert plan.made_by == "佐藤"
    assert len(rows(manned, PlannedAttempt)) == 6
    for personal in PERSON.values():
        assert personal not in made.out


def test_the_plan_in_json_is_what_is_kept(manned: House) -> None:
    made = in_json(manned, "make", "2026-09", *BEFORE)
    assert made == in_json(manned, "show", "2026-09")
    assert (made["cases"], made["phones"], made["short"]) == (2, 2, 0)
    assert made["expected_low"] < made["expected"] < made["expected_high"]
    assert len(made["bands"]) == 2 * 3 + 5 * 2
    assert made["bands"][0]["day"] == "2026-09-18"
    assert sum(band["attempts"] for band in made["bands"]) > 2


def test_what_is_planned_for_one_case_is_shown_in_japan_time(manned: House) -> None:
    assert manned.run("plan", "make", "2026-09", *BEFORE).status == 0
    calls = in_json(manned, "show", "2026-09", "--case", "17")
    assert [call["phone"] for call in calls] == [1, 1, 1]
    starts = [call["from"] for call in calls]
    assert starts == sorted(starts)
    assert {start[10:] for start in starts} <= {
        "T09:00:00+09:00",
        "T12:00:00+09:00",
        "T17:00:00+09:00",
    }
    assert all(call["from"] < call["to"] and 0 <= call["gain"] < 1 for call in calls)
    table = manned.run("plan", "show", "2026-09", "--case", "17").out
    assert starts[0][:10] in table
    assert PERSON["number"] not in table


@pytest.mark.parametrize(
    "arguments",
    [
        ("make", "2026-10"),
        ("show", "2026-10"),
        ("check", "2026-10"),
        ("rates", "2026-10"),
        ("show", "2026-09"),  # none was made
        ("show", "2026-09", "--case", "99"),
    ],
)
def test_what_is_not_there_is_told(month: House, arguments: tuple[str, ...]) -> None:
    done = month.run("plan", *arguments)
    assert (done.status, done.out) == (5, "")
    assert done.err.count("\n") == 1


def test_a_check_of_a_good_month_finds_nothing_and_changes_nothing(manned: House) -> None:
    done = manned.run("plan", "check", "2026-09", *BEFORE)
    assert done.status == 0, done.out + done.err
    for line in (
        "0 phones cannot get all they are owed: not enough days are left",
        "0 phones cannot get all they are owed: not enough operators",
        "0 phones must be called today or on the next day they can be",
    ):
        assert line in done.out
    assert rows(manned, Plan) == rows(manned, PlannedAttempt) == []
    found = in_json(manned, "check", "2026-09", *BEFORE)
    assert found["phones"] == []
    assert found["figures"]["cases"] == 2


def test_a_month_that_cannot_be_kept_is_told_before_it_begins_phone_by_phone(short: House) -> None:
    assert in_json(short, "check", "short", *BEFORE, status=1)["phones"] == [
        {
            "case": reference,
            "phone": 1,
            "danger": "lost",
            "missing": 1,
            "weekend_missed": True,
            "deadline": "2026-09-28",
        }
        for reference in ("31", "32")
    ]
    done = short.run("plan", "check", "short", *BEFORE)
    assert done.status == 1
    assert "2 phones cannot get all they are owed: not enough days are left" in done.out
    assert "warning: 0 non-weekdays to call on, the contract asks for 2" in done.out
    assert "31" in done.out
    assert PERSON["number"] not in done.out


def test_too_few_non_weekdays_alone_are_status_1(manned: House) -> None:
    period = ("--from", "2026-09-24", "--to", "2026-09-26")
    assert manned.run("campaign", "create", "one", *period).status == 0
    found = in_json(manned, "check", "one", *BEFORE, status=1)
    assert found["phones"] == []
    assert len(found["warnings"]) == 1


def test_a_phone_that_must_be_called_now_is_shown_without_failing(manned: House) -> None:
    # four days are left for three attempts
    found = in_json(manned, "check", "2026-09", "--at", "2026-09-21 08:00")
    assert {(row["case"], row["danger"]) for row in found["phones"]} == {
        ("17", "near"),
        ("18", "near"),
    }


def test_days_without_operators_are_warned_of_and_phones_left_out_are_status_1(
    manned: House,
) -> None:
    async def nobody(session: AsyncSession) -> None:
        hours = {(date(2026, 9, day), 9): 0 for day in range(18, 25)}
        await roster.replace(session, hours, at=now(), by="tests")

    manned.do(nobody)
    found = in_json(manned, "check", "2026-09", *BEFORE, status=1)
    assert [(row["danger"], row["missing"]) for row in found["phones"]] == [("operators", 3)] * 2
    empty = [warning for warning in found["warnings"] if "no operator is rostered" in warning]
    assert len(empty) == 7


def test_a_long_list_is_cut_in_text_and_whole_in_json(
    short: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.cli.plan.SHOWN_PHONES", 1)
    done = short.run("plan", "check", "short", *BEFORE)
    assert "… and 1 more" in done.out


def test_the_rates_are_shown_with_what_was_published_and_what_is_believed(month: House) -> None:
    found = in_json(month, "rates", "2026-09")
    # three bands on weekdays and two on others, three kinds of phones, three attempts
    assert len(found) == (3 + 2) * 3 * 3
    assert all(row["low"] < row["mean"] < row["high"] for row in found)
    assert {row["attempts"] for row in found} == {0}
    assert all(row["mean"] == row["prior"] for row in found)
    table = month.run("plan", "rates", "2026-09")
    assert table.status == 0
    assert "夜" in table.out

"""Payments, escalations, appointments and the review list on the terminal."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from db import ledger, results
from db.cases import phones_of
from db.ledger import Change
from db.results import Recorded
from db.tables import Campaign, PaymentFile
from dialer.cli.work import now
from dialer.refresh import refresh
from rules.call_state import State
from rules.case import Result
from tests.dialer.cli.conftest import PERSON, House

OF = ("--campaign", "c")
BY = ("--by", "市 収納課")


def in_json(house: House, *arguments: str) -> Any:
    done = house.run(*arguments, "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)


def csv_of(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


@pytest.fixture
def centre(house: House) -> House:
    """A running campaign `c` whose period is now, with the cases 1 and 2."""
    today = now().date()
    days = (str(today), str(today + timedelta(days=9)))
    assert house.run("campaign", "create", "c", "--from", days[0], "--to", days[1]).status == 0
    assert house.run("campaign", "start", "c").status == 0
    for reference in "12":
        house.add_case("c", reference, person=f"P{reference}")
    return house


def call(house: House, case_id: int, recorded: Recorded, *, minutes_ago: int) -> str:
    """A call of a case with this result, as the service writes it."""

    async def work(session: AsyncSession) -> str:
        placed = now() - timedelta(minutes=minutes_ago)
        (phone,) = await phones_of(session, case_id)
        attempt = f"attempt-of-{case_id}-{minutes_ago}"
        await ledger.place(
            session, attempt_id=attempt, phone_id=phone.id, placed_at=placed,
            caller_id="0258000001",
        )  # fmt: skip
        ended = Change(
            attempt_id=attempt, seq=1, at=placed, state=State.ENDED, cause=127, early_media=True
        )
        await ledger.record(session, [ended])
        await results.save_first(session, attempt, recorded)
        await ledger.finish(session, [attempt])
        await refresh(session, [case_id], now())
        return attempt

    async def due(session: AsyncSession) -> None:
        # whatever the hour of this test is
        for phone in await phones_of(session, case_id):
            phone.due_at = now() - timedelta(days=1)

    house.do(due)
    return house.do(work)


def third_party(at: datetime) -> Recorded:
    return Recorded(result=Result(outcome="third_party", appointment=at), at=now(), by="201")


# payments --------------------------------------------------------------------------------------------


def test_a_payment_is_said_of_one_case(centre: House) -> None:
    assert centre.run("payment", "add", "1", *OF, *BY).out == "case 1: paid\n"
    again = centre.run("payment", "add", "1", *OF, *BY)
    assert (again.status, again.out) == (0, "case 1: was known as paid, nothing changed\n")
    assert centre.run("payment", "add", "9", *OF, *BY).status == 5
    standing = {row["reference"]: row["status"] for row in in_json(centre, "cases", "list", *OF)}
    assert standing == {"1": "paid", "2": "open"}


def test_a_file_of_payments_goes_in_as_a_whole_or_not_at_all(centre: House) -> None:
    file = centre.folder / "payments.csv"
    file.write_text("整理番号,納付日,納付額\r\n1,,5000\r\n9,,100\r\n", encoding="cp932", newline="")
    importing = ("payment", "import", str(file), *OF, "--handed-by", "市 収納課")
    refused = centre.run(*importing)
    assert refused.status == 4
    assert "3行目" in refused.out
    assert "nothing was taken in: 1 of 2 rows" in refused.err

    done = centre.run(*importing, "--accept-good")
    assert done.status == 0
    assert done.out.endswith("2 rows: 1 cases paid, 0 known as paid, 1 refused\n")
    told = in_json(centre, *importing, "--accept-good")
    assert (told["taken"], told["paid"], told["known"], told["refused"]) == (True, 0, 1, 1)

    async def kept(session: AsyncSession) -> str:
        return (await session.get_one(PaymentFile, 1)).handed_by

    assert centre.do(kept) == "市 収納課"


# escalations -----------------------------------------------------------------------------------------


def test_criteria_are_listed_added_and_removed(centre: House) -> None:
    assert in_json(centre, "escalation", "criteria") == []
    adding = ("escalation", "criterion", "add", "苦情の申出", *BY, "--talk-result")
    assert centre.run(*adding, "complaint").out == "criterion 1: added\n"
    wrong = centre.run(*adding, "nonsense")
    assert wrong.status == 2
    assert "complaint" in wrong.err  # which there are
    (found,) = in_json(centre, "escalation", "criteria")
    assert (found["label"], found["talk_result"]) == ("苦情の申出", "complaint")
    assert "苦情の申出" in centre.run("escalation", "criteria").out
    assert centre.run("escalation", "criterion", "remove", "1", *BY).status == 0
    assert in_json(centre, "escalation", "criteria") == []
    (removed,) = in_json(centre, "escalation", "criteria", "--removed")
    assert removed["removed_by"] == "市 収納課"


def test_a_case_is_handed_over_listed_and_decided(centre: House) -> None:
    centre.run("escalation", "criterion", "add", "分割の相談", *BY)
    raising = ("escalation", "raise", "1", *OF, "--criterion")
    assert centre.run(*raising, "9").status == 5
    assert centre.run(*raising, "1", "--by", "管理者").status == 0
    waiting = in_json(centre, "escalation", "list", "--open", *OF)
    assert [(one["reference"], one["criterion"]) for one in waiting] == [("1", "分割の相談")]
    listed = centre.run("escalation", "list", *OF).out
    assert "分割の相談" in listed
    assert "判断待ち" in listed

    out = centre.folder / "escalations.csv"
    assert centre.run("escalation", "list", *OF, "--out", str(out)).out == f"{out}\n"
    header, row = csv_of(out)
    assert dict(zip(header, row, strict=True))["理由"] == "分割の相談"

    deciding = ("escalation", "decide", "1", *OF, "--decision", "stop", *BY)
    assert centre.run(*deciding, "--yes").out == "case 1: decided, stop\n"
    assert centre.run(*deciding, "--yes").status == 6
    assert in_json(centre, "escalation", "list", "--open", *OF) == []
    (order,) = in_json(centre, "stop-order", "list")
    assert order["references"] == ["1"]


# appointments ----------------------------------------------------------------------------------------


def test_appointments_are_listed_for_supervisors_and_for_the_city(centre: House) -> None:
    noted = now() + timedelta(days=90)  # outside the period
    call(centre, 1, third_party(noted), minutes_ago=5)
    (found,) = in_json(centre, "appointment", "list", *OF)
    assert (found["reference"], found["standing"]) == ("1", "noted")
    assert "noted" in centre.run("appointment", "list", *OF).out
    out = centre.folder / "appointments.csv"
    assert centre.run("appointment", "list", *OF, "--out", str(out)).status == 0
    header, row = csv_of(out)
    assert header == ["整理番号", "案件の状態", "指定時間", "電話", "状況"]
    assert row[-1] == "架電できない時間のため記録のみ"


# the review list -------------------------------------------------------------------------------------


def test_an_unclear_result_is_listed_and_settled(centre: House) -> None:
    unclear = Recorded(result=Result(outcome="failed"), at=now(), by="line", review=True)
    attempt = call(centre, 2, unclear, minutes_ago=5)
    (found,) = in_json(centre, "review", "list", *OF)
    assert (found["attempt_id"], found["cause"], found["early_media"]) == (attempt, 127, True)
    assert "127" in centre.run("review", "list", *OF).out
    settling = ("review", "settle", attempt, "--outcome")
    assert centre.run(*settling, "no_answer").status == 6
    assert centre.run(*settling, "out_of_service").status == 0
    assert in_json(centre, "review", "list", *OF) == []
    assert centre.run(*settling, "failed").status == 6


LISTS = [
    ("escalation", "list", *OF),
    ("escalation", "list", *OF, "--json"),
    ("appointment", "list", *OF),
    ("review", "list", *OF),
]


def test_no_list_names_a_person(centre: House) -> None:
    centre.run("escalation", "criterion", "add", "分割の相談", *BY)
    centre.run("escalation", "raise", "1", *OF, "--criterion", "1")
    call(centre, 2, third_party(now() + timedelta(days=90)), minutes_ago=5)
    for verb in LISTS:
        shown = centre.run(*verb).out
        assert shown
        for personal in PERSON.values():
            assert personal not in shown


def test_a_campaign_that_is_not_there_is_told(centre: House) -> None:
    for verb in ("escalation", "appointment", "review"):
        assert centre.run(verb, "list", "--campaign", "x").status == 5

    async def close(session: AsyncSession) -> None:
        (await session.get_one(Campaign, 1)).state = "closed"

    centre.do(close)
    assert centre.run("payment", "add", "1", *OF, *BY).status == 6

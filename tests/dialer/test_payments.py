"""Payments known the same day (rule 9): the city's file, one word, and the calls they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from db import campaigns, stops
from db.campaigns import CampaignState
from db.tables import CaseFact, Notice, PaymentFile, ResultRow
from dialer.errors import ConflictError, IntakeError, NotFoundError
from dialer.intake.importer import HandOver
from dialer.payments import PaymentReport, add_payment, import_payments
from rules.call_events import Answered, Connected, HungUp, Rang
from rules.operator_state import Event
from tests.db.town import KEYS, NOON, OPERATOR, Town
from tests.dialer.fakes import turns
from tests.dialer.test_desk import Centre, open_centre

HEADER = "整理番号,納付日,納付額"
BY = "市 収納課"


def file_of(*rows: str, header: str = HEADER, encoding: str = "cp932") -> bytes:
    return "".join(f"{line}\r\n" for line in (header, *rows)).encode(encoding)


async def take(town: Town, data: bytes | Path, **options: Any) -> PaymentReport:
    given = HandOver(**{"source": data, "campaign": "2026-09", "handed_by": BY, **options})
    return await import_payments(town.sessions, given, now=NOON)


async def facts(town: Town) -> list[tuple[int, str, str]]:
    async with town.sessions.read() as session:
        rows = await session.scalars(select(CaseFact).order_by(CaseFact.id))
        return [(row.case_id, row.kind, row.by) for row in rows]


@pytest.fixture
async def three(town: Town) -> Town:
    """The cases 1, 2 and 3."""
    for number in "123":
        await town.case(number, f"025800000{number}")
    return town


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig"])
async def test_a_file_makes_its_cases_paid_and_nobody_calls_them(
    three: Town, encoding: str
) -> None:
    data = file_of("1,2026/9/24,5000", '3,,"12,300"', encoding=encoding)
    report = await take(three, data)
    assert (report.taken, report.rows, report.paid, report.known) == (True, 2, 2, 0)
    assert [(await three.standing(case))[0] for case in (1, 2, 3)] == ["paid", "open", "paid"]
    assert (await three.phone(1)).due_at is None
    assert await facts(three) == [(1, "paid", BY), (3, "paid", BY)]


async def test_who_handed_over_which_file_is_kept_and_the_same_one_again_changes_nothing(
    three: Town,
) -> None:
    data = file_of("1,,", "2,,")
    await take(three, data)
    again = await take(three, data, handed_by="another")
    assert (again.taken, again.paid, again.known) == (True, 0, 2)
    assert len(await facts(three)) == 2
    async with three.sessions.read() as session:
        told = list(await session.scalars(select(Notice.kind)))
        (kept,) = await session.scalars(select(PaymentFile))
    assert told.count("payments") == 1
    assert (kept.handed_by, kept.rows, kept.paid, kept.known) == (BY, 2, 2, 0)
    assert (kept.at, len(kept.sha256)) == (NOON, 64)


async def test_a_later_file_that_repeats_an_earlier_one_adds_what_is_new(three: Town) -> None:
    await take(three, file_of("1,,"))
    report = await take(three, file_of("1,,", "2,,", "2,,"))
    assert (report.rows, report.paid, report.known) == (3, 1, 1)
    assert await three.count(PaymentFile) == 2


FAULTS = [
    # a row that cannot be, the column at fault, words of what to do
    ("9,2026/9/24,100", "整理番号", "この月の案件にない"),
    (",2026/9/24,100", "整理番号", "空です"),
    ("１２,,", "整理番号", "半角の英数字"),
    ("1,2026/9/31,", "納付日", "暦にない"),
    ("1,2026/9/25,", "納付日", "先の日付"),
    ("1,昨日,", "納付日", "読めません"),
    ("1,,-500", "納付額", "金額として"),
    ("1,,5000円", "納付額", "金額として"),
    ("1,", None, "項目が2個"),
]


@pytest.mark.parametrize(("row", "column", "words"), FAULTS)
async def test_a_fault_is_told_by_line_and_column_and_keeps_the_whole_file_out(
    three: Town, row: str, column: str | None, words: str
) -> None:
    data = file_of("2,,", row)
    report = await take(three, data)
    assert (report.taken, report.refused, report.paid) == (False, 1, 0)
    (finding,) = report.findings
    assert (finding.line, finding.column) == (3, column)
    assert words in finding.message
    assert await facts(three) == []
    assert await three.count(PaymentFile) == 0

    report = await take(three, data, accept_good=True)
    assert (report.taken, report.refused, report.paid) == (True, 1, 1)
    assert await facts(three) == [(2, "paid", BY)]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "空です"),
        (file_of(), "1件もありません"),
        (file_of("1", header="整理番号"), "納付日"),  # a column is missing
        (file_of("1,,,9", header=f"{HEADER},個人番号"), "個人番号"),
        (file_of("1,,,9", header=f"{HEADER},氏名"), "決められていない列"),
    ],
)
async def test_a_file_of_which_nothing_can_be_used_is_refused(
    three: Town, data: bytes, words: str
) -> None:
    with pytest.raises(IntakeError, match=words):
        await take(three, data)


async def test_a_closed_campaign_takes_no_payment(three: Town) -> None:
    async with three.sessions.write() as session:
        await campaigns.set_state(session, "2026-09", CampaignState.CLOSED, at=NOON, by="tests")
    with pytest.raises(ConflictError):
        await take(three, file_of("1,,"))


async def test_one_payment_is_written_down_once(three: Town) -> None:
    for new in (True, False):
        async with three.sessions.write() as session:
            assert await add_payment(session, "2026-09", "2", at=NOON, by=BY) is new
    assert await facts(three) == [(2, "paid", BY)]
    assert await three.standing(2) == ("paid", None)
    async with three.sessions.write() as session:
        with pytest.raises(NotFoundError):
            await add_payment(session, "2026-09", "9", at=NOON, by=BY)


async def test_a_payment_is_no_stop_order_and_does_not_hold_for_the_next_month(three: Town) -> None:
    await take(three, file_of("1,,"))
    async with three.sessions.read() as session:
        assert await stops.stopped_among(session, {KEYS.person("P1")}) == set()
    next_month = await Town(three.sessions).open("2026-09b")
    again = await next_month.case("1", "0258000001", person="P1", household="H1b")
    assert await three.standing(again) == ("open", None)


async def test_a_case_that_was_complete_stays_so(three: Town) -> None:
    talk = await three.talk(await three.phone(1), NOON - timedelta(hours=1))
    async with three.sessions.write() as session:
        await three.save(session, talk, 1, "refused", NOON)
    await take(three, file_of("1,,"))
    assert await three.standing(1) == ("complete", "ウ")


# what is on the line ---------------------------------------------------------------------------------


@pytest.fixture
async def centre(three: Town) -> AsyncIterator[Centre]:
    """201 is free."""
    async with open_centre(three) as made:
        made.seats.move(OPERATOR, Event.LEG_UP)
        await made.desk.ready(OPERATOR)
        yield made


async def test_a_ringing_phone_is_silent_within_one_look_and_others_ring_on(
    centre: Centre,
) -> None:
    paid = await centre.call(1, Rang)
    other = await centre.call(2, Rang)
    await take(centre.town, file_of("1,,"))
    await centre.inbox.look()
    await turns()
    assert [one["Channel"] for one in centre.link.sent] == [paid]
    await centre.tell(HungUp, attempt=paid)
    await centre.ledger.flushed()
    async with centre.town.sessions.read() as session:
        assert await session.scalar(select(ResultRow.outcome)) == "cancelled"
    assert centre.state(other) == "ringing"


async def test_a_talk_is_not_cut_and_its_operator_is_told(centre: Centre) -> None:
    attempt = await centre.call(1, Rang, Answered, Connected)
    assert (await centre.shown()).call.case_status.value == "open"
    await take(centre.town, file_of("1,,"))
    await centre.inbox.look()
    async with asyncio.timeout(30):
        while (me := centre.desk.me(OPERATOR)).call.case_status.value != "paid":
            await centre.seats.changed(OPERATOR, me.rev, 5)
    assert centre.state(attempt) == "talking"
    assert "Hangup" not in centre.link.names()

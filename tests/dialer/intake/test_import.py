"""The city's file in the database: as a whole, once, and again with changes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from db import campaigns, cases, ledger, notices, stops
from db.campaigns import CampaignState
from db.errors import ConflictError, NotFoundError
from db.keys import Keys
from db.notices import NoticeKind
from db.session import Sessions
from db.tables import Base, CaseFact, CaseRow, Intake, PhoneRow, StopOrder, table_of
from dialer.intake.importer import HandOver, ImportReport, import_file
from tests.dialer.intake.files import MONTH, NOW, file_of, row

KEYS = Keys(b"a key for tests")


async def campaign(sessions: Sessions, name: str, month: int) -> None:
    async with sessions.write() as session:
        await campaigns.create(
            session,
            name,
            profile="nagaoka-r8",
            period_from=date(2026, month, 21),
            period_to=date(2026, month, 30),
            at=NOW,
        )
        await campaigns.set_state(session, name, CampaignState.RUNNING, at=NOW, by="tests")


@pytest.fixture
async def month(sessions: Sessions) -> Sessions:
    """A database with the campaign 2026-09."""
    await campaign(sessions, MONTH, 9)
    return sessions


async def take(sessions: Sessions, data: bytes, **options: Any) -> ImportReport:
    given = HandOver(**{"source": data, "campaign": MONTH, "handed_by": "市 担当", **options})
    return await import_file(sessions, given, keys=KEYS, now=options.pop("now", NOW))


async def contents(sessions: Sessions) -> dict[str, list[Any]]:
    """Every row of every table."""
    async with sessions.read() as session:
        return {
            table.name: sorted(map(repr, await session.execute(select(table))))
            for table in Base.metadata.sorted_tables
        }


async def count(sessions: Sessions, table: type[Base]) -> int:
    async with sessions.read() as session:
        return await session.scalar(select(func.count()).select_from(table_of(table))) or 0


async def stored(sessions: Sessions, number: int) -> CaseRow:
    async with sessions.read() as session:
        found = await campaigns.get(session, MONTH)
        return await cases.by_reference(session, found.id, f"2026090{number:05}")


async def phones(sessions: Sessions, number: int) -> list[PhoneRow]:
    case = await stored(sessions, number)
    async with sessions.read() as session:
        return await cases.phones_of(session, case.id)


async def test_a_good_file_becomes_cases_that_are_due_on_the_first_day(month: Sessions) -> None:
    report = await take(month, file_of(row(1), row(2, 電話番号2="060-9999-0001")))
    assert (report.taken, report.rows, report.added, report.refused) == (True, 2, 2, 0)
    case = await stored(month, 2)
    assert (case.name, case.amount_yen, case.status) == ("髙木　架空", "12300", "open")
    assert case.person_key == KEYS.person("10000002")
    assert case.household_key == KEYS.household("2000002")
    assert [
        (phone.number, phone.number_key, phone.kind, phone.due_at)
        for phone in await phones(month, 2)
    ] == [
        ("0258000002", KEYS.number("0258000002"), "fixed", NOW + timedelta(days=1)),
        ("06099990001", KEYS.number("06099990001"), "mobile", NOW + timedelta(days=1)),
    ]


async def test_who_handed_over_what_and_when_is_kept_and_the_service_is_told(
    month: Sessions,
) -> None:
    await take(month, file_of(row(1)))
    async with month.read() as session:
        intake = (await session.scalars(select(Intake))).one()
        told = await notices.newer_than(session, 0)
    assert (intake.handed_by, intake.at, intake.rows, intake.added) == ("市 担当", NOW, 1, 1)
    assert told[-1].kind == NoticeKind.CASES.value


async def test_the_same_file_again_changes_nothing(month: Sessions) -> None:
    data = file_of(row(1), row(2, 停止フラグ="1"))
    await take(month, data)
    before = await contents(month)
    report = await take(month, data)
    assert (report.taken, report.added, report.changed, report.unchanged) == (True, 0, 0, 2)
    assert await contents(month) == before


async def test_a_file_with_a_fault_changes_nothing_as_a_whole(month: Sessions) -> None:
    before = await contents(month)
    report = await take(month, file_of(row(1), row(2, 区分="?"), row(3)))
    assert (report.taken, report.rows, report.refused) == (False, 3, 1)
    assert [finding.line for finding in report.findings] == [3]
    assert await contents(month) == before


async def test_the_good_rows_are_taken_in_when_the_supervisor_says_so(month: Sessions) -> None:
    data = file_of(row(1), row(2, 区分="?"), row(3))
    report = await take(month, data, accept_good=True)
    assert (report.taken, report.added, report.refused) == (True, 2, 1)
    assert await count(month, CaseRow) == 2
    # the corrected file brings what was missing
    report = await take(month, file_of(row(1), row(2), row(3)))
    assert (report.added, report.unchanged) == (1, 2)


async def test_an_update_changes_amounts_and_adds_stops(month: Sessions) -> None:
    await take(month, file_of(row(1), row(2), row(3)))
    update = file_of(row(1, 滞納合計額="500"), row(2, 停止フラグ="1"), row(3))
    report = await take(month, update)
    assert (report.added, report.changed, report.unchanged, report.stopped) == (0, 2, 1, 1)
    assert (await stored(month, 1)).amount_yen == "500"
    assert (await stored(month, 2)).status == "stopped"
    assert (await phones(month, 2))[0].due_at is None
    async with month.read() as session:
        told = [n for n in await notices.newer_than(session, 0) if n.case_id is not None]
    assert [(n.kind, n.case_id) for n in told] == [("stop_case", (await stored(month, 2)).id)]


async def test_a_flag_that_is_gone_from_a_later_file_lifts_nothing(month: Sessions) -> None:
    await take(month, file_of(row(1, 停止フラグ="1")))
    await take(month, file_of(row(1, 滞納合計額="500")))
    assert (await stored(month, 1)).status == "stopped"


async def test_a_person_stopped_in_an_earlier_month_is_stopped_again(month: Sessions) -> None:
    await take(month, file_of(row(1, 停止フラグ="1"), row(2)))
    await campaign(month, "2026-10", 10)
    october = [row(n, 年月="2026-10", 整理番号=f"OCT{n}", 宛名番号=f"100{n:05}") for n in (1, 2)]
    report = await take(month, file_of(*october), campaign="2026-10")
    assert (report.added, report.stopped) == (2, 1)
    async with month.read() as session:
        found = await campaigns.get(session, "2026-10")
        statuses = {c.reference: c.status for c in await cases.all_cases(session, found.id)}
    assert statuses == {"OCT1": "stopped", "OCT2": "open"}
    assert await count(month, StopOrder) == 1
    assert await count(month, CaseFact) == 2


async def test_a_lifted_stop_order_does_not_reach_the_next_month(month: Sessions) -> None:
    await take(month, file_of(row(1, 停止フラグ="1")))
    async with month.write() as session:
        await stops.lift(session, KEYS.person("10000001"), at=NOW, by="city")
    await campaign(month, "2026-10", 10)
    report = await take(month, file_of(row(1, 年月="2026-10")), campaign="2026-10")
    assert report.stopped == 0


async def test_a_number_changes_until_it_was_called(month: Sessions) -> None:
    await take(month, file_of(row(1)))
    report = await take(month, file_of(row(1, 電話番号1="0258-00-0009")))
    assert (report.changed, report.findings) == (1, [])
    (phone,) = await phones(month, 1)
    assert phone.number == "0258000009"
    async with month.write() as session:
        await ledger.place(
            session,
            attempt_id="0" * 36,
            phone_id=phone.id,
            placed_at=NOW,
            caller_id="0258001000",
        )
    again = file_of(row(1, 電話番号1="0258-00-0008"))
    report = await take(month, again)
    assert [phone.number for phone in await phones(month, 1)] == ["0258000009", "0258000008"]
    (warning,) = report.findings
    assert "番号は残しました" in warning.message
    assert (await take(month, again)).unchanged == 1


async def test_a_file_goes_into_no_closed_campaign_and_none_that_does_not_exist(
    month: Sessions,
) -> None:
    with pytest.raises(NotFoundError):
        await take(month, file_of(row(1)), campaign="2026-07")
    async with month.write() as session:
        await campaigns.set_state(session, MONTH, CampaignState.CLOSED, at=NOW, by="tests")
    with pytest.raises(ConflictError):
        await take(month, file_of(row(1)))


async def test_a_file_of_another_month_is_refused(month: Sessions) -> None:
    report = await take(month, file_of(row(1, 年月="2026-10")))
    assert (report.taken, report.refused) == (False, 1)


async def test_only_so_many_findings_are_listed_and_all_are_counted(month: Sessions) -> None:
    rows = [row(n, 区分="?", 滞納合計額="?") for n in range(1, 600)]
    report = await take(month, file_of(*rows))
    assert (len(report.findings), report.findings_in_all) == (1000, 1198)

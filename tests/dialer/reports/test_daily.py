"""The daily report, from calls in the database to a file."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from db import callback_wishes, callbacks, ledger, results
from db.results import Recorded
from db.session import Sessions
from db.tables import PhoneRow
from dialer.errors import ReportError
from dialer.months import Month, Months
from dialer.reports import spreadsheet
from dialer.reports.daily import Daily, Incoming, daily_of, lines_of, write_daily
from rules.callback_end import CameTo
from rules.case import Result
from tests.db.callers import (
    GAVE_UP,
    GUIDANCE,
    TALKED,
    asks_back,
    calls_us,
    is_recorded,
    leaves_message,
)
from tests.db.town import NOON, OPERATOR, Town, at

DAY = date(2026, 9, 24)


@pytest.fixture
async def town(sessions: Sessions) -> Town:
    return await Town(sessions).open()


async def settle(town: Town, phone: PhoneRow, when: str, outcome: str, **marks: bool) -> str:
    """A call with an outcome."""
    moment = at(when)
    attempt = await town.place(phone, moment)
    recorded = Recorded(result=Result(outcome=outcome, **marks), at=moment, by="201")
    async with town.sessions.write() as session:
        await results.save_first(session, attempt, recorded)
        await ledger.finish(session, [attempt])
        await town.refresh(session, phone.case_id, now=moment)
    return attempt


async def month_of(town: Town) -> Month:
    months = Months()
    async with town.sessions.read() as session:
        await months.reload(session, NOON)
    return months.get(town.campaign_id)


async def report(town: Town, day: date = DAY) -> Daily:
    async with town.sessions.read() as session:
        return await daily_of(session, await month_of(town), day)


def reports_in(folder: Path) -> list[Path]:
    return list(folder.glob("**/*daily*"))


async def phones(town: Town, count: int) -> list[PhoneRow]:
    return [await town.phone(await town.case(f"{n}", f"025800000{n}")) for n in range(1, count + 1)]


async def test_a_day_is_summed_up_by_the_rules(town: Town) -> None:
    one, two, three, four = await phones(town, 4)
    await settle(town, one, "24 09:05", "person_done", script_finished=True)
    await settle(town, two, "24 09:06", "no_answer")
    await settle(town, three, "24 10:00", "third_party", same_household=True)
    await settle(town, four, "24 10:01", "third_party")  # somebody else: no contact
    daily = await report(town)
    assert daily.unrecorded == 0
    assert daily.sums.handled_out == 4
    assert daily.sums.handled_in == 0
    assert daily.sums.counted == 4
    assert daily.sums.by_outcome == {"person_done": 1, "no_answer": 1, "third_party": 2}
    assert (daily.sums.cases_called, daily.sums.cases_contacted) == (4, 2)
    assert daily.sums.contact_rate == 0.5


async def test_of_three_busy_tries_of_a_day_one_is_counted(town: Town) -> None:
    (phone,) = await phones(town, 1)
    for minute in (0, 10, 20):
        await settle(town, phone, f"24 10:{minute:02d}", "busy")
    daily = await report(town)
    assert daily.sums.by_outcome == {"busy": 3}
    assert (daily.sums.handled_out, daily.sums.counted) == (3, 1)
    assert daily.sums.contact_rate_per_attempt == 0.0


async def test_callers_are_counted_beside_the_calls_placed(town: Town) -> None:
    one, two = await phones(town, 2)
    await settle(town, one, "24 09:05", "no_answer")
    talked = [await calls_us(town, TALKED, at("24 10:00")) for _ in range(3)]
    async with town.sessions.write() as session:
        await is_recorded(session, talked[0], two.case_id, "person_done")
        await callbacks.close(session, talked[1], kind="unrelated", note="", at=NOON, by=OPERATOR)
    await calls_us(town, GAVE_UP, at("24 11:00"))
    await calls_us(town, GUIDANCE, at("24 20:30"))
    await calls_us(town, GUIDANCE, at("23 20:30"))  # the day before
    await leaves_message(town, at("24 12:00"))
    asked = await asks_back(town, at("24 13:00"))
    async with town.sessions.write() as session:
        await callback_wishes.done(session, asked, at=NOON, by="sup")
    daily = await report(town)
    assert (daily.sums.handled_out, daily.sums.handled_in, daily.sums.counted) == (1, 1, 1)
    assert daily.sums.by_outcome == {"no_answer": 1, "person_done": 1}
    assert (daily.sums.cases_called, daily.sums.cases_contacted) == (1, 1)
    assert daily.sums.contact_rate_per_attempt == 0.0
    assert daily.incoming == Incoming(
        came_to={
            CameTo.TALKED: 3,
            CameTo.GAVE_UP: 1,
            CameTo.GUIDANCE: 1,
            CameTo.MESSAGE: 1,
            CameTo.ASKED_BACK: 1,
        },
        without_case=1,
        unrecorded=1,
    )
    lines = {(kind, item): value for kind, item, value in lines_of(daily, await month_of(town))}
    whole = "着信(センター全体)"
    assert lines["電話対応件数", "着信(折り返し)"] == 1
    assert lines[whole, "総数"] == 7
    assert lines[whole, "時間外などの案内"] == 1
    assert lines[whole, "通話の途中"] == 0


async def test_a_callback_about_another_months_case_is_in_that_months_sums(
    town: Town, sessions: Sessions
) -> None:
    other = await Town(sessions).open("2026-09b")
    phone = await other.phone(await other.case("9", "0258000009"))
    callback = await calls_us(town, TALKED)
    async with sessions.write() as session:
        await is_recorded(session, callback, phone.case_id, "hung_up")
    for asked, handled in ((town, 0), (other, 1)):
        daily = await report(asked)
        assert daily.sums.handled_in == handled
        assert daily.incoming.came_to == {CameTo.TALKED: 1}  # the centre is one


async def test_a_day_is_midnight_to_midnight_in_japan(town: Town) -> None:
    before, first, last, after = await phones(town, 4)
    await settle(town, before, "23 23:59", "no_answer")
    await settle(town, first, "24 00:00", "no_answer")
    await settle(town, last, "24 23:59", "no_answer")
    await settle(town, after, "25 00:00", "no_answer")
    assert (await report(town)).sums.handled_out == 2


async def test_a_corrected_result_counts_as_corrected(town: Town) -> None:
    (phone,) = await phones(town, 1)
    attempt = await settle(town, phone, "24 10:00", "person_incomplete")
    right = Recorded(result=Result(outcome="wrong_number"), at=NOON, by="201")
    async with town.sessions.write() as session:
        await results.correct(session, attempt, right)
    daily = await report(town)
    assert daily.sums.by_outcome == {"wrong_number": 1}
    assert daily.sums.contacts == 0


async def test_a_call_without_its_result_is_shown_apart(town: Town) -> None:
    (phone,) = await phones(town, 1)
    await town.talk(phone)
    daily = await report(town)
    assert (daily.unrecorded, daily.sums.handled_out) == (1, 0)


async def test_calls_of_another_campaign_are_not_in_it(town: Town, sessions: Sessions) -> None:
    other = await Town(sessions).open("2026-09b")
    phone = await other.phone(await other.case("9", "0258000009"))
    await settle(other, phone, "24 10:00", "no_answer")
    assert (await report(town)).sums.handled_out == 0
    assert (await report(other)).sums.handled_out == 1


async def test_the_file_says_it_in_japanese_and_names_nobody(town: Town, tmp_path: Path) -> None:
    (phone,) = await phones(town, 1)
    await settle(town, phone, "24 10:00", "person_done", script_finished=True)
    month = await month_of(town)
    path = write_daily(await report(town), month, tmp_path / "new")
    assert path == tmp_path / "new" / "daily-2026-09-2026-09-24.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # by which a spreadsheet knows UTF-8
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    lines = {(kind, item): value for kind, item, value in rows}
    assert header == ["区分", "項目", "値"]
    assert lines["対象", "曜日区分"] == "平日"
    assert lines["電話対応件数", "発信"] == "1"
    assert lines["電話対応件数", "着信(折り返し)"] == "0"
    assert lines["対応結果別件数", "本人・完了 §8(4)ア"] == "1"
    assert lines["対応結果別件数", "応答なし §8(5)ア"] == "0"
    assert lines["接触結果", "接触率(案件)"] == "100.0%"
    assert len([kind for kind, _ in lines if kind == "対応結果別件数"]) == len(
        month.profile.outcomes
    )
    text = path.read_text(encoding="utf-8")
    assert "星野" not in text
    assert "0258000001" not in text


async def test_a_saturday_is_told_as_such_and_a_day_without_calls_has_no_rate(
    town: Town, tmp_path: Path
) -> None:
    daily = await report(town, DAY + timedelta(days=2))
    text = write_daily(daily, await month_of(town), tmp_path).read_text(encoding="utf-8-sig")
    assert "対象,曜日区分,平日以外" in text
    assert "接触結果,接触率(案件),\n" in text


async def test_a_write_that_fails_leaves_the_earlier_report_and_nothing_else(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = await month_of(town)
    path = write_daily(await report(town), month, tmp_path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spreadsheet.os, "fsync", full)
    (phone,) = await phones(town, 1)
    await settle(town, phone, "24 10:00", "no_answer")
    with pytest.raises(ReportError, match="No space left"):
        write_daily(await report(town), month, tmp_path)
    assert path.read_bytes() == before
    assert reports_in(tmp_path) == [path]

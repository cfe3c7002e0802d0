"""The evidence as the city receives it: what each row says, and that it names nobody."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from db import callbacks, cases, ledger, results, stops
from db.cases import FactKind
from db.results import Recorded
from db.session import Sessions
from db.tables import CaseRow, ResultRow, table_of
from dialer.months import Month, Months
from dialer.reports.evidence import (
    CONCLUSION_HEADER,
    COURSE_HEADER,
    WORDS,
    campaign_evidence,
    case_evidence,
    conclusion_rows,
    course_rows,
    write_campaign,
    write_case,
)
from rules.case import Result
from tests.db.callers import GAVE_UP, calls_us
from tests.db.town import NOON, OPERATOR, Town, at

Rows = list[dict[str, str]]


@pytest.fixture
async def town(sessions: Sessions) -> Town:
    return await Town(sessions).open()


async def month_of(town: Town) -> Month:
    months = Months()
    async with town.sessions.read() as session:
        await months.reload(session, at("30 23:00"))
    return months.get(town.campaign_id)


async def tables(town: Town, case_id: int) -> tuple[Rows, Rows]:
    """What happened and what follows, of one case; empty cells left out."""
    month = await month_of(town)
    async with town.sessions.read() as session:
        found = await case_evidence(session, await session.get_one(CaseRow, case_id), month)
    return (
        _named(COURSE_HEADER, course_rows(found, month)),
        _named(CONCLUSION_HEADER, conclusion_rows(found, month)),
    )


def _named(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> Rows:
    named = (zip(header, row, strict=True) for row in rows)
    return [{name: str(cell) for name, cell in row if cell not in (None, "")} for row in named]


async def test_three_unanswered_attempts_complete_the_case_under_ka(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    phone = await town.phone(case_id)
    for when in ("24 10:00", "25 13:00", "26 09:30"):
        await town.ring_out(phone, at(when))
    course, conclusions = await tables(town, case_id)
    assert course[0] == {
        "整理番号": "1",
        "区分": "架電",
        "日付": "2026-09-24",
        "時刻": "10:00:00",
        "曜日": "木",
        "日の区分": "平日",
        "時間帯": "午前",
        "電話": "1",
        "電話の種別": "固定",
        "呼出秒数": "36.0",
        "結果": "応答なし",
        "結果コード": "no_answer",
        "条項": "§8(5)ア",
        "架電回数": "1",
        "規則": "適合",
        "記録日時": "2026-09-24 10:00:38",
        "記録者": "回線",
    }
    told = [(row["日の区分"], row["時間帯"], row["架電回数"], row["規則"]) for row in course]
    assert told[1:] == [("平日", "午後", "2", "適合"), ("土日", "午前", "3", "適合")]
    assert conclusions == [
        {
            "整理番号": "1",
            "案件の状態": "完了",
            "条項": "§8(4)カ",
            "理由": "終了していない番号(電話1)の架電回数を終えた"
            "(最後は9月26日(土) 09:30 電話1への架電「応答なし」)",
            "電話": "1",
            "電話の種別": "固定",
            "電話の状態": "継続",
            "発信数": "3",
            "架電回数": "3",
            "架電日時": "9月24日(木) 10:00 午前 平日、9月25日(金) 13:00 午後 平日、"
            "9月26日(土) 09:30 午前 土日",
            "別の日": "適合",
            "別の時間帯": "適合",
            "平日以外": "実施",
        }
    ]


async def test_a_person_who_called_us_in_vain_has_a_row_with_the_phone(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    phone = await town.phone(case_id)
    place = callbacks.Place(campaign_id=town.campaign_id, case_id=case_id, phone_id=phone.id)
    for when, asked in (("24 21:00", False), ("25 10:00", True)):
        callback = await calls_us(town, GAVE_UP, at(when))
        async with town.sessions.write() as session:
            await callbacks.not_reached(session, callback, place, at=at(when), asked=asked)
    course, _ = await tables(town, case_id)
    assert [(row["区分"], row["時刻"], row["電話"], row["結果"]) for row in course] == [
        ("折り返し", "21:00:00", "1", "つながらなかった着信"),
        ("折り返し", "10:00:00", "1", "折り返しの希望"),
    ]


async def test_a_talk_a_correction_and_the_words_of_the_city_have_rows_of_their_own(
    town: Town,
) -> None:
    case_id = await town.case("1", "0258000001")
    attempt = await town.talk(await town.phone(case_id), at("22 10:00"))
    async with town.sessions.write() as session:
        for outcome, when in (("hung_up", "22 10:02"), ("person_done", "22 10:09")):
            result = Result(outcome=outcome, script_finished=outcome == "person_done")
            recorded = Recorded(result=result, at=at(when), by=OPERATOR, note="秘密のメモ")
            if outcome == "hung_up":
                await results.save_first(session, attempt, recorded)
                await ledger.finish(session, [attempt])
            else:
                await results.correct(session, attempt, recorded)
        person = (await cases.get(session, case_id)).person_key
        await stops.order(session, person, at=at("22 12:00"), by="収納課")
        await town.refresh(session, case_id, now=at("22 12:00"))
    course, conclusions = await tables(town, case_id)
    assert [row["区分"] for row in course] == ["架電", "訂正", "市の指示"]
    made, correction, word = course
    assert (made["結果"], made["接触"], made["担当者"], made["記録者"]) == (
        "本人・完了",
        "接触",
        OPERATOR,
        OPERATOR,
    )
    assert made["日の区分"] == "祝日"
    assert (correction["結果"], correction["時刻"], correction["備考"]) == (
        "本人・完了",
        "10:09:00",
        "9月22日(火) 10:00の結果「確認前の切断」を訂正",
    )
    assert (word["結果"], word["条項"], word["記録者"]) == ("架電停止の指示", "§8(3)ク", "収納課")
    [concluded] = conclusions
    assert (concluded["案件の状態"], concluded["条項"], concluded["理由"]) == (
        "完了",
        "§8(4)ア",
        "9月22日(火) 10:00 電話1への架電「本人・完了」",
    )
    assert "秘密" not in str(course)


async def test_a_callback_completes_the_case_under_ki_and_is_no_attempt(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    async with town.sessions.write() as session:
        row = {
            "case_id": case_id,
            "outcome": "person_done",
            "script_finished": True,
            "at": at("24 10:00"),
            "by": OPERATOR,
            "talk_results": [],
        }
        await session.execute(insert(table_of(ResultRow)), row)
        await town.refresh(session, case_id, now=at("24 10:00"))
    [taken], [concluded] = await tables(town, case_id)
    assert (taken["区分"], taken["条項"], taken["接触"]) == ("折り返し", "§8(4)キ", "接触")
    assert "架電回数" not in taken
    assert (concluded["条項"], concluded["理由"], concluded["発信数"]) == (
        "§8(4)キ",
        "9月24日(木) 10:00 折り返し「本人・完了」",
        "0",
    )
    assert concluded["平日以外"] == "対象外(架電回数に満たず終了)"


async def test_a_call_that_broke_a_rule_or_has_no_result_is_told_as_such(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    phone = await town.phone(case_id)
    await town.ring_out(phone, at("24 10:00"))
    await town.ring_out(phone, at("24 11:00"))
    await town.place(phone, at("26 10:00"))
    course, [concluded] = await tables(town, case_id)
    assert [row["規則"] for row in course] == [
        "適合",
        "同じ日に数える架電を済ませています、前回の架電と同じ時間帯です",
        "前回の架電と同じ時間帯です",
    ]
    assert course[2]["結果"] == "結果未入力"
    assert (concluded["別の日"], concluded["別の時間帯"]) == ("不適合", "不適合")
    assert (concluded["発信数"], concluded["架電回数"]) == ("3", "2")
    assert (concluded["理由"], concluded["平日以外"]) == (
        "架電を続ける",
        "未実施(架電回数が残っている)",
    )


async def test_a_call_of_the_household_is_known_to_the_whole_campaigns_evidence_too(
    town: Town, tmp_path: Path
) -> None:
    first = await town.case("1", "0258000001", household="H")
    second = await town.case("2", "0258000002", household="H")
    third = await town.case("3", "0258000001")
    other = await Town(town.sessions).open("another month at the same time")
    mate = await other.case("9", "0258000001")
    await other.ring_out(await other.phone(mate), at("24 11:40"))
    for case_id, minutes in ((first, 0), (second, 20), (third, 25)):
        await town.ring_out(await town.phone(case_id), NOON + timedelta(minutes=minutes))
    month = await month_of(town)
    async with town.sessions.read() as session:
        found = [one async for one in campaign_evidence(session, month)]
        alone = [
            await case_evidence(session, await session.get_one(CaseRow, case_id), month)
            for case_id in (first, second, third)
        ]
    assert found == alone
    assert [[str(reason) for reason in one.lines[0].refusals] for one in found] == [
        ["household_busy"],
        ["household_busy"],
        ["household_busy"],
    ]
    paths = write_campaign(found, month, tmp_path)
    assert [path.name for path in paths] == [
        "evidence-2026-09-course.csv",
        "evidence-2026-09-conclusions.csv",
    ]
    for path, header in zip(paths, (COURSE_HEADER, CONCLUSION_HEADER), strict=True):
        content = path.read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(content.decode("utf-8-sig").splitlines()))
        assert rows[0] == list(header)
        assert [row[0] for row in rows[1:]] == ["1", "2", "3"]


async def test_the_file_of_a_case_holds_both_tables_and_no_person(
    town: Town, tmp_path: Path
) -> None:
    case_id = await town.case("1", "0258000001", "0258000002")
    await town.ring_out(await town.phone(case_id), at("24 10:00"))
    month = await month_of(town)
    async with town.sessions.read() as session:
        found = await case_evidence(session, await session.get_one(CaseRow, case_id), month)
    write_case(found, month, tmp_path / "1.csv")
    text = (tmp_path / "1.csv").read_text("utf-8-sig")
    assert [row[0] for row in csv.reader(text.splitlines()) if row] == [
        "整理番号",
        "1",
        "整理番号",
        "1",
        "1",
    ]
    for personal in ("0258", "架空", "940-0000", "12300"):
        assert personal not in text


async def test_a_case_without_a_phone_has_a_row_all_the_same(town: Town) -> None:
    course, conclusions = await tables(town, await town.case("1"))
    assert (course, conclusions) == (
        [],
        [{"整理番号": "1", "案件の状態": "架電中", "理由": "架電を続ける"}],
    )


def test_every_word_of_the_city_has_a_label() -> None:
    assert set(WORDS) == set(FactKind)

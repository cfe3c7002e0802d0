"""What each verb does, seen in the database and on the terminal."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db import cases
from db.tables import CaseRow, EmergencyStop, Notice, Operator, PhoneRow
from dialer.cli.app import run
from dialer.doctor import Finding
from rules.case import PhoneKind
from tests.dialer.cli.conftest import PERSON, House


def in_json(house: House, *arguments: str) -> Any:
    done = house.run(*arguments, "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)


def notices(house: House) -> list[tuple[str, int | None]]:
    async def work(session: AsyncSession) -> list[tuple[str, int | None]]:
        rows = await session.scalars(select(Notice).order_by(Notice.id))
        return [(row.kind, row.case_id) for row in rows]

    return house.do(work)


def statuses(house: House) -> dict[int, str]:
    async def work(session: AsyncSession) -> dict[int, str]:
        return {row.id: row.status for row in await session.scalars(select(CaseRow))}

    return house.do(work)


def test_a_campaign_goes_from_draft_to_closed_and_the_service_hears_of_it(month: House) -> None:
    states = [in_json(month, "campaign", "list")[0]["state"]]
    for verb in ("start", "pause", "resume", "close"):
        yes = ["--yes"] if verb == "close" else []
        assert month.run("campaign", verb, "2026-09", *yes).status == 0
        states.append(in_json(month, "campaign", "list")[0]["state"])
    assert states == ["draft", "running", "paused", "running", "closed"]
    assert notices(month) == [("campaign", None)] * 4


def test_a_period_with_too_few_non_weekdays_is_warned_of(house: House) -> None:
    done = house.run("campaign", "create", "x", "--from", "2026-09-14", "--to", "2026-09-18")
    assert done.status == 0
    assert "warning: 0 non-weekdays" in done.err
    done = house.run("campaign", "create", "y", "--from", "2026-09-14", "--to", "2026-09-20")
    assert (done.status, done.err) == (0, "")


def test_the_excluded_days_are_listed(house: House) -> None:
    period = ["--from", "2026-09-18", "--to", "2026-09-27"]
    out = ["--exclude", "2026-09-21", "--exclude", "2026-09-20"]
    assert house.run("campaign", "create", "2026-09", *period, *out).status == 0
    assert in_json(house, "campaign", "list") == [
        {
            "name": "2026-09",
            "profile": "nagaoka-r8",
            "state": "draft",
            "from": "2026-09-18",
            "to": "2026-09-27",
            "excluded": ["2026-09-20", "2026-09-21"],
        }
    ]
    assert "2026-09-20 2026-09-21" in house.run("campaign", "list").out


def test_excluding_every_day_of_a_future_period_leaves_no_phone_due(house: House) -> None:
    house.run("campaign", "create", "f", "--from", "2099-09-12", "--to", "2099-09-13")
    house.add_case("f", "1")

    async def due(session: AsyncSession) -> Any:
        return await session.scalar(select(PhoneRow.due_at))

    assert str(house.do(due)).startswith("2099-09-12 00:00")  # 09:00 Japan time
    house.run("campaign", "exclude", "f", "2099-09-12", "--yes")
    assert str(house.do(due)).startswith("2099-09-13 00:00")
    house.run("campaign", "exclude", "f", "2099-09-13", "--yes")
    assert house.do(due) is None


def test_excluding_a_day_warns_of_too_few_non_weekdays_and_names_the_check(month: House) -> None:
    # five non-weekdays, of which the contract asks for two
    for day in ("2026-09-19", "2026-09-20", "2026-09-21"):
        done = month.run("campaign", "exclude", "2026-09", day, "--yes")
        assert (done.status, done.err) == (0, "")
        assert "dialer plan check 2026-09" in done.out
    done = month.run("campaign", "exclude", "2026-09", "2026-09-22", "--yes")
    assert "warning: 1 non-weekdays to call on" in done.err


def test_the_numbers_learned_in_calls_are_listed_for_the_city(month: House) -> None:
    case_id = month.add_case("2026-09", "77")

    async def named(session: AsyncSession) -> None:
        for number, kind in (("09000000001", PhoneKind.MOBILE), ("0258990009", PhoneKind.FIXED)):
            await cases.add_phone(session, case_id, number=number, number_key=number, kind=kind)

    of = ("--campaign", "2026-09")
    assert in_json(month, "cases", "learned", *of) == []  # the city's own numbers are none of them
    month.do(named)
    rows = in_json(month, "cases", "learned", *of)
    assert [tuple(row.values()) for row in rows] == [
        ("77", "mobile", "09000000001"),
        ("77", "fixed", "0258990009"),
    ]
    assert "09000000001" in month.run("cases", "learned", *of).out
    out = month.folder / "learned.csv"
    done = month.run("cases", "learned", *of, "--out", str(out))
    assert done.out == f"{out}\n"  # and no number
    assert out.read_text(encoding="utf-8-sig").splitlines() == [
        "整理番号,種別,電話番号",
        "77,携帯,090-0000-0001",
        "77,固定,0258-99-0009",
    ]


def test_a_stop_order_reaches_every_open_month_of_the_person_and_nobody_else(month: House) -> None:
    for name in ("2026-08", "2026-10"):
        days = ["--from", f"{name}-18", "--to", f"{name}-25"]
        month.run("campaign", "create", name, *days)
    closed = month.add_case("2026-08", "8", person="P")
    asked = month.add_case("2026-09", "9", person="P")
    later = month.add_case("2026-10", "10", person="P")
    other = month.add_case("2026-09", "99", person="Q")
    month.run("campaign", "close", "2026-08", "--yes")
    before = len(notices(month))

    done = month.run("stop-order", "add", "9", "--by", "市 収納課", "--yes")
    assert (done.status, done.out) == (0, "stop order: in force; cases stopped: 2\n")
    assert statuses(month) == {closed: "open", asked: "stopped", later: "stopped", other: "open"}
    assert notices(month)[before:] == [("stop_case", asked), ("stop_case", later)]
    assert [(row["references"], row["by"]) for row in in_json(month, "stop-order", "list")] == [
        (["8", "9", "10"], "市 収納課")
    ]

    done = month.run("stop-order", "lift", "10", "--by", "市 収納課", "--yes")
    assert (done.status, done.out) == (0, "stop order: lifted; cases freed: 2\n")
    assert set(statuses(month).values()) == {"open"}
    assert in_json(month, "stop-order", "list") == []
    assert month.run("stop-order", "lift", "9", "--by", "w", "--yes").status == 6


def test_an_emergency_stop_is_kept_with_who_ordered_and_who_lifted_it(month: House) -> None:
    assert month.run("emergency", "stop", "--by", "甲", "--yes").status == 0
    assert month.run("emergency", "lift", "--by", "乙", "--yes").status == 0

    async def work(session: AsyncSession) -> list[tuple[str, str | None]]:
        return [(row.by, row.lifted_by) for row in await session.scalars(select(EmergencyStop))]

    assert month.do(work) == [("甲", "乙")]
    assert notices(month) == [("emergency_stop", None)] * 2


def test_an_operators_token_is_shown_once_and_kept_as_a_hash(month: House) -> None:
    done = month.run("operator", "add", "201", "--name", "試験オペレータ")
    token = done.out.splitlines()[-1]

    async def work(session: AsyncSession) -> str:
        return (await session.get_one(Operator, "201")).token_sha256

    assert month.do(work) == hashlib.sha256(token.encode()).hexdigest()
    assert token.encode() not in (month.folder / "yobirin.db").read_bytes()
    listed = in_json(month, "operator", "list")
    assert listed == [
        {"id": "201", "name": "試験オペレータ", "active": True, "callbacks_only": False}
    ]

    assert month.run("operator", "remove", "201", "--yes").status == 0
    assert in_json(month, "operator", "list")[0]["active"] is False
    assert notices(month) == [("operators", None)] * 2


def test_a_name_with_square_brackets_is_shown_as_it_is(month: House) -> None:
    month.run("operator", "add", "201", "--name", "[red]赤[/red]")
    assert "[red]赤[/red]" in month.run("operator", "list").out


def test_the_list_of_cases_names_no_person_and_a_single_case_does(month: House) -> None:
    month.add_case("2026-09", "202609000001")
    listed = month.run("cases", "list", "--campaign", "2026-09").out
    assert "202609000001" in listed
    shown = month.run("case", "show", "202609000001").out
    for value in PERSON.values():
        assert value not in listed
        assert value in shown
    assert in_json(month, "cases", "list", "--campaign", "2026-09", "--status", "complete") == []
    described = in_json(month, "case", "show", "202609000001")[0]
    assert (described["campaign"], described["phones"][0]["number"]) == ("2026-09", "0258000001")


HEADER = (
    "年月,整理番号,宛名番号,世帯番号,氏名,氏名カナ,生年月日,郵便番号,住所,区分,滞納合計額,期別明細,"
    "最終納付日,電話番号1,電話番号1種別,電話番号2,電話番号2種別,備考,停止フラグ"
)
GOOD = (
    "2026-09,202609000001,1,2,試験　花子,シケン ハナコ,1970/01/02,940-0000,長岡市試験町1番,初期滞納,"
    "12300,2026/3期/12300,,0258-00-0001,固定,,,,"
)
BAD = GOOD.replace("000001,1,2", "000002,3,4").replace("0258-00-0001", "0258-00")


def write_file(house: House, *rows: str) -> str:
    path = house.folder / "city.csv"
    path.write_bytes("".join(f"{row}\r\n" for row in (HEADER, *rows)).encode("cp932"))
    return str(path)


def test_a_file_with_a_fault_is_taken_in_not_at_all_unless_the_supervisor_says_so(
    month: House,
) -> None:
    path = write_file(month, GOOD, BAD)
    arguments = ["cases", "import", path, "--campaign", "2026-09", "--handed-by", "甲"]

    refused = month.run(*arguments)
    assert refused.status == 4
    assert "[fault] 3行目" in refused.out
    assert "電話番号1" in refused.out
    assert "1 of 2 rows have faults" in refused.err
    assert in_json(month, "cases", "list", "--campaign", "2026-09") == []

    taken = month.run(*arguments, "--accept-good")
    assert taken.status == 0
    assert "1 added" in taken.out
    listed = in_json(month, "cases", "list", "--campaign", "2026-09")
    assert [row["reference"] for row in listed] == ["202609000001"]

    again = in_json(month, *arguments, "--accept-good")
    assert (again["added"], again["unchanged"], again["refused"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("findings", "status", "lines"),
    [
        ([Finding("trunk", True, "NOT_INUSE", "")], 0, ["ok    trunk: NOT_INUSE"]),
        (
            [
                Finding("trunk", True, "NOT_INUSE", ""),
                Finding("clock", False, "9.0 s from the database's", "follow a time server"),
            ],
            1,
            [
                "ok    trunk: NOT_INUSE",
                "WRONG clock: 9.0 s from the database's",
                "      → follow a time server",
            ],
        ),
    ],
)
def test_the_doctor_says_what_to_do_and_by_its_status_whether_anything_is(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    findings: list[Finding],
    status: int,
    lines: list[str],
) -> None:
    async def check(*_: object) -> list[Finding]:
        return findings

    monkeypatch.setattr("dialer.doctor.check", check)
    monkeypatch.setattr("dialer.logs.set_up_logs", lambda: None)  # once per process
    done = house.run("doctor")
    assert (done.status, done.out.splitlines()) == (status, lines)
    told = json.loads(house.run("doctor", "--json").out)
    assert [one["ok"] for one in told] == [finding.ok for finding in findings]


SCENARIO = """
scenario: an unanswered call keeps the phone for another band
profile: nagaoka-r8
period: {from: 2026-10-20, to: 2026-10-27}
cases:
  - {id: A, phones: {a1: {number: "0258-00-1234", kind: fixed}}}
steps:
  - {at: "2026-10-20 10:00", attempt: a1, outcome: no_answer, ring: 36}
  - {at: "2026-10-21 10:30", ask: a1, expect: %s}
"""


@pytest.mark.parametrize(
    ("expect", "status", "sums"),
    [
        ("refused, reason: same_band", 0, "2 steps: 2 hold, 0 do not, 0 files are faulty"),
        ("allowed", 1, "2 steps: 1 hold, 1 do not, 0 files are faulty"),
        ("perhaps", 10, "0 steps: 0 hold, 0 do not, 1 files are faulty"),
    ],
)
def test_rules_are_checked_without_any_installation(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    expect: str,
    status: int,
    sums: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "story.yaml").write_text(SCENARIO % expect, encoding="utf-8")
    assert run(["rules", "check", "story.yaml"]) == status
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].endswith(sums)
    if status == 1:
        line = said.out.splitlines()[0]
        assert line.startswith("story.yaml:9: an unanswered call")
        assert "same_band" in line
    assert (said.err != "") == (status == 10)
    assert run(["rules", "check", "--json", "story.yaml"]) == status
    assert json.loads(capsys.readouterr().out)["holds"] is (status == 0)


def test_the_daily_report_goes_where_it_is_told(month: House) -> None:
    where = str(month.folder / "reports")
    done = month.run("report", "daily", "--date", "2026-09-19", "--out", where)
    assert (done.status, done.out) == (0, f"{where}/daily-2026-09-2026-09-19.csv\n")
    assert Path(done.out.strip()).is_file()
    told = in_json(month, "report", "daily", "--date", "2026-09-19", "--out", where)
    assert (told[0]["campaign"], told[0]["sums"]["handled_out"]) == ("2026-09", 0)


def test_asterisks_configuration_is_written_and_secrets_are_made(house: House) -> None:
    (house.folder / "secrets.toml").unlink()
    assert house.run("asterisk", "render", str(house.folder / "conf")).status == 0
    assert (house.folder / "conf" / "extensions.conf").is_file()
    assert (house.folder / "secrets.toml").stat().st_mode & 0o077 == 0

"""The roster file: what it says, and what is wrong with it by line and column."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.campaigns import CampaignState
from dialer.errors import IntakeError
from dialer.months import Month
from dialer.reports.spreadsheet import csv_bytes
from dialer.roster import HEADINGS, MOST_OPERATORS, opening_hours, read_roster, template_rows
from tests.db.town import CALENDAR, PROFILE

HOURS = range(9, 20)
DAY = date(2026, 9, 24)
HEAD = "日付,時,人数\n"


def read(lines: str) -> dict[tuple[date, int], int]:
    operators, faults = read_roster((HEAD + lines).encode(), HOURS)
    assert faults == []
    return operators


def faults_of(lines: str) -> list[str]:
    return [fault.text() for fault in read_roster((HEAD + lines).encode(), HOURS)[1]]


READABLE = [
    # the lines, what they say
    ("2026-09-24,9,3\n", {(DAY, 9): 3}),
    ("2026/9/24,19,0", {(DAY, 19): 0}),
    ("2026年9月24日,09,200\r\n\r\n", {(DAY, 9): 200}),  # an empty line at the end
    ("2026-09-24,１０,５\n", {(DAY, 10): 5}),  # full-width digits, as an input method leaves them
    ('"2026-09-24", 11 ,"2"\n', {(DAY, 11): 2}),
    ("令和8年9月24日,9,1\n2026-09-24,10,2\n", {(DAY, 9): 1, (DAY, 10): 2}),
]


@pytest.mark.parametrize(("lines", "operators"), READABLE)
def test_dates_and_numbers_are_read_as_people_write_them(
    lines: str, operators: dict[tuple[date, int], int]
) -> None:
    assert read(lines) == operators


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_the_encodings_of_spreadsheets_are_read(encoding: str) -> None:
    data = (HEAD + "2026-09-24,9,3\n").encode(encoding)
    assert read_roster(data, HOURS) == ({(DAY, 9): 3}, [])


FAULTY = [
    # the lines, where the fault is
    ("9月24日,9,3\n", ["2行目 日付"]),
    ("2026-09-31,9,3\n", ["2行目 日付"]),
    ("2026-09-24,8,3\n", ["2行目 時"]),  # before opening
    ("2026-09-24,20,3\n", ["2行目 時"]),  # closed
    ("2026-09-24,9:00,3\n", ["2行目 時"]),
    ("2026-09-24,9,201\n", ["2行目 人数"]),
    ("2026-09-24,9,-1\n", ["2行目 人数"]),
    ("2026-09-24,9,2.5\n", ["2行目 人数"]),
    ("2026-09-24,9,\n", ["2行目 人数"]),
    ("2026-09-24,9," + "9" * 5000 + "\n", ["2行目 人数"]),
    ("2026-09-24,9\n", ["2行目"]),
    ("2026-09-24,9,3,4\n", ["2行目"]),
    ('2026-09-24,9,"3\n', ["2行目"]),  # a quotation mark that is not closed
    ("2026-09-24,9,3\n\n2026/9/24,9,4\n", ["4行目 時"]),  # the same hour again
    (
        "x,y,z\n2026-09-24,9,3\n2026-09-24,10,x\n",
        ["2行目 日付", "2行目 時", "2行目 人数", "4行目 人数"],
    ),
]


@pytest.mark.parametrize(("lines", "places"), FAULTY)
def test_every_fault_is_told_by_line_and_column(lines: str, places: list[str]) -> None:
    assert [fault.split(":")[0] for fault in faults_of(lines)] == places


def test_an_hour_named_twice_is_told_with_its_first_line() -> None:
    (fault,) = faults_of("2026-09-24,9,3\n2026-09-24,9,3\n")
    assert "2行目と同じ日時" in fault


USELESS = [
    # a file nothing of which can be used, what it is told
    (b"", "見出し"),
    ("日付,人数,時\n2026-09-24,3,9\n".encode(), "見出し"),
    (b"2026-09-24,9,3\n", "見出し"),
    (HEAD.encode(), "1行もありません"),
    ((HEAD + "\n\n").encode(), "1行もありません"),
    (b"\x81", "文字コード"),
]


@pytest.mark.parametrize(("data", "told"), USELESS)
def test_a_file_of_another_kind_is_refused_as_a_whole(data: bytes, told: str) -> None:
    with pytest.raises(IntakeError, match=told):
        read_roster(data, HOURS)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: (HEAD + text).encode()))
def test_no_file_whatever_breaks_the_reader(data: bytes) -> None:
    try:
        operators, faults = read_roster(data, HOURS)
    except IntakeError:
        return
    assert operators or faults
    for (_day, hour), count in operators.items():
        assert hour in HOURS and 0 <= count <= MOST_OPERATORS


@given(
    st.dictionaries(
        st.tuples(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.sampled_from(HOURS)),
        st.integers(0, MOST_OPERATORS),
        min_size=1,
    )
)
def test_what_a_spreadsheet_writes_is_read_back(roster: dict[tuple[date, int], int]) -> None:
    rows = [HEADINGS, *((day.isoformat(), hour, count) for (day, hour), count in roster.items())]
    assert read_roster(csv_bytes(rows), HOURS) == (roster, [])


def test_the_hours_are_those_of_the_kind_of_day_that_is_open_longest() -> None:
    assert opening_hours(PROFILE.hours) == HOURS
    half = PROFILE.hours.weekday.model_copy(update={"opens": time(8, 30), "closes": time(20, 30)})
    assert opening_hours(PROFILE.hours.model_copy(update={"weekday": half})) == range(8, 21)


def test_the_template_has_every_open_hour_of_every_calling_day_and_is_read_back() -> None:
    month = Month(
        id=1, name="2026-09", state=CampaignState.DRAFT, profile=PROFILE, calendar=CALENDAR
    )
    rows = template_rows(month, 4)
    operators, faults = read_roster(csv_bytes(rows), HOURS)
    assert faults == [] and set(operators.values()) == {4}
    assert {day for day, _ in operators} == set(CALENDAR.calling_days(CALENDAR.period_from))
    assert [hour for day, hour in operators if day == DAY] == list(range(9, 20))  # a Thursday
    assert [hour for day, hour in operators if day == date(2026, 9, 26)] == list(range(9, 17))

"""The roster file: how many operators are at work in each hour, made by the call centre itself.

CSV with the headings 日付, 時, 人数, a line per hour: `2026-09-21,9,5` is five operators from 09:00 to
10:00. An hour without a line on a day that has lines: nobody.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from datetime import date, timedelta

from dialer.errors import IntakeError
from dialer.intake.dates import DateFaultError, parse_date
from dialer.intake.faults import Finding
from dialer.months import Month
from rules.hours import opening_of
from rules.profile import Hours

HEADINGS = ("日付", "時", "人数")
MOST_OPERATORS = 200
_DAY, _HOUR, _COUNT = HEADINGS
_ENCODINGS = ("utf-8-sig", "cp932")

Roster = dict[tuple[date, int], int]
"""Operators by day and hour (of Japan, 0-23)."""


def opening_hours(hours: Hours) -> range:
    """The hours of a day in which there can be calls, on the kind of day that is open longest."""
    spans = (hours.weekday, hours.non_weekday)
    last = max(span.closes for span in spans)
    return range(min(span.opens.hour for span in spans), last.hour + (last.minute > 0))


def read_roster(data: bytes, hours: range) -> tuple[Roster, list[Finding]]:
    """What the file says, and everything that is wrong with it.

    Args:
        hours: those that may be named, see `opening_hours`.

    Raises:
        IntakeError: nothing of it can be used: another encoding or other headings, or no line.
    """
    # not splitlines(), which sees line ends where no editor does
    lines = re.split("\r\n|\r|\n", _decoded(data))
    if _cells(lines[0]) != list(HEADINGS):
        raise IntakeError(f"1行目の見出しを「{','.join(HEADINGS)}」にしてください")
    reader = _Reader(hours)
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            reader.read(number, line)
    if not reader.roster and not reader.faults:
        raise IntakeError("見出しの行だけで、人数が1行もありません")
    return reader.roster, reader.faults


def template_rows(month: Month, operators: int) -> list[tuple[str | int, ...]]:
    """A roster of the campaign's calling days with the same number of operators in every open hour."""
    calendar = month.calendar
    rows: list[tuple[str | int, ...]] = [HEADINGS]
    for day in calendar.calling_days(calendar.period_from):
        opening = opening_of(day, calendar, month.profile)
        hour = opening.opens.replace(minute=0)
        while hour < opening.closes:
            rows.append((day.isoformat(), hour.hour, operators))
            hour += timedelta(hours=1)
    return rows


def _decoded(data: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise IntakeError("文字コードが読めません。UTF-8またはCP932で保存してください")


def _cells(line: str) -> list[str]:
    try:
        cells = next(csv.reader((line,), strict=True))
    except csv.Error:
        return []
    return [unicodedata.normalize("NFKC", cell).strip() for cell in cells]


class _Reader:
    def __init__(self, hours: range) -> None:
        self._hours = hours
        self._lines: dict[tuple[date, int], int] = {}
        self.roster: Roster = {}
        self.faults: list[Finding] = []

    def read(self, number: int, line: str) -> None:
        """Take one line, or note what is wrong with it: every column, not the first alone."""
        cells = _cells(line)
        if len(cells) != len(HEADINGS):
            self._fault(number, None, f"「{','.join(HEADINGS)}」の3項目にしてください")
            return
        day = self._day(number, cells[0])
        hour = self._whole(number, _HOUR, cells[1], self._hours)
        count = self._whole(number, _COUNT, cells[2], range(MOST_OPERATORS + 1))
        if day is None or hour is None or count is None:
            return
        earlier = self._lines.setdefault((day, hour), number)
        if earlier != number:
            self._fault(number, _HOUR, f"{earlier}行目と同じ日時です。1行にまとめてください")
            return
        self.roster[day, hour] = count

    def _day(self, number: int, text: str) -> date | None:
        try:
            return parse_date(text)
        except DateFaultError as error:
            self._fault(number, _DAY, str(error))
            return None

    def _whole(self, number: int, column: str, text: str, allowed: range) -> int | None:
        # five digits: int() of a text of millions would take minutes
        if text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) in allowed:
            return int(text)
        message = f"{allowed.start}から{allowed.stop - 1}までの整数を入力してください"
        self._fault(number, column, message)
        return None

    def _fault(self, number: int, column: str | None, message: str) -> None:
        self.faults.append(Finding(line=number, column=column, reference=None, message=message))

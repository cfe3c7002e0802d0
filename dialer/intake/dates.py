"""Dates of the city's file: with the year of the common era or of a Japanese era."""

from __future__ import annotations

import re
from datetime import date

_COMMON = re.compile(
    r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})|(\d{4})(\d{2})(\d{2})|(\d{4})年(\d{1,2})月(\d{1,2})日",
    re.ASCII,
)
_ERA = re.compile(
    r"(明治|大正|昭和|平成|令和|[明大昭平令MTSHR])(元|\d{1,2})"
    r"(?:年(\d{1,2})月(\d{1,2})日|([-/.])(\d{1,2})\5(\d{1,2}))",
    re.ASCII,
)
_ERAS = {
    "明": (date(1868, 10, 23), date(1912, 7, 29)),
    "大": (date(1912, 7, 30), date(1926, 12, 24)),
    "昭": (date(1926, 12, 25), date(1989, 1, 7)),
    "平": (date(1989, 1, 8), date(2019, 4, 30)),
    "令": (date(2019, 5, 1), date.max),
}
_LETTERS = {"M": "明", "T": "大", "S": "昭", "H": "平", "R": "令"}


class DateFaultError(Exception):
    """The text is no date. The message is Japanese, says what to do and names no part of the value."""


def parse_date(text: str) -> date:
    """Read a date as 1986/10/26, 1986-10-26, 19861026, 1986年10月26日, 昭和61年10月26日 or S61.10.26.

    Raises:
        DateFaultError: another form, or a day that never was (also within its era).
    """
    if match := _COMMON.fullmatch(text):
        year, month, day = (int(part) for part in match.groups() if part and part.isdecimal())
        return _date(year, month, day)
    if match := _ERA.fullmatch(text):
        return _era_date(match)
    raise DateFaultError(
        "日付として読めません。1986/10/26または昭和61年10月26日の形で入力してください"
    )


def _era_date(match: re.Match[str]) -> date:
    name, year_text, *rest = match.groups()
    month, day = (int(part) for part in rest if part and part.isdecimal())
    begins, ends = _ERAS[_LETTERS.get(name[0], name[0])]
    year = begins.year - 1 + (1 if year_text == "元" else int(year_text))
    found = _date(year, month, day)
    if not begins <= found <= ends:
        raise DateFaultError("その元号にない日付です。元号と年を確かめてください")
    return found


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise DateFaultError("暦にない日付です。年月日を確かめてください") from None

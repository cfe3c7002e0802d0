"""How days, moments and where things stand are written in what Japanese users read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from rules.calendar import JST
from rules.case import CaseStatus, PhoneKind, PhoneStatus

PHONE_KINDS: Mapping[PhoneKind, str] = MappingProxyType(
    {PhoneKind.FIXED: "固定", PhoneKind.MOBILE: "携帯", PhoneKind.IP: "IP"}
)
PHONE_STATUS: Mapping[PhoneStatus, str] = MappingProxyType(
    {PhoneStatus.OPEN: "継続", PhoneStatus.CLOSED: "終了"}
)
CASE_STATUS: Mapping[CaseStatus, str] = MappingProxyType(
    {
        CaseStatus.OPEN: "架電中",
        CaseStatus.COMPLETE: "完了",
        CaseStatus.ESCALATED: "市の判断待ち",
        CaseStatus.STOPPED: "架電停止",
        CaseStatus.PAID: "納付確認",
    }
)

_WEEKDAYS = "月火水木金土日"


def weekday(day: date) -> str:
    """The day of the week, one character."""
    return _WEEKDAYS[day.weekday()]


def day_words(day: date) -> str:
    """`10月24日(土)`."""
    return f"{day.month}月{day.day}日({weekday(day)})"


def clock_words(moment: datetime) -> str:
    """`14:05`, Japan time; with seconds only where there are some."""
    local = moment.astimezone(JST)
    return local.strftime("%H:%M:%S" if local.second else "%H:%M")


def moment_words(moment: datetime) -> str:
    """`10月24日(土) 14:05`, Japan time."""
    return f"{day_words(moment.astimezone(JST).date())} {clock_words(moment)}"

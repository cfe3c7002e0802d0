"""Lists the city receives: its escalations (§8(3)キ) and the appointments (§8(5)エ), without persons, and
the phone numbers learned in calls (§8(4))."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import phonenumbers

from dialer.appointments import Appointment, Standing
from dialer.escalations import Escalated
from rules.calendar import JST
from rules.case import Decision, EscalationCause, PhoneKind
from rules.wording import CASE_STATUS, PHONE_KINDS

ESCALATION_HEADER = (
    "整理番号", "案件の状態", "発生日時", "理由", "起票者", "指定時間", "判断", "判断日時", "判断者",
)  # fmt: skip
APPOINTMENT_HEADER = ("整理番号", "案件の状態", "指定時間", "電話", "状況")
LEARNED_HEADER = ("整理番号", "種別", "電話番号")

Row = tuple[object, ...]

_CAUSES = {
    EscalationCause.REFUSAL: "対話拒否による完了の承認待ち §8(4)ウ",
    EscalationCause.LAST_APPOINTMENT: "架電回数を終え、伺った時間に架電できない §8(5)エ",
    EscalationCause.EXTRA_APPOINTMENT: "指定時間の架電で再び時間を伺った §8(5)エ",
    EscalationCause.EARLY_APPOINTMENT: "伺った時間が架電できる期間・時間の外 §8(5)エ",
}
_DECISIONS = {
    Decision.RESUME: "架電再開",
    Decision.STOP: "架電停止",
    Decision.CLOSE: "終了",
}
_STANDINGS = {
    Standing.MISSED: "時間を過ぎ、未架電",
    Standing.DUE: "時間になり、架電する",
    Standing.PENDING: "予定",
    Standing.LATE: "時間を過ぎてから架電した",
    Standing.NOTED: "架電できない時間のため記録のみ",
}


def escalation_rows(found: Iterable[Escalated]) -> list[Row]:
    """As `ESCALATION_HEADER`."""
    return [
        (
            one.reference,
            CASE_STATUS[one.case_status],
            _moment(one.since),
            why(one),
            one.raised_by,
            _moment(one.appointment),
            answer(one),
            _moment(one.ended_at),
            one.decided_by,
        )
        for one in found
    ]


def appointment_rows(found: Iterable[Appointment]) -> list[Row]:
    """As `APPOINTMENT_HEADER`."""
    return [
        (
            one.reference,
            CASE_STATUS[one.case_status],
            _moment(one.at),
            one.phone,
            _STANDINGS[one.standing],
        )
        for one in found
    ]


def learned_rows(found: Iterable[tuple[str, PhoneKind, str]]) -> list[Row]:
    """As `LEARNED_HEADER`; with hyphens, so that no spreadsheet takes the number's first 0 away."""
    return [(reference, PHONE_KINDS[kind], _hyphens(number)) for reference, kind, number in found]


def why(one: Escalated) -> str:
    """Why the case is the city's to decide, in Japanese."""
    return one.criterion or _CAUSES[one.cause]


def answer(one: Escalated) -> str:
    """What came of it, in Japanese."""
    if one.decision is not None:
        return _DECISIONS[one.decision]
    return "判断待ち" if one.ended_at is None else "案件が終了"


def _hyphens(number: str) -> str:
    parsed = phonenumbers.parse(number, "JP")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(JST):%Y-%m-%d %H:%M}"

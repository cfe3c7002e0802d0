"""The daily report (§10(1)): calls handled out and in, their outcomes, contacts. Due by 12:00 the next day.

Rows of the database → sums of the rules → lines in Japanese → a CSV file. No person is in it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from db import callback_rows, cases, report_rows
from db.callback_rows import CallbackRow
from db.callback_wishes import DONE
from db.report_rows import CallMade
from dialer.months import Month
from dialer.reports.spreadsheet import csv_bytes, write_whole
from rules.calendar import JST
from rules.callback_end import CameTo
from rules.case import Result
from rules.history import state_of
from rules.outcome import is_contact
from rules.profile import Profile
from rules.report import DailyReport, Handled, daily_report

HEADER = ("区分", "項目", "値")


CAME_TO = {
    CameTo.TALKED: "オペレータが対応",
    CameTo.GAVE_UP: "応答前に切断",
    CameTo.GUIDANCE: "時間外などの案内",
    CameTo.MESSAGE: "伝言を録音",
    CameTo.ASKED_BACK: "折り返しの希望を受付",
    CameTo.LIVE: "通話の途中",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """The day's callers, of the whole centre: before identification a caller is of no campaign."""

    came_to: dict[CameTo, int]
    without_case: int
    """Talked with, and closed without a case."""
    unrecorded: int
    """Talked with, and not recorded yet what came of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Daily:
    """One campaign's day."""

    day: date
    sums: DailyReport
    unrecorded: int
    """Calls whose result is not recorded yet; they are in no sum."""
    incoming: Incoming


async def daily_of(session: AsyncSession, month: Month, day: date) -> Daily:
    """Sum up a day (midnight to midnight, Japan time) of a campaign."""
    start = datetime.combine(day, time(), JST)
    end = start + timedelta(days=1)
    profile = month.profile.on(day)
    made = await report_rows.calls_between(session, month.id, start, end)
    callers = await callback_rows.between(session, start, end)
    counted = await _counted(session, month, {call.case_id for call in made})
    handled = [
        _handled(
            call.case_id,
            call.result,
            profile,
            counted=(call.phone_id, call.placed_at) in counted,
        )
        for call in made
        if call.result is not None
    ] + [
        _handled(caller.case_id, caller.result, profile, incoming=True)
        for caller in callers
        if caller.campaign_id == month.id
        and caller.case_id is not None
        and caller.result is not None
    ]
    return Daily(
        day=day,
        sums=daily_report(handled),
        unrecorded=_unrecorded(made),
        incoming=_incoming(callers),
    )


def write_daily(daily: Daily, month: Month, directory: Path) -> Path:
    """Write a day's report and return its path; an earlier one of the day is replaced.

    Raises:
        ReportError: the file cannot be written.
    """
    path = directory / f"daily-{month.name}-{daily.day.isoformat()}.csv"
    write_whole(path, csv_bytes(lines_of(daily, month)))
    return path


def lines_of(daily: Daily, month: Month) -> list[tuple[object, ...]]:
    """The lines of the report; every outcome of the profile has one, also with nothing in it."""
    sums = daily.sums
    kind = "平日以外" if month.calendar.is_non_weekday(daily.day) else "平日"
    return [
        HEADER,
        ("対象", "実施月", month.name),
        ("対象", "実施日", daily.day.isoformat()),
        ("対象", "曜日区分", kind),
        ("電話対応件数", "発信", sums.handled_out),
        ("電話対応件数", "着信(折り返し)", sums.handled_in),
        ("電話対応件数", "合計", sums.handled_out + sums.handled_in),
        ("電話対応件数", "うち架電回数に数えるもの", sums.counted),
        ("電話対応件数", "結果未入力", daily.unrecorded),
        *_incoming_lines(daily.incoming),
        *(
            ("対応結果別件数", _label(rule.label, rule.clause), sums.by_outcome.get(code, 0))
            for code, rule in month.profile.on(daily.day).outcomes.items()
        ),
        ("接触結果", "接触した通話", sums.contacts),
        ("接触結果", "架電した案件", sums.cases_called),
        ("接触結果", "接触した案件", sums.cases_contacted),
        ("接触結果", "接触率(案件)", _percent(sums.contact_rate)),
        ("接触結果", "接触率(架電)", _percent(sums.contact_rate_per_attempt)),
    ]


async def _counted(
    session: AsyncSession, month: Month, case_ids: set[int]
) -> set[tuple[object, datetime]]:
    """Phone and moment of every counted attempt of these cases: whether one counts depends on the
    others of its day."""
    found: set[tuple[object, datetime]] = set()
    left = iter(sorted(case_ids))
    while batch := list(islice(left, cases.BATCH)):
        for known in (await cases.histories(session, batch)).values():
            state = state_of(known.case, known.facts, month.profile, month.calendar)
            found |= {(one.id, at) for one in state.phones.values() for at in one.counted}
    return found


def _handled(
    case_id: int,
    result: Result,
    profile: Profile,
    *,
    counted: bool = False,
    incoming: bool = False,
) -> Handled:
    return Handled(
        case=case_id,
        outcome=result.outcome,
        counted=counted,
        contact=is_contact(profile.outcomes[result.outcome], result),
        incoming=incoming,
    )


def _incoming(callers: list[CallbackRow]) -> Incoming:
    return Incoming(
        came_to=dict(Counter(caller.came_to for caller in callers)),
        without_case=sum(caller.closed not in (None, DONE) for caller in callers),
        unrecorded=sum(caller.unrecorded for caller in callers),
    )


def _incoming_lines(incoming: Incoming) -> list[tuple[object, ...]]:
    kind = "着信(センター全体)"
    return [
        (kind, "総数", sum(incoming.came_to.values())),
        *((kind, words, incoming.came_to.get(end, 0)) for end, words in CAME_TO.items()),
        (kind, "うち案件なしで終了", incoming.without_case),
        (kind, "うち結果未入力", incoming.unrecorded),
    ]


def _unrecorded(made: list[CallMade]) -> int:
    return sum(call.result is None for call in made)


def _label(label: str, clause: str | None) -> str:
    return f"{label} §{clause}" if clause else label


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"

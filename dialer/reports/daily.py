"""The daily report (§10(1)): calls handled, their outcomes, contacts. Due by 12:00 the next day.

Rows of the database → sums of the rules → lines in Japanese → a CSV file. No person is in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from db import cases, report_rows
from db.report_rows import CallMade
from dialer.months import Month
from dialer.reports.spreadsheet import csv_bytes, write_whole
from rules.calendar import JST
from rules.history import state_of
from rules.outcome import is_contact
from rules.report import DailyReport, Handled, daily_report

HEADER = ("区分", "項目", "値")


@dataclass(frozen=True, kw_only=True, slots=True)
class Daily:
    """One campaign's day."""

    day: date
    sums: DailyReport
    unrecorded: int
    """Calls whose result is not recorded yet; they are in no sum."""


async def daily_of(session: AsyncSession, month: Month, day: date) -> Daily:
    """Sum up a day (midnight to midnight, Japan time) of a campaign."""
    start = datetime.combine(day, time(), JST)
    profile = month.profile.on(day)
    made = await report_rows.calls_between(session, month.id, start, start + timedelta(days=1))
    counted = await _counted(session, month, {call.case_id for call in made})
    handled = [
        Handled(
            case=call.case_id,
            outcome=call.result.outcome,
            counted=(call.phone_id, call.placed_at) in counted,
            contact=is_contact(profile.outcomes[call.result.outcome], call.result),
        )
        for call in made
        if call.result is not None
    ]
    return Daily(day=day, sums=daily_report(handled), unrecorded=_unrecorded(made))


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


def _unrecorded(made: list[CallMade]) -> int:
    return sum(call.result is None for call in made)


def _label(label: str, clause: str | None) -> str:
    return f"{label} §{clause}" if clause else label


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"

"""The evidence of cases as the city receives it: what happened, and what follows for each phone.

Reference numbers only: no name, no number, no address, nothing of what was said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from db import cases, evidence
from db.cases import FactKind
from db.evidence import CaseOnRecord, HouseholdCall, PhoneOnRecord
from db.results import BY_LINE
from db.tables import CaseRow
from dialer.evidence import (
    AttemptLine,
    CallbackLine,
    CallerLine,
    CaseEvidence,
    Kept,
    Line,
    PhoneConclusion,
    Weekend,
    WordLine,
    evidence_of,
)
from dialer.months import Month
from dialer.reports.spreadsheet import csv_bytes, write_whole
from rules.calendar import JST
from rules.case import CaseStatus, PhoneStatus, Result
from rules.history import ATTEMPTS_CLAUSE
from rules.outcome import OutcomeRule
from rules.reasons import SENTENCES
from rules.wording import CASE_STATUS, PHONE_KINDS, PHONE_STATUS, moment_words, weekday

COURSE_HEADER = (
    "整理番号", "区分", "日付", "時刻", "曜日", "日の区分", "時間帯", "電話", "電話の種別",
    "呼出秒数", "結果", "結果コード", "条項", "架電回数", "接触", "指定時間", "規則", "担当者",
    "記録日時", "記録者", "備考",
)  # fmt: skip
"""What happened: a row per attempt, callback, correction and word of the city."""
CONCLUSION_HEADER = (
    "整理番号", "案件の状態", "条項", "理由", "電話", "電話の種別", "電話の状態", "発信数",
    "架電回数", "架電日時", "別の日", "別の時間帯", "平日以外",
)  # fmt: skip
"""What follows: a row per phone."""

Row = tuple[object, ...]

WORDS = {
    FactKind.STOP: ("架電停止の指示", "§8(3)ク"),
    FactKind.UNSTOP: ("架電停止の解除", "§8(3)ク"),
    FactKind.PAID: ("納付の確認", ""),
    FactKind.ESCALATE: ("エスカレーション", "§8(3)キ"),
    FactKind.RESUME: ("市の判断・再開", "§8(3)キ"),
    FactKind.STOP_DECIDED: ("市の判断・停止", "§8(3)キ"),
    FactKind.CLOSE: ("市の判断・終了", "§8(3)キ"),
}
_KEPT = {Kept.YES: "適合", Kept.APPOINTMENT: "対象外(指定時間の架電)", Kept.NO: "不適合"}
_WEEKEND = {
    Weekend.MET: "実施",
    Weekend.OPEN: "未実施(架電回数が残っている)",
    Weekend.ENDED_BEFORE: "対象外(架電回数に満たず終了)",
    Weekend.UNMET_NO_DAY: "未達(期間内に架電できる平日以外の日が残っていなかった)",
    Weekend.UNMET_APPOINTMENT: "未達(最後の架電が指定時間によるもの)",
    Weekend.UNMET: "未達(平日以外の日を待たずに架電)",
}


async def case_evidence(session: AsyncSession, row: CaseRow, month: Month) -> CaseEvidence:
    """The evidence of one case."""
    [case] = await evidence.on_record(session, [row.id])
    calls = await evidence.household_calls(session, case)
    return evidence_of(case, calls, month, await evidence.excluded_days(session, month.id))


async def campaign_evidence(session: AsyncSession, month: Month) -> AsyncIterator[CaseEvidence]:
    """The evidence of every case of a campaign, in order of the cases' ids."""
    ordered = await evidence.excluded_days(session, month.id)
    shared = _Shared(await evidence.calls_meanwhile(session, month.id))
    left = iter(await cases.ids(session, month.id))
    while batch := list(islice(left, cases.BATCH)):
        for case in await evidence.on_record(session, batch):
            yield evidence_of(case, shared.with_others(case), month, ordered)


def write_campaign(found: Sequence[CaseEvidence], month: Month, directory: Path) -> list[Path]:
    """Write what happened and what follows, a file each; returns their paths.

    Raises:
        ReportError: a file cannot be written.
    """
    course = [row for one in found for row in course_rows(one, month)]
    conclusions = [row for one in found for row in conclusion_rows(one, month)]
    tables = {
        directory / f"evidence-{month.name}-course.csv": [COURSE_HEADER, *course],
        directory / f"evidence-{month.name}-conclusions.csv": [CONCLUSION_HEADER, *conclusions],
    }
    for path, rows in tables.items():
        write_whole(path, csv_bytes(rows))
    return list(tables)


def write_case(found: CaseEvidence, month: Month, path: Path) -> None:
    """Write one case into one file: what happened, an empty line, what follows.

    Raises:
        ReportError: the file cannot be written.
    """
    course, conclusions = course_rows(found, month), conclusion_rows(found, month)
    rows = [COURSE_HEADER, *course, (), CONCLUSION_HEADER, *conclusions]
    write_whole(path, csv_bytes(rows))


def course_rows(found: CaseEvidence, month: Month) -> list[Row]:
    """What happened to a case, in order of time; as `COURSE_HEADER`."""
    written = _Written(found.reference, month)
    rows = [row for line in found.lines for row in written.rows(line)]
    return [row for _at, row in sorted(rows, key=lambda row: row[0])]


def conclusion_rows(found: CaseEvidence, month: Month) -> list[Row]:
    """What follows for the phones of a case; as `CONCLUSION_HEADER`."""
    written = _Written(found.reference, month)
    case = (
        found.reference,
        CASE_STATUS[found.status],
        f"§8(4){found.clause}" if found.clause else "",
        written.why(found),
    )
    if not found.phones:
        return [(*case, *[""] * (len(CONCLUSION_HEADER) - len(case)))]
    return [(*case, *written.conclusion(phone)) for phone in found.phones]


class _Shared:
    """Calls by household and by number, for rule 10."""

    def __init__(self, calls: Sequence[HouseholdCall]) -> None:
        self._by_household: dict[str, list[HouseholdCall]] = defaultdict(list)
        self._by_number: dict[str, list[HouseholdCall]] = defaultdict(list)
        for call in calls:
            self._by_household[call.household_key].append(call)
            self._by_number[call.number_key].append(call)

    def with_others(self, case: CaseOnRecord) -> list[HouseholdCall]:
        """Calls to other cases that share the household or a number."""
        found = list(self._by_household.get(case.household_key, ()))
        for phone in case.phones:
            found += self._by_number.get(phone.number_key, ())
        return [call for call in found if call.case_id != case.id]


class _Written:
    """The lines of one case in words."""

    def __init__(self, reference: str, month: Month) -> None:
        self._reference = reference
        self._month = month

    def rows(self, line: Line) -> Iterator[tuple[datetime, Row]]:
        """The rows of a line, each with its moment."""
        match line:
            case AttemptLine():
                yield line.at, self._attempt(line)
                yield from self._corrections(line, line.phone)
            case CallbackLine():
                yield line.at, self._callback(line)
                yield from self._corrections(line, None)
            case CallerLine():
                label = "折り返しの希望" if line.asked else "つながらなかった着信"
                yield (
                    line.at,
                    self._row("折り返し", line.at, **self._phone(line.phone), 結果=label),
                )
            case WordLine():
                label, clause = WORDS[line.kind]
                told = {"結果": label, "条項": clause, "記録日時": line.at, "記録者": line.by}
                yield line.at, self._row("市の指示", line.at, **told)

    def _attempt(self, line: AttemptLine) -> Row:
        return self._row(
            "架電",
            line.at,
            **self._phone(line.phone),
            **self._result(line.at, line.result),
            時間帯=line.band or "時間帯外",
            呼出秒数=line.ring_s,
            架電回数=line.ordinal,
            接触="接触" if line.contact else "",
            規則="、".join(SENTENCES[reason] for reason in line.refusals) or "適合",
            担当者=line.operator_id,
            記録日時=line.recorded_at,
            記録者=_recorder(line.recorded_by),
            備考="指定時間の架電" if line.at_appointment else "",
        )

    def _callback(self, line: CallbackLine) -> Row:
        cells = self._result(line.at, line.result)
        if own_clause := self._rule(line.at, line.result).callback_clause:
            cells["条項"] = f"§8(4){own_clause}"
        return self._row(
            "折り返し",
            line.at,
            **cells,
            接触="接触" if line.contact else "",
            記録日時=line.at,
            記録者=_recorder(line.recorded_by),
        )

    def _corrections(
        self, line: AttemptLine | CallbackLine, phone: PhoneOnRecord | None
    ) -> Iterator[tuple[datetime, Row]]:
        for made in line.corrections:
            old = self._rule(line.at, made.old).label
            yield (
                made.at,
                self._row(
                    "訂正",
                    made.at,
                    **self._phone(phone),
                    **self._result(line.at, made.new),
                    記録日時=made.at,
                    記録者=_recorder(made.by),
                    備考=f"{moment_words(line.at)}の結果「{old}」を訂正",
                ),
            )

    def _row(self, kind: str, at: datetime, **cells: object) -> Row:
        local = at.astimezone(JST)
        known = {
            "整理番号": self._reference,
            "区分": kind,
            "日付": local.date().isoformat(),
            "時刻": local.strftime("%H:%M:%S"),
            "曜日": weekday(local.date()),
            "日の区分": self._kind_of(local.date()),
            **cells,
        }
        return tuple(_cell(known.get(name)) for name in COURSE_HEADER)

    def _kind_of(self, day: date) -> str:
        if day in self._month.calendar.holidays:
            return "祝日"
        return "土日" if self._month.calendar.is_non_weekday(day) else "平日"

    def _phone(self, phone: PhoneOnRecord | None) -> dict[str, object]:
        return {} if phone is None else {"電話": phone.position, "電話の種別": _kind(phone)}

    def _result(self, at: datetime, result: Result | None) -> dict[str, object]:
        if result is None:
            return {"結果": "結果未入力"}
        rule = self._rule(at, result)
        return {
            "結果": rule.label,
            "結果コード": result.outcome,
            "条項": f"§{rule.clause}" if rule.clause else "",
            "指定時間": result.appointment,
        }

    def _rule(self, at: datetime, result: Result) -> OutcomeRule:
        profile = self._month.profile.on(at.astimezone(JST).date())
        return profile.outcomes[result.outcome]

    def conclusion(self, found: PhoneConclusion) -> Row:
        """What follows for a phone, as the end of `CONCLUSION_HEADER`."""
        return (
            found.phone.position,
            _kind(found.phone),
            PHONE_STATUS[found.status],
            found.placed,
            len(found.counted),
            "、".join(self._when(line) for line in found.counted),
            _KEPT[found.days_differ],
            _KEPT[found.bands_differ],
            _WEEKEND[found.weekend],
        )

    def _when(self, line: AttemptLine) -> str:
        kind = self._kind_of(line.at.astimezone(JST).date())
        return f"{moment_words(line.at)} {line.band or '時間帯外'} {kind}"

    def why(self, found: CaseEvidence) -> str:
        """What brought the case to where it stands."""
        still_open = [one for one in found.phones if one.status is PhoneStatus.OPEN]
        left = "、".join(f"電話{one.phone.position}" for one in still_open)
        match found.ended_by:
            case None if found.status is CaseStatus.OPEN:
                return "架電を続ける"
            case None:
                return "契約内容の変更による"
            case AttemptLine() as line:
                what = self._what(line.at, line.result, f"電話{line.phone.position}への架電")
            case CallbackLine() as line:
                what = self._what(line.at, line.result, "折り返し")
            case CallerLine() as line:
                what = f"{moment_words(line.at)} 電話{line.phone.position}からの着信"
            case WordLine() as line:
                return f"{moment_words(line.at)} {WORDS[line.kind][0]}"
        if found.clause == ATTEMPTS_CLAUSE:
            return f"終了していない番号({left})の架電回数を終えた(最後は{what})"
        return what

    def _what(self, at: datetime, result: Result | None, call: str) -> str:
        label = self._rule(at, result).label if result else "結果未入力"
        return f"{moment_words(at)} {call}「{label}」"


def _kind(phone: PhoneOnRecord) -> str:
    return PHONE_KINDS[phone.kind] + ("(聞き取り)" if phone.learned else "")


def _recorder(by: str | None) -> str:
    return "回線" if by == BY_LINE else by or ""


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(JST).strftime("%Y-%m-%d %H:%M:%S")
    return f"{value:.1f}" if isinstance(value, float) else value

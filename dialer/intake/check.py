"""From rows of text to cases, or to what is wrong with them and what to do."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from dialer.intake.dates import DateFaultError, parse_date
from dialer.intake.faults import Finding, Severity
from dialer.intake.numbers import NumberFaultError, kind_of, parse_number
from dialer.intake.reader import Row, Sheet
from rules.case import PhoneKind
from rules.layout import IntakeLayout, Item

_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,31}")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_POSTAL = re.compile(r"[0-9]{3}-?[0-9]{4}")
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""A spreadsheet takes what begins so for a formula; the values go out again in reports."""
_MAX_DIGITS = 12


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class CaseIn:
    """One case of the file, checked. No repr: it is personal."""

    line: int
    reference: str
    person_number: str
    household_number: str
    name: str
    kana: str
    birth_date: str
    """ISO, or empty."""
    postal_code: str
    address: str
    category: str
    amount_yen: str
    """Digits without leading zeros."""
    instalments: str
    last_paid: str | None
    """ISO."""
    note: str
    phones: tuple[tuple[str, PhoneKind], ...]
    """Digits with the trunk 0, and kind; one or two."""
    stop: bool

    def same_as(self, other: CaseIn) -> bool:
        """The same content, wherever it stands in the file."""
        names = (name for name in CaseIn.__slots__ if name != "line")
        return all(getattr(self, name) == getattr(other, name) for name in names)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """The cases that can be taken in, and everything found."""

    rows: int
    """Rows of the file, without the header."""
    cases: list[CaseIn]
    findings: list[Finding]
    refused: int
    """Rows that cannot be taken in."""


def check(sheet: Sheet[Item], layout: IntakeLayout, month: str, today: date) -> Checked:
    """Check all rows, each by itself and against the others.

    Args:
        month: the campaign's, as YYYY-MM.
        today: dates after it have not happened yet.
    """
    findings = list(sheet.faults)
    cases: list[CaseIn] = []
    for line, row in sheet.rows:
        checker = _RowChecker(line, row, layout, month, today)
        case = checker.case()
        findings += checker.findings
        if case is not None:
            cases.append(case)
    cases, doubled = _without_doubled(cases, layout)
    findings += doubled
    findings += _shared(cases, layout)
    findings.sort(key=lambda finding: finding.line)
    refused = {finding.line for finding in findings if finding.severity is Severity.FAULT}
    unread = {fault.line for fault in sheet.faults}
    return Checked(
        rows=len(sheet.rows) + len(unread), cases=cases, findings=findings, refused=len(refused)
    )


class _FaultError(Exception):
    """What is wrong with one item, in Japanese."""


class _RowChecker:
    def __init__(self, line: int, row: Row, layout: IntakeLayout, month: str, today: date) -> None:
        self._line = line
        self._row = row
        self._layout = layout
        self._month = month
        self._today = today
        self.findings: list[Finding] = []

    def case(self) -> CaseIn | None:
        """The case, or None if the row has a fault; all of them are in `findings`."""
        case = CaseIn(
            line=self._line,
            reference=self._item(Item.REFERENCE, _code),
            person_number=self._item(Item.PERSON_NUMBER, _code),
            household_number=self._item(Item.HOUSEHOLD_NUMBER, _code),
            name=self._item(Item.NAME, _text),
            kana=self._item(Item.KANA, _text),
            birth_date=self._item(Item.BIRTH_DATE, self._past_day),
            postal_code=self._item(Item.POSTAL_CODE, _postal_code),
            address=self._item(Item.ADDRESS, _text),
            category=self._item(Item.CATEGORY, self._category),
            amount_yen=self._item(Item.AMOUNT, self._amount),
            instalments=self._item(Item.INSTALMENTS, _text),
            last_paid=self._item(Item.LAST_PAID, self._past_day) or None,
            note=self._item(Item.NOTE, _text),
            phones=self._phones(),
            stop=self._item(Item.STOP, self._stop) != "",
        )
        self._item(Item.MONTH, self._of_this_month)
        faults = (f for f in self.findings if f.severity is Severity.FAULT)
        return None if next(faults, None) else case

    def _item(self, item: Item, read: Callable[[str], str]) -> str:
        """The item as read; empty if it is empty or has a fault."""
        text = self._row[item]
        if not text:
            if item in self._layout.required:
                self._found(item, "空です。必ず入力してください")
            return ""
        try:
            return read(text)
        except _FaultError as fault:
            self._found(item, str(fault))
            return ""

    def _found(self, item: Item, message: str, severity: Severity = Severity.FAULT) -> None:
        reference = self._row[Item.REFERENCE]
        self.findings.append(
            Finding(
                line=self._line,
                column=self._layout.columns[item],
                reference=reference if _CODE.fullmatch(reference) else None,
                message=message,
                severity=severity,
            )
        )

    def _past_day(self, text: str) -> str:
        try:
            day = parse_date(text)
        except DateFaultError as fault:
            raise _FaultError(str(fault)) from None
        if day > self._today:
            raise _FaultError("先の日付です。年月日を確かめてください")
        return day.isoformat()

    def _of_this_month(self, text: str) -> str:
        if not _MONTH.fullmatch(text):
            raise _FaultError("年月として読めません。2026-09の形で入力してください")
        if text != self._month:
            raise _FaultError(
                f"{self._month}の案件ではありません。正しい月のファイルか確かめてください"
            )
        return text

    def _category(self, text: str) -> str:
        if text not in self._layout.categories:
            raise _FaultError(
                f"決められていない区分です。次のどれかにしてください: {'、'.join(self._layout.categories)}"
            )
        return text

    def _amount(self, text: str) -> str:
        digits = text
        if self._layout.full_width_amounts:
            digits = unicodedata.normalize("NFKC", text).replace(",", "")
        if re.fullmatch(r"[-−－▲△][0-9]+", digits):
            raise _FaultError("負の金額です。金額を確かめてください")
        if not re.fullmatch(r"[0-9]+", digits):
            raise _FaultError(
                "金額として読めません。半角の数字だけで、桁区切りを付けずに入力してください"
            )
        if len(digits) > _MAX_DIGITS:
            raise _FaultError("金額の桁が多すぎます。金額を確かめてください")
        return str(int(digits))

    def _stop(self, text: str) -> str:
        if text not in self._layout.stop_marks:
            marks = "、".join(self._layout.stop_marks)
            raise _FaultError(f"停止する場合は{marks}、しない場合は空にしてください")
        return text

    def _phones(self) -> tuple[tuple[str, PhoneKind], ...]:
        phones: dict[str, PhoneKind] = {}
        for item, kind_item in (
            (Item.PHONE_1, Item.PHONE_1_KIND),
            (Item.PHONE_2, Item.PHONE_2_KIND),
        ):
            digits = self._item(item, _number)
            if not digits:
                continue
            if digits in phones:
                self._found(
                    item, "電話番号1と同じ番号です。1つの番号として扱います", Severity.WARNING
                )
            phones[digits] = kind_of(digits)
            self._check_kind(kind_item, phones[digits])
        if not self._row[Item.PHONE_1] and not self._row[Item.PHONE_2]:
            self._found(
                Item.PHONE_1, "電話番号が1つもありません。番号を入力するか、案件を除いてください"
            )
        return tuple(phones.items())

    def _check_kind(self, item: Item, kind: PhoneKind) -> None:
        """The number itself tells its kind; what the column says is only compared."""
        text = self._row[item]
        if not text:
            return
        told = self._layout.phone_kinds.get(text)
        if told is None:
            names = "、".join(self._layout.phone_kinds)
            self._found(item, f"決められていない種別です。次のどれかにしてください: {names}")
        elif told is not kind:
            message = "番号の先頭と種別が合いません。番号の先頭のほうに従います"
            self._found(item, message, Severity.WARNING)


def _text(text: str) -> str:
    if text.startswith(_FORMULA):
        raise _FaultError(
            "表計算ソフトの式と読まれる記号で始まっています。先頭の記号を除いてください"
        )
    return text


def _code(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise _FaultError("半角の英数字だけ、32文字以内で入力してください")
    return text


def _postal_code(text: str) -> str:
    if not _POSTAL.fullmatch(text):
        raise _FaultError("郵便番号として読めません。半角の数字で940-0000の形に入力してください")
    return text


def _number(text: str) -> str:
    try:
        return parse_number(text)
    except NumberFaultError as fault:
        raise _FaultError(str(fault)) from None


def _without_doubled(
    cases: Iterable[CaseIn], layout: IntakeLayout
) -> tuple[list[CaseIn], list[Finding]]:
    """Take each case once; of one with different contents nobody knows which one holds."""
    by_reference: dict[str, list[CaseIn]] = defaultdict(list)
    for case in cases:
        by_reference[case.reference].append(case)
    once: list[CaseIn] = []
    findings: list[Finding] = []
    for first, *others in by_reference.values():
        differing = [case for case in others if not case.same_as(first)]
        if not differing:
            once.append(first)
        for case in [first, *others] if differing else others:
            findings.append(_doubled(case, first, bool(differing), layout))
    return once, findings


def _doubled(case: CaseIn, first: CaseIn, differs: bool, layout: IntakeLayout) -> Finding:
    message = f"{first.line}行目と同じ案件が同じ内容で入っています。1件として扱います"
    if differs:
        message = "同じ案件が違う内容で2回以上入っています。正しい1行だけを残してください"
    return Finding(
        line=case.line,
        column=layout.columns[Item.REFERENCE],
        reference=case.reference,
        message=message,
        severity=Severity.FAULT if differs else Severity.WARNING,
    )


def _shared(cases: Iterable[CaseIn], layout: IntakeLayout) -> list[Finding]:
    """Numbers shared by several cases: in order within a household (rule 10)."""
    by_number: dict[str, list[CaseIn]] = defaultdict(list)
    for case in cases:
        for digits, _kind in case.phones:
            by_number[digits].append(case)
    return [
        _sharing(case, digits, sharers, layout)
        for digits, sharers in by_number.items()
        if len(sharers) > 1
        for case in sharers
    ]


def _sharing(case: CaseIn, digits: str, sharers: list[CaseIn], layout: IntakeLayout) -> Finding:
    first = case.phones[0][0] == digits
    lines = "、".join(str(other.line) for other in sharers[:5] if other is not case)
    across = len({other.household_number for other in sharers}) > 1
    message = f"同じ世帯の案件（{lines}行目）と同じ番号です。同時には架電しません"
    if across:
        message = f"別の世帯の案件（{lines}行目）と同じ番号です。番号が正しいか確かめてください"
    return Finding(
        line=case.line,
        column=layout.columns[Item.PHONE_1 if first else Item.PHONE_2],
        reference=case.reference,
        message=message,
        severity=Severity.WARNING if across else Severity.NOTE,
    )

"""City files for tests: one good row, and what is done to it."""

from __future__ import annotations

from datetime import date, datetime

from dialer.intake.check import Checked, check
from dialer.intake.faults import Finding, Severity
from dialer.intake.reader import read_sheet
from dialer.profiles import load_profile
from rules.calendar import JST
from rules.layout import IntakeLayout

MONTH = "2026-09"
NOW = datetime(2026, 9, 20, 9, 0, tzinfo=JST)
LAYOUT: IntakeLayout = load_profile("nagaoka-r8", date(2026, 9, 1)).intake
TITLES = list(LAYOUT.columns.values())

GOOD = {
    "年月": "2026-09",
    "整理番号": "202609000001",
    "宛名番号": "10000001",
    "世帯番号": "2000001",
    "氏名": "髙木　架空",
    "氏名カナ": "タカギ カクウ",
    "生年月日": "1960/01/31",
    "郵便番号": "940-0001",
    "住所": "長岡市架空町1丁目1番1号",
    "区分": "初期滞納",
    "滞納合計額": "12300",
    "期別明細": "2026/1期/12300",
    "最終納付日": "",
    "電話番号1": "0258-00-0001",
    "電話番号1種別": "固定",
    "電話番号2": "",
    "電話番号2種別": "",
    "備考": "夜間希望",
    "停止フラグ": "",
}


def row(number: int = 1, **changes: str) -> dict[str, str]:
    """The good row, of another person for each number, with changes by title."""
    own = {
        "整理番号": f"2026090{number:05}",
        "宛名番号": f"100{number:05}",
        "世帯番号": f"20{number:05}",
        "電話番号1": f"0258-00-{number:04}",
    }
    return {**GOOD, **own, **changes}


def text_of(*rows: dict[str, str], titles: list[str] | None = None) -> str:
    """A file with these rows, values quoted only if they bring their own quotes."""
    titles = titles or TITLES
    lines = [",".join(titles), *(",".join(one.get(t, "") for t in titles) for one in rows)]
    return "".join(f"{line}\r\n" for line in lines)


def file_of(*rows: dict[str, str], titles: list[str] | None = None) -> bytes:
    """The same in CP932, as the city sends it."""
    return text_of(*rows, titles=titles).encode("cp932")


def checked(*rows: dict[str, str], layout: IntakeLayout = LAYOUT) -> Checked:
    """What the check says of these rows."""
    return check(read_sheet(file_of(*rows), layout, layout.columns), layout, MONTH, NOW.date())


def faults(found: Checked) -> list[Finding]:
    """Only what keeps a row out."""
    return [finding for finding in found.findings if finding.severity is Severity.FAULT]

"""Payments known the same day (rule 9): they cancel a case's calls, without being a stop order.

The city's file is taken in as a whole or not at all, unless the supervisor says otherwise; the same
file again changes nothing. Of its amounts and days nothing is kept.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import campaigns, cases, payments
from db.campaigns import CampaignState
from db.payments import FileTaken
from db.session import Sessions
from db.tables import Campaign
from dialer.errors import ConflictError, IntakeError
from dialer.intake.dates import DateFaultError, parse_date
from dialer.intake.faults import Finding
from dialer.intake.importer import HandOver
from dialer.intake.reader import Sheet, read_file, read_sheet
from dialer.months import profile_of
from dialer.refresh import refresh
from rules.calendar import JST
from rules.layout import IntakeLayout, PaymentItem, PaymentLayout

_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,31}")
_AMOUNT = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentReport:
    """What came of a file."""

    taken: bool
    """False: it has faults, and nothing of it was taken in."""
    rows: int
    """Rows of the file, without the header."""
    paid: int
    """Cases that became known as paid."""
    known: int
    """Cases already known as paid."""
    refused: int
    """Rows with faults."""
    findings: list[Finding]
    """At most `layout.max_faults`."""
    findings_in_all: int


async def add_payment(
    session: AsyncSession, campaign: str, reference: str, *, at: datetime, by: str
) -> bool:
    """One case has paid; False: that was known.

    Raises:
        NotFoundError: there is no such campaign, or no such case in it.
        ConflictError: the campaign is closed.
    """
    month = await _open_campaign(session, campaign)
    case = await cases.by_reference(session, month.id, reference)
    new = await payments.add(session, [case.id], at=at, by=by)
    await refresh(session, new, at)
    return bool(new)


async def import_payments(sessions: Sessions, given: HandOver, *, now: datetime) -> PaymentReport:
    """Check a file of payments and take it in.

    Raises:
        IntakeError: nothing of the file can be used, or the profile has no layout for it.
        NotFoundError: there is no such campaign.
        ConflictError: the campaign is closed.
        ProfileError: the campaign's profile cannot be used.
    """
    today = now.astimezone(JST).date()
    async with sessions.read() as session:
        campaign = await _open_campaign(session, given.campaign)
        layout = (await profile_of(session, campaign, today)).intake
    if layout.payments is None:
        raise IntakeError(
            "納付ファイルの様式が決められていません。プロファイルの intake.payments に定めてください"
        )
    data = given.source if isinstance(given.source, bytes) else read_file(given.source, layout)
    sheet = read_sheet(data, layout, layout.payments.columns)
    named = {row[PaymentItem.REFERENCE] for _line, row in sheet.rows}
    async with sessions.write() as session:
        known = await payments.cases_named(session, campaign.id, named)
        checked = _check(sheet, layout.payments, known, today)
        if checked.refused and not given.accept_good:
            return _report(checked, layout, taken=None)
        new = await payments.add(session, checked.cases, at=now, by=given.handed_by)
        await refresh(session, new, now)
        taken = FileTaken(
            sha256=hashlib.sha256(data).hexdigest(),
            handed_by=given.handed_by,
            rows=checked.rows,
            paid=len(new),
            known=len(checked.cases) - len(new),
        )
        await payments.keep_file(session, campaign.id, taken, at=now)
    return _report(checked, layout, taken=taken)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Checked:
    rows: int
    cases: frozenset[int]
    """Ids of those the good rows name."""
    findings: list[Finding]
    refused: int


def _check(
    sheet: Sheet[PaymentItem], layout: PaymentLayout, known: dict[str, int], today: date
) -> _Checked:
    findings = [*sheet.faults]
    for line, row in sheet.rows:
        findings += _faults(line, row, layout, known, today)
    findings.sort(key=lambda finding: finding.line)
    refused = {finding.line for finding in findings}
    return _Checked(
        rows=len(sheet.rows) + len(sheet.faults),
        cases=frozenset(
            known[row[PaymentItem.REFERENCE]] for line, row in sheet.rows if line not in refused
        ),
        findings=findings,
        refused=len(refused),
    )


def _report(checked: _Checked, layout: IntakeLayout, taken: FileTaken | None) -> PaymentReport:
    return PaymentReport(
        taken=taken is not None,
        rows=checked.rows,
        paid=taken.paid if taken else 0,
        known=taken.known if taken else 0,
        refused=checked.refused,
        findings=checked.findings[: layout.max_faults],
        findings_in_all=len(checked.findings),
    )


async def _open_campaign(session: AsyncSession, name: str) -> Campaign:
    campaign = await campaigns.get(session, name)
    if campaign.state == CampaignState.CLOSED.value:
        raise ConflictError(f"campaign {name}: is closed, nothing can be taken in")
    return campaign


def _faults(
    line: int,
    row: dict[PaymentItem, str],
    layout: PaymentLayout,
    known: dict[str, int],
    today: date,
) -> Iterator[Finding]:
    reference = row[PaymentItem.REFERENCE]
    for item, text in row.items():
        message = None
        if not text:
            message = "空です。必ず入力してください" if item in layout.required else None
        elif item is PaymentItem.REFERENCE:
            message = _reference_fault(text, known)
        elif item is PaymentItem.PAID_ON:
            message = _day_fault(text, today)
        elif not _AMOUNT.fullmatch(unicodedata.normalize("NFKC", text).replace(",", "")):
            message = "金額として読めません。数字だけで入力してください"
        if message is not None:
            yield Finding(
                line=line,
                column=layout.columns[item],
                reference=reference if _CODE.fullmatch(reference) else None,
                message=message,
            )


def _reference_fault(text: str, known: dict[str, int]) -> str | None:
    if not _CODE.fullmatch(text):
        return "半角の英数字だけ、32文字以内で入力してください"
    if text not in known:
        return "この月の案件にない整理番号です。番号と月を確かめてください"
    return None


def _day_fault(text: str, today: date) -> str | None:
    try:
        day = parse_date(text)
    except DateFaultError as fault:
        return str(fault)
    return "先の日付です。年月日を確かめてください" if day > today else None

"""Who may be calling, as the operator's screen shows it: before and after identification."""

from __future__ import annotations

import unicodedata

from sqlalchemy.ext.asyncio import AsyncSession

from db import callback_lookup, screen
from db.callback_lookup import Candidate
from db.keys import Keys
from dialer.intake.numbers import NumberFaultError, parse_number
from dialer.kanji import alike
from dialer.months import Months
from dialer.sheets import case_on_screen
from dialer.web.callback_models import (
    FOUND_LIMIT,
    CallerCase,
    CaseBrief,
    PhoneOut,
    SearchIn,
    SearchOut,
)
from dialer.web.case_models import Earlier
from rules.case import CaseStatus, PhoneKind
from rules.result import ResultRefusedError

CALLS_SHOWN = 3
"""Last calls shown beside a case that the caller may be."""

_HIRAGANA = range(ord("ぁ"), ord("ゖ") + 1)
_TO_KATAKANA = {code: code + ord("ァ") - ord("ぁ") for code in _HIRAGANA}
_TO_HIRAGANA = {katakana: hiragana for hiragana, katakana in _TO_KATAKANA.items()}
_TO_HALF_WIDTH = {
    ord(unicodedata.normalize("NFKC", half)): half for half in map(chr, range(0xFF65, 0xFF9E))
} | {0x3099: "\uff9e", 0x309A: "\uff9f"}


async def candidates(session: AsyncSession, number_key: str) -> tuple[CaseBrief, ...]:
    """The cases a caller with this number may be, other members of their households last.

    Args:
        number_key: `db.keys.Keys.number` of the caller's number.
    """
    return await _briefs(session, await callback_lookup.by_number(session, number_key, FOUND_LIMIT))


async def search(session: AsyncSession, wanted: SearchIn, keys: Keys) -> SearchOut:
    """The cases an operator looks for.

    Raises:
        ResultRefusedError: `number` cannot be a phone number.
    """
    limit = FOUND_LIMIT + 1
    if wanted.reference:
        spelled = {wanted.reference, unicodedata.normalize("NFKC", wanted.reference)}
        found = await callback_lookup.by_reference(session, spelled, limit)
    elif wanted.name:
        beginnings = [[alike(one) for one in spelling] for spelling in spellings(wanted.name)]
        found = await callback_lookup.by_name(session, beginnings, limit)
    else:
        found = await callback_lookup.by_number(session, keys.number(_digits(wanted)), limit)
    shown = await _briefs(session, found[:FOUND_LIMIT])
    return SearchOut(cases=shown, more=len(found) > FOUND_LIMIT)


async def caller_case(session: AsyncSession, case_id: int, months: Months) -> CallerCase:
    """The whole case, once the operator knows that it is the caller's.

    Raises:
        NotFoundError: there is no such case.
    """
    sheet = await screen.sheet_of(session, case_id)
    month = months.get(sheet.case.campaign_id)
    return CallerCase(
        **case_on_screen(sheet, month.profile),
        campaign=month.name,
        phones=tuple(
            PhoneOut(number=phone.number, kind=PhoneKind(phone.kind)) for phone in sheet.phones
        ),
    )


def spellings(name: str) -> frozenset[str]:
    """A name as the city may have written it: without spaces; kana as hiragana, katakana and katakana
    of half width."""
    plain = "".join(unicodedata.normalize("NFKC", name).split())
    katakana = plain.translate(_TO_KATAKANA)
    half_width = unicodedata.normalize("NFD", katakana).translate(_TO_HALF_WIDTH)
    as_given = "".join(name.split())
    return frozenset({as_given, plain, katakana, plain.translate(_TO_HIRAGANA), half_width})


def _digits(wanted: SearchIn) -> str:
    try:
        return parse_number(wanted.number)
    except NumberFaultError as fault:
        raise ResultRefusedError("number", str(fault)) from None


async def _briefs(session: AsyncSession, found: list[Candidate]) -> tuple[CaseBrief, ...]:
    calls = await screen.earlier_calls(session, [one.case.id for one in found])
    return tuple(_brief(one, calls[one.case.id][:CALLS_SHOWN]) for one in found)


def _brief(one: Candidate, calls: list[screen.EarlierCall]) -> CaseBrief:
    return CaseBrief(
        case_id=one.case.id,
        campaign=one.campaign,
        reference=one.case.reference,
        name=one.case.name,
        kana=one.case.kana,
        birth_date=one.case.birth_date,
        status=CaseStatus(one.case.status),
        same_household=one.same_household,
        earlier=tuple(
            Earlier(at=call.at, outcome=call.outcome, phone_kind=call.phone_kind) for call in calls
        ),
    )

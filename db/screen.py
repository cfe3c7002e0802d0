"""What an operator's screen shows of a case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, null, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import cases
from db.results import is_current
from db.tables import Attempt, Callback, CaseRow, PhoneRow, ResultRow
from rules.case import PhoneKind


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class HouseholdCall:
    """A call with another case of the household, or one that shares a number (rule 10)."""

    at: datetime
    outcome: str
    same_household: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierCall:
    """One earlier call of a case that has a result, whoever called whom."""

    at: datetime
    """When it was placed, or came in."""
    outcome: str
    phone_kind: PhoneKind | None
    """None: the person called us."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Sheet:
    """Everything about a case. Personal: never logged."""

    case: CaseRow
    phones: tuple[PhoneRow, ...]
    earlier: tuple[EarlierCall, ...]
    """Newest first."""
    household: tuple[HouseholdCall, ...]
    """Newest first; whether it was a contact the profile's outcomes say."""


async def sheet_of(session: AsyncSession, case_id: int) -> Sheet:
    """The sheet of a case.

    Raises:
        NotFoundError: there is no such case.
    """
    case = await cases.get(session, case_id)
    phones = tuple(await cases.phones_of(session, case_id))
    return Sheet(
        case=case,
        phones=phones,
        earlier=tuple((await earlier_calls(session, [case_id]))[case_id]),
        household=await _household(session, case, phones),
    )


async def earlier_calls(
    session: AsyncSession, case_ids: Sequence[int]
) -> dict[int, list[EarlierCall]]:
    """The calls of each case that have a result, as last corrected, newest first."""
    found: dict[int, list[EarlierCall]] = defaultdict(list)
    asked = {"cases": list(case_ids)}
    for query in _OWN:
        for row in await session.execute(query, asked):
            kind = PhoneKind(row.kind) if row.kind is not None else None
            found[row.case_id].append(EarlierCall(at=row.at, outcome=row.outcome, phone_kind=kind))
    for calls in found.values():
        calls.sort(key=lambda call: call.at, reverse=True)
    return found


async def _household(
    session: AsyncSession, case: CaseRow, phones: tuple[PhoneRow, ...]
) -> tuple[HouseholdCall, ...]:
    asked = {
        "case": case.id,
        "household": case.household_key,
        "numbers": [phone.number_key for phone in phones],
    }
    found = [
        HouseholdCall(at=row.at, outcome=row.outcome, same_household=row.same_household)
        for query in (_HOUSEHOLD_CALLED, _HOUSEHOLD_CALLED_US)
        for row in await session.execute(query, asked)
        if row.campaign_id == case.campaign_id
    ]
    return tuple(sorted(found, key=lambda call: call.at, reverse=True))


# first the few cases concerned: told the campaign too, SQLite would read all of the month
_SHARED = (
    select(PhoneRow.case_id)
    .where(PhoneRow.number_key.in_(bindparam("numbers", expanding=True)))
    .union(select(CaseRow.id).where(CaseRow.household_key == bindparam("household")))
)
_CALLED = (
    select(
        ResultRow.case_id,
        ResultRow.outcome,
        ResultRow.same_household,
        Attempt.campaign_id,
        Attempt.placed_at.label("at"),
        PhoneRow.kind,
    )
    .join(Attempt, Attempt.id == ResultRow.attempt_id)
    .join(PhoneRow, PhoneRow.id == Attempt.phone_id)
    .where(is_current())
)
_NO_PHONE: Any = null().label("kind")
_CALLED_US = (
    select(
        ResultRow.case_id,
        ResultRow.outcome,
        ResultRow.same_household,
        CaseRow.campaign_id,
        Callback.arrived_at.label("at"),
        _NO_PHONE,
    )
    .join(Callback, Callback.id == ResultRow.callback_id)
    .join(CaseRow, CaseRow.id == ResultRow.case_id)
    .where(is_current())
)
_OTHERS = (ResultRow.case_id.in_(_SHARED), ResultRow.case_id != bindparam("case"))
_HOUSEHOLD_CALLED = _CALLED.where(*_OTHERS)
_HOUSEHOLD_CALLED_US = _CALLED_US.where(*_OTHERS)
_CASES: BindParameter[int] = bindparam("cases", expanding=True)
_OWN = (
    _CALLED.where(ResultRow.case_id.in_(_CASES)),
    _CALLED_US.where(ResultRow.case_id.in_(_CASES)),
)

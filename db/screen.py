"""What an operator's screen shows of the case on the line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import cases, results
from db.results import Past, is_current
from db.tables import Attempt, CaseRow, PhoneRow, ResultRow


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class HouseholdCall:
    """A call to another case of the household, or to one that shares a number (rule 10)."""

    at: datetime
    outcome: str
    same_household: bool


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Sheet:
    """Everything about a case, and the phone it is called on. Personal: never logged."""

    case: CaseRow
    phone: PhoneRow
    phones: tuple[PhoneRow, ...]
    past: tuple[Past, ...]
    """Newest first."""
    household: tuple[HouseholdCall, ...]
    """Newest first; whether it was a contact the profile's outcomes say."""


async def sheet(session: AsyncSession, attempt_id: str) -> Sheet:
    """The sheet of an attempt.

    Raises:
        NotFoundError: there is no such attempt.
    """
    return await sheet_of(session, *await results.place_of(session, attempt_id))


async def sheet_of(session: AsyncSession, case_id: int, phone_id: int) -> Sheet:
    """The sheet of a case that will be called on this phone.

    Raises:
        NotFoundError: there is no such case.
    """
    case = await cases.get(session, case_id)
    phones = tuple(await cases.phones_of(session, case_id))
    return Sheet(
        case=case,
        phone=next(phone for phone in phones if phone.id == phone_id),
        phones=phones,
        past=tuple(await results.past_calls(session, case_id)),
        household=await _household(session, case, phones),
    )


async def _household(
    session: AsyncSession, case: CaseRow, phones: tuple[PhoneRow, ...]
) -> tuple[HouseholdCall, ...]:
    asked = {
        "case": case.id,
        "household": case.household_key,
        "numbers": [phone.number_key for phone in phones],
    }
    return tuple(
        HouseholdCall(at=row.placed_at, outcome=row.outcome, same_household=row.same_household)
        for row in await session.execute(_HOUSEHOLD, asked)
        if row.campaign_id == case.campaign_id
    )


# first the few cases concerned: told the campaign too, SQLite would read all of the month
_SHARED = (
    select(PhoneRow.case_id)
    .where(PhoneRow.number_key.in_(bindparam("numbers", expanding=True)))
    .union(select(CaseRow.id).where(CaseRow.household_key == bindparam("household")))
)
_HOUSEHOLD = (
    select(Attempt.campaign_id, Attempt.placed_at, ResultRow.outcome, ResultRow.same_household)
    .join(Attempt, Attempt.id == ResultRow.attempt_id)
    .where(Attempt.case_id.in_(_SHARED), Attempt.case_id != bindparam("case"), is_current())
    .order_by(Attempt.placed_at.desc())
)

"""What an operator's screen shows of the case on the line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
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
    """Everything about the case and the phone of one attempt. Personal: never logged."""

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
    case_id, phone_id = await results.place_of(session, attempt_id)
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
    # first the phones concerned, by their keys: joining everything first reads the whole month
    of_campaign = select(PhoneRow.id).where(PhoneRow.campaign_id == case.campaign_id)
    shared = of_campaign.where(
        PhoneRow.number_key.in_([phone.number_key for phone in phones])
    ).union(
        of_campaign.join(CaseRow, CaseRow.id == PhoneRow.case_id).where(
            CaseRow.household_key == case.household_key
        )
    )
    query = (
        select(Attempt.placed_at, ResultRow.outcome, ResultRow.same_household)
        .join(Attempt, Attempt.id == ResultRow.attempt_id)
        .where(Attempt.phone_id.in_(shared), Attempt.case_id != case.id, is_current())
        .order_by(Attempt.placed_at.desc())
    )
    return tuple(
        HouseholdCall(at=row.placed_at, outcome=row.outcome, same_household=row.same_household)
        for row in await session.execute(query)
    )

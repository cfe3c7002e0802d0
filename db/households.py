"""Cases that belong together (rule 10): of one household number, or sharing a phone number.

Sharing is of cases: while one of them is called on any of its numbers, the other is called on none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.tables import (
    Callback,
    CallbackCase,
    CallbackInHand,
    CallInFlight,
    CaseRow,
    PhoneRow,
)


def is_quiet(case_id: Any, household_key: Any) -> ColumnElement[bool]:
    """Condition: neither the case of this column nor one that belongs together with it is in a call, and
    nobody with a number of the case is calling us."""
    own, other = aliased(PhoneRow), aliased(PhoneRow)
    # One look into an index after the other for each candidate, which are few: of a join SQLite reads all
    # phones, and PostgreSQL does until it has counted them.
    in_call = select(func.max(CallInFlight.case_id)).where(CallInFlight.case_id == other.case_id)
    sharers = select(func.max(in_call.scalar_subquery())).where(other.number_key == own.number_key)
    shares = select(func.max(sharers.scalar_subquery())).where(own.case_id == case_id)
    return and_(
        # those in a call themselves stay first in line until it is over: most are told by one look
        case_id.not_in(select(CallInFlight.case_id)),
        shares.scalar_subquery().is_(None),
        household_key.not_in(select(CallInFlight.household_key)),
        case_id.not_in(_CALLING_US),
        case_id.not_in(_IDENTIFIED),
    )


# as lists of keys, so that both databases begin with the few callbacks in hand
_IN_HAND = select(CallbackInHand.callback_id)
_THEIR_NUMBERS = select(Callback.number_key).where(Callback.id.in_(_IN_HAND))
_CALLING_US = select(PhoneRow.case_id).where(PhoneRow.number_key.in_(_THEIR_NUMBERS))
_IDENTIFIED = select(CallbackCase.case_id).where(CallbackCase.callback_id.in_(_IN_HAND))


async def keys(session: AsyncSession, case_ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """Of each case what others may share with it: its household's key and those of its numbers."""
    query = (
        select(CaseRow.id, CaseRow.household_key, PhoneRow.number_key)
        .join(PhoneRow, PhoneRow.case_id == CaseRow.id)
        .where(CaseRow.id.in_(case_ids))
    )
    found: dict[int, frozenset[str]] = {}
    for row in await session.execute(query):
        found[row.id] = found.get(row.id, frozenset()) | {row.household_key, row.number_key}
    return found

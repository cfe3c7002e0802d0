"""Cases that belong together (rule 10): of one household number, or sharing a phone number.

Sharing is of cases: while one of them is called on any of its numbers, the other is called on none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.tables import CallInFlight, CaseRow, PhoneRow


def is_quiet(case_id: Any, household_key: Any) -> ColumnElement[bool]:
    """Condition: neither the case of this column nor one that belongs together with it is in a call."""
    own, other = aliased(PhoneRow), aliased(PhoneRow)
    # asked of each candidate, which are few: the other way round SQLite reads all phones
    shares = (
        select(CallInFlight.case_id)
        .select_from(own)
        .join(other, other.number_key == own.number_key)
        .join(CallInFlight, CallInFlight.case_id == other.case_id)
        .where(own.case_id == case_id)
        .exists()
    )
    return and_(~shares, household_key.not_in(select(CallInFlight.household_key)))


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

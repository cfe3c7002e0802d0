"""Cases that belong together (rule 10): of one household number, or sharing a phone number.

Sharing is of cases: while one of them is called on any of its numbers, the other is called on none.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.tables import CallInFlight, CaseRow, PhoneRow


def sharing_with_calls() -> Select[int]:
    """The cases in a call, and those that share a number with one of them."""
    called, other = aliased(PhoneRow), aliased(PhoneRow)
    return (
        select(other.case_id)
        .select_from(CallInFlight)
        .join(called, called.case_id == CallInFlight.case_id)
        .join(other, other.number_key == called.number_key)
    )


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

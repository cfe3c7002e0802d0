"""Who may be calling: cases found by a number, a reference or the beginning of a name.

A person is on record once per month; shown is the newest month in which they are called or were.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.campaigns import CampaignState
from db.tables import Campaign, CaseRow, PhoneRow


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Candidate:
    """A case, and why it was found. Personal: never logged."""

    case: CaseRow
    campaign: str
    """The campaign's name."""
    same_household: bool
    """It was not found itself: it is of the household of one that was."""


async def by_number(session: AsyncSession, number_key: str, limit: int) -> list[Candidate]:
    """The cases with this number, then the other members of their households."""
    has_it = select(PhoneRow.case_id).where(PhoneRow.number_key == number_key)
    return await _newest(session, CaseRow.id.in_(has_it), limit, households=True)


async def by_reference(
    session: AsyncSession, references: Collection[str], limit: int
) -> list[Candidate]:
    """The cases with one of these references (整理番号), which are spellings of one."""
    return await _newest(session, CaseRow.reference.in_(references), limit)


async def by_name(
    session: AsyncSession, beginnings: Collection[Sequence[Collection[str]]], limit: int
) -> list[Candidate]:
    """The cases whose name or kana begins so; spaces within them do not count.

    Args:
        beginnings: spellings of one beginning: what may stand at each place, which is no space.
    """
    begins = [
        and_(*(func.substr(plain, at, 1).in_(alike) for at, alike in enumerate(one, start=1)))
        for plain in map(_without_spaces, (CaseRow.name, CaseRow.kana))
        for one in beginnings
    ]
    return await _newest(session, or_(*begins), limit)


async def _newest(
    session: AsyncSession, found: ColumnElement[bool], limit: int, *, households: bool = False
) -> list[Candidate]:
    persons = select(CaseRow.person_key).where(found)
    wanted: ColumnElement[bool] = CaseRow.person_key.in_(persons)
    itself = wanted
    if households:
        wanted = or_(itself, CaseRow.household_key.in_(select(CaseRow.household_key).where(found)))
    rows = await session.execute(_of_newest_month(wanted, itself).limit(limit))
    return [
        Candidate(case=row.CaseRow, campaign=row.campaign, same_household=not row.itself)
        for row in rows
    ]


def _of_newest_month(
    wanted: ColumnElement[bool], itself: ColumnElement[bool]
) -> Select[CaseRow, str, bool]:
    # a month that is still being prepared has called nobody yet
    draft = case((Campaign.state == CampaignState.DRAFT.value, 1), else_=0)
    newest_first = (draft, Campaign.period_from.desc(), Campaign.id.desc())
    place = func.rank().over(partition_by=CaseRow.person_key, order_by=newest_first)
    placed = (
        select(CaseRow.id, place.label("place"))
        .join(Campaign, Campaign.id == CaseRow.campaign_id)
        .where(wanted)
        .subquery()
    )
    return (
        select(CaseRow, Campaign.name.label("campaign"), itself.label("itself"))
        .join(placed, and_(placed.c.id == CaseRow.id, placed.c.place == 1))
        .join(Campaign, Campaign.id == CaseRow.campaign_id)
        .order_by(itself.desc(), *newest_first, CaseRow.reference)
    )


def _without_spaces(column: Any) -> ColumnElement[str]:
    return func.replace(func.replace(column, " ", ""), "\u3000", "")

"""How the phones of a campaign stand this moment, in numbers: for `dialer why`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import Attempt, CallInFlight, CaseRow, PhoneRow
from rules.case import CaseStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One campaign by its projections. The last four together are all phones of open cases."""

    cases: dict[str, int]
    """By status."""
    placed_recently: int
    """Calls placed since the moment asked for."""
    in_flight: int
    """Calls that have no result yet."""
    next_due: datetime | None
    """When the next phone becomes due that is not; None: none will."""
    due: int
    """May be called now."""
    engaged: int
    """Due, but their case, number or household is in a call."""
    later: int
    never: int
    """Closed, or without a moment left in the period."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhoneKeys:
    """What a phone shares with others (rule 10), and where the plan puts it."""

    number_key: str
    household_key: str
    planned_from: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RecentCalls:
    """Calls in flight, or placed since a moment: each as its case and when it was placed."""

    by_household: dict[str, list[tuple[int, datetime]]]
    by_number: dict[str, list[tuple[int, datetime]]]
    flying: frozenset[int]
    """Cases with a call in flight."""


async def standing(
    session: AsyncSession, campaign_id: int, now: datetime, since: datetime
) -> Standing:
    """Numbers of a campaign; `since`: from when calls count as recent."""
    by_status = select(CaseRow.status, func.count()).where(CaseRow.campaign_id == campaign_id)
    statuses = await session.execute(by_status.group_by(CaseRow.status))
    phones = (await session.execute(_phones(campaign_id, now))).one()
    placed = select(func.count()).where(
        Attempt.campaign_id == campaign_id, Attempt.placed_at >= since
    )
    flying = (
        select(func.count())
        .select_from(CallInFlight)
        .join(Attempt, Attempt.id == CallInFlight.attempt_id)
        .where(Attempt.campaign_id == campaign_id)
    )
    return Standing(
        cases={status: count for status, count in statuses},
        placed_recently=await session.scalar(placed) or 0,
        in_flight=await session.scalar(flying) or 0,
        next_due=phones.next_due,
        due=phones.due or 0,
        engaged=phones.engaged or 0,
        later=phones.later or 0,
        never=phones.never or 0,
    )


async def open_cases(session: AsyncSession, campaign_id: int) -> list[int]:
    """Ids of the campaign's open cases."""
    query = select(CaseRow.id).where(
        CaseRow.campaign_id == campaign_id, CaseRow.status == CaseStatus.OPEN.value
    )
    return list(await session.scalars(query.order_by(CaseRow.id)))


async def phone_keys(session: AsyncSession, case_ids: Sequence[int]) -> dict[int, PhoneKeys]:
    """What the phones of at most `db.cases.BATCH` cases share with others, by phone id."""
    query = (
        select(PhoneRow.id, PhoneRow.number_key, PhoneRow.planned_from, CaseRow.household_key)
        .join(CaseRow, CaseRow.id == PhoneRow.case_id)
        .where(PhoneRow.case_id.in_(case_ids))
    )
    return {
        row.id: PhoneKeys(
            number_key=row.number_key,
            household_key=row.household_key,
            planned_from=row.planned_from,
        )
        for row in await session.execute(query)
    }


async def recent_calls(session: AsyncSession, since: datetime) -> RecentCalls:
    """Calls in flight, and those placed since a moment, in all campaigns."""
    flying = select(CallInFlight.attempt_id)
    query = (
        select(Attempt.case_id, Attempt.placed_at, PhoneRow.number_key, CaseRow.household_key)
        .join(PhoneRow, PhoneRow.id == Attempt.phone_id)
        .join(CaseRow, CaseRow.id == Attempt.case_id)
        .where(or_(Attempt.placed_at >= since, Attempt.id.in_(flying)))
    )
    households: dict[str, list[tuple[int, datetime]]] = defaultdict(list)
    numbers: dict[str, list[tuple[int, datetime]]] = defaultdict(list)
    for row in await session.execute(query):
        households[row.household_key].append((row.case_id, row.placed_at))
        numbers[row.number_key].append((row.case_id, row.placed_at))
    return RecentCalls(
        by_household=dict(households),
        by_number=dict(numbers),
        flying=frozenset(await session.scalars(select(CallInFlight.case_id))),
    )


def _phones(campaign_id: int, now: datetime) -> Select[int, int, int, int, Any]:
    engaged = or_(
        PhoneRow.case_id.in_(select(CallInFlight.case_id)),
        PhoneRow.number_key.in_(select(CallInFlight.number_key)),
        CaseRow.household_key.in_(select(CallInFlight.household_key)),
    )
    due, later = PhoneRow.due_at <= now, PhoneRow.due_at > now
    return (
        select(
            func.count(case((due & ~engaged, 1))).label("due"),
            func.count(case((due & engaged, 1))).label("engaged"),
            func.count(case((later, 1))).label("later"),
            func.count(case((PhoneRow.due_at.is_(None), 1))).label("never"),
            func.min(case((later, PhoneRow.due_at)), type_=PhoneRow.due_at.type).label("next_due"),
        )
        .join(CaseRow, CaseRow.id == PhoneRow.case_id)
        .where(PhoneRow.campaign_id == campaign_id, CaseRow.status == CaseStatus.OPEN.value)
    )

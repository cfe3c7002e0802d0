"""How far a campaign has come, in numbers without persons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.results import is_current
from db.tables import Attempt, CaseRow, PhoneRow, ResultRow
from rules.case import CaseStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """One campaign's counts."""

    cases: int
    open: int
    complete: int
    due: int
    """Phones of open cases that may be due now."""
    placed_since: int
    outcomes_since: dict[str, int]
    """How often each outcome came since then, as last corrected."""
    next_due: datetime | None
    """When the next phone becomes due; None: never, or some are due now."""


async def progress(
    session: AsyncSession, campaign_id: int, now: datetime, since: datetime
) -> Progress:
    """Counts of a campaign; `since` is the beginning of the day."""
    by_status = {
        row.status: row.cases
        for row in await session.execute(
            select(CaseRow.status, func.count().label("cases"))
            .where(CaseRow.campaign_id == campaign_id)
            .group_by(CaseRow.status)
        )
    }
    open_phones = (
        select(func.count(), func.min(PhoneRow.due_at))
        .join(CaseRow, CaseRow.id == PhoneRow.case_id)
        .where(PhoneRow.campaign_id == campaign_id, CaseRow.status == CaseStatus.OPEN.value)
    )
    due = (await session.execute(open_phones.where(PhoneRow.due_at <= now))).one()[0]
    later = (await session.execute(open_phones.where(PhoneRow.due_at > now))).one()[1]
    placed = await session.scalar(
        select(func.count()).where(Attempt.campaign_id == campaign_id, Attempt.placed_at >= since)
    )
    outcomes = await session.execute(
        select(ResultRow.outcome, func.count())
        .join(Attempt, Attempt.id == ResultRow.attempt_id)
        .where(Attempt.campaign_id == campaign_id, Attempt.placed_at >= since, is_current())
        .group_by(ResultRow.outcome)
    )
    return Progress(
        cases=sum(by_status.values()),
        open=by_status.get(CaseStatus.OPEN.value, 0),
        complete=by_status.get(CaseStatus.COMPLETE.value, 0),
        due=due,
        placed_since=placed or 0,
        outcomes_since={outcome: count for outcome, count in outcomes},
        next_due=None if due else later,
    )

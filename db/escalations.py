"""Escalations (§8(3)キ): the city's criteria, and what was handed to it and decided.

When a case is escalated the rules say (`rules.history`); here are the words they fold.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import cases, notices
from db.cases import FactKind
from db.errors import ConflictError, NotFoundError
from db.notices import NoticeKind
from db.results import is_current
from db.tables import CaseFact, CaseRow, EscalationCriterion, ResultRow, table_of
from rules.case import CaseStatus

DECISIONS = (FactKind.RESUME, FactKind.STOP_DECIDED, FactKind.CLOSE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One word on a case: handed to the city under a criterion, or decided by it."""

    kind: FactKind
    at: datetime
    by: str
    criterion: str | None
    """Label of the criterion; None: a decision."""


async def add_criterion(
    session: AsyncSession, label: str, *, talk_result: str | None, at: datetime, by: str
) -> int:
    """A new criterion of the city; returns its id.

    Raises:
        ConflictError: one of this label is in force.
    """
    if any(one.label == label for one in await criteria(session)):
        raise ConflictError("a criterion with this label is in force already")
    row = EscalationCriterion(label=label, talk_result=talk_result, added_at=at, added_by=by)
    session.add(row)
    await session.flush()
    await notices.add(session, NoticeKind.CRITERIA, at=at, by=by)
    return row.id


async def remove_criterion(
    session: AsyncSession, criterion_id: int, *, at: datetime, by: str
) -> None:
    """The city does not ask for it any more; what was raised under it stays.

    Raises:
        NotFoundError: there is no such criterion.
        ConflictError: it was removed before.
    """
    row = await session.get(EscalationCriterion, criterion_id)
    if row is None:
        raise NotFoundError(f"criterion {criterion_id}: does not exist")
    if row.removed_at is not None:
        raise ConflictError(f"criterion {criterion_id}: was removed before")
    await session.execute(
        update(table_of(EscalationCriterion))
        .where(EscalationCriterion.id == criterion_id)
        .values(removed_at=at, removed_by=by)
    )
    await notices.add(session, NoticeKind.CRITERIA, at=at, by=by)


async def criteria(session: AsyncSession, *, removed: bool = False) -> list[EscalationCriterion]:
    """The criteria in force in the order they were added; `removed`: the others, too."""
    query = select(EscalationCriterion).order_by(EscalationCriterion.id)
    if not removed:
        query = query.where(EscalationCriterion.removed_at.is_(None))
    return list(await session.scalars(query))


async def raise_case(
    session: AsyncSession,
    case_id: int,
    criterion_ids: Collection[int],
    *,
    since: datetime,
    at: datetime,
    by: str,
) -> None:
    """Hand a case to the city under these criteria, each once; it must be refreshed afterwards.

    Args:
        since: one raised from then on stands: a result that is corrected raises nothing twice.
    """
    if not criterion_ids:
        return
    query = select(CaseFact.criterion_id).where(
        CaseFact.case_id == case_id,
        CaseFact.kind == FactKind.ESCALATE.value,
        CaseFact.at >= since,
    )
    raised = set(await session.scalars(query))
    rows = [
        {
            "case_id": case_id,
            "kind": FactKind.ESCALATE.value,
            "at": at,
            "by": by,
            "criterion_id": criterion_id,
        }
        for criterion_id in sorted(set(criterion_ids) - raised)
    ]
    if rows:
        await session.execute(insert(table_of(CaseFact)), rows)


async def ever_escalated(
    session: AsyncSession, campaign_id: int, approvable: Collection[str]
) -> list[int]:
    """Cases of a campaign that may have been handed to the city at any time, in order of reference.

    Args:
        approvable: outcomes that wait for approval (§8(4)ウ).
    """
    said = exists().where(
        CaseFact.case_id == CaseRow.id,
        CaseFact.kind.in_([kind.value for kind in (FactKind.ESCALATE, *DECISIONS)]),
    )
    recorded = exists().where(
        ResultRow.case_id == CaseRow.id,
        is_current(),
        or_(ResultRow.appointment.is_not(None), ResultRow.outcome.in_(sorted(approvable))),
    )
    query = (
        select(CaseRow.id)
        .where(
            CaseRow.campaign_id == campaign_id,
            or_(CaseRow.status == CaseStatus.ESCALATED.value, said, recorded),
        )
        .order_by(CaseRow.reference)
    )
    return list(await session.scalars(query))


async def said_of(session: AsyncSession, case_ids: Sequence[int]) -> dict[int, list[Said]]:
    """What was handed to the city and decided, by case, in order of time; at most `cases.BATCH` cases."""
    query = (
        select(CaseFact, EscalationCriterion.label)
        .outerjoin(EscalationCriterion, EscalationCriterion.id == CaseFact.criterion_id)
        .where(
            CaseFact.case_id.in_(case_ids),
            CaseFact.kind.in_([kind.value for kind in (FactKind.ESCALATE, *DECISIONS)]),
        )
        .order_by(CaseFact.at, CaseFact.id)
    )
    found: dict[int, list[Said]] = {case_id: [] for case_id in case_ids}
    for fact, label in await session.execute(query):
        found[fact.case_id].append(
            Said(kind=FactKind(fact.kind), at=fact.at, by=fact.by, criterion=label)
        )
    return found


async def decide(
    session: AsyncSession, case_id: int, kind: FactKind, *, at: datetime, by: str
) -> None:
    """Write down the city's decision, one of `DECISIONS`; the case must be refreshed afterwards."""
    await cases.add_fact(session, case_id, kind, at=at, by=by)
    await notices.add(session, NoticeKind.CASES, at=at, by=by)

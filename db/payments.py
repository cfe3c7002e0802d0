"""Payments the city told us of the same day (rule 9): the facts, and which file told them (§9(3))."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import notices
from db.cases import BATCH, FactKind
from db.notices import NoticeKind
from db.tables import CaseFact, CaseRow, PaymentFile, table_of


@dataclass(frozen=True, kw_only=True, slots=True)
class FileTaken:
    """What is kept of a file of payments."""

    sha256: str
    handed_by: str
    rows: int
    paid: int
    """Cases that became known as paid by it."""
    known: int
    """Cases already known as paid."""


async def cases_named(
    session: AsyncSession, campaign_id: int, references: Collection[str]
) -> dict[str, int]:
    """Ids of the campaign's cases with these references (整理番号); unknown ones are left out."""
    asked = sorted(references)
    found: dict[str, int] = {}
    for start in range(0, len(asked), BATCH):
        query = select(CaseRow.reference, CaseRow.id).where(
            CaseRow.campaign_id == campaign_id,
            CaseRow.reference.in_(asked[start : start + BATCH]),
        )
        found |= {row.reference: row.id for row in await session.execute(query)}
    return found


async def add(
    session: AsyncSession, case_ids: Collection[int], *, at: datetime, by: str
) -> list[int]:
    """Write down that the cases have paid, and tell the service; what is known changes nothing.

    Returns:
        The cases for which it is new: refresh them in the same transaction.
    """
    known = await _paid_among(session, sorted(case_ids))
    new = sorted(set(case_ids) - known)
    if new:
        rows = [{"case_id": id, "kind": FactKind.PAID.value, "at": at, "by": by} for id in new]
        await session.execute(insert(table_of(CaseFact)), rows)
        await notices.add(session, NoticeKind.PAYMENTS, at=at, by=by)
    return new


async def keep_file(
    session: AsyncSession, campaign_id: int, taken: FileTaken, *, at: datetime
) -> None:
    """Keep who handed over which file and when (§9(3)); the same one with nothing new is kept once."""
    seen = select(func.count()).where(
        PaymentFile.campaign_id == campaign_id, PaymentFile.sha256 == taken.sha256
    )
    if not taken.paid and await session.scalar(seen):
        return
    session.add(
        PaymentFile(
            campaign_id=campaign_id,
            sha256=taken.sha256,
            at=at,
            handed_by=taken.handed_by,
            rows=taken.rows,
            paid=taken.paid,
            known=taken.known,
        )
    )


async def _paid_among(session: AsyncSession, case_ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for start in range(0, len(case_ids), BATCH):
        query = select(CaseFact.case_id).where(
            CaseFact.case_id.in_(case_ids[start : start + BATCH]),
            CaseFact.kind == FactKind.PAID.value,
        )
        found |= set(await session.scalars(query))
    return found

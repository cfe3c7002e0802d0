"""Which phone next: those due, the lowest rank first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Integer,
    Row,
    Select,
    Subquery,
    bindparam,
    func,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db import households
from db.tables import Attempt, CaseRow, PhoneRow, table_of
from rules import priority
from rules.case import CaseStatus, PhoneKind


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Candidate:
    """A phone that is due; whether it may be called this very moment `rules.eligibility` says."""

    phone_id: int
    case_id: int
    reference: str
    number: str
    """Digits as dialled in Japan. Personal: never logged (hence no repr)."""
    kind: PhoneKind
    household_last_call: datetime | None
    """When another case that shares the household or a number was last called (rule 10)."""
    reserved: bool
    """Called only with an operator held for it: at the time the person named (rule 7), or after a call that
    was answered and found no operator."""


async def due(
    session: AsyncSession, campaign_id: int, now: datetime, limit: int
) -> list[Candidate]:
    """At most `limit` phones of open cases that are due, without those of a call in flight.

    A phone whose household is being called already is left out: its turn comes afterwards.
    """
    query = _DUE[session.get_bind().dialect.name]
    asked = {"campaign": campaign_id, "now": now, "limit": limit}
    # not through the ORM, which costs more than the search itself
    return await session.run_sync(
        lambda session: [_candidate(row) for row in session.connection().execute(query, asked)]
    )


async def still_due(
    session: AsyncSession, campaign_id: int, now: datetime, phone_ids: Sequence[int]
) -> list[Candidate]:
    """Those of the phones that are due as `due` says it, and in its order."""
    asked = {"campaign": campaign_id, "now": now, "phones": list(phone_ids)}
    return await session.run_sync(
        lambda session: [_candidate(row) for row in session.connection().execute(_STILL_DUE, asked)]
    )


async def put_off(session: AsyncSession, phone_id: int, until: datetime) -> None:
    """The phone is not due before `until`, for a reason that is not the case's own (rule 10)."""
    await session.execute(
        update(table_of(PhoneRow))
        .where(PhoneRow.id == phone_id, PhoneRow.due_at < until)
        .values(due_at=until)
    )


def _candidate(row: Row[Any]) -> Candidate:
    calls = [at for at in (row.household_call, row.sharer_call) if at is not None]
    return Candidate(
        phone_id=row.id,
        case_id=row.case_id,
        reference=row.reference,
        number=row.number,
        kind=PhoneKind(row.kind),
        household_last_call=max(calls, default=None),
        reserved=row.rank == priority.RESERVED,
    )


_LIMIT = bindparam("limit", type_=Integer, literal_execute=True)
_PHONE = (
    PhoneRow.id,
    PhoneRow.case_id,
    PhoneRow.number,
    PhoneRow.kind,
    PhoneRow.rank,
    PhoneRow.due_at,
)
_IS_DUE = (PhoneRow.campaign_id == bindparam("campaign"), PhoneRow.due_at <= bindparam("now"))
_MAY_RING = (
    CaseRow.status == CaseStatus.OPEN.value,
    households.is_quiet(CaseRow.id, CaseRow.household_key),
)


def _rank_by_rank() -> Subquery:
    """SQLite walks through the index by itself if it is told the ranks."""
    ranks = [literal_column(str(rank), Integer) for rank in range(priority.LAST + 1)]
    order = (PhoneRow.rank, PhoneRow.due_at, PhoneRow.id)
    return (
        select(*_PHONE, CaseRow.reference, CaseRow.household_key)
        .join(CaseRow, CaseRow.id == PhoneRow.case_id)
        .where(*_IS_DUE, *_MAY_RING, PhoneRow.rank.in_(ranks))
        .order_by(*order)
        .limit(_LIMIT)
        .subquery("due")
    )


def _named() -> Subquery:
    return (
        select(*_PHONE, CaseRow.reference, CaseRow.household_key)
        .join(CaseRow, CaseRow.id == PhoneRow.case_id)
        .where(*_IS_DUE, *_MAY_RING, PhoneRow.id.in_(bindparam("phones", expanding=True)))
        .subquery("due")
    )


def _each_rank() -> Subquery:
    """PostgreSQL has to be told to ask rank after rank for its first phones, until it has enough."""
    numbers = func.generate_series(0, literal_column(str(priority.LAST)))
    number = numbers.table_valued("rank").render_derived()
    # in order already: with an order still to be made every rank would be asked
    ranks = select(number.c.rank).order_by(number.c.rank).subquery()
    # OFFSET 0 keeps the case apart: PostgreSQL takes a quiet one for rare, and else would begin with
    # all cases and sort their phones
    its_case = (
        select(CaseRow.reference, CaseRow.household_key)
        .where(CaseRow.id == PhoneRow.case_id, *_MAY_RING)
        .offset(literal_column("0", Integer))
        .lateral()
    )
    first = (
        select(*_PHONE, its_case.c.reference, its_case.c.household_key)
        .join(its_case, true())
        .where(*_IS_DUE, PhoneRow.rank == ranks.c.rank)
        .order_by(PhoneRow.due_at, PhoneRow.id)
        .limit(_LIMIT)
        .lateral()
    )
    order = (ranks.c.rank, first.c.due_at, first.c.id)
    joined = select(first).select_from(ranks.join(first, true()))
    return joined.order_by(*order).limit(_LIMIT).subquery("due")


def _with_last_calls(due: Subquery) -> Select[Any]:
    # one look into an index for each of the others, whatever the database knows of their numbers
    last = select(func.max(Attempt.placed_at, type_=Attempt.placed_at.type))
    of_case = last.where(Attempt.case_id == CaseRow.id).scalar_subquery()
    of_household = select(func.max(of_case, type_=of_case.type)).where(
        CaseRow.household_key == due.c.household_key, CaseRow.id != due.c.case_id
    )
    own, other = aliased(PhoneRow), aliased(PhoneRow)
    of_sharer = last.where(Attempt.case_id == other.case_id).scalar_subquery()
    of_number = select(func.max(of_sharer, type_=of_sharer.type)).where(
        other.number_key == own.number_key, other.case_id != own.case_id
    )
    of_sharers = select(func.max(of_number.scalar_subquery(), type_=of_sharer.type)).where(
        own.case_id == due.c.case_id
    )
    return select(
        due,
        of_household.scalar_subquery().label("household_call"),
        of_sharers.scalar_subquery().label("sharer_call"),
    ).order_by(due.c.rank, due.c.due_at, due.c.id)


# Those due are one stretch of the index `ix_phone_due` for each rank, not one for all: a search that did
# not skip from rank to rank would walk through all that are not due yet.
_DUE = {
    "sqlite": _with_last_calls(_rank_by_rank()),
    "postgresql": _with_last_calls(_each_rank()),
}
_STILL_DUE = _with_last_calls(_named())

"""What the service wrote down of its calls, as rows: one per attempt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

from sqlalchemy import ColumnElement, Integer, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import callback_rows
from db.callback_rows import CallbackRow
from db.results import is_current, result_of
from db.tables import Attempt, CallbackChange, CaseRow, PhoneRow, ResultRow
from dialer.explain import explained
from rules.callback_end import CameTo
from rules.callback_state import State
from rules.case import Result
from rules.outcome import is_contact
from rules.profile import Profile

_WRITTEN: ColumnElement[int] = literal_column("attempt.rowid", Integer)
"""Calls of one moment, in the order in which they were written down: the town's database is SQLite."""
_ALWAYS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One attempt of the service's ledger."""

    attempt_id: str
    case_id: int
    number: str
    placed_at: datetime
    reserved: bool
    """An operator was held for it."""
    outcomes: int
    """How many first results it has: must be one."""
    result: Result | None
    """As last corrected."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallerRecord:
    """One callback of the service's ledger."""

    id: str
    arrived_at: datetime
    number: str | None
    """As dialled in Japan; None: withheld."""
    came_to: CameTo
    talks: int
    """How often an operator was put through."""
    assigned_at: datetime | None
    """When the first operator was found; None: none was."""
    waited: tuple[datetime, datetime] | None
    """In line, the first time; None: never."""
    unrecorded: bool
    """Somebody talked with them, and it is not recorded what came of it."""


async def all_records(session: AsyncSession) -> list[Record]:
    """Every attempt in the order in which they were placed."""
    first = (
        select(func.count())
        .where(ResultRow.attempt_id == Attempt.id, ResultRow.replaces_id.is_(None))
        .correlate(Attempt)
        .scalar_subquery()
    )
    query = (
        select(Attempt, PhoneRow.number, first, ResultRow)
        .join(PhoneRow, PhoneRow.id == Attempt.phone_id)
        .outerjoin(ResultRow, (ResultRow.attempt_id == Attempt.id) & is_current())
        .order_by(Attempt.placed_at, _WRITTEN)
    )
    return [
        Record(
            attempt_id=attempt.id,
            case_id=attempt.case_id,
            number=number,
            placed_at=attempt.placed_at,
            reserved=attempt.miss is None,
            outcomes=outcomes,
            result=None if row is None else result_of(row),
        )
        for attempt, number, outcomes, row in await session.execute(query)
    ]


async def all_callers(session: AsyncSession) -> list[CallerRecord]:
    """Every callback in order of time."""
    rows = await callback_rows.between(session, *_ALWAYS)
    changes: dict[str, list[CallbackChange]] = defaultdict(list)
    for change in await session.scalars(select(CallbackChange).order_by(CallbackChange.seq)):
        changes[change.callback_id].append(change)
    return [_caller(row, changes[row.id]) for row in rows]


def _caller(row: CallbackRow, changes: Sequence[CallbackChange]) -> CallerRecord:
    begun = [change.at for change in changes if change.state == State.WAITING]
    assigned = [change.at for change in changes if change.state == State.JOINING]
    waited = None
    if begun and row.waited_s is not None:
        waited = (begun[0], begun[0] + timedelta(seconds=row.waited_s))
    return CallerRecord(
        id=row.id,
        arrived_at=row.arrived_at,
        number=row.number,
        came_to=row.came_to,
        talks=sum(change.state == State.TALKING for change in changes),
        assigned_at=assigned[0] if assigned else None,
        waited=waited,
        unrecorded=row.unrecorded,
    )


async def all_refused(
    session: AsyncSession, numbers: Iterable[str], moments: Iterable[datetime]
) -> frozenset[tuple[str, datetime]]:
    """The numbers that no case of theirs let the service call at which of the moments, by the rules and
    what was known then; a case in a call is not called either."""
    looks = sorted(set(moments))
    query = (
        select(PhoneRow.number, PhoneRow.position, CaseRow)
        .join(CaseRow, CaseRow.id == PhoneRow.case_id)
        .where(PhoneRow.number.in_(numbers))
    )
    rows = (await session.execute(query)).all()
    allowed = {
        (row.number, at)
        for row, at in product(rows, looks)
        if await _is_allowed(session, row.CaseRow, row.position, at)
    }
    return frozenset(product((row.number for row in rows), looks)) - allowed


async def _is_allowed(session: AsyncSession, case: CaseRow, position: int, at: datetime) -> bool:
    told = await explained(session, case, at, now=at)
    [phone] = [phone for phone in told.phones if phone.position == position]
    return phone.allowed and told.call_in_flight is None


async def case_states(session: AsyncSession) -> dict[str, int]:
    """How many cases have which status."""
    query = select(CaseRow.status, func.count()).group_by(CaseRow.status)
    return {status: count for status, count in await session.execute(query)}


def contact_rate(records: Sequence[Record], profile: Profile) -> float:
    """Distinct cases with a contact ÷ distinct cases called (rule 14); 0 before the first call."""
    called = {record.case_id for record in records}
    reached = {
        record.case_id
        for record in records
        if record.result is not None
        and is_contact(profile.outcomes[record.result.outcome], record.result)
    }
    return len(reached) / len(called) if called else 0.0

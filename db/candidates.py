"""Which phone next: those due, the lowest rank first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import Attempt, CallInFlight, CaseRow, PhoneRow, table_of
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
    number_key: str
    household_key: str
    household_last_call: datetime | None
    """When another case that shares the household or this number was last called (rule 10)."""


async def due(
    session: AsyncSession, campaign_id: int, now: datetime, limit: int
) -> list[Candidate]:
    """At most `limit` phones of open cases that are due, without those of a call in flight.

    A phone whose household is being called already is left out: its turn comes afterwards.
    """
    asked = {"campaign": campaign_id, "now": now, "limit": limit}
    rows = list(await session.execute(_DUE, asked))
    households = await _last_calls(session, _BY_HOUSEHOLD, {row.household_key for row in rows})
    numbers = await _last_calls(session, _BY_NUMBER, {row.number_key for row in rows})
    return [
        Candidate(
            phone_id=row.id,
            case_id=row.case_id,
            reference=row.reference,
            number=row.number,
            kind=PhoneKind(row.kind),
            number_key=row.number_key,
            household_key=row.household_key,
            household_last_call=_latest_of_others(
                row.case_id, households[row.household_key] + numbers[row.number_key]
            ),
        )
        for row in rows
    ]


async def put_off(session: AsyncSession, phone_id: int, until: datetime) -> None:
    """The phone is not due before `until`, for a reason that is not the case's own (rule 10)."""
    await session.execute(
        update(table_of(PhoneRow))
        .where(PhoneRow.id == phone_id, PhoneRow.due_at < until)
        .values(due_at=until)
    )


_DUE = (
    select(
        PhoneRow.id,
        PhoneRow.case_id,
        PhoneRow.number,
        PhoneRow.kind,
        PhoneRow.number_key,
        CaseRow.reference,
        CaseRow.household_key,
    )
    .join(CaseRow, CaseRow.id == PhoneRow.case_id)
    .where(
        PhoneRow.campaign_id == bindparam("campaign"),
        PhoneRow.due_at <= bindparam("now"),
        CaseRow.status == CaseStatus.OPEN.value,
        PhoneRow.case_id.not_in(select(CallInFlight.case_id)),
        PhoneRow.number_key.not_in(select(CallInFlight.number_key)),
        CaseRow.household_key.not_in(select(CallInFlight.household_key)),
    )
    .order_by(PhoneRow.rank, PhoneRow.due_at, PhoneRow.id)
    .limit(bindparam("limit", type_=Integer))
)
_LAST = func.max(Attempt.placed_at, type_=Attempt.placed_at.type)
_BY_HOUSEHOLD = (
    select(CaseRow.household_key.label("key"), Attempt.case_id, _LAST.label("at"))
    .join(CaseRow, CaseRow.id == Attempt.case_id)
    .where(CaseRow.household_key.in_(bindparam("keys", expanding=True)))
    .group_by(CaseRow.household_key, Attempt.case_id)
)
_BY_NUMBER = (
    select(PhoneRow.number_key.label("key"), Attempt.case_id, _LAST.label("at"))
    .join(PhoneRow, PhoneRow.id == Attempt.phone_id)
    .where(PhoneRow.number_key.in_(bindparam("keys", expanding=True)))
    .group_by(PhoneRow.number_key, Attempt.case_id)
)

_Calls = list[tuple[int, datetime]]


async def _last_calls(
    session: AsyncSession, query: Select[str, int, datetime], keys: set[str]
) -> defaultdict[str, _Calls]:
    """By key: each case called under it, with its last call."""
    found: defaultdict[str, _Calls] = defaultdict(list)
    for row in await session.execute(query, {"keys": list(keys)}):
        found[row.key].append((row.case_id, row.at))
    return found


def _latest_of_others(case_id: int, calls: Iterable[tuple[int, datetime]]) -> datetime | None:
    return max((at for other, at in calls if other != case_id), default=None)

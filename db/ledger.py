"""The ledger of attempts: written before Originate, only ever added to.

`place` is the promise of "at most once": the attempt's row, its first change and its place among the
calls in flight are committed together before anything leaves the house, and the keys of
`call_in_flight` refuse a second call to the phone, case, number or household until the attempt has
its outcome.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Date, Double, Select, String, bindparam, delete, exists, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from db.campaigns import CampaignState
from db.errors import AlreadyInFlightError, NotCallableError
from db.insert import insert_or_ignore
from db.tables import (
    Attempt,
    AttemptChange,
    CallInFlight,
    Campaign,
    CaseRow,
    EmergencyStop,
    ExcludedDay,
    PhoneRow,
    table_of,
)
from db.types import Moment
from rules.calendar import JST
from rules.call_state import State
from rules.case import CaseStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One change of an attempt's state."""

    attempt_id: str
    seq: int
    """0 is `placed`, written by `place`; the caller numbers the others upwards without reuse."""
    at: datetime
    state: State
    operator_id: str | None = None
    cause: int | None = None
    """Q.850, on the last change."""
    ring_ms: int | None = None
    """Milliseconds of ringing, on the change that ended it."""
    early_media: bool | None = None
    """On the last change: an announcement was heard before any answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InFlight:
    """An attempt that has no outcome yet, with what the ledger knows of it."""

    attempt_id: str
    campaign_id: int
    case_id: int
    phone_id: int
    placed_at: datetime
    changes: tuple[Change, ...]
    """Oldest first; the first one is `placed`."""

    @property
    def ended(self) -> bool:
        """The call is over, only its result is missing."""
        return self.changes[-1].state is State.ENDED


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """An attempt in which an operator talked: what a result of it is checked against."""

    campaign_id: int
    case_id: int
    phone_id: int
    placed_at: datetime
    operator_id: str
    """Who talked last."""
    ring_s: float | None
    """Seconds of ringing; None: it did not ring."""


_callable_phone = (
    select(
        bindparam("attempt", type_=String),
        PhoneRow.campaign_id,
        PhoneRow.case_id,
        PhoneRow.id,
        bindparam("placed", type_=Moment),
        bindparam("caller", type_=String),
        bindparam("chance", type_=Double),
        bindparam("miss", type_=Double),
    )
    .join(CaseRow, CaseRow.id == PhoneRow.case_id)
    .join(Campaign, Campaign.id == PhoneRow.campaign_id)
    .where(
        PhoneRow.id == bindparam("phone"),
        PhoneRow.due_at.is_not(None),
        CaseRow.status == CaseStatus.OPEN.value,
        Campaign.state == CampaignState.RUNNING.value,
        ~exists().where(EmergencyStop.lifted_at.is_(None)),
        ~exists().where(
            ExcludedDay.campaign_id == PhoneRow.campaign_id,
            ExcludedDay.day == bindparam("day", type_=Date),
        ),
    )
)
_insert_attempt = insert(table_of(Attempt)).from_select(
    ["id", "campaign_id", "case_id", "phone_id", "placed_at", "caller_id", "chance", "miss"],
    _callable_phone,
)
_insert_change = insert(table_of(AttemptChange))
_insert_in_flight = insert(table_of(CallInFlight)).from_select(
    ["attempt_id", "phone_id", "case_id", "number_key", "household_key"],
    select(
        bindparam("attempt", type_=String),
        PhoneRow.id,
        PhoneRow.case_id,
        PhoneRow.number_key,
        CaseRow.household_key,
    )
    .join(CaseRow, CaseRow.id == PhoneRow.case_id)
    .where(PhoneRow.id == bindparam("phone")),
)


async def place(
    session: AsyncSession,
    *,
    attempt_id: str,
    phone_id: int,
    placed_at: datetime,
    caller_id: str,
    chance: float | None = None,
    miss: float | None = None,
) -> None:
    """Write down a call that is about to be originated; commit before Originate.

    What was true when the candidate was chosen is looked at again here, in the same transaction:
    a stop order, a day taken out, a pause or another call may have come in between.

    Args:
        chance: probability that a person answers it, as believed now.
        miss: probability that nobody would be free for that person, as believed now.

    Raises:
        NotCallableError: case, campaign, phone, day or an emergency stop does not allow it any more.
        AlreadyInFlightError: a call to the phone, case, number or household is alive. The
            transaction is lost; nothing of it may be committed.
    """
    values = {"attempt": attempt_id, "phone": phone_id}
    first = Change(attempt_id=attempt_id, seq=0, at=placed_at, state=State.PLACED)

    def write(session: Session) -> None:
        connection = session.connection()
        day = placed_at.astimezone(JST).date()
        placed = {**values, "placed": placed_at, "day": day, "caller": caller_id}
        placed |= {"chance": chance, "miss": miss}
        if connection.execute(_insert_attempt, placed).rowcount == 0:
            raise NotCallableError(f"phone {phone_id}: not callable any more")
        try:
            connection.execute(_insert_in_flight, values)
        except IntegrityError:
            raise AlreadyInFlightError(f"phone {phone_id}: a call is in flight already") from None
        connection.execute(_insert_change, _row(first))

    await session.run_sync(write)


async def record(session: AsyncSession, changes: Iterable[Change]) -> None:
    """Add changes to the ledger; those that are there already are left as they are."""
    rows = [_row(change) for change in changes]
    await session.run_sync(
        lambda session: insert_or_ignore(session.connection(), table_of(AttemptChange), rows)
    )


def _row(change: Change) -> dict[str, Any]:
    return asdict(change) | {"state": change.state.value}


async def finish(session: AsyncSession, attempt_ids: Iterable[str]) -> None:
    """Take attempts whose result is saved from those in flight; in the result's transaction."""
    await session.execute(_FINISH, {"ids": list(attempt_ids)})


async def in_flight(session: AsyncSession) -> list[InFlight]:
    """Every attempt without an outcome, oldest first: those alive and those only to be recorded."""
    query = select(Attempt).join(CallInFlight, CallInFlight.attempt_id == Attempt.id)
    attempts = list(await session.scalars(query.order_by(Attempt.placed_at, Attempt.id)))
    changes = await _changes(session, _CHANGES_IN_FLIGHT, {})
    return [
        InFlight(
            attempt_id=row.id,
            campaign_id=row.campaign_id,
            case_id=row.case_id,
            phone_id=row.phone_id,
            placed_at=row.placed_at,
            changes=changes[row.id],
        )
        for row in attempts
    ]


async def talk(session: AsyncSession, attempt_id: str) -> Talk | None:
    """The talk of an attempt; None: no such attempt, or no operator talked in it."""
    row = await session.get(Attempt, attempt_id)
    changes = await changes_of(session, attempt_id)
    talks = [change for change in changes if change.state is State.TALKING]
    if row is None or not talks or talks[-1].operator_id is None:
        return None
    rings = [change.ring_ms for change in changes if change.ring_ms is not None]
    return Talk(
        campaign_id=row.campaign_id,
        case_id=row.case_id,
        phone_id=row.phone_id,
        placed_at=row.placed_at,
        operator_id=talks[-1].operator_id,
        ring_s=rings[0] / 1000 if rings else None,
    )


async def changes_of(session: AsyncSession, attempt_id: str) -> tuple[Change, ...]:
    """All changes of one attempt, oldest first."""
    changes = await _changes(session, _CHANGES_OF, {"attempt": attempt_id})
    return changes.get(attempt_id, ())


_CHANGES = select(table_of(AttemptChange)).order_by(AttemptChange.attempt_id, AttemptChange.seq)
_CHANGES_OF = _CHANGES.where(AttemptChange.attempt_id == bindparam("attempt"))
_CHANGES_IN_FLIGHT = _CHANGES.where(
    exists().where(CallInFlight.attempt_id == AttemptChange.attempt_id)
)
_FINISH = delete(table_of(CallInFlight)).where(
    CallInFlight.attempt_id.in_(bindparam("ids", expanding=True))
)


async def _changes(
    session: AsyncSession, query: Select[Any], asked: dict[str, Any]
) -> dict[str, tuple[Change, ...]]:
    rows = [
        Change(**dict(row) | {"state": State(row["state"])})
        for row in (await session.execute(query, asked)).mappings()
    ]
    grouped = groupby(rows, key=lambda change: change.attempt_id)
    return {attempt_id: tuple(group) for attempt_id, group in grouped}

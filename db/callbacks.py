"""Callbacks on record: written behind, in the order in which things happened; only ever added to.

A callback is in hand from its arrival until it has ended and, after a talk, until its result is saved or it
is closed without a case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from db.campaigns import CampaignState
from db.errors import NotFoundError
from db.insert import insert_if_new, insert_or_ignore
from db.tables import (
    Attempt,
    Callback,
    CallbackCase,
    CallbackChange,
    CallbackInHand,
    CallbackMessage,
    CallbackNote,
    CalledBack,
    Campaign,
    CaseRow,
    PhoneRow,
    table_of,
)
from rules.callback_state import State
from rules.case import CaseStatus, PhoneStatus


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Arrived:
    """A callback that began. No repr: the number is personal."""

    id: str
    arrived_at: datetime
    called: str
    """The number of ours that was dialled, as it came in."""
    number: str | None
    """The caller's, trunk 0 first; None: withheld or unknown."""
    number_key: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """One change of a callback's state."""

    callback_id: str
    seq: int
    """From 1 on, without reuse."""
    at: datetime
    state: State
    operator_id: str | None = None
    detail: str | None = None
    """At the end the state before it; else what the dialplan told."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class InHand:
    """A callback somebody still has to do with, as far as it is on record."""

    arrived: Arrived
    changes: tuple[Moved, ...]
    """Oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A phone of a case that is called now."""

    campaign_id: int
    case_id: int
    phone_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """A callback in which an operator talked."""

    operator_id: str
    """Who talked last."""
    arrived_at: datetime


# written behind -----------------------------------------------------------------------------------


async def take(session: AsyncSession, arrivals: Iterable[Arrived]) -> None:
    """Write down callbacks that began, and that they are in hand; one that is on record stays as it is."""
    rows = [asdict(arrived) for arrived in arrivals]

    def write(session: Session) -> None:
        connection = session.connection()
        new = [row["id"] for row in rows if insert_if_new(connection, table_of(Callback), row)]
        if new:
            in_hand = [{"callback_id": callback_id} for callback_id in new]
            connection.execute(insert(table_of(CallbackInHand)), in_hand)

    await session.run_sync(write)


async def record(session: AsyncSession, changes: Iterable[Moved]) -> None:
    """Add changes; those that are there already are left as they are."""
    rows = [asdict(change) | {"state": change.state.value} for change in changes]
    await session.run_sync(
        lambda session: insert_or_ignore(session.connection(), table_of(CallbackChange), rows)
    )


async def add_message(
    session: AsyncSession, callback_id: str, *, file: str, seconds: int, at: datetime
) -> None:
    """The message a caller left; one that is on record stays as it is."""
    row = {"callback_id": callback_id, "file": file, "seconds": seconds, "at": at}
    await _add(session, CallbackMessage, row)


async def not_reached(
    session: AsyncSession, callback_id: str, place: Place | None, *, at: datetime, asked: bool
) -> bool:
    """The caller reached no operator; the case must be refreshed in the same transaction.

    Args:
        place: the phone they are to be called on; None: nobody of ours has that number.

    Returns:
        False: that was on record already, and nothing was changed.
    """
    row = {
        "callback_id": callback_id,
        "case_id": place.case_id if place else None,
        "phone_id": place.phone_id if place else None,
        "at": at,
        "asked": asked,
    }
    return await _add(session, CalledBack, row)


async def finish(session: AsyncSession, callback_ids: Iterable[str]) -> None:
    """Nobody has to do with these callbacks any more."""
    await session.execute(_FINISH, {"ids": list(callback_ids)})


# what an operator does with one ---------------------------------------------------------------------


async def identified(
    session: AsyncSession, callback_id: str, case_id: int, *, at: datetime, by: str
) -> None:
    """An operator opened a case for the caller.

    Raises:
        NotFoundError: there is no such case.
    """
    if await session.get(CaseRow, case_id) is None:
        raise NotFoundError(f"case {case_id}: does not exist")
    row = {"callback_id": callback_id, "case_id": case_id, "at": at, "by": by}
    await session.execute(insert(table_of(CallbackCase)), row)


async def case_of(session: AsyncSession, callback_id: str) -> int | None:
    """The case that was identified last; None: none was."""
    return await session.scalar(_IDENTIFIED, {"callback": callback_id})


async def close(
    session: AsyncSession, callback_id: str, *, kind: str, note: str, at: datetime, by: str
) -> bool:
    """Close a callback without a case; False: that was done already, and nothing was changed."""
    row = {"callback_id": callback_id, "kind": kind, "note": note, "at": at, "by": by}
    return await _add(session, CallbackNote, row)


async def note_of(session: AsyncSession, callback_id: str) -> CallbackNote | None:
    """How it was closed without a case; None: it was not."""
    return await session.get(CallbackNote, callback_id)


# what is asked --------------------------------------------------------------------------------------


async def in_hand(session: AsyncSession) -> list[InHand]:
    """Every callback somebody still has to do with, in the order of arrival."""
    rows = list(await session.scalars(_IN_HAND))
    changes: dict[str, list[Moved]] = defaultdict(list)
    for row in (await session.execute(_CHANGES_IN_HAND)).mappings():
        moved = Moved(**dict(row) | {"state": State(row["state"])})
        changes[moved.callback_id].append(moved)
    return [
        InHand(
            arrived=Arrived(
                id=row.id,
                arrived_at=row.arrived_at,
                called=row.called,
                number=row.number,
                number_key=row.number_key,
            ),
            changes=tuple(changes[row.id]),
        )
        for row in rows
    ]


async def on_record(session: AsyncSession, callback_ids: Sequence[str]) -> set[str]:
    """Those of the ids that are on record."""
    return set(await session.scalars(select(Callback.id).where(Callback.id.in_(callback_ids))))


async def talk(session: AsyncSession, callback_id: str) -> Talk | None:
    """The talk of a callback; None: no such callback, or nobody talked in it."""
    row = (await session.execute(_TALK, {"callback": callback_id})).first()
    return Talk(operator_id=row.operator_id, arrived_at=row.arrived_at) if row else None


async def place_of(session: AsyncSession, number_key: str) -> Place | None:
    """The phone with this number of an open case of a month that is called; None: there is none.

    Who calls while it is paused is called when it goes on. Of several the one that was
    called last: its call is what is answered.
    """
    row = (await session.execute(_PLACES, {"number": number_key})).first()
    if row is None:
        return None
    return Place(campaign_id=row.campaign_id, case_id=row.case_id, phone_id=row.id)


async def wished(session: AsyncSession, callback_id: str) -> Place | None:
    """The phone on which the caller asked to be called back; None: they did not, or it is nobody's."""
    row = (await session.execute(_WISHED, {"callback": callback_id})).first()
    if row is None:
        return None
    return Place(campaign_id=row.campaign_id, case_id=row.case_id, phone_id=row.phone_id)


async def arrived_since(session: AsyncSession, since: datetime) -> list[datetime]:
    """When callbacks arrived from a moment on."""
    query = select(Callback.arrived_at).where(Callback.arrived_at >= since)
    return list(await session.scalars(query.order_by(Callback.arrived_at)))


async def _add(session: AsyncSession, model: Any, row: dict[str, Any]) -> bool:
    return await session.run_sync(
        lambda session: insert_if_new(session.connection(), table_of(model), row)
    )


_FINISH = delete(table_of(CallbackInHand)).where(
    CallbackInHand.callback_id.in_(bindparam("ids", expanding=True))
)
_IN_HAND = (
    select(Callback)
    .join(CallbackInHand, CallbackInHand.callback_id == Callback.id)
    .order_by(Callback.arrived_at, Callback.id)
)
_CHANGES_IN_HAND = (
    select(table_of(CallbackChange))
    .where(exists().where(CallbackInHand.callback_id == CallbackChange.callback_id))
    .order_by(CallbackChange.callback_id, CallbackChange.seq)
)
_IDENTIFIED = (
    select(CallbackCase.case_id)
    .where(CallbackCase.callback_id == bindparam("callback"))
    .order_by(CallbackCase.id.desc())
    .limit(1)
)
_TALK = (
    select(CallbackChange.operator_id, Callback.arrived_at)
    .join(Callback, Callback.id == CallbackChange.callback_id)
    .where(
        CallbackChange.callback_id == bindparam("callback"),
        CallbackChange.state == State.TALKING.value,
        CallbackChange.operator_id.is_not(None),
    )
    .order_by(CallbackChange.seq.desc())
    .limit(1)
)
_last_call = (
    select(func.max(Attempt.placed_at)).where(Attempt.phone_id == PhoneRow.id).scalar_subquery()
)
_PLACES = (
    select(PhoneRow.id, PhoneRow.case_id, PhoneRow.campaign_id)
    .join(CaseRow, CaseRow.id == PhoneRow.case_id)
    .join(Campaign, Campaign.id == PhoneRow.campaign_id)
    .where(
        PhoneRow.number_key == bindparam("number"),
        PhoneRow.status == PhoneStatus.OPEN.value,
        CaseRow.status == CaseStatus.OPEN.value,
        Campaign.state.in_((CampaignState.RUNNING.value, CampaignState.PAUSED.value)),
    )
    .order_by(_last_call.is_(None), _last_call.desc(), PhoneRow.id)
    .limit(1)
)
_WISHED = (
    select(CalledBack.case_id, CalledBack.phone_id, PhoneRow.campaign_id)
    .join(PhoneRow, PhoneRow.id == CalledBack.phone_id)
    .where(CalledBack.callback_id == bindparam("callback"), CalledBack.asked)
)

"""What callers left for us to do: to be called back, and messages to be heard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db import callbacks
from db.callbacks import Place
from db.campaigns import CampaignState
from db.errors import ConflictError, NotFoundError
from db.results import is_current
from db.tables import (
    Attempt,
    Callback,
    CallbackChange,
    CallbackMessage,
    CallbackNote,
    CalledBack,
    Campaign,
    CaseRow,
    PhoneRow,
    ResultRow,
    table_of,
)
from rules.call_outcome import ABANDONED, CANCELLED, FAILED
from rules.callback_state import WAITS, State
from rules.case import CaseStatus

DONE = "done"
"""`callback_note.kind` of a wish that a supervisor has settled."""
_CAME_TO_NOTHING = (ABANDONED, CANCELLED, FAILED)
"""Outcomes of calls in which nobody of ours was there for the person: the wish stands."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Wish:
    """A caller who waits to be called back. No repr: the number is personal."""

    callback_id: str
    at: datetime
    number: str | None
    reference: str | None
    """整理番号 of the case with that number."""
    status: CaseStatus | None
    is_called: bool
    """The case is open in a month that is called: the rules call it at the wish. The others wait for a
    supervisor."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """The place in line of a caller who asked to be called back instead of waiting."""

    callback_id: str
    arrived_at: datetime
    place: Place
    """The phone they are called on."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Message:
    """A message a caller left. No repr: the number is personal."""

    callback_id: str
    at: datetime
    number: str | None
    reference: str | None
    """整理番号 of the newest case with that number."""
    file: str
    """Name in `asterisk.messages_dir`."""
    seconds: int
    heard_at: datetime | None
    heard_by: str | None


async def wishes(session: AsyncSession) -> list[Wish]:
    """The callers who asked to be called back and were not yet, nor talked with since, the oldest first."""
    found = []
    for row in await session.execute(_WISHES):
        case = await _case_with(session, row.number_key) if row.case_id is None else row
        found.append(
            Wish(
                callback_id=row.id,
                at=row.at,
                number=row.number,
                reference=case.reference if case else None,
                status=CaseStatus(case.status) if case else None,
                is_called=case is not None
                and (case.status, case.state) == (CaseStatus.OPEN, CampaignState.RUNNING),
            )
        )
    return found


async def places(session: AsyncSession) -> list[Kept]:
    """The places in line of those of the `wishes` whose month is called, or paused; by their arrival."""
    called = (CampaignState.RUNNING, CampaignState.PAUSED)
    found = [
        Kept(
            callback_id=row.id,
            arrived_at=row.arrived_at,
            place=Place(campaign_id=row.campaign_id, case_id=row.case_id, phone_id=row.phone_id),
        )
        for row in await session.execute(_WISHES)
        if row.phone_id is not None and row.status == CaseStatus.OPEN and row.state in called
    ]
    return sorted(found, key=lambda one: one.arrived_at)


async def messages(session: AsyncSession, *, only_new: bool = False) -> list[Message]:
    """The messages, the oldest first.

    Args:
        only_new: those nobody has heard.
    """
    query = _MESSAGES.where(CallbackMessage.heard_at.is_(None)) if only_new else _MESSAGES
    return [Message(**row) for row in (await session.execute(query)).mappings()]


async def heard(session: AsyncSession, callback_id: str, *, at: datetime, by: str) -> None:
    """Somebody heard the message; who heard it first stays on record.

    Raises:
        NotFoundError: the callback has no message.
    """
    if await session.get(CallbackMessage, callback_id) is None:
        raise NotFoundError(f"callback {callback_id}: has no message")
    await session.execute(
        update(table_of(CallbackMessage))
        .where(CallbackMessage.callback_id == callback_id, CallbackMessage.heard_at.is_(None))
        .values(heard_at=at, heard_by=by)
    )


async def done(session: AsyncSession, callback_id: str, *, at: datetime, by: str) -> None:
    """A supervisor has settled a wish that the rules do not call for.

    Raises:
        NotFoundError: nobody asked to be called back in this callback.
        ConflictError: the wish is of a case that is called for it.
    """
    wish = next((one for one in await wishes(session) if one.callback_id == callback_id), None)
    if wish is None:
        raise NotFoundError(
            f"callback {callback_id}: no wish to be called back waits; see `wishes`"
        )
    if wish.is_called:
        raise ConflictError(f"callback {callback_id}: case {wish.reference} is called for it")
    await callbacks.close(session, callback_id, kind=DONE, note="", at=at, by=by)


async def _case_with(session: AsyncSession, number_key: str | None) -> Any:
    """How the newest case with this number stands; None: there is none."""
    query = (
        select(CaseRow.reference, CaseRow.status, Campaign.state)
        .join(PhoneRow, PhoneRow.case_id == CaseRow.id)
        .join(Campaign, Campaign.id == CaseRow.campaign_id)
        .where(PhoneRow.number_key == number_key)
        .order_by(CaseRow.id.desc())
        .limit(1)
    )
    return (await session.execute(query)).one_or_none()


_later = aliased(Callback)
_called_since = exists().where(
    Attempt.case_id == CalledBack.case_id,
    Attempt.placed_at >= CalledBack.at,
    ~exists().where(
        ResultRow.attempt_id == Attempt.id,
        is_current(),
        ResultRow.outcome.in_(_CAME_TO_NOTHING),
    ),
)
_waited_again = aliased(CallbackChange)
_talked_since = exists().where(
    _later.number_key == Callback.number_key,
    _later.arrived_at > Callback.arrived_at,
    CallbackChange.callback_id == _later.id,
    CallbackChange.state == State.TALKING.value,
    # a talk that broke off, or never was one
    ~exists().where(
        _waited_again.callback_id == CallbackChange.callback_id,
        _waited_again.seq > CallbackChange.seq,
        _waited_again.state.in_([state.value for state in WAITS]),
    ),
)
_WISHES = (
    select(
        Callback.id,
        Callback.arrived_at,
        CalledBack.at,
        Callback.number,
        Callback.number_key,
        CalledBack.case_id,
        CalledBack.phone_id,
        CaseRow.campaign_id,
        CaseRow.reference,
        CaseRow.status,
        Campaign.state,
    )
    .join(Callback, Callback.id == CalledBack.callback_id)
    .outerjoin(CaseRow, CaseRow.id == CalledBack.case_id)
    .outerjoin(Campaign, Campaign.id == CaseRow.campaign_id)
    .where(
        CalledBack.asked,
        ~exists().where(CallbackNote.callback_id == Callback.id),
        ~_called_since,
        ~_talked_since,
    )
    .order_by(CalledBack.at, Callback.id)
)
_reference = (
    select(CaseRow.reference)
    .join(PhoneRow, PhoneRow.case_id == CaseRow.id)
    .where(PhoneRow.number_key == Callback.number_key)
    .order_by(CaseRow.id.desc())
    .limit(1)
    .scalar_subquery()
)
_MESSAGES = (
    select(table_of(CallbackMessage), Callback.number, _reference.label("reference"))
    .join(Callback, Callback.id == CallbackMessage.callback_id)
    .order_by(CallbackMessage.at, CallbackMessage.callback_id)
)

"""Callbacks for lists and reports: one row each, with what it came to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.results import is_current, result_of
from db.tables import (
    Callback,
    CallbackCase,
    CallbackChange,
    CallbackMessage,
    CallbackNote,
    CaseRow,
    ResultRow,
)
from rules.callback_end import CameTo, came_to, never_talks
from rules.callback_state import WAITS, State
from rules.case import Result

_NOT_SERVED = (*WAITS, State.JOINING)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class CallbackRow:
    """One callback. No repr: the number is personal."""

    id: str
    arrived_at: datetime
    called: str
    """The number of ours that was dialled, as it came in."""
    number: str | None
    """The caller's; None: withheld or unknown."""
    state: State | None
    """None: nothing but its arrival is on record."""
    came_to: CameTo
    waited_s: float | None
    """Seconds in line, the first time; None: they never were in it, or still are."""
    operator_id: str | None
    """Who talked with them last."""
    campaign_id: int | None
    """Of the case."""
    case_id: int | None
    """Identified last."""
    reference: str | None
    result: Result | None
    """As last corrected."""
    closed: str | None
    """How it was closed without a case (`callback_note.kind`)."""

    @property
    def unrecorded(self) -> bool:
        """Somebody talked, and it is not recorded what came of it."""
        return self.came_to is CameTo.TALKED and self.result is None and self.closed is None


async def between(session: AsyncSession, start: datetime, end: datetime) -> list[CallbackRow]:
    """The callbacks that arrived from `start` to before `end`, in order of arrival."""
    span = {"start": start, "end": end}
    changes: dict[str, list[Any]] = defaultdict(list)
    for change in await session.execute(_CHANGES, span):
        changes[change.callback_id].append(change)
    return [_row(row, changes[row.id]) for row in await session.execute(_CALLBACKS, span)]


def _row(row: Any, all_changes: Sequence[Any]) -> CallbackRow:
    nothing = never_talks([(State(change.state), change.at) for change in all_changes])
    changes = [one for place, one in enumerate(all_changes) if place not in nothing]
    states = [State(change.state) for change in changes]
    talks = [change.operator_id for change in changes if change.state == State.TALKING.value]
    return CallbackRow(
        id=row.id,
        arrived_at=row.arrived_at,
        called=row.called,
        number=row.number,
        state=states[-1] if states else None,
        came_to=came_to(states, left_message=row.seconds is not None),
        waited_s=_waited_s(zip(states, (change.at for change in changes), strict=True)),
        operator_id=talks[-1] if talks else None,
        campaign_id=row.campaign_id,
        case_id=row.case_id,
        reference=row.reference,
        result=result_of(row) if row.outcome is not None else None,
        closed=row.kind,
    )


def _waited_s(changes: Iterable[tuple[State, datetime]]) -> float | None:
    since = None
    for state, at in changes:
        if since is None and state in WAITS:
            since = at
        elif since is not None and state not in _NOT_SERVED:
            return (at - since).total_seconds()
    return None


def _of_span(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return query.where(
        Callback.arrived_at >= bindparam("start"), Callback.arrived_at < bindparam("end")
    )


_CHANGES = _of_span(
    select(
        CallbackChange.callback_id,
        CallbackChange.at,
        CallbackChange.state,
        CallbackChange.operator_id,
    )
    .join(Callback, Callback.id == CallbackChange.callback_id)
    .order_by(CallbackChange.callback_id, CallbackChange.seq)
)
_identified = aliased(CallbackCase)
_last_identified = (
    select(func.max(_identified.id)).where(_identified.callback_id == Callback.id).scalar_subquery()
)
_CALLBACKS = _of_span(
    select(
        Callback.id,
        Callback.arrived_at,
        Callback.called,
        Callback.number,
        CallbackMessage.seconds,
        CallbackNote.kind,
        CallbackCase.case_id,
        CaseRow.campaign_id,
        CaseRow.reference,
        ResultRow.outcome,
        ResultRow.script_finished,
        ResultRow.same_household,
        ResultRow.offered,
        ResultRow.appointment,
        ResultRow.scope,
    )
    .outerjoin(CallbackMessage, CallbackMessage.callback_id == Callback.id)
    .outerjoin(CallbackNote, CallbackNote.callback_id == Callback.id)
    .outerjoin(CallbackCase, CallbackCase.id == _last_identified)
    .outerjoin(CaseRow, CaseRow.id == CallbackCase.case_id)
    .outerjoin(ResultRow, (ResultRow.callback_id == Callback.id) & is_current())
    .order_by(Callback.arrived_at, Callback.id)
)

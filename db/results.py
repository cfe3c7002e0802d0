"""Results: one first result per attempt or callback, corrections beside it, the old ones stay on record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from db.errors import ConflictError, NotFoundError
from db.insert import insert_if_new, insert_or_ignore
from db.tables import Attempt, Callback, PhoneRow, ResultRow, table_of
from rules.case import PhoneKind, Result, Scope

BY_LINE = "line"
"""`by` of a result that the line itself told."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Recorded:
    """A result with what was said beside it (§8(2)イ). No repr: promise and note are personal."""

    result: Result
    at: datetime
    """When it was saved; the attempt counts at its `placed_at`."""
    by: str
    """Operator id, or `BY_LINE`."""
    review: bool = False
    """The line's words were unclear: a supervisor looks at it (rule 3)."""
    talk_results: tuple[str, ...] = ()
    """Codes of the profile's talk results (折衝内容)."""
    promise: str | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Past:
    """One earlier call of a case, for the operator's screen."""

    attempt_id: str
    phone_id: int
    phone_kind: PhoneKind
    placed_at: datetime
    recorded: Recorded
    """As last corrected."""


async def save_first(session: AsyncSession, attempt_id: str, recorded: Recorded) -> bool:
    """Save an attempt's first result; the case must be refreshed in the same transaction.

    Returns:
        False: the attempt has a result already, and nothing was changed.

    Raises:
        NotFoundError: there is no such attempt.
    """

    def write(session: Session) -> bool:
        connection = session.connection()
        case_id, _ = _place_of(connection, attempt_id)
        row = _row(case_id, recorded, attempt_id=attempt_id)
        return insert_if_new(connection, table_of(ResultRow), row)

    return await session.run_sync(write)


async def save_first_of_callback(
    session: AsyncSession, callback_id: str, case_id: int, recorded: Recorded
) -> None:
    """Save a callback's first result; the case must be refreshed in the same transaction.

    Raises:
        ConflictError: it has got one at the same moment. The transaction is lost.
    """
    try:
        await session.execute(
            insert(table_of(ResultRow)), _row(case_id, recorded, callback_id=callback_id)
        )
    except IntegrityError:
        raise ConflictError(f"callback {callback_id}: has a result already") from None


async def save_firsts(session: AsyncSession, saved: Iterable[tuple[str, int, Recorded]]) -> None:
    """Save the first results of many attempts (attempt, its case, the result); an attempt that has one
    keeps it. The cases must be refreshed in the same transaction."""
    rows = [
        _row(case_id, recorded, attempt_id=attempt_id) for attempt_id, case_id, recorded in saved
    ]
    await session.run_sync(
        lambda session: insert_or_ignore(session.connection(), table_of(ResultRow), rows)
    )


async def correct(session: AsyncSession, attempt_id: str, recorded: Recorded) -> None:
    """Replace an attempt's result; the case must be refreshed in the same transaction.

    Raises:
        NotFoundError: there is no such attempt, or it has no result yet.
        ConflictError: somebody else corrected it at the same moment. The transaction is lost.
    """

    def write(session: Session) -> None:
        connection = session.connection()
        replaced = connection.scalar(
            select(ResultRow.id).where(ResultRow.attempt_id == attempt_id, is_current())
        )
        if replaced is None:
            raise NotFoundError(f"attempt {attempt_id}: has no result to correct")
        case_id, _ = _place_of(connection, attempt_id)
        _replace(connection, replaced, _row(case_id, recorded, attempt_id=attempt_id))

    await session.run_sync(write)


async def correct_of_callback(session: AsyncSession, callback_id: str, recorded: Recorded) -> None:
    """Replace a callback's result; the case must be refreshed in the same transaction.

    Raises:
        NotFoundError: it has no result yet.
        ConflictError: somebody else corrected it at the same moment. The transaction is lost.
    """

    def write(session: Session) -> None:
        connection = session.connection()
        replaced = connection.execute(
            select(ResultRow.id, ResultRow.case_id).where(
                ResultRow.callback_id == callback_id, is_current()
            )
        ).one_or_none()
        if replaced is None:
            raise NotFoundError(f"callback {callback_id}: has no result to correct")
        row = _row(replaced.case_id, recorded, callback_id=callback_id)
        _replace(connection, replaced.id, row)

    await session.run_sync(write)


def _replace(connection: Connection, replaced: int, row: dict[str, Any]) -> None:
    try:
        connection.execute(insert(table_of(ResultRow)), row | {"replaces_id": replaced})
    except IntegrityError:
        raise ConflictError(f"result {replaced}: corrected by somebody else") from None


async def first_of_callback(session: AsyncSession, callback_id: str) -> datetime | None:
    """When the callback's first result was saved: the moment at which it counts; None: it has none."""
    found: datetime | None = await session.scalar(
        select(ResultRow.at).where(
            ResultRow.callback_id == callback_id, ResultRow.replaces_id.is_(None)
        )
    )
    return found


async def current(session: AsyncSession, attempt_id: str) -> Recorded | None:
    """The attempt's result as last corrected; None: it has none yet."""
    row = (await session.execute(_CURRENT, {"attempt": attempt_id})).one_or_none()
    return _recorded(row) if row else None


async def of_callback(session: AsyncSession, callback_id: str) -> tuple[int, Recorded] | None:
    """The case and the result of a callback as last corrected; None: it has none yet."""
    row = (await session.execute(_OF_CALLBACK, {"callback": callback_id})).one_or_none()
    return (row.case_id, _recorded(row)) if row else None


async def past_calls(session: AsyncSession, case_id: int) -> list[Past]:
    """The case's attempts that have a result, newest first."""
    return [
        Past(
            attempt_id=row.attempt_id,
            phone_id=row.phone_id,
            phone_kind=PhoneKind(row.kind),
            placed_at=row.placed_at,
            recorded=_recorded(row),
        )
        for row in await session.execute(_PAST, {"case": case_id})
    ]


async def past_callbacks(session: AsyncSession, case_id: int) -> list[tuple[datetime, Recorded]]:
    """The case's callbacks that have a result: when each came in and what was recorded, newest first."""
    return [
        (row.arrived_at, _recorded(row))
        for row in await session.execute(_PAST_CALLBACKS, {"case": case_id})
    ]


async def place_of(session: AsyncSession, attempt_id: str) -> tuple[int, int]:
    """Case and phone of an attempt, by id.

    Raises:
        NotFoundError: there is no such attempt.
    """
    return await session.run_sync(lambda session: _place_of(session.connection(), attempt_id))


def _place_of(connection: Connection, attempt_id: str) -> tuple[int, int]:
    row = connection.execute(_PLACE, {"attempt": attempt_id}).one_or_none()
    if row is None:
        raise NotFoundError(f"attempt {attempt_id}: does not exist")
    return row.case_id, row.phone_id


_PLACE = select(Attempt.case_id, Attempt.phone_id).where(Attempt.id == bindparam("attempt"))
_correction = table_of(ResultRow).alias("correction")


def is_current() -> Any:
    """Condition: no other result replaces this one."""
    return ~select(_correction.c.id).where(_correction.c.replaces_id == ResultRow.id).exists()


_CURRENT = select(table_of(ResultRow)).where(
    ResultRow.attempt_id == bindparam("attempt"), is_current()
)
_OF_CALLBACK = select(table_of(ResultRow)).where(
    ResultRow.callback_id == bindparam("callback"), is_current()
)
_PAST = (
    select(table_of(ResultRow), Attempt.phone_id, Attempt.placed_at, PhoneRow.kind)
    .join(Attempt, Attempt.id == ResultRow.attempt_id)
    .join(PhoneRow, PhoneRow.id == Attempt.phone_id)
    .where(ResultRow.case_id == bindparam("case"), is_current())
    .order_by(Attempt.placed_at.desc())
)


_PAST_CALLBACKS = (
    select(table_of(ResultRow), Callback.arrived_at)
    .join(Callback, Callback.id == ResultRow.callback_id)
    .where(ResultRow.case_id == bindparam("case"), is_current())
    .order_by(Callback.arrived_at.desc())
)


def result_of(row: Any) -> Result:
    """The rules' part of a row with the columns of `result`."""
    return Result(
        outcome=row.outcome,
        script_finished=row.script_finished,
        same_household=row.same_household,
        offered=row.offered,
        appointment=row.appointment,
        scope=Scope(row.scope) if row.scope else None,
    )


def _row(
    case_id: int,
    recorded: Recorded,
    *,
    attempt_id: str | None = None,
    callback_id: str | None = None,
) -> dict[str, Any]:
    result = recorded.result
    return {
        "attempt_id": attempt_id,
        "callback_id": callback_id,
        "case_id": case_id,
        "outcome": result.outcome,
        "script_finished": result.script_finished,
        "same_household": result.same_household,
        "offered": result.offered,
        "appointment": result.appointment,
        "scope": result.scope.value if result.scope else None,
        "at": recorded.at,
        "by": recorded.by,
        "review": recorded.review,
        "talk_results": list(recorded.talk_results),
        "promise": recorded.promise,
        "note": recorded.note,
    }


def _recorded(row: Any) -> Recorded:
    return Recorded(
        result=result_of(row),
        at=row.at,
        by=row.by,
        review=row.review,
        talk_results=tuple(row.talk_results),
        promise=row.promise,
        note=row.note,
    )

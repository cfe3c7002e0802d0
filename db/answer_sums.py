"""How attempts came out, for the answer rates; and the sums of a month that outlive it (rule 15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.results import BY_LINE
from db.tables import AnswerSum, Attempt, AttemptChange, PhoneRow, ResultRow, table_of
from rules.call_state import State


class Outcome(NamedTuple):
    """What of a result the answer rates ask for."""

    code: str
    same_household: bool
    scope: str | None


class Made(NamedTuple):
    """One attempt with its outcome as last corrected."""

    phone_id: int
    kind: str
    placed_at: datetime
    outcome: Outcome
    ring_s: float
    """Seconds of ringing; 0: none, or not known."""
    handling_s: float
    """Seconds from the begin of the talk until its result was first saved; 0: nobody talked."""


async def made(session: AsyncSession, campaign_id: int) -> list[Made]:
    """All attempts of a campaign that have an outcome, in order of time.

    Plain reads, put together here: joined by the databases, 150,000 attempts take longer, and on
    PostgreSQL very much longer while it has no statistics of the tables.
    """
    placed = (await session.execute(_PLACED, {"campaign": campaign_id})).all()
    if not placed:
        return []
    kinds = {one: kind for one, kind in await session.execute(_KINDS, {"campaign": campaign_id})}
    since = {"since": placed[0].placed_at}
    outcomes = {one: Outcome(*row) for one, *row in await session.execute(_OUTCOMES, since)}
    rings = {one: ring_ms for one, ring_ms in await session.execute(_RINGS, since)}
    saved = {one: at for one, at in await session.execute(_SAVED, since)}
    handled = {
        one: (saved[one] - begun).total_seconds()
        for one, begun in await session.execute(_TALKS, since)
        if one in saved
    }
    return [
        Made(
            phone,
            kinds[phone],
            placed_at,
            outcomes[one],
            rings.get(one, 0) / 1000,
            handled.get(one, 0.0),
        )
        for one, phone, placed_at in placed
        if one in outcomes
    ]


_phone, _attempt = table_of(PhoneRow).c, table_of(Attempt).c
_result, _change = table_of(ResultRow).c, table_of(AttemptChange).c
_KINDS = select(_phone.id, _phone.kind).where(_phone.campaign_id == bindparam("campaign"))
_PLACED = (
    select(_attempt.id, _attempt.phone_id, _attempt.placed_at)
    .where(_attempt.campaign_id == bindparam("campaign"))
    .order_by(_attempt.placed_at, _attempt.id)
)
# The others by time, not by campaign: the months lie one after the other, and looking up the campaign of
# every row takes longer than all the rest.
_OUTCOMES = (
    select(_result.attempt_id, _result.outcome, _result.same_household, _result.scope)
    .where(_result.at >= bindparam("since"))
    .order_by(_result.id)  # a correction comes after what it replaces: the last one holds
)
_SAVED = select(_result.attempt_id, _result.at).where(
    _result.at >= bindparam("since"), _result.replaces_id.is_(None), _result.by != BY_LINE
)
_RINGS = select(_change.attempt_id, _change.ring_ms).where(
    _change.at >= bindparam("since"), _change.ring_ms.is_not(None)
)
_TALKS = select(_change.attempt_id, _change.at).where(
    _change.at >= bindparam("since"), _change.state == State.TALKING.value
)


async def replace(session: AsyncSession, month: str, sums: Sequence[AnswerSum]) -> None:
    """Keep these sums of a month, and nothing else of it."""
    await session.execute(delete(AnswerSum).where(AnswerSum.month == month))
    session.add_all(sums)
    await session.flush()


async def of_other_months(session: AsyncSession, month: str) -> list[AnswerSum]:
    """What is kept of all months but this one."""
    return list(await session.scalars(select(AnswerSum).where(AnswerSum.month != month)))

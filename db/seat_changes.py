"""What operators did and when: every change of a seat, so that a recorded day can be looked at again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.insert import insert_or_ignore
from db.tables import SeatChange, table_of
from rules.operator_state import State


@dataclass(frozen=True, kw_only=True, slots=True)
class SeatMove:
    """One change of an operator's seat."""

    operator_id: str
    at: datetime
    state: State
    """The state entered."""


async def record(session: AsyncSession, moves: Iterable[SeatMove]) -> None:
    """Add changes; those that are there already are left as they are."""
    rows = [asdict(move) | {"state": move.state.value} for move in moves]
    await session.run_sync(
        lambda session: insert_or_ignore(session.connection(), table_of(SeatChange), rows)
    )


async def between(session: AsyncSession, since: datetime, until: datetime) -> list[SeatMove]:
    """All changes from `since` on and before `until`, oldest first."""
    query = (
        select(SeatChange)
        .where(SeatChange.at >= since, SeatChange.at < until)
        .order_by(SeatChange.at, SeatChange.operator_id)
    )
    return [
        SeatMove(operator_id=row.operator_id, at=row.at, state=State(row.state))
        for row in await session.scalars(query)
    ]

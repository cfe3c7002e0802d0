"""Words from the CLI to a running service, written in the transaction of what they tell of."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import Notice, table_of

NOTICE_LOCK = 0x59_4F_42_49
"""Advisory lock (PostgreSQL): ids of notices are committed in their order, so none is overtaken."""


class NoticeKind(StrEnum):
    """What a notice tells."""

    STOP_CASE = "stop_case"
    EMERGENCY_STOP = "emergency_stop"
    CAMPAIGN = "campaign"
    CASES = "cases"
    OPERATORS = "operators"
    CALLER_IDS = "caller_ids"
    PAYMENTS = "payments"
    CRITERIA = "criteria"
    MESSAGES = "messages"


async def add(
    session: AsyncSession, kind: NoticeKind, *, at: datetime, by: str, case_id: int | None = None
) -> None:
    """Tell a running service, as soon as the transaction is committed."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(NOTICE_LOCK)))
    row = {"at": at, "kind": kind.value, "case_id": case_id, "by": by}
    await session.execute(insert(table_of(Notice)), row)


async def newer_than(session: AsyncSession, notice_id: int) -> list[Notice]:
    """Notices after the one named, oldest first."""
    return list(await session.scalars(_NEWER, {"last": notice_id}))


async def newest_id(session: AsyncSession) -> int:
    """Id of the newest notice; 0 if there is none."""
    return await session.scalar(select(func.max(Notice.id))) or 0


_NEWER = select(Notice).where(Notice.id > bindparam("last")).order_by(Notice.id)

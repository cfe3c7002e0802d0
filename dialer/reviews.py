"""A supervisor settles a result that stayed unclear on the line (rule 3)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import cases, notices, results, reviews
from db.notices import NoticeKind
from db.results import Recorded
from dialer.errors import ConflictError, NotFoundError
from dialer.months import Months
from rules.case import AttemptMade, Result
from rules.result import ResultRefusedError, check_result


async def settle(
    session: AsyncSession, attempt_id: str, outcome: str, *, at: datetime, by: str
) -> None:
    """Replace the result; the outcome it has already settles it, too. The old one stays on record.

    Raises:
        NotFoundError: there is no such attempt.
        ConflictError: its result is not to be looked at, or the rules refuse the outcome.
    """
    attempt = await reviews.attempt(session, attempt_id)
    if attempt is None:
        raise NotFoundError(f"attempt {attempt_id}: does not exist")
    old = await results.current(session, attempt_id)
    if old is None or not old.review:
        raise ConflictError(f"attempt {attempt_id}: is not on the review list")
    months = Months()
    await months.reload(session, at)
    month = months.get(attempt.campaign_id)
    known = (await cases.histories(session, [attempt.case_id]))[attempt.case_id]
    fact = AttemptMade(
        at=attempt.placed_at,
        phone=attempt.phone_id,
        result=Result(outcome=outcome),
        ring_s=attempt.ring_s or 0.0,
    )
    try:
        # an attempt is checked by itself: the case's other facts do not matter
        check_result(fact, known.case, (), month.profile, month.calendar)
    except ResultRefusedError as refused:
        raise ConflictError(f"attempt {attempt_id}: {refused}") from None
    await results.correct(session, attempt_id, Recorded(result=fact.result, at=at, by=by))
    await cases.refresh(session, [attempt.case_id], month.profile, month.calendar, at)
    await notices.add(session, NoticeKind.CASES, at=at, by=by)

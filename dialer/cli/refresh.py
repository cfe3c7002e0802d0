"""After the city's word on a case or a day: what the rules say now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import cases
from dialer.months import Months


async def refresh(session: AsyncSession, case_ids: Sequence[int], at: datetime) -> None:
    """Fold cases of any campaigns again, in the transaction of what was said."""
    months = Months()
    await months.reload(session, at)
    for case_id in case_ids:
        case = await cases.get(session, case_id)
        month = months.get(case.campaign_id)
        await cases.refresh(session, [case_id], month.profile, month.calendar, at)

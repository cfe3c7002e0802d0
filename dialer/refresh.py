"""After a word of the city on cases or days: what the rules say now."""

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
    for campaign_id, own in (await cases.by_campaign(session, case_ids)).items():
        month = months.get(campaign_id)
        await cases.refresh(session, own, month.profile, month.calendar, at)

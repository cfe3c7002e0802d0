"""Each phone's own chance of a person's answer now: what the newest plan believed of its kind, in memory.

A plan's rate is of a contact (rule 14). That a person answers is a little likelier; by how much, pacing
learns from what is answered (`rules.pacing.estimates.Truth`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import plans
from dialer.months import Month
from dialer.planning.priors import LATER_CALL_ODDS
from dialer.planning.rates import Cell
from rules.calendar import JST
from rules.case import PhoneKind
from rules.hours import band_of


class Chances:
    """The chances of all campaigns that were planned."""

    def __init__(self) -> None:
        self._by_cell: dict[int, Mapping[Cell, float]] = {}

    async def reload(self, session: AsyncSession, campaigns: list[Month]) -> None:
        """Read what the newest plan of each campaign believed."""
        for month in campaigns:
            self._by_cell[month.id] = {
                Cell(band, non_weekday, PhoneKind(kind), ordinal): chance
                for band, non_weekday, kind, ordinal, chance in await plans.chances(
                    session, month.id
                )
            }

    def of(self, month: Month, now: datetime, kind: PhoneKind, counted: int) -> float | None:
        """Chance of a call placed now; None: nothing is known of such phones at this hour.

        Args:
            counted: counted attempts made on the phone.
        """
        band = band_of(now, month.profile)
        if band is None:
            return None
        non_weekday = month.calendar.is_non_weekday(now.astimezone(JST).date())
        ordinal = min(counted + 1, len(LATER_CALL_ODDS))
        return self._by_cell.get(month.id, {}).get(Cell(band, non_weekday, kind, ordinal))

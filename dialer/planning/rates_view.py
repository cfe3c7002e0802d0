"""The answer rates as people and programs read them: what was published, what was seen, what is believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from dialer.months import Month
from dialer.planning.learned import earlier_tallies, own_tallies
from dialer.planning.rates import Cell, Tally, cells_of, learn
from rules.profile import Profile


async def rates_rows(session: AsyncSession, month: Month) -> list[dict[str, Any]]:
    """A row for every kind of attempt that the opening hours allow.

    `prior`: probability of a contact before any own attempt; `attempts`, `contacts`: counted ones of
    this month; `earlier`: attempts kept of other months; `mean`, `low`, `high`: what is believed now,
    with its 90 % credible interval; `operator_s`: operator seconds an attempt is believed to take.
    """
    profile = month.profile
    own, earlier = await own_tallies(session, month), await earlier_tallies(session, month)
    published, believed = learn({}, {}, profile), learn(own, earlier, profile)
    rows = []
    for cell in _callable(profile):
        seen, rate = own.get(cell, Tally()), believed.contact(cell)
        rows.append(
            {
                "band": cell.band,
                "day": "non-weekday" if cell.non_weekday else "weekday",
                "kind": cell.kind.value,
                "ordinal": cell.ordinal,
                "prior": round(published.contact(cell).mean, 3),
                "earlier": earlier.get(cell, Tally()).attempts,
                "attempts": seen.attempts,
                "contacts": seen.contacts,
                "mean": round(rate.mean, 3),
                "low": round(rate.low, 3),
                "high": round(rate.high, 3),
                "operator_s": round(believed.operator_s(cell)),
            }
        )
    return rows


def _callable(profile: Profile) -> Iterator[Cell]:
    starts = {band.name: band.starts for band in profile.bands}
    ends = {band.name: band.ends for band in profile.bands}
    for cell in cells_of(profile):
        hours = profile.hours.non_weekday if cell.non_weekday else profile.hours.weekday
        if starts[cell.band] < hours.closes and ends[cell.band] > hours.opens:
            yield cell

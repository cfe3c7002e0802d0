"""The days of one month's calling period. Holidays are data; only dates of Japan are known here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rules.profile import Profile  # heavy, and who answers callers needs the zone alone

JST = timezone(timedelta(hours=9), "JST")
"""Japan time has no summer time: a fixed offset needs no zone database."""

_SATURDAY = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """A calling period (架電期間), both ends included, with what is excluded from it (§6(2))."""

    period_from: date
    period_to: date
    excluded: frozenset[date] = frozenset()
    """Days on which nothing is called: year's end, and what the city took out."""
    holidays: frozenset[date] = frozenset()
    """Public holidays, at least of the period."""

    def is_non_weekday(self, day: date) -> bool:
        """Saturday, Sunday or public holiday."""
        return day.weekday() >= _SATURDAY or day in self.holidays

    def is_in_period(self, day: date) -> bool:
        """Between both ends of the period, excluded days too."""
        return self.period_from <= day <= self.period_to

    def is_calling_day(self, day: date) -> bool:
        """In the period and not excluded."""
        return self.is_in_period(day) and day not in self.excluded

    def calling_days(self, since: date) -> Iterator[date]:
        """The calling days from `since` on, in order."""
        day = max(since, self.period_from)
        while day <= self.period_to:
            if day not in self.excluded:
                yield day
            day += timedelta(days=1)


def calendar_of(
    profile: Profile,
    period_from: date,
    period_to: date,
    excluded: frozenset[date],
    holidays: frozenset[date],
) -> Calendar:
    """The calendar of a period under a profile: the profile's year-end days are excluded too."""
    span = (period_to - period_from).days + 1
    days = (period_from + timedelta(days=n) for n in range(span))
    closed = frozenset(
        day for day in days if day.strftime("%m-%d") in profile.on(day).year_end_closed
    )
    return Calendar(
        period_from=period_from,
        period_to=period_to,
        excluded=excluded | closed,
        holidays=holidays,
    )

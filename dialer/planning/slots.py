"""The bands of the days still to come, with the operators' time in each: what a plan hands out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rules.calendar import JST, Calendar
from rules.case import check_aware
from rules.hours import opening_of
from rules.profile import Profile

HEADROOM = 0.10
"""Share of the operators' time a plan leaves free: answers come by chance, breaks are taken."""
LAST_DAYS_HEADROOM = 0.25
"""The same on the last two days, after which nothing can be caught up."""

_HOUR_S = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """One band of one day, or what is left of it."""

    day: date
    band: str
    non_weekday: bool
    starts_at: datetime
    ends_at: datetime
    """Nothing is placed from here on."""
    operator_s: float
    """Operators' time in it, all together."""
    planned_s: float
    """How much of that a plan may hand out."""
    later_non_weekday: bool
    """A non-weekday of the period comes after this day (rule 6)."""


@dataclass(frozen=True, slots=True)
class Roster:
    """Operators at work, per hour."""

    hours: Mapping[tuple[date, int], int]
    """By day and hour of the day (Japan time)."""
    otherwise: int
    """Operators on a day of which the roster says nothing."""

    def operator_s(self, starts: datetime, ends: datetime) -> float:
        """Operators' seconds between two moments of one day."""
        total, hour = 0.0, starts.replace(minute=0, second=0, microsecond=0)
        while hour < ends:
            following = hour + timedelta(hours=1)
            span = (min(following, ends) - max(hour, starts)).total_seconds()
            total += span * self._at(hour)
            hour = following
        return total

    def _at(self, hour: datetime) -> int:
        day = hour.date()
        if any(known == day for known, _ in self.hours):
            return self.hours.get((day, hour.hour), 0)
        return self.otherwise


def slots_from(now: datetime, calendar: Calendar, profile: Profile, roster: Roster) -> list[Slot]:
    """Every band from `now` to the end of the period in which a call may be placed, in order.

    Args:
        profile: of any day; the values in force on each day are used.

    Raises:
        ValueError: `now` carries no time zone.
    """
    local = check_aware(now).astimezone(JST)
    days = list(calendar.calling_days(local.date()))
    return [slot for day in days for slot in _slots_of(day, days, local, calendar, profile, roster)]


def _slots_of(
    day: date,
    days: list[date],
    now: datetime,
    calendar: Calendar,
    profile: Profile,
    roster: Roster,
) -> Iterator[Slot]:
    values = profile.on(day)
    opening = opening_of(day, calendar, values)
    headroom = LAST_DAYS_HEADROOM if day in days[-2:] else HEADROOM
    for band in values.bands:
        starts = max(datetime.combine(day, band.starts, JST), opening.opens, now)
        ends = min(datetime.combine(day, band.ends, JST), opening.last_originate)
        if starts >= ends:
            continue
        operator_s = roster.operator_s(starts, ends)
        yield Slot(
            day=day,
            band=band.name,
            non_weekday=calendar.is_non_weekday(day),
            starts_at=starts,
            ends_at=ends,
            operator_s=operator_s,
            planned_s=operator_s * (1 - headroom),
            later_non_weekday=any(other > day and calendar.is_non_weekday(other) for other in days),
        )

"""Opening and closing of a day, the last moment to originate, and bands (§6(2), §8(4)カ)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rules import answering
from rules.calendar import JST, Calendar
from rules.profile import Profile


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """The hours of one day, Japan time; says nothing of whether it is a calling day."""

    opens: datetime
    last_originate: datetime
    """The last moment at which a call may be placed: nothing rings at closing time."""
    closes: datetime


def opening_of(day: date, calendar: Calendar, profile: Profile) -> Opening:
    """The hours of a day by its kind (§6(2)イ), as they are in force on it."""
    profile = profile.on(day)
    kind = calendar.is_non_weekday(day)
    span = profile.hours.non_weekday if kind else profile.hours.weekday
    closes = datetime.combine(day, span.closes, JST)
    return Opening(
        opens=datetime.combine(day, span.opens, JST),
        last_originate=closes - timedelta(seconds=profile.closing_margin_s),
        closes=closes,
    )


def is_open(moment: datetime, calendar: Calendar, profile: Profile) -> bool:
    """Whether a call may be placed then as far as days and hours go (rule 1)."""
    day = moment.astimezone(JST).date()
    opening = opening_of(day, calendar, profile)
    return calendar.is_calling_day(day) and opening.opens <= moment <= opening.last_originate


def band_of(moment: datetime, profile: Profile) -> str | None:
    """Name of the band (時間帯) a moment lies in; None outside all bands (a paper result)."""
    local = moment.astimezone(JST)
    clock = local.time()
    for band in profile.on(local.date()).bands:
        if band.starts <= clock < band.ends:
            return band.name
    return None


def openings(calendar: Calendar, profile: Profile) -> tuple[answering.Opening, ...]:
    """When callers reach operators: opening to closing of each calling day, oldest first.

    Longer than calls may be placed: who calls before closing time is served.
    """
    days = (opening_of(day, calendar, profile) for day in calendar.calling_days(date.min))
    return tuple(answering.Opening(start=day.opens, end=day.closes) for day in days)

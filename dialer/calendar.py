"""Public holidays of Japan, and the calendar of a campaign.

`jpholiday` rather than `holidays`: it is about Japan only, has no dependency, and follows the
law's own rules (the national holiday between two holidays, substitute days, moved equinoxes), while
`holidays` brings two hundred countries whose releases would each have to be looked at.
"""

from __future__ import annotations

from datetime import date

import jpholiday

from rules.calendar import Calendar, calendar_of
from rules.profile import Profile


def holidays_between(first: date, last: date) -> frozenset[date]:
    """Public holidays from `first` to `last`, both included."""
    return frozenset(day for day, _name in jpholiday.between(first, last))


def campaign_calendar(
    period_from: date, period_to: date, excluded: frozenset[date], profile: Profile
) -> Calendar:
    """The calendar of a campaign; `excluded` are the days the city took out (§6(2))."""
    holidays = holidays_between(period_from, period_to)
    return calendar_of(profile, period_from, period_to, excluded, holidays)

"""Public holidays, and a campaign's calendar."""

from __future__ import annotations

from datetime import date

from dialer.calendar import campaign_calendar, holidays_between
from dialer.profiles import load_profile


def test_the_holidays_of_the_contracts_months_are_known() -> None:
    days = holidays_between(date(2026, 9, 1), date(2027, 3, 31))
    autumn = ["09-21", "09-22", "09-23", "10-12", "11-03", "11-23"]  # 09-22 lies between two
    winter = ["01-01", "01-11", "02-11", "02-23", "03-21", "03-22"]  # 03-22 for a Sunday
    assert [f"{day:%m-%d}" for day in sorted(days)] == autumn + winter


def test_both_ends_of_a_span_are_looked_at() -> None:
    assert holidays_between(date(2026, 11, 3), date(2026, 11, 3)) == {date(2026, 11, 3)}
    assert holidays_between(date(2026, 11, 4), date(2026, 11, 22)) == frozenset()


def test_a_campaigns_calendar_has_holidays_and_all_excluded_days() -> None:
    profile = load_profile("nagaoka-r8", date(2026, 12, 21))
    city = frozenset({date(2026, 12, 24)})
    calendar = campaign_calendar(date(2026, 12, 21), date(2027, 1, 4), city, profile)
    assert calendar.is_non_weekday(date(2027, 1, 1))
    days = [day.day for day in calendar.calling_days(date(2026, 12, 21))]
    assert days == [21, 22, 23, 25, 26, 27, 28, 4]

"""Days, hours and bands (rules 1 and 2)."""

from __future__ import annotations

from datetime import UTC, date

import pytest

from rules.calendar import calendar_of
from rules.hours import band_of, is_open, opening_of
from tests.rules.stories import NOVEMBER, PROFILE, at


@pytest.mark.parametrize(
    ("day", "non_weekday"),
    [
        (date(2026, 11, 20), False),  # Friday
        (date(2026, 11, 21), True),  # Saturday
        (date(2026, 11, 22), True),  # Sunday
        (date(2026, 11, 23), True),  # Monday, a holiday
        (date(2026, 11, 24), False),  # Tuesday
    ],
)
def test_saturdays_sundays_and_holidays_are_non_weekdays(day: date, non_weekday: bool) -> None:
    assert NOVEMBER.is_non_weekday(day) is non_weekday


@pytest.mark.parametrize(
    ("day", "calling"),
    [(19, False), (20, True), (26, True), (27, False), (28, True), (30, True)],
)
def test_calling_days_lie_in_the_period_and_are_not_excluded(day: int, calling: bool) -> None:
    assert NOVEMBER.is_calling_day(date(2026, 11, day)) is calling
    assert (date(2026, 11, day) in NOVEMBER.calling_days(date(2026, 11, 1))) is calling


def test_calling_days_begin_at_the_asked_day() -> None:
    days = NOVEMBER.calling_days(date(2026, 11, 26))
    assert [day.day for day in days] == [26, 28, 29, 30]


def test_the_profiles_year_end_is_excluded_beside_what_the_city_takes_out() -> None:
    city = frozenset({date(2026, 12, 25)})
    calendar = calendar_of(PROFILE, date(2026, 12, 21), date(2027, 1, 4), city, frozenset())
    excluded = [f"{day:%m-%d}" for day in sorted(calendar.excluded)]
    assert excluded == ["12-25", "12-29", "12-30", "12-31", "01-01", "01-02", "01-03"]


def test_the_year_end_excludes_no_day_beside_the_period() -> None:
    none: frozenset[date] = frozenset()
    before = calendar_of(PROFILE, date(2026, 12, 21), date(2026, 12, 28), none, none)
    assert before.excluded == none
    last = calendar_of(PROFILE, date(2026, 12, 21), date(2026, 12, 29), none, none)
    assert last.excluded == {date(2026, 12, 29)}


@pytest.mark.parametrize(
    ("when", "open_then"),
    [
        ("20 08:59:59", False),
        ("20 09:00", True),
        ("20 19:58:54", True),  # closing time less 36 s of ringing and 30 s of setting up
        ("20 19:58:55", False),
        ("21 16:58:54", True),
        ("21 16:58:55", False),
        ("23 18:00", False),  # a holiday
        ("27 10:00", False),  # excluded
        ("19 10:00", False),  # before the period
    ],
)
def test_calls_are_placed_from_opening_until_nothing_could_ring_at_closing(
    when: str, open_then: bool
) -> None:
    assert is_open(at(when), NOVEMBER, PROFILE) is open_then
    assert is_open(at(when).astimezone(UTC), NOVEMBER, PROFILE) is open_then


def test_a_day_closes_by_its_kind() -> None:
    assert opening_of(date(2026, 11, 20), NOVEMBER, PROFILE).closes == at("20 20:00")
    assert opening_of(date(2026, 11, 23), NOVEMBER, PROFILE).closes == at("23 17:00")


@pytest.mark.parametrize(
    ("when", "band"),
    [
        ("20 08:59:59", None),
        ("20 09:00", "午前"),
        ("20 11:59:59", "午前"),
        ("20 12:00", "午後"),
        ("20 16:59:59", "午後"),
        ("20 17:00", "夜"),
        ("20 20:00", None),
    ],
)
def test_a_band_ends_where_the_next_begins(when: str, band: str | None) -> None:
    assert band_of(at(when), PROFILE) == band
    assert band_of(at(when).astimezone(UTC), PROFILE) == band

"""The bands still to come, and the operators' time in them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dialer.planning.slots import HEADROOM, LAST_DAYS_HEADROOM, Roster, slots_from
from rules.calendar import Calendar
from tests.dialer.planning.month import BEGIN, slots
from tests.rules.stories import NOVEMBER, PROFILE, at

FRIDAY = date(2026, 11, 20)


def test_every_band_of_every_calling_day_is_a_slot() -> None:
    found = slots()
    # 5 weekdays of three bands (the 27th is excluded), 5 non-weekdays of two
    assert [s.band for s in found[:5]] == ["午前", "午後", "夜", "午前", "午後"]
    assert len(found) == 5 * 3 + 5 * 2
    assert date(2026, 11, 27) not in {s.day for s in found}
    assert {s.day.day for s in found if s.non_weekday} == {21, 22, 23, 28, 29}


def test_nothing_is_placed_after_the_last_moment_to_originate() -> None:
    evening, holiday = slots()[2], slots()[4]
    assert (evening.starts_at, evening.ends_at) == (at("20 17:00"), at("20 19:58:54"))
    assert holiday.ends_at == at("21 16:58:54")


@pytest.mark.parametrize(
    ("now", "first", "starts"),
    [
        (BEGIN, "午前", at("20 09:00")),
        (at("20 11:59:59"), "午前", at("20 11:59:59")),
        (at("20 12:00"), "午後", at("20 12:00")),
        (at("20 19:58:54"), "午前", at("21 09:00")),  # the day is over
        (at("10 08:00"), "午前", at("20 09:00")),  # before the period
    ],
)
def test_a_band_under_way_is_what_is_left_of_it(now: object, first: str, starts: object) -> None:
    slot = slots_from(now, NOVEMBER, PROFILE, Roster({}, 1))[0]  # type: ignore[arg-type]
    assert (slot.band, slot.starts_at) == (first, starts)


def test_after_the_period_there_is_none() -> None:
    assert slots_from(at("30 20:00"), NOVEMBER, PROFILE, Roster({}, 1)) == []


def test_the_roster_is_added_up_hour_by_hour() -> None:
    roster = Roster({(FRIDAY, 9): 3, (FRIDAY, 11): 1}, otherwise=5)
    assert roster.operator_s(at("20 09:30"), at("20 11:15")) == 3 * 1800 + 0 + 1 * 900
    assert (
        roster.operator_s(at("21 09:00"), at("21 09:01")) == 5 * 60
    )  # nothing is said of that day


def test_a_plan_leaves_room_for_chance_and_more_of_it_at_the_end() -> None:
    found = slots(operators=1)
    assert found[0].planned_s == pytest.approx(3 * 3600 * (1 - HEADROOM))
    assert found[-1].planned_s == pytest.approx(found[-1].operator_s * (1 - LAST_DAYS_HEADROOM))


def test_the_last_weekend_is_not_followed_by_another() -> None:
    assert [s.later_non_weekday for s in slots() if s.band == "午前"] == [True] * 8 + [False] * 2


def test_days_out_of_the_period_do_not_count() -> None:
    friday_only = Calendar(period_from=FRIDAY, period_to=FRIDAY + timedelta(days=0))
    found = slots_from(BEGIN, friday_only, PROFILE, Roster({}, 1))
    assert [s.later_non_weekday for s in found] == [False] * 3

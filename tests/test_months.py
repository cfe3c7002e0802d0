"""The bound of simulated months, and contacts without luck (scripts/months/bound.py)."""

from __future__ import annotations

import statistics
from datetime import date, datetime
from functools import cache

from dialer.calendar import campaign_calendar
from dialer.planning.slots import Roster
from dialer.profiles import load_profile
from rules.calendar import JST
from scripts.months.bound import bound_from
from scripts.months.month import Month
from scripts.months.ways import InOrder
from scripts.months.world import Callees, draw_people, draw_truth

PERIOD = (date(2026, 10, 22), date(2026, 10, 26))
BEGIN = datetime.combine(PERIOD[0], datetime.min.time(), JST)
MONTHS = 60


@cache
def contacts_and_without_luck() -> list[tuple[int, float, float]]:
    """The same forty people in the same city: cases reached, the same without luck, and the bound."""
    profile = load_profile("nagaoka-r8", PERIOD[0])
    calendar = campaign_calendar(*PERIOD, frozenset(), profile)
    truth, people = draw_truth(7, profile), draw_people(7, 40, two_phones=False)
    found: list[tuple[int, float, float]] = []
    bound = None
    for luck in range(MONTHS):
        callees = Callees(luck, truth, calendar, profile)
        month = Month(people, calendar, profile, Roster({}, 1), callees, InOrder())
        bound = bound or bound_from(month, BEGIN, truth)
        month.run()
        found.append((month.contacted(), bound.contacts_without_luck(month), bound.contacts))
    return found


def test_luck_adds_up_to_nothing() -> None:
    luck = [reached - without for reached, without, _ in contacts_and_without_luck()]
    error = statistics.stdev(luck) / MONTHS**0.5
    assert error < 0.5
    assert abs(statistics.fmean(luck)) < 3 * error


def test_without_luck_months_differ_far_less() -> None:
    reached, without, _ = zip(*contacts_and_without_luck(), strict=True)
    assert statistics.stdev(without) < statistics.stdev(reached) / 3


def test_without_luck_no_month_in_file_order_reaches_the_bound() -> None:
    assert all(without < bound for _, without, bound in contacts_and_without_luck())

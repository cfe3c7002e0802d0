"""Ways of calling: by the plan, and those it is measured against."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from dialer.planning.plan import Plan, make_plan
from dialer.planning.rates import Cell, Rates, Tally, learn
from dialer.planning.slots import slots_from
from dialer.planning.units import Known, Unit, units_of
from rules.case import Id
from rules.eligibility import next_from
from rules.hours import band_of
from rules.turn import PlannedBand, turn_of
from scripts.months.month import Month, Standing

_MILLION = 1_000_000
NOTHING: Mapping[Cell, Tally] = MappingProxyType({})
"""Sums of no earlier month."""


def units_in(month: Month, now: datetime) -> list[Unit]:
    """The month's open cases as the plan sees them."""
    return [
        unit
        for standing in month.standings
        for unit in units_of(
            Known(
                case=standing.person.case,
                state=standing.state,
                contacted=standing.contacted_at is not None,
                wish=standing.person.wish,
            ),
            now,
            month.profile,
        )
    ]


def learned(month: Month, _now: datetime, earlier: Mapping[Cell, Tally] = NOTHING) -> Rates:
    """What the dialer believes: its priors, sums of earlier months, and the month's own calls so far."""
    return learn(month.tallies, earlier, month.profile)


class ByPlan:
    """As the dialer does: a plan at the beginning of each hour, from what was learned so far."""

    def __init__(
        self, *, hourly: bool = True, believed: Callable[[Month, datetime], Rates] = learned
    ) -> None:
        """
        Args:
            hourly: plan anew every hour, as the dialer does; else when a band begins.
            believed: the rates at a moment of the month.
        """
        self.plans: list[Plan] = []
        self._hourly, self._believed = hourly, believed
        self._band: tuple[object, ...] = ()
        self._planned: dict[int, list[PlannedBand]] = {}
        self._month: Month | None = None

    def hour_begins(self, month: Month, now: datetime) -> bool:
        """Plan anew."""
        band = (now.date(), band_of(now, month.profile))
        if not self._hourly and band == self._band:
            return False
        self._month, self._band = month, band
        slots = slots_from(now, month.calendar, month.profile, month.roster)
        rates = self._believed(month, now)
        plan = make_plan(units_in(month, now), slots, rates, month.profile)
        self.plans.append(plan)
        self._planned = {
            phone: [
                PlannedBand(
                    starts_at=call.slot.starts_at,
                    ends_at=call.slot.ends_at,
                    gain=round(call.gain * _MILLION),
                )
                for call in calls
            ]
            for phone, calls in plan.paths.items()
        }
        return True

    def turn(self, standing: Standing, phone: Id, now: datetime) -> tuple[datetime | None, Any]:
        """In its planned band, by slack and gain."""
        assert self._month is not None
        turn = turn_of(
            standing.state,
            phone,
            now,
            self._month.calendar,
            self._month.profile,
            self._planned.get(int(phone), ()),
        )
        return turn.due_at, turn.rank


class InOrder:
    """Whoever may be called, in a fixed order: of the file, or drawn by lot."""

    def __init__(self, month_seed: int | None = None) -> None:
        """
        Args:
            month_seed: draw lots; None: as in the file.
        """
        self._lots = None if month_seed is None else random.Random(f"lots {month_seed}")
        self._ranks: dict[Id, float] = {}
        self._month: Month | None = None

    def hour_begins(self, month: Month, now: datetime) -> bool:
        """Nothing is thought of."""
        begun = self._month is None
        self._month = month
        return begun

    def turn(self, standing: Standing, phone: Id, now: datetime) -> tuple[datetime | None, Any]:
        """As soon as the rules allow."""
        assert self._month is not None
        if phone not in self._ranks:
            lot = float(int(phone)) if self._lots is None else self._lots.random()
            self._ranks[phone] = lot
        due = next_from(standing.state, phone, now, self._month.calendar, self._month.profile)
        return due, self._ranks[phone]

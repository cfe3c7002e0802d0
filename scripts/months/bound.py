"""What can be reached at most by who knows all true rates, and what a month's calls bring without luck."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from dialer.planning.model import Floats, Model
from dialer.planning.policy import FREE, OPEN, REACHED, Cases, Policy
from dialer.planning.program import solve
from dialer.planning.rates import Cell, Rate, Rates
from dialer.planning.slots import Slot, slots_from
from dialer.planning.units import Group, Unit, beliefs_of, counts_of
from rules.calendar import JST
from rules.case import Id
from rules.hours import band_of
from scripts.months.month import Made, Month
from scripts.months.ways import units_in
from scripts.months.world import BUSY, Truth

OVERRUN = 0.025
"""More operators' time than the roster has: the last calls before closing end after it (136 s each on
average, 1.3 % of an evening), and pretended calls take up to 1 % less than the table's seconds."""


@dataclass(frozen=True, slots=True)
class Bound:
    """From one moment on."""

    since: datetime
    contacts: float
    """No way of calling is expected to reach more cases that were not reached before."""
    _truth: Truth
    _slots: Sequence[Slot]
    _model: Model
    _units: Sequence[Unit]
    _rows: dict[Group, int]
    _worth: Sequence[Floats]
    """What a case is worth, by slot, group, contacted or not, state."""

    def contacts_without_luck(self, month: Month) -> float:
        """Cases reached since then, less the luck of every attempt.

        The luck of an attempt is what it brought, less what it had to be expected to bring: a contact, and
        what the case is worth after it. Its expectation is 0 whatever was called, so the expected number
        of contacts stays the same; but hardly any chance is left in it (martingale control variates:
        Henderson & Glynn, Mathematics of Operations Research 27, 2002).
        """
        calls: dict[Id, list[Made]] = defaultdict(list)
        for made in month.made:
            if made.at >= self.since:
                calls[made.case].append(made)
        contacted_before = {unit.case_id for unit in self._units if unit.reached}
        reached = sum(
            any(made.told.contact for made in of_case) and case not in contacted_before
            for case, of_case in calls.items()
        )
        counted = {
            (phone, moment)
            for standing in month.standings
            for phone, state in standing.state.phones.items()
            for moment in state.counted
        }
        luck = sum(self._luck(unit, calls[unit.case_id], month, counted) for unit in self._units)
        return float(reached - luck)

    def _luck(
        self,
        unit: Unit,
        calls: Sequence[Made],
        month: Month,
        counted: set[tuple[Id, datetime]],
    ) -> float:
        """Of all attempts of one case."""
        numbers = {(slot.day, slot.band): number for number, slot in enumerate(self._slots)}
        flag, state, luck = REACHED if unit.reached else OPEN, self._model.index[unit.state], 0.0
        today = self.since.astimezone(JST).date()
        for made in calls:
            day = made.at.astimezone(JST).date()
            if day != today:
                state = int(self._model.overnight[state])
            today = day
            number = numbers[day, band_of(made.at, month.profile) or ""]
            slot, phone = self._slots[number], unit.phones.index(int(made.phone))
            worth = self._worth[number][self._rows[unit.group]]
            step = self._model.step(self._model.type_of(slot), phone)
            after, closed = int(step.after[state]), int(step.closed[state])
            chance = self._chance(unit, phone, slot, state)
            new, on = float(flag == OPEN), 1 - self._truth.end_share
            missed = BUSY * worth[flag, state] + (1 - BUSY) * worth[flag, after]
            share = self._truth.closed_share
            missed = share * worth[flag, closed] + (1 - share) * missed
            expected = chance * (new + on * worth[REACHED, after]) + (1 - chance) * missed
            if made.told.contact:
                flag = REACHED
            else:
                new = 0.0
            if made.told.ended:
                return float(luck + new - expected)
            if made.told.closed:
                state = closed
            elif (made.phone, made.at) in counted:
                state = after
            luck += new + float(worth[flag, state]) - expected
        return luck

    def _chance(self, unit: Unit, phone: int, slot: Slot, state: int) -> float:
        kind = unit.group.kinds[phone]
        assert kind is not None
        ordinal = int(self._model.made[phone][state]) + 1
        cell = Cell(slot.band, slot.non_weekday, kind, ordinal)
        return self._truth.contact_at(cell, unit.group.wish)


def as_rates(truth: Truth) -> Rates:
    """The truth in place of a belief: rates of counted attempts."""
    counted = truth.of_counted()
    return Rates(
        contacts={cell: Rate(p, p, p) for cell, p in counted.contact.items()},
        end_share=counted.end_share,
        closed_share=counted.closed_share,
        ring_factor=1.0,
        handling_factor=1.0,
    )


def bound_from(month: Month, now: datetime, truth: Truth) -> Bound:
    """The bound from now on, all true rates known.

    All of the operators' time may be used, and nothing is owed to any phone: both only raise it.
    """
    slots = [
        replace(slot, planned_s=slot.operator_s * (1 + OVERRUN))
        for slot in slots_from(now, month.calendar, month.profile, month.roster)
    ]
    units = units_in(month, now)
    model = Model(month.profile, {unit.state for unit in units})
    groups = sorted({unit.group for unit in units}, key=repr)
    rates = as_rates(truth)
    contact = {cell: rate.mean for cell, rate in rates.contacts.items()}
    beliefs = beliefs_of(groups, slots, rates, contact, curiosity=0.0)
    cases = Cases(model, slots, beliefs, counts_of(units, groups, model), FREE)
    mixture = solve(cases)
    return Bound(
        since=now,
        contacts=mixture.bound,
        _truth=truth,
        _slots=slots,
        _model=model,
        _units=units,
        _rows={group: number for number, group in enumerate(groups)},
        _worth=_worth(cases.best(mixture.prices), slots, model),
    )


def _worth(policy: Policy, slots: Sequence[Slot], model: Model) -> list[Floats]:
    """By slot, what a case is worth from then on; a policy's gains are the differences."""
    worth: list[Floats] = []
    following = np.zeros_like(policy.start)
    for number in reversed(range(len(slots))):
        if number + 1 == len(slots) or slots[number + 1].day != slots[number].day:
            following = following[:, :, model.overnight]
        following = following + policy.gains[number]
        worth.append(following)
    return worth[::-1]

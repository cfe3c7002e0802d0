"""The plan of a campaign's remaining attempts: which phone is tried in which band of which day.

Pure: cases, days, operators and rates come in, paths and sums come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import numpy as np

from dialer.planning.model import Floats, Model, State
from dialer.planning.policy import OPEN, ORDERS, REACHED, Cases, Penalties
from dialer.planning.program import Mixture, solve
from dialer.planning.rates import Rates
from dialer.planning.slots import Slot
from dialer.planning.units import Group, Unit, beliefs_of, counts_of
from rules.profile import Profile

_GOLDEN = 0.6180339887498949
"""Multiples of it spread most evenly over the unit interval (Weyl): weights become whole cases."""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One attempt on one phone."""

    slot: Slot
    gain: float
    """Contacts lost if it is not made then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shortfall:
    """A phone for which the operators' time does not suffice."""

    case_id: int
    phone_id: int
    missing: int
    """Attempts it is owed and not planned (rule 4)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotFigures:
    """What a plan expects of one band of one day."""

    slot: Slot
    needed_s: float
    """Operators' seconds of the attempts."""
    wanted_s: float
    """Operators' seconds that the plan would take here if there were always enough of them."""
    attempts: float
    contacts: float
    """Cases reached that were not before."""
    price: float
    """Contacts that one more hour of an operator would bring."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is planned, and what may come of it."""

    paths: Mapping[int, tuple[PlannedCall, ...]]
    """By phone: its attempts, as they are made while nobody is reached."""
    shortfalls: tuple[Shortfall, ...]
    slots: tuple[SlotFigures, ...]
    contacts: float
    """Cases expected to be reached from now on."""
    contacts_low: float
    """If every rate is at the low end of its 90 % interval."""
    contacts_high: float


def make_plan(
    units: Sequence[Unit],
    slots: Sequence[Slot],
    rates: Rates,
    profile: Profile,
    penalties: Penalties | None = None,
) -> Plan:
    """Plan the remaining attempts so that every phone gets what it is owed, and contacts are many."""
    if not units or not any(slot.operator_s for slot in slots):
        return _nothing_to_hand_out(units, slots)
    model = Model(profile, {unit.state for unit in units})
    groups = sorted({unit.group for unit in units}, key=repr)
    counts = counts_of(units, groups, model)
    lay_out = partial(beliefs_of, groups, slots, rates)
    means = {cell: rate.mean for cell, rate in rates.contacts.items()}
    cases = Cases(model, list(slots), lay_out(means), counts, penalties or Penalties())
    mixture = solve(cases)
    rows = {group: number for number, group in enumerate(groups)}
    paths, shortfalls = _paths(units, rows, model, mixture, slots)
    low, high = (
        _contacts(Cases(model, list(slots), lay_out(ends), counts, Penalties()), mixture)
        for ends in (
            {cell: rate.low for cell, rate in rates.contacts.items()},
            {cell: rate.high for cell, rate in rates.contacts.items()},
        )
    )
    return Plan(
        paths=paths,
        shortfalls=tuple(shortfalls),
        slots=tuple(_figures(slots, mixture)),
        contacts=float(mixture.outlook.contacts.sum()),
        contacts_low=low,
        contacts_high=high,
    )


def _nothing_to_hand_out(units: Sequence[Unit], slots: Sequence[Slot]) -> Plan:
    return Plan(
        paths={},
        shortfalls=tuple(
            Shortfall(case_id=unit.case_id, phone_id=phone, missing=part.left)
            for unit in units
            for phone, part in zip(unit.phones, unit.state, strict=False)
        ),
        slots=tuple(
            SlotFigures(slot=slot, needed_s=0, wanted_s=0, attempts=0, contacts=0, price=0)
            for slot in slots
        ),
        contacts=0,
        contacts_low=0,
        contacts_high=0,
    )


def _contacts(cases: Cases, mixture: Mixture) -> float:
    """Contacts of the mixture under other rates."""
    used = [number for number, weights in enumerate(mixture.weights) if weights.any()]
    parts: list[Floats] = [
        cases.outlook(mixture.policies[number]).contacts.sum(axis=1) * mixture.weights[number]
        for number in used
    ]
    return float(sum(part.sum() for part in parts))


def _figures(slots: Sequence[Slot], mixture: Mixture) -> Iterator[SlotFigures]:
    seconds, attempts, contacts = (
        by_group.sum(axis=0)
        for by_group in (
            mixture.outlook.seconds,
            mixture.outlook.attempts,
            mixture.outlook.contacts,
        )
    )
    wanted = mixture.unhurried.seconds.sum(axis=0)
    for number, slot in enumerate(slots):
        yield SlotFigures(
            slot=slot,
            needed_s=float(seconds[number]),
            wanted_s=float(wanted[number]),
            attempts=float(attempts[number]),
            contacts=float(contacts[number]),
            price=float(mixture.prices[number]) * 3600,
        )


_Path = tuple[tuple[tuple[int, int, float], ...], State]
"""Calls (slot, phone, gain) of a case while nobody is reached, and where that leaves it."""


def _paths(
    units: Sequence[Unit],
    rows: Mapping[Group, int],
    model: Model,
    mixture: Mixture,
    slots: Sequence[Slot],
) -> tuple[dict[int, tuple[PlannedCall, ...]], list[Shortfall]]:
    paths: dict[int, tuple[PlannedCall, ...]] = {}
    shortfalls: list[Shortfall] = []
    walked: dict[tuple[int, int, int, State], _Path] = {}
    for unit, policy in _assigned(units, rows, mixture):
        group = rows[unit.group]
        flag = REACHED if unit.reached else OPEN
        key = (policy, group, flag, unit.state)
        if key not in walked:
            walked[key] = _walk(*key, model, mixture, slots)
        calls, end = walked[key]
        for number, phone in enumerate(unit.phones):
            paths[phone] = tuple(
                PlannedCall(slots[slot], gain) for slot, called, gain in calls if called == number
            )
            if end[number].left:
                shortfalls.append(
                    Shortfall(case_id=unit.case_id, phone_id=phone, missing=end[number].left)
                )
    return paths, shortfalls


def _assigned(
    units: Sequence[Unit], rows: Mapping[Group, int], mixture: Mixture
) -> Iterator[tuple[Unit, int]]:
    """Every unit with its policy: as many of each group as the weights say, spread over its states."""
    ordered = sorted(units, key=lambda unit: (rows[unit.group], unit.state, unit.case_id))
    for group, members in groupby(ordered, key=lambda unit: rows[unit.group]):
        steps = np.cumsum(mixture.weights[:, group])
        for number, unit in enumerate(members, start=1):
            place = (number * _GOLDEN) % 1.0 * steps[-1]
            yield unit, int(np.searchsorted(steps, place, side="right"))


def _walk(
    policy: int,
    group: int,
    flag: int,
    state: State,
    model: Model,
    mixture: Mixture,
    slots: Sequence[Slot],
) -> _Path:
    calls: list[tuple[int, int, float]] = []
    followed = mixture.policies[policy]
    for number, slot in enumerate(slots):
        index = model.index[state]
        for phone in ORDERS[followed.actions[number][group, flag, index]]:
            after = model.attempt(state, phone, model.type_of(slot))
            assert after is not None, "the best policy never does what the rules refuse"
            calls.append((number, phone, float(followed.gains[number][group, flag, index])))
            state = after
        if number + 1 == len(slots) or slots[number + 1].day != slot.day:
            state = model.states[model.overnight[model.index[state]]]
    return tuple(calls), state

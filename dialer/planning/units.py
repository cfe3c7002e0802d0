"""Cases as the plan sees them: what is left to be called, and what is believed of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import NamedTuple

import numpy as np

from dialer.planning.model import DONE, NEVER, PHONES, Floats, Model, PhonePart, State
from dialer.planning.policy import OPEN, REACHED, Beliefs
from dialer.planning.rates import NORMAL_90, Cell, Rates, bands_of
from dialer.planning.slots import Slot
from rules.calendar import JST
from rules.case import Case, CaseState, CaseStatus, PhoneKind, PhoneState
from rules.history import attempts_left, open_phones
from rules.hours import band_of
from rules.profile import Profile
from rules.wishes import Wish

WISH_ODDS = 1.5
"""How the odds of a contact rise in a band or on a day that was wished (rule 15), and fall in others:
our reading, nothing published tells the size."""

CURIOSITY = 0.3
"""What an attempt is worth for what it teaches, in standard deviations of its contact rate, at the
period's beginning; less with every day, as less is left to use it for. Bands of which little is known
are tried, too (optimism in the face of uncertainty: Lai & Robbins 1985)."""
_SD_90 = 2 * NORMAL_90
"""Standard deviations from one end of a 90 % interval to the other."""


class Group(NamedTuple):
    """Cases that differ only in what happened so far."""

    kinds: tuple[PhoneKind | None, PhoneKind | None]
    """Of the two phones; None: there is no second one."""
    wish: Wish | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """A case, seen through at most two of its phones."""

    case_id: int
    phones: tuple[int, ...]
    """Ids, as the parts of the state."""
    group: Group
    state: State
    reached: bool
    """It had a contact already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is known of a case when a plan is made."""

    case: Case
    state: CaseState
    contacted: bool
    wish: Wish | None


def units_of(known: Known, now: datetime, profile: Profile) -> list[Unit]:
    """The case's open phones in pairs; none if nothing is to be called.

    More than two phones (learned in calls) make further units, as if of another case.
    """
    if known.state.status is not CaseStatus.OPEN:
        return []
    kinds = {phone.id: phone.kind for phone in known.case.phones}
    parts = [
        (kinds[phone.id], int(phone.id), _part(known.state, phone, now, profile))
        for phone in open_phones(known.state)
        if attempts_left(known.state, phone, profile)
    ]
    parts.sort(key=lambda part: (part[0], part[1]))
    return [_unit(known, parts[start : start + PHONES]) for start in range(0, len(parts), PHONES)]


def _unit(known: Known, parts: Sequence[tuple[PhoneKind, int, PhonePart]]) -> Unit:
    first = parts[0]
    second = parts[1] if len(parts) == PHONES else None
    return Unit(
        case_id=int(known.case.id),
        phones=tuple(phone for _, phone, _ in parts),
        group=Group((first[0], second[0] if second else None), known.wish),
        state=(first[2], second[2] if second else DONE),
        reached=known.contacted,
    )


def _part(state: CaseState, phone: PhoneState, now: datetime, profile: Profile) -> PhonePart:
    names = [band.name for band in bands_of(profile)]
    last = band_of(phone.counted[-1], profile) if phone.counted else None
    today = now.astimezone(JST).date()
    return PhonePart(
        left=attempts_left(state, phone, profile),
        last=NEVER if last is None else names.index(last),
        met=phone.weekend_met,
        today=any(moment.astimezone(JST).date() == today for moment in phone.counted),
    )


def counts_of(units: Iterable[Unit], groups: Sequence[Group], model: Model) -> Floats:
    """Cases by group, reached or not, state."""
    rows = {group: number for number, group in enumerate(groups)}
    counts = np.zeros((len(groups), 2, len(model.states)))
    for unit in units:
        flag = REACHED if unit.reached else OPEN
        counts[rows[unit.group], flag, model.index[unit.state]] += 1
    return counts


def beliefs_of(
    groups: Sequence[Group],
    slots: Sequence[Slot],
    rates: Rates,
    contact: Mapping[Cell, float],
    curiosity: float = CURIOSITY,
) -> Beliefs:
    """The rates laid out by group, phone, slot and earlier attempts.

    Args:
        contact: probability of a contact by cell.
        curiosity: as `CURIOSITY`; 0: nothing is to be learned.
    """
    shape = (len(groups), PHONES, len(slots), 3)
    beliefs = Beliefs(
        np.zeros(shape), np.zeros(shape), np.zeros(shape), rates.end_share, rates.closed_share
    )
    days = (slots[-1].day - slots[0].day).days + 1
    for t, slot in enumerate(slots):
        use = curiosity * (slots[-1].day - slot.day).days / days
        for (g, group), phone, made in product(enumerate(groups), range(PHONES), range(3)):
            kind = group.kinds[phone]
            if kind is None:
                continue
            cell = Cell(slot.band, slot.non_weekday, kind, made + 1)
            rate, place = rates.contact(cell), (g, phone, t, made)
            beliefs.contact[place] = _wished(contact[cell], slot, group.wish)
            beliefs.curiosity[place] = use * (rate.high - rate.low) / _SD_90
            beliefs.operator_s[place] = rates.operator_s(cell)
    return beliefs


def _wished(probability: float, slot: Slot, wish: Wish | None) -> float:
    if wish is None:
        return probability
    fits = (not wish.bands or slot.band in wish.bands) and (
        wish.non_weekday is None or slot.non_weekday is wish.non_weekday
    )
    odds = probability / (1 - probability) * (WISH_ODDS if fits else 1 / WISH_ODDS)
    return odds / (1 + odds)

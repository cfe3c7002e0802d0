"""A small month to plan: Fri 20 to Mon 30 November 2026, with cases of invented people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dialer.planning.rates import Rates, learn
from dialer.planning.slots import Roster, Slot, slots_from
from dialer.planning.units import Known, Unit, units_of
from rules.case import AttemptMade, CallbackTaken, Case, Fact, Phone, PhoneKind
from rules.history import state_of
from rules.outcome import is_contact
from rules.wishes import Wish
from tests.rules.stories import NOVEMBER, PROFILE, at

BEGIN = at("20 08:00")
PUBLISHED: Rates = learn({}, {}, PROFILE)
EVENINGS = Wish(bands=frozenset({"夜"}), non_weekday=None)
KINDS = (PhoneKind.FIXED, PhoneKind.MOBILE, PhoneKind.IP)


def case_of(number: int, phones: int = 1, kinds: Sequence[PhoneKind] = KINDS) -> Case:
    """A case whose phones are numbered 10 × its number and on."""
    made = (Phone(id=10 * number + n, kind=kinds[n % len(kinds)]) for n in range(phones))
    return Case(id=number, phones=tuple(made))


def known(case: Case, *facts: Fact, wish: Wish | None = None) -> Known:
    """What is known of a case after these facts."""
    contacted = any(
        is_contact(PROFILE.outcomes[fact.result.outcome], fact.result)
        for fact in facts
        if isinstance(fact, AttemptMade | CallbackTaken)
    )
    state = state_of(case, facts, PROFILE, NOVEMBER)
    return Known(case=case, state=state, contacted=contacted, wish=wish)


def units(*cases: Known, now: datetime = BEGIN) -> list[Unit]:
    """The cases as the plan sees them."""
    return [unit for case in cases for unit in units_of(case, now, PROFILE)]


def slots(now: datetime = BEGIN, operators: int = 2) -> list[Slot]:
    """The bands still to come, with so many operators in each."""
    return slots_from(now, NOVEMBER, PROFILE, Roster({}, operators))

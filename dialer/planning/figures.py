"""The sums of a plan, as they are kept and shown. Nothing of a person is in them."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, computed_field

from dialer.planning.plan import Plan
from rules.profile import Profile

_HOUR_S = 3600


class BandFigures(BaseModel):
    """One band of one day."""

    day: date
    band: str
    non_weekday: bool
    operator_hours: float
    """Rostered."""
    needed_hours: float
    """Operators' hours that the planned attempts take, as expected."""
    wanted_hours: float
    """Those that the plan would take here if there were always enough operators."""
    attempts: float
    contacts: float
    """Cases reached that were not before, as expected."""
    worth_of_hour: float
    """Contacts that one more hour of an operator would bring."""


class Figures(BaseModel):
    """What a plan expects of the month."""

    cases: int
    """Open cases in it."""
    phones: int
    called: int
    """Cases called so far."""
    contacted: int
    """Cases with a contact so far."""
    expected: float
    """Cases with a contact at the month's end, as expected."""
    expected_low: float
    """If every answer rate is at the low end of its 90 % interval."""
    expected_high: float
    all_cases: int
    """Cases called so far or in the plan: what the contact rate is measured against (§8(1))."""
    goal: float
    """Contact rate the contract asks for."""
    short: int
    """Phones for whose attempts the operators' time does not suffice."""
    missing_attempts: int
    """Their attempts that are not planned."""
    missing_hours: float
    """Operators' hours which those would take."""
    bands: list[BandFigures]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def rate(self) -> float | None:
        """Expected contact rate of the month; None: there is no case."""
        return self.expected / self.all_cases if self.all_cases else None


def figures_of(
    plan: Plan,
    profile: Profile,
    *,
    attempt_s: float,
    cases: int,
    called: int,
    contacted: int,
    all_cases: int,
) -> Figures:
    """The sums of a plan, after what happened so far.

    Args:
        attempt_s: operators' seconds of an attempt, on average.
    """
    missing = sum(one.missing for one in plan.shortfalls)
    return Figures(
        cases=cases,
        phones=len(plan.paths),
        called=called,
        contacted=contacted,
        expected=contacted + plan.contacts,
        expected_low=contacted + plan.contacts_low,
        expected_high=contacted + plan.contacts_high,
        all_cases=all_cases,
        goal=profile.contact_goal,
        short=len(plan.shortfalls),
        missing_attempts=missing,
        missing_hours=missing * attempt_s / _HOUR_S,
        bands=[
            BandFigures(
                day=figures.slot.day,
                band=figures.slot.band,
                non_weekday=figures.slot.non_weekday,
                operator_hours=figures.slot.operator_s / _HOUR_S,
                needed_hours=figures.needed_s / _HOUR_S,
                wanted_hours=figures.wanted_s / _HOUR_S,
                attempts=figures.attempts,
                contacts=figures.contacts,
                worth_of_hour=figures.price,
            )
            for figures in plan.slots
        ],
    )

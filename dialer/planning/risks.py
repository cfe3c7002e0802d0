"""Which promises of a month are in danger: phone by phone, and of the month as a whole. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from dialer.planning.figures import BandFigures, Figures
from dialer.planning.plan import Shortfall
from dialer.planning.units import Known
from rules.calendar import Calendar
from rules.history import open_phones
from rules.profile import Profile
from rules.slack import slack_of

NEAR_DAYS = 1
"""Days that may be lost, at which a phone is at risk."""


class Danger(StrEnum):
    """What endangers a phone's attempts; the worst first."""

    LOST = "lost"
    """No days are left for all it is owed (rules 4-6)."""
    OPERATORS = "operators"
    """The operators' time does not suffice."""
    NEAR = "near"
    """It must be called today, or on the next day on which it can be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhoneRisk:
    """One phone in danger."""

    case_id: int
    phone_id: int
    danger: Danger
    missing: int
    """Attempts it will not get."""
    weekend_missed: bool
    """It will have no attempt on a non-weekday (rule 6)."""
    deadline: date | None
    """The last day for its next attempt; None: nothing more is possible."""


def phones_at_risk(
    known: Mapping[int, Known],
    shortfalls: Sequence[Shortfall],
    now: datetime,
    calendar: Calendar,
    profile: Profile,
) -> list[PhoneRisk]:
    """All phones in danger, the worst first."""
    short = {one.phone_id: one.missing for one in shortfalls}
    found = [
        risk
        for one in known.values()
        for phone in open_phones(one.state)
        for risk in _risk(one, int(phone.id), short.get(int(phone.id), 0), now, calendar, profile)
    ]
    order = list(Danger)
    return sorted(found, key=lambda risk: (order.index(risk.danger), risk.case_id, risk.phone_id))


def _risk(
    known: Known, phone: int, short: int, now: datetime, calendar: Calendar, profile: Profile
) -> Iterator[PhoneRisk]:
    slack = slack_of(known.state, phone, now, calendar, profile)
    if slack is None:
        return
    if slack.days < 0:
        danger, missing = Danger.LOST, slack.missing
    elif short:
        danger, missing = Danger.OPERATORS, short
    elif slack.days <= NEAR_DAYS:
        danger, missing = Danger.NEAR, 0
    else:
        return
    yield PhoneRisk(
        case_id=int(known.case.id),
        phone_id=phone,
        danger=danger,
        missing=missing,
        weekend_missed=slack.weekend_missed,
        deadline=slack.deadline,
    )


def warnings(figures: Figures, calendar: Calendar, profile: Profile) -> Iterator[str]:
    """What a supervisor should know of the month while there is time to act."""
    days = calendar.calling_days(calendar.period_from)
    worked = sum(calendar.is_non_weekday(day) for day in days)
    if worked < profile.min_non_weekdays:
        yield (
            f"{worked} non-weekdays to call on, the contract asks for {profile.min_non_weekdays} "
            "(§6(2)イ): agree on another period with the city"
        )
    for day, bands in by_day(figures.bands).items():
        if not any(band.operator_hours for band in bands):
            yield f"{day}: no operator is rostered on a calling day; see `dialer roster show`"
    if figures.missing_attempts:
        yield (
            f"{figures.missing_attempts} attempts cannot be made: they take about "
            f"{figures.missing_hours:.1f} more operator-hours; the bands that want more than is "
            "rostered are the best for them"
        )
    if figures.rate is not None and figures.rate < figures.goal:
        yield (
            f"the contact rate is expected to be {figures.rate:.0%}, the goal is "
            f"{figures.goal:.0%} (§8(1)): more operators in the bands where an hour is worth most"
        )


def by_day(bands: Sequence[BandFigures]) -> dict[date, list[BandFigures]]:
    """The bands of each day, in order."""
    days: dict[date, list[BandFigures]] = {}
    for band in bands:
        days.setdefault(band.day, []).append(band)
    return days

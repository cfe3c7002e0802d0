"""How long a phone may wait: the days that may be lost before something owed is lost (rules 4-6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import product

from rules.calendar import JST, Calendar
from rules.case import CaseState, CaseStatus, Id, PhoneState, PhoneStatus, Scope, check_aware
from rules.history import attempts_left, open_phones
from rules.hours import band_of, opening_of
from rules.profile import Profile, Timeline


@dataclass(frozen=True, kw_only=True, slots=True)
class Slack:
    """What a phone is still owed, and how long that can wait."""

    days: int
    """Days on which the phone could be called, today included, that may pass without an attempt while
    everything owed can still be had; 0: the next such day may not be lost; -1: something owed cannot
    be had any more."""
    missing: int
    """Counted attempts owed that cannot be placed any more."""
    weekend_missed: bool
    """The non-weekday attempt is owed and cannot be had any more (rule 6)."""
    deadline: date | None
    """The last day on which the next attempt loses nothing of what can still be had; None: no attempt
    is possible any more. It stays the same while nothing happens to the case, whatever the day."""


def slack_of(
    state: CaseState, phone_id: Id, now: datetime, calendar: Calendar, profile: Profile
) -> Slack | None:
    """How long the phone may wait from `now` on; None: nothing is owed to it.

    Owed are the attempts left, each on a day of its own and in another band than the one before, and
    one of them on a non-weekday unless that is met. An appointment and what a phone has to wait for
    begin the time that is left; that a call at an appointment is free of rules 5 and 6 is not counted
    on. What is owed is what the profile says on the day of `now`; hours and bands are those of each day.

    Attempts of the case (`attempt_scope: case`): all its open phones together may take them, and it
    waits as long as the case may. A non-weekday of the case (`weekend_scope: case`): every phone has to
    have it until one has it, but one that no longer can is let off while another one can.

    Raises:
        KeyError: the phone is not the case's.
        ValueError: `now` carries no time zone.
    """
    profile = profile.on(check_aware(now).astimezone(JST).date())
    phone = state.phones[phone_id]
    left = attempts_left(state, phone, profile)
    if state.status is not CaseStatus.OPEN or phone.status is PhoneStatus.CLOSED or not left:
        return None
    whole_case = profile.attempt_scope is Scope.CASE
    phones = open_phones(state) if whole_case else [phone]
    weekend = not any(
        each.weekend_met for each in (state.phones.values() if whole_case else phones)
    )
    chances = tuple(_chances(state, each, now, calendar, profile) for each in phones)
    slack = _slack(chances, left, weekend=weekend)
    if slack.weekend_missed and profile.weekend_scope is Scope.CASE:
        others = [other for other in open_phones(state) if other not in phones]
        if any(_can_meet_weekend(state, other, now, calendar, profile) for other in others):
            return _slack(chances, left, weekend=False)
    return slack


_Day = tuple[date, bool, tuple[str, ...]]
"""A day, whether it is a non-weekday, and its bands in which a call can be placed."""


@dataclass(frozen=True, slots=True)
class _Chances:
    """When one phone can still be called."""

    last_band: str | None
    """Of the counted attempt before; None: none, or outside all bands."""
    days: tuple[_Day, ...]
    """In order; without days on which it was called."""


def _chances(
    state: CaseState, phone: PhoneState, now: datetime, calendar: Calendar, profile: Profile
) -> _Chances:
    start = _free_from(state, phone, now, profile)
    today = start.date()
    days = _days(today, calendar, profile.timeline)
    if days and days[0][0] == today:
        bands = _bands(start, calendar, profile)
        days = ((today, days[0][1], bands), *days[1:]) if bands else days[1:]
    called = {moment.astimezone(JST).date() for moment in phone.counted}
    return _Chances(
        last_band=band_of(phone.counted[-1], profile) if phone.counted else None,
        days=tuple(day for day in days if day[0] not in called),
    )


def _free_from(state: CaseState, phone: PhoneState, now: datetime, profile: Profile) -> datetime:
    """When nothing that only passes stands against the phone any more."""
    gap = timedelta(minutes=profile.case_gap_min)
    ends = [now, state.appointment, phone.not_before]
    for other in state.phones.values():
        if other.id != phone.id and other.last_placed is not None:
            ends.append(other.last_placed + gap)
    return max(end for end in ends if end is not None).astimezone(JST)


@lru_cache(maxsize=1_000)
def _days(since: date, calendar: Calendar, timeline: Timeline) -> tuple[_Day, ...]:
    """The calling days from one on, all of it, on which a call can be placed."""
    days = []
    for day in calendar.calling_days(since):
        bands = _bands(datetime.combine(day, time(), JST), calendar, timeline.on(day))
        if bands:
            days.append((day, calendar.is_non_weekday(day), bands))
    return tuple(days)


def _bands(start: datetime, calendar: Calendar, profile: Profile) -> tuple[str, ...]:
    """The bands in which a call can be placed on the day of `start`, from then on."""
    day = start.date()
    opening = opening_of(day, calendar, profile)
    found = []
    for band in profile.on(day).bands:
        begin = max(start, opening.opens, datetime.combine(day, band.starts, JST))
        if begin <= opening.last_originate and begin < datetime.combine(day, band.ends, JST):
            found.append(band.name)
    return tuple(found)


def _can_meet_weekend(
    state: CaseState, phone: PhoneState, now: datetime, calendar: Calendar, profile: Profile
) -> bool:
    chances = _chances(state, phone, now, calendar, profile)
    left = attempts_left(state, phone, profile)
    return any(met for _, met in _reachable(chances.days, chances.last_band, left))


@lru_cache(maxsize=100_000)
def _slack(chances: tuple[_Chances, ...], left: int, *, weekend: bool) -> Slack:
    """
    Args:
        chances: of all phones that may take the attempts.
        weekend: whether one of the attempts has to be on a non-weekday.
    """
    days = sorted({day[0] for each in chances for day in each.days})
    best = _best(chances, days, left, weekend=weekend)
    lost = 0
    while lost < len(days) and best == _best(chances, days[lost + 1 :], left, weekend=weekend):
        lost += 1
    placed, met = best
    return Slack(
        days=lost if best == (left, True) else -1,
        missing=left - placed,
        weekend_missed=not met,
        deadline=days[lost] if placed else None,
    )


def _best(
    chances: Iterable[_Chances], days: Sequence[date], left: int, *, weekend: bool
) -> tuple[int, bool]:
    """The most attempts that can be placed on some days, and whether the weekend rule is met then."""
    each = []
    for one in chances:
        possible = tuple(day for day in one.days if day[0] in days)
        each.append(_reachable(possible, one.last_band, left))
    sums = (
        (sum(placed for placed, _ in one), not weekend or any(met for _, met in one))
        for one in product(*each)
    )
    return max(one for one in sums if one[0] <= left)


@lru_cache(maxsize=100_000)
def _reachable(
    days: tuple[_Day, ...], last_band: str | None, left: int
) -> frozenset[tuple[int, bool]]:
    """Every (attempts placed, one of them on a non-weekday) that the days allow one phone."""
    if not days or not left:
        return frozenset({(0, False)})
    _, non_weekday, bands = days[0]
    found = set(_reachable(days[1:], last_band, left))
    for band in bands:
        if band != last_band:
            found |= {
                (placed + 1, met or non_weekday)
                for placed, met in _reachable(days[1:], band, left - 1)
            }
    return frozenset(found)

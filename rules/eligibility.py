"""May this phone be called now, and when is the earliest moment it may be (rules 1, 4-7, 10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from rules.calendar import JST, Calendar
from rules.case import CaseState, CaseStatus, Id, PhoneState, PhoneStatus, check_aware
from rules.history import attempts_left
from rules.hours import band_of, opening_of
from rules.profile import Profile


class Reason(StrEnum):
    """Why a phone may not be called; a verdict lists all that hold, in this order."""

    OUTSIDE_PERIOD = "outside_period"
    EXCLUDED_DAY = "excluded_day"
    OUTSIDE_HOURS = "outside_hours"
    CASE_COMPLETE = "case_complete"
    CASE_ESCALATED = "case_escalated"
    PHONE_CLOSED = "phone_closed"
    STOPPED = "stopped"
    PAID = "paid"
    ATTEMPTS_USED = "attempts_used"
    SAME_DAY = "same_day"
    SAME_BAND = "same_band"
    KEPT_FOR_NON_WEEKDAY = "kept_for_non_weekday"
    APPOINTMENT_PENDING = "appointment_pending"
    COOLING_DOWN = "cooling_down"
    CASE_GAP = "case_gap"
    HOUSEHOLD_BUSY = "household_busy"


@dataclass(frozen=True, kw_only=True, slots=True)
class HouseholdActivity:
    """Calls to other cases that share the household or a number (rule 10)."""

    last_at: datetime | None = None
    """When the latest of them was placed."""
    in_flight: bool = False
    """One of them is ringing or talking."""


QUIET = HouseholdActivity()


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The answer, and every reason against it."""

    allowed: bool
    reasons: tuple[Reason, ...]


def may_call(
    state: CaseState,
    phone_id: Id,
    now: datetime,
    calendar: Calendar,
    profile: Profile,
    household: HouseholdActivity = QUIET,
) -> Verdict:
    """Whether a call to the phone may be placed at `now`, by the profile in force on its day.

    Raises:
        KeyError: the phone is not the case's.
        ValueError: `now` carries no time zone.
    """
    local = check_aware(now).astimezone(JST)
    profile = profile.on(local.date())
    phone = state.phones[phone_id]
    reasons = {
        *calendar_reasons(local, calendar, profile),
        *_case_reasons(state, phone),
        *_waiting_reasons(state, phone, local, profile, household),
    }
    if not _appointment_due(state, phone, local):
        reasons.update(_attempt_reasons(state, phone, local, calendar, profile))
    ordered = tuple(reason for reason in Reason if reason in reasons)
    return Verdict(allowed=not ordered, reasons=ordered)


def next_from(
    state: CaseState,
    phone_id: Id,
    now: datetime,
    calendar: Calendar,
    profile: Profile,
    household: HouseholdActivity = QUIET,
) -> datetime | None:
    """The earliest moment from `now` on at which `may_call` allows the phone; None: never again.

    It supposes that nothing else happens until then; a call in flight in the household is ignored.

    Raises:
        KeyError, ValueError: as `may_call`.
    """
    at_rest = HouseholdActivity(last_at=household.last_at)
    local = check_aware(now).astimezone(JST)
    for moment in sorted(set(_turning_points(state, local, calendar, profile, at_rest))):
        if may_call(state, phone_id, moment, calendar, profile, at_rest).allowed:
            return moment
    return None


def kept_for(
    state: CaseState, phone_id: Id, now: datetime, calendar: Calendar, profile: Profile
) -> date | None:
    """The next non-weekday, for which rule 6 keeps the phone's last attempt from a call at `now`;
    None: it is not kept.

    Raises:
        KeyError, ValueError: as `may_call`.
    """
    today = check_aware(now).astimezone(JST).date()
    profile = profile.on(today)
    phone = state.phones[phone_id]
    if phone.weekend_met or calendar.is_non_weekday(today):
        return None
    if attempts_left(state, phone, profile) != 1:
        return None
    days = calendar.calling_days(today + timedelta(days=1))
    non_weekdays = (day for day in days if calendar.is_non_weekday(day))
    usable = (day for day in non_weekdays if _has_other_band(phone, day, calendar, profile))
    return next(usable, None)


def missed_appointments(state: CaseState, now: datetime, profile: Profile) -> tuple[datetime, ...]:
    """Appointments not kept within their window, for the report (rule 7)."""
    profile = profile.on(now.astimezone(JST).date())
    window = timedelta(minutes=profile.appointment_window_min)
    if state.appointment is not None and now > state.appointment + window:
        return (*state.missed_appointments, state.appointment)
    return state.missed_appointments


def calendar_reasons(now: datetime, calendar: Calendar, profile: Profile) -> Iterator[Reason]:
    """What the day and the hour say against every call (rule 1); `now` in Japan time."""
    day = now.date()
    if not calendar.is_in_period(day):
        yield Reason.OUTSIDE_PERIOD
    if day in calendar.excluded:
        yield Reason.EXCLUDED_DAY
    opening = opening_of(day, calendar, profile)
    if not opening.opens <= now <= opening.last_originate:
        yield Reason.OUTSIDE_HOURS


def _case_reasons(state: CaseState, phone: PhoneState) -> Iterator[Reason]:
    if state.status is CaseStatus.COMPLETE:
        yield Reason.CASE_COMPLETE
    if state.is_asked:
        yield Reason.CASE_ESCALATED
    if state.stopped:
        yield Reason.STOPPED
    if state.paid:
        yield Reason.PAID
    if phone.status is PhoneStatus.CLOSED:
        yield Reason.PHONE_CLOSED


def _waiting_reasons(
    state: CaseState,
    phone: PhoneState,
    now: datetime,
    profile: Profile,
    household: HouseholdActivity,
) -> Iterator[Reason]:
    """Reasons that an appointment does not lift."""
    if state.appointment is not None and now < state.appointment:
        yield Reason.APPOINTMENT_PENDING
    if phone.not_before is not None and now < phone.not_before:
        yield Reason.COOLING_DOWN
    gap = timedelta(minutes=profile.household_gap_min)
    if household.in_flight or _is_within(household.last_at, gap, now):
        yield Reason.HOUSEHOLD_BUSY


def _attempt_reasons(
    state: CaseState, phone: PhoneState, now: datetime, calendar: Calendar, profile: Profile
) -> Iterator[Reason]:
    """Reasons of rules 4-6 and the gap within the case; an appointment that is due lifts them."""
    if not attempts_left(state, phone, profile):
        yield Reason.ATTEMPTS_USED
    if now.date() in _days_called(phone):
        yield Reason.SAME_DAY
    if _is_same_band(phone, now, profile):
        yield Reason.SAME_BAND
    if kept_for(state, phone.id, now, calendar, profile) is not None:
        yield Reason.KEPT_FOR_NON_WEEKDAY
    gap = timedelta(minutes=profile.case_gap_min)
    others = (other for other in state.phones.values() if other.id != phone.id)
    if any(_is_within(other.last_placed, gap, now) for other in others):
        yield Reason.CASE_GAP


def _appointment_due(state: CaseState, phone: PhoneState, now: datetime) -> bool:
    return (
        state.appointment is not None
        and state.appointment <= now
        and state.appointment_phone in (None, phone.id)
    )


def _is_within(last: datetime | None, gap: timedelta, now: datetime) -> bool:
    return last is not None and now < last + gap


def _days_called(phone: PhoneState) -> set[date]:
    return {moment.astimezone(JST).date() for moment in phone.counted}


def _is_same_band(phone: PhoneState, now: datetime, profile: Profile) -> bool:
    band = band_of(now, profile)
    return bool(phone.counted) and band is not None and band == band_of(phone.counted[-1], profile)


def _has_other_band(phone: PhoneState, day: date, calendar: Calendar, profile: Profile) -> bool:
    opening = opening_of(day, calendar, profile)
    starts = (datetime.combine(day, band.starts, JST) for band in profile.on(day).bands)
    return any(
        opening.opens <= start <= opening.last_originate
        and not _is_same_band(phone, start, profile)
        for start in (opening.opens, *starts)
    )


def _turning_points(
    state: CaseState,
    now: datetime,
    calendar: Calendar,
    profile: Profile,
    household: HouseholdActivity,
) -> Iterator[datetime]:
    """Every moment from `now` on at which a refusal can turn into a permission."""
    yield now
    ends = [state.appointment, *(phone.not_before for phone in state.phones.values())]
    form: Profile | None = profile.on(now.date())
    while form is not None:  # the gaps as they are today, and as they will be
        ends += _ends_of_gaps(state, form, household)
        form = form.following()
    for day in calendar.calling_days(now.date()):
        ends.append(opening_of(day, calendar, profile).opens)
        for band in profile.on(day).bands:  # where no other follows, its end is free of rule 5
            ends += (datetime.combine(day, clock, JST) for clock in (band.starts, band.ends))
    yield from (end.astimezone(JST) for end in ends if end is not None and end >= now)


def _ends_of_gaps(
    state: CaseState, profile: Profile, household: HouseholdActivity
) -> Iterator[datetime]:
    case_gap = timedelta(minutes=profile.case_gap_min)
    if household.last_at is not None:
        yield household.last_at + timedelta(minutes=profile.household_gap_min)
    for phone in state.phones.values():
        if phone.last_placed is not None:
            yield phone.last_placed + case_gap

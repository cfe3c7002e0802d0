"""May this phone be called now, and when is the earliest moment it may be (rules 1, 4-7, 10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from rules.calendar import JST, Calendar
from rules.case import CaseState, CaseStatus, Id, PhoneState, PhoneStatus, Scope, check_aware
from rules.history import attempts_left, open_phones
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
    """Whether a call to the phone may be placed at `now`.

    Raises:
        KeyError: the phone is not the case's.
        ValueError: `now` carries no time zone.
    """
    local = check_aware(now).astimezone(JST)
    phone = state.phones[phone_id]
    reasons = {
        *_calendar_reasons(local, calendar, profile),
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


def missed_appointments(state: CaseState, now: datetime, profile: Profile) -> tuple[datetime, ...]:
    """Appointments not kept within their window, for the report (rule 7)."""
    window = timedelta(minutes=profile.appointment_window_min)
    if state.appointment is not None and now > state.appointment + window:
        return (*state.missed_appointments, state.appointment)
    return state.missed_appointments


def _calendar_reasons(now: datetime, calendar: Calendar, profile: Profile) -> Iterator[Reason]:
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
    if state.status is CaseStatus.ESCALATED:
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
    if _is_kept(state, phone, now, calendar, profile):
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


def _is_kept(
    state: CaseState, phone: PhoneState, now: datetime, calendar: Calendar, profile: Profile
) -> bool:
    """Rule 6: the last attempt waits for a non-weekday while one can still be used."""
    if phone.weekend_met or calendar.is_non_weekday(now.date()):
        return False
    if _calls_left_for_weekend(state, phone, profile) != 1:
        return False
    tomorrow = now.date() + timedelta(days=1)
    return any(
        calendar.is_non_weekday(day) and _has_other_band(phone, day, calendar, profile)
        for day in calendar.calling_days(tomorrow)
    )


def _has_other_band(phone: PhoneState, day: date, calendar: Calendar, profile: Profile) -> bool:
    opening = opening_of(day, calendar, profile)
    starts = (datetime.combine(day, band.starts, JST) for band in profile.bands)
    return any(
        opening.opens <= start <= opening.last_originate
        and not _is_same_band(phone, start, profile)
        for start in (opening.opens, *starts)
    )


def _calls_left_for_weekend(state: CaseState, phone: PhoneState, profile: Profile) -> int:
    one_phone = profile.weekend_scope is Scope.PHONE or profile.attempt_scope is Scope.CASE
    phones = [phone] if one_phone else open_phones(state)
    return sum(attempts_left(state, each, profile) for each in phones)


def _turning_points(
    state: CaseState,
    now: datetime,
    calendar: Calendar,
    profile: Profile,
    household: HouseholdActivity,
) -> Iterator[datetime]:
    """Every moment from `now` on at which a refusal can turn into a permission."""
    yield now
    case_gap = timedelta(minutes=profile.case_gap_min)
    household_gap = timedelta(minutes=profile.household_gap_min)
    ends = [state.appointment, household.last_at and household.last_at + household_gap]
    for phone in state.phones.values():
        ends += [phone.not_before, phone.last_placed and phone.last_placed + case_gap]
    for day in calendar.calling_days(now.date()):
        ends.append(opening_of(day, calendar, profile).opens)
        ends += [datetime.combine(day, band.starts, JST) for band in profile.bands]
    yield from (end.astimezone(JST) for end in ends if end is not None and end >= now)

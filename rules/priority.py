"""Which of the phones that are due is called first. Simple on purpose: planning replaces it."""

from __future__ import annotations

from datetime import datetime

from rules.calendar import JST, Calendar
from rules.case import CaseState, Id
from rules.history import attempts_left
from rules.hours import opening_of
from rules.profile import Profile


def rank(
    state: CaseState, phone_id: Id, now: datetime, calendar: Calendar, profile: Profile
) -> int:
    """The lowest rank goes first: 0 an appointment, then by how few days may be lost.

    Args:
        now: the moment from which the remaining days are looked at, aware.
    """
    if state.appointment is not None and state.appointment_phone in (None, phone_id):
        return 0
    phone = state.phones[phone_id]
    local = now.astimezone(JST)
    used = {moment.astimezone(JST).date() for moment in phone.counted}
    days = [
        day
        for day in calendar.calling_days(local.date())
        if day not in used and local <= opening_of(day, calendar, profile).last_originate
    ]
    slack = len(days) - attempts_left(state, phone, profile)
    weekend_days = sum(calendar.is_non_weekday(day) for day in days)
    if weekend_days and not phone.weekend_met:
        slack = min(slack, weekend_days - 1)
    return 1 + max(0, slack)

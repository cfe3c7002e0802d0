"""Which of the phones that are due is called first: slack first, then gain (rule 15)."""

from __future__ import annotations

from datetime import datetime, timedelta

from rules.calendar import Calendar
from rules.case import CaseState, Id, PhoneState
from rules.profile import Profile
from rules.slack import slack_of

RESERVED = 0
"""Rank of a phone whose next call needs an operator kept for it, and of no other: it is called at an
appointment (before it and from then on), or its last call was answered and found no operator."""
CALLED_BACK = 1
"""Rank of a phone from which the person called us and reached nobody."""
LAST = 100
"""The highest rank. Few different ranks: `db.candidates` looks at each of them."""
_STEPS = 10
"""Steps of urgency, and within each of them steps of gain."""
_GAIN_STEP = 50_000


def rank(
    state: CaseState,
    phone_id: Id,
    now: datetime,
    calendar: Calendar,
    profile: Profile,
    gain: int = 0,
) -> int:
    """The lowest rank goes first: `RESERVED`, `CALLED_BACK`, else 1-100.

    The sooner the day that may not be lost (`Slack.deadline`), the lower. That day is counted from the
    period's end and not from `now`: ranks are kept in the database, and one of yesterday must be
    comparable with one of today. Phones of the same day are ordered by what the plan loses if they
    are not called now, in steps of 0.05 contacts.

    Args:
        gain: what is lost, in millionths of a contact; below 0 as 0, from 450,000 on all alike.

    Raises:
        KeyError, ValueError: as `slack_of`.
    """
    if needs_operator(state, state.phones[phone_id]):
        return RESERVED
    if state.phones[phone_id].called_back is not None:
        return CALLED_BACK
    slack = slack_of(state, phone_id, now, calendar, profile)
    if slack is None or slack.deadline is None:
        return LAST
    days_after = sum(1 for _ in calendar.calling_days(slack.deadline + timedelta(days=1)))
    urgency = min(days_after, _STEPS - 1)
    worth = min(max(gain, 0) // _GAIN_STEP, _STEPS - 1)
    return LAST - urgency * _STEPS - worth


def needs_operator(state: CaseState, phone: PhoneState) -> bool:
    """Whether the phone's next call may be placed only with an operator kept for it (rule 7; `abandoned`)."""
    if phone.reserved_operator:
        return True
    return state.appointment is not None and state.appointment_phone in (None, phone.id)

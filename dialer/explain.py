"""Why the phones of one case may be called at a moment, or not: every reason with its clause and the
values behind it. Phones are named by position and kind, never by number.

For an earlier moment it tells what was known then: results saved and orders given afterwards do not
count, so that what the service decided can be followed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import evidence
from db.evidence import CaseOnRecord, HouseholdCall
from db.tables import CaseRow
from dialer.calendar import campaign_calendar
from dialer.months import Month, Months
from dialer.reason_values import Because, View, because, last_of
from rules.calendar import JST
from rules.case import CaseState, CaseStatus, PaymentKnown, PhoneKind, PhoneStatus, StopOrdered
from rules.eligibility import Reason, may_call, missed_appointments, next_from
from rules.history import attempts_left, open_phones, state_of
from rules.hours import band_of
from rules.profile import Profile

NO_MOMENT_LEFT = "no_moment_left"
"""Why a phone is never called again that no reason of its own refuses for good: the period runs out."""

_FOR_GOOD = (
    Reason.CASE_COMPLETE,
    Reason.CASE_ESCALATED,
    Reason.PHONE_CLOSED,
    Reason.STOPPED,
    Reason.PAID,
    Reason.ATTEMPTS_USED,
)
"""Reasons that no passing of time ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedAttempt:
    """One counted attempt of a phone."""

    at: datetime
    band: str | None
    """None: outside all bands (a paper result)."""
    non_weekday: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PhoneExplained:
    """One phone at the moment."""

    position: int
    """From 1, as in the file."""
    kind: PhoneKind
    learned: bool
    """Named in a call, not by the city."""
    status: PhoneStatus
    allowed: bool
    """By the rules; a call of the case that is in flight or a plan may keep it waiting all the same."""
    because: tuple[Because, ...]
    next_from: datetime | None
    """The earliest moment it may be called, if nothing else happens; None: never again."""
    never: tuple[str, ...]
    """If never: the reasons that time does not end, or `NO_MOMENT_LEFT`."""
    counted: tuple[CountedAttempt, ...]
    attempts_left: int
    weekend_met: bool
    """A counted attempt was on a non-weekday (rule 6)."""
    planned_from: datetime | None
    """Begin of the band in which the present plan tries it next."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallUnderWay:
    """A call of the case or of its household that had no result yet."""

    placed_at: datetime
    phone: int | None = None
    """Position of the case's phone; None: it is another case's call."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseExplained:
    """One case at the moment."""

    reference: str
    campaign: str
    campaign_state: str
    """As it is now; of earlier moments it is not kept."""
    at: datetime
    status: CaseStatus
    clause: str | None
    """The clause it completed under."""
    appointment: datetime | None
    noted_appointment: datetime | None
    """One that cannot be kept: listed for the city."""
    missed_appointments: tuple[datetime, ...]
    stopped_at: datetime | None
    paid_at: datetime | None
    attempts_left: int
    """Counted attempts that all open phones may still get."""
    call_in_flight: CallUnderWay | None
    household_calls: tuple[CallUnderWay, ...]
    """Calls to other cases of the household, or with a shared number, that refuse a call now."""
    phones: tuple[PhoneExplained, ...]


async def explained(
    session: AsyncSession, row: CaseRow, at: datetime, now: datetime
) -> CaseExplained:
    """Explain a case at a moment, by the profile and the days that were in force then.

    Args:
        now: what is on record is of this moment; one after it is foreseen as if nothing happened.
    """
    months = Months()
    await months.reload(session, at)
    month = months.get(row.campaign_id)
    ordered = await evidence.excluded_days(session, month.id)
    [case] = await evidence.on_record(session, [row.id])
    calls = await evidence.household_calls(session, case)
    return explain(case, calls, as_known(month, ordered, at), at, foreseen=at > now)


def as_known(month: Month, ordered: Mapping[date, datetime], at: datetime) -> Month:
    """The month with only those excluded days that the city had ordered by a moment.

    Args:
        ordered: the month's excluded days, with when the city ordered them.
    """
    if all(when <= at for when in ordered.values()):
        return month
    known = frozenset(day for day, when in ordered.items() if when <= at)
    first, last = month.calendar.period_from, month.calendar.period_to
    return replace(month, calendar=campaign_calendar(first, last, known, month.profile))


def explain(
    case: CaseOnRecord,
    calls: Sequence[HouseholdCall],
    month: Month,
    at: datetime,
    *,
    foreseen: bool = False,
) -> CaseExplained:
    """Explain a case at a moment.

    Args:
        calls: to other cases of the household, or with one of the case's numbers.
        month: with the profile and the calendar in force at the moment.
        foreseen: the moment is still to come; calls in flight are taken to be over by then.
    """
    facts = case.facts(known_at=at)
    state = state_of(case.case(), facts, month.profile, month.calendar)
    views = [View(case, facts, state, phone, calls, month, at, foreseen) for phone in case.phones]
    flying = None if foreseen else case.in_flight(at)
    recent = {call.placed_at for view in views for call in view.calls_against()}
    return CaseExplained(
        reference=case.reference,
        campaign=month.name,
        campaign_state=month.state.value,
        at=at,
        status=state.status,
        clause=state.clause and f"§8(4){state.clause}",
        appointment=state.appointment,
        noted_appointment=state.noted_appointment,
        missed_appointments=missed_appointments(state, at, month.profile),
        stopped_at=last_of(facts, StopOrdered) if state.stopped else None,
        paid_at=last_of(facts, PaymentKnown),
        attempts_left=_left(state, month.profile.on(at.astimezone(JST).date())),
        call_in_flight=None
        if flying is None
        else CallUnderWay(placed_at=flying.placed_at, phone=case.position(flying.phone_id)),
        household_calls=tuple(CallUnderWay(placed_at=placed) for placed in sorted(recent)),
        phones=tuple(_explain_phone(view) for view in views),
    )


def _explain_phone(view: View) -> PhoneExplained:
    asked = (view.state, view.phone.id, view.at, view.calendar, view.profile, view.household)
    verdict = may_call(*asked)
    coming = next_from(*asked)
    return PhoneExplained(
        position=view.on_record.position,
        kind=view.on_record.kind,
        learned=view.on_record.learned,
        status=view.phone.status,
        allowed=verdict.allowed,
        because=tuple(because(view, reason) for reason in verdict.reasons),
        next_from=coming,
        never=_never(verdict.reasons) if coming is None else (),
        counted=tuple(_counted(view, moment) for moment in view.phone.counted),
        attempts_left=attempts_left(view.state, view.phone, view.profile),
        weekend_met=view.phone.weekend_met,
        planned_from=view.on_record.planned_from,
    )


def _counted(view: View, moment: datetime) -> CountedAttempt:
    day = moment.astimezone(JST).date()
    return CountedAttempt(
        at=moment,
        band=band_of(moment, view.profile),
        non_weekday=view.calendar.is_non_weekday(day),
    )


def _never(reasons: Sequence[Reason]) -> tuple[str, ...]:
    return tuple(reason.value for reason in reasons if reason in _FOR_GOOD) or (NO_MOMENT_LEFT,)


def _left(state: CaseState, profile: Profile) -> int:
    return sum(attempts_left(state, phone, profile) for phone in open_phones(state))

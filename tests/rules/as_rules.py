"""The plain data of `naive`, turned into what `rules/` takes, and its answers turned back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from rules.calendar import Calendar, calendar_of
from rules.case import (
    AskedBack,
    AttemptMade,
    CallbackTaken,
    CalledBack,
    Case,
    CaseState,
    Decision,
    EscalationDecided,
    EscalationRaised,
    Fact,
    PaymentKnown,
    Phone,
    PhoneKind,
    PhoneStatus,
    Result,
    Scope,
    StopLifted,
    StopOrdered,
)
from rules.profile import Profile, with_overrides
from tests.rules import naive
from tests.rules.stories import PROFILE

ZONES = [naive.JST, UTC, timezone(timedelta(hours=-5))]


def to_profile(values: naive.Names) -> Profile:
    """The shipped profile with these values."""
    return with_overrides(PROFILE, values)


def to_calendar(calendar: naive.Names, profile: Profile) -> Calendar:
    """The same period; the year's end is left to `calendar_of`."""
    return calendar_of(
        profile,
        calendar["from"],
        calendar["to"],
        frozenset(calendar["excluded"]),
        frozenset(calendar["holidays"]),
    )


def to_case(case: naive.Names) -> Case:
    """The same case; kinds of phones do not matter to the rules."""
    kinds = [PhoneKind.FIXED, PhoneKind.MOBILE]
    phones = zip(case["phones"], kinds, strict=False)
    return Case(id=case["id"], phones=tuple(Phone(id=phone, kind=kind) for phone, kind in phones))


def abroad(moment: datetime) -> datetime:
    """The same moment told in some other zone: a rule must not read a clock without asking which."""
    return moment.astimezone(ZONES[moment.minute % len(ZONES)])


def to_fact(fact: naive.Fact) -> Fact:
    """The same fact as the rules' own type."""
    at = abroad(fact["at"])
    match fact["kind"]:
        case "attempt":
            phone, ring_s = fact["phone"], fact["ring_s"]
            return AttemptMade(at=at, phone=phone, result=_to_result(fact), ring_s=ring_s)
        case "callback":
            return CallbackTaken(at=at, result=_to_result(fact))
        case "called":
            return CalledBack(at=at, phone=fact["phone"])
        case "asked":
            return AskedBack(at=at, phone=fact["phone"])
        case "raise":
            return EscalationRaised(at=at)
        case "decide":
            return EscalationDecided(at=at, decision=Decision(fact["decision"]))
        case "stop":
            return StopOrdered(at=at)
        case "unstop":
            return StopLifted(at=at)
        case _:
            return PaymentKnown(at=at)


def _to_result(fact: naive.Fact) -> Result:
    return Result(
        outcome=fact["outcome"],
        script_finished=fact["script_finished"],
        same_household=fact["same_household"],
        offered=fact["offered"],
        appointment=abroad(fact["appointment"]) if fact["appointment"] else None,
        scope=Scope(fact["scope"]) if fact["scope"] else None,
    )


def from_state(state: CaseState) -> naive.Names:
    """What `naive.standing` says of a case, read from the rules' state."""
    return {
        "status": str(state.status),
        "clause": state.clause,
        "stopped": state.stopped,
        "paid": state.paid,
        "appointment": state.appointment,
        "appointment_phone": state.appointment_phone,
        "noted": state.noted_appointment,
        "missed": list(state.missed_appointments),
        "questions": [
            {
                "since": one.since,
                "why": str(one.cause),
                "ended": one.ended_at,
                "decision": one.decision and str(one.decision),
            }
            for one in state.escalations
        ],
        "phones": {
            phone.id: {
                "closed": phone.status is PhoneStatus.CLOSED,
                "counted": list(phone.counted),
                "weekend_met": phone.weekend_met,
                "needs_operator": phone.reserved_operator,
                "called_back": phone.called_back,
            }
            for phone in state.phones.values()
        },
    }

"""What the rules know of a case: its phones, and the facts that happened to it.

A case's state is never stored as truth: it is folded from these facts (`rules.history.state_of`),
so that a corrected result only means folding again. Nothing here names a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Id = int | str
"""Phones and cases are named by database ids (int) or by the names of a scenario (str)."""


def check_aware(moment: datetime) -> datetime:
    """Refuse a naive datetime.

    Raises:
        ValueError: the datetime carries no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a datetime without a time zone")
    return moment


class PhoneKind(StrEnum):
    """Kinds of phone numbers (requirements.md, Words)."""

    FIXED = "fixed"
    MOBILE = "mobile"
    IP = "ip"


class CaseStatus(StrEnum):
    """Where a case stands; only an open one is called."""

    OPEN = "open"
    COMPLETE = "complete"
    ESCALATED = "escalated"
    STOPPED = "stopped"
    PAID = "paid"


class PhoneStatus(StrEnum):
    """A phone with its attempts used up stays open (requirements.md, Outcomes)."""

    OPEN = "open"
    CLOSED = "closed"


class Scope(StrEnum):
    """What the operator chose an outcome to concern (§8(4)エ)."""

    PHONE = "phone"
    CASE = "case"


@dataclass(frozen=True, kw_only=True, slots=True)
class Phone:
    """One number of a case, without the number."""

    id: Id
    kind: PhoneKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One person to be reminded in one month; 1-2 phones from the city, more if named in a call."""

    id: Id
    phones: tuple[Phone, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What was recorded of one attempt or callback, by an operator or by the line itself."""

    outcome: str
    """Code of `Profile.outcomes`."""
    script_finished: bool = False
    same_household: bool = False
    """Confirmed to be of the person's household."""
    offered: bool = False
    """They offered to take the message (§8(4)イ)."""
    appointment: datetime | None = None
    """The time learned at which the person can be reached (§8(5)エ)."""
    scope: Scope | None = None
    """None: the outcome's own default."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptMade:
    """An originated call to one phone, with its outcome. Counts at the moment it was placed."""

    at: datetime
    phone: Id
    result: Result
    ring_s: float | None = None
    """Seconds of ringing at the callee, from the first ringing indication; None: not known (paper)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallbackTaken:
    """The person called us; never an attempt (§8(4)キ)."""

    at: datetime
    result: Result


@dataclass(frozen=True, kw_only=True, slots=True)
class CalledBack:
    """The person called us and reached nobody: outside the hours, gave up, left a message."""

    at: datetime
    phone: Id
    """The one with their number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedBack:
    """The person called us and asked to be called back instead of waiting."""

    at: datetime
    phone: Id
    """The one with their number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StopOrdered:
    """The city's word that the case must not be called again (§8(3)ク)."""

    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class StopLifted:
    """The city took its stop order back."""

    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentKnown:
    """The city told us that the case has paid."""

    at: datetime


class Decision(StrEnum):
    """How an escalation ends (§8(3)キ)."""

    RESUME = "resume"
    STOP = "stop"
    CLOSE = "close"


@dataclass(frozen=True, kw_only=True, slots=True)
class EscalationRaised:
    """The case goes to the city to decide, under one of its criteria (§8(3)キ)."""

    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class EscalationDecided:
    """The city's decision on an escalated case."""

    at: datetime
    decision: Decision


Fact = (
    AttemptMade
    | CallbackTaken
    | CalledBack
    | AskedBack
    | StopOrdered
    | StopLifted
    | PaymentKnown
    | EscalationRaised
    | EscalationDecided
)
"""Everything that can happen to a case; a history is a sequence of these in order of time."""


class EscalationCause(StrEnum):
    """Why a case is the city's to decide (rule 18)."""

    RAISED = "raised"
    """Under one of the city's criteria."""
    REFUSAL = "refusal"
    """A refusal waits for approval (§8(4)ウ, switch `approve_refusals`)."""
    LAST_APPOINTMENT = "last_appointment"
    """No attempt is left, and the appointment learned cannot be kept (rule 7)."""
    EXTRA_APPOINTMENT = "extra_appointment"
    """An appointment was learned on an extra call (rule 7)."""
    EARLY_APPOINTMENT = "early_appointment"
    """It cannot be kept and attempts are left (switch `escalate_early_appointments`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Escalation:
    """One question to the city, answered or not."""

    since: datetime
    """When it was raised; by the rules: when the call that led to it was placed."""
    cause: EscalationCause
    ended_at: datetime | None = None
    """When it was decided, or the case ended of itself; None: it waits for the decision."""
    decision: Decision | None = None
    """None: it waits, or the case ended of itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhoneState:
    """Where one phone stands, folded from the case's facts."""

    id: Id
    status: PhoneStatus = PhoneStatus.OPEN
    counted: tuple[datetime, ...] = ()
    """Moments of the counted attempts, oldest first."""
    weekend_met: bool = False
    last_placed: datetime | None = None
    """The latest attempt placed on it, counted or not."""
    not_before: datetime | None = None
    """End of a cool-down (busy, failed, abandoned)."""
    reserved_operator: bool = False
    """The next call needs an operator reserved for it (after `abandoned`)."""
    called_back: datetime | None = None
    """When the person called from it and reached nobody; None: not, or they were called or talked to
    since."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseState:
    """Where a case stands, folded from its facts."""

    status: CaseStatus = CaseStatus.OPEN
    clause: str | None = None
    """The clause it completed under, "ア"-"ク"; None while it is not complete or stopped."""
    stopped: bool = False
    """The city's stop order stands, whatever the status (§8(3)ク)."""
    paid: bool = False
    """The city told us of a payment, whatever the status."""
    appointment: datetime | None = None
    """The appointment still to be kept."""
    appointment_phone: Id | None = None
    """The phone to be called at the appointment; None: whichever is open (learned in a callback)."""
    noted_appointment: datetime | None = None
    """The last one learned that cannot be kept (outside period or hours): listed for the city."""
    missed_appointments: tuple[datetime, ...] = ()
    """Those we kept only after their window (§8(5)エ), to be reported."""
    escalations: tuple[Escalation, ...] = ()
    """All there ever were, oldest first."""
    phones: dict[Id, PhoneState] = field(default_factory=dict)

    @property
    def is_asked(self) -> bool:
        """Some question to the city has no answer yet, whatever the status (§8(3)キ)."""
        return any(one.ended_at is None for one in self.escalations)

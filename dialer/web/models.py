"""What goes over the HTTP interface. Moments are aware and travel as ISO 8601 with offset.

`Me` carries personal data and goes to the operator who talks to the person, and to nobody else; so does
what is in `case_models` and `callback_models`. `Status` and `Health` carry none: they are what
`dialer status` and monitoring see.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from dialer.web.callback_models import CallbackOut
from dialer.web.case_models import Answer, Body, Call, Preview
from rules.operator_state import State


class OperatorOut(Answer):
    """Who is signed in."""

    id: str
    name: str


class CriterionOut(Answer):
    """One criterion under which an operator can hand a case to the city (§8(3)キ)."""

    id: int
    label: str


class Me(Answer):
    """All that an operator's screen shows of the present moment."""

    rev: int
    """Grows with every change of this operator's screen."""
    now: datetime
    """The service's clock, by which `since` and `deadline` are counted; in a demo it differs from
    the screen's."""
    operator: OperatorOut
    state: State
    since: datetime
    """When the state was entered."""
    deadline: datetime | None = None
    """When after-call work turns into a pause; None in the other states."""
    call: Call | None = None
    preview: Preview | None = None
    """What they will be called for, or are offered; never together with `call`."""
    callback: CallbackOut | None = None
    """Somebody who called us; never together with `call` and `preview`."""
    break_at: datetime | None = None
    """When the break they announced begins."""
    next_appointment: datetime | None = None
    """Of anybody, if it is due or will be within 15 minutes: an operator is kept for it (rule 7)."""


class ProgressIn(Body):
    """A step of the script the operator has done, or had ticked by mistake."""

    step: Annotated[int, Field(ge=0)]
    """From 0 on, in the script's order."""
    done: bool = True


class OfferIn(Body):
    """What is done with the case that is offered; named, for the screen may have got another meanwhile."""

    attempt_id: str


class BreakIn(Body):
    """A break that is announced."""

    in_s: Annotated[int, Field(ge=0, le=7200)]
    """Seconds from now on."""


class Refused(Answer):
    """Why nothing was done, in Japanese; `field` names the mark or entry to be mended."""

    message: str
    field: str | None = None


class CallsInFlight(Answer):
    """Calls by where they are."""

    dialling: int = 0
    ringing: int = 0
    answered: int = 0
    """Answered and waiting for an operator, or on the courtesy message."""
    talking: int = 0
    message: int = 0
    """On the answering machine's message."""


class CallersStatus(Answer):
    """Those who call us."""

    waiting: int = 0
    """On the line, for an operator."""
    longest_wait_s: float | None = None
    """Seconds the first of them has waited; None: nobody waits."""
    left: int = 0
    """Wishes to be called back that the rules do not call for, and messages nobody has heard."""


class OperatorStatus(Answer):
    """One operator as the supervisor sees it, by id."""

    id: str
    state: State
    since: datetime


class CampaignStatus(Answer):
    """One campaign in numbers."""

    name: str
    state: str
    cases: int
    """All of the month."""
    open: int
    complete: int
    due: int
    """Phones that the rules let us call now."""
    placed_today: int
    counted_today: int
    next_due: datetime | None = None
    """When the next phone may be called; None: now, or never."""


class AppointmentStatus(Answer):
    """An appointment that waits for its call."""

    campaign: str
    reference: str
    """整理番号."""
    at: datetime
    missed: bool
    """Its window is over, and we have not called."""


class PacingStatus(Answer):
    """How calls come to operators now, and what is believed of the next one."""

    mode: str
    """In force now: a value of `rules.pacing.snapshot.Mode`."""
    why: str
    """Why it is that one: a value of `rules.pacing.snapshot.Why`."""
    expected_answers: float
    """Persons expected to answer, of all calls in flight."""
    expected_free: float
    """Operators expected free when a call placed now would be answered."""
    miss: float
    """Probability that the next call, if answered, would find nobody free within the patience."""
    allowed_miss: float
    """What it may be now, so that the day keeps its cap."""
    connected: int
    """Answered today and joined to an operator."""
    abandoned: int
    """Answered today, and nobody was free in time."""
    cap: float | None
    """What abandoned ÷ (abandoned + connected) of the day may be: the lowest of the campaigns that run."""
    miscalibrated: str = ""
    """What did not come true as believed on the newest day that is over; empty: nothing is off."""


class Status(Answer):
    """What `dialer status` shows. No personal data."""

    now: datetime
    """The service's clock: in a demo it differs from the machine's."""
    started_at: datetime
    draining: bool
    """SIGTERM came: no new calls, talks may end."""
    emergency_stop: bool
    asterisk_connected: bool
    database_ok: bool
    problems: dict[str, str]
    """What has to be mended, in words, by code (`dialer.problems`)."""
    pace: str
    """Why calls are being placed or not, in the pacer's words."""
    limit: str
    """What keeps the number of calls from being higher: a value of `rules.pacing.snapshot.Limit`."""
    pacing: PacingStatus
    lines: int
    """Calls the carrier allows at once."""
    calls: CallsInFlight
    callers: CallersStatus = CallersStatus()
    operators: tuple[OperatorStatus, ...]
    campaigns: tuple[CampaignStatus, ...]
    appointments: tuple[AppointmentStatus, ...] = ()
    """Those missed and those of the next 30 minutes, the earliest first."""


class Health(Answer):
    """`GET /healthz`: 200 while `ready`, else 503; no answer at all means not alive."""

    ready: bool
    problems: tuple[str, ...] = ()
    """What keeps it from dialling, in English, without personal data."""

"""What goes over the HTTP interface. Moments are aware and travel as ISO 8601 with offset.

`Me`, `Call` and `ResultIn` carry personal data and go to the operator who talks to the person, and
to nobody else. `Status` and `Health` carry none: they are what `dialer status` and monitoring see.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from rules.case import CaseStatus, PhoneKind, Scope
from rules.operator_state import State


class Answer(BaseModel):
    """What we say; made by us, so it is frozen."""

    model_config = ConfigDict(frozen=True)


class Body(BaseModel):
    """What a screen sends; an unknown key is refused, so that a misspelt mark is not lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OperatorOut(Answer):
    """Who is signed in."""

    id: str
    name: str


class Earlier(Answer):
    """One earlier attempt or callback of the case."""

    at: datetime
    outcome: str
    """Code of `Profile.outcomes`."""
    phone_kind: PhoneKind | None = None
    """None: a callback."""


class HouseholdContact(Answer):
    """A contact with another case of the household (rule 10)."""

    at: datetime
    outcome: str


class CaseSheet(Answer):
    """What an operator sees of a case."""

    attempt_id: str
    """Of the call that is shown; of an offered one it will be."""
    case_id: int
    reference: str
    name: str
    kana: str
    birth_date: str
    address: str
    category: str
    amount_yen: int
    instalments: str
    note: str
    case_status: CaseStatus = CaseStatus.OPEN
    """`stopped` or `paid` during the talk: the talk goes on, and the operator is told (rule 8)."""
    phone: str
    phone_kind: PhoneKind
    ask_for_mobile: bool = False
    """The case has fixed lines only (rule 16)."""
    history: tuple[Earlier, ...] = ()
    """Oldest first."""
    household: tuple[HouseholdContact, ...] = ()


class Call(CaseSheet):
    """The case on the operator's screen, from the moment a call is being joined until its result
    is saved."""

    placed_at: datetime
    answered_at: datetime | None
    talk_ended_at: datetime | None
    on_line: bool
    """Whether the person is still on the line."""


class Preview(CaseSheet):
    """The case of a call the operator is held for: nobody has answered it yet."""

    placed_at: datetime | None
    """None: it is offered; it is placed when the operator asks for it, or may be put off."""


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


class PromiseIn(Body):
    """What the person promised (納付約束)."""

    due: date
    amount_yen: Annotated[int, Field(ge=1, le=100_000_000)]
    method: Annotated[str, StringConstraints(max_length=40, strip_whitespace=True)] = ""


Digits = Annotated[str, StringConstraints(pattern=r"^0[0-9]{9,10}$")]


class ResultIn(Body):
    """What the operator recorded of a talk; the rules decide whether it can be so."""

    attempt_id: str
    outcome: Annotated[str, StringConstraints(max_length=32)]
    script_finished: bool = False
    same_household: bool = False
    offered: bool = False
    """They offered to take the message (§8(4)イ)."""
    appointment: AwareDatetime | None = None
    scope: Scope | None = None
    """None: the outcome's own default."""
    talk_results: tuple[Annotated[str, StringConstraints(max_length=32)], ...] = ()
    promise: PromiseIn | None = None
    note: Annotated[str, StringConstraints(max_length=2000)] = ""
    new_phone: Digits | None = None
    """A number named in the call, digits only, trunk 0 first (§8(4)エ)."""
    escalate: int | None = None
    """The city's criterion under which the operator hands the case to it (§8(3)キ)."""


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
    operators: tuple[OperatorStatus, ...]
    campaigns: tuple[CampaignStatus, ...]
    appointments: tuple[AppointmentStatus, ...] = ()
    """Those missed and those of the next 30 minutes, the earliest first."""


class Health(Answer):
    """`GET /healthz`: 200 while `ready`, else 503; no answer at all means not alive."""

    ready: bool
    problems: tuple[str, ...] = ()
    """What keeps it from dialling, in English, without personal data."""

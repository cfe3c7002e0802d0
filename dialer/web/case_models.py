"""What travels of a case: how it is shown, and the result of a talk about it. Personal data."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from rules.case import CaseStatus, PhoneKind, Scope


class Answer(BaseModel):
    """What we say; made by us, so it is frozen."""

    model_config = ConfigDict(frozen=True)


class Body(BaseModel):
    """What a screen sends; an unknown key is refused, so that a misspelt mark is not lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
    """What an operator sees of a case, whoever called whom."""

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
    ask_for_mobile: bool = False
    """The case has fixed lines only (rule 16)."""
    history: tuple[Earlier, ...] = ()
    """Oldest first."""
    household: tuple[HouseholdContact, ...] = ()


class CalledCase(CaseSheet):
    """A case with the phone it is called on."""

    attempt_id: str
    """Of the call that is shown; of an offered one it will be."""
    phone: str
    phone_kind: PhoneKind


class Call(CalledCase):
    """The case on the operator's screen, from the moment a call is being joined until its result
    is saved."""

    placed_at: datetime
    answered_at: datetime | None
    talk_ended_at: datetime | None
    on_line: bool
    """Whether the person is still on the line."""


class Preview(CalledCase):
    """The case of a call the operator is held for: nobody has answered it yet."""

    placed_at: datetime | None
    """None: it is offered; it is placed when the operator asks for it, or may be put off."""


class PromiseIn(Body):
    """What the person promised (納付約束)."""

    due: date
    amount_yen: Annotated[int, Field(ge=1, le=100_000_000)]
    method: Annotated[str, StringConstraints(max_length=40, strip_whitespace=True)] = ""


Digits = Annotated[str, StringConstraints(pattern=r"^0[0-9]{9,10}$")]


class TalkIn(Body):
    """What the operator recorded of a talk; the rules decide whether it can be so."""

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
    """A number named in the talk, digits only, trunk 0 first (§8(4)エ)."""
    escalate: int | None = None
    """The city's criterion under which the operator hands the case to it (§8(3)キ)."""


class ResultIn(TalkIn):
    """The result of a call."""

    attempt_id: str

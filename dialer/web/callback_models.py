"""What travels of a callback: who may be calling, whom the operator identified, what came of it.

Before identification as little as is needed to ask who it is; the case itself only after it. Personal data.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from dialer.web.case_models import Answer, Body, CaseSheet, Earlier, TalkIn
from rules.case import CaseStatus, PhoneKind

FOUND_LIMIT = 20
"""Cases shown of one search; of more the operator is told."""


class CaseBrief(Answer):
    """A case the caller may be, for the questions of identification: no amount and no address."""

    case_id: int
    campaign: str
    """The month, by the campaign's name."""
    reference: str
    name: str
    kana: str
    birth_date: str
    status: CaseStatus
    same_household: bool = False
    """The caller's number is not its own: it belongs to the household of one that has it."""
    earlier: tuple[Earlier, ...] = ()
    """Its last calls, newest first."""


class PhoneOut(Answer):
    """One number we have of a case."""

    number: str
    kind: PhoneKind


class CallerCase(CaseSheet):
    """The case of a caller who was identified."""

    campaign: str
    phones: tuple[PhoneOut, ...] = ()


class CallbackOut(Answer):
    """The caller on the operator's screen, until a result is saved or it is closed without a case."""

    callback_id: str
    called: str
    """The number of ours they dialled, as it came in."""
    number: str | None
    """Theirs, trunk 0 first; None: withheld or unknown."""
    arrived_at: datetime
    on_line: bool
    """Whether the caller is still on the line."""
    ended_at: datetime | None = None
    """When the line was gone."""
    candidates: tuple[CaseBrief, ...] | None = None
    """By their number; empty: the operator asks and searches. None: not looked up yet."""
    case: CallerCase | None = None
    """After identification."""


CallbackId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}\.[0-9]{1,9}$")]


Words = Annotated[
    str,
    StringConstraints(max_length=60, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$"),
]


class SearchIn(Body):
    """Whom to look for: by one of the three."""

    callback_id: CallbackId
    reference: Words = ""
    """整理番号, the whole of it."""
    name: Words = ""
    """The beginning, in kanji or kana."""
    number: Words = ""
    """A phone number, with or without separators."""

    @model_validator(mode="after")
    def _by_one(self) -> Self:
        if sum(map(bool, (self.reference, self.name, self.number))) != 1:
            raise ValueError("search by one of reference, name and number")
        return self


class SearchOut(Answer):
    """What a search found."""

    cases: Annotated[tuple[CaseBrief, ...], Field(max_length=FOUND_LIMIT)]
    more: bool
    """There are more than are shown."""


class IdentifyIn(Body):
    """The operator knows who is calling."""

    callback_id: CallbackId
    case_id: int


class CallbackResultIn(TalkIn):
    """The result of a callback, of the case that was identified."""

    callback_id: CallbackId
    case_id: int


class CloseKind(StrEnum):
    """Why a callback ends without a case (`callback_note.kind`)."""

    UNRELATED = "unrelated"
    """Wrong number, or nothing to do with us."""
    NOT_FOUND = "not_found"
    """They say they were called, and no case is theirs."""
    OTHER = "other"


class CallbackCloseIn(Body):
    """The callback ends without a case."""

    callback_id: CallbackId
    kind: CloseKind
    note: Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)] = ""

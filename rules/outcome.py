"""Outcomes (架電結果): what an attempt came to, as data of the profile, and how to read that data.

Profiles may add outcomes by agreement with the city (§8(4), (5)): a code is data, mapped to a clause
and an effect, and no rule names a code.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.case import Result, Scope
from rules.documents import Strict


class Effect(StrEnum):
    """What an outcome does to the phone and the case."""

    COMPLETE = "complete"
    """The case is complete."""
    CLOSE_PHONE = "close_phone"
    """The phone closes; with the last open phone the case completes."""
    NONE = "none"
    """Nothing ends by this outcome itself."""


class Counted(StrEnum):
    """Whether the attempt uses up one of the phone's attempts (§8(4))."""

    YES = "yes"
    NO = "no"
    LAST_TRY = "last_try"
    """Only the day's `busy_tries`-th such try does."""


class Contact(StrEnum):
    """Whether it was a talk with the person or the household (§8(1))."""

    YES = "yes"
    NO = "no"
    SAME_HOUSEHOLD = "same_household"
    """Yes if the operator confirmed the same household."""


class Recorder(StrEnum):
    """Who can know an outcome."""

    OPERATOR = "operator"
    LINE = "line"


Mark = Literal["script_finished", "same_household", "offered"]
"""Marks an operator sets beside an outcome; names of `rules.case.Result`."""

CoolDown = Literal["busy_retry_min", "failed_retry_min", "abandon_gap_min"]
"""The profile's value that says after how many minutes the phone may be called again."""


class OutcomeRule(Strict):
    """One outcome of the profile."""

    label: str
    """What operators and reports show, in Japanese."""
    clause: Annotated[str, Field(pattern=r"^\d+\(\d+\)[ア-コ]$")] | None = None
    """Its clause in the contract, for example `8(4)ア`; None where the contract is silent."""
    effect: Effect = Effect.NONE
    counted: Counted
    contact: Contact = Contact.NO
    by: tuple[Recorder, ...]
    needs: tuple[Mark, ...] = ()
    """Marks without which it may not be recorded."""
    scopes: tuple[Scope, ...] = ()
    """What the operator may choose it to concern; the first is the default."""
    appointment: bool = False
    """May carry an appointment (§8(5)エ)."""
    rang_out: bool = False
    """Only if it rang for `ring_min_s` (§8(5)ア)."""
    cool_down: CoolDown | None = None
    """While it is not counted."""
    reserves_operator: bool = False
    """The next call needs an operator reserved for it."""
    approval: bool = False
    """Waits for approval where the profile's switch `approve_refusals` is on (§8(4)ウ)."""
    callback: bool = False
    """May be recorded of a callback (§8(4)キ)."""
    callback_clause: str | None = None
    """The clause under which it completes a case in a callback, where it is another one."""

    @property
    def letter(self) -> str:
        """The clause's letter, "ア"-"ク", under which it ends a case; empty without a clause."""
        return self.clause[-1] if self.clause else ""

    @model_validator(mode="after")
    def _an_end_has_a_clause(self) -> Self:
        if self.effect is not Effect.NONE and self.clause is None:
            raise ValueError("an outcome that completes or closes needs its clause")
        return self


def is_contact(rule: OutcomeRule, result: Result) -> bool:
    """A talk with the person or a member of the same household (§8(1))."""
    if rule.contact is Contact.SAME_HOUSEHOLD:
        return result.same_household
    return rule.contact is Contact.YES


def effect_of(rule: OutcomeRule, scope: Scope | None) -> Effect:
    """The effect, where the operator's choice of scope can move it between phone and case."""
    if scope is None or scope not in rule.scopes:
        return rule.effect
    return Effect.COMPLETE if scope is Scope.CASE else Effect.CLOSE_PHONE

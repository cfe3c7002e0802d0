"""What a scenario is made of: cases, and steps in order of time (`rules.scenario_file` reads them)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from rules.case import (
    Case,
    EscalationDecided,
    PaymentKnown,
    Result,
    StopLifted,
    StopOrdered,
)
from rules.eligibility import Reason


@dataclass(frozen=True, kw_only=True)
class Step:
    """One line of the story."""

    at: datetime
    line: int
    text: str
    """As written, on one line."""


@dataclass(frozen=True, kw_only=True)
class Ask(Step):
    """May this phone be called now?"""

    phone: str
    allowed: bool
    reason: Reason | None


@dataclass(frozen=True, kw_only=True)
class MadeAttempt(Step):
    """An attempt placed at `at`."""

    phone: str
    result: Result
    ring_s: float | None
    forced: bool
    error: bool


@dataclass(frozen=True, kw_only=True)
class TakenCallback(Step):
    """The person called us."""

    case: str
    result: Result
    error: bool


@dataclass(frozen=True, kw_only=True)
class PaperSheet(Step):
    """A result from paper, entered at `at`."""

    phone: str
    result: Result
    ring_s: float | None
    called_at: datetime
    error: bool


@dataclass(frozen=True, kw_only=True)
class CityWord(Step):
    """A stop order, its end, a payment, or a decision on an escalation."""

    case: str
    fact: StopOrdered | StopLifted | PaymentKnown | EscalationDecided


@dataclass(frozen=True, kw_only=True)
class Expectation(Step):
    """How a phone or a case stands at `at`."""

    subject: str
    expected: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class PhoneExpectation(Expectation):
    """`subject` is a phone."""


@dataclass(frozen=True, kw_only=True)
class CaseExpectation(Expectation):
    """`subject` is a case."""


AnyStep = (
    Ask | MadeAttempt | TakenCallback | PaperSheet | CityWord | PhoneExpectation | CaseExpectation
)


@dataclass(frozen=True, kw_only=True)
class Member:
    """A case of the story, with what makes it one household with others (rule 10)."""

    case: Case
    household: str | None
    numbers: frozenset[str]
    """Digits only."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A story about one or more cases."""

    file: str
    line: int
    title: str
    profile: str
    profile_line: int
    overrides: dict[str, object]
    period_from: date
    period_to: date
    excluded: frozenset[date]
    members: tuple[Member, ...]
    steps: tuple[AnyStep, ...]

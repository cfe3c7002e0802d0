"""What pacing may know at a moment, and what it answers. Times are seconds of one steady clock.

Everything is handed in and nothing is kept: the same snapshot always gets the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rules.pacing.estimates import Estimates


class Mode(StrEnum):
    """How calls come to operators."""

    PREVIEW = "preview"
    """The operator sees the case first and asks for the call."""
    PROGRESSIVE = "progressive"
    """Never more calls in flight than free operators."""
    PREDICTIVE = "predictive"
    """Also for operators who will be free when somebody answers, within the cap on abandoned calls."""


class Activity(StrEnum):
    """What an operator who takes calls is doing. Whoever pauses or is away is not in the snapshot."""

    FREE = "free"
    JOINING = "joining"
    """A person who answered is being connected to them."""
    TALKING = "talking"
    AFTER_CALL_WORK = "after_call_work"


class Limit(StrEnum):
    """What kept the number from being higher."""

    STOPPED = "stopped"
    """Emergency stop, shutting down, or Asterisk away."""
    OPERATORS = "operators"
    """No operator takes calls, or (progressive) none is free."""
    LINES = "lines"
    CALLS_PER_OPERATOR = "calls_per_operator"
    """The profile's maximum of calls in flight for each operator."""
    APPOINTMENTS = "appointments"
    """An operator who is free is kept for an appointment, or for a person we had abandoned (rule 7)."""
    RISK = "risk"
    """One more call would too likely find nobody free."""
    CANDIDATES = "candidates"
    """Nobody is left to call now."""


class Why(StrEnum):
    """Why the mode in force is the one it is."""

    ORDERED = "ordered"
    """The profile's."""
    FEW_OPERATORS = "few_operators"
    """Fewer than two operators take calls: there is nothing to predict from."""
    FEW_DATA = "few_data"
    """Too few calls were seen, today or before, to predict from."""
    AMI_UNHEALTHY = "ami_unhealthy"
    """Asterisk answers late or was silent: what we believe of calls may be old."""
    CREDIT_SPENT = "credit_spent"
    """The day's cap on abandoned calls allows no further one."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A step of the script the operator has ticked."""

    share: float
    """Share of a usual talk that is over then, 0–1."""
    at_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class OperatorNow:
    """An operator who takes calls."""

    activity: Activity
    since_s: float
    """When the activity began."""
    ticks: tuple[Tick, ...] = ()
    """Of the present talk, oldest first."""
    break_at_s: float | None = None
    """From when on they take no new call: an announced break, or the end of the shift."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallNow:
    """A call in flight: placed and not answered. One that a detected machine answered is none any more."""

    placed_s: float
    chance: float | None = None
    """Probability that a person answers it, as it was believed when it was placed; None: nothing is known of
    this phone and the estimates' own is taken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Today:
    """The day's calls so far."""

    connected: int = 0
    """Answered and joined to an operator."""
    abandoned: int = 0
    """Answered, and nobody was free within the patience. Both of persons; where nothing detects machines, of
    all answers."""
    left_s: float | None = None
    """Until the day's calling ends; None: not known, and an hour is reckoned with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What the profile allows."""

    mode: Mode = Mode.PREDICTIVE
    cap: float = 0.01
    """Abandoned ÷ (abandoned + connected) of a day, at most."""
    patience_s: float = 2.0
    """How long an answered person waits before the courtesy message."""
    calls_per_operator: float = 3.0
    """Calls in flight (unanswered) for each operator who takes calls, at most."""
    callback_reserve: int = 0
    """Operators kept free for callbacks: no call counts on them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """All that pacing may know; counts ≥ 0."""

    now_s: float
    may_dial: bool
    operators: Sequence[OperatorNow]
    calls: Sequence[CallNow]
    lines: int
    """Calls the carrier allows at once."""
    lines_used: int
    """By calls in flight, persons waiting, talks, and machines that are still on the line."""
    waiting: int = 0
    """Persons who answered and for whom no operator is chosen yet (one who is chosen is `JOINING`)."""
    callbacks_waiting: int = 0
    """Persons who called back and are on the line: they come before any new call."""
    callbacks_per_s: float = 0.0
    """Callbacks expected, per second. The cap is kept only if those that come were expected: they take
    operators for whom calls were placed."""
    appointments_soon: int = 0
    """Appointments, and calls to persons we had abandoned, that are due or will be sooner than another call
    ends: each needs a free operator kept for it."""
    candidates: Sequence[float | None] = ()
    """The chance of each phone that could be called now, in the plan's order; None: nothing is known."""
    ami_healthy: bool = True
    today: Today = Today()
    terms: Terms = Terms()
    estimates: Estimates = field(default_factory=Estimates)

    @property
    def claimed(self) -> int:
        """Operators who are not for any new call: for persons on the line, and the reserve for callbacks.
        A count below zero frees nobody."""
        reserve = max(0, self.terms.callback_reserve)
        return max(0, self.waiting) + max(reserve, self.callbacks_waiting)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How many calls to place now, which, and why not more."""

    calls: int
    """To whoever is due."""
    limit: Limit
    reserved: int = 0
    """Beside them, only to appointments and to persons we had abandoned."""
    chosen: tuple[int, ...] = ()
    """Which of the candidates, by position, in the order in which to call them."""
    mode: Mode = Mode.PROGRESSIVE
    """In force now."""
    why: Why = Why.ORDERED
    expected_answers: float = 0.0
    """Persons expected to answer, of all calls in flight with those placed now."""
    expected_free: float = 0.0
    """Operators expected free when a call placed now would be answered."""
    miss: float = 0.0
    """Probability that the next call, if answered, would find nobody free within the patience."""
    misses: tuple[float, ...] = ()
    """The same for each call chosen now, as it was when it was chosen."""
    allowed_miss: float = 0.0
    """What that probability may be at most, by the day's credit."""

"""Scenarios: short stories about cases, played against the rules with no clock but their own.

They are the acceptance protocol: readable by a supervisor and by the city (`dialer rules check`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import assert_never

from rules.calendar import calendar_of
from rules.case import (
    AttemptMade,
    CallbackTaken,
    CaseState,
    CaseStatus,
    EscalationDecided,
    Fact,
    Id,
)
from rules.eligibility import HouseholdActivity, Reason, may_call, next_from
from rules.history import state_of
from rules.marked import ScenarioError
from rules.profile import Profile, ProfileError, with_overrides
from rules.result import ResultRefusedError, check_result
from rules.scenario_file import parse_scenarios
from rules.scenario_steps import (
    AnyStep,
    Ask,
    CaseExpectation,
    CityWord,
    MadeAttempt,
    Member,
    PaperSheet,
    PhoneExpectation,
    Scenario,
    TakenCallback,
)

__all__ = [
    "Answer",
    "FileReport",
    "ScenarioError",
    "StepResult",
    "answers",
    "check_text",
    "parse_scenarios",
    "play",
    "ring_of",
]

Profiles = Callable[[str], Profile]
"""Gives the profile of a name; raises ProfileError if there is none."""
Holidays = Callable[[date, date], frozenset[date]]
"""Gives the public holidays from one day to another, both included."""

_DEFAULT_RING_S = 36.0
"""Seconds of ringing of an attempt that rang out, where the story does not tell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the rules made of a step."""

    holds: bool
    expected: str
    got: str
    reasons: tuple[str, ...] = ()
    """What they said against it: codes of `Reason`, or `field: message` (Japanese) of a result."""
    found: Mapping[str, object] = field(default_factory=dict)
    """How the phone or case was found to stand, of the values the step names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StepResult:
    """What came of one step, with its place."""

    file: str
    line: int
    scenario: str
    step: str
    """As written in the file."""
    holds: bool
    expected: str
    got: str
    reasons: tuple[str, ...] = ()
    """What the rules said against it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileReport:
    """What came of a file."""

    file: str
    scenarios: int
    results: tuple[StepResult, ...]

    @property
    def failures(self) -> tuple[StepResult, ...]:
        """The steps that do not hold."""
        return tuple(result for result in self.results if not result.holds)


def check_text(text: str, file: str, profile_named: Profiles, holidays: Holidays) -> FileReport:
    """Parse and play a scenario file.

    Raises:
        ScenarioError: the file is malformed, or names a profile or value that cannot be.
    """
    scenarios = parse_scenarios(text, file)
    results = [
        result for scenario in scenarios for result in play(scenario, profile_named, holidays)
    ]
    return FileReport(file=file, scenarios=len(scenarios), results=tuple(results))


def play(scenario: Scenario, profile_named: Profiles, holidays: Holidays) -> list[StepResult]:
    """Play one scenario, step by step.

    Raises:
        ScenarioError: it names a profile or a value that cannot be.
    """
    return [
        StepResult(
            file=scenario.file,
            line=step.line,
            scenario=scenario.title,
            step=step.text,
            holds=answer.holds,
            expected=answer.expected,
            got=answer.got,
            reasons=answer.reasons,
        )
        for step, answer in answers(scenario, profile_named, holidays)
    ]


def answers(
    scenario: Scenario, profile_named: Profiles, holidays: Holidays
) -> list[tuple[AnyStep, Answer]]:
    """Every step of a scenario with what the rules made of it.

    Raises:
        ScenarioError: as `play`.
    """
    try:
        profile = profile_named(scenario.profile).on(scenario.period_from)
        player = _Player(scenario, with_overrides(profile, scenario.overrides), holidays)
    except ProfileError as error:
        raise ScenarioError(scenario.file, scenario.profile_line, str(error)) from error
    return [(step, player.answer(step)) for step in scenario.steps]


def ring_of(step: MadeAttempt, profile: Profile) -> float | None:
    """Seconds of ringing of an attempt, also where the story leaves them out; None: it tells nothing."""
    rule = profile.outcomes.get(step.result.outcome)
    if step.ring_s is None and rule is not None and rule.rang_out:
        return _DEFAULT_RING_S
    return step.ring_s


class _Player:
    def __init__(self, scenario: Scenario, profile: Profile, holidays: Holidays) -> None:
        self._scenario = scenario
        self._profile = profile
        self._calendar = calendar_of(
            profile,
            scenario.period_from,
            scenario.period_to,
            scenario.excluded,
            # whole years: a sheet of paper may tell of a call beside the period
            holidays(date(scenario.period_from.year, 1, 1), date(scenario.period_to.year, 12, 31)),
        )
        self._by_case = {member.case.id: member for member in scenario.members}
        self._by_phone = {
            phone.id: member for member in scenario.members for phone in member.case.phones
        }
        self._facts: dict[Id, list[Fact]] = {member.case.id: [] for member in scenario.members}

    def answer(self, step: AnyStep) -> Answer:
        match step:
            case Ask():
                return self._ask(step)
            case MadeAttempt():
                return self._attempt(step)
            case PaperSheet():
                return self._paper(step)
            case TakenCallback():
                fact = CallbackTaken(at=step.at, result=step.result)
                return self._record(self._by_case[step.case], fact, (), error=step.error)
            case CityWord():
                return self._city_word(step)
            case PhoneExpectation():
                return _compare(step.expected, self._phone_values(step))
            case CaseExpectation():
                return _compare(step.expected, _case_values(self._state(step.subject)))
            case _:
                assert_never(step)

    def _ask(self, step: Ask) -> Answer:
        reasons = self._refusal(step.phone, step.at)
        holds = step.allowed != bool(reasons)
        if step.reason is not None:
            holds = step.reason in reasons
        wanted = "allowed" if step.allowed else "refused"
        return Answer(
            holds=holds,
            expected=f"{wanted}: {step.reason}" if step.reason else wanted,
            got="refused" if reasons else "allowed",
            reasons=tuple(reasons),
        )

    def _attempt(self, step: MadeAttempt) -> Answer:
        fact = AttemptMade(
            at=step.at, phone=step.phone, result=step.result, ring_s=ring_of(step, self._profile)
        )
        refusal = () if step.forced else self._refusal(step.phone, step.at)
        return self._record(self._by_phone[step.phone], fact, refusal, error=step.error)

    def _paper(self, step: PaperSheet) -> Answer:
        fact = AttemptMade(
            at=step.called_at, phone=step.phone, result=step.result, ring_s=step.ring_s
        )
        late = ("called_at: 入力した時刻より後の架電です。",) if step.called_at > step.at else ()
        return self._record(self._by_phone[step.phone], fact, late, error=step.error)

    def _record(
        self,
        member: Member,
        fact: AttemptMade | CallbackTaken,
        faults: tuple[str, ...],
        *,
        error: bool,
    ) -> Answer:
        facts = self._facts[member.case.id]
        try:
            check_result(fact, member.case, facts, self._profile, self._calendar)
        except ResultRefusedError as refused:
            faults = (*faults, str(refused))
        if not faults and not error:
            facts.append(fact)
        return Answer(
            holds=error == bool(faults),
            expected="rejected" if error else "recorded",
            got="rejected" if faults else "recorded",
            reasons=faults,
        )

    def _city_word(self, step: CityWord) -> Answer:
        status = self._state(step.case).status
        if isinstance(step.fact, EscalationDecided) and status is not CaseStatus.ESCALATED:
            return Answer(
                holds=False,
                expected="escalated",
                got=f"the case is {status}",
                found={"status": str(status)},
            )
        self._facts[step.case].append(step.fact)
        return Answer(holds=True, expected="recorded", got="recorded")

    def _state(self, case_id: Id) -> CaseState:
        case = self._by_case[case_id].case
        return state_of(case, self._facts[case_id], self._profile, self._calendar)

    def _refusal(self, phone: str, at: datetime) -> tuple[Reason, ...]:
        member = self._by_phone[phone]
        state = self._state(member.case.id)
        household = self._activity(member)
        return may_call(state, phone, at, self._calendar, self._profile, household).reasons

    def _phone_values(self, step: PhoneExpectation) -> dict[str, object]:
        member = self._by_phone[step.subject]
        state = self._state(member.case.id)
        phone = state.phones[step.subject]
        household = self._activity(member)
        return {
            "status": str(phone.status),
            "counted": len(phone.counted),
            "weekend_met": phone.weekend_met,
            "next_from": next_from(
                state, phone.id, step.at, self._calendar, self._profile, household
            ),
        }

    def _activity(self, member: Member) -> HouseholdActivity:
        placed = [
            fact.at
            for other in self._neighbours(member)
            for fact in self._facts[other.case.id]
            if isinstance(fact, AttemptMade)
        ]
        return HouseholdActivity(last_at=max(placed, default=None))

    def _neighbours(self, member: Member) -> Iterator[Member]:
        for other in self._scenario.members:
            same = member.household is not None and other.household == member.household
            if other is not member and (same or other.numbers & member.numbers):
                yield other


def _case_values(state: CaseState) -> dict[str, object]:
    return {
        "status": str(state.status),
        "clause": state.clause,
        "appointment": state.appointment or state.noted_appointment,
    }


def _compare(expected: dict[str, object], values: dict[str, object]) -> Answer:
    got = {name: values[name] for name in expected}
    return Answer(holds=got == expected, expected=_listed(expected), got=_listed(got), found=got)


def _listed(values: dict[str, object]) -> str:
    return ", ".join(f"{name}: {_shown(value)}" for name, value in values.items())


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)

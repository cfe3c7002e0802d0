"""The evidence (証跡): what was done for a case, call by call, and what follows from it by the contract.

Each attempt is judged twice: by the rules as they were known when it was placed (`refusals`), and by
what stands on record in the end (`counted`, rules 5 and 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise

from db.cases import FactKind
from db.evidence import (
    AttemptOnRecord,
    CallbackOnRecord,
    CallerOnRecord,
    CaseOnRecord,
    HouseholdCall,
    PhoneOnRecord,
    Saved,
    Source,
    WordOnRecord,
)
from dialer.explain import as_known
from dialer.months import Month
from dialer.reason_values import View
from rules.calendar import JST
from rules.case import CaseState, CaseStatus, Fact, PhoneStatus, Result, Scope
from rules.eligibility import Reason, may_call
from rules.history import attempts_left, state_of
from rules.hours import band_of
from rules.outcome import is_contact


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """A saved result that was replaced; the old one stays on record."""

    at: datetime
    by: str
    old: Result
    new: Result


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptLine:
    """One attempt (架電)."""

    phone: PhoneOnRecord
    at: datetime
    """When it was placed: its day, band and gaps count from it."""
    band: str | None
    """None: outside all bands (a paper result)."""
    ring_s: float | None
    result: Result | None
    """As last corrected; None: not recorded yet."""
    ordinal: int | None
    """Which of the phone's counted attempts it was, from 1; None: it does not count."""
    contact: bool
    operator_id: str | None
    recorded_at: datetime | None
    recorded_by: str | None
    at_appointment: bool
    """Placed for an appointment that was due: free of rules 5 and 6 (§8(5)エ)."""
    refusals: tuple[Reason, ...]
    """What the rules said against it by what was known when it was placed; empty: it was allowed."""
    corrections: tuple[Correction, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CallbackLine:
    """One callback (折り返し)."""

    at: datetime
    result: Result
    contact: bool
    recorded_by: str
    corrections: tuple[Correction, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class WordLine:
    """What the city, or somebody for it, said."""

    at: datetime
    kind: FactKind
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CallerLine:
    """The person called us and reached nobody."""

    phone: PhoneOnRecord
    at: datetime
    asked: bool
    """They asked to be called back."""


Line = AttemptLine | CallbackLine | CallerLine | WordLine


class Kept(StrEnum):
    """Whether the counted attempts of a phone kept a part of rule 5."""

    YES = "yes"
    APPOINTMENT = "appointment"
    """Only an attempt at an appointment did not, which is free of it."""
    NO = "no"


class Weekend(StrEnum):
    """How the non-weekday attempt of a phone stands (rule 6)."""

    MET = "met"
    OPEN = "open"
    """Attempts are left to it."""
    ENDED_BEFORE = "ended_before"
    """The case or the phone ended before its attempts were used up (§8(4))."""
    UNMET_NO_DAY = "unmet_no_day"
    """When the last attempt was placed, no callable non-weekday remained in the period."""
    UNMET_APPOINTMENT = "unmet_appointment"
    """The last attempt was at an appointment, on a weekday."""
    UNMET = "unmet"
    """The last attempt should have waited for a non-weekday."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhoneConclusion:
    """What follows for one phone."""

    phone: PhoneOnRecord
    status: PhoneStatus
    placed: int
    """All attempts, counted or not."""
    counted: tuple[AttemptLine, ...]
    days_differ: Kept
    bands_differ: Kept
    weekend: Weekend


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseEvidence:
    """Everything about one case that the city may ask for."""

    reference: str
    status: CaseStatus
    clause: str | None
    """The clause it completed under, `ア`-`ク`."""
    ended_by: Line | None
    """What brought it to its status; None: nothing did (it is open), or a change of the profile."""
    lines: tuple[Line, ...]
    """In order of time."""
    phones: tuple[PhoneConclusion, ...]


def evidence_of(
    case: CaseOnRecord,
    calls: Sequence[HouseholdCall],
    month: Month,
    ordered: Mapping[date, datetime],
) -> CaseEvidence:
    """The evidence of a case.

    Args:
        calls: to other cases of the household, or with one of the case's numbers.
        month: its profile is the one in force at the moment of asking.
        ordered: the days that the city excluded, with when it ordered that.
    """
    told = _Story(case, calls, month, ordered)
    lines = told.lines()
    attempts = [line for line in lines if isinstance(line, AttemptLine)]
    return CaseEvidence(
        reference=case.reference,
        status=told.state.status,
        clause=told.state.clause,
        ended_by=told.ended_by(),
        lines=lines,
        phones=tuple(told.conclude(phone, attempts) for phone in case.phones),
    )


class _Story:
    """A case's facts one after the other, with where it stood after each."""

    def __init__(
        self,
        case: CaseOnRecord,
        calls: Sequence[HouseholdCall],
        month: Month,
        ordered: Mapping[date, datetime],
    ) -> None:
        self._case = case
        self._calls = calls
        self._month = month
        self._ordered = ordered
        self._events = case.events()
        facts = [fact for fact, _source in self._events]
        self._states = [self._fold(facts[:told]) for told in range(len(facts) + 1)]
        self.state = state_of(case.case(), facts, month.profile, month.calendar)
        self._told = [
            self._line(told, fact, source) for told, (fact, source) in enumerate(self._events)
        ]

    def _fold(self, facts: Sequence[Fact]) -> CaseState:
        """Where the case stood right after these facts."""
        day = _day(facts[-1].at) if facts else date.min
        profile = self._month.profile.on(day)
        return state_of(self._case.case(), facts, profile, self._month.calendar)

    def lines(self) -> tuple[Line, ...]:
        """A line for every call and every word, in order of time."""
        unrecorded = (made for made in self._case.attempts if not made.results)
        lines = [*self._told, *(self._attempt(made, None) for made in unrecorded)]
        return tuple(sorted(lines, key=lambda line: line.at))

    def ended_by(self) -> Line | None:
        """The line of the fact that brought the case to where it stands."""
        standing = [(state.status, state.clause) for state in self._states]
        end = (self.state.status, self.state.clause)
        if standing[-1] != end or all(stood == end for stood in standing):
            return None
        return self._told[max(told for told, stood in enumerate(standing) if stood != end)]

    def conclude(self, phone: PhoneOnRecord, made: Sequence[AttemptLine]) -> PhoneConclusion:
        """What follows for a phone from the case's attempts."""
        own = [line for line in made if line.phone == phone]
        counted = tuple(line for line in own if line.ordinal is not None)
        return PhoneConclusion(
            phone=phone,
            status=self.state.phones[phone.id].status,
            placed=len(own),
            counted=counted,
            days_differ=_kept(
                line for n, line in enumerate(counted) if _day(line.at) in _days(counted[:n])
            ),
            bands_differ=_kept(
                line
                for before, line in pairwise(counted)
                if line.band is not None and line.band == before.band
            ),
            weekend=self._weekend(phone, made),
        )

    def _line(self, told: int, fact: Fact, source: Source) -> Line:
        match source:
            case AttemptOnRecord():
                return self._attempt(source, self._ordinal(told, source))
            case CallbackOnRecord():
                return self._callback(source)
            case CallerOnRecord():
                phone = next(one for one in self._case.phones if one.id == source.phone_id)
                return CallerLine(phone=phone, at=source.at, asked=source.asked)
            case WordOnRecord():
                return WordLine(at=fact.at, kind=source.kind, by=source.by)

    def _weekend(self, phone: PhoneOnRecord, made: Sequence[AttemptLine]) -> Weekend:
        state = self.state.phones[phone.id]
        profile = self._month.profile
        if state.weekend_met:
            return Weekend.MET
        if attempts_left(self.state, state, profile):
            waits = self.state.status in (CaseStatus.OPEN, CaseStatus.ESCALATED)
            may_come = waits and state.status is PhoneStatus.OPEN
            return Weekend.OPEN if may_come else Weekend.ENDED_BEFORE
        if not state.counted:  # the case's other phone used up what they share
            return Weekend.ENDED_BEFORE
        shared = profile.attempt_scope is Scope.CASE
        last = [line for line in made if line.ordinal and (shared or line.phone == phone)][-1]
        if last.at_appointment:
            return Weekend.UNMET_APPOINTMENT
        kept = Reason.KEPT_FOR_NON_WEEKDAY in last.refusals
        return Weekend.UNMET if kept else Weekend.UNMET_NO_DAY

    def _ordinal(self, told: int, made: AttemptOnRecord) -> int | None:
        """Which of the phone's counted attempts the fact at this place was."""
        before = self._states[told].phones[made.phone_id].counted
        after = self._states[told + 1].phones[made.phone_id].counted
        return len(after) if len(after) > len(before) else None

    def _attempt(self, made: AttemptOnRecord, ordinal: int | None) -> AttemptLine:
        view = self._view(made)
        verdict = may_call(
            view.state, made.phone_id, made.placed_at, view.calendar, view.profile, view.household
        )
        last = made.results[-1] if made.results else None
        return AttemptLine(
            phone=view.on_record,
            at=made.placed_at,
            band=band_of(made.placed_at, self._month.profile),
            ring_s=made.ring_s,
            result=last.result if last else None,
            ordinal=ordinal,
            contact=last is not None and self._contact(made.placed_at, last.result),
            operator_id=made.operator_id,
            recorded_at=last.at if last else None,
            recorded_by=last.by if last else None,
            at_appointment=_is_appointment(view.state, made),
            refusals=verdict.reasons,
            corrections=_corrections(made.results),
        )

    def _view(self, made: AttemptOnRecord) -> View:
        """The phone as the service saw it when the attempt was placed."""
        others = tuple(one for one in self._case.attempts if one is not made)
        before = replace(self._case, attempts=others)
        facts = before.facts(known_at=made.placed_at)
        month = as_known(self._month, self._ordered, made.placed_at)
        profile = month.profile.on(_day(made.placed_at))
        state = state_of(before.case(), facts, profile, month.calendar)
        phone = next(one for one in self._case.phones if one.id == made.phone_id)
        return View(before, facts, state, phone, self._calls, month, made.placed_at, False)

    def _callback(self, taken: CallbackOnRecord) -> CallbackLine:
        last = taken.results[-1]
        return CallbackLine(
            at=taken.at,
            result=last.result,
            contact=self._contact(taken.at, last.result),
            recorded_by=last.by,
            corrections=_corrections(taken.results),
        )

    def _contact(self, at: datetime, result: Result) -> bool:
        rule = self._month.profile.on(_day(at)).outcomes[result.outcome]
        return is_contact(rule, result)


def _is_appointment(state: CaseState, made: AttemptOnRecord) -> bool:
    return (
        state.appointment is not None
        and state.appointment <= made.placed_at
        and state.appointment_phone in (None, made.phone_id)
    )


def _corrections(saved: Sequence[Saved]) -> tuple[Correction, ...]:
    return tuple(
        Correction(at=new.at, by=new.by, old=old.result, new=new.result)
        for old, new in pairwise(saved)
    )


def _kept(against: Iterable[AttemptLine]) -> Kept:
    found = list(against)
    if not found:
        return Kept.YES
    return Kept.APPOINTMENT if all(line.at_appointment for line in found) else Kept.NO


def _day(moment: datetime) -> date:
    return moment.astimezone(JST).date()


def _days(lines: Sequence[AttemptLine]) -> set[date]:
    return {_day(line.at) for line in lines}

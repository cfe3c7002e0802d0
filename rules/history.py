"""The fold: from a case's facts to where it stands. A corrected result only means folding again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import assert_never

from rules.calendar import JST, Calendar
from rules.case import (
    AskedBack,
    AttemptMade,
    CallbackTaken,
    CalledBack,
    Case,
    CaseState,
    CaseStatus,
    Decision,
    Escalation,
    EscalationCause,
    EscalationDecided,
    EscalationRaised,
    Fact,
    Id,
    PaymentKnown,
    PhoneState,
    PhoneStatus,
    Result,
    Scope,
    StopLifted,
    StopOrdered,
)
from rules.hours import is_open
from rules.outcome import Counted, Effect, OutcomeRule, effect_of
from rules.profile import Profile

ATTEMPTS_CLAUSE = "カ"
"""A case whose attempts are used up without an end by ア-オ completes under it (§8(4)カ)."""
STOP_CLAUSE = "ク"
"""The city's word ended it (§8(4)ク)."""
_BY_RULES = frozenset(EscalationCause) - {EscalationCause.RAISED}


def state_of(case: Case, facts: Iterable[Fact], profile: Profile, calendar: Calendar) -> CaseState:
    """Where a case stands after `facts`, which may come in any order; equal times stay as given.

    Every fact is judged by the profile as it was in force on its day.

    Args:
        profile: as it is in force on the day that is asked about: a change that came in force after
            the last fact may be what completes the case.

    Raises:
        KeyError: a fact names a phone that is not the case's, or an outcome not in the profile.
    """
    fold = _Fold(case, profile, calendar)
    for fact in sorted(facts, key=lambda fact: fact.at):
        fold.take(fact)
    fold.come_to(profile.since)
    return fold.state()


def attempts_used(state: CaseState, phone: PhoneState, profile: Profile) -> int:
    """Counted attempts that stand against `Profile.attempts` for a phone (rule 4)."""
    if profile.attempt_scope is Scope.CASE:
        return sum(len(other.counted) for other in state.phones.values())
    return len(phone.counted)


def attempts_left(state: CaseState, phone: PhoneState, profile: Profile) -> int:
    """Counted attempts a phone may still get (rule 4); never below 0."""
    return max(0, profile.attempts - attempts_used(state, phone, profile))


def open_phones(state: CaseState) -> list[PhoneState]:
    """The phones that are not closed."""
    return [phone for phone in state.phones.values() if phone.status is PhoneStatus.OPEN]


class _Fold:
    """Gathers what the facts said; the status is derived from it at the end."""

    def __init__(self, case: Case, profile: Profile, calendar: Calendar) -> None:
        self._profile = profile.on(date.min)
        self._calendar = calendar
        self._now = CaseState(phones={phone.id: PhoneState(id=phone.id) for phone in case.phones})
        self._clause: str | None = None
        self._ended_under: set[CaseStatus] = set()
        """What of `stopped` and `paid` came before the end; while it stands, the end does not show."""
        self._closing_clause = ""
        """The clause that closed the last phone to close."""
        self._talked = False
        self._approval_clause: str | None = None
        self._at: datetime
        """Moment of the fact being taken."""
        self._is_wish = False
        """The appointment is one that the person asked for by a key: a talk with them is what they wanted."""
        self._tries: Counter[tuple[Id, date]] = Counter()

    def state(self) -> CaseState:
        status = self._status()
        clause = self._clause if status is CaseStatus.COMPLETE else None
        if status is CaseStatus.STOPPED:
            clause = STOP_CLAUSE
        return replace(self._now, status=status, clause=clause)

    def come_to(self, day: date) -> None:
        """Time passes: each change of the profile until `day` is settled on its own day."""
        while self._profile.until < day:
            self._profile = self._profile.on(self._profile.until + timedelta(days=1))
            self._at = datetime.combine(self._profile.since, time(), JST)
            self._settle()

    def take(self, fact: Fact) -> None:
        self.come_to(fact.at.astimezone(JST).date())
        self._at = fact.at
        match fact:
            case AttemptMade():
                self._attempt(fact)
            case CallbackTaken():
                self._callback(fact)
            case CalledBack():
                self._note_caller(fact.phone)
            case AskedBack():
                self._asked_back(fact)
            case StopOrdered():
                self._now = replace(self._now, stopped=True)
            case StopLifted():
                self._now = replace(self._now, stopped=False)
                self._ended_under.discard(CaseStatus.STOPPED)
            case PaymentKnown():
                self._now = replace(self._now, paid=True)
            case EscalationRaised():
                self._ask_city(EscalationCause.RAISED)
            case EscalationDecided():
                self._decide(fact.decision)
            case _:
                assert_never(fact)
        self._settle()

    def _settle(self) -> None:
        """Complete the case when no phone is open, or every open one has its attempts (rule 4)."""
        if not self._now.phones or self._now.is_asked or self._now.appointment is not None:
            return
        phones = open_phones(self._now)
        if not phones:
            self._complete(self._closing_clause)
        elif not any(attempts_left(self._now, phone, self._profile) for phone in phones):
            self._complete(ATTEMPTS_CLAUSE)

    def _status(self) -> CaseStatus:
        # What ended a case first stays its status: a payment that follows a finished talk does not
        # take the talk out of the month's results.
        if self._clause is not None and not self._ended_under:
            return CaseStatus.COMPLETE
        if self._now.stopped:
            return CaseStatus.STOPPED
        if self._now.paid:
            return CaseStatus.PAID
        return CaseStatus.ESCALATED if self._now.is_asked else CaseStatus.OPEN

    def _attempt(self, fact: AttemptMade) -> None:
        rule = self._profile.outcomes[fact.result.outcome]
        counted = self._is_counted(fact, rule)
        self._place(fact, rule, counted=counted)
        if rule.counted is not Counted.NO:
            self._forget_caller(fact.phone)
        if counted:
            self._keep_appointment(fact)
        self._apply(rule, fact.result, fact.phone, rule.letter)
        if fact.result.appointment is not None:
            self._learn(fact.result.appointment, fact.phone)

    def _callback(self, fact: CallbackTaken) -> None:
        rule = self._profile.outcomes[fact.result.outcome]
        phones = open_phones(self._now)
        only = phones[0].id if len(phones) == 1 else None
        for phone in self._now.phones:
            self._forget_caller(phone)
        if self._is_wish:
            self._now = replace(self._now, appointment=None, appointment_phone=None)
        self._apply(rule, fact.result, only, rule.callback_clause or rule.letter)
        if fact.result.appointment is not None:
            self._learn(fact.result.appointment, None)

    def _asked_back(self, fact: AskedBack) -> None:
        """An appointment of this very moment (rule 7), where there can be one; else as `CalledBack`."""
        phone = self._now.phones[fact.phone]
        is_called = self._status() is CaseStatus.OPEN and phone.status is PhoneStatus.OPEN
        if is_called and is_open(fact.at, self._calendar, self._profile):
            self._now = replace(self._now, appointment=fact.at, appointment_phone=fact.phone)
            self._is_wish = True
        else:
            self._note_caller(fact.phone)

    def _note_caller(self, phone_id: Id) -> None:
        phone = self._now.phones[phone_id]
        self._now.phones[phone_id] = replace(phone, called_back=self._at)

    def _forget_caller(self, phone_id: Id) -> None:
        self._now.phones[phone_id] = replace(self._now.phones[phone_id], called_back=None)

    def _decide(self, decision: Decision) -> None:
        if not self._now.is_asked:
            return
        self._end_escalations(frozenset(EscalationCause), decision)
        if decision is Decision.STOP:
            self._now = replace(self._now, stopped=True)
        elif decision is Decision.CLOSE:
            if self._approval_clause is not None:
                self._complete(self._approval_clause)
            self._settle()
            self._complete(STOP_CLAUSE)
        self._approval_clause = None

    def _is_counted(self, fact: AttemptMade, rule: OutcomeRule) -> bool:
        if rule.counted is not Counted.LAST_TRY:
            return rule.counted is Counted.YES
        key = (fact.phone, fact.at.astimezone(JST).date())
        self._tries[key] += 1
        return self._tries[key] % self._profile.busy_tries == 0

    def _place(self, fact: AttemptMade, rule: OutcomeRule, *, counted: bool) -> None:
        phone = replace(self._now.phones[fact.phone], last_placed=fact.at)
        if counted:
            phone = replace(
                phone,
                counted=(*phone.counted, fact.at),
                not_before=None,
                reserved_operator=False,
            )
        elif rule.cool_down is not None:
            minutes: int = getattr(self._profile, rule.cool_down)
            until = fact.at + timedelta(minutes=minutes)
            # a forced call does not shorten the wait after the one before it
            phone = replace(phone, not_before=max(until, phone.not_before or until))
        if rule.reserves_operator:
            phone = replace(phone, reserved_operator=True)
        self._now.phones[fact.phone] = phone
        if counted and self._calendar.is_non_weekday(fact.at.astimezone(JST).date()):
            self._meet_weekend(fact.phone)

    def _meet_weekend(self, phone_id: Id) -> None:
        whole_case = self._profile.weekend_scope is Scope.CASE
        for phone in list(self._now.phones.values()):
            if whole_case or phone.id == phone_id:
                self._now.phones[phone.id] = replace(phone, weekend_met=True)

    def _keep_appointment(self, fact: AttemptMade) -> None:
        moment = self._now.appointment
        if moment is None or fact.at < moment:
            return
        if self._now.appointment_phone not in (None, fact.phone):
            return
        if fact.at > moment + timedelta(minutes=self._profile.appointment_window_min):
            missed = (*self._now.missed_appointments, moment)
            self._now = replace(self._now, missed_appointments=missed)
        self._now = replace(self._now, appointment=None, appointment_phone=None)

    def _apply(self, rule: OutcomeRule, result: Result, phone: Id | None, clause: str) -> None:
        effect = effect_of(rule, result.scope)
        if effect is Effect.CLOSE_PHONE and phone is not None:
            self._close(phone, clause)
        elif effect is Effect.COMPLETE and rule.approval and self._profile.approve_refusals:
            if self._clause is None:
                self._ask_city(EscalationCause.REFUSAL)
                self._approval_clause = clause
        elif effect is Effect.COMPLETE:
            if rule.callback_clause is not None and not self._talked:
                self._talked = True
                if self._clause is not None:
                    self._clause = clause  # reached after all: it says more than カ or オ
            self._complete(clause)

    def _close(self, phone_id: Id, clause: str) -> None:
        phone = self._now.phones[phone_id]
        if phone.status is PhoneStatus.CLOSED:
            return
        self._now.phones[phone_id] = replace(phone, status=PhoneStatus.CLOSED)
        if self._now.appointment_phone == phone_id:
            self._now = replace(self._now, appointment_phone=None)
        self._closing_clause = clause
        if not open_phones(self._now):
            self._complete(clause)

    def _complete(self, clause: str) -> None:
        if self._clause is not None:
            return
        self._clause = clause
        holds = {CaseStatus.STOPPED: self._now.stopped, CaseStatus.PAID: self._now.paid}
        self._ended_under = {status for status, stands in holds.items() if stands}
        # what the rules asked is no question any more; what was raised the city decides all the same
        self._end_escalations(_BY_RULES)
        self._now = replace(self._now, appointment=None, appointment_phone=None)

    def _ask_city(self, cause: EscalationCause) -> None:
        new = Escalation(since=self._at, cause=cause)
        self._now = replace(self._now, escalations=(*self._now.escalations, new))

    def _end_escalations(
        self, causes: frozenset[EscalationCause], decision: Decision | None = None
    ) -> None:
        ended = (
            replace(one, ended_at=self._at, decision=decision)
            if one.ended_at is None and one.cause in causes
            else one
            for one in self._now.escalations
        )
        self._now = replace(self._now, escalations=tuple(ended))

    def _learn(self, moment: datetime, phone: Id | None) -> None:
        """Rule 7: an appointment named in an attempt on `phone`, or in a callback (None)."""
        self._is_wish = False
        if self._clause not in (None, ATTEMPTS_CLAUSE):
            self._note(moment)
        elif self._was_extra_call(phone):
            self._escalate(moment, EscalationCause.EXTRA_APPOINTMENT)
        elif open_phones(self._now) and is_open(moment, self._calendar, self._profile):
            self._clause = None
            self._now = replace(self._now, appointment=moment, appointment_phone=phone)
        elif self._is_last(phone):
            self._escalate(moment, EscalationCause.LAST_APPOINTMENT)
        elif self._profile.escalate_early_appointments:
            self._escalate(moment, EscalationCause.EARLY_APPOINTMENT)
        else:
            self._note(moment)

    def _escalate(self, moment: datetime, cause: EscalationCause) -> None:
        """The appointment at `moment` is noted, and what comes of it the city says."""
        self._note(moment)
        self._clause = None
        self._ask_city(cause)

    def _note(self, moment: datetime) -> None:
        self._now = replace(
            self._now, noted_appointment=moment, appointment=None, appointment_phone=None
        )

    def _was_extra_call(self, phone: Id | None) -> bool:
        if phone is None:
            return False
        used = attempts_used(self._now, self._now.phones[phone], self._profile)
        return used > self._profile.attempts

    def _is_last(self, phone: Id | None) -> bool:
        """No ordinary attempt is left on the phone, or, after a callback, on any open one."""
        asked = open_phones(self._now) if phone is None else [self._now.phones[phone]]
        return not any(attempts_left(self._now, one, self._profile) for one in asked)

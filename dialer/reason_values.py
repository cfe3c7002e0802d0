"""The values behind a reason against a call: which earlier call, until when, for which day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from db.evidence import CaseOnRecord, HouseholdCall, PhoneOnRecord
from dialer.months import Month
from rules.calendar import JST, Calendar
from rules.case import (
    AttemptMade,
    CaseState,
    EscalationCause,
    Fact,
    PaymentKnown,
    PhoneState,
    Scope,
    StopOrdered,
)
from rules.eligibility import HouseholdActivity, Reason, kept_for
from rules.hours import band_of, opening_of
from rules.outcome import Effect, OutcomeRule, effect_of
from rules.profile import Profile
from rules.reasons import CLAUSES, SENTENCES
from rules.wording import clock_words, day_words, moment_words

ESCALATION_WORDS: Mapping[EscalationCause, str] = {
    EscalationCause.RAISED: "市の基準による",
    EscalationCause.REFUSAL: "対話拒否の承認待ち",
    EscalationCause.LAST_APPOINTMENT: "最後の架電で確認した指定時間に架電できない",
    EscalationCause.EXTRA_APPOINTMENT: "指定時間の架電でさらに指定時間を確認した",
    EscalationCause.EARLY_APPOINTMENT: "指定時間に架電できない",
}
"""Why a case is the city's to decide, in Japanese."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Because:
    """One reason against a call."""

    reason: Reason
    clause: str
    """`§8(4)カ`, or that our own default decides."""
    sentence: str
    """In Japanese, with the values behind it."""
    until: datetime | None
    """When this reason ends by itself; None: not by time, or only with another day's opening."""


@dataclass(frozen=True, slots=True)
class View:
    """One phone with all that may stand against a call to it."""

    case: CaseOnRecord
    facts: tuple[Fact, ...]
    state: CaseState
    on_record: PhoneOnRecord
    calls: Sequence[HouseholdCall]
    month: Month
    at: datetime
    foreseen: bool
    """The moment is still to come: calls in flight are taken to be over by then."""

    @property
    def phone(self) -> PhoneState:
        return self.state.phones[self.on_record.id]

    @property
    def profile(self) -> Profile:
        """As it is in force on the moment's day."""
        return self.month.profile.on(self.today)

    @property
    def calendar(self) -> Calendar:
        return self.month.calendar

    @property
    def household(self) -> HouseholdActivity:
        """What rule 10 looks at, as it was known at the moment."""
        concerned = self._concerning()
        return HouseholdActivity(
            last_at=max((call.placed_at for call in concerned), default=None),
            in_flight=any(self.flies(call) for call in concerned),
        )

    @property
    def today(self) -> date:
        return self.at.astimezone(JST).date()

    @property
    def made(self) -> list[AttemptMade]:
        """The phone's attempts, oldest first."""
        return [
            fact
            for fact in self.facts
            if isinstance(fact, AttemptMade) and fact.phone == self.phone.id
        ]

    @property
    def appointment_to_come(self) -> datetime | None:
        """The appointment for which the phone is called; None: there is none, or it is due."""
        state = self.state
        if state.appointment is None or state.appointment_phone not in (None, self.phone.id):
            return None
        return state.appointment if self.at < state.appointment else None

    def calls_against(self) -> list[HouseholdCall]:
        """Calls of the household that are in flight or too recent."""
        gap = timedelta(minutes=self.profile.household_gap_min)
        return [
            call
            for call in self._concerning()
            if self.flies(call) or self.at < call.placed_at + gap
        ]

    def flies(self, call: HouseholdCall) -> bool:
        """Whether the call, placed by then, had no result at the moment."""
        if call.recorded_at is None:
            return not self.foreseen
        return call.recorded_at > self.at

    def _concerning(self) -> list[HouseholdCall]:
        shared = (self.case.household_key, self.on_record.number_key)
        return [
            call
            for call in self.calls
            if call.placed_at <= self.at
            and (call.household_key == shared[0] or call.number_key == shared[1])
        ]

    def rule(self, fact: AttemptMade) -> OutcomeRule:
        """The outcome of an attempt, as the profile had it then."""
        profile = self.profile.on(fact.at.astimezone(JST).date())
        return profile.outcomes[fact.result.outcome]


def because(view: View, reason: Reason) -> Because:
    """Say why a reason that the rules gave holds."""
    detail = _DETAILS[reason](view)
    until = detail.until
    if until is not None and reason in _LIFTED and (lifted := view.appointment_to_come):
        until = min(until, lifted)
    words = f"（{detail.words}）" if detail.words else ""
    return Because(
        reason=reason,
        clause=detail.clause or CLAUSES[reason],
        sentence=f"{SENTENCES[reason]}{words}。",
        until=until,
    )


def last_of(facts: Sequence[Fact], kind: type[Fact]) -> datetime | None:
    """When the latest fact of this kind was; None: there is none."""
    return max((fact.at for fact in facts if isinstance(fact, kind)), default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Detail:
    words: str = ""
    until: datetime | None = None
    clause: str | None = None
    """A more exact one than the reason's own."""


def _outside_period(view: View) -> _Detail:
    first, last = view.calendar.period_from, view.calendar.period_to
    begins = datetime.combine(first, time(), JST)
    return _Detail(
        words=f"期間は{day_words(first)}から{day_words(last)}まで",
        until=begins if view.at < begins else None,
    )


def _excluded_day(view: View) -> _Detail:
    day = view.today
    while day in view.calendar.excluded:
        day += timedelta(days=1)
    return _Detail(words=day_words(view.today), until=_midnight(day))


def _outside_hours(view: View) -> _Detail:
    opening = opening_of(view.today, view.calendar, view.profile)
    kind = "平日以外" if view.calendar.is_non_weekday(view.today) else "平日"
    hours = f"{clock_words(opening.opens)}から{clock_words(opening.closes)}まで"
    return _Detail(
        words=f"{kind}は{hours}、最終発信は{clock_words(opening.last_originate)}",
        until=opening.opens if view.at < opening.opens else None,
    )


def _case_complete(view: View) -> _Detail:
    return _Detail(clause=f"§8(4){view.state.clause}")


def _case_escalated(view: View) -> _Detail:
    asked = next(one for one in view.state.escalations if one.ended_at is None)
    return _Detail(words=f"{moment_words(asked.since)} {ESCALATION_WORDS[asked.cause]}")


def _phone_closed(view: View) -> _Detail:
    for fact in view.made:
        rule = view.rule(fact)
        if effect_of(rule, fact.result.scope) is Effect.CLOSE_PHONE:
            return _Detail(
                words=f"{moment_words(fact.at)} {rule.label}",
                clause=rule.clause and f"§{rule.clause}",
            )
    return _Detail(words="折り返し電話による")


def _stopped(view: View) -> _Detail:
    ordered = last_of(view.facts, StopOrdered)
    return _Detail(words=moment_words(ordered) if ordered else "市の判断による")


def _paid(view: View) -> _Detail:
    known = last_of(view.facts, PaymentKnown)
    return _Detail(words=f"{moment_words(known)} 登録" if known else "")


def _attempts_used(view: View) -> _Detail:
    whole_case = view.profile.attempt_scope is Scope.CASE
    phones = view.state.phones.values() if whole_case else [view.phone]
    made = sorted(moment for phone in phones for moment in phone.counted)
    return _Detail(words="、".join(_attempt_words(view, moment) for moment in made))


def _same_day(view: View) -> _Detail:
    made = [at for at in view.phone.counted if at.astimezone(JST).date() == view.today]
    return _Detail(
        words=_attempt_words(view, made[-1]), until=_midnight(view.today + timedelta(days=1))
    )


def _same_band(view: View) -> _Detail:
    name = band_of(view.at, view.profile)
    ends = next(band.ends for band in view.profile.bands if band.name == name)
    return _Detail(
        words=_attempt_words(view, view.phone.counted[-1]),
        until=datetime.combine(view.today, ends, JST),
    )


def _kept(view: View) -> _Detail:
    day = kept_for(view.state, view.phone.id, view.at, view.calendar, view.profile)
    assert day is not None  # the rules said that it is kept
    return _Detail(words=f"{day_words(day)}まで", until=_midnight(day))


def _appointment_pending(view: View) -> _Detail:
    moment = view.state.appointment
    return _Detail(words=f"{moment_words(moment)}の約束" if moment else "", until=moment)


def _cooling_down(view: View) -> _Detail:
    last, until = view.made[-1], view.phone.not_before
    assert until is not None  # the rules said that it cools down
    made = f"{moment_words(last.at)} {view.rule(last).label}"
    return _Detail(words=f"{made}、{clock_words(until)}まで", until=until)


def _case_gap(view: View) -> _Detail:
    others = [phone for phone in view.state.phones.values() if phone.id != view.phone.id]
    at, other = max((one.last_placed, one.id) for one in others if one.last_placed)
    until = at + timedelta(minutes=view.profile.case_gap_min)
    position = view.case.position(other)
    return _Detail(
        words=f"電話{position}に{clock_words(at)}架電、{clock_words(until)}まで", until=until
    )


def _household_busy(view: View) -> _Detail:
    calls = view.calls_against()
    flying = [call for call in calls if view.flies(call)]
    last = (flying or calls)[-1]
    which = f"案件{last.reference}に{clock_words(last.placed_at)}架電"
    if flying:
        return _Detail(words=f"{which}、結果待ち")
    until = last.placed_at + timedelta(minutes=view.profile.household_gap_min)
    return _Detail(words=f"{which}、{clock_words(until)}まで", until=until)


_LIFTED = (Reason.SAME_DAY, Reason.SAME_BAND, Reason.KEPT_FOR_NON_WEEKDAY, Reason.CASE_GAP)
"""What an appointment that is due lifts (§8(5)エ), of what time ends."""
_DETAILS: Mapping[Reason, Callable[[View], _Detail]] = {
    Reason.OUTSIDE_PERIOD: _outside_period,
    Reason.EXCLUDED_DAY: _excluded_day,
    Reason.OUTSIDE_HOURS: _outside_hours,
    Reason.CASE_COMPLETE: _case_complete,
    Reason.CASE_ESCALATED: _case_escalated,
    Reason.PHONE_CLOSED: _phone_closed,
    Reason.STOPPED: _stopped,
    Reason.PAID: _paid,
    Reason.ATTEMPTS_USED: _attempts_used,
    Reason.SAME_DAY: _same_day,
    Reason.SAME_BAND: _same_band,
    Reason.KEPT_FOR_NON_WEEKDAY: _kept,
    Reason.APPOINTMENT_PENDING: _appointment_pending,
    Reason.COOLING_DOWN: _cooling_down,
    Reason.CASE_GAP: _case_gap,
    Reason.HOUSEHOLD_BUSY: _household_busy,
}


def _attempt_words(view: View, moment: datetime) -> str:
    return f"{moment_words(moment)} {band_of(moment, view.profile) or '時間帯外'}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), JST)

"""Everything on record of a case, with what was corrected and when (証跡).

Unlike `db.cases.histories` it tells also what was known at an earlier moment: a result counts from
when it was saved, an order of the city from when it was given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import results
from db.cases import FactKind, caller_fact, city_fact
from db.tables import (
    Attempt,
    AttemptChange,
    CalledBack,
    CaseFact,
    CaseRow,
    ExcludedDay,
    PhoneRow,
    ResultRow,
)
from rules.call_state import State
from rules.case import AttemptMade, CallbackTaken, Case, Fact, Id, Phone, PhoneKind, Result


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """A result as it was saved at one time; a later one of the same call replaces it."""

    result: Result
    at: datetime
    by: str
    """Operator id, or `db.results.BY_LINE`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhoneOnRecord:
    """One phone of the case, without its number."""

    id: int
    position: int
    """From 1, as in the file; those learned in a call follow."""
    kind: PhoneKind
    learned: bool
    number_key: str
    planned_from: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptOnRecord:
    """One attempt with all results saved of it."""

    id: str
    phone_id: int
    placed_at: datetime
    ring_s: float | None
    """Seconds of ringing; None: it did not ring, or nobody knows (paper)."""
    operator_id: str | None
    """Who talked; None: nobody did."""
    results: tuple[Saved, ...]
    """Oldest first, the last one holds; empty: not recorded yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallbackOnRecord:
    """One callback (折り返し) with all results saved of it, oldest first."""

    results: tuple[Saved, ...]

    @property
    def at(self) -> datetime:
        """When it was: a callback is recorded as it happens."""
        return self.results[0].at


@dataclass(frozen=True, kw_only=True, slots=True)
class WordOnRecord:
    """What the city, or somebody for it, said of the case."""

    kind: FactKind
    at: datetime
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CallerOnRecord:
    """The person called us and reached nobody."""

    phone_id: int
    at: datetime
    asked: bool
    """They pressed the key to be called back."""


Source = AttemptOnRecord | CallbackOnRecord | CallerOnRecord | WordOnRecord
"""Where a fact is on record."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseOnRecord:
    """One case; each list in order of time."""

    id: int
    campaign_id: int
    reference: str
    household_key: str
    phones: tuple[PhoneOnRecord, ...]
    attempts: tuple[AttemptOnRecord, ...]
    callbacks: tuple[CallbackOnRecord, ...]
    words: tuple[WordOnRecord, ...]
    callers: tuple[CallerOnRecord, ...] = ()

    def case(self) -> Case:
        """The case as the rules see it."""
        phones = tuple(Phone(id=phone.id, kind=phone.kind) for phone in self.phones)
        return Case(id=self.id, phones=phones)

    def position(self, phone_id: Id) -> int:
        """Position of one of the case's phones."""
        return next(phone.position for phone in self.phones if phone.id == phone_id)

    def events(self, known_at: datetime | None = None) -> list[tuple[Fact, Source]]:
        """What happened, with where it is on record, in order of time.

        Args:
            known_at: as it was known at this moment; None: all of it, as last corrected. A phone
                learned in a call is there from the beginning: when it was learned is not kept.
        """
        found: list[tuple[Fact, Source]] = []
        for made in self.attempts:
            if saved := _known(made.results, known_at):
                attempt = AttemptMade(
                    at=made.placed_at, phone=made.phone_id, result=saved.result, ring_s=made.ring_s
                )
                found.append((attempt, made))
        for taken in self.callbacks:
            if saved := _known(taken.results, known_at):
                found.append((CallbackTaken(at=taken.at, result=saved.result), taken))
        for caller in self.callers:
            if known_at is None or caller.at <= known_at:
                fact = caller_fact(caller.phone_id, caller.at, asked=caller.asked)
                found.append((fact, caller))
        for word in self.words:
            if known_at is None or word.at <= known_at:
                found.append((city_fact(word.kind, word.at), word))
        return sorted(found, key=lambda event: event[0].at)

    def facts(self, known_at: datetime | None = None) -> tuple[Fact, ...]:
        """What happened, for the rules; as `events`."""
        return tuple(fact for fact, _source in self.events(known_at))

    def in_flight(self, at: datetime) -> AttemptOnRecord | None:
        """The call of the case that had been placed at a moment and had no result yet."""
        for made in reversed(self.attempts):
            if made.placed_at <= at and _known(made.results, at) is None:
                return made
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class HouseholdCall:
    """A call as rule 10 looks at it: to another case that shares the household or a number."""

    case_id: int
    reference: str
    household_key: str
    number_key: str
    placed_at: datetime
    recorded_at: datetime | None
    """When its first result was saved; None: it is in flight."""


async def on_record(session: AsyncSession, case_ids: Sequence[int]) -> list[CaseOnRecord]:
    """The cases with all that is on record of them; at most `db.cases.BATCH`, in this order."""
    return await session.run_sync(lambda session: _on_record(session.connection(), case_ids))


async def household_calls(session: AsyncSession, case: CaseOnRecord) -> list[HouseholdCall]:
    """Calls to other cases of the household or with one of the case's numbers, oldest first."""
    asked = {
        "case": case.id,
        "household": case.household_key,
        "numbers": [phone.number_key for phone in case.phones],
    }
    return [_household_call(row) for row in await session.execute(_HOUSEHOLD, asked)]


async def calls_meanwhile(session: AsyncSession, campaign_id: int) -> list[HouseholdCall]:
    """All calls, of any campaign, from a day before a campaign's first to its last; oldest first."""
    bounds = select(_FIRST, _LAST).where(Attempt.campaign_id == campaign_id)
    first, last = (await session.execute(bounds)).one()
    if first is None:
        return []
    query = _CALLS.where(Attempt.placed_at >= first - timedelta(days=1), Attempt.placed_at <= last)
    return [_household_call(row) for row in await session.execute(query)]


async def excluded_days(session: AsyncSession, campaign_id: int) -> dict[date, datetime]:
    """The days that the city took out of the period, with when it ordered that."""
    query = select(ExcludedDay.day, ExcludedDay.ordered_at).where(
        ExcludedDay.campaign_id == campaign_id
    )
    return {row.day: row.ordered_at for row in await session.execute(query)}


def _known(saved: Sequence[Saved], at: datetime | None) -> Saved | None:
    """The result that held at a moment; None: none was saved yet."""
    known = [one for one in saved if at is None or one.at <= at]
    return known[-1] if known else None


def _on_record(connection: Connection, case_ids: Sequence[int]) -> list[CaseOnRecord]:
    ids = {"ids": case_ids}
    cases = {row.id: row for row in connection.execute(_CASES, ids)}
    phones: dict[int, list[PhoneOnRecord]] = defaultdict(list)
    for phone in connection.execute(_PHONES, ids):
        phones[phone.case_id].append(_phone(phone))
    of_attempts, of_callbacks = _all_results(connection, ids)
    attempts: dict[int, list[AttemptOnRecord]] = defaultdict(list)
    for made in connection.execute(_ATTEMPTS, ids):
        attempts[made.case_id].append(_attempt(made, of_attempts[made.id]))
    words: dict[int, list[WordOnRecord]] = defaultdict(list)
    for said in connection.execute(_WORDS, ids):
        word = WordOnRecord(kind=FactKind(said.kind), at=said.at, by=said.by)
        words[said.case_id].append(word)
    callers: dict[int, list[CallerOnRecord]] = defaultdict(list)
    for row in connection.execute(_CALLERS, ids):
        caller = CallerOnRecord(phone_id=row.phone_id, at=row.at, asked=row.asked)
        callers[row.case_id].append(caller)
    return [
        CaseOnRecord(
            id=case_id,
            campaign_id=cases[case_id].campaign_id,
            reference=cases[case_id].reference,
            household_key=cases[case_id].household_key,
            phones=tuple(phones[case_id]),
            attempts=tuple(attempts[case_id]),
            callbacks=tuple(of_callbacks[case_id]),
            words=tuple(words[case_id]),
            callers=tuple(callers[case_id]),
        )
        for case_id in case_ids
    ]


def _all_results(
    connection: Connection, ids: dict[str, Sequence[int]]
) -> tuple[dict[str, list[Saved]], dict[int, list[CallbackOnRecord]]]:
    """Every result with those that replaced it: of attempts by attempt, of callbacks by case."""
    of_attempts: dict[str, list[Saved]] = defaultdict(list)
    chains: dict[int, tuple[int, list[Saved]]] = {}
    for row in connection.execute(_RESULTS, ids):
        saved = Saved(result=results.result_of(row), at=row.at, by=row.by)
        if row.attempt_id is not None:
            of_attempts[row.attempt_id].append(saved)
        else:
            _, earlier = chains.pop(row.replaces_id, (row.case_id, []))
            chains[row.id] = (row.case_id, [*earlier, saved])
    of_callbacks: dict[int, list[CallbackOnRecord]] = defaultdict(list)
    for case_id, chain in sorted(chains.values(), key=lambda chain: chain[1][0].at):
        of_callbacks[case_id].append(CallbackOnRecord(results=tuple(chain)))
    return of_attempts, of_callbacks


def _phone(row: Any) -> PhoneOnRecord:
    return PhoneOnRecord(
        id=row.id,
        position=row.position,
        kind=PhoneKind(row.kind),
        learned=row.learned,
        number_key=row.number_key,
        planned_from=row.planned_from,
    )


def _attempt(row: Any, saved: Sequence[Saved]) -> AttemptOnRecord:
    return AttemptOnRecord(
        id=row.id,
        phone_id=row.phone_id,
        placed_at=row.placed_at,
        ring_s=None if row.ring_ms is None else row.ring_ms / 1000,
        operator_id=row.operator_id,
        results=tuple(saved),
    )


def _household_call(row: Any) -> HouseholdCall:
    return HouseholdCall(
        case_id=row.case_id,
        reference=row.reference,
        household_key=row.household_key,
        number_key=row.number_key,
        placed_at=row.placed_at,
        recorded_at=row.recorded_at,
    )


_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_CASES = select(CaseRow.id, CaseRow.campaign_id, CaseRow.reference, CaseRow.household_key).where(
    CaseRow.id.in_(_IDS)
)
_PHONES = (
    select(
        PhoneRow.id,
        PhoneRow.case_id,
        PhoneRow.position,
        PhoneRow.kind,
        PhoneRow.learned,
        PhoneRow.number_key,
        PhoneRow.planned_from,
    )
    .where(PhoneRow.case_id.in_(_IDS))
    .order_by(PhoneRow.case_id, PhoneRow.position)
)
_ATTEMPTS = (
    select(
        Attempt.id,
        Attempt.case_id,
        Attempt.phone_id,
        Attempt.placed_at,
        select(func.max(AttemptChange.ring_ms))
        .where(AttemptChange.attempt_id == Attempt.id)
        .scalar_subquery()
        .label("ring_ms"),
        select(func.min(AttemptChange.operator_id))
        .where(AttemptChange.attempt_id == Attempt.id, AttemptChange.state == State.TALKING.value)
        .scalar_subquery()
        .label("operator_id"),
    )
    .where(Attempt.case_id.in_(_IDS))
    .order_by(Attempt.placed_at, Attempt.id)
)
_RESULTS = (  # not what was said: it names persons, and no evidence needs it
    select(
        ResultRow.id,
        ResultRow.case_id,
        ResultRow.attempt_id,
        ResultRow.replaces_id,
        ResultRow.at,
        ResultRow.by,
        ResultRow.outcome,
        ResultRow.script_finished,
        ResultRow.same_household,
        ResultRow.offered,
        ResultRow.appointment,
        ResultRow.scope,
    )
    .where(ResultRow.case_id.in_(_IDS))
    .order_by(ResultRow.id)
)
_WORDS = (
    select(CaseFact.case_id, CaseFact.kind, CaseFact.at, CaseFact.by)
    .where(CaseFact.case_id.in_(_IDS))
    .order_by(CaseFact.at, CaseFact.id)
)
_CALLERS = (
    select(CalledBack.case_id, CalledBack.phone_id, CalledBack.at, CalledBack.asked)
    .where(CalledBack.case_id.in_(_IDS))
    .order_by(CalledBack.at, CalledBack.id)
)
# first the few phones concerned: else SQLite would read every attempt of the month
_SHARED = (
    select(PhoneRow.id)
    .where(PhoneRow.number_key.in_(bindparam("numbers", expanding=True)))
    .union(
        select(PhoneRow.id)
        .join(CaseRow, CaseRow.id == PhoneRow.case_id)
        .where(CaseRow.household_key == bindparam("household"))
    )
)
_FIRST = func.min(Attempt.placed_at, type_=Attempt.placed_at.type)
_LAST = func.max(Attempt.placed_at, type_=Attempt.placed_at.type)
_CALLS = (
    select(
        Attempt.case_id,
        CaseRow.reference,
        CaseRow.household_key,
        PhoneRow.number_key,
        Attempt.placed_at,
        select(func.min(ResultRow.at, type_=ResultRow.at.type))
        .where(ResultRow.attempt_id == Attempt.id)
        .scalar_subquery()
        .label("recorded_at"),
    )
    .join(CaseRow, CaseRow.id == Attempt.case_id)
    .join(PhoneRow, PhoneRow.id == Attempt.phone_id)
    .order_by(Attempt.placed_at)
)
_HOUSEHOLD = _CALLS.where(Attempt.phone_id.in_(_SHARED), Attempt.case_id != bindparam("case"))

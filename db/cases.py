"""Cases: what the city said and what happened, and where each one stands by the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import results
from db.errors import NotFoundError
from db.tables import (
    Attempt,
    AttemptChange,
    CalledBack,
    CaseFact,
    CaseRow,
    PhoneRow,
    PlannedAttempt,
    ResultRow,
    table_of,
)
from rules import case as rules_case
from rules import history
from rules.calendar import Calendar
from rules.case import (
    AttemptMade,
    CallbackTaken,
    Case,
    CaseState,
    CaseStatus,
    Decision,
    EscalationDecided,
    EscalationRaised,
    Fact,
    Id,
    PaymentKnown,
    Phone,
    PhoneKind,
    StopLifted,
    StopOrdered,
)
from rules.profile import Profile
from rules.turn import PlannedBand, turn_of

BATCH = 500
"""Cases folded at once: few enough for the databases' limits on values per statement."""


class FactKind(StrEnum):
    """What the city can say of a case, and what is handed to it (`case_fact.kind`)."""

    STOP = "stop"
    UNSTOP = "unstop"
    PAID = "paid"
    ESCALATE = "escalate"
    RESUME = "resume"
    STOP_DECIDED = "stop_decided"
    """How an escalation ended; the stop order that comes of it is a fact of its own."""
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """A case as the rules see it, with everything that happened to it in order of time."""

    case: Case
    facts: tuple[Fact, ...]


async def get(session: AsyncSession, case_id: int) -> CaseRow:
    """The case with this id.

    Raises:
        NotFoundError: there is none.
    """
    row = await session.get(CaseRow, case_id)
    if row is None:
        raise NotFoundError(f"case {case_id}: does not exist")
    return row


async def not_to_ring(session: AsyncSession, case_ids: Sequence[int]) -> list[int]:
    """Those of the cases that are stopped or paid: what rings for them is hung up (rules 8 and 9)."""
    ended = (CaseStatus.STOPPED.value, CaseStatus.PAID.value)
    query = select(CaseRow.id).where(CaseRow.id.in_(case_ids), CaseRow.status.in_(ended))
    return list(await session.scalars(query))


async def by_reference(session: AsyncSession, campaign_id: int, reference: str) -> CaseRow:
    """The case the city calls by this 整理番号 in this campaign.

    Raises:
        NotFoundError: there is none.
    """
    query = select(CaseRow).where(
        CaseRow.campaign_id == campaign_id, CaseRow.reference == reference
    )
    row = await session.scalar(query)
    if row is None:
        raise NotFoundError(f"case {reference}: not in this campaign")
    return row


async def all_cases(
    session: AsyncSession, campaign_id: int, status: CaseStatus | None = None
) -> list[CaseRow]:
    """The campaign's cases in order of their references; None: of every status."""
    query = select(CaseRow).where(CaseRow.campaign_id == campaign_id).order_by(CaseRow.reference)
    if status is not None:
        query = query.where(CaseRow.status == status.value)
    return list(await session.scalars(query))


async def ids(session: AsyncSession, campaign_id: int) -> list[int]:
    """Ids of all the campaign's cases."""
    query = select(CaseRow.id).where(CaseRow.campaign_id == campaign_id).order_by(CaseRow.id)
    return list(await session.scalars(query))


async def by_campaign(session: AsyncSession, case_ids: Sequence[int]) -> dict[int, list[int]]:
    """The cases by the campaign they belong to."""
    found: dict[int, list[int]] = defaultdict(list)
    for batch in _batches(case_ids):
        for row in await session.execute(_CAMPAIGNS, {"ids": batch}):
            found[row.campaign_id].append(row.id)
    return dict(found)


async def phones_of(session: AsyncSession, case_id: int) -> list[PhoneRow]:
    """The case's phones in the order of the file, those learned in a call last."""
    query = select(PhoneRow).where(PhoneRow.case_id == case_id).order_by(PhoneRow.position)
    return list(await session.scalars(query))


async def learned_phones(session: AsyncSession, campaign_id: int) -> list[tuple[str, PhoneRow]]:
    """The phones named in calls of a campaign, each with the reference of its case, in their order."""
    query = (
        select(CaseRow.reference, PhoneRow)
        .join(CaseRow, CaseRow.id == PhoneRow.case_id)
        .where(PhoneRow.campaign_id == campaign_id, PhoneRow.learned)
        .order_by(CaseRow.reference, PhoneRow.position)
    )
    return [(reference, phone) for reference, phone in await session.execute(query)]


async def add_fact(
    session: AsyncSession,
    case_id: int,
    kind: FactKind,
    *,
    at: datetime,
    by: str,
    criterion_id: int | None = None,
) -> None:
    """Write down what the city said; the case must be refreshed in the same transaction.

    Args:
        criterion_id: of `ESCALATE`: the city's criterion.
    """
    values = {
        "case_id": case_id,
        "kind": kind.value,
        "at": at,
        "by": by,
        "criterion_id": criterion_id,
    }
    await session.execute(insert(table_of(CaseFact)), values)


async def add_phone(
    session: AsyncSession, case_id: int, *, number: str, number_key: str, kind: PhoneKind
) -> None:
    """A number named in a call (§8(4)エ); one the case has already changes nothing.

    The case must be refreshed in the same transaction.
    """
    phones = await phones_of(session, case_id)
    if any(phone.number_key == number_key for phone in phones):
        return
    values = {
        "campaign_id": (await get(session, case_id)).campaign_id,
        "case_id": case_id,
        "position": max((phone.position for phone in phones), default=0) + 1,
        "number": number,
        "number_key": number_key,
        "kind": kind.value,
        "learned": True,
        "status": "open",
        "due_at": None,
    }
    await session.execute(insert(table_of(PhoneRow)), values)


async def histories(session: AsyncSession, case_ids: Sequence[int]) -> dict[int, CaseHistory]:
    """Cases and their facts for the rules, by case id; at most `BATCH` cases."""
    return await session.run_sync(lambda session: _histories(session.connection(), case_ids))


async def refresh(
    session: AsyncSession,
    case_ids: Sequence[int],
    profile: Profile,
    calendar: Calendar,
    now: datetime,
) -> None:
    """Fold the cases' facts again and write what the rules say into the projections.

    Of two transactions that say something of a case at the same moment the second one waits here
    for the first, and folds its facts too.

    Args:
        case_ids: cases of one campaign, whose calendar is given.
        now: phones become due no earlier than this.
    """
    # always in the same order: two transactions never wait for each other's cases
    for batch in _batches(sorted(set(case_ids))):
        await session.run_sync(
            # one step into SQLAlchemy's greenlet instead of one per statement: this is done for
            # every result
            lambda session, batch: _refresh(session.connection(), batch, profile, calendar, now),
            batch,
        )


def _histories(connection: Connection, case_ids: Sequence[int]) -> dict[int, CaseHistory]:
    ids = {"ids": case_ids}
    phones: dict[int, list[Phone]] = defaultdict(list)
    for row in connection.execute(_PHONES, ids):
        phones[row.case_id].append(Phone(id=row.id, kind=PhoneKind(row.kind)))
    facts: dict[int, list[Fact]] = defaultdict(list)
    for made in connection.execute(_ATTEMPTS, ids):
        facts[made.case_id].append(_attempt(made))
    for case_id, callback in _callbacks(connection, ids):
        facts[case_id].append(callback)
    for said in connection.execute(_CITY, ids):
        facts[said.case_id].append(city_fact(FactKind(said.kind), said.at))
    for caller in connection.execute(_CALLED_BACK, ids):
        facts[caller.case_id].append(caller_fact(caller.phone_id, caller.at, asked=caller.asked))
    return {
        case_id: CaseHistory(
            Case(id=case_id, phones=tuple(phones[case_id])),
            tuple(sorted(facts[case_id], key=lambda fact: fact.at)),
        )
        for case_id in case_ids
    }


def _refresh(
    connection: Connection,
    case_ids: Sequence[int],
    profile: Profile,
    calendar: Calendar,
    now: datetime,
) -> None:
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time
        connection.execute(_LOCK, {"ids": case_ids})
    cases: list[dict[str, Any]] = []
    phones: list[dict[str, Any]] = []
    # cases without facts stand alike: a new month is folded once, not 100,000 times
    untouched: dict[tuple[_Planned, ...], _Projections] = {}
    plan = _plan(connection, case_ids)
    for known in _histories(connection, case_ids).values():
        planned = tuple(tuple(plan[phone.id]) for phone in known.case.phones)
        found = None if known.facts else untouched.get(planned)
        if found is None:
            state = history.state_of(known.case, known.facts, profile, calendar)
            found = _projections(known.case, state, planned, profile, calendar, now)
        if not known.facts:
            untouched[planned] = found
        cases.append({"case": known.case.id, **found[0]})
        phones += (
            {"phone": phone.id, **projected}
            for phone, projected in zip(known.case.phones, found[1], strict=True)
        )
    connection.execute(_UPDATE_CASE, cases)
    if phones:
        connection.execute(_UPDATE_PHONE, phones)


def _batches(case_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (case_ids[start : start + BATCH] for start in range(0, len(case_ids), BATCH))


_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_PHONES = (
    select(PhoneRow.id, PhoneRow.case_id, PhoneRow.kind)
    .where(PhoneRow.case_id.in_(_IDS))
    .order_by(PhoneRow.case_id, PhoneRow.position)
)
# not the keys, which rows that name the case hold shared
_LOCK = (
    select(CaseRow.id)
    .where(CaseRow.id.in_(_IDS))
    .order_by(CaseRow.id)
    .with_for_update(key_share=True)
)
_CAMPAIGNS = (
    select(CaseRow.id, CaseRow.campaign_id).where(CaseRow.id.in_(_IDS)).order_by(CaseRow.id)
)
_RESULT = (
    ResultRow.outcome,
    ResultRow.script_finished,
    ResultRow.same_household,
    ResultRow.offered,
    ResultRow.appointment,
    ResultRow.scope,
)
_ATTEMPTS = (
    select(
        Attempt.case_id,
        Attempt.phone_id,
        Attempt.placed_at,
        *_RESULT,
        select(func.max(AttemptChange.ring_ms))
        .where(AttemptChange.attempt_id == Attempt.id)
        .scalar_subquery()
        .label("ring_ms"),
    )
    .join(ResultRow, ResultRow.attempt_id == Attempt.id)
    .where(Attempt.case_id.in_(_IDS), results.is_current())
)
_CALLBACKS = (
    select(ResultRow.id, ResultRow.case_id, ResultRow.replaces_id, ResultRow.at, *_RESULT)
    .where(ResultRow.case_id.in_(_IDS), ResultRow.attempt_id.is_(None))
    .order_by(ResultRow.id)
)
_CALLED_BACK = select(
    CalledBack.case_id, CalledBack.phone_id, CalledBack.at, CalledBack.asked
).where(CalledBack.case_id.in_(_IDS))
_CITY = select(CaseFact.case_id, CaseFact.kind, CaseFact.at).where(CaseFact.case_id.in_(_IDS))
_UPDATE_CASE = (
    update(table_of(CaseRow))
    .where(CaseRow.id == bindparam("case"))
    .values({name: bindparam(name) for name in ("status", "clause", "appointment")})
)
_PROJECTED = ("status", "counted", "weekend_met", "due_at", "rank", "planned_from", "gain")
_UPDATE_PHONE = (
    update(table_of(PhoneRow))
    .where(PhoneRow.id == bindparam("phone"))
    .values({name: bindparam(name) for name in _PROJECTED})
)


def _attempt(row: Any) -> AttemptMade:
    return AttemptMade(
        at=row.placed_at,
        phone=row.phone_id,
        result=results.result_of(row),
        ring_s=None if row.ring_ms is None else row.ring_ms / 1000,
    )


def _callbacks(
    connection: Connection, ids: dict[str, Sequence[int]]
) -> Iterable[tuple[int, CallbackTaken]]:
    """Callbacks as last corrected; a correction keeps the time of the call."""
    taken: dict[int, tuple[int, CallbackTaken]] = {}
    for row in connection.execute(_CALLBACKS, ids):
        replaced = taken.pop(row.replaces_id, None)
        at = replaced[1].at if replaced else row.at
        taken[row.id] = (row.case_id, CallbackTaken(at=at, result=results.result_of(row)))
    return taken.values()


def city_fact(kind: FactKind, at: datetime) -> Fact:
    """What the city said, as the rules take it."""
    match kind:
        case FactKind.STOP:
            return StopOrdered(at=at)
        case FactKind.UNSTOP:
            return StopLifted(at=at)
        case FactKind.PAID:
            return PaymentKnown(at=at)
        case FactKind.ESCALATE:
            return EscalationRaised(at=at)
        case FactKind.RESUME:
            return EscalationDecided(at=at, decision=Decision.RESUME)
        case FactKind.STOP_DECIDED:
            return EscalationDecided(at=at, decision=Decision.STOP)
        case FactKind.CLOSE:
            return EscalationDecided(at=at, decision=Decision.CLOSE)


def caller_fact(phone_id: int, at: datetime, *, asked: bool) -> Fact:
    """A caller reached nobody, or asked to be called back, as the rules take it."""
    kind = rules_case.AskedBack if asked else rules_case.CalledBack
    return kind(at=at, phone=phone_id)


_Planned = tuple[PlannedBand, ...]
"""The plan's attempts on one phone, in order of time."""
_PLAN = (
    select(table_of(PlannedAttempt))
    .join(PhoneRow, PhoneRow.id == PlannedAttempt.phone_id)
    .where(PhoneRow.case_id.in_(_IDS))
    .order_by(PlannedAttempt.phone_id, PlannedAttempt.starts_at)
)


def _plan(connection: Connection, case_ids: Sequence[int]) -> dict[Id, list[PlannedBand]]:
    found: dict[Id, list[PlannedBand]] = defaultdict(list)
    for row in connection.execute(_PLAN, {"ids": case_ids}):
        band = PlannedBand(starts_at=row.starts_at, ends_at=row.ends_at, gain=row.gain)
        found[row.phone_id].append(band)
    return found


_Projections = tuple[dict[str, Any], list[dict[str, Any]]]
"""Columns of a case, and of each of its phones."""


def _projections(
    case: Case,
    state: CaseState,
    planned: Sequence[_Planned],
    profile: Profile,
    calendar: Calendar,
    now: datetime,
) -> _Projections:
    turns = [
        (state.phones[phone.id], turn_of(state, phone.id, now, calendar, profile, bands))
        for phone, bands in zip(case.phones, planned, strict=True)
    ]
    phones = [
        {
            "status": phone.status.value,
            "counted": len(phone.counted),
            "weekend_met": phone.weekend_met,
            "due_at": turn.due_at,
            "rank": turn.rank,
            "planned_from": turn.planned.starts_at if turn.planned else None,
            "gain": turn.planned.gain if turn.planned else 0,
        }
        for phone, turn in turns
    ]
    return {
        "status": state.status.value,
        "clause": state.clause,
        "appointment": state.appointment,
    }, phones

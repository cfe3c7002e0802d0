"""Cases that are the city's to decide (§8(3)キ, rule 18): raised, listed, decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import cases, escalations, notices, stops
from db.cases import CaseHistory, FactKind
from db.escalations import Said
from db.notices import NoticeKind
from db.tables import CaseRow
from dialer.errors import ConflictError, NotFoundError
from dialer.months import Month
from dialer.refresh import refresh
from rules.case import CaseStatus, Decision, Escalation, EscalationCause
from rules.history import state_of

_FACTS = {
    Decision.RESUME: FactKind.RESUME,
    Decision.STOP: FactKind.STOP_DECIDED,
    Decision.CLOSE: FactKind.CLOSE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Escalated:
    """One question to the city, without a person."""

    reference: str
    """整理番号."""
    case_status: CaseStatus
    """A case that had ended keeps its end; the question is asked all the same."""
    since: datetime
    cause: EscalationCause
    criterion: str | None
    """Label of the city's criterion it was raised under; None: the rules raised it."""
    raised_by: str | None
    """None: the rules raised it."""
    appointment: datetime | None
    """The case's last appointment that cannot be kept."""
    ended_at: datetime | None
    """When it was decided, or the case ended of itself; None: it waits."""
    decision: Decision | None
    decided_by: str | None


async def listed(session: AsyncSession, month: Month, *, only_open: bool) -> list[Escalated]:
    """The questions of a campaign, the oldest first; `only_open`: those that wait."""
    approvable = [code for code, rule in month.profile.outcomes.items() if rule.approval]
    ids = await escalations.ever_escalated(session, month.id, approvable)
    found: list[Escalated] = []
    for start in range(0, len(ids), cases.BATCH):
        batch = ids[start : start + cases.BATCH]
        said = await escalations.said_of(session, batch)
        for case_id, known in (await cases.histories(session, batch)).items():
            found += _of_case(await cases.get(session, case_id), known, said[case_id], month)
    return sorted(
        (one for one in found if one.ended_at is None or not only_open),
        key=lambda one: (one.since, one.reference),
    )


async def raise_by_hand(
    session: AsyncSession, month: Month, reference: str, criterion_id: int, *, at: datetime, by: str
) -> None:
    """A supervisor hands a case to the city.

    Raises:
        NotFoundError: no such case, or no such criterion in force.
    """
    case = await cases.by_reference(session, month.id, reference)
    if criterion_id not in {one.id for one in await escalations.criteria(session)}:
        raise NotFoundError(f"criterion {criterion_id}: not in force")
    await escalations.raise_case(session, case.id, [criterion_id], since=at, at=at, by=by)
    await notices.add(session, NoticeKind.CASES, at=at, by=by)
    await refresh(session, [case.id], at)


async def decide(
    session: AsyncSession,
    month: Month,
    reference: str,
    decision: Decision,
    *,
    at: datetime,
    by: str,
) -> None:
    """Write down the city's decision; `stop` stops the person as a stop order does.

    Raises:
        NotFoundError: no such case.
        ConflictError: nothing waits for a decision.
    """
    case = await cases.by_reference(session, month.id, reference)
    known = (await cases.histories(session, [case.id]))[case.id]
    state = state_of(known.case, known.facts, month.profile, month.calendar)
    if all(one.ended_at is not None for one in state.escalations):
        raise ConflictError(f"case {reference}: nothing waits for the city's decision")
    await escalations.decide(session, case.id, _FACTS[decision], at=at, by=by)
    stopped: list[int] = []
    if decision is Decision.STOP:
        stopped = await stops.order(session, case.person_key, at=at, by=by)
    await refresh(session, sorted({case.id, *stopped}), at)


def _of_case(
    row: CaseRow, known: CaseHistory, said: list[Said], month: Month
) -> Iterator[Escalated]:
    state = state_of(known.case, known.facts, month.profile, month.calendar)
    raised = iter([word for word in said if word.kind is FactKind.ESCALATE])
    deciders = {word.at: word.by for word in said if word.kind is not FactKind.ESCALATE}
    for question in state.escalations:
        # the rules take the words in the same order
        word = next(raised) if question.cause is EscalationCause.RAISED else None
        yield Escalated(
            reference=row.reference,
            case_status=state.status,
            since=question.since,
            cause=question.cause,
            criterion=word.criterion if word else None,
            raised_by=word.by if word else None,
            appointment=state.noted_appointment,
            ended_at=question.ended_at,
            decision=question.decision,
            decided_by=_decider(question, deciders),
        )


def _decider(question: Escalation, deciders: dict[datetime, str]) -> str | None:
    if question.decision is None or question.ended_at is None:
        return None
    return deciders[question.ended_at]

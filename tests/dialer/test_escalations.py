"""Cases handed to the city (§8(3)キ): by a talk's result, an operator, a supervisor, the rules."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from db import cases
from db import escalations as db_escalations
from db.cases import FactKind
from db.tables import CaseFact, EscalationCriterion, Notice
from dialer import escalations
from dialer.errors import ConflictError, NotFoundError
from dialer.escalations import Escalated
from dialer.months import Month, Months, month_named
from dialer.reports.city_lists import ESCALATION_HEADER, escalation_rows
from dialer.results import Results
from dialer.web.case_models import ResultIn
from rules.case import CaseStatus, Decision, EscalationCause
from rules.result import ResultRefusedError
from tests.db.town import KEYS, NOON, OPERATOR, Town, at
from tests.dialer.fakes import StillClock

AFTER = NOON + timedelta(minutes=3)
BY = "市 収納課"


@pytest.fixture
async def results(town: Town) -> Results:
    months = Months()
    async with town.sessions.read() as session:
        await months.reload(session, NOON)
    return Results(town.sessions, months, KEYS, StillClock(AFTER))


@pytest.fixture
async def criteria(town: Town) -> tuple[int, int]:
    """One raised by a talk result, one by hand."""
    async with town.sessions.write() as session:
        return (
            await db_escalations.add_criterion(
                session, "苦情の申出", talk_result="complaint", at=NOON, by=BY
            ),
            await db_escalations.add_criterion(
                session, "分割の相談", talk_result=None, at=NOON, by=BY
            ),
        )


@pytest.fixture
async def talk(town: Town) -> str:
    """A talk of operator 201 with case 1 that is over."""
    return await town.talk(await town.phone(await town.case("1", "0258000001")))


def given(attempt: str, outcome: str = "person_incomplete", **more: object) -> ResultIn:
    return ResultIn(attempt_id=attempt, outcome=outcome, **more)


async def month(town: Town) -> Month:
    async with town.sessions.read() as session:
        return await month_named(session, "2026-09", NOON)


async def listed(town: Town, *, only_open: bool = False) -> list[Escalated]:
    async with town.sessions.read() as session:
        found = await month_named(session, "2026-09", NOON)
        return await escalations.listed(session, found, only_open=only_open)


async def decide(town: Town, reference: str, decision: Decision) -> None:
    when = at("25 09:00")
    async with town.sessions.write() as session:
        await escalations.decide(
            session,
            await month_named(session, "2026-09", when),
            reference,
            decision,
            at=when,
            by=BY,
        )


# raised --------------------------------------------------------------------------------------------


async def test_a_talk_result_that_a_criterion_names_hands_the_case_over_with_the_result(
    results: Results, town: Town, criteria: tuple[int, int], talk: str
) -> None:
    await results.save(OPERATOR, given(talk, talk_results=("consultation", "complaint")))
    assert await town.standing(1) == ("escalated", None)
    assert (await town.phone(1)).due_at is None
    (found,) = await listed(town)
    assert (found.reference, found.since, found.cause) == ("1", AFTER, EscalationCause.RAISED)
    assert (found.criterion, found.raised_by, found.ended_at) == ("苦情の申出", OPERATOR, None)


async def test_other_talk_results_and_removed_criteria_hand_nothing_over(
    results: Results, town: Town, criteria: tuple[int, int], talk: str
) -> None:
    async with town.sessions.write() as session:
        await db_escalations.remove_criterion(session, criteria[0], at=NOON, by=BY)
    await results.save(OPERATOR, given(talk, talk_results=("consultation", "complaint")))
    assert (await town.standing(1))[0] == "open"
    assert await listed(town) == []


async def test_an_operator_hands_a_case_over_with_the_result(
    results: Results, town: Town, criteria: tuple[int, int], talk: str
) -> None:
    await results.save(OPERATOR, given(talk, escalate=criteria[1]))
    (found,) = await listed(town)
    assert (found.criterion, found.raised_by) == ("分割の相談", OPERATOR)


async def test_under_a_criterion_not_in_force_nothing_is_saved(
    results: Results, town: Town, criteria: tuple[int, int], talk: str
) -> None:
    with pytest.raises(ResultRefusedError) as refused:
        await results.save(OPERATOR, given(talk, escalate=99))
    assert refused.value.field == "escalate"
    assert (await town.standing(1))[0] == "open"
    await results.save(OPERATOR, given(talk))


async def test_the_same_talk_hands_the_case_over_once_however_often_it_is_saved_and_corrected(
    results: Results, town: Town, criteria: tuple[int, int], talk: str
) -> None:
    said = given(talk, talk_results=("complaint",), escalate=criteria[1])
    await results.save(OPERATOR, said)
    await results.save(OPERATOR, said)
    await decide(town, "1", Decision.RESUME)
    await results.correct(OPERATOR, said.model_copy(update={"outcome": "third_party"}))
    assert [one.decision for one in await listed(town)] == [Decision.RESUME] * 2
    assert (await town.standing(1))[0] == "open"


async def test_a_correction_that_adds_a_talk_result_hands_the_case_over(
    results: Results, town: Town, criteria: tuple[int, int], talk: str
) -> None:
    await results.save(OPERATOR, given(talk))
    await results.correct(OPERATOR, given(talk, talk_results=("complaint",)))
    assert (await town.standing(1))[0] == "escalated"


async def test_a_supervisor_hands_a_case_over(town: Town, criteria: tuple[int, int]) -> None:
    await town.case("1", "0258000001")
    async with town.sessions.write() as session:
        await escalations.raise_by_hand(
            session, await month(town), "1", criteria[1], at=NOON, by="管理者"
        )
        for reference, criterion in (("1", 99), ("9", criteria[1])):
            with pytest.raises(NotFoundError):
                await escalations.raise_by_hand(
                    session, await month(town), reference, criterion, at=NOON, by="管理者"
                )
    assert (await town.standing(1))[0] == "escalated"
    (found,) = await listed(town)
    assert (found.criterion, found.raised_by) == ("分割の相談", "管理者")


async def test_criteria_are_kept_with_who_added_and_removed_them(town: Town) -> None:
    async with town.sessions.write() as session:
        first = await db_escalations.add_criterion(
            session, "苦情の申出", talk_result=None, at=NOON, by="甲"
        )
        with pytest.raises(ConflictError):
            await db_escalations.add_criterion(
                session, "苦情の申出", talk_result=None, at=NOON, by="甲"
            )
        await db_escalations.remove_criterion(session, first, at=AFTER, by="乙")
        with pytest.raises(ConflictError):
            await db_escalations.remove_criterion(session, first, at=AFTER, by="乙")
        with pytest.raises(NotFoundError):
            await db_escalations.remove_criterion(session, 99, at=AFTER, by="乙")
        assert await db_escalations.criteria(session) == []
        (kept,) = await db_escalations.criteria(session, removed=True)
        assert (kept.added_by, kept.added_at, kept.removed_by, kept.removed_at) == (
            "甲", NOON, "乙", AFTER,
        )  # fmt: skip
        told = list(await session.scalars(select(Notice.kind).order_by(Notice.id)))
    assert told[-2:] == ["criteria", "criteria"]
    assert await town.count(EscalationCriterion) == 1


# listed ----------------------------------------------------------------------------------------------


async def test_a_case_the_rules_hand_over_is_listed_with_the_appointment_that_cannot_be_kept(
    town: Town,
) -> None:
    case = await town.case("1", "0258000001")
    phone = await town.phone(case)
    await town.ring_out(phone, at("21 10:00"))
    await town.ring_out(phone, at("22 13:00"))
    late = at("30 21:00")
    await town.appoint(phone, late, learned=at("23 10:00"))
    (found,) = await listed(town, only_open=True)
    assert found.cause is EscalationCause.LAST_APPOINTMENT
    assert (found.since, found.appointment) == (at("23 10:00"), late)
    assert (found.criterion, found.raised_by) == (None, None)
    ((*_, why, by, appointment, decision, _at, _by),) = escalation_rows([found])
    assert (by, appointment, decision) == (None, "2026-09-30 21:00", "判断待ち")
    assert "架電できない" in str(why)


async def test_a_question_about_a_case_that_had_ended_is_listed_until_it_is_decided(
    results: Results, town: Town, criteria: tuple[int, int], talk: str
) -> None:
    said = given(talk, "person_done", script_finished=True, talk_results=("complaint",))
    await results.save(OPERATOR, said)
    (found,) = await listed(town, only_open=True)
    assert found.case_status is CaseStatus.COMPLETE
    await decide(town, "1", Decision.CLOSE)
    assert await town.standing(1) == ("complete", "ア")
    assert await listed(town, only_open=True) == []
    assert [one.decided_by for one in await listed(town)] == [BY]


async def test_a_case_that_was_never_handed_over_is_in_no_list(town: Town) -> None:
    case = await town.case("1", "0258000001")
    await town.appoint(await town.phone(case), at("25 10:00"), learned=at("23 10:00"))
    assert await listed(town) == []


def test_the_city_reads_as_many_headings_as_columns() -> None:
    one = Escalated(
        reference="1", case_status=CaseStatus.ESCALATED, since=NOON, cause=EscalationCause.RAISED,
        criterion="苦情の申出", raised_by="管理者", appointment=None, ended_at=None, decision=None,
        decided_by=None,
    )  # fmt: skip
    (row,) = escalation_rows([one])
    assert len(row) == len(ESCALATION_HEADER)
    assert row == (
        "1", "市の判断待ち", "2026-09-24 12:00", "苦情の申出", "管理者", "", "判断待ち", "", None,
    )  # fmt: skip


# decided ---------------------------------------------------------------------------------------------


DECIDED = [
    (Decision.RESUME, ("open", None)),
    (Decision.CLOSE, ("complete", "ク")),
    (Decision.STOP, ("stopped", "ク")),
]


@pytest.mark.parametrize(("decision", "standing"), DECIDED)
async def test_the_decision_is_kept_with_who_made_it_and_holds_at_once(
    town: Town, criteria: tuple[int, int], decision: Decision, standing: tuple[str, str | None]
) -> None:
    await town.case("1", "0258000001")
    async with town.sessions.write() as session:
        await escalations.raise_by_hand(
            session, await month(town), "1", criteria[0], at=NOON, by="管理者"
        )
    await decide(town, "1", decision)
    assert await town.standing(1) == standing
    (found,) = await listed(town)
    assert (found.decision, found.decided_by) == (decision, BY)
    assert found.ended_at == at("25 09:00")
    with pytest.raises(ConflictError):
        await decide(town, "1", decision)


async def test_a_decision_to_stop_reaches_the_persons_other_months_as_a_stop_order_does(
    town: Town, criteria: tuple[int, int]
) -> None:
    case = await town.case("1", "0258000001", person="P")
    later = await Town(town.sessions).open("2026-09b")
    other = await later.case("2", "0258000001", person="P", household="H2")
    async with town.sessions.write() as session:
        await cases.add_fact(
            session, case, FactKind.ESCALATE, at=NOON, by=BY, criterion_id=criteria[0]
        )
        await town.refresh(session, case, now=NOON)
    await decide(town, "1", Decision.STOP)
    assert await town.standing(other) == ("stopped", "ク")
    async with town.sessions.read() as session:
        told = await session.scalars(select(CaseFact.kind).where(CaseFact.case_id == case))
        assert sorted(told) == ["escalate", "stop", "stop_decided"]


async def test_a_case_that_was_not_handed_over_cannot_be_decided(town: Town) -> None:
    await town.case("1", "0258000001")
    with pytest.raises(ConflictError):
        await decide(town, "1", Decision.STOP)
    assert await town.standing(1) == ("open", None)
    with pytest.raises(NotFoundError):
        await decide(town, "9", Decision.STOP)

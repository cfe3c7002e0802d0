"""Cases: what the rules are told, and what they say."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from db import cases, results, stops
from db.cases import FactKind
from db.errors import NotFoundError
from db.results import Recorded
from db.tables import CaseFact, PhoneRow
from rules.case import (
    AttemptMade,
    CaseStatus,
    Decision,
    EscalationDecided,
    PaymentKnown,
    PhoneKind,
    Result,
    StopLifted,
    StopOrdered,
)
from tests.db.town import CALENDAR, KEYS, NOON, OPERATOR, PROFILE, Town, at


async def test_the_rules_are_told_of_every_attempt_with_its_ringing_and_result(
    town: Town,
) -> None:
    case_id = await town.case("1", "0258000001", "0258000002")
    first, second = await town.phone(case_id), await town.phone(case_id, 2)
    await town.ring_out(second, at("24 13:00"))
    await town.ring_out(first, at("24 12:00"))
    async with town.sessions.read() as session:
        known = (await cases.histories(session, [case_id]))[case_id]
    assert [phone.id for phone in known.case.phones] == [first.id, second.id]
    assert known.facts == (
        AttemptMade(
            at=at("24 12:00"), phone=first.id, result=Result(outcome="no_answer"), ring_s=36.0
        ),
        AttemptMade(
            at=at("24 13:00"), phone=second.id, result=Result(outcome="no_answer"), ring_s=36.0
        ),
    )


async def test_an_attempt_without_result_is_no_fact_yet(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    await town.talk(await town.phone(case_id))
    async with town.sessions.read() as session:
        assert (await cases.histories(session, [case_id]))[case_id].facts == ()


@pytest.mark.parametrize(
    ("kind", "fact"),
    [
        (FactKind.STOP, StopOrdered(at=NOON)),
        (FactKind.UNSTOP, StopLifted(at=NOON)),
        (FactKind.PAID, PaymentKnown(at=NOON)),
        (FactKind.RESUME, EscalationDecided(at=NOON, decision=Decision.RESUME)),
        (FactKind.CLOSE, EscalationDecided(at=NOON, decision=Decision.CLOSE)),
    ],
)
async def test_the_city_s_word_becomes_a_fact(town: Town, kind: FactKind, fact: object) -> None:
    case_id = await town.case("1", "0258000001")
    async with town.sessions.write() as session:
        await cases.add_fact(session, case_id, kind, at=NOON, by="city")
    async with town.sessions.read() as session:
        assert (await cases.histories(session, [case_id]))[case_id].facts == (fact,)


async def test_three_unanswered_calls_are_seen_in_the_projections(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    for moment, counted, weekend_met in (
        ("21 10:00", 1, True),  # a public holiday
        ("24 13:00", 2, True),
        ("25 18:00", 3, True),
    ):
        await town.ring_out(await town.phone(case_id), at(moment))
        phone = await town.phone(case_id)
        assert (phone.counted, phone.weekend_met) == (counted, weekend_met)
    assert phone.due_at is None
    assert await town.standing(case_id) == ("complete", "カ")


async def test_a_phone_is_due_again_when_the_rules_allow_it(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    phone = await town.phone(case_id)
    attempt_id = await town.place(phone)
    async with town.sessions.write() as session:
        await town.save(session, attempt_id, case_id, "busy", NOON + timedelta(seconds=5))
    assert (await town.phone(case_id)).due_at == NOON + timedelta(minutes=10)


async def test_a_corrected_result_is_folded_again(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    attempt_id = await town.talk(await town.phone(case_id))
    done = Recorded(
        result=Result(outcome="person_done", script_finished=True), at=NOON, by=OPERATOR
    )
    wrong = Recorded(result=Result(outcome="wrong_number"), at=NOON, by=OPERATOR)
    for recorded, save, standing in (
        (done, results.save_first, ("complete", "ア")),
        (wrong, results.correct, ("complete", "オ")),
    ):
        async with town.sessions.write() as session:
            await save(session, attempt_id, recorded)
            await town.refresh(session, case_id, now=NOON)
        assert await town.standing(case_id) == standing


async def test_a_number_named_in_a_call_becomes_a_phone_that_is_due(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    number = "06099990001"
    for _again in range(2):
        async with town.sessions.write() as session:
            await cases.add_phone(
                session,
                case_id,
                number=number,
                number_key=KEYS.number(number),
                kind=PhoneKind.MOBILE,
            )
            await town.refresh(session, case_id, now=NOON)
    learned = await town.phone(case_id, 2)
    assert (learned.number, learned.learned, learned.position) == (number, True, 2)
    assert learned.due_at == NOON
    assert await town.count(PhoneRow) == 2


async def test_more_cases_than_one_batch_are_folded(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "BATCH", 2)
    ids = [await town.case(str(n), f"025800000{n}") for n in range(5)]
    async with town.sessions.write() as session:
        await cases.refresh(session, ids, PROFILE, CALENDAR, at("25 10:00"))
    assert {(await town.phone(case_id)).due_at for case_id in ids} == {at("25 10:00")}


async def test_of_a_stop_and_a_result_at_the_same_moment_none_is_lost(town: Town) -> None:
    """Each transaction folds what it sees; the one that ends last must have seen both."""
    for n in range(10):
        case_id = await town.case(str(n), f"025800000{n}", person=f"P{n}")
        attempt_id = await town.talk(await town.phone(case_id))

        async def stop(n: int = n) -> None:
            async with town.sessions.write() as session:
                stopped = await stops.order(session, KEYS.person(f"P{n}"), at=NOON, by="city")
                await asyncio.sleep(0)
                await cases.refresh(session, stopped, PROFILE, CALENDAR, NOON)

        async def save(case_id: int = case_id, attempt_id: str = attempt_id) -> None:
            async with town.sessions.write() as session:
                await town.save(session, attempt_id, case_id, "hung_up", NOON)
                await asyncio.sleep(0)

        await asyncio.gather(stop(), save())
        assert (await town.standing(case_id))[0] == "stopped"
        assert (await town.phone(case_id)).counted == 1


async def test_cases_are_found_by_reference_status_and_campaign(town: Town) -> None:
    first, second = await town.case("1", "0258000001"), await town.case("2", "0258000002")
    async with town.sessions.write() as session:
        await cases.add_fact(session, first, FactKind.PAID, at=NOON, by="city")
        await town.refresh(session, first, now=NOON)
    async with town.sessions.read() as session:
        assert (await cases.by_reference(session, town.campaign_id, "2")).id == second
        paid = await cases.all_cases(session, town.campaign_id, CaseStatus.PAID)
        assert [case.id for case in paid] == [first]
        assert await cases.ids(session, town.campaign_id) == [first, second]
        grouped = await cases.by_campaign(session, [second, first])
        assert grouped == {town.campaign_id: [first, second]}
        with pytest.raises(NotFoundError):
            await cases.by_reference(session, town.campaign_id, "3")
        with pytest.raises(NotFoundError):
            await cases.get(session, 999)
    assert await town.count(CaseFact) == 1

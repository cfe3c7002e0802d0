"""Everything on record of a case, and what of it was known when."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert

from db import callbacks, campaigns, cases, evidence, results
from db.cases import FactKind
from db.results import BY_LINE, Recorded
from db.tables import ResultRow, table_of
from rules.case import (
    AskedBack,
    AttemptMade,
    CallbackTaken,
    CalledBack,
    Decision,
    EscalationDecided,
    Result,
    StopOrdered,
)
from tests.db.callers import GAVE_UP, calls_us
from tests.db.town import OPERATOR, Town, at


async def test_an_attempt_carries_every_result_it_ever_had(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    phone = await town.phone(case_id)
    attempt = await town.talk(phone, at("24 10:00"))
    async with town.sessions.write() as session:
        await town.save(session, attempt, case_id, "hung_up", at("24 10:01"))
        corrected = Recorded(result=Result(outcome="third_party"), at=at("24 10:05"), by=OPERATOR)
        await results.correct(session, attempt, corrected)
    async with town.sessions.read() as session:
        [case] = await evidence.on_record(session, [case_id])
    [made] = case.attempts
    assert (made.id, made.phone_id, made.placed_at) == (attempt, phone.id, at("24 10:00"))
    assert (made.ring_s, made.operator_id) == (8.0, OPERATOR)
    assert [(one.result.outcome, one.at, one.by) for one in made.results] == [
        ("hung_up", at("24 10:01"), BY_LINE),
        ("third_party", at("24 10:05"), OPERATOR),
    ]
    outcomes = {
        moment: [
            fact.result.outcome
            for fact in case.facts(known_at=at(moment))
            if isinstance(fact, AttemptMade)
        ]
        for moment in ("24 10:00", "24 10:01", "24 10:04", "24 10:05")
    }
    assert outcomes == {
        "24 10:00": [],
        "24 10:01": ["hung_up"],
        "24 10:04": ["hung_up"],
        "24 10:05": ["third_party"],
    }
    assert [case.in_flight(at(moment)) for moment in ("24 09:59", "24 10:00", "24 10:01")] == [
        None,
        made,
        None,
    ]


async def test_a_corrected_callback_keeps_the_time_of_the_call(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    async with town.sessions.write() as session:
        row = {"case_id": case_id, "by": OPERATOR, "talk_results": []}
        first = row | {"outcome": "hung_up", "at": at("24 10:00")}
        added = await session.execute(insert(table_of(ResultRow)), first)
        again = row | {"outcome": "third_party", "at": at("24 11:00")}
        again["replaces_id"] = added.inserted_primary_key[0]
        await session.execute(insert(table_of(ResultRow)), again)
    async with town.sessions.read() as session:
        [case] = await evidence.on_record(session, [case_id])
    assert [one.result.outcome for one in case.callbacks[0].results] == ["hung_up", "third_party"]
    [told] = case.facts()
    assert isinstance(told, CallbackTaken)
    assert (told.at, told.result.outcome) == (at("24 10:00"), "third_party")


async def test_who_called_and_reached_nobody_is_known_from_then_on(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    phone = await town.phone(case_id)
    place = callbacks.Place(campaign_id=town.campaign_id, case_id=case_id, phone_id=phone.id)
    for when, asked in (("24 21:00", False), ("25 10:00", True)):
        callback = await calls_us(town, GAVE_UP, at(when))
        async with town.sessions.write() as session:
            await callbacks.not_reached(session, callback, place, at=at(when), asked=asked)
    async with town.sessions.read() as session:
        [case] = await evidence.on_record(session, [case_id])
        history = (await cases.histories(session, [case_id]))[case_id]
    called = CalledBack(at=at("24 21:00"), phone=phone.id)
    assert case.facts() == (called, AskedBack(at=at("25 10:00"), phone=phone.id)) == history.facts
    assert case.facts(known_at=at("25 09:59")) == (called,)
    assert case.facts(known_at=at("24 20:59")) == ()


async def test_words_of_the_city_count_from_when_they_were_said(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    async with town.sessions.write() as session:
        for kind, when in ((FactKind.STOP, "24 10:00"), (FactKind.CLOSE, "24 12:00")):
            await cases.add_fact(session, case_id, kind, at=at(when), by="市")
        await campaigns.exclude_day(
            session, "2026-09", at("25 00:00").date(), at=at("24 09:00"), by="市"
        )
    async with town.sessions.read() as session:
        [case] = await evidence.on_record(session, [case_id])
        ordered = await evidence.excluded_days(session, town.campaign_id)
    assert case.facts(known_at=at("24 11:00")) == (StopOrdered(at=at("24 10:00")),)
    assert case.facts()[1] == EscalationDecided(at=at("24 12:00"), decision=Decision.CLOSE)
    assert [(word.kind, word.by) for word in case.words] == [("stop", "市"), ("close", "市")]
    assert ordered == {at("25 00:00").date(): at("24 09:00")}


async def test_cases_come_in_the_order_asked_with_their_own_records_only(town: Town) -> None:
    first = await town.case("1", "0258000001", "0258000002")
    second = await town.case("2", "0258000003")
    await town.ring_out(await town.phone(second), at("24 10:00"))
    async with town.sessions.read() as session:
        found = await evidence.on_record(session, [second, first])
    assert [case.id for case in found] == [second, first]
    assert [len(case.attempts) for case in found] == [1, 0]
    assert [[phone.position for phone in case.phones] for case in found] == [[1], [1, 2]]
    phones = found[1].phones
    assert [found[1].position(phone.id) for phone in phones] == [1, 2]


async def test_calls_of_the_household_and_of_a_shared_number_are_found(town: Town) -> None:
    asked = await town.case("1", "0258000001", household="H")
    mate = await town.case("2", "0258000002", household="H")
    shares = await town.case("3", "0258000001")
    apart = await town.case("4", "0258000004")
    moments = {}
    for hour, case_id in enumerate((asked, mate, shares, apart), start=10):
        moments[case_id] = at(f"24 {hour}:00")
        await town.ring_out(await town.phone(case_id), moments[case_id])
    await town.place(await town.phone(mate), at("25 10:00"))
    async with town.sessions.read() as session:
        [case] = await evidence.on_record(session, [asked])
        calls = await evidence.household_calls(session, case)
        all_calls = await evidence.calls_meanwhile(session, town.campaign_id)
    assert [(call.case_id, call.reference, call.placed_at, call.recorded_at) for call in calls] == [
        (mate, "2", moments[mate], moments[mate] + timedelta(seconds=38)),
        (shares, "3", moments[shares], moments[shares] + timedelta(seconds=38)),
        (mate, "2", at("25 10:00"), None),
    ]
    assert [call.number_key == case.phones[0].number_key for call in calls] == [False, True, False]
    assert [call.household_key == case.household_key for call in calls] == [True, False, True]
    assert [call.case_id for call in all_calls] == [asked, mate, shares, apart, mate]

"""What the reports are made of."""

from __future__ import annotations

from datetime import timedelta

from db import report_rows, results
from db.results import Recorded
from rules.case import Result
from tests.db.town import NOON, OPERATOR, Town, at


async def test_a_day_s_calls_come_in_order_with_outcome_talk_and_ringing(town: Town) -> None:
    called = await town.case("1", "0258000001")
    talked = await town.case("2", "0258000002", "0258000003")
    attempt_id = await town.talk(await town.phone(talked, 2), NOON + timedelta(minutes=5))
    for outcome, save in (("hung_up", results.save_first), ("third_party", results.correct)):
        async with town.sessions.write() as session:
            await save(
                session,
                attempt_id,
                Recorded(
                    result=Result(outcome=outcome),
                    at=NOON,
                    by=OPERATOR,
                    talk_results=("complaint",),
                ),
            )
    await town.ring_out(await town.phone(called), NOON)
    async with town.sessions.read() as session:
        first, second = await report_rows.calls_between(
            session, town.campaign_id, at("24 00:00"), at("25 00:00")
        )
    assert (first.reference, first.ring_s, first.talk_from) == ("1", 36.0, None)
    assert first.result == Result(outcome="no_answer")
    assert (second.reference, second.phone_position) == ("2", 2)
    assert (second.operator_id, second.recorded_by) == (OPERATOR, OPERATOR)
    assert second.talk_from == NOON + timedelta(minutes=5, seconds=40)
    assert second.ended_at == NOON + timedelta(minutes=5, seconds=50)
    assert second.result == Result(outcome="third_party")
    assert second.talk_results == ("complaint",)


async def test_the_day_begins_at_its_start_and_ends_before_the_next(town: Town) -> None:
    for n, moment in enumerate(("24 00:00", "24 23:59", "25 00:00")):
        phone = await town.phone(await town.case(str(n), f"025800000{n}"))
        await town.place(phone, at(moment))
    async with town.sessions.read() as session:
        rows = await report_rows.calls_between(
            session, town.campaign_id, at("24 00:00"), at("25 00:00")
        )
    assert [row.reference for row in rows] == ["0", "1"]
    assert [row.result for row in rows] == [None, None]

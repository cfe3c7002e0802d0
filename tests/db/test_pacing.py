"""What pacing keeps and asks: beliefs, the day's calls, what operators did, what a plan believed."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from db import pacing, plans, results, seat_changes
from db.pacing import DayCounts
from db.results import BY_LINE, Recorded
from db.seat_changes import SeatMove
from db.session import Sessions
from db.tables import SeatChange
from rules.case import Result
from rules.operator_state import State
from tests.db.town import NOON, OPERATOR, Town, at

SECOND = timedelta(seconds=1)


def move(seconds: int, state: State) -> SeatMove:
    return SeatMove(operator_id=OPERATOR, at=NOON + seconds * SECOND, state=state)


async def test_beliefs_are_what_was_kept_last(sessions: Sessions) -> None:
    async with sessions.write() as session:
        await pacing.keep_beliefs(session, {"talk.mu": 5.25, "talk.var": 0.5}, NOON)
        await pacing.keep_beliefs(session, {"talk.mu": 0.1 + 0.2}, NOON + SECOND)
    async with sessions.read() as session:
        assert await pacing.beliefs(session) == {"talk.mu": 0.1 + 0.2, "talk.var": 0.5}


async def test_before_the_first_call_nothing_is_believed_and_nobody_was_called(
    sessions: Sessions,
) -> None:
    async with sessions.read() as session:
        assert await pacing.beliefs(session) == {}
        assert await pacing.day_counts(session, NOON) == DayCounts(connected=0, abandoned=0)


async def test_the_day_counts_who_was_joined_and_who_was_abandoned_since_it_began(
    town: Town,
) -> None:
    called = [
        # when, what became of it
        ("24 00:00", "talk"),
        ("24 09:00", "abandoned"),
        ("24 09:30", "no_answer"),
        ("23 23:59", "talk"),  # of the day before, as are these
        ("23 10:00", "abandoned"),
    ]
    for number, (when, what) in enumerate(called):
        phone = await town.phone(await town.case(str(number), f"025800000{number}"))
        if what == "talk":
            await town.talk(phone, at(when))
            continue
        attempt = await town.place(phone, at(when))
        async with town.sessions.write() as session:
            await town.save(session, attempt, phone.case_id, what, at(when))
    async with town.sessions.read() as session:
        counts = await pacing.day_counts(session, at("24 00:00"))
    assert counts == DayCounts(connected=1, abandoned=1)


async def test_a_corrected_result_counts_as_corrected(town: Town) -> None:
    phone = await town.phone(await town.case("1", "0258000001"))
    attempt = await town.place(phone, NOON)
    async with town.sessions.write() as session:
        await town.save(session, attempt, phone.case_id, "abandoned", NOON)
        corrected = Recorded(result=Result(outcome="hung_up"), at=NOON, by=BY_LINE)
        await results.correct(session, attempt, corrected)
    async with town.sessions.read() as session:
        counts = await pacing.day_counts(session, at("24 00:00"))
    assert counts == DayCounts(connected=0, abandoned=0)


async def test_what_operators_did_is_read_in_order_of_time_and_written_once(town: Town) -> None:
    moves = [move(0, State.FREE), move(5, State.TALKING), move(65, State.AFTER_CALL_WORK)]
    for written in (moves[1:], moves):  # again: the answer to the first commit was lost
        async with town.sessions.write() as session:
            await seat_changes.record(session, written)
    async with town.sessions.read() as session:
        assert await seat_changes.between(session, NOON, NOON + 65 * SECOND) == moves[:2]
        assert await session.scalar(select(func.count()).select_from(SeatChange)) == 3


async def test_the_newest_plan_tells_what_it_believed_of_answering(town: Town) -> None:
    async def chances() -> list[object]:
        async with town.sessions.read() as session:
            return await plans.chances(session, town.campaign_id)

    assert await chances() == []
    for chance in (0.25, 0.5):
        async with town.sessions.write() as session:
            await plans.add(
                session,
                town.campaign_id,
                at=NOON,
                by="tests",
                figures={},
                chances=[["午後", False, "fixed", 1, chance]],
            )
    assert await chances() == [["午後", False, "fixed", 1, 0.5]]

"""A day's calls as they went, read from the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from db import recorded_day, results
from db.recorded_day import RecordedCall
from db.results import BY_LINE, Recorded
from rules.case import Result
from tests.db.town import NOON, Town, at
from tests.recorded import MadeUpDay, write

DAY = timedelta(days=1)
MIDNIGHT = at("24 00:00")


async def on_record(town: Town, calls: list[RecordedCall]) -> None:
    phone = await town.phone(await town.case("1", "0258000001"))
    async with town.sessions.write() as session:
        await write(session, calls, [], case_id=phone.case_id, phone_id=phone.id)


async def read(town: Town) -> list[RecordedCall]:
    async with town.sessions.read() as session:
        return await recorded_day.calls(session, MIDNIGHT, MIDNIGHT + DAY)


async def test_calls_are_read_as_they_were_written_whatever_became_of_them(town: Town) -> None:
    calls = MadeUpDay(NOON, town.campaign_id).fill(5).calls
    alive = replace(calls[0], placed_at=at("24 15:00"), answered_at=None, talk_from=None)
    alive = replace(alive, ended_at=None, outcome=None, saved_at=None, chance=None, miss=None)
    await on_record(town, [*calls, alive])
    assert await read(town) == [*calls, alive]
    assert {call.outcome for call in calls} == {
        "explained",
        "no_answer",
        "voicemail_left",
        "abandoned",
    }


async def test_only_the_days_own_calls_are_read_in_order_of_time(town: Town) -> None:
    call = MadeUpDay(NOON, town.campaign_id).fill(1).calls[0]
    moments = [at("24 23:59"), at("24 00:00"), at("23 23:59"), at("25 00:00")]
    await on_record(town, [replace(call, placed_at=moment) for moment in moments])
    assert [one.placed_at for one in await read(town)] == [moments[1], moments[0]]
    async with town.sessions.read() as session:
        assert await recorded_day.newest_call(session, moments[3]) == moments[0]
        assert await recorded_day.newest_call(session, moments[2]) is None


async def test_an_outcome_is_as_corrected_and_was_saved_when_it_was_saved_first(
    town: Town,
) -> None:
    phone = await town.phone(await town.case("1", "0258000001"))
    attempt = await town.ring_out(phone, NOON)
    async with town.sessions.write() as session:
        corrected = Recorded(result=Result(outcome="failed"), at=at("24 18:00"), by=BY_LINE)
        await results.correct(session, attempt, corrected)
    (call,) = await read(town)
    assert call.outcome == "failed"
    assert call.saved_at == call.ended_at == NOON + timedelta(seconds=38)
    assert (call.chance, call.talk_s) == (None, None)

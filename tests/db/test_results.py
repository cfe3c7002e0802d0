"""One first result per attempt; corrections leave the old one on record."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from db import results
from db.errors import ConflictError, NotFoundError
from db.results import BY_LINE, Recorded
from db.tables import ResultRow
from rules.case import Result, Scope
from tests.db.town import NOON, OPERATOR, Town, at

PROMISE = Recorded(
    result=Result(
        outcome="third_party",
        same_household=True,
        appointment=at("25 18:00"),
        scope=Scope.PHONE,
    ),
    at=NOON,
    by=OPERATOR,
    talk_results=("promise", "new_slip"),
    promise="月末に一部",
    note="ご家族が応対",
)
BY_THE_LINE = Recorded(result=Result(outcome="hung_up"), at=NOON, by=BY_LINE, review=True)


async def test_everything_recorded_is_read_back(town: Town) -> None:
    for number, recorded in enumerate((PROMISE, BY_THE_LINE)):
        phone = await town.phone(await town.case(str(number), f"025800000{number}"))
        attempt_id = await town.talk(phone)
        async with town.sessions.write() as session:
            assert await results.save_first(session, attempt_id, recorded)
        async with town.sessions.read() as session:
            assert await results.current(session, attempt_id) == recorded


async def test_a_second_first_result_changes_nothing(town: Town) -> None:
    attempt_id = await town.talk(await town.phone(await town.case("1", "0258000001")))
    for recorded, saved in ((PROMISE, True), (BY_THE_LINE, False), (PROMISE, False)):
        async with town.sessions.write() as session:
            assert await results.save_first(session, attempt_id, recorded) is saved
    async with town.sessions.read() as session:
        assert await results.current(session, attempt_id) == PROMISE
    assert await town.count(ResultRow) == 1


async def test_a_correction_holds_and_the_old_results_stay(town: Town) -> None:
    attempt_id = await town.talk(await town.phone(await town.case("1", "0258000001")))
    async with town.sessions.write() as session:
        await results.save_first(session, attempt_id, BY_THE_LINE)
    for note in ("一度目", "二度目"):
        async with town.sessions.write() as session:
            await results.correct(session, attempt_id, replace(PROMISE, note=note))
    async with town.sessions.read() as session:
        now = await results.current(session, attempt_id)
    assert now == replace(PROMISE, note="二度目")
    assert await town.count(ResultRow) == 3


async def test_of_two_corrections_at_the_same_moment_one_is_refused_or_both_are_in_line(
    town: Town,
) -> None:
    attempt_id = await town.talk(await town.phone(await town.case("1", "0258000001")))
    async with town.sessions.write() as session:
        await results.save_first(session, attempt_id, PROMISE)

    async def correct(note: str) -> None:
        async with town.sessions.write() as session:
            await results.correct(session, attempt_id, replace(PROMISE, note=note))

    done = await asyncio.gather(*(correct(str(n)) for n in range(5)), return_exceptions=True)
    refused = [one for one in done if isinstance(one, ConflictError)]
    assert len(refused) + done.count(None) == 5
    assert await town.count(ResultRow) == 1 + done.count(None)
    async with town.sessions.read() as session:
        assert await results.current(session, attempt_id) is not None


async def test_what_does_not_exist_cannot_be_recorded_or_corrected(town: Town) -> None:
    attempt_id = await town.talk(await town.phone(await town.case("1", "0258000001")))
    async with town.sessions.read() as session:
        assert await results.current(session, attempt_id) is None
        with pytest.raises(NotFoundError):
            await results.correct(session, attempt_id, PROMISE)
        with pytest.raises(NotFoundError):
            await results.save_first(session, "no such attempt", PROMISE)


async def test_the_screen_sees_the_case_s_earlier_calls_newest_first(town: Town) -> None:
    case_id = await town.case("1", "0258000001", "0258000002")
    await town.ring_out(await town.phone(case_id), NOON)
    await town.ring_out(await town.phone(case_id, 2), NOON + timedelta(hours=1))
    await town.ring_out(await town.phone(await town.case("2", "0258000003")))
    async with town.sessions.read() as session:
        past = await results.past_calls(session, case_id)
    assert [one.placed_at for one in past] == [NOON + timedelta(hours=1), NOON]
    assert {one.recorded.result.outcome for one in past} == {"no_answer"}


def test_a_result_shows_nothing_personal_when_printed() -> None:
    assert "ご家族" not in repr(PROMISE)

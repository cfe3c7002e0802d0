"""Operators by day and hour, on both databases."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from db import roster
from db.session import Sessions
from db.tables import RosterHour
from tests.db.town import NOON

FIRST, SECOND, THIRD = (date(2026, 9, day) for day in (24, 25, 26))


async def entered(sessions: Sessions, *entries: dict[tuple[date, int], int]) -> dict:
    for operators in entries:
        async with sessions.write() as session:
            await roster.replace(session, operators, at=NOON, by="tests")
    async with sessions.read() as session:
        return await roster.hours(session, FIRST, THIRD)


async def test_what_is_entered_is_found_by_day_and_hour_in_order(sessions: Sessions) -> None:
    given = {(SECOND, 10): 0, (SECOND, 9): 4, (FIRST, 19): 200}
    found = await entered(sessions, given)
    assert list(found.items()) == [((FIRST, 19), 200), ((SECOND, 9), 4), ((SECOND, 10), 0)]


async def test_both_ends_are_included_and_nothing_beyond_them(sessions: Sessions) -> None:
    outside = {(date(2026, 9, 23), 9): 1, (date(2026, 9, 27), 9): 1}
    found = await entered(sessions, outside | {(FIRST, 9): 2, (THIRD, 9): 3})
    assert found == {(FIRST, 9): 2, (THIRD, 9): 3}


async def test_a_day_entered_again_loses_its_former_hours_and_other_days_keep_theirs(
    sessions: Sessions,
) -> None:
    found = await entered(
        sessions, {(FIRST, 9): 1, (FIRST, 10): 1, (SECOND, 9): 1}, {(FIRST, 9): 5}
    )
    assert found == {(FIRST, 9): 5, (SECOND, 9): 1}


async def test_nothing_entered_changes_nothing(sessions: Sessions) -> None:
    assert await entered(sessions, {(FIRST, 9): 1}, {}) == {(FIRST, 9): 1}


async def test_who_entered_it_and_when_is_kept(sessions: Sessions) -> None:
    await entered(sessions, {(FIRST, 9): 1})
    async with sessions.read() as session:
        row = (await session.scalars(select(RosterHour))).one()
    assert (row.entered_by, row.entered_at) == ("tests", NOON)

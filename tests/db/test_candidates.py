"""Who is due, and who goes first."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, update

from db import callbacks, candidates
from db.candidates import Candidate
from db.session import make_sessions
from db.tables import PhoneRow, table_of
from rules import priority
from rules.priority import LAST
from tests.db.callers import NUMBER, TALKED, calls_us
from tests.db.town import NOON, OPERATOR, Town, at


async def due(town: Town, now=NOON, limit: int = 10) -> list[Candidate]:
    async with town.sessions.read() as session:
        return await candidates.due(session, town.campaign_id, now, limit)


async def test_phones_are_due_from_the_opening_of_the_first_day_on(town: Town) -> None:
    await town.case("1", "0258000001", now=at("20 12:00"))
    assert await due(town, at("21 08:59")) == []
    (one,) = await due(town, at("21 09:00"))
    assert (one.reference, one.number) == ("1", "0258000001")


async def test_no_more_than_asked_for_are_given(town: Town) -> None:
    for n in range(4):
        await town.case(str(n), f"025800000{n}")
    assert len(await due(town, limit=3)) == 3


async def test_a_phone_waits_after_its_attempt_while_the_others_are_due(town: Town) -> None:
    first = await town.case("1", "0258000001")
    await town.case("2", "0258000002")
    await town.ring_out(await town.phone(first))
    assert [one.reference for one in await due(town, NOON + timedelta(minutes=1))] == ["2"]


async def stand(town: Town, phone_id: int, rank: int, due_at: datetime) -> None:
    """Put a phone at a place in the line."""
    async with town.sessions.write() as session:
        await session.execute(
            update(table_of(PhoneRow))
            .where(PhoneRow.id == phone_id)
            .values(rank=rank, due_at=due_at)
        )


async def test_among_all_ranks_only_those_due_are_found_however_many_wait_before_them(
    town: Town,
) -> None:
    late = timedelta(seconds=1)
    places = {
        "0": (priority.RESERVED, NOON + late),
        "1": (5, NOON + late),
        "2": (LAST - 1, NOON),
        "3": (LAST - 1, NOON + late),
        "4": (LAST, NOON - late),
        "5": (LAST, NOON - 2 * late),
        "6": (5, NOON + late),
        "7": (LAST, NOON - late),
    }
    for reference, place in places.items():
        phone = await town.phone(await town.case(reference, f"025800000{reference}"))
        await stand(town, phone.id, *place)
    assert [one.reference for one in await due(town)] == ["2", "5", "4", "7"]
    assert [one.reference for one in await due(town, limit=3)] == ["2", "5", "4"]
    assert [one.reference for one in await due(town, NOON + late, limit=3)] == ["0", "1", "6"]


async def test_sqlite_goes_through_each_rank_in_order_and_sorts_only_what_it_gives(
    sqlite_template: Path, tmp_path: Path
) -> None:
    path = shutil.copyfile(sqlite_template, tmp_path / "yobirin.db")
    sessions = make_sessions(f"sqlite+aiosqlite:///{path}")
    asked: list[tuple[str, Any]] = []
    event.listen(
        sessions.engine.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, values, *_: asked.append((statement, values)),
    )
    town = await Town(sessions).open()
    await due(town)
    statement, values = asked[-1]
    async with sessions.read() as session:
        connection = await session.connection()
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        plan = [row.detail for row in rows]
    await sessions.close()
    search = plan[: plan.index("SCAN due")]
    assert "SEARCH phone USING INDEX ix_phone_due (campaign_id=? AND rank=? AND due_at<?)" in search
    assert not any("TEMP B-TREE" in step or step.startswith("SCAN") for step in search)


async def test_nobody_of_a_household_or_number_in_flight_is_a_candidate(town: Town) -> None:
    called = await town.case("1", "0258000001", "0258000002")
    await town.case("2", "0258000003", household="H1")
    await town.case("3", "0258000001", "0258000004")  # neither on its other number
    await town.case("4", "0258000002")  # the number of the called one's other phone
    await town.case("5", "0258000005")
    await town.place(await town.phone(called))
    assert [one.number for one in await due(town)] == ["0258000005"]


async def test_whoever_calls_us_is_not_called_meanwhile(town: Town) -> None:
    await town.case("1", NUMBER)
    other = await town.case("2", "0258000002")
    await town.case("3", "0258000003")
    callback = await calls_us(town, TALKED)
    assert [one.reference for one in await due(town)] == ["2", "3"]
    async with town.sessions.write() as session:
        await callbacks.identified(session, callback, other, at=NOON, by=OPERATOR)
    assert [one.reference for one in await due(town)] == ["3"]
    async with town.sessions.write() as session:
        await callbacks.finish(session, [callback])
    assert [one.reference for one in await due(town)] == ["1", "2", "3"]


async def test_a_candidate_tells_when_its_household_was_last_called(town: Town) -> None:
    called = await town.case("1", "0258000001", "0258000002")
    await town.case("2", "0258000003", household="H1")
    await town.case("3", "0258000001")
    await town.case("4", "0258000005")
    await town.ring_out(await town.phone(called))
    found = await due(town, NOON + timedelta(minutes=40))
    by_reference = {one.reference: one.household_last_call for one in found}
    assert by_reference == {
        "1": None,  # its own calls are the rules' affair, not its household's
        "2": NOON,
        "3": NOON,
        "4": None,
    }


async def test_a_phone_put_off_comes_back_at_its_time(town: Town) -> None:
    phone = await town.phone(await town.case("1", "0258000001"))
    until = NOON + timedelta(minutes=20)
    async with town.sessions.write() as session:
        await candidates.put_off(session, phone.id, until)
    assert await due(town, until - timedelta(seconds=1)) == []
    assert len(await due(town, until)) == 1


async def test_a_candidate_shows_no_number_when_printed(town: Town) -> None:
    await town.case("1", "0258000001")
    (one,) = await due(town)
    assert "0258000001" not in repr(one)

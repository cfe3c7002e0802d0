"""Which number is shown when, by the schedule; and that the dialplan goes on answering all of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from db import caller_ids
from db.errors import ConflictError, NotFoundError
from db.tables import Attempt
from dialer.caller_ids import CallerIds, check_number
from dialer.profiles import load_profile
from tests.db.town import NOON, Town, at
from tests.dialer.test_pacer import POOL, Office

EVE = at("23 09:00")
MINUTE = timedelta(minutes=1)
FIRST, SECOND = POOL


async def scheduled(town: Town, number: str, from_at=NOON, ordered_at=EVE) -> int:
    async with town.sessions.write() as session:
        row = await caller_ids.schedule(session, number, from_at=from_at, at=ordered_at, by="tests")
        return row.id


async def in_force(town: Town, *moments: object) -> list[str]:
    ids = CallerIds(POOL)
    async with town.sessions.read() as session:
        await ids.reload(session)
    return [ids.at(moment) for moment in moments]


async def test_the_first_of_the_pool_is_shown_until_a_change_is_ordered(town: Town) -> None:
    assert await in_force(town, NOON) == [FIRST]


async def test_a_change_holds_from_its_moment_on_until_the_next(town: Town) -> None:
    await scheduled(town, FIRST, NOON + timedelta(hours=1))
    await scheduled(town, SECOND, NOON)
    moments = [NOON - timedelta(microseconds=1), NOON, NOON + timedelta(minutes=59)]
    assert await in_force(town, *moments) == [FIRST, SECOND, SECOND]
    assert await in_force(town, NOON + timedelta(hours=1), at("30 12:00")) == [FIRST, FIRST]


async def test_of_two_changes_for_one_moment_the_one_ordered_later_holds(town: Town) -> None:
    await scheduled(town, SECOND)
    await scheduled(town, FIRST)
    assert await in_force(town, NOON) == [FIRST]


async def test_a_cancelled_change_never_comes(town: Town) -> None:
    change = await scheduled(town, SECOND)
    await cancelled(town, change, NOON - MINUTE)
    assert await in_force(town, NOON) == [FIRST]
    async with town.sessions.read() as session:
        (row,) = await caller_ids.all_changes(session)
    assert (row.cancelled_at, row.cancelled_by) == (NOON - MINUTE, "tests")


async def test_a_number_that_left_the_pool_is_passed_over(town: Town) -> None:
    await scheduled(town, SECOND, NOON - MINUTE)
    await scheduled(town, "0258000199", NOON)
    assert await in_force(town, NOON) == [SECOND]


async def cancelled(town: Town, change: int, when=EVE) -> None:
    async with town.sessions.write() as session:
        await caller_ids.cancel(session, change, at=when, by="tests")


async def test_the_past_is_not_ordered_and_not_cancelled(town: Town) -> None:
    with pytest.raises(ConflictError, match="past"):
        await scheduled(town, SECOND, EVE - MINUTE)
    change = await scheduled(town, SECOND)
    with pytest.raises(ConflictError, match="has come"):
        await cancelled(town, change, NOON)


async def test_only_what_stands_can_be_cancelled(town: Town) -> None:
    change = await scheduled(town, SECOND)
    with pytest.raises(NotFoundError):
        await cancelled(town, change + 1)
    await cancelled(town, change)
    with pytest.raises(ConflictError, match="cancelled already"):
        await cancelled(town, change)


REFUSED = [
    # number, of the pool, why it is refused
    ("0258000199", False, "not in caller_id.pool"),
    ("0120000001", True, "§11"),
    ("0800000001", True, "§11"),
    ("0570000001", True, "§11"),
    ("0500000001", True, "§11"),
    ("0900000001", True, "§11"),
]


@pytest.mark.parametrize(("number", "pooled", "why"), REFUSED)
def test_a_number_outside_the_pool_or_of_a_refused_kind_is_not_ordered(
    number: str, pooled: bool, why: str
) -> None:
    pool = [*POOL, number] if pooled else POOL
    with pytest.raises(ConflictError, match=why):
        check_number(number, pool, load_profile("nagaoka-r8", NOON.date()))


def test_the_numbers_of_the_pool_are_not_refused() -> None:
    for number in POOL:
        check_number(number, POOL, load_profile("nagaoka-r8", NOON.date()))


async def test_the_number_in_force_at_the_placing_is_shown_and_kept(town: Town) -> None:
    for number in range(3):
        await town.case(str(number), f"025800000{number}")
    await scheduled(town, SECOND)
    office = Office(town, NOON - timedelta(seconds=1), operators=1)
    shown = []
    for _ in range(2):
        await office.dial()
        shown.append(office.link.sent[-1]["CallerID"])
        office.sit("201", "202")
        office.clock.move(1)
    assert shown == [FIRST, SECOND]
    async with town.sessions.read() as session:
        kept = await session.scalars(select(Attempt.caller_id).order_by(Attempt.placed_at))
        assert list(kept) == shown


async def test_what_is_shown_is_what_was_written_down_also_if_the_schedule_changes_meanwhile(
    town: Town,
) -> None:
    await town.case("1", "0258000001")
    office = Office(town)
    real_write = town.sessions.write

    def write_while_a_notice_is_read() -> object:
        office.caller_ids._changes = [(EVE, SECOND)]
        return real_write()

    town.sessions.write = write_while_a_notice_is_read
    await office.dial()
    assert office.link.sent[0]["CallerID"] == FIRST
    async with town.sessions.read() as session:
        assert await session.scalar(select(Attempt.caller_id)) == FIRST

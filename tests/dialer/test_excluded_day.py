"""A day that the city takes out while the month is called: Thursday the 24th, or its weekend."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from sqlalchemy import select

from db import campaigns
from db.errors import ConflictError
from db.tables import Attempt, PhoneRow
from dialer.excluded_day import exclude_day
from tests.db.town import NOON, Town, at
from tests.dialer.test_pacer import Office

THURSDAY, SATURDAY, SUNDAY = (date(2026, 9, day) for day in (24, 26, 27))


async def excluded(town: Town, day: date, now=NOON) -> None:
    await exclude_day(town.sessions, "2026-09", day, at=now, by="tests")


async def test_every_case_of_the_campaign_is_due_on_another_day_and_no_other_campaigns(
    town: Town,
) -> None:
    other = await Town(town.sessions).open("2026-09b")
    untouched = await other.case("9", "0258000009", household="H9", now=NOON)
    ids = [await town.case(str(n), f"025800000{n}", now=NOON) for n in range(3)]
    before = [(await town.phone(case)).due_at for case in ids]
    assert before == [NOON] * 3
    await excluded(town, THURSDAY)
    assert [(await town.phone(case)).due_at for case in ids] == [at("25 09:00")] * 3
    assert (await town.phone(untouched)).due_at == NOON


async def test_the_cases_are_folded_in_steps_and_all_of_them(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.cases.BATCH", 2)
    for number in range(5):
        await town.case(str(number), f"025800000{number}", now=NOON)
    await excluded(town, THURSDAY)
    async with town.sessions.read() as session:
        assert set(await session.scalars(select(PhoneRow.due_at))) == {at("25 09:00")}


async def test_a_phone_kept_for_the_weekend_follows_it_and_is_set_free_when_there_is_none_left(
    town: Town,
) -> None:
    """Two counted attempts on weekdays: the third waits for a non-weekday while one is left."""
    case = await town.case("1", "0258000001", now=NOON)
    await town.ring_out(await town.phone(case), at("24 10:00"))
    await town.ring_out(await town.phone(case), at("25 13:00"))
    assert (await town.phone(case)).due_at == at("26 09:00")
    evening = at("25 18:00")
    await excluded(town, SATURDAY, evening)
    assert (await town.phone(case)).due_at == at("27 09:00")
    ranks = {(await town.phone(case)).rank}
    await excluded(town, SUNDAY, evening)
    kept = await town.phone(case)
    assert kept.due_at == at("28 09:00")  # a Monday: the rule cannot be met any more
    assert {kept.rank, *ranks} != ranks  # and there is more time left to call it


async def test_nothing_is_placed_from_that_moment_on(town: Town) -> None:
    await town.case("1", "0258000001", now=NOON)
    office = Office(town)
    async with town.sessions.read() as session:
        await office.months.reload(session, NOON)
    await excluded(town, THURSDAY)
    await office.pacer._dial()  # the notice is not read yet
    assert await office.dial() == []
    assert await town.count(Attempt) == 0
    office.clock.move(24 * 3600)
    assert await office.dial() == ["0258000001"]


async def test_a_day_taken_out_between_the_choice_and_the_call_is_heeded(town: Town) -> None:
    await town.case("1", "0258000001", now=NOON)
    office = Office(town)
    allowed = office.choosing.look

    async def exclude_meanwhile(*arguments: object) -> object:
        chosen = await allowed(*arguments)
        async with asyncio.timeout(30):
            await excluding
        return chosen

    excluding = asyncio.ensure_future(excluded(town, THURSDAY))
    office.choosing.look = exclude_meanwhile
    assert await office.dial() == []
    assert await town.count(Attempt) == 0


async def test_the_rules_refuse_even_what_its_row_says_is_due(town: Town) -> None:
    """While the cases are folded one after the other some rows are of before."""
    await town.case("1", "0258000001", now=NOON)
    office = Office(town)
    async with town.sessions.write() as session:
        await campaigns.exclude_day(session, "2026-09", THURSDAY, at=NOON, by="tests")
    assert await office.dial() == []
    assert (await town.phone(1)).due_at == at("25 09:00")  # put off by its refusal


async def test_a_day_outside_the_period_is_refused(town: Town) -> None:
    with pytest.raises(ConflictError, match="not in its calling period"):
        await excluded(town, date(2026, 10, 1))

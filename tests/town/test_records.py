"""What the service wrote down, as a demo's checks read it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.session import Sessions, make_sessions
from scripts.town.records import all_records, all_refused
from tests.db.town import Town, at


@pytest.fixture
async def town(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Town]:
    """A month in a database of the kind that the pretended town has."""
    path = tmp_path / "yobirin.db"
    shutil.copyfile(sqlite_template, path)
    sessions: Sessions = make_sessions(f"sqlite+aiosqlite:///{path}")
    yield await Town(sessions).open()
    await sessions.close()


async def test_calls_placed_together_are_told_in_the_order_in_which_they_were_placed(
    town: Town,
) -> None:
    numbers = [f"02580000{n:02}" for n in range(9)]
    cases = [await town.case(number, number) for number in numbers]
    for case in (cases[0], *reversed(cases[1:])):
        await town.place(await town.phone(case), at("24 10:00"))
    async with town.sessions.read() as session:
        records = await all_records(session)
    assert [record.number for record in records] == [numbers[0], *reversed(numbers[1:])]


async def test_the_rules_tell_for_each_moment_who_could_not_be_called(town: Town) -> None:
    one, other, nobody = "0258000001", "0258000002", "0258000099"
    case = await town.case("1", one, "0258000003")
    await town.case("2", other)
    ten, noon, night = at("24 10:00"), at("24 12:00"), at("24 21:00")
    await town.ring_out(await town.phone(case), ten)
    async with town.sessions.read() as session:
        refused = await all_refused(session, [one, other, nobody], [ten, noon, night])
    # in a call; the day's attempt was made; and nobody at night
    assert refused == {(one, ten), (one, noon), (one, night), (other, night)}

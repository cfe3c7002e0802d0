"""Stop orders follow the person; the emergency stop stands alone."""

from __future__ import annotations

import pytest

from db import campaigns, notices, stops
from db.campaigns import CampaignState
from db.errors import ConflictError
from db.notices import NoticeKind
from db.tables import StopOrder
from tests.db.town import KEYS, NOON, Town

PERSON = KEYS.person("P")


async def order(town: Town) -> list[int]:
    async with town.sessions.write() as session:
        stopped = await stops.order(session, PERSON, at=NOON, by="city")
        for case_id in stopped:
            await town.refresh(session, case_id, now=NOON)
        return stopped


async def lift(town: Town) -> list[int]:
    async with town.sessions.write() as session:
        freed = await stops.lift(session, PERSON, at=NOON, by="city")
        for case_id in freed:
            await town.refresh(session, case_id, now=NOON)
        return freed


async def test_a_stop_order_stops_the_person_s_cases_of_all_open_months(town: Town) -> None:
    september = await town.case("1", "0258000001", person="P")
    other = await town.case("2", "0258000002")
    october = await Town(town.sessions).open("2026-10")
    later = await october.case("1", "0258000001", person="P")
    assert await order(town) == [september, later]
    for case_id, status in ((september, "stopped"), (later, "stopped"), (other, "open")):
        assert (await town.standing(case_id))[0] == status
    async with town.sessions.read() as session:
        told = await notices.newer_than(session, 0)
    stopped = [n.case_id for n in told if n.kind == NoticeKind.STOP_CASE.value]
    assert stopped == [september, later]


async def test_ordered_again_a_stop_changes_nothing(town: Town) -> None:
    await town.case("1", "0258000001", person="P")
    await order(town)
    assert await order(town) == []
    assert await town.count(StopOrder) == 1


async def test_a_lifted_stop_order_lets_the_case_be_called_and_may_come_again(
    town: Town,
) -> None:
    case_id = await town.case("1", "0258000001", person="P")
    await order(town)
    assert (await town.phone(case_id)).due_at is None
    assert await lift(town) == [case_id]
    assert (await town.phone(case_id)).due_at == NOON
    with pytest.raises(ConflictError):
        await lift(town)
    assert await order(town) == [case_id]
    async with town.sessions.read() as session:
        (standing,) = await stops.in_force(session)
    assert (standing.person_key, standing.by) == (PERSON, "city")


async def test_a_closed_month_is_left_as_it_is(town: Town) -> None:
    case_id = await town.case("1", "0258000001", person="P")
    async with town.sessions.write() as session:
        await campaigns.set_state(session, "2026-09", CampaignState.CLOSED, at=NOON, by="tests")
    assert await order(town) == []
    assert (await town.standing(case_id))[0] == "open"


async def test_only_persons_with_an_order_in_force_are_among_the_stopped(town: Town) -> None:
    await order(town)
    other = KEYS.person("Q")
    async with town.sessions.read() as session:
        assert await stops.stopped_among(session, {PERSON, other}) == {PERSON}
        assert await stops.stopped_among(session, {other}) == set()
    await lift(town)
    async with town.sessions.read() as session:
        assert await stops.stopped_among(session, {PERSON, other}) == set()


async def test_an_emergency_stop_stands_until_lifted(town: Town) -> None:
    async with town.sessions.write() as session:
        assert await stops.emergency(session) is None
        await stops.set_emergency(session, at=NOON, by="supervisor")
    async with town.sessions.write() as session:
        standing = await stops.emergency(session)
        assert standing is not None
        assert (standing.at, standing.by) == (NOON, "supervisor")
        with pytest.raises(ConflictError):
            await stops.set_emergency(session, at=NOON, by="supervisor")
        await stops.lift_emergency(session, at=NOON, by="supervisor")
    async with town.sessions.write() as session:
        assert await stops.emergency(session) is None
        with pytest.raises(ConflictError):
            await stops.lift_emergency(session, at=NOON, by="supervisor")

"""The ledger: at most once, only ever added to."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from db import campaigns, ledger, stops
from db.campaigns import CampaignState
from db.errors import AlreadyInFlightError, NotCallableError
from db.ledger import Change
from db.tables import Attempt, AttemptChange, CallInFlight
from rules.call_state import State
from tests.db.town import KEYS, NOON, OPERATOR, Town, at


async def test_placing_writes_the_attempt_its_first_change_and_its_place_in_flight(
    town: Town,
) -> None:
    phone = await town.phone(await town.case("1", "0258000001"))
    attempt_id = await town.place(phone)
    async with town.sessions.read() as session:
        (alive,) = await ledger.in_flight(session)
    assert (alive.attempt_id, alive.phone_id, alive.placed_at) == (attempt_id, phone.id, NOON)
    assert alive.changes == (Change(attempt_id=attempt_id, seq=0, at=NOON, state=State.PLACED),)
    assert not alive.ended


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"numbers": ("0258000001",)}, id="the same number in another case"),
        pytest.param({"numbers": ("0258000009",), "household": "H1"}, id="the same household"),
    ],
)
async def test_a_second_call_is_refused_while_the_first_has_no_outcome(
    town: Town, other: dict
) -> None:
    first = await town.case("1", "0258000001", "0258000002")
    second = await town.case("2", *other["numbers"], household=other.get("household"))
    await town.place(await town.phone(first))
    for phone in (
        await town.phone(first),  # the same phone
        await town.phone(first, 2),  # the same case
        await town.phone(second),
    ):
        with pytest.raises(AlreadyInFlightError):
            await town.place(phone)
    assert await town.count(Attempt) == 1
    assert await town.count(AttemptChange) == 1


async def test_of_many_placed_at_the_same_moment_exactly_one_is_written(town: Town) -> None:
    phone = await town.phone(await town.case("1", "0258000001"))
    tries = await asyncio.gather(*(town.place(phone) for _ in range(8)), return_exceptions=True)
    refused = [tried for tried in tries if isinstance(tried, AlreadyInFlightError)]
    assert len(refused) == 7
    assert await town.count(Attempt) == 1
    assert await town.count(CallInFlight) == 1


async def test_a_phone_is_free_again_once_its_result_is_saved(town: Town) -> None:
    phone = await town.phone(await town.case("1", "0258000001"))
    attempt_id = await town.place(phone)
    async with town.sessions.write() as session:
        await town.save(session, attempt_id, phone.case_id, "busy", NOON)
    await town.place(phone, NOON + timedelta(minutes=10))
    assert await town.count(CallInFlight) == 1


async def test_a_stopped_case_is_not_placed_though_it_was_chosen_before(town: Town) -> None:
    case_id = await town.case("1", "0258000001", person="P")
    phone = await town.phone(case_id)
    async with town.sessions.write() as session:
        for stopped in await stops.order(session, KEYS.person("P"), at=NOON, by="city"):
            await town.refresh(session, stopped, now=NOON)
    with pytest.raises(NotCallableError):
        await town.place(phone)
    assert await town.count(Attempt) == 0


async def test_nothing_is_placed_during_an_emergency_stop_or_a_pause(town: Town) -> None:
    phone = await town.phone(await town.case("1", "0258000001"))
    async with town.sessions.write() as session:
        await stops.set_emergency(session, at=NOON, by="tests")
    with pytest.raises(NotCallableError):
        await town.place(phone)
    async with town.sessions.write() as session:
        await stops.lift_emergency(session, at=NOON, by="tests")
        await campaigns.set_state(session, "2026-09", CampaignState.PAUSED, at=NOON, by="tests")
    with pytest.raises(NotCallableError):
        await town.place(phone)
    async with town.sessions.write() as session:
        await campaigns.set_state(session, "2026-09", CampaignState.RUNNING, at=NOON, by="tests")
    await town.place(phone)


async def test_a_phone_that_is_never_due_again_is_not_placed(town: Town) -> None:
    phone = await town.phone(await town.case("1", "0258000001"))
    for moment in ("22 10:00", "24 13:00", "25 18:00"):
        await town.ring_out(phone, at(moment))
    with pytest.raises(NotCallableError):
        await town.place(phone, at("28 10:00"))


async def test_changes_written_twice_are_there_once_as_first_written(town: Town) -> None:
    phone = await town.phone(await town.case("1", "0258000001"))
    attempt_id = await town.place(phone)
    ringing = Change(attempt_id=attempt_id, seq=1, at=NOON, state=State.RINGING)
    other = Change(attempt_id=attempt_id, seq=1, at=NOON, state=State.ENDED)
    answered = Change(attempt_id=attempt_id, seq=2, at=NOON, state=State.WAITING, ring_ms=1500)
    for changes in ([ringing], [other, answered], [ringing, answered], []):
        async with town.sessions.write() as session:
            await ledger.record(session, changes)
    async with town.sessions.read() as session:
        written = await ledger.changes_of(session, attempt_id)
    assert [change.state for change in written] == [
        State.PLACED,
        State.RINGING,
        State.WAITING,
    ]
    assert written[2].ring_ms == 1500


async def test_an_ended_call_without_result_is_found_with_the_operator_who_talked(
    town: Town,
) -> None:
    talked = await town.talk(await town.phone(await town.case("1", "0258000001")))
    await town.place(await town.phone(await town.case("2", "0258000002")))
    await town.ring_out(await town.phone(await town.case("3", "0258000003")))
    async with town.sessions.read() as session:
        alive = await ledger.in_flight(session)
        told = await ledger.talk(session, talked)
    assert sorted(one.ended for one in alive) == [False, True]
    assert [one.attempt_id for one in alive if one.ended] == [talked]
    assert told is not None
    assert (told.operator_id, told.ring_s) == (OPERATOR, 8.0)


async def test_a_transaction_that_fails_leaves_nothing_behind(town: Town) -> None:
    phone = await town.phone(await town.case("1", "0258000001"))
    with pytest.raises(RuntimeError):
        async with town.sessions.write() as session:
            await ledger.place(
                session,
                attempt_id=str(uuid4()),
                phone_id=phone.id,
                placed_at=NOON,
                caller_id="0258001000",
            )
            raise RuntimeError("before the commit")
    assert await town.count(Attempt) == 0
    assert await town.count(CallInFlight) == 0

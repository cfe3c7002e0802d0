"""Callbacks on record: written behind, each thing once, and found again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db import callbacks, cases
from db.callbacks import Moved, Place
from db.campaigns import CampaignState, set_state
from db.errors import NotFoundError
from db.tables import CallbackMessage, CalledBack
from rules.callback_state import State
from rules.priority import CALLED_BACK, RESERVED
from tests.db.callers import ASKED_BACK, GAVE_UP, NUMBER, TALKED, calls_us
from tests.db.town import KEYS, NOON, OPERATOR, Town, at

KEY = KEYS.number(NUMBER)


async def not_reached(town: Town, *, asked: bool, when=NOON, number: str | None = NUMBER) -> str:
    """Somebody who reached nobody, as the service settles it; returns the callback's id."""
    callback = await calls_us(town, ASKED_BACK if asked else GAVE_UP, when, number)
    async with town.sessions.write() as session:
        place = await callbacks.place_of(session, KEYS.number(number)) if number else None
        assert await callbacks.not_reached(session, callback, place, at=when, asked=asked)
        if place is not None:
            await town.refresh(session, place.case_id, now=when)
        await callbacks.finish(session, [callback])
    return callback


async def test_a_callback_is_in_hand_until_somebody_is_done_with_it(town: Town) -> None:
    first = await calls_us(town, GAVE_UP)
    second = await calls_us(town, TALKED, NOON + timedelta(seconds=1), None)
    async with town.sessions.read() as session:
        found = await callbacks.in_hand(session)
    assert [one.arrived.id for one in found] == [first, second]
    assert (found[0].arrived.number, found[1].arrived.number_key) == (NUMBER, None)
    assert [one.state for one in found[0].changes] == [State.WAITING, State.ENDED]
    assert [one.operator_id for one in found[1].changes] == [None, None, OPERATOR, None]
    assert NUMBER not in repr(found)
    async with town.sessions.write() as session:
        await callbacks.finish(session, [first])
    async with town.sessions.read() as session:
        assert [one.arrived.id for one in await callbacks.in_hand(session)] == [second]
        assert await callbacks.on_record(session, [first, second, "1.1"]) == {first, second}


async def test_what_is_written_twice_is_there_once(town: Town) -> None:
    callback = await calls_us(town, GAVE_UP)
    async with town.sessions.read() as session:
        [known] = await callbacks.in_hand(session)
    async with town.sessions.write() as session:
        await callbacks.finish(session, [callback])
        for _ in range(2):
            await callbacks.take(session, [known.arrived])
            await callbacks.record(session, known.changes)
            await callbacks.add_message(session, callback, file="a.wav", seconds=7, at=NOON)
        assert await callbacks.not_reached(session, callback, None, at=NOON, asked=False)
        assert not await callbacks.not_reached(session, callback, None, at=NOON, asked=True)
    async with town.sessions.read() as session:
        assert await callbacks.in_hand(session) == []  # nobody has to do with it again
        message = await session.get(CallbackMessage, callback)
    assert (message.seconds, message.heard_at) == (7, None)


async def test_who_reached_nobody_is_called_next_and_who_asked_for_it_at_once(town: Town) -> None:
    case = await town.case("1", NUMBER)
    await not_reached(town, asked=False, when=at("24 21:00"))
    phone = await town.phone(case)
    assert (phone.rank, phone.due_at) == (CALLED_BACK, at("25 09:00"))
    await not_reached(town, asked=True, when=at("25 10:00"))
    phone = await town.phone(case)
    assert (phone.rank, phone.due_at) == (RESERVED, at("25 10:00"))
    async with town.sessions.read() as session:
        assert (await cases.get(session, case)).appointment == at("25 10:00")


async def test_a_wish_is_found_by_its_callback(town: Town) -> None:
    case = await town.case("1", NUMBER)
    phone = await town.phone(case)
    asked = await not_reached(town, asked=True)
    merely = await not_reached(town, asked=False)
    nobodys = await not_reached(town, asked=True, number="0258999999")
    async with town.sessions.read() as session:
        found = [await callbacks.wished(session, one) for one in (asked, merely, nobodys)]
        row = await session.get(CalledBack, 3)
    place = Place(campaign_id=town.campaign_id, case_id=case, phone_id=phone.id)
    assert found == [place, None, None]
    assert (row.callback_id, row.case_id, row.phone_id, row.asked) == (nobodys, None, None, True)


async def test_of_several_with_the_number_the_one_called_last_is_meant(town: Town) -> None:
    first, second, third = [await town.case(str(n), NUMBER) for n in (1, 2, 3)]

    async def meant() -> int | None:
        async with town.sessions.read() as session:
            place = await callbacks.place_of(session, KEY)
        return place.case_id if place else None

    assert await meant() == first
    for case, when in ((second, "24 10:00"), (third, "24 11:00"), (first, "24 09:00")):
        attempt = await town.place(await town.phone(case), at(when))
        async with town.sessions.write() as session:
            await town.save(session, attempt, case, "no_answer", at(when))
    assert await meant() == third
    async with town.sessions.write() as session:
        await cases.add_fact(session, third, cases.FactKind.PAID, at=NOON, by="市")
        await town.refresh(session, third, now=NOON)
    assert await meant() == second
    async with town.sessions.write() as session:
        await set_state(session, "2026-09", CampaignState.PAUSED, at=NOON, by="tests")
    assert await meant() == second  # who calls now is owed a call when it goes on
    async with town.sessions.write() as session:
        await set_state(session, "2026-09", CampaignState.CLOSED, at=NOON, by="tests")
    assert await meant() is None


async def test_the_talk_is_that_of_who_talked_last(town: Town) -> None:
    callback = await calls_us(town, TALKED)
    silent = await calls_us(town, GAVE_UP)
    async with town.sessions.read() as session:
        talk = await callbacks.talk(session, callback)
        assert (talk.operator_id, talk.arrived_at) == (OPERATOR, NOON)
        assert await callbacks.talk(session, silent) is None


async def test_the_case_identified_last_is_the_callers(town: Town) -> None:
    callback = await calls_us(town, TALKED)
    one, other = [await town.case(str(n), f"025800000{n}") for n in (1, 2)]
    async with town.sessions.write() as session:
        assert await callbacks.case_of(session, callback) is None
        for case in (one, other):
            await callbacks.identified(session, callback, case, at=NOON, by=OPERATOR)
        assert await callbacks.case_of(session, callback) == other
        with pytest.raises(NotFoundError):
            await callbacks.identified(session, callback, 999, at=NOON, by=OPERATOR)


async def test_a_callback_is_closed_without_a_case_once(town: Town) -> None:
    callback = await calls_us(town, TALKED)
    closed = {"kind": "unrelated", "note": "間違い電話", "at": NOON, "by": OPERATOR}
    async with town.sessions.write() as session:
        assert await callbacks.note_of(session, callback) is None
        assert await callbacks.close(session, callback, **closed)
        assert not await callbacks.close(session, callback, **closed | {"kind": "other"})
    async with town.sessions.read() as session:
        note = await callbacks.note_of(session, callback)
    assert (note.kind, note.note) == ("unrelated", "間違い電話")


async def test_those_who_arrived_from_a_moment_on_are_told(town: Town) -> None:
    for when in ("24 00:00", "24 23:59", "26 08:30"):
        await calls_us(town, GAVE_UP, at(when))
    async with town.sessions.read() as session:
        arrived = await callbacks.arrived_since(session, at("24 23:59"))
    assert arrived == [at("24 23:59"), at("26 08:30")]


async def test_a_change_keeps_what_the_dialplan_told(town: Town) -> None:
    callback = await calls_us(town, ())
    told = Moved(callback_id=callback, seq=1, at=NOON, state=State.GUIDANCE, detail="guidance")
    async with town.sessions.write() as session:
        await callbacks.record(session, [told])
    async with town.sessions.read() as session:
        [known] = await callbacks.in_hand(session)
    assert known.changes == (told,)

"""Callbacks as supervisors and reports see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from db import callback_rows, callback_wishes, callbacks, campaigns
from db.callback_rows import CallbackRow
from db.campaigns import CampaignState
from db.errors import ConflictError, NotFoundError
from db.session import Sessions
from db.tables import CaseRow
from rules.callback_end import CameTo
from rules.callback_state import State
from rules.case import CaseStatus
from tests.db import callers
from tests.db.callers import CALLED, CUT, GAVE_UP, GUIDANCE, NUMBER, TALKED, asks_back, calls_us
from tests.db.town import NOON, OPERATOR, Town, at


@pytest.fixture
async def town(sessions: Sessions) -> Town:
    return await Town(sessions).open()


async def rows_of(town: Town) -> list[CallbackRow]:
    async with town.sessions.read() as session:
        return await callback_rows.between(session, at("24 00:00"), at("25 00:00"))


async def test_a_talk_is_told_with_case_operator_and_waiting_time(town: Town) -> None:
    case = await town.case("7", NUMBER)
    callback = await calls_us(town, TALKED)
    async with town.sessions.write() as session:
        await callers.is_recorded(session, callback, case, "person_incomplete")
    (row,) = await rows_of(town)
    assert (row.id, row.arrived_at, row.called, row.number) == (callback, NOON, CALLED, NUMBER)
    assert (row.state, row.came_to, row.operator_id) == (State.ENDED, CameTo.TALKED, OPERATOR)
    assert row.waited_s == 20.0
    assert (row.campaign_id, row.case_id, row.reference) == (town.campaign_id, case, "7")
    assert row.result is not None
    assert row.result.outcome == "person_incomplete"
    assert not row.unrecorded


async def test_the_case_identified_last_and_the_result_as_corrected_are_told(town: Town) -> None:
    wrong, right = await town.case("7", NUMBER), await town.case("8", "0258222222")
    callback = await calls_us(town, TALKED)
    async with town.sessions.write() as session:
        await callbacks.identified(session, callback, wrong, at=NOON, by=OPERATOR)
        await callers.is_recorded(session, callback, right, "hung_up")
    (row,) = await rows_of(town)
    assert row.reference == "8"


@pytest.mark.parametrize(
    ("steps", "waited_s"),
    [
        (GUIDANCE, None),  # never in the line
        (GAVE_UP, 30.0),
        (GAVE_UP[:1], None),  # still in it
        # missed by an operator, and waiting went on
        (
            [
                (State.WAITING, 0),
                (State.JOINING, 5),
                (State.WAITING, 20),
                (State.JOINING, 25),
                (State.TALKING, 26),
                (State.ENDED, 99),
            ],
            26.0,
        ),
        # the operator's line broke: the second waiting is not added
        (
            [(State.WAITING, 0), (State.TALKING, 3), (State.WAITING, 50), (State.ENDED, 99)],
            3.0,
        ),
        ([(State.ALONE, 2), (State.TALKING, 8), (State.ENDED, 20)], 6.0),
        # joined by two at once, and cut off before anybody said a word
        (
            [(State.ALONE, 2), (State.TALKING, 2.01), (State.WAITING, 2.02), (State.ENDED, 20)],
            18.0,
        ),
    ],
)
async def test_waiting_is_counted_until_somebody_or_something_serves_the_caller(
    town: Town, steps: list[callers.Step], waited_s: float | None
) -> None:
    await calls_us(town, steps)
    (row,) = await rows_of(town)
    assert row.waited_s == waited_s


async def test_a_talk_without_result_is_unrecorded_until_it_is_closed(town: Town) -> None:
    callback = await calls_us(town, TALKED, number=None)
    assert (await rows_of(town))[0].unrecorded
    async with town.sessions.write() as session:
        await callbacks.close(session, callback, kind="unrelated", note="x", at=NOON, by=OPERATOR)
    (row,) = await rows_of(town)
    assert (row.number, row.closed, row.unrecorded) == (None, "unrelated", False)


async def test_a_joining_that_was_cut_at_once_is_no_talk(town: Town) -> None:
    await calls_us(town, CUT)
    (row,) = await rows_of(town)
    assert (row.came_to, row.operator_id, row.unrecorded) == (CameTo.GAVE_UP, None, False)


async def test_a_day_begins_and_ends_at_midnight_in_japan(town: Town) -> None:
    await calls_us(town, GUIDANCE, at("23 23:59"))
    first = await calls_us(town, GUIDANCE, at("24 00:00"))
    last = await calls_us(town, GUIDANCE, at("24 23:59"))
    await calls_us(town, GUIDANCE, at("25 00:00"))
    assert [row.id for row in await rows_of(town)] == [first, last]


# wishes -------------------------------------------------------------------------------------------


async def wishes_of(town: Town) -> list[callback_wishes.Wish]:
    async with town.sessions.read() as session:
        return await callback_wishes.wishes(session)


async def test_a_wish_waits_until_the_case_is_called(town: Town) -> None:
    case = await town.case("7", NUMBER)
    callback = await asks_back(town, case_id=case)
    (wish,) = await wishes_of(town)
    assert (wish.callback_id, wish.reference, wish.status) == (callback, "7", CaseStatus.OPEN)
    assert wish.is_called
    await town.ring_out(await town.phone(case), NOON + timedelta(minutes=5))
    assert await wishes_of(town) == []


async def test_a_call_before_the_wish_does_not_serve_it(town: Town) -> None:
    case = await town.case("7", NUMBER)
    await town.ring_out(await town.phone(case), NOON - timedelta(minutes=5))
    await asks_back(town, case_id=case)
    assert len(await wishes_of(town)) == 1


@pytest.mark.parametrize("outcome", ["failed", "cancelled", "abandoned"])
async def test_a_call_in_which_nobody_was_there_for_them_does_not_serve_it(
    town: Town, outcome: str
) -> None:
    case = await town.case("7", NUMBER)
    await asks_back(town, case_id=case)
    when = NOON + timedelta(minutes=5)
    attempt = await town.place(await town.phone(case), when)
    async with town.sessions.write() as session:
        await town.save(session, attempt, case, outcome, when)
    assert len(await wishes_of(town)) == 1


async def test_who_called_again_and_got_somebody_waits_no_more(town: Town) -> None:
    await asks_back(town)
    await calls_us(town, TALKED, NOON - timedelta(hours=1))  # that was before
    await calls_us(town, TALKED, NOON + timedelta(hours=1), number="0258999999")  # another
    assert len(await wishes_of(town)) == 1
    await calls_us(town, TALKED, NOON + timedelta(hours=2))
    assert await wishes_of(town) == []


BROKEN: list[Sequence[callers.Step]] = [
    CUT,
    # the operator's line broke in the talk, and they were not put through again
    [(State.JOINING, 1), (State.TALKING, 2), (State.WAITING, 30), (State.ENDED, 99)],
]


@pytest.mark.parametrize("steps", BROKEN)
async def test_whose_talk_broke_off_is_still_waited_for(
    town: Town, steps: Sequence[callers.Step]
) -> None:
    await asks_back(town)
    await calls_us(town, steps, NOON + timedelta(hours=1))
    assert len(await wishes_of(town)) == 1


async def test_who_asked_to_be_called_back_after_a_talk_that_broke_off_is_waited_for(
    town: Town,
) -> None:
    steps = [(State.TALKING, 2), (State.WAITING, 30), (State.ASKED_BACK, 40), (State.ENDED, 45)]
    callback = await calls_us(town, steps)
    async with town.sessions.write() as session:
        await callbacks.not_reached(session, callback, None, at=NOON, asked=True)
    assert [wish.callback_id for wish in await wishes_of(town)] == [callback]


async def test_places_in_line_are_kept_by_arrival_for_whom_the_rules_call(town: Town) -> None:
    later, earlier = await town.case("7", NUMBER), await town.case("8", "0258222222")
    over, served = await town.case("9", "0258333333"), await town.case("10", "0258444444")
    ids = {
        case: await asks_back(town, NOON + timedelta(minutes=minute), number, case)
        for case, minute, number in (
            (later, 2, NUMBER), (earlier, 1, "0258222222"),
            (over, 0, "0258333333"), (served, 0, "0258444444"),
        )
    }  # fmt: skip
    await asks_back(town, number="0258999999")  # nobody's
    async with town.sessions.write() as session:
        (await session.get_one(CaseRow, over)).status = CaseStatus.STOPPED.value
    await town.ring_out(await town.phone(served), NOON + timedelta(minutes=5))
    async with town.sessions.read() as session:
        kept = await callback_wishes.places(session)
    assert [(one.callback_id, one.place) for one in kept] == [
        (ids[case], await place_of(town, case)) for case in (earlier, later)
    ]
    assert kept[0].arrived_at == NOON + timedelta(minutes=1)


MONTHS = [(CampaignState.RUNNING, 1), (CampaignState.PAUSED, 1), (CampaignState.CLOSED, 0)]


@pytest.mark.parametrize(("state", "kept"), MONTHS)
async def test_a_place_in_line_is_kept_while_its_month_goes_on(
    town: Town, state: CampaignState, kept: int
) -> None:
    await asks_back(town, case_id=await town.case("7", NUMBER))
    if state is not CampaignState.RUNNING:
        async with town.sessions.write() as session:
            await campaigns.set_state(session, "2026-09", state, at=NOON, by="tests")
    async with town.sessions.read() as session:
        assert len(await callback_wishes.places(session)) == kept


async def place_of(town: Town, case: int) -> callbacks.Place:
    phone = await town.phone(case)
    return callbacks.Place(campaign_id=town.campaign_id, case_id=case, phone_id=phone.id)


async def test_nobodys_number_waits_for_a_supervisor(town: Town) -> None:
    callback = await asks_back(town)
    (wish,) = await wishes_of(town)
    assert (wish.reference, wish.is_called, wish.number) == (None, False, NUMBER)
    async with town.sessions.write() as session:
        await callback_wishes.done(session, callback, at=NOON, by="sup")
    assert await wishes_of(town) == []
    async with town.sessions.read() as session:
        note = await callbacks.note_of(session, callback)
    assert note is not None
    assert (note.kind, note.by) == (callback_wishes.DONE, "sup")


async def test_a_case_that_is_over_is_named_and_waits_for_a_supervisor(town: Town) -> None:
    case = await town.case("7", NUMBER)
    async with town.sessions.write() as session:
        (await session.get_one(CaseRow, case)).status = CaseStatus.STOPPED.value
    callback = await asks_back(town)  # nothing callable was found for the number
    (wish,) = await wishes_of(town)
    assert (wish.reference, wish.status, wish.is_called) == ("7", CaseStatus.STOPPED, False)
    async with town.sessions.write() as session:
        await callback_wishes.done(session, callback, at=NOON, by="sup")
    assert await wishes_of(town) == []


async def test_a_wish_the_rules_call_for_cannot_be_settled_by_hand(town: Town) -> None:
    case = await town.case("7", NUMBER)
    callback = await asks_back(town, case_id=case)
    with pytest.raises(ConflictError, match="7 is called"):
        async with town.sessions.write() as session:
            await callback_wishes.done(session, callback, at=NOON, by="sup")
    with pytest.raises(NotFoundError):
        async with town.sessions.write() as session:
            await callback_wishes.done(session, "1.1", at=NOON, by="sup")


async def test_a_month_that_is_not_called_calls_nobody_at_their_wish(town: Town) -> None:
    case = await town.case("7", NUMBER)
    await asks_back(town, case_id=case)
    async with town.sessions.write() as session:
        await campaigns.set_state(session, "2026-09", CampaignState.PAUSED, at=NOON, by="tests")
    (wish,) = await wishes_of(town)
    assert (wish.status, wish.is_called) == (CaseStatus.OPEN, False)


# messages -----------------------------------------------------------------------------------------


async def test_who_heard_a_message_first_stays_on_record(town: Town) -> None:
    await town.case("7", NUMBER)
    await town.case("8", "0258222222")
    callback = await callers.leaves_message(town)
    async with town.sessions.read() as session:
        (new,) = await callback_wishes.messages(session, only_new=True)
    assert (new.callback_id, new.seconds, new.file) == (callback, 12, f"{callback}.wav")
    assert (new.number, new.reference) == (NUMBER, "7")
    for when, who in ((NOON, "甲"), (NOON + timedelta(hours=1), "乙")):
        async with town.sessions.write() as session:
            await callback_wishes.heard(session, callback, at=when, by=who)
    async with town.sessions.read() as session:
        assert await callback_wishes.messages(session, only_new=True) == []
        (message,) = await callback_wishes.messages(session)
    assert (message.heard_at, message.heard_by) == (NOON, "甲")


async def test_a_callback_without_message_cannot_be_heard(town: Town) -> None:
    callback = await calls_us(town, TALKED)
    with pytest.raises(NotFoundError, match="no message"):
        async with town.sessions.write() as session:
            await callback_wishes.heard(session, callback, at=NOON, by="sup")

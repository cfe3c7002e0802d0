"""A person who answered and found no operator: not again before the gap, and then with one held for them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dialer.pacer import APPOINTMENT_AHEAD_S
from rules.call_events import Answered, Connected, CourtesyStarted, HungUp, Rang
from rules.operator_state import Event, Hold
from rules.pacing.snapshot import Limit, Mode, Pace, Snapshot
from tests.db.town import NOON, PROFILE, Town
from tests.dialer.test_pacer import Office

OWED = "0258000009"
"""The number of whoever found no operator."""
GAP = timedelta(minutes=PROFILE.abandon_gap_min)


async def abandon(town: Town, *, when=NOON, number: str = OWED) -> int:
    """A case whose person answered in vain."""
    case = await town.case(number[-4:], number)
    attempt = await town.place(await town.phone(case), when)
    async with town.sessions.write() as session:
        await town.save(session, attempt, case, "abandoned", when + timedelta(seconds=20))
    return case


async def others(town: Town, count: int) -> None:
    for number in range(count):
        await town.case(f"c{number}", f"02580010{number:02}")


def attempts(office: Office) -> dict[str, str]:
    """Attempt ids by the number called."""
    sent = [one for one in office.link.sent if one["Action"] == "Originate"]
    return {
        str(one["Channel"]).removeprefix("PJSIP/").removesuffix("@trunk"): str(one["ActionID"])
        for one in sent
    }


async def test_the_story_of_a_person_who_found_no_operator(town: Town) -> None:
    """From the courtesy message to the talk: what they hear, when they are called again, and who waits."""
    case = await town.case("9", OWED)
    office = Office(town, operators=1)
    assert await office.dial() == [OWED]
    first = attempts(office)[OWED]
    office.seats.move("201", Event.PAUSE)  # nobody is free when they answer
    await office.tell(Rang, Answered, CourtesyStarted, HungUp, attempt=first)
    assert office.ledger.outcomes() == ["abandoned"]
    async with town.sessions.write() as session:
        await town.save(session, first, case, "abandoned", office.clock.now())
    office.calls.settled(first)
    office.sit("201")
    office.seats.move("201", Event.READY)

    await others(town, 3)
    office.clock.move((GAP - timedelta(seconds=APPOINTMENT_AHEAD_S + 1)).total_seconds())
    assert len(await office.dial()) == 1  # far: the operator calls somebody else
    (line,) = [one for one in office.calls.lines() if one.call.attempt != first]
    await office.tell(HungUp, attempt=line.call.attempt)
    office.calls.settled(line.call.attempt)
    office.clock.move(2)
    assert await office.dial() == []  # near: the operator is kept
    office.clock.move(APPOINTMENT_AHEAD_S)
    assert await office.dial() == [OWED]
    again = attempts(office)[OWED]
    assert office.calls.line(again).call.placed_at >= NOON + GAP
    assert office.seats.held_for(again) == "201"
    await office.tell(Rang, Answered, Connected, attempt=again)
    assert office.seat("201") == ("talking", again)


def test_what_they_hear_meanwhile_names_the_city_and_a_number_to_call() -> None:
    assert "長岡市" in PROFILE.texts.courtesy
    assert "0258の00の1000" in PROFILE.texts.courtesy
    assert set(PROFILE.texts.must_name) == {"長岡市", "0258の00の1000"}


class Reserving:
    """Stands in for pacing: everything there is, and one operator for whom they are kept."""

    def __call__(self, snapshot: Snapshot) -> Pace:
        calls = len(snapshot.candidates)
        return Pace(
            calls=calls,
            limit=Limit.CANDIDATES,
            reserved=snapshot.appointments_soon,
            chosen=tuple(range(calls)),
            misses=(0.0,) * calls,
            mode=Mode.PREDICTIVE,
        )


@pytest.fixture
async def office(town: Town, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Three operators, five cases and one that is owed an operator; all are called at once."""
    await abandon(town)
    await others(town, 5)
    monkeypatch.setattr("dialer.pacer.calls_to_place", Reserving())
    return Office(town, NOON + GAP, operators=3, mode=Mode.PREDICTIVE)


async def test_of_several_who_answer_at_once_the_one_who_was_owed_an_operator_has_one(
    office: Office,
) -> None:
    called = await office.dial()
    assert (called[0], len(called)) == (OWED, 6)
    placed = attempts(office)
    held = office.seats.held_for(placed[OWED])
    for number in called[1:]:  # all others, and the one who is owed last
        await office.tell(Rang, Answered, attempt=placed[number])
    states = [office.state(placed[number]) for number in called[1:]]
    assert sorted(states) == ["joining"] * 2 + ["waiting"] * 3
    assert office.seat(held)[0] == "free"
    await office.tell(Rang, Answered, attempt=placed[OWED])
    assert office.seat(held) == ("ringing_for", placed[OWED])


async def test_who_was_held_takes_whoever_waits_once_the_call_comes_to_nothing(
    office: Office,
) -> None:
    called = await office.dial()
    placed = attempts(office)
    held = office.seats.held_for(placed[OWED])
    for number in called[1:4]:
        await office.tell(Rang, Answered, attempt=placed[number])
    waits = next(n for n in called[1:4] if office.state(placed[n]) == "waiting")
    await office.tell(Rang, HungUp, attempt=placed[OWED])
    assert office.seat(held) == ("ringing_for", placed[waits])


@pytest.mark.parametrize("event", [Event.PAUSE, Event.LEG_DOWN, Event.LEG_LOST])
async def test_when_who_was_held_goes_the_person_gets_anybody_who_is_free(
    office: Office, event: Event
) -> None:
    await office.dial()
    placed = attempts(office)
    held = office.seats.held_for(placed[OWED])
    office.seats.move(held, event)
    assert office.seats.held_for(placed[OWED]) is None
    await office.tell(Rang, Answered, attempt=placed[OWED])
    assert office.state(placed[OWED]) == "joining"
    assert office.calls.line(placed[OWED]).call.operator != held


async def test_nobody_who_is_owed_an_operator_is_called_while_none_can_be_held(
    office: Office,
) -> None:
    for operator in ("201", "202", "203"):
        office.seats.move(operator, Event.PAUSE)
    called = await office.dial()
    assert OWED not in called
    assert len(called) == 5  # the others are called past them
    office.seats.move("202", Event.READY)
    assert await office.dial() == [OWED]


async def test_many_who_are_owed_an_operator_do_not_keep_all_others_from_being_called(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        await abandon(town, number=f"02580020{number:02}")
    await others(town, 3)
    monkeypatch.setattr("dialer.pacer.calls_to_place", Reserving())
    office = Office(town, NOON + GAP, operators=1, mode=Mode.PREDICTIVE)
    office.seats.hold(Hold(attempt="another", case_id=1, phone_id=1))
    called = await office.dial()
    assert sorted(called) == [f"02580010{number:02}" for number in range(3)]


async def test_a_call_whose_operator_pauses_before_it_leaves_is_not_made(office: Office) -> None:
    real_write = office.town.sessions.write

    def pausing() -> object:
        for seat in office.seats.seats():
            if seat.hold is not None:
                office.seats.move(seat.operator, Event.PAUSE)
        return real_write()

    office.town.sessions.write = pausing
    called = await office.dial()
    assert (OWED in called, len(called)) == (False, 5)
    assert office.ledger.outcomes() == ["failed"]  # written down already


async def test_whoever_could_not_be_placed_lets_the_operator_go(office: Office) -> None:
    office.may_dial = False
    assert await office.dial() == []
    assert all(seat.hold is None for seat in office.seats.seats())


async def test_who_is_held_and_the_call_they_are_held_for_are_not_pacings_any_more(
    office: Office,
) -> None:
    await office.dial()
    snapshot = office.pacer._view.snapshot(office.months.running()[0], [], 0)
    assert (len(snapshot.operators), len(snapshot.calls), snapshot.lines_used) == (2, 5, 6)

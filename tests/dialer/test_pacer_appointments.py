"""An appointment finds an operator free, and nobody waits for one that cannot be called (rule 7)."""

from __future__ import annotations

from datetime import datetime, timedelta

from db import cases
from db.cases import FactKind
from dialer.pacer import APPOINTMENT_AHEAD_S
from rules.call_events import Answered, Connected, HungUp, Rang
from rules.pacing.snapshot import Limit
from tests.db.town import NOON, Town, at
from tests.dialer.test_pacer import Office

KEPT = "0258000009"
"""The number of whoever named a time."""
EARLIER = at("23 10:00")
LONG_BEFORE = NOON - timedelta(seconds=APPOINTMENT_AHEAD_S + 1)
SOON_BEFORE = NOON - timedelta(seconds=APPOINTMENT_AHEAD_S - 1)


async def month(town: Town, *, others: int, when: datetime = NOON) -> int:
    """Some cases that are due at any time, and one with an appointment, whose id is returned."""
    for number in range(others):
        await town.case(str(number), f"025800000{number}")
    case = await town.case("9", KEPT)
    await town.appoint(await town.phone(case), when, learned=EARLIER)
    return case


async def test_the_only_operator_is_kept_for_an_appointment_that_is_near(town: Town) -> None:
    await month(town, others=3)
    office = Office(town, SOON_BEFORE, operators=1)
    assert await office.dial() == []
    assert office.pacer.pace.limit is Limit.APPOINTMENTS
    office.clock.move(60)
    assert await office.dial() == [KEPT]
    # spoken for, by the appointment itself
    assert await office.dial() == []
    assert office.pacer.pace.limit is Limit.OPERATORS


async def test_an_appointment_that_is_far_keeps_nobody(town: Town) -> None:
    await month(town, others=3)
    assert len(await Office(town, LONG_BEFORE, operators=1).dial()) == 1


async def test_only_one_operator_of_several_is_kept_and_a_line_with_them(town: Town) -> None:
    await month(town, others=5)
    office = Office(town, SOON_BEFORE, operators=3, lines=3)
    called = await office.dial()
    assert (len(called), KEPT in called) == (2, False)
    office.clock.move(60)
    assert await office.dial() == [KEPT]


async def test_whoever_is_free_first_calls_an_appointment_that_became_due_meanwhile(
    town: Town,
) -> None:
    await month(town, others=3)
    office = Office(town, LONG_BEFORE, operators=1)
    await office.dial()
    (line,) = office.calls.lines()
    await office.tell(Rang, Answered, Connected, attempt=line.call.attempt)
    office.clock.move(5 * 60)
    assert await office.dial() == []  # the operator talks
    await office.tell(HungUp, attempt=line.call.attempt)
    office.calls.settled(line.call.attempt)
    office.sit("202")
    assert await office.dial() == [KEPT]


async def test_nobody_is_kept_for_an_appointment_that_cannot_be_called_yet(town: Town) -> None:
    """Its household was called a moment ago: the operator does not wait out the half hour."""
    await month(town, others=1)
    neighbour = await town.case("8", "0258000008", household="H9")
    await town.ring_out(await town.phone(neighbour), NOON - timedelta(minutes=5))
    office = Office(town, NOON, operators=1)
    await office.dial()  # asked and put off
    assert await office.dial() == ["0258000000"]


async def test_nobody_is_kept_while_the_appointments_household_is_on_the_line(town: Town) -> None:
    await month(town, others=1)
    neighbour = await town.case("8", "0258000008", household="H9")
    await town.place(await town.phone(neighbour), NOON - timedelta(minutes=1))
    assert await Office(town, NOON, operators=1).dial() == ["0258000000"]


async def test_an_appointment_that_was_busy_keeps_nobody_while_it_cools_down(town: Town) -> None:
    case = await month(town, others=1)
    attempt = await town.place(await town.phone(case), NOON)
    async with town.sessions.write() as session:
        await town.save(session, attempt, case, "busy", NOON)
    office = Office(town, NOON + timedelta(minutes=2), operators=1)
    assert await office.dial() == ["0258000000"]


async def test_a_stopped_or_escalated_case_keeps_nobody(town: Town) -> None:
    for kind in (FactKind.ESCALATE, FactKind.PAID):
        name = kind.value
        case = await town.case(name, f"02580001{len(name):02}")
        await town.appoint(await town.phone(case), NOON, learned=EARLIER)
        async with town.sessions.write() as session:
            await cases.add_fact(session, case, kind, at=EARLIER + timedelta(hours=1), by="tests")
            await town.refresh(session, case, now=EARLIER + timedelta(hours=1))
    await town.case("1", "0258000001")
    assert await Office(town, SOON_BEFORE, operators=1).dial() == ["0258000001"]


async def test_the_appointment_of_a_later_campaign_goes_before_the_rest_of_an_earlier_one(
    town: Town,
) -> None:
    for number in range(3):
        await town.case(str(number), f"025800000{number}")
    await month(await Town(town.sessions).open("2026-09b"), others=0)
    office = Office(town, NOON, operators=1)
    assert await office.dial() == [KEPT]


async def test_one_operator_keeps_every_appointment_of_an_hour_and_calls_on_between_them(
    town: Town,
) -> None:
    """Every call rings out: 36 s of ringing, in steps of five seconds a call every 45 s."""
    times = {f"02580010{minute}": NOON + timedelta(minutes=minute) for minute in (10, 13, 31, 45)}
    for number, when in times.items():
        case = await town.case(number[-4:], number)
        await town.appoint(await town.phone(case), when, learned=EARLIER)
    for number in range(90):
        await town.case(f"c{number}", f"02580020{number:02}")
    office = Office(town, NOON, operators=1)
    called: list[tuple[str, datetime]] = []
    while office.clock.now() < NOON + timedelta(hours=1):
        called += [(number, office.clock.now()) for number in await office.dial()]
        for line in office.calls.lines():
            attempt = line.call.attempt
            if line.call.rang_at is None:
                await office.tell(Rang, attempt=attempt)
            elif (office.clock.now() - line.call.rang_at).total_seconds() >= 36:
                await office.tell(HungUp, attempt=attempt)
                async with town.sessions.write() as session:
                    await town.save(session, attempt, line.case_id, "no_answer", office.clock.now())
                office.calls.settled(attempt)
        office.clock.move(5)
    kept = {number: moment for number, moment in called if number in times}
    late_s = [(kept[number] - when).total_seconds() for number, when in times.items()]
    assert all(0 <= late <= 5 for late in late_s), late_s
    # a minute's waiting and the call cut in two by it cost two calls at most
    assert len(called) >= 3600 // 45 - 2 * len(times)

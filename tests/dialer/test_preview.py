"""Preview: a case is offered, seen, and called only when its operator asks for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import structlog

from db import cases
from db.cases import FactKind
from db.errors import DatabaseError
from db.tables import Attempt
from dialer.errors import ConflictError
from dialer.preview import PUT_OFF_MIN
from rules.call_events import Answered, Connected, HungUp, Rang
from rules.operator_state import Event
from rules.pacing.snapshot import Limit, Mode
from tests.db.town import NOON, Town, at
from tests.dialer.fakes import turns
from tests.dialer.test_pacer import Office


async def an_office(town: Town, *, cases_due: int = 3, operators: int = 2, now=NOON) -> Office:
    """Every case with a household of its own; looked at once."""
    for number in range(cases_due):
        await town.case(str(number), f"025800000{number}")
    office = Office(town, now, operators=operators, mode=Mode.PREVIEW)
    assert await office.dial() == []
    return office


@pytest.fixture
async def office(town: Town) -> Office:
    return await an_office(town)


def offers(office: Office) -> dict[str, int]:
    """The case offered to each operator."""
    return {seat.operator: seat.hold.case_id for seat in office.seats.seats() if seat.hold}


def offered(office: Office, operator: str) -> str:
    """The attempt that would be made of the operator's offer."""
    return office.seats.seat(operator).hold.attempt


async def press(office: Office, operator: str = "201") -> str:
    """The operator asks for the call they are offered; the attempt."""
    attempt = offered(office, operator)
    await office.previews.dial(operator, attempt)
    await turns()
    return attempt


async def ended(office: Office, case: int, kind: FactKind) -> None:
    async with office.town.sessions.write() as session:
        await cases.add_fact(session, case, kind, at=NOON, by="tests")
        await office.town.refresh(session, case, now=NOON)


async def test_everybody_who_is_free_is_offered_a_case_and_nobody_is_called(office: Office) -> None:
    assert offers(office) == {"201": 1, "202": 2}
    assert await office.town.count(Attempt) == 0
    assert (office.pacer.pace.mode, office.pacer.pace.limit) == (Mode.PREVIEW, Limit.OPERATORS)
    before = [seat.hold for seat in office.seats.seats()]
    assert await office.dial() == []
    assert [seat.hold for seat in office.seats.seats()] == before  # they are not changed about


async def test_the_call_is_placed_when_its_operator_asks_for_it_and_comes_to_them(
    office: Office,
) -> None:
    attempt = await press(office, "202")
    (sent,) = office.link.sent
    assert sent["Channel"] == "PJSIP/0258000001@trunk"
    assert office.seats.held_for(attempt) == "202"
    assert await office.town.count(Attempt) == 1
    await office.dial()
    await office.tell(Rang, Answered, Connected, attempt=attempt)
    assert office.seat("202") == ("talking", attempt)
    assert offers(office) == {"201": 1}


async def test_after_a_call_that_nobody_answered_the_next_case_is_offered(office: Office) -> None:
    attempt = await press(office)
    await office.tell(Rang, HungUp, attempt=attempt)
    assert offers(office) == {"202": 2}
    await office.dial()
    assert offers(office) == {"201": 3, "202": 2}


async def test_two_operators_never_get_one_household(town: Town) -> None:
    await town.case("a", "0258000011", household="H")
    await town.case("b", "0258000012", household="H")
    await town.case("c", "0258000011")  # shares a number with the first
    office = await an_office(town, cases_due=1, operators=3)
    assert sorted(offers(office).values()) == [1, 4]
    await office.dial()
    assert sorted(offers(office).values()) == [1, 4]
    assert office.pacer.pace.limit is Limit.CANDIDATES


async def test_a_case_put_off_is_offered_to_nobody_for_a_while_and_then_again(town: Town) -> None:
    office = await an_office(town, cases_due=1, operators=1)
    with structlog.testing.capture_logs() as logs:
        await office.previews.skip("201", offered(office, "201"))
    assert [(one["event"], one["operator"]) for one in logs] == [("offer_put_off", "201")]
    assert office.metrics.registry.get_sample_value("yobirin_offers_put_off_total") == 1
    await office.dial()
    assert offers(office) == {}
    office.clock.move(timedelta(minutes=PUT_OFF_MIN).total_seconds() - 1)
    await office.dial()
    assert offers(office) == {}
    office.clock.move(1)
    await office.dial()
    assert offers(office) == {"201": 1}


async def test_an_appointment_cannot_be_put_off(town: Town) -> None:
    case = await town.case("9", "0258000009")
    await town.appoint(await town.phone(case), NOON, learned=at("23 10:00"))
    office = await an_office(town, operators=1)
    assert offers(office) == {"201": case}
    with pytest.raises(ConflictError, match="発信してください"):
        await office.previews.skip("201", offered(office, "201"))
    assert offers(office) == {"201": case}


async def test_an_appointment_takes_the_place_of_an_offer_that_nobody_asked_for_yet(
    town: Town,
) -> None:
    case = await town.case("9", "0258000009")
    await town.appoint(await town.phone(case), NOON + timedelta(minutes=5), learned=at("23 10:00"))
    office = await an_office(town)
    assert offers(office) == {"201": 2, "202": 3}
    stale = offered(office, "202")
    office.clock.move(5 * 60)
    await office.dial()
    assert offers(office) == {"201": 2, "202": case}
    with pytest.raises(ConflictError, match="終わりました"):
        await office.previews.dial("202", stale)  # the finger was on the button
    await office.dial()
    assert offers(office) == {"201": 2, "202": case}


WITHDRAWN = [FactKind.STOP, FactKind.PAID, FactKind.ESCALATE]


@pytest.mark.parametrize("kind", WITHDRAWN)
async def test_an_offer_is_withdrawn_when_its_case_may_not_be_called_any_more(
    office: Office, kind: FactKind
) -> None:
    await ended(office, 1, kind)
    await office.dial()
    assert offers(office) == {"201": 3, "202": 2}


@pytest.mark.parametrize("kind", WITHDRAWN)
async def test_the_rules_are_asked_once_more_as_the_call_is_asked_for(
    office: Office, kind: FactKind
) -> None:
    await ended(office, 1, kind)
    with pytest.raises(ConflictError, match="今は発信できません"):
        await press(office)
    assert (await office.town.count(Attempt), office.link.sent) == (0, [])
    assert offers(office) == {"202": 2}


async def test_offers_end_with_the_hours(town: Town) -> None:
    office = await an_office(town, now=at("24 19:58"))
    assert len(offers(office)) == 2
    office.clock.move(60)
    with pytest.raises(ConflictError):
        await press(office)
    await office.dial()
    assert offers(office) == {}


async def test_nothing_is_offered_or_called_while_dialling_is_forbidden(office: Office) -> None:
    office.may_dial = False
    with pytest.raises(ConflictError):
        await press(office)
    await office.dial()
    assert (offers(office), office.pacer.pace.limit) == ({}, Limit.STOPPED)
    assert await office.town.count(Attempt) == 0


async def test_an_offer_falls_to_somebody_else_when_its_operator_pauses(office: Office) -> None:
    stale = offered(office, "201")
    office.seats.move("201", Event.PAUSE)
    with pytest.raises(ConflictError):
        await office.previews.dial("201", stale)
    await press(office, "202")
    await office.tell(Rang, HungUp, attempt=office.calls.lines()[0].call.attempt)
    await office.dial()
    assert offers(office) == {"202": 1}


async def test_nobody_dials_what_is_offered_to_another_or_twice(office: Office) -> None:
    attempt = offered(office, "201")
    with pytest.raises(ConflictError):
        await office.previews.dial("202", attempt)
    results = await asyncio.gather(
        *(office.previews.dial("201", attempt) for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(one, ConflictError) for one in results) == 2
    await turns()
    assert len(office.link.sent) == 1
    with pytest.raises(ConflictError):
        await office.previews.skip("201", attempt)


async def test_a_look_at_the_moment_of_the_button_offers_the_case_to_nobody_else(
    office: Office,
) -> None:
    office.seats.seat_all([("201", True), ("202", True), ("203", True)])
    office.seats.move("203", Event.LEG_UP)
    attempt = offered(office, "201")
    await asyncio.gather(office.previews.dial("201", attempt), office.pacer._dial())
    assert offers(office) == {"201": 1, "202": 2, "203": 3}
    await asyncio.gather(office.previews.skip("202", offered(office, "202")), office.pacer._dial())
    assert list(offers(office).values()).count(2) == 0


async def test_whoever_is_on_the_line_goes_before_what_is_only_offered(office: Office) -> None:
    office.place("before", case=99)  # of before the mode was changed
    await office.tell(Rang, Answered, attempt="before")
    assert office.seat("201") == ("ringing_for", "before")
    assert offers(office) == {"202": 2}


async def test_who_has_a_call_ringing_is_not_given_to_somebody_else(office: Office) -> None:
    await press(office, "201")
    await press(office, "202")
    office.place("before", case=99)
    await office.tell(Rang, Answered, attempt="before")
    assert office.state("before") == "waiting"


async def test_offers_end_when_the_campaign_is_called_in_another_way(office: Office) -> None:
    office.mode = Mode.PROGRESSIVE
    called = await office.dial()
    assert (offers(office), len(called)) == ({}, 2)


async def test_a_database_that_is_away_calls_nobody_and_the_operator_may_try_again(
    office: Office,
) -> None:
    real_write = office.town.sessions.write

    def away() -> object:
        raise DatabaseError("away")

    office.town.sessions.write = away
    with pytest.raises(DatabaseError):
        await office.previews.skip("202", offered(office, "202"))
    assert offers(office)["202"] == 2
    with pytest.raises(DatabaseError):
        await press(office)
    office.town.sessions.write = real_write
    await office.dial()
    await press(office)
    assert len(office.link.sent) == 1


async def test_a_call_to_a_household_that_was_called_meanwhile_is_refused(office: Office) -> None:
    """By the other campaign of the same month, for one."""
    town = office.town
    neighbour = await town.case("n", "0258000077", household="H0")
    await town.ring_out(await town.phone(neighbour), NOON - timedelta(seconds=1))
    with pytest.raises(ConflictError):
        await press(office)
    assert offers(office) == {"202": 2}

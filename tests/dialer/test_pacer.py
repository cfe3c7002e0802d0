"""Who is called: the pacer on real databases, with a link that looks into them as it is used."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from db import callbacks, campaigns, cases, stops
from db.campaigns import CampaignState
from db.cases import FactKind
from db.errors import DatabaseError
from db.ledger import in_flight
from db.tables import Attempt, CallInFlight
from dialer.ami.link import Value
from dialer.caller_ids import CallerIds
from dialer.chances import Chances
from dialer.choosing import Choosing
from dialer.day_so_far import DaySoFar
from dialer.estimating import Estimating
from dialer.ledger import LedgerWriter
from dialer.months import Months
from dialer.pacer import REFUSED_S, Pacer
from dialer.pacing_view import PacingView
from dialer.placing import Placing
from dialer.preview import Previews
from dialer.settings import Trunk
from rules.call_events import Answered, HungUp, Rang
from rules.pacing.snapshot import Limit, Mode
from tests.db.callers import GUIDANCE, calls_us
from tests.db.town import KEYS, NOON, Town, at
from tests.dialer.fakes import turns
from tests.dialer.test_calls import Floor

POOL = ["0258000101", "0258000102"]


class Office(Floor):
    """A pacer with three free operators and ten lines."""

    def __init__(
        self,
        town: Town,
        now=NOON,
        *,
        operators: int = 3,
        lines: int = 10,
        mode: Mode = Mode.PROGRESSIVE,
        ledger: LedgerWriter | None = None,
    ) -> None:
        super().__init__(now, ledger)
        self.town = town
        self.mode = mode
        self.may_dial = True
        self.callbacks_waiting = 0
        self.unknown = 0
        self.months = Months()
        self.caller_ids = CallerIds(POOL)
        self.chances = Chances()
        self.day = DaySoFar(self.clock, town.sessions)
        self.estimating = Estimating(
            self.clock, town.sessions, self.seats, self.months, self.metrics
        )
        self.calls.watchers = [self.day, self.estimating]
        self.view = PacingView(
            self.clock,
            self.link,
            self.seats,
            self.calls,
            self.day,
            self.estimating,
            lines,
            may_dial=lambda: self.may_dial,
            callbacks_waiting=lambda: self.callbacks_waiting,
            callbacks_per_s=lambda: 0.0,
        )
        view = PacingView(
            self.clock,
            self.link,
            self.seats,
            self.calls,
            self.day,
            self.estimating,
            lines,
            may_dial=lambda: self.may_dial,
            callbacks_waiting=lambda: self.callbacks_waiting,
            callbacks_per_s=lambda: 0.0,
        )
        self.choosing = Choosing(town.sessions, self.chances)
        self.placing = placing = Placing(
            Trunk(host="192.0.2.1", lines=lines),
            self.clock,
            town.sessions,
            self.link,
            self.caller_ids,
            self.seats,
            self.calls,
            self.metrics,
            may_dial=lambda: self.may_dial,
            unknown=self._lost,
        )
        self.previews = Previews(
            self.clock,
            town.sessions,
            self.months,
            self.seats,
            self.calls,
            self.choosing,
            placing,
            self.estimating,
            self.metrics,
            may_dial=lambda: self.may_dial,
        )
        self.pacer = Pacer(
            self.clock,
            town.sessions,
            self.months,
            self.seats,
            self.metrics,
            view,
            self.choosing,
            placing,
            self.previews,
        )
        self.sit(*(str(201 + number) for number in range(operators)))

    def _lost(self) -> None:
        self.unknown += 1

    async def dial(self) -> list[str]:
        """Dial once; the numbers called, in order."""
        before = len(self.link.sent)
        async with self.town.sessions.read() as session:
            await self.months.reload(session, self.clock.now())
            await self.caller_ids.reload(session)
        self.months._months = {
            one.id: replace(one, profile=one.profile.model_copy(update={"pacing_mode": self.mode}))
            for one in self.months.all()
        }
        await self.pacer._dial()
        await turns()
        channels = [str(one["Channel"]) for one in self.link.sent[before:]]
        return [name.removeprefix("PJSIP/").removesuffix("@trunk") for name in channels]


async def test_one_call_is_placed_for_every_free_operator(town: Town) -> None:
    for number in range(5):
        await town.case(str(number), f"025800000{number}")
    office = Office(town)
    assert len(await office.dial()) == 3
    assert office.pacer.pace.limit is Limit.OPERATORS
    assert await office.dial() == []  # each is spoken for
    await office.tell(Rang, attempt=office.calls.lines()[0].call.attempt)
    assert await office.dial() == []
    await office.tell(HungUp, attempt=office.calls.lines()[0].call.attempt)
    assert len(await office.dial()) == 1
    await office.tell(Answered, attempt=office.calls.lines()[1].call.attempt)
    assert await office.dial() == []  # they have somebody now


async def test_for_every_caller_who_waits_there_is_a_call_less(town: Town) -> None:
    for number in range(5):
        await town.case(str(number), f"025800000{number}")
    office = Office(town)
    office.callbacks_waiting = 2
    assert len(await office.dial()) == 1
    office.callbacks_waiting = 0
    assert len(await office.dial()) == 2


async def test_no_more_calls_than_the_carrier_allows(town: Town) -> None:
    for number in range(5):
        await town.case(str(number), f"025800000{number}")
    office = Office(town, lines=2)
    assert len(await office.dial()) == 2
    assert await office.dial() == []
    assert office.pacer.pace.limit is Limit.LINES


async def test_nothing_is_placed_while_it_is_forbidden(town: Town) -> None:
    await town.case("1", "0258000001")
    office = Office(town)
    office.may_dial = False
    assert await office.dial() == []
    assert await town.count(Attempt) == 0
    assert office.pacer.pace.limit is Limit.STOPPED


async def test_the_attempt_is_committed_before_its_originate_leaves(town: Town) -> None:
    """Another connection sees row, change and place in flight at the moment Originate is sent."""
    case = await town.case("1", "0258000001")
    office = Office(town)
    seen: list[tuple[object, ...]] = []

    async def look(action: Mapping[str, Value]) -> None:
        async with town.sessions.read() as session:
            seen.extend(
                (row.attempt_id, row.case_id, row.placed_at, [c.state.value for c in row.changes])
                for row in await in_flight(session)
            )
            seen.append((action["ActionID"], action["ChannelId"]))

    office.link.before = look
    await office.dial()
    async with asyncio.timeout(30):
        while not office.link.sent:
            await asyncio.sleep(0.01)
    attempt = office.calls.lines()[0].call.attempt
    placed_at = office.calls.lines()[0].call.placed_at
    assert seen == [(attempt, case, placed_at, ["placed"]), (attempt, attempt)]


async def test_the_number_in_use_is_presented_and_kept_with_the_attempt(town: Town) -> None:
    await town.case("1", "0258000001")
    office = Office(town)
    await office.dial()
    assert office.link.sent[0]["CallerID"] == POOL[0]
    async with town.sessions.read() as session:
        assert await session.scalar(select(Attempt.caller_id)) == POOL[0]


async def test_two_phones_of_a_case_a_household_or_a_number_are_not_called_at_once(
    town: Town,
) -> None:
    await town.case("1", "0258000001", "0258000002")
    await town.case("2", "0258000003", household="H1")  # of the first one's household
    await town.case("3", "0258000001")  # the first one's number
    await town.case("4", "0258000004")
    await town.case("5", "0258000005", "0258000002")  # shares a number that is not being called
    office = Office(town)
    assert sorted(await office.dial()) == ["0258000001", "0258000004"]
    assert await office.dial() == []


async def test_a_household_just_called_is_put_off_for_its_gap(town: Town) -> None:
    first = await town.case("1", "0258000001")
    other = await town.case("2", "0258000002", household="H1")
    await town.ring_out(await town.phone(first))
    office = Office(town, NOON + timedelta(minutes=10))
    assert await office.dial() == []
    assert (await town.phone(other)).due_at == NOON + timedelta(minutes=30)
    office.clock.move(20 * 60)
    assert await office.dial() == ["0258000002"]


async def test_a_case_that_shares_a_number_is_put_off_on_all_its_numbers(town: Town) -> None:
    first = await town.case("1", "0258000001", "0258000002")
    other = await town.case("2", "0258000003", "0258000002")  # of another household
    await town.ring_out(await town.phone(first))
    assert await Office(town, NOON + timedelta(minutes=10)).dial() == []
    assert {(await town.phone(other, position)).due_at for position in (1, 2)} == {
        NOON + timedelta(minutes=30)
    }


FORBIDDEN = [
    # a moment at which nobody is called
    at("24 08:59"),
    at("24 20:00"),
    at("24 19:59"),  # it could ring past closing time
    at("26 17:00"),  # Saturday
    at("20 12:00"),  # before the period
]


@pytest.mark.parametrize("moment", FORBIDDEN)
async def test_nobody_is_called_outside_the_hours_even_if_their_row_says_so(
    town: Town, moment: object
) -> None:
    await town.case("1", "0258000001", now=at("20 09:00"))
    async with town.sessions.write() as session:
        phone = (await cases.phones_of(session, 1))[0]
        phone.due_at = at("20 09:00")
    office = Office(town, moment)
    assert await office.dial() == []
    assert await town.count(Attempt) == 0


async def test_a_stopped_case_a_paused_campaign_and_an_emergency_stop_call_nobody(
    town: Town,
) -> None:
    stopped = await town.case("1", "0258000001")
    async with town.sessions.write() as session:
        await cases.add_fact(session, stopped, FactKind.STOP, at=NOON, by="tests")
        await town.refresh(session, stopped, now=NOON)
    office = Office(town)
    assert await office.dial() == []

    await town.case("2", "0258000002")
    async with town.sessions.write() as session:
        await campaigns.set_state(session, "2026-09", CampaignState.PAUSED, at=NOON, by="tests")
    assert await office.dial() == []
    async with town.sessions.write() as session:
        await campaigns.set_state(session, "2026-09", CampaignState.RUNNING, at=NOON, by="tests")
        await stops.set_emergency(session, at=NOON, by="tests")
    assert await office.dial() == []
    assert await town.count(Attempt) == 0


async def test_a_stop_that_comes_between_the_choice_and_the_call_is_heeded(town: Town) -> None:
    """The row is looked at again in the very transaction that places the call."""
    case = await town.case("1", "0258000001")
    office = Office(town)
    allowed = office.choosing.look

    async def stop_meanwhile(*arguments: object) -> object:
        chosen = await allowed(*arguments)
        async with asyncio.timeout(30):
            await stopping
        return chosen

    async def stop() -> None:
        async with town.sessions.write() as session:
            await cases.add_fact(session, case, FactKind.STOP, at=NOON, by="tests")
            await town.refresh(session, case, now=NOON)

    stopping = asyncio.ensure_future(stop())
    office.choosing.look = stop_meanwhile
    assert await office.dial() == []
    assert await town.count(Attempt) == 0


async def test_an_originate_that_asterisk_refuses_is_failed_at_once(town: Town) -> None:
    await town.case("1", "0258000001")
    office = Office(town)
    office.link.refuses.add("Originate")
    await office.dial()
    assert office.ledger.outcomes() == ["failed"]
    assert office.unknown == 0


async def test_an_originate_without_an_answer_is_looked_for_and_never_repeated(town: Town) -> None:
    await town.case("1", "0258000001")
    office = Office(town)
    office.link.swallows.add("Originate")
    await office.dial()
    assert (office.unknown, office.ledger.outcomes()) == (1, [])
    assert await office.dial() == []
    assert office.link.names() == ["Originate"]


async def test_a_decision_grown_old_while_the_database_was_slow_is_not_carried_out(
    town: Town,
) -> None:
    """What was inside the hours when it was decided may be outside them when it would ring."""
    for number in range(3):
        await town.case(str(number), f"025800000{number}")
    office = Office(town)
    real_write = town.sessions.write

    def slow_write() -> object:
        office.clock.move(60)
        return real_write()

    town.sessions.write = slow_write
    assert await office.dial() == []
    assert office.ledger.outcomes() == ["failed"] * 3  # written down already
    assert await town.count(CallInFlight) == 3


async def test_a_calls_limits_count_from_the_moment_the_rules_were_asked_about(town: Town) -> None:
    """Placed at the last moment that is allowed, it is over when the hours are."""
    await town.case("1", "0258000001")
    office = Office(town)
    asked_at = office.clock.now()
    real_write = town.sessions.write

    def slow_write() -> object:
        office.clock.move(3)
        return real_write()

    town.sessions.write = slow_write
    assert await office.dial() == ["0258000001"]
    (line,) = office.calls.lines()
    assert line.call.placed_at == asked_at
    assert office.calls.moment(line.call.attempt) == office.clock.now()


async def test_who_called_us_and_reached_nobody_is_placed_before_all_others(town: Town) -> None:
    numbers = [f"025800000{number}" for number in range(5)]
    ids = [await town.case(number, number) for number in numbers]
    night = at("23 21:00")
    callback = await calls_us(town, GUIDANCE, night, numbers[3])
    async with town.sessions.write() as session:
        place = await callbacks.place_of(session, KEYS.number(numbers[3]))
        await callbacks.not_reached(session, callback, place, at=night, asked=False)
        await town.refresh(session, ids[3], now=night)
        await callbacks.finish(session, [callback])
    office = Office(town, at("24 09:00"))
    # as they leave, and as they are on record
    assert await office.dial() == [numbers[3], numbers[0], numbers[1]]
    assert [line.case_id for line in office.calls.lines()] == [ids[3], ids[0], ids[1]]


async def test_campaigns_are_called_the_oldest_first(town: Town) -> None:
    second = await Town(town.sessions).open("2026-09b")
    await second.case("1", "0258000021", household="H21")
    await town.case("2", "0258000001")
    office = Office(town, operators=1)
    assert await office.dial() == ["0258000001"]
    office.sit("201", "202")
    assert await office.dial() == ["0258000021"]


async def test_the_loop_dials_on_a_wink_and_outlives_a_database_that_is_away(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.pacer.TICK_S", 0.02)
    office = Office(town)
    async with town.sessions.read() as session:
        await office.months.reload(session, NOON)
    real_read = town.sessions.read
    tries = 0

    def away() -> object:
        nonlocal tries
        tries += 1
        raise DatabaseError("away")

    town.sessions.read = away
    loop = asyncio.create_task(office.pacer.run())
    async with asyncio.timeout(30):
        while tries < 2:
            await asyncio.sleep(0.01)
        town.sessions.read = real_read
        await town.case("1", "0258000001")
        office.pacer.wake()
        while not office.link.sent:
            await asyncio.sleep(0.01)
    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop
    assert office.link.names() == ["Originate"]


async def test_a_call_the_ledger_does_not_take_is_not_asked_for_without_a_pause(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was held for it becomes free, which wakes the pacer."""
    office = Office(town)
    async with town.sessions.read() as session:
        await office.months.reload(session, NOON)
    tried_s: list[float] = []

    async def place(*_: object) -> bool:
        tried_s.append(time.monotonic())
        office.pacer.wake()
        return False

    monkeypatch.setattr(office.placing, "place", place)
    await town.case("1", "0258000001")
    loop = asyncio.create_task(office.pacer.run())
    async with asyncio.timeout(30):
        while len(tried_s) < 3:
            await asyncio.sleep(0.01)
    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop
    assert all(late - early > 0.9 * REFUSED_S for early, late in pairwise(tried_s))


def test_the_days_of_these_tests_are_what_they_say() -> None:
    assert NOON.date() == date(2026, 9, 24)
    assert [NOON.weekday(), at("26 17:00").weekday()] == [3, 5]

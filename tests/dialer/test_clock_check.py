"""Whether the machine's clock is trusted: against the database's, the steady clock and the calls on
record, on both databases."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from db.session import Sessions
from dialer import doctor
from dialer.bootstrap import build
from dialer.clock import JumpClock
from dialer.clock_check import ClockCheck
from dialer.errors import DatabaseError
from dialer.problems import Problem
from dialer.settings import Secrets, Settings
from rules.calendar import JST
from tests.db.town import Town
from tests.plans import without_plan

BOUND_S = 30.0
FAR = BOUND_S + 5
NEAR = BOUND_S - 5


class SetClock:
    """The machine's clock, set forth or back; and one whose steady time stood still for a while."""

    is_real = True

    def __init__(self) -> None:
        self.error_s = 0.0
        self.slept_s = 0.0

    def now(self) -> datetime:
        return datetime.now(JST) + timedelta(seconds=self.error_s)

    def monotonic(self) -> float:
        return time.monotonic() - self.slept_s


class Watch:
    """A check of a clock that can be set."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.clock = SetClock()
        self.check = ClockCheck(self.clock, sessions, BOUND_S)
        self.compared = sessions.engine.dialect.name == "postgresql"
        """Whether the database has a clock of its own."""

    async def wrong(self) -> str | None:
        await self.check.look()
        return self.check.wrong()


@pytest.fixture
def watch(sessions: Sessions) -> Watch:
    return Watch(sessions)


async def test_a_right_clock_is_trusted_and_one_not_looked_at_is_not(watch: Watch) -> None:
    assert "not compared" in watch.check.wrong()
    assert await watch.wrong() is None


@pytest.mark.parametrize("error_s", [FAR, -FAR, 3600, -86400 * 400])
async def test_a_clock_that_differs_from_the_databases_is_not_trusted_until_it_is_right(
    watch: Watch, error_s: float
) -> None:
    watch.clock.error_s = error_s
    wrong = await watch.wrong()
    if watch.compared:
        assert wrong == f"clock: differs from the database's by {abs(error_s):.0f} s"
    else:
        assert wrong is None  # SQLite knows of no other clock
    watch.clock.error_s = 0
    assert (await watch.wrong() is None) == watch.compared  # to SQLite it jumped


@pytest.mark.parametrize("error_s", [NEAR, -NEAR])
async def test_a_small_difference_is_nothing_to_speak_of(watch: Watch, error_s: float) -> None:
    watch.clock.error_s = error_s
    assert await watch.wrong() is None


@pytest.mark.parametrize("jump_s", [FAR, -FAR, 7200, -7200])
async def test_a_jump_is_seen_without_asking_the_database_and_ends_when_it_is_undone(
    watch: Watch, jump_s: float
) -> None:
    await watch.check.look()
    watch.clock.error_s = jump_s
    assert watch.check.wrong() is not None
    assert await watch.wrong() is not None  # nor does the next look take it for right
    watch.clock.error_s = 0
    assert watch.check.wrong() is None
    assert await watch.wrong() is None


async def test_what_is_wrong_is_told_in_seconds(watch: Watch) -> None:
    await watch.check.look()
    watch.clock.error_s = -3600
    told = "differs from the database's by 3600 s" if watch.compared else "jumped by -3600 s"
    assert told in watch.check.wrong()


async def test_after_the_machine_slept_the_databases_clock_decides(watch: Watch) -> None:
    """The steady clock stands still meanwhile; the time of day is right at once."""
    await watch.check.look()
    watch.clock.slept_s = 3600
    assert watch.check.wrong() is not None
    assert (await watch.wrong() is None) == watch.compared


async def test_without_a_second_clock_a_new_start_believes_the_machines(watch: Watch) -> None:
    await watch.check.look()
    watch.clock.error_s = FAR
    again = ClockCheck(watch.clock, watch.sessions, BOUND_S)
    await again.look()
    assert (again.wrong() is None) != watch.compared


async def test_small_steps_add_up_against_the_databases_clock_only(watch: Watch) -> None:
    await watch.check.look()
    for step in (1, 2, 3):
        watch.clock.error_s = step * 20
        wrong = await watch.wrong()
        assert (wrong is not None) == (watch.compared and step > 1)


@pytest.mark.parametrize(("future_s", "trusted"), [(NEAR, True), (FAR, False), (86400, False)])
async def test_a_call_on_record_that_lies_in_the_future_means_the_clock_was_set_back(
    town: Town, future_s: float, trusted: bool
) -> None:
    other = await Town(town.sessions).open("2026-09b")  # the newest of all campaigns counts
    old = await town.phone(await town.case("1", "0258000001"))
    newest = await other.phone(await other.case("2", "0258000002", household="H2"))
    now = datetime.now(JST)
    await town.place(old, now - timedelta(days=1))
    await other.place(newest, now + timedelta(seconds=future_s))
    wrong = await Watch(town.sessions).wrong()
    assert wrong is None if trusted else "s behind the newest call on record" in wrong


async def test_asking_whether_it_is_wrong_costs_no_query(watch: Watch) -> None:
    await watch.check.look()

    def never() -> object:
        raise AssertionError("the database was asked")

    watch.sessions.read = never
    assert watch.check.wrong() is None


async def test_while_the_database_is_away_what_was_known_goes_on_to_hold(watch: Watch) -> None:
    await watch.check.look()
    real_read = watch.sessions.read

    def away() -> object:
        raise DatabaseError("away")

    watch.sessions.read = away
    with pytest.raises(DatabaseError):
        await watch.check.look()
    assert watch.check.wrong() is None
    watch.clock.error_s = FAR
    assert watch.check.wrong() is not None
    watch.clock.error_s = 0
    watch.sessions.read = real_read
    assert await watch.wrong() is None


async def test_an_answer_that_took_longer_than_the_bound_tells_nothing(watch: Watch) -> None:
    real_read = watch.sessions.read

    @asynccontextmanager
    async def slow_read() -> AsyncIterator[object]:
        async with real_read() as session:
            yield session
        watch.clock.error_s += FAR  # both clocks went on
        watch.clock.slept_s -= FAR

    watch.sessions.read = slow_read
    assert (await watch.wrong() is None) != watch.compared


async def test_a_pretended_clock_is_compared_with_nothing(sessions: Sessions) -> None:
    def never() -> object:
        raise AssertionError("the database was asked")

    sessions.read = never
    check = ClockCheck(JumpClock(datetime(2026, 9, 24, 10, tzinfo=JST)), sessions, BOUND_S)
    await check.look()
    assert check.wrong() is None


SECRETS = Secrets(ami="", lookup_key="00" * 32, sip={})


def settings_of(url: str) -> Settings:
    return Settings.model_validate(
        {
            "trunk": {"host": "192.0.2.1"},
            "caller_id": {"pool": ["0258000101", "0258000102"]},
            "service": {"database": url, "clock_bound_s": BOUND_S},
        }
    )


async def test_the_service_names_it_among_its_problems_and_on_its_health(
    database_url: str,
) -> None:
    clock = SetClock()
    service = build(settings_of(database_url), SECRETS, clock, without_plan)
    await service.clock_check.look()
    assert Problem.CLOCK_WRONG not in service.problems()
    clock.error_s = 3600
    assert Problem.CLOCK_WRONG in service.problems()
    (told,) = (text for text in service.desk.health().problems if text.startswith("clock: "))
    # to the second, and as much more as comparing took
    assert int(re.search(r"(\d+) s", told)[1]) == pytest.approx(3600, abs=BOUND_S)
    assert not service.may_dial()
    clock.error_s = 0
    assert Problem.CLOCK_WRONG not in service.problems()
    await service.sessions.close()


async def test_the_doctor_tells_both_differences(database_url: str, town: Town) -> None:
    clock = SetClock()
    phone = await town.phone(await town.case("1", "0258000001"))
    await town.place(phone, datetime.now(JST) - timedelta(hours=1))
    settings = settings_of(database_url)

    async def found() -> dict[str, bool]:
        return {one.name: one.ok for one in await doctor._clocks(settings, clock)}

    assert await found() == {"clock": True, "newest call on record": True}
    clock.error_s = -7200
    compared = town.sessions.engine.dialect.name == "postgresql"
    assert await found() == {"clock": not compared, "newest call on record": False}

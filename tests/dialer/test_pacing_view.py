"""What pacing is told of a moment."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dialer.calls import Expectation
from rules.call_events import Answered, Connected, HungUp, Rang
from rules.operator_state import Event, Hold
from rules.pacing.estimates import Estimates
from rules.pacing.snapshot import Activity, CallNow, Mode, Terms, Today
from tests.db.town import Town
from tests.dialer.test_pacer import Office

EXPECTED = Expectation(own_chance=0.4, chance=0.5, miss=0.0, free=1.0)


@pytest.fixture
async def office(town: Town) -> Office:
    """Three free operators; the campaign is read."""
    made = Office(town, mode=Mode.PREDICTIVE)
    await made.dial()
    return made


def seen(office: Office, soon: int = 0, candidates: tuple[float | None, ...] = ()) -> object:
    return office.view.snapshot(office.months.running()[0], candidates, soon)


async def test_an_empty_floor(office: Office) -> None:
    snapshot = seen(office, soon=2, candidates=(0.3, None))
    assert snapshot.now_s == office.clock.monotonic()
    assert (snapshot.may_dial, snapshot.ami_healthy) == (True, True)
    assert [one.activity for one in snapshot.operators] == [Activity.FREE] * 3
    assert (snapshot.calls, snapshot.lines, snapshot.lines_used) == ([], 10, 0)
    assert (snapshot.waiting, snapshot.appointments_soon) == (0, 2)
    assert snapshot.candidates == (0.3, None)
    assert snapshot.today == Today(
        connected=0, abandoned=0, left_s=pytest.approx(8 * 3600 - 66, abs=1)
    )
    assert snapshot.terms == Terms(
        mode=Mode.PREDICTIVE, cap=0.01, patience_s=2.0, calls_per_operator=3.0
    )
    assert isinstance(snapshot.estimates, Estimates)


async def test_calls_are_in_flight_until_they_are_answered_with_the_chance_they_were_placed_with(
    office: Office,
) -> None:
    for attempt in "abc":
        office.place(attempt)
        office.clock.move(1)
    office.calls.line("a").expected = EXPECTED
    await office.tell(Rang, attempt="a")
    begun = office.clock.monotonic()
    assert seen(office).calls == [
        CallNow(placed_s=pytest.approx(begun - 3), chance=0.4),
        CallNow(placed_s=pytest.approx(begun - 2), chance=None),
        CallNow(placed_s=pytest.approx(begun - 1), chance=None),
    ]
    await office.tell(Rang, Answered, attempt="b")
    snapshot = seen(office)
    assert (len(snapshot.calls), snapshot.lines_used, snapshot.waiting) == (2, 3, 0)
    assert [one.activity for one in snapshot.operators] == [Activity.JOINING] + [Activity.FREE] * 2
    office.clock.move(4)
    await office.tell(Connected, attempt="b")
    office.clock.move(60)
    assert seen(office).operators[0].activity is Activity.TALKING
    assert seen(office).operators[0].since_s == office.clock.monotonic() - 60
    await office.tell(HungUp, attempt="b")
    office.clock.move(10)
    snapshot = seen(office)
    assert snapshot.operators[0].activity is Activity.AFTER_CALL_WORK
    assert snapshot.operators[0].since_s == office.clock.monotonic() - 10
    assert snapshot.lines_used == 2
    assert snapshot.today.connected == 1


async def test_whoever_answered_and_has_no_operator_waits(office: Office) -> None:
    for operator in ("201", "202", "203"):
        office.seats.move(operator, Event.PAUSE)
    office.place("a")
    await office.tell(Rang, Answered)
    snapshot = seen(office)
    assert (snapshot.waiting, snapshot.operators, snapshot.calls) == (1, [], [])


async def test_a_call_with_an_operator_held_for_it_counts_as_little_as_that_operator(
    office: Office,
) -> None:
    office.seats.hold(Hold(attempt="a", case_id=1, phone_id=1))
    office.place("a")
    office.place("b", case=2)
    snapshot = seen(office)
    assert (len(snapshot.calls), len(snapshot.operators), snapshot.lines_used) == (1, 2, 2)


async def test_a_clock_that_is_set_moves_no_time_of_pacing(office: Office) -> None:
    office.place("a")
    before = seen(office)
    office.clock.error_s = 3600.0
    after = seen(office)
    assert (after.now_s, after.calls, after.operators) == (
        before.now_s,
        before.calls,
        before.operators,
    )


async def test_what_forbids_calls_and_a_late_asterisk_are_told(office: Office) -> None:
    office.may_dial, office.link.prompt = False, False
    assert (seen(office).may_dial, seen(office).ami_healthy) == (False, False)


async def test_lines_left_are_never_below_none(town: Town) -> None:
    office = Office(town, lines=1)
    assert office.view.lines_left() == 1
    office.place("a")
    office.place("b", case=2)
    assert office.view.lines_left() == 0


COMPILED = """
from dialer.pacing_view import rehearse
from rules.pacing import balance, normal
from rules.pacing.estimates import Estimates

rehearse(Estimates())
# the others are asked by these only, and compiled into them
assert all(one.signatures for one in (balance.choose, normal.talks_over, normal.talks_by_age))
"""


def test_all_that_pacing_compiles_is_compiled_before_the_first_call() -> None:
    # in a process of its own: here other tests have compiled it
    subprocess.run([sys.executable, "-c", COMPILED], check=True, timeout=600)

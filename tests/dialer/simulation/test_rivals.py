"""The arithmetic of the other ways of pacing, on hand-made moments."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from dialer.simulation.day import Way
from dialer.simulation.rivals import Adaptive, Cap, boost, progressive, ratio
from rules.pacing.snapshot import Activity, CallNow, OperatorNow, Snapshot, Terms, Today

FREE, TALKING, WRITING = Activity.FREE, Activity.TALKING, Activity.AFTER_CALL_WORK


def moment(
    free: int = 0,
    talking: int = 0,
    writing: int = 0,
    *,
    calls: int = 0,
    waiting: int = 0,
    callbacks: int = 0,
    lines_left: int = 99,
) -> Snapshot:
    doing = [FREE] * free + [TALKING] * talking + [WRITING] * writing
    return Snapshot(
        now_s=0.0,
        may_dial=True,
        operators=[OperatorNow(activity=one, since_s=0.0) for one in doing],
        calls=[CallNow(placed_s=0.0)] * calls,
        lines=100,
        lines_used=100 - lines_left,
        waiting=waiting,
        callbacks_waiting=callbacks,
        candidates=(None,) * 40,
        terms=Terms(cap=0.03),
    )


BOOST_1_5, BOOST_3 = partial(boost, factor=1.5), partial(boost, factor=3.0)
RATIO_1_5, RATIO_3 = partial(ratio, factor=1.5), partial(ratio, factor=3.0)


@pytest.mark.parametrize(
    ("way", "at", "calls"),
    [
        (progressive, moment(free=3, talking=5), 3),
        (progressive, moment(free=3, calls=2), 1),
        (progressive, moment(free=1, calls=2), 0),
        (progressive, moment(free=3, waiting=1), 2),
        (progressive, moment(free=3, callbacks=1), 2),
        (progressive, moment(talking=5), 0),
        (BOOST_1_5, moment(free=2, talking=5), 3),
        (BOOST_1_5, moment(free=3, talking=5), 5),  # 4.5: halves upwards
        (BOOST_1_5, moment(free=3, calls=4), 1),
        (BOOST_3, moment(free=3, callbacks=1), 6),
        (BOOST_3, moment(talking=5), 0),
        # 1.5 lines for each of 3 + 5, of which 5 are talks
        (RATIO_1_5, moment(free=3, talking=5), 7),
        (RATIO_1_5, moment(free=3, talking=5, writing=2), 7),
        (RATIO_1_5, moment(free=3, talking=5, calls=4, waiting=1), 2),
        (RATIO_3, moment(talking=5), 10),
        # never more than there are lines, or phones to call
        (RATIO_3, moment(talking=5, lines_left=4), 4),
        (RATIO_3, moment(free=30), 40),
    ],
)
def test_so_many_calls_are_placed(way: Way, at: Snapshot, calls: int) -> None:
    pace = way(at)
    assert pace.calls == calls
    assert pace.chosen == tuple(range(calls))


def after(way: Way, at: Snapshot, seconds: int) -> Snapshot:
    """The moment so many seconds later, with nothing changed and the way asked every second."""
    for second in range(seconds):
        way(replace(at, now_s=float(second)))
    return replace(at, now_s=float(seconds))


@pytest.mark.parametrize(
    ("at", "seconds", "calls"),
    [
        # level 1 until the fifteenth sample, at 14 s
        (moment(free=4, talking=6), 10, 4),
        # then 1 · (1 + 4/10) = 1.4 lines for each of four
        (moment(free=4, talking=6), 15, 6),
        # of ten logged in, two are writing; one of those waiting counts against those free
        (moment(free=4, talking=4, writing=2, waiting=1), 15, 4),  # 1.3 · 4 - 1
        # doubled every 15 s, but never above 3
        (moment(free=10), 15, 20),
        (moment(free=10), 60, 30),
        # never below 1, whoever waits
        (moment(free=1, talking=1, waiting=1), 60, 0),
    ],
)
def test_the_adaptive_level_follows_the_operators_waiting(
    at: Snapshot, seconds: int, calls: int
) -> None:
    way = Adaptive(Cap.HARD)
    assert way(after(way, at, seconds)).calls == calls


def test_adaptive_pacing_places_calls_every_two_and_a_half_seconds() -> None:
    way = Adaptive(Cap.HARD)
    at = moment(free=4)
    placed = [second / 2 for second in range(20) if way(replace(at, now_s=second / 2)).calls]
    assert placed == [0.0, 2.5, 5.0, 7.5]


def test_adaptive_pacing_may_count_talks_as_lines() -> None:
    way = Adaptive(Cap.HARD, available_only=False)
    # 1.4 · 10 lines, six of which are talks
    assert way(after(way, moment(free=4, talking=6), 15)).calls == 8


@pytest.mark.parametrize(
    ("cap", "level"),
    [
        (Cap.HARD, 1.0),
        # 2.25 · 1.5, held at 3 the time before, and halved
        (Cap.AVERAGE, 1.69),
        # half of the day is left
        (Cap.TAPERED, 1.69),
    ],
)
def test_over_the_cap_the_adaptive_level_goes_down(cap: Cap, level: float) -> None:
    way = Adaptive(cap)
    at = moment(free=20, talking=20)
    # 1 → 1.5 → 2.25 within 30 s, below the cap
    after(way, at, 30)
    over = replace(at, today=Today(connected=90, abandoned=10, left_s=44.0))
    for second in range(30, 45):
        way(replace(over, now_s=float(second)))
    assert way(replace(over, now_s=45.0)).calls == round(20 * level)


def test_the_cap_counts_after_fifty_calls_of_the_day() -> None:
    over = replace(moment(free=1), today=Today(connected=9, abandoned=1))
    way = Adaptive(Cap.HARD)
    # at 14 s six calls were placed: the level is 2
    assert way(after(way, over, 15)).calls == 2

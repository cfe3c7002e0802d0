"""The arithmetic of the other ways of pacing, on hand-made moments."""

from __future__ import annotations

from functools import partial

import pytest

from dialer.simulation.rivals import Adaptive, Cap, boost, progressive, ratio
from dialer.simulation.way import Moment, Way
from rules.pacing.snapshot import Snapshot


def moment(
    free: int = 0,
    talking: int = 0,
    writing: int = 0,
    *,
    calls: int = 0,
    waiting: int = 0,
    callbacks: int = 0,
    placeable: int = 40,
) -> Moment:
    return Moment(
        now_s=0.0,
        end_s=28_800.0,
        logged_in=free + talking + writing,
        free=free,
        talking=talking,
        calls=calls,
        waiting=waiting,
        callbacks_waiting=callbacks,
        placeable=placeable,
        connected=0,
        abandoned=0,
        cap=0.03,
        snapshot=_nothing_else,
    )


def _nothing_else() -> Snapshot:
    raise AssertionError("none of them knows more than what is counted")


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
        (RATIO_3, moment(talking=5, placeable=4), 4),
        (RATIO_3, moment(free=30), 40),
    ],
)
def test_so_many_calls_are_placed(way: Way, at: Moment, calls: int) -> None:
    found = way(at, [0.0, 1.0])
    if not calls:
        assert found is None
        return
    assert found is not None
    first, pace = found
    assert (first, pace.calls, pace.chosen) == (0, calls, tuple(range(calls)))


def asked(way: Way, at: Moment, now_s: float) -> int:
    """Calls placed at a moment."""
    found = way(at._replace(now_s=now_s), [now_s])
    return found[1].calls if found else 0


def placed_after(way: Way, at: Moment, seconds: int, *, since: int = 0) -> int:
    """Calls placed so many seconds later, with nothing changed and the way asked every second."""
    for second in range(since, seconds):
        asked(way, at, float(second))
    return asked(way, at, float(seconds))


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
    at: Moment, seconds: int, calls: int
) -> None:
    assert placed_after(Adaptive(Cap.HARD), at, seconds) == calls


def test_adaptive_pacing_places_calls_every_two_and_a_half_seconds() -> None:
    way = Adaptive(Cap.HARD)
    at = moment(free=4)
    placed = [second / 2 for second in range(20) if asked(way, at, second / 2)]
    assert placed == [0.0, 2.5, 5.0, 7.5]


def test_adaptive_pacing_finds_the_first_moment_at_which_its_level_allows_a_call() -> None:
    way = Adaptive(Cap.HARD)
    at = moment(free=4, talking=6, calls=4)
    seconds = [float(second) for second in range(60)]
    # 1.4 lines for each of four from 14 s on; calls are placed at 15 s, two of them
    found = way(at, seconds)
    assert found is not None
    assert (found[0], found[1].calls) == (15, 2)
    # then six are in flight, until it is 1.4 · 1.4 at 29 s
    found = way(at._replace(now_s=16.0, calls=6), seconds[16:])
    assert found is not None
    assert (seconds[16:][found[0]], found[1].calls) == (30.0, 2)


def test_adaptive_pacing_may_count_talks_as_lines() -> None:
    way = Adaptive(Cap.HARD, available_only=False)
    # 1.4 · 10 lines, six of which are talks
    assert placed_after(way, moment(free=4, talking=6), 15) == 8


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
    placed_after(way, at, 29)
    over = at._replace(connected=90, abandoned=10, end_s=88.0)
    assert placed_after(way, over, 45, since=30) == round(20 * level)


def test_the_cap_counts_after_fifty_calls_of_the_day() -> None:
    over = moment(free=1)._replace(connected=9, abandoned=1)
    # at 14 s six calls were placed: the level is 2
    assert placed_after(Adaptive(Cap.HARD), over, 15) == 2

"""Looking ahead to the next call says what asking at one moment after the other would."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.pacing.decision import calls_to_place, first_calls
from rules.pacing.estimates import Estimates, LogNormal
from rules.pacing.snapshot import Activity, CallNow, OperatorNow, Pace, Snapshot, Terms, Tick, Today
from tests.rules.pacing.test_outlook import NOW_S, centres

laters = st.lists(st.floats(0, 60), max_size=6).map(sorted)
breaks = st.lists(st.none() | st.floats(NOW_S - 10, NOW_S + 90), max_size=10)
SOME = settings(max_examples=150, deadline=None)  # the first one makes tables


def asked(snapshot: Snapshot, now_s: float) -> Pace:
    """What is to be placed at a moment of which nothing but the time differs."""
    left_s = snapshot.today.left_s
    if left_s is not None:
        left_s -= now_s - snapshot.now_s
    today = replace(snapshot.today, left_s=left_s)
    return calls_to_place(replace(snapshot, now_s=now_s, today=today))


@SOME
@given(centres, laters, breaks, st.sampled_from([0.0, 0.01, 0.03]))
def test_the_first_calls_are_those_of_the_first_moment_with_any(
    snapshot: Snapshot, later: list[float], breaks: list[float | None], cap: float
) -> None:
    operators = list(snapshot.operators)
    for place, break_at_s in enumerate(breaks[: len(operators)]):
        operators[place] = replace(operators[place], break_at_s=break_at_s)
    snapshot = replace(snapshot, operators=operators, terms=replace(snapshot.terms, cap=cap))
    moments = [NOW_S + later_s for later_s in later]
    paces = enumerate(asked(snapshot, now_s) for now_s in moments)
    assert first_calls(snapshot, moments) == next((one for one in paces if one[1].calls), None)


WORKING = OperatorNow(activity=Activity.AFTER_CALL_WORK, since_s=NOW_S)
CENTRE = Snapshot(
    now_s=NOW_S,
    may_dial=True,
    operators=(WORKING,) * 8,
    calls=(),
    lines=20,
    lines_used=0,
    candidates=(None,) * 20,
    today=Today(connected=1000, left_s=3600),
    terms=Terms(cap=0.02),
)
EVERY_5_S = [NOW_S + later_s for later_s in range(0, 70, 5)]


def naive(snapshot: Snapshot) -> tuple[int, Pace] | None:
    paces = enumerate(asked(snapshot, now_s) for now_s in EVERY_5_S)
    return next((one for one in paces if one[1].calls), None)


def test_calls_at_once_are_the_first() -> None:
    free = replace(CENTRE, operators=(replace(WORKING, activity=Activity.FREE),) * 8)
    assert first_calls(free, EVERY_5_S) == (0, calls_to_place(free))


@pytest.mark.parametrize("break_s", range(15, 75, 5))
def test_who_has_a_break_soon_is_counted_until_then(break_s: int) -> None:
    leaving = replace(WORKING, break_at_s=NOW_S + break_s)
    snapshot = replace(CENTRE, operators=(leaving, WORKING) * 4)
    assert first_calls(snapshot, EVERY_5_S) == naive(snapshot)


@pytest.mark.parametrize(("age_s", "share"), [(150, 0.8), (130, 0.75), (90, 0.5)])
def test_talks_whose_progress_is_known_are_foreseen_at_each_moment(
    age_s: float, share: float
) -> None:
    tick = Tick(share, NOW_S - 1)
    talking = OperatorNow(activity=Activity.TALKING, since_s=NOW_S - age_s, ticks=(tick,))
    short_work = replace(Estimates(), after_call=LogNormal.of(4, 0.3, 20))
    snapshot = replace(CENTRE, operators=(talking,) * 8, estimates=short_work)
    assert first_calls(snapshot, EVERY_5_S) == naive(snapshot)
    # also if calls that ring on unanswered would allow one later without them
    free = replace(WORKING, activity=Activity.FREE)
    ringing = replace(snapshot, operators=(free, talking), calls=(CallNow(placed_s=NOW_S),) * 5)
    assert first_calls(ringing, EVERY_5_S) == naive(ringing)


def test_whoever_becomes_free_meanwhile_is_called_for() -> None:
    # the last of the after-call work ends, and not before that is there anybody to call for
    found = first_calls(CENTRE, [NOW_S + later_s for later_s in range(120)])
    assert found is not None
    later_s, pace = found
    at_s = NOW_S + later_s
    assert 0 < later_s < 100 and pace.calls
    assert pace == asked(CENTRE, at_s) and not asked(CENTRE, at_s - 1).calls

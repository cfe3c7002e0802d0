"""Progressive pacing: a call for every free operator who is not spoken for, and never one more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.pacing.decision import calls_to_place
from rules.pacing.snapshot import (
    Activity,
    CallNow,
    Limit,
    Mode,
    OperatorNow,
    Snapshot,
    Terms,
    Why,
)

NOW_S = 10_000.0
ENOUGH = 600
"""Candidates: more than any of these snapshots has room for."""


def snapshot(
    free: int,
    unanswered: int,
    waiting: int,
    lines: int,
    used: int,
    *,
    soon: int = 0,
    may_dial: bool = True,
    candidates: int = ENOUGH,
) -> Snapshot:
    """So many free operators, and as many who talk."""
    busy = [OperatorNow(activity=Activity.TALKING, since_s=NOW_S - 60)] * free
    return Snapshot(
        now_s=NOW_S,
        may_dial=may_dial,
        operators=[OperatorNow(activity=Activity.FREE, since_s=NOW_S - 30)] * free + busy,
        calls=[CallNow(placed_s=NOW_S - 5)] * unanswered,
        lines=lines,
        lines_used=used,
        waiting=waiting,
        appointments_soon=soon,
        candidates=(None,) * candidates,
        terms=Terms(mode=Mode.PROGRESSIVE),
    )


CASES = [
    # free, unanswered, waiting, lines, used; calls; what limits them
    ((4, 0, 0, 10, 0), 4, Limit.OPERATORS),
    ((4, 3, 0, 10, 3), 1, Limit.OPERATORS),
    ((4, 3, 1, 10, 4), 0, Limit.OPERATORS),
    ((1, 4, 0, 10, 4), 0, Limit.OPERATORS),  # operators paused while it rang
    ((0, 0, 0, 10, 0), 0, Limit.OPERATORS),
    ((4, 0, 0, 2, 0), 2, Limit.LINES),
    ((4, 1, 0, 5, 5), 0, Limit.LINES),
    ((4, 0, 0, 5, 6), 0, Limit.LINES),  # the carrier took a line away
    ((4, 0, 0, 4, 0), 4, Limit.OPERATORS),
]


@pytest.mark.parametrize(("numbers", "calls", "limit"), CASES)
def test_as_many_calls_as_operators_and_lines_allow(
    numbers: tuple[int, int, int, int, int], calls: int, limit: Limit
) -> None:
    pace = calls_to_place(snapshot(*numbers))
    assert (pace.calls, pace.limit, pace.reserved) == (calls, limit, 0)
    assert pace.chosen == tuple(range(calls))  # the plan's order


RESERVES = [
    # operators kept for callbacks, callbacks waiting; calls for four free operators
    (0, 0, 4),
    (1, 0, 3),
    (1, 1, 3),  # the caller takes the operator who was kept
    (1, 3, 1),
    (4, 0, 0),
    (9, 0, 0),
    (-1, 0, 4),
]


@pytest.mark.parametrize(("reserve", "callbacks", "calls"), RESERVES)
def test_operators_kept_for_callbacks_get_no_call(reserve: int, callbacks: int, calls: int) -> None:
    now = snapshot(4, 0, 0, 10, 0)
    terms = replace(now.terms, callback_reserve=reserve)
    pace = calls_to_place(replace(now, callbacks_waiting=callbacks, terms=terms))
    assert (pace.calls, pace.limit) == (calls, Limit.OPERATORS)


def test_progressive_was_ordered_and_stays_so() -> None:
    pace = calls_to_place(snapshot(4, 0, 0, 10, 0))
    assert (pace.mode, pace.why) == (Mode.PROGRESSIVE, Why.ORDERED)


def test_nobody_left_to_call_limits_it() -> None:
    pace = calls_to_place(snapshot(4, 0, 0, 10, 0, candidates=3))
    assert (pace.calls, pace.limit) == (3, Limit.CANDIDATES)


def test_nothing_is_placed_while_dialling_is_forbidden() -> None:
    pace = calls_to_place(snapshot(10, 0, 0, 10, 0, may_dial=False))
    assert (pace.calls, pace.limit, pace.reserved) == (0, Limit.STOPPED, 0)


RESERVED = [
    # free, unanswered, waiting, lines, used; appointments soon; calls, limit, reserved
    ((3, 0, 0, 10, 0), 1, (2, Limit.APPOINTMENTS, 1)),
    ((1, 0, 0, 10, 0), 1, (0, Limit.APPOINTMENTS, 1)),
    ((1, 0, 0, 10, 0), 5, (0, Limit.APPOINTMENTS, 1)),
    ((3, 2, 0, 10, 2), 1, (0, Limit.APPOINTMENTS, 1)),
    ((3, 3, 0, 10, 3), 1, (0, Limit.OPERATORS, 0)),  # nobody is left to be kept
    ((3, 0, 0, 2, 0), 1, (1, Limit.APPOINTMENTS, 1)),  # a line, too
    ((3, 0, 0, 2, 2), 1, (0, Limit.LINES, 0)),
]


@pytest.mark.parametrize(("numbers", "soon", "expected"), RESERVED)
def test_an_operator_who_is_free_is_kept_for_an_appointment(
    numbers: tuple[int, int, int, int, int], soon: int, expected: tuple[int, Limit, int]
) -> None:
    pace = calls_to_place(snapshot(*numbers, soon=soon))
    assert (pace.calls, pace.limit, pace.reserved) == expected


counts = st.integers(0, 300)
UNCOMPILED = settings(max_examples=30, deadline=None)
"""Coverage is measured without compiling, which is slow with so many calls."""


@UNCOMPILED
@given(counts, counts, counts, st.integers(-5, 500), st.integers(-5, 500), counts, st.booleans())
def test_no_snapshot_gives_more_calls_than_unclaimed_operators_or_free_lines(
    free: int, unanswered: int, waiting: int, lines: int, used: int, soon: int, may_dial: bool
) -> None:
    asked = snapshot(free, unanswered, waiting, lines, used, soon=soon, may_dial=may_dial)
    pace = calls_to_place(asked)
    assert pace.calls == len(pace.chosen) == len(set(pace.chosen))
    assert 0 <= pace.reserved <= soon
    calls = pace.calls + pace.reserved
    assert calls <= max(0, free - unanswered - waiting)
    assert calls <= max(0, lines - used)
    assert may_dial or calls == 0


@UNCOMPILED
@given(counts, st.integers(0, 500), st.integers(0, 500))
def test_placing_what_pacing_said_leaves_nothing_to_place(free: int, used: int, lines: int) -> None:
    placed = calls_to_place(snapshot(free, 0, 0, lines, used)).calls
    again = snapshot(free, placed, 0, lines, used + placed)
    assert calls_to_place(again).calls == 0

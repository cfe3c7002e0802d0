"""Progressive pacing: a call for every free operator who is not spoken for, and never one more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.pacing import Limit, Pace, Snapshot, calls_to_place


def snapshot(
    free: int,
    unanswered: int,
    waiting: int,
    lines: int,
    used: int,
    *,
    soon: int = 0,
    may_dial: bool = True,
) -> Snapshot:
    return Snapshot(
        may_dial=may_dial,
        operators_free=free,
        calls_unanswered=unanswered,
        calls_waiting=waiting,
        lines=lines,
        lines_used=used,
        appointments_soon=soon,
    )


@pytest.mark.parametrize(
    ("numbers", "calls", "limit"),
    [
        # free, unanswered, waiting, lines, used
        ((4, 0, 0, 10, 0), 4, Limit.OPERATORS),
        ((4, 3, 0, 10, 3), 1, Limit.OPERATORS),
        ((4, 3, 1, 10, 4), 0, Limit.OPERATORS),
        ((1, 4, 0, 10, 4), 0, Limit.OPERATORS),  # operators paused while it rang
        ((0, 0, 0, 10, 0), 0, Limit.OPERATORS),
        ((4, 0, 0, 2, 0), 2, Limit.LINES),
        ((4, 1, 0, 5, 5), 0, Limit.LINES),
        ((4, 0, 0, 5, 6), 0, Limit.LINES),  # the carrier took a line away
        ((4, 0, 0, 4, 0), 4, Limit.OPERATORS),
    ],
)
def test_as_many_calls_as_operators_and_lines_allow(
    numbers: tuple[int, int, int, int, int], calls: int, limit: Limit
) -> None:
    assert calls_to_place(snapshot(*numbers)) == Pace(calls=calls, limit=limit)


def test_nothing_is_placed_while_dialling_is_forbidden() -> None:
    asked = snapshot(10, 0, 0, 10, 0, may_dial=False)
    assert calls_to_place(asked) == Pace(calls=0, limit=Limit.STOPPED)


RESERVED = [
    # free, unanswered, waiting, lines, used; appointments soon; calls, limit, reserved
    ((3, 0, 0, 10, 0), 1, Pace(calls=2, limit=Limit.APPOINTMENTS, reserved=1)),
    ((1, 0, 0, 10, 0), 1, Pace(calls=0, limit=Limit.APPOINTMENTS, reserved=1)),
    ((1, 0, 0, 10, 0), 5, Pace(calls=0, limit=Limit.APPOINTMENTS, reserved=1)),
    ((3, 2, 0, 10, 2), 1, Pace(calls=0, limit=Limit.APPOINTMENTS, reserved=1)),
    ((3, 3, 0, 10, 3), 1, Pace(calls=0, limit=Limit.OPERATORS)),  # nobody is left to be kept
    ((3, 0, 0, 2, 0), 1, Pace(calls=1, limit=Limit.APPOINTMENTS, reserved=1)),  # a line, too
    ((3, 0, 0, 2, 2), 1, Pace(calls=0, limit=Limit.LINES)),
]


@pytest.mark.parametrize(("numbers", "soon", "pace"), RESERVED)
def test_an_operator_who_is_free_is_kept_for_an_appointment(
    numbers: tuple[int, int, int, int, int], soon: int, pace: Pace
) -> None:
    assert calls_to_place(snapshot(*numbers, soon=soon)) == pace


numbers = st.integers(-5, 500)


@given(numbers, numbers, numbers, numbers, numbers, st.integers(0, 20), st.booleans())
def test_no_snapshot_gives_more_calls_than_unclaimed_operators_or_free_lines(
    free: int, unanswered: int, waiting: int, lines: int, used: int, soon: int, may_dial: bool
) -> None:
    asked = snapshot(free, unanswered, waiting, lines, used, soon=soon, may_dial=may_dial)
    pace = calls_to_place(asked)
    assert pace.calls >= 0
    assert 0 <= pace.reserved <= soon
    calls = pace.calls + pace.reserved
    assert calls <= max(0, free - unanswered - waiting)
    assert calls <= max(0, lines - used)
    assert may_dial or calls == 0


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_placing_what_pacing_said_leaves_nothing_to_place(free: int, used: int, lines: int) -> None:
    placed = calls_to_place(snapshot(free, 0, 0, lines, used)).calls
    again = snapshot(free, placed, 0, lines, used + placed)
    assert calls_to_place(again).calls == 0

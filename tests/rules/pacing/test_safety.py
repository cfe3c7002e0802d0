"""No snapshot whatever leads to more calls than there are lines or operators for, or to an error."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings

from rules.pacing.credit import MOST
from rules.pacing.decision import calls_to_place
from rules.pacing.outlook import BREAK_SOON_S
from rules.pacing.snapshot import (
    Activity,
    Limit,
    Mode,
    OperatorNow,
    Pace,
    Snapshot,
    Terms,
    Today,
    Why,
)
from tests.rules.pacing import wild


def staying(snapshot: Snapshot) -> list[OperatorNow]:
    """Those who take calls and are not about to leave."""
    soon = snapshot.now_s + BREAK_SOON_S
    return [
        operator
        for operator in snapshot.operators
        if operator.break_at_s is None or operator.break_at_s > soon
    ]


def unclaimed(snapshot: Snapshot) -> int:
    """Free operators for whom neither a person nor a call is there yet, and whom no callback may need."""
    free = sum(operator.activity is Activity.FREE for operator in staying(snapshot))
    callbacks = max(0, snapshot.callbacks_waiting, snapshot.terms.callback_reserve)
    persons = max(0, snapshot.waiting) + callbacks
    return max(0, free - persons - len(snapshot.calls))


def free_lines(snapshot: Snapshot) -> int:
    return max(0, snapshot.lines - max(0, snapshot.lines_used))


WILD = settings(max_examples=100, deadline=None)  # the first one makes tables


@WILD
@given(wild.snapshots)
def test_no_snapshot_leads_to_an_error_or_outside_what_lines_and_operators_allow(
    snapshot: Snapshot,
) -> None:
    pace = calls_to_place(snapshot)
    calls = pace.calls + pace.reserved
    assert pace.calls >= 0 and pace.reserved >= 0
    assert calls <= free_lines(snapshot)
    assert calls == 0 or staying(snapshot)
    assert calls == 0 or (snapshot.may_dial and math.isfinite(snapshot.now_s))
    assert pace.reserved <= max(0, snapshot.appointments_soon)
    if pace.mode is not Mode.PREDICTIVE:
        assert calls <= unclaimed(snapshot)
    if pace.mode is Mode.PREVIEW:
        assert pace.calls == 0


@WILD
@given(wild.snapshots)
def test_the_calls_chosen_are_candidates_each_once(snapshot: Snapshot) -> None:
    pace = calls_to_place(snapshot)
    assert pace.calls == len(pace.chosen) == len(pace.misses) == len(set(pace.chosen))
    assert all(0 <= place < len(snapshot.candidates) for place in pace.chosen)


@WILD
@given(wild.snapshots)
def test_what_it_says_beside_the_number_is_always_a_number(snapshot: Snapshot) -> None:
    pace = calls_to_place(snapshot)
    assert all(0 <= share <= 1 for share in (*pace.misses, pace.miss, pace.allowed_miss))
    ahead = pace.misses[unclaimed(snapshot) :]  # of those before, an operator is free for each
    assert all(miss <= pace.allowed_miss for miss in ahead) or not predictive(pace)
    assert all(miss <= MOST for miss in pace.misses) or not predictive(pace)
    assert 0 <= pace.expected_answers < math.inf
    assert math.isfinite(pace.expected_free)


def predictive(pace: Pace) -> bool:
    return pace.mode is Mode.PREDICTIVE


@WILD
@given(wild.snapshots)
def test_predictive_needs_the_profile_a_healthy_ami_two_operators_and_credit(
    snapshot: Snapshot,
) -> None:
    pace = calls_to_place(snapshot)
    if predictive(pace):
        assert snapshot.terms.mode is Mode.PREDICTIVE and pace.why is Why.ORDERED
        assert snapshot.ami_healthy
        assert len(staying(snapshot)) >= 2
        assert snapshot.terms.cap > 0
    assert (pace.mode is snapshot.terms.mode) == (pace.why is Why.ORDERED)


@WILD
@given(wild.snapshots)
def test_predictive_keeps_to_the_calls_per_operator(snapshot: Snapshot) -> None:
    pace = calls_to_place(snapshot)
    if predictive(pace) and pace.calls:
        most = max(0.0, snapshot.terms.calls_per_operator) * len(staying(snapshot))
        assert len(snapshot.calls) + pace.calls <= most


FREE = OperatorNow(activity=Activity.FREE, since_s=wild.NOW_S - 30)
CENTRE = Snapshot(
    now_s=wild.NOW_S,
    may_dial=True,
    operators=[FREE] * 4,
    calls=[],
    lines=20,
    lines_used=0,
    candidates=(None,) * 20,
    today=Today(connected=2000, left_s=3600),
)
"""Four operators wait, and everything is in order."""

TROUBLES = [
    # what happens; calls at most; what limits it, if nothing may be placed
    (dict(may_dial=False), 0, Limit.STOPPED),
    (dict(now_s=math.nan), 0, Limit.STOPPED),
    (dict(now_s=math.inf), 0, Limit.STOPPED),
    (dict(operators=[]), 0, Limit.OPERATORS),
    (dict(operators=[replace(FREE, break_at_s=wild.NOW_S)] * 4), 0, Limit.OPERATORS),
    (dict(operators=[replace(FREE, break_at_s=math.nan)] * 4), 0, Limit.OPERATORS),
    (dict(lines=0), 0, Limit.LINES),
    (dict(lines=20, lines_used=30), 0, Limit.LINES),
    (dict(candidates=()), 0, Limit.CANDIDATES),
    (dict(ami_healthy=False), 4, None),
    (dict(terms=Terms(cap=0.0)), 4, None),
    (dict(terms=Terms(cap=math.nan)), 4, None),
    (dict(terms=Terms(calls_per_operator=0.5)), 2, None),
    (dict(terms=Terms(calls_per_operator=math.nan)), 0, Limit.CALLS_PER_OPERATOR),
    (dict(terms=Terms(calls_per_operator=math.inf)), 20, None),
    (dict(lines_used=-100), 20, None),
    (dict(waiting=-100), 20, None),
]


@pytest.mark.parametrize(("trouble", "most", "limit"), TROUBLES)
def test_what_goes_wrong_never_adds_a_call(
    trouble: dict[str, object], most: int, limit: Limit | None
) -> None:
    usual = calls_to_place(CENTRE)
    assert usual.mode is Mode.PREDICTIVE and usual.calls >= 4
    pace = calls_to_place(replace(CENTRE, **trouble))  # type: ignore[arg-type]
    assert pace.calls <= min(most, usual.calls)
    assert limit is None or pace.limit is limit

"""The mode in force, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.pacing.decision import calls_to_place
from rules.pacing.estimates import Estimates, LogNormal, Share
from rules.pacing.mode import LEAST_ATTEMPTS, LEAST_TIMES, mode_of
from rules.pacing.snapshot import Activity, Mode, OperatorNow, Snapshot, Terms, Today, Why

NOW_S = 10_000.0
KNOWN = Estimates()
TALKING = OperatorNow(activity=Activity.TALKING, since_s=NOW_S - 60)
CENTRE = Snapshot(
    now_s=NOW_S,
    may_dial=True,
    operators=[TALKING] * 5,
    calls=[],
    lines=20,
    lines_used=0,
    candidates=(None,) * 20,
    today=Today(connected=2000, left_s=3600),
)
"""Nothing is wrong with it."""
SPENT = Today(connected=50, abandoned=5, left_s=600)
LITTLE = LogNormal.of(180, 0.8, 3)
LEAVING = replace(TALKING, break_at_s=NOW_S + 1)

CASES = [
    # what is different; the mode in force, and why
    ({}, Mode.PREDICTIVE, Why.ORDERED),
    (dict(terms=Terms(mode=Mode.PREVIEW)), Mode.PREVIEW, Why.ORDERED),
    (dict(terms=Terms(mode=Mode.PROGRESSIVE)), Mode.PROGRESSIVE, Why.ORDERED),
    (dict(ami_healthy=False), Mode.PROGRESSIVE, Why.AMI_UNHEALTHY),
    (dict(operators=[]), Mode.PROGRESSIVE, Why.FEW_OPERATORS),
    (dict(operators=[TALKING]), Mode.PROGRESSIVE, Why.FEW_OPERATORS),
    (dict(operators=[TALKING, TALKING]), Mode.PREDICTIVE, Why.ORDERED),
    (dict(operators=[TALKING, LEAVING]), Mode.PROGRESSIVE, Why.FEW_OPERATORS),
    (dict(estimates=replace(KNOWN, chance=Share(0.35, 3))), Mode.PROGRESSIVE, Why.FEW_DATA),
    (dict(estimates=replace(KNOWN, ring=LITTLE)), Mode.PROGRESSIVE, Why.FEW_DATA),
    (dict(estimates=replace(KNOWN, talk=LITTLE)), Mode.PROGRESSIVE, Why.FEW_DATA),
    (dict(estimates=replace(KNOWN, after_call=LITTLE)), Mode.PROGRESSIVE, Why.FEW_DATA),
    (dict(terms=Terms(cap=0.0)), Mode.PROGRESSIVE, Why.CREDIT_SPENT),
    (dict(today=SPENT), Mode.PROGRESSIVE, Why.CREDIT_SPENT),
    # the first reason is told, and what was not ordered is never in force
    (dict(operators=[], ami_healthy=False), Mode.PROGRESSIVE, Why.AMI_UNHEALTHY),
    (dict(terms=Terms(mode=Mode.PREVIEW), ami_healthy=False), Mode.PREVIEW, Why.ORDERED),
    (dict(may_dial=False, today=SPENT), Mode.PROGRESSIVE, Why.CREDIT_SPENT),
]


@pytest.mark.parametrize(("change", "mode", "why"), CASES)
def test_the_mode_in_force_and_why(change: dict[str, object], mode: Mode, why: Why) -> None:
    pace = calls_to_place(replace(CENTRE, **change))  # type: ignore[arg-type]
    assert (pace.mode, pace.why) == (mode, why)


@pytest.mark.parametrize(("credit", "why"), [(0.99, Why.CREDIT_SPENT), (1.0, Why.ORDERED)])
def test_one_call_that_may_still_be_abandoned_is_credit(credit: float, why: Why) -> None:
    assert mode_of(CENTRE, 5, credit)[1] is why


def test_just_enough_data_are_enough() -> None:
    seen = LogNormal.of(180, 0.8, LEAST_TIMES)
    known = Estimates(chance=Share(0.35, LEAST_ATTEMPTS), ring=seen, talk=seen, after_call=seen)
    assert mode_of(replace(CENTRE, estimates=known), 5, 10.0) == (Mode.PREDICTIVE, Why.ORDERED)


def test_a_few_attempts_are_enough_to_come_back_to_predictive() -> None:
    estimates = replace(KNOWN, chance=Share(0.35, 3), talk=LITTLE)
    for _ in range(20):
        estimates = replace(
            estimates.attempted(None, answered=True), talk=estimates.talk.seen(100.0)
        )
    assert calls_to_place(replace(CENTRE, estimates=estimates)).mode is Mode.PREDICTIVE

"""What a call risks: never more than the day's credit allows, and as much as it allows."""

from __future__ import annotations

import pytest

from rules.pacing.decision import calls_to_place
from rules.pacing.snapshot import Activity, Limit, Mode, OperatorNow, Snapshot, Terms, Today

NOW_S = 10_000.0


@pytest.mark.parametrize("cap", [0.01, 0.03, 0.1])
@pytest.mark.parametrize("free", [2, 5, 12])
def test_calls_are_placed_up_to_the_risk_allowed_and_none_beyond(cap: float, free: int) -> None:
    working = [
        OperatorNow(activity=Activity.AFTER_CALL_WORK, since_s=NOW_S - age)
        for age in range(10, 60, 5)
    ]
    pace = calls_to_place(
        Snapshot(
            now_s=NOW_S,
            may_dial=True,
            operators=[OperatorNow(activity=Activity.FREE, since_s=NOW_S)] * free + working,
            calls=[],
            lines=500,
            lines_used=0,
            candidates=(0.4,) * 500,
            today=Today(connected=100, left_s=20_000.0),
            terms=Terms(cap=cap, calls_per_operator=30.0),
        )
    )
    assert (pace.mode, pace.limit) == (Mode.PREDICTIVE, Limit.RISK)
    assert max(pace.misses) <= pace.allowed_miss < pace.miss
    assert pace.allowed_miss < 2 * cap  # the margin is near what may be abandoned on the average

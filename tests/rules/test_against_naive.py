"""The rules and an independent, naive second writing of them say the same of invented histories.

`scripts/soak/histories.py` compares many more.
"""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.case import EscalationCause
from rules.eligibility import Reason
from tests.rules.random_histories import compare_history


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_both_say_the_same_of_every_invented_history(chance: random.Random) -> None:
    assert compare_history(chance).comparisons


def test_both_say_the_same_of_histories_that_reach_everything() -> None:
    reached: set[str] = set()
    for seed in range(250):
        reached |= compare_history(random.Random(seed)).reached
    assert reached >= {"allowed", *Reason}
    assert reached >= {f"clause {letter}" for letter in "アイウエオカキク"}
    statuses = {"open", "complete", "escalated", "stopped", "paid"}
    assert reached >= {f"status {status}" for status in statuses}
    assert reached >= {f"rejected {field}" for field in ("outcome", "ring", "phone", "scope")}
    assert reached >= {f"escalated: {cause}" for cause in EscalationCause}
    assert {"a person who reached nobody", "a wish to be called back"} <= reached
    assert "an escalation of a case that has ended" in reached
    assert {"an extra call", "an appointment missed", "a closed phone of an open case"} <= reached

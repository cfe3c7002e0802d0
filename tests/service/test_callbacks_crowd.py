"""Many callers at once, on a real Asterisk with SIPp's telephones. `scripts/bench/callbacks.py` has more."""

from __future__ import annotations

import pytest

from scripts.bench.callbacks import crowd, ends, faults, waits
from scripts.bench.figures import percentile

pytestmark = pytest.mark.asterisk

CALLERS, OPERATORS = 30, 3
SOON_S = 0.3
"""Half of those who wait are joined within this from a result on, also on a machine that is busy."""


async def test_thirty_callers_are_served_in_turn_or_give_up_or_choose_a_key_and_none_is_lost() -> (
    None
):
    outcome = await crowd(CALLERS, OPERATORS)
    assert faults(outcome) == []
    came_to = ends(outcome)
    assert came_to["stays", "talked"] == 21
    assert came_to["leaves", "gave_up"] and came_to["asks", "asked_back"]
    assert came_to["message", "message"]
    sent, _ = waits(outcome)
    assert len(sent) > CALLERS / 3
    assert percentile(sent, 0.5) < SOON_S

"""Many callers at once, on a real Asterisk with SIPp's telephones. `scripts/bench/callbacks.py` has more."""

from __future__ import annotations

import pytest

from scripts.bench import callbacks
from scripts.bench.callbacks import crowd, ends, faults

pytestmark = pytest.mark.asterisk

CALLERS, OPERATORS = 30, 3
SAME_S = 0.5
"""On a machine that is busy SIPp's calls may reach the dialplan in another order than it dialled them."""


async def test_thirty_callers_are_served_in_turn_or_give_up_or_choose_a_key_and_none_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(callbacks, "SAME_S", SAME_S)
    outcome = await crowd(CALLERS, OPERATORS)
    assert faults(outcome) == []
    came_to = ends(outcome)
    assert came_to["stays", "talked"] == 21
    assert came_to["leaves", "gave_up"] and came_to["asks", "asked_back"]
    assert came_to["message", "message"]

"""What a callback came to, for lists and reports."""

from __future__ import annotations

import pytest

from rules.callback_end import CameTo, came_to
from rules.callback_state import State

S = State


@pytest.mark.parametrize(
    ("states", "left_message", "expected"),
    [
        ([], False, CameTo.LIVE),  # nothing but the arrival is on record
        ([S.WAITING], False, CameTo.LIVE),
        ([S.WAITING, S.JOINING, S.TALKING, S.ENDED], False, CameTo.TALKED),
        # the operator's line broke, and the caller went while waiting again
        ([S.WAITING, S.JOINING, S.TALKING, S.WAITING, S.ENDED], False, CameTo.TALKED),
        # … or left a message then
        ([S.TALKING, S.WAITING, S.RECORDING, S.ENDED], True, CameTo.TALKED),
        ([S.WAITING, S.ASKED_BACK, S.ENDED], False, CameTo.ASKED_BACK),
        ([S.WAITING, S.RECORDING, S.ENDED], True, CameTo.MESSAGE),
        # was asked for a message and said nothing
        ([S.WAITING, S.RECORDING, S.ENDED], False, CameTo.GAVE_UP),
        ([S.GUIDANCE], False, CameTo.GUIDANCE),
        ([S.GUIDANCE, S.ENDED], False, CameTo.GUIDANCE),
        # nothing could be recorded: the guidance was heard instead
        ([S.RECORDING, S.GUIDANCE, S.ENDED], False, CameTo.GUIDANCE),
        ([S.WAITING, S.ENDED], False, CameTo.GAVE_UP),
        ([S.ENDED], False, CameTo.GAVE_UP),
    ],
)
def test_a_callback_came_to_the_most_that_happened_in_it(
    states: list[S], left_message: bool, expected: CameTo
) -> None:
    assert came_to(states, left_message=left_message) is expected

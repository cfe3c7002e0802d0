"""What a callback came to, for lists and reports."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rules.calendar import JST
from rules.callback_end import CameTo, came_to, never_talks
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


CUT = [
    # states with the second of each -> places of those that were no talks
    ([(S.ALONE, 0), (S.TALKING, 0.01), (S.WAITING, 0.03), (S.ENDED, 9)], {1}),
    ([(S.JOINING, 0), (S.TALKING, 5), (S.ALONE, 5.999), (S.ENDED, 9)], {1}),
    ([(S.JOINING, 0), (S.TALKING, 5), (S.WAITING, 6), (S.ENDED, 9)], set()),  # a word was said
    # whoever was talking when the line ended has to say what came of it
    ([(S.JOINING, 0), (S.TALKING, 5), (S.ENDED, 5.1)], set()),
    ([(S.JOINING, 0), (S.TALKING, 5)], set()),
    # each joining for itself
    ([(S.TALKING, 1), (S.WAITING, 1.5), (S.TALKING, 2), (S.WAITING, 2.5), (S.TALKING, 3)], {0, 2}),
    ([(S.WAITING, 1), (S.ALONE, 1.5), (S.WAITING, 1.6)], set()),
    ([], set()),
]


@pytest.mark.parametrize(("states", "expected"), CUT)
def test_a_joining_in_which_nobody_could_say_a_word_was_no_talk(
    states: list[tuple[S, float]], expected: set[int]
) -> None:
    noon = datetime(2026, 11, 24, 12, tzinfo=JST)
    changes = [(state, noon + timedelta(seconds=second)) for state, second in states]
    assert never_talks(changes) == expected

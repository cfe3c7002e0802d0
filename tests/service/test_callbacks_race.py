"""Answers to our calls and callers in the same instant, on a real Asterisk. `scripts/soak/callbacks.py` runs
as many races as one likes."""

from __future__ import annotations

import random

import pytest

from tests.service.front import front
from tests.service.races import OPERATORS, Course

pytestmark = pytest.mark.asterisk

RACES, SEED = 4, 8


async def test_callers_go_first_and_whoever_is_abandoned_for_them_is_called_with_an_operator_kept() -> (
    None
):
    async with front(OPERATORS, "progressive") as centre:
        course = Course(centre, random.Random(SEED))
        for _ in range(RACES):
            assert (await course.run()).broken == []

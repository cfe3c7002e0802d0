"""Callers while a part of ours dies, on a real Asterisk. `scripts/soak/callbacks.py` kills each part at each
stage of a callback."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.service.front import Front, Part, front
from tests.service.wrecks import Stage, Wrecker

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

SEED = 1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def centre() -> AsyncIterator[Front]:
    """One centre with one operator, for one death after the other."""
    async with front(operators=1) as made:
        yield made


KILLED = [
    # at which stage, what
    (Stage.ARRIVING, Part.DIALER),
    (Stage.ASKED, Part.ANSWERER),
    (Stage.WAITING, Part.DATABASE),
    (Stage.JOINING, Part.DIALER),
    (Stage.RECORDING, Part.DATABASE),
]


@pytest.mark.parametrize(("stage", "part"), KILLED)
async def test_a_caller_hears_something_and_is_on_record_whatever_dies(
    centre: Front, stage: Stage, part: Part
) -> None:
    wreck = await Wrecker(centre, random.Random(SEED)).run(stage, part)
    assert wreck.broken == []

"""One PBX for the tests of a file."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.service.rig import House, open_house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    """One PBX for all: an operator's leg takes calls only 5 s after its login."""
    async with open_house() as made:
        yield made

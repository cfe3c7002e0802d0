"""A campaign under way, on both databases."""

from __future__ import annotations

import pytest

from db.session import Sessions
from tests.db.town import Town


@pytest.fixture
async def town(sessions: Sessions) -> Town:
    """One campaign under way."""
    return await Town(sessions).open()

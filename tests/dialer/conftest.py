"""A manager interface of our own with a link to it, and a campaign under way."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from db.session import Sessions
from dialer.ami import link as link_module
from dialer.ami.fake import SECRET, FakeAsterisk
from dialer.ami.link import Link, LinkUp
from tests.db.town import Town


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAsterisk]:
    """A manager interface that answers everything."""
    async with FakeAsterisk() as running:
        yield running


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnects at once."""
    monkeypatch.setattr(link_module, "RECONNECT_AFTER_S", 0)


@pytest.fixture
async def link(asterisk: FakeAsterisk, quick: None) -> AsyncIterator[Link]:
    """A link that is up, its `LinkUp` taken."""
    made = Link(asterisk.ami, SECRET)
    await made.connect()
    assert made.events.get_nowait() == LinkUp()
    yield made
    made.close()


@pytest.fixture
async def town(sessions: Sessions) -> Town:
    """One campaign under way, on both databases."""
    return await Town(sessions).open()

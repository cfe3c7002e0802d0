"""At most once, on a real Asterisk: the dialer killed, the link cut, Asterisk restarted, PostgreSQL killed
during calls. `scripts/soak/at_most_once.py` does the same for as long as one likes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from db.upgrade import upgrade
from tests.databases import PostgresServer
from tests.service.chaos import Chaos, Disturbance, chaos

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def centre() -> AsyncIterator[Chaos]:
    """One centre, on SQLite, for one disturbance after the other."""
    async with chaos(seed=1) as made:
        yield made


@pytest.mark.parametrize("what", [Disturbance.KILL, Disturbance.CUT, Disturbance.ASTERISK])
async def test_calls_go_on_and_none_is_made_twice_after(centre: Chaos, what: Disturbance) -> None:
    await centre.run(what)
    assert centre.broken == []


async def test_in_the_end_every_attempt_has_one_outcome_and_every_invite_one_attempt(
    centre: Chaos,
) -> None:
    await centre.finish()
    assert len(centre.legs) > 5
    assert centre.broken == []


async def test_a_killed_postgresql_neither_doubles_a_call_nor_leaves_one_open() -> None:
    with PostgresServer.running() as server:
        server.execute("CREATE DATABASE yobirin")
        await upgrade(server.url("yobirin"))
        async with chaos(2, server.url("yobirin"), server) as centre:
            await centre.run(Disturbance.POSTGRES)
            await centre.finish()
            assert centre.broken == []

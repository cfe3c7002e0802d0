"""Operators and their tokens."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db import operators
from db.errors import ConflictError, NotFoundError
from db.tables import Operator
from tests.db.town import NOON, OPERATOR, Town


async def add(town: Town, operator_id: str) -> str:
    async with town.sessions.write() as session:
        return await operators.add(session, operator_id, "窓口", at=NOON, by="tests")


async def holder(session: AsyncSession, token: str) -> Operator | None:
    """Whose token it is, as the web interface tells: by its hash, among the active operators."""
    key = hashlib.sha256(token.encode()).hexdigest()
    known = await operators.all_operators(session)
    return next((row for row in known if row.active and row.token_sha256 == key), None)


async def test_an_operator_is_known_by_the_token_which_is_kept_nowhere(town: Town) -> None:
    token = await add(town, "202")
    async with town.sessions.read() as session:
        found = await holder(session, token)
        assert found is not None
        assert found.id == "202"
        assert await holder(session, token + "x") is None
        rows = (await session.execute(text("SELECT * FROM operator"))).all()
    assert token not in str(rows)


async def test_a_deactivated_operator_s_token_is_refused(town: Town) -> None:
    token = await add(town, "202")
    async with town.sessions.write() as session:
        await operators.deactivate(session, "202", at=NOON, by="tests")
        with pytest.raises(NotFoundError):
            await operators.deactivate(session, "999", at=NOON, by="tests")
    async with town.sessions.read() as session:
        assert await holder(session, token) is None
        listed = {row.id: row.active for row in await operators.all_operators(session)}
    assert listed == {OPERATOR: True, "202": False}


async def test_a_removed_operator_s_extension_gets_a_new_token_and_the_old_one_stays_refused(
    town: Town,
) -> None:
    old = await add(town, "202")
    async with town.sessions.write() as session:
        await operators.deactivate(session, "202", at=NOON, by="tests")
    new = await add(town, "202")
    async with town.sessions.read() as session:
        found = await holder(session, new)
        assert found is not None
        assert (found.id, found.active, found.ready) == ("202", True, False)
        assert await holder(session, old) is None


async def test_an_extension_has_one_operator(town: Town) -> None:
    with pytest.raises(ConflictError, match=OPERATOR):
        await add(town, OPERATOR)


async def test_readiness_outlives_the_service(town: Town) -> None:
    for ready in (True, False):
        async with town.sessions.write() as session:
            await operators.set_ready(session, OPERATOR, ready=ready)
        async with town.sessions.read() as session:
            (row,) = await operators.all_operators(session)
            assert row.ready is ready

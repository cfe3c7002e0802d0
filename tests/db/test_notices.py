"""Notices reach the service once, in order, with what they tell of."""

from __future__ import annotations

import asyncio

from db import notices
from db.notices import NoticeKind
from db.session import Sessions, make_sessions
from tests.db.town import NOON


async def test_only_notices_after_the_last_one_seen_are_given(sessions: Sessions) -> None:
    async with sessions.write() as session:
        assert await notices.newest_id(session) == 0
        await notices.add(session, NoticeKind.CAMPAIGN, at=NOON, by="a")
        seen = await notices.newest_id(session)
        await notices.add(session, NoticeKind.OPERATORS, at=NOON, by="b")
    async with sessions.read() as session:
        (new,) = await notices.newer_than(session, seen)
    assert (new.kind, new.by, new.at, new.case_id) == ("operators", "b", NOON, None)


async def test_a_reader_who_follows_the_ids_misses_none_of_many_writers(
    database_url: str, sessions: Sessions
) -> None:
    writers, each = 4, 10
    done = asyncio.Event()

    async def write() -> None:
        own = make_sessions(database_url)
        for _n in range(each):
            async with own.write() as session:
                await notices.add(session, NoticeKind.CASES, at=NOON, by="tests")
                await asyncio.sleep(0)  # lets another writer come in between
        await own.close()

    async def follow() -> list[int]:
        seen: list[int] = []
        while not done.is_set() or len(seen) < writers * each:
            async with sessions.read() as session:
                new = await notices.newer_than(session, seen[-1] if seen else 0)
            seen += [notice.id for notice in new]
            if done.is_set() and not new:
                break
        return seen

    following = asyncio.create_task(follow())
    await asyncio.gather(*(write() for _ in range(writers)))
    done.set()
    assert len(await following) == writers * each

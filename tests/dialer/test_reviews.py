"""Results that stayed unclear on the line, and a supervisor who settles them (rule 3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from db import ledger, results, reviews
from db.ledger import Change
from db.results import BY_LINE, Recorded
from db.reviews import Unclear
from db.tables import ResultRow
from dialer.errors import ConflictError, NotFoundError
from dialer.reviews import settle
from rules.call_state import State
from rules.case import Result
from tests.db.town import NOON, Town

AFTER = NOON + timedelta(hours=3)


async def unclear(town: Town, *, ring_s: float | None = None, early_media: bool = True) -> str:
    """A call of case 1 that ended with cause 127."""
    attempt = await town.place(await town.phone(1), NOON)
    async with town.sessions.write() as session:
        ended = Change(
            attempt_id=attempt,
            seq=1,
            at=NOON + timedelta(seconds=9),
            state=State.ENDED,
            cause=127,
            ring_ms=None if ring_s is None else round(ring_s * 1000),
            early_media=early_media,
        )
        await ledger.record(session, [ended])
        recorded = Recorded(result=Result(outcome="failed"), at=NOON, by=BY_LINE, review=True)
        await results.save_first(session, attempt, recorded)
        await ledger.finish(session, [attempt])
        await town.refresh(session, 1, now=NOON)
    return attempt


async def to_look_at(town: Town) -> list[Unclear]:
    async with town.sessions.read() as session:
        return await reviews.to_look_at(session, town.campaign_id)


async def settled(town: Town, attempt: str, outcome: str) -> None:
    async with town.sessions.write() as session:
        await settle(session, attempt, outcome, at=AFTER, by="管理者")


@pytest.fixture(autouse=True)
async def case(town: Town) -> int:
    return await town.case("1", "0258000001", "0258000002")


async def test_what_the_line_told_is_listed_beside_each(town: Town) -> None:
    first = await unclear(town)
    await town.ring_out(await town.phone(1, 2), NOON + timedelta(hours=1))  # clear
    (found,) = await to_look_at(town)
    assert found == Unclear(
        attempt_id=first,
        reference="1",
        phone=1,
        placed_at=NOON,
        outcome="failed",
        cause=127,
        ring_s=None,
        early_media=True,
    )
    other = await Town(town.sessions).open("2026-09b")
    assert await to_look_at(other) == []


async def test_settling_applies_the_rules_again_and_keeps_the_old_result(town: Town) -> None:
    attempt = await unclear(town)
    await settled(town, attempt, "out_of_service")
    assert await to_look_at(town) == []
    assert (await town.phone(1)).status == "closed"
    async with town.sessions.read() as session:
        rows = list(await session.scalars(select(ResultRow).order_by(ResultRow.id)))
    assert [(row.outcome, row.by, row.review) for row in rows] == [
        ("failed", BY_LINE, True),
        ("out_of_service", "管理者", False),
    ]


async def test_keeping_the_outcome_settles_it_too(town: Town) -> None:
    attempt = await unclear(town)
    await settled(town, attempt, "failed")
    assert await to_look_at(town) == []
    with pytest.raises(ConflictError):
        await settled(town, attempt, "failed")


REFUSED = [
    # seconds of ringing, the outcome the rules refuse
    (None, "no_answer"),
    (34.9, "no_answer"),
    (None, "person_done"),  # no script was finished
    (None, "nonsense"),
]


@pytest.mark.parametrize(("ring_s", "outcome"), REFUSED)
async def test_what_the_rules_refuse_is_not_settled(
    town: Town, ring_s: float | None, outcome: str
) -> None:
    attempt = await unclear(town, ring_s=ring_s)
    with pytest.raises(ConflictError):
        await settled(town, attempt, outcome)
    assert len(await to_look_at(town)) == 1


async def test_ringing_long_enough_may_be_settled_as_no_answer(town: Town) -> None:
    attempt = await unclear(town, ring_s=35.0, early_media=False)
    await settled(town, attempt, "no_answer")
    assert (await town.phone(1)).counted == 1


async def test_only_what_is_on_the_list_can_be_settled(town: Town) -> None:
    clear = await town.ring_out(await town.phone(1), NOON)
    with pytest.raises(ConflictError):
        await settled(town, clear, "failed")
    with pytest.raises(NotFoundError):
        await settled(town, "no-such-attempt", "failed")

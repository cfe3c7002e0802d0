"""What happens to calls reaches the database in order, late if it must be, and never twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from db import ledger as db_ledger
from db import operators, seat_changes
from db.errors import DatabaseError
from db.ledger import Change
from db.seat_changes import SeatMove
from db.session import Sessions
from dialer import ledger as ledger_module
from dialer.ledger import LedgerWriter, Readiness, Settlement
from rules.call_outcome import LineOutcome
from rules.call_state import State
from rules.operator_state import State as Doing
from tests.db.town import NOON, OPERATOR, Town


class Troubled:
    """Transactions of a database that is away when it is told to be."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self.away = False
        self.lose_commits = 0
        """So many commits arrive, and nobody is told so."""
        self.tried = 0

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        self.tried += 1
        if self.away:
            raise DatabaseError("away")
        async with self._sessions.write() as session:
            yield session
        if self.lose_commits:
            self.lose_commits -= 1
            raise DatabaseError("away in the middle of a commit")


class Desk:
    """A writer at work, with what it settled in which transaction and whom it told."""

    def __init__(self, sessions: Sessions) -> None:
        self.database = Troubled(sessions)
        self.sessions = sessions
        self.settled_together: list[list[str]] = []
        self.told: list[str] = []
        self.writer = LedgerWriter(self.database, self._settle, self.told.append)

    async def _settle(self, _session: AsyncSession, settled: list[Settlement]) -> None:
        self.settled_together.append([one.attempt for one in settled])

    async def changes(self, attempt: str) -> list[tuple[int, State]]:
        async with self.sessions.read() as session:
            found = await db_ledger.changes_of(session, attempt)
        return [(change.seq, change.state) for change in found]


@asynccontextmanager
async def at_work(desk: Desk) -> AsyncIterator[None]:
    task = asyncio.create_task(desk.writer.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def desk(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(ledger_module, "RETRY_S", 0.01)
    return Desk(sessions)


@pytest.fixture
async def attempt(town: Town) -> str:
    """A call that was placed."""
    return await town.place(await town.phone(await town.case("1", "0258000001")))


def change(attempt: str, seq: int, state: State, **more: object) -> Change:
    return Change(
        attempt_id=attempt, seq=seq, at=NOON + timedelta(seconds=seq), state=state, **more
    )


def settlement(attempt: str, case: int = 1) -> Settlement:
    outcome = LineOutcome(code="no_answer")
    return Settlement(attempt=attempt, case_id=case, campaign_id=1, outcome=outcome)


LIFE = [State.RINGING, State.WAITING, State.JOINING, State.TALKING, State.ENDED]


async def test_what_gathered_is_written_in_order_in_one_transaction(
    desk: Desk, attempt: str
) -> None:
    for seq, state in enumerate(LIFE, start=1):
        desk.writer.add(change(attempt, seq, state))
    async with at_work(desk):
        await desk.writer.flushed()
    assert await desk.changes(attempt) == list(enumerate([State.PLACED, *LIFE]))
    assert desk.database.tried == 1


async def test_more_than_a_batch_is_written_in_order_in_several(
    desk: Desk, attempt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "BATCH", 2)
    for seq, state in enumerate(LIFE, start=1):
        desk.writer.add(change(attempt, seq, state))
    async with at_work(desk):
        await desk.writer.flushed()
    assert await desk.changes(attempt) == list(enumerate([State.PLACED, *LIFE]))
    assert desk.database.tried == 3


async def test_a_database_that_is_away_delays_and_loses_nothing(desk: Desk, attempt: str) -> None:
    desk.database.away = True
    desk.writer.add(change(attempt, 1, State.RINGING))
    async with at_work(desk):
        while desk.database.tried < 3:
            await asyncio.sleep(0.01)
        assert not desk.writer.database_ok
        desk.writer.add(change(attempt, 2, State.ENDED, cause=17))
        desk.writer.add(settlement(attempt))
        assert desk.told == []
        desk.database.away = False
        await asyncio.wait_for(desk.writer.flushed(), 30)
    assert desk.writer.database_ok
    assert [state for _, state in await desk.changes(attempt)] == [
        State.PLACED,
        State.RINGING,
        State.ENDED,
    ]
    assert desk.told == [attempt]


async def test_a_commit_nobody_heard_of_is_written_again_and_changes_nothing(
    desk: Desk, attempt: str
) -> None:
    desk.database.lose_commits = 2
    desk.writer.add(change(attempt, 1, State.RINGING, ring_ms=None))
    desk.writer.add(change(attempt, 2, State.ENDED, cause=17, ring_ms=900))
    async with at_work(desk):
        await asyncio.wait_for(desk.writer.flushed(), 30)
    assert desk.database.tried == 3
    assert await desk.changes(attempt) == list(
        enumerate([State.PLACED, State.RINGING, State.ENDED])
    )


async def test_flushed_waits_for_what_was_added_before_it_and_for_nothing_else(
    desk: Desk, attempt: str
) -> None:
    await asyncio.wait_for(desk.writer.flushed(), 30)  # nothing to wait for
    desk.database.away = True
    desk.writer.add(change(attempt, 1, State.RINGING))
    async with at_work(desk):
        waiting = asyncio.create_task(desk.writer.flushed())
        while desk.database.tried < 2:
            await asyncio.sleep(0.01)
        assert not waiting.done()
        desk.database.away = False
        await asyncio.wait_for(waiting, 30)
        assert await desk.changes(attempt) == [(0, State.PLACED), (1, State.RINGING)]


async def test_an_outcome_is_told_only_once_it_is_committed(desk: Desk, attempt: str) -> None:
    desk.database.lose_commits = 1
    desk.writer.add(settlement(attempt))
    async with at_work(desk):
        await asyncio.wait_for(desk.writer.flushed(), 30)
    assert desk.told == [attempt]
    assert desk.settled_together == [[attempt], [attempt]]  # whoever settles sees it again


async def test_a_calls_changes_are_written_before_its_outcome_is_settled(
    desk: Desk, attempt: str
) -> None:
    """The outcome folds the case, and the folding reads how long it rang."""
    seen: list[int] = []

    async def settle(session: AsyncSession, _settled: list[Settlement]) -> None:
        seen.append(len(await db_ledger.changes_of(session, attempt)))

    desk.writer = LedgerWriter(desk.database, settle, desk.told.append)
    desk.writer.add(settlement(attempt))
    desk.writer.add(change(attempt, 1, State.ENDED, ring_ms=36_000))
    async with at_work(desk):
        await asyncio.wait_for(desk.writer.flushed(), 30)
    assert seen == [2]


@pytest.mark.parametrize("said", [[True], [True, False], [False, True, True]])
async def test_what_an_operator_asked_for_last_is_remembered(
    desk: Desk, town: Town, said: list[bool]
) -> None:
    for ready in said:
        desk.writer.add(Readiness(OPERATOR, ready))
    async with at_work(desk):
        await asyncio.wait_for(desk.writer.flushed(), 30)
    async with town.sessions.read() as session:
        (operator,) = await operators.all_operators(session)
    assert operator.ready is said[-1]


async def test_what_operators_do_is_written_behind_and_once_if_a_commits_answer_was_lost(
    desk: Desk, town: Town
) -> None:
    moves = [
        SeatMove(operator_id=OPERATOR, at=NOON + timedelta(seconds=number), state=state)
        for number, state in enumerate((Doing.FREE, Doing.RINGING_FOR, Doing.TALKING))
    ]
    desk.database.lose_commits = 1
    for move in moves:
        desk.writer.add(move)
    async with at_work(desk):
        await asyncio.wait_for(desk.writer.flushed(), 30)
    async with town.sessions.read() as session:
        found = await seat_changes.between(session, NOON, NOON + timedelta(minutes=1))
    assert found == moves

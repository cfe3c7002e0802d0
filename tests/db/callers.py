"""Invented people who call the town of the tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from db import callbacks
from db.callbacks import Arrived, Moved
from db.tables import ResultRow
from rules.callback_state import State
from tests.db.town import KEYS, NOON, OPERATOR, Town

CALLED = "0258001000"
NUMBER = "0258111111"
_ids = count(1)

Step = tuple[State, float]
"""A state, and how many seconds after the arrival it was entered."""
TALKED: Sequence[Step] = (
    (State.WAITING, 1),
    (State.JOINING, 20),
    (State.TALKING, 21),
    (State.ENDED, 90),
)
GAVE_UP: Sequence[Step] = ((State.WAITING, 1), (State.ENDED, 31))
CUT: Sequence[Step] = (
    (State.ALONE, 1),
    (State.TALKING, 1.006),
    (State.WAITING, 1.01),
    (State.ENDED, 31),
)
"""Joined for an instant, and nobody said anything."""
GUIDANCE: Sequence[Step] = ((State.GUIDANCE, 0), (State.ENDED, 15))
LEFT_MESSAGE: Sequence[Step] = ((State.WAITING, 1), (State.RECORDING, 61), (State.ENDED, 90))
ASKED_BACK: Sequence[Step] = ((State.WAITING, 1), (State.ASKED_BACK, 61), (State.ENDED, 70))


async def calls_us(
    town: Town, steps: Sequence[Step], when: datetime = NOON, number: str | None = NUMBER
) -> str:
    """A callback that went through these states; returns its id."""
    callback_id = f"1790211600.{next(_ids)}"
    arrived = Arrived(
        id=callback_id,
        arrived_at=when,
        called=CALLED,
        number=number,
        number_key=KEYS.number(number) if number else None,
    )
    changes = [
        Moved(
            callback_id=callback_id,
            seq=seq,
            at=when + timedelta(seconds=after_s),
            state=state,
            operator_id=OPERATOR if state is State.TALKING else None,
        )
        for seq, (state, after_s) in enumerate(steps, start=1)
    ]
    async with town.sessions.write() as session:
        await callbacks.take(session, [arrived])
        await callbacks.record(session, changes)
    return callback_id


async def asks_back(
    town: Town, when: datetime = NOON, number: str | None = NUMBER, case_id: int | None = None
) -> str:
    """A caller who pressed the key, by themselves or about a case of theirs."""
    callback_id = await calls_us(town, ASKED_BACK, when, number)
    place = None
    if case_id is not None:
        phone = await town.phone(case_id)
        place = callbacks.Place(campaign_id=town.campaign_id, case_id=case_id, phone_id=phone.id)
    async with town.sessions.write() as session:
        await callbacks.not_reached(session, callback_id, place, at=when, asked=True)
    return callback_id


async def leaves_message(town: Town, when: datetime = NOON) -> str:
    """A caller who left a message of 12 seconds."""
    callback_id = await calls_us(town, LEFT_MESSAGE, when)
    async with town.sessions.write() as session:
        await callbacks.add_message(
            session, callback_id, file=f"{callback_id}.wav", seconds=12, at=when
        )
    return callback_id


async def is_recorded(
    session: AsyncSession, callback_id: str, case_id: int, outcome: str, when: datetime = NOON
) -> None:
    """An operator identified the case and saved a result."""
    await callbacks.identified(session, callback_id, case_id, at=when, by=OPERATOR)
    session.add(
        ResultRow(callback_id=callback_id, case_id=case_id, outcome=outcome, at=when, by=OPERATOR)
    )

"""What callers really hear (§6(2), §8(6), §11(2)オ): a real Asterisk, `yobirin-agi` as a process, the prompts
that ship, a service whose clock jumps, and the sound at the caller's end compared with the files."""

from __future__ import annotations

import asyncio
import shutil
import wave
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from agi.board import read_board
from db import campaigns, ordered_messages
from db.tables import Callback, CallbackChange
from dialer.ami import contract
from rules import sounds
from rules.calendar import JST
from rules.callback_state import State
from scripts.bench.answerer import answering
from scripts.sounds import say, write_prompts
from scripts.town.ears import Ears
from tests.asterisk.pbx import POOL
from tests.asterisk.phone import HOST, Call
from tests.service.rig import CAMPAIGN, Rig, open_house, rig, until_known

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

EXCLUDED = date(2026, 10, 29)
NEW_YEAR = "2027-01"
ORDERED_FROM = datetime(2026, 10, 27, 10, 0, tzinfo=JST)
ORDERED = sounds.ordered(1)
WAIT, PLACE_OF_A_FILE_S = contract.SOUND_WAIT, 0.02


def opens(month: int, day: int, weekday: int) -> tuple[str, ...]:
    """The sentence that says when the centre is open next."""
    return (
        sounds.NEXT_OPEN,
        sounds.month(month),
        sounds.day(day),
        sounds.weekday(weekday),
        sounds.hour(9),
    )


def waits(position: int) -> tuple[str, ...]:
    """What somebody hears who waits."""
    return WAIT, sounds.position(position), sounds.KEYS_BOTH


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A moment; the period of October 2026, then a campaign over new year."""
    return datetime(2027 if month == 1 else 2026, month, day, hour, minute, tzinfo=JST)


GUIDANCE = sounds.GUIDANCE
ASKED = (contract.SOUND_LEAVE_MESSAGE, contract.SOUND_BEEP)
CALLS = [
    # moment, what is heard. Who waits stays on the line, so that the next one is behind them
    (at(10, 26, 8, 30), (GUIDANCE, *opens(10, 26, 0))),  # before opening
    (at(10, 26, 9, 0), ASKED),  # in hours, nobody is logged in
    (at(10, 26, 10, 0), waits(1)),  # in hours
    (at(10, 26, 21, 0), (GUIDANCE, *opens(10, 27, 1))),  # in the evening
    (at(10, 27, 10, 30), (ORDERED, *waits(2))),  # with a message of the city
    (at(10, 27, 21, 30), (ORDERED, *opens(10, 28, 2))),
    (at(10, 29, 11, 0), (GUIDANCE, *opens(10, 30, 4))),  # a day the city took out
    (at(10, 31, 16, 59), waits(3)),  # a Saturday, open until 17
    (at(10, 31, 17, 30), (GUIDANCE, *opens(12, 20, 6))),
    (at(11, 11, 12, 0), (GUIDANCE, *opens(12, 20, 6))),  # between two periods
    (at(1, 1, 11, 0), (GUIDANCE, *opens(1, 4, 0))),  # closed over new year
    (at(1, 11, 11, 0), (GUIDANCE,)),  # after the last period that is known
]
LOGGED_IN_FROM = 2
"""From this call on an operator is logged in."""


@dataclass
class Heard:
    """One call, and what there was to be heard."""

    number: str
    expected: tuple[str, ...]
    line: Call

    def whole(self, folder: Path) -> bool:
        """Whether all of it was sent."""
        return len(self.line.heard) / 8000 >= sum(map(seconds, files(folder, self.expected)))


def files(folder: Path, names: tuple[str, ...]) -> list[Path]:
    return [folder / f"{name}.wav" for name in names]


def seconds(file: Path) -> float:
    with wave.open(str(file)) as sound:
        return sound.getnframes() / sound.getframerate()


@pytest_asyncio.fixture(loop_scope="module")
async def centre() -> AsyncIterator[Rig]:
    """A centre before its first call, with two campaigns and the message the city ordered."""
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(write_prompts))
        made = await stack.enter_async_context(rig(house=house, start=at(10, 26, 8)))
        now = made.clock.now()
        async with made.sessions.write() as session:
            await campaigns.exclude_day(session, CAMPAIGN, EXCLUDED, at=now, by="test")
            await campaigns.create(
                session, NEW_YEAR, profile="nagaoka-r8", period_from=date(2026, 12, 20),
                period_to=date(2027, 1, 10), at=now,
            )  # fmt: skip
            await ordered_messages.order(
                session, None, from_at=ORDERED_FROM, until_at=ORDERED_FROM + timedelta(hours=13),
                at=now, by="test",
            )  # fmt: skip
        words = say("本日は混み合っております。")
        shutil.copyfile(words, made.settings.asterisk.sounds_dir / f"{ORDERED}.wav")
        await made.serve()
        stack.enter_context(answering(made.settings, made.folder))
        yield made


async def published(centre: Rig, moment: datetime) -> None:
    """Go to a moment, and wait for the board to say so."""
    assert centre.service is not None
    centre.clock.jump_to(moment)
    centre.service.board.changed()
    async with asyncio.timeout(30):
        while (board := read_board(centre.settings.agi.board)) is None or board.at < moment:
            await asyncio.sleep(0.02)


async def logged_in(centre: Rig) -> None:
    """An operator at work, who takes no calls now: who calls has to wait."""
    [screen] = await centre.add_operators(1)
    await until_known(centre, 1)
    screen.leg = await centre.house.nailed_up(screen.id)
    await screen.until("paused")


async def call(centre: Rig, n: int, expected: tuple[str, ...]) -> Heard:
    number = f"09012345{n:03}"
    centre.carrier.identity = f"<sip:{number}@{HOST}>"
    status, line = await centre.carrier.call(POOL[n % 2])
    assert status == 200
    return Heard(number, expected, line)


async def on_record(centre: Rig, number: str) -> tuple[list[str], str | None]:
    """The states of a caller, and the sounds of guidance that Asterisk named."""
    async with centre.sessions.read() as session:
        # numbers may be kept enciphered: they are compared here
        rows = await session.scalars(select(Callback))
        [callback] = [row.id for row in rows if row.number == number]
        query = select(CallbackChange).where(CallbackChange.callback_id == callback)
        changes = list(await session.scalars(query.order_by(CallbackChange.seq)))
    told = [change.detail for change in changes if change.state == State.GUIDANCE.value]
    return [change.state for change in changes], told[0] if told else None


async def test_at_twelve_moments_of_a_year_callers_hear_what_is_true_then(centre: Rig) -> None:
    folder = centre.settings.asterisk.sounds_dir
    calls = []
    for n, (moment, expected) in enumerate(CALLS):
        if n == LOGGED_IN_FROM:
            await logged_in(centre)
        await published(centre, moment)
        calls.append(await call(centre, n, expected))
    async with asyncio.timeout(120):
        while not all(one.line.ended.is_set() or one.whole(folder) for one in calls):
            await asyncio.sleep(0.1)
    for one in calls:
        if not one.line.ended.is_set():
            one.line.hang_up()
    await centre.until_ended(len(CALLS))
    ears = Ears({file.stem: file for file in folder.glob("*.wav")})
    for one in calls:
        recording = centre.folder / f"{one.number}.ulaw"
        # a sound has one zero only, the line has two
        recording.write_bytes(one.line.heard.replace(b"\x7f", b"\xff"))
        heard = ears.hear(recording)
        expected_s = sum(map(seconds, files(folder, one.expected)))
        assert heard.sounds[: len(one.expected)] == one.expected, (
            one,
            await on_record(centre, one.number),
            heard,
        )
        assert heard.strange_s < 0.1
        states, told = await on_record(centre, one.number)
        if one.expected[0] in (GUIDANCE, ORDERED) and WAIT not in one.expected:
            assert states == ["guidance", "ended"]
            assert told == "&".join(one.expected)
            assert heard.sounds == one.expected
            whole = len(one.expected) * PLACE_OF_A_FILE_S + 0.1
            assert expected_s - 0.1 < len(recording.read_bytes()) / 8000 < expected_s + whole
        elif one.expected == ASKED:
            assert states == ["recording", "ended"]
        else:
            assert states == ["waiting", "ended"]

"""The service that answers for callers, asked by a real Asterisk."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agi.board import write_board
from agi.settings import AgiSettings
from dialer.ami import contract
from rules.answering import Board, Opening, OrderedMessage, Waiting
from tests.agi.conftest import LONG_STALE_S, nobody_hurries, open_board, running
from tests.asterisk.callbacks import Lobby, lobby
from tests.asterisk.pbx import Pbx
from tests.asterisk.tones import (
    GUIDANCE_HZ,
    KEYS_HZ,
    LEAVE_MESSAGE_HZ,
    ORDERED_HZ,
    OTHER_HZ,
    POSITION_HZ,
    WAIT_HZ,
    heard_in_turn,
)

pytestmark = pytest.mark.asterisk
__all__ = ["nobody_hurries"]


@asynccontextmanager
async def answered_by(pbx: Pbx, board: Board) -> AsyncIterator[Lobby]:
    """With our own service at the port of the settings, and a board that says this."""
    settings = AgiSettings.model_validate(
        {
            "agi": pbx.settings.agi.model_dump(),
            "asterisk": {"sounds_dir": str(pbx.settings.asterisk.sounds_dir)},
        }
    )
    write_board(settings.agi.board, board)
    async with lobby(pbx, at_port=False) as here:
        with running(settings):
            yield here


async def test_in_hours_a_caller_waits_and_hears_their_place(pbx: Pbx) -> None:
    async with answered_by(pbx, open_board()) as here:
        caller, answered = await here.ringing()
        write_board(pbx.settings.agi.board, replace(open_board(), waiting=(Waiting(id=caller.id),)))
        caller.line = await answered
        await caller.line.hears(KEYS_HZ)
        assert heard_in_turn(caller.line.heard)[:2] == [WAIT_HZ, POSITION_HZ]
        caller.line.hang_up()
        assert await here.life(caller) == ["arrived", "waiting", "ended waiting"]


async def test_outside_hours_a_caller_hears_the_citys_message_and_the_next_opening(
    pbx: Pbx,
) -> None:
    now = datetime.now(UTC)
    tomorrow = Opening(start=now + timedelta(days=1), end=now + timedelta(days=2))
    message = OrderedMessage(id=1, sound="ordered-1", from_at=now)
    board = Board(at=now, openings=(tomorrow,), ordered=(message,))
    async with answered_by(pbx, board) as here:
        caller = await here.caller()
        await caller.line.is_over()
        assert heard_in_turn(caller.line.heard) == [ORDERED_HZ, OTHER_HZ]
        _, guidance, ended = await here.life(caller)
        assert guidance.startswith("guidance ordered-1&next-open&month-")
        assert len(guidance.split("&")) == 6
        assert ended == "ended guidance"


async def test_when_nothing_is_known_a_caller_hears_the_guidance(pbx: Pbx) -> None:
    async with answered_by(pbx, Board(at=datetime.now(UTC))) as here:
        caller = await here.caller()
        await caller.line.is_over()
        assert heard_in_turn(caller.line.heard) == [GUIDANCE_HZ]


async def test_when_the_dialer_is_gone_asterisk_goes_on_alone(pbx: Pbx) -> None:
    async with answered_by(pbx, open_board()) as here:
        old = datetime.now(UTC).timestamp() - LONG_STALE_S - 1
        os.utime(pbx.settings.agi.board, (old, old))
        caller = await here.caller()
        await caller.line.hears(LEAVE_MESSAGE_HZ)
        await here.told(caller, contract.STAGE_MESSAGE)
        assert here.stages(caller) == ["arrived", "alone", "message"]

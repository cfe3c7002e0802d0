"""A service that answers in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from agi.board import write_board
from agi.server import Server
from agi.settings import Agi, AgiSettings
from agi.watchdog import Watchdog
from rules import answering
from rules.answering import Board, Opening, Waiting
from tests.agi.asterisk import CALLBACK

LONG_STALE_S = 600.0
"""Seconds after which a board is too old in these tests."""


def settings_in(folder: Path, allowed: str = "127.0.0.0/8") -> AgiSettings:
    """Settings with the board in a folder, and whatever port is free."""
    agi = Agi(board=folder / "board.json", allowed=[IPv4Network(allowed)])
    return AgiSettings(agi=agi.model_copy(update={"port": 0}))


def open_board() -> Board:
    """In hours, somebody is logged in, and our caller is second in line."""
    now = datetime.now(UTC)
    return Board(
        at=now,
        openings=(Opening(start=now - timedelta(hours=1), end=now + timedelta(hours=1)),),
        operators=2,
        waiting=(Waiting(id="1.1"), Waiting(id=CALLBACK, expected_s=100.0)),
    )


class Told(Watchdog):
    """Knows whether the service said that it is ready."""

    def __init__(self) -> None:
        super().__init__()
        self.is_ready = threading.Event()

    def ready(self) -> None:
        self.is_ready.set()


@pytest.fixture(autouse=True)
def nobody_hurries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that is written once in a test is not too old at its end, however slow the machine is."""
    monkeypatch.setattr(answering, "STALE_S", LONG_STALE_S)


@contextmanager
def running(settings: AgiSettings) -> Iterator[int]:
    """The port of a service that answers as long as the block."""
    server = Server(settings)
    with Told() as watchdog:
        thread = threading.Thread(target=server.run, args=(watchdog,))
        thread.start()
        assert watchdog.is_ready.wait(60)
        try:
            yield server.port
        finally:
            server.stop()
            thread.join()


@pytest.fixture
def settings(tmp_path: Path) -> AgiSettings:
    return settings_in(tmp_path)


@pytest.fixture
def port(settings: AgiSettings) -> Iterator[int]:
    """Of a service whose board says: open."""
    write_board(settings.agi.board, open_board())
    with running(settings) as found:
        yield found

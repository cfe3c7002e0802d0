"""What Asterisk is told, for what it asks."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agi import scripts
from agi.board import write_board
from agi.settings import SOUNDS_DIR, AgiSettings
from dialer.ami import contract
from rules.answering import Board, Opening, OrderedMessage
from tests.agi.asterisk import CALLBACK, ask
from tests.agi.conftest import LONG_STALE_S, open_board

ASKED = [
    # script, arguments, do, sounds
    ("callback", (CALLBACK, "0258990001"), "queue", []),
    ("callback", (), "queue", []),
    ("wait", (CALLBACK, "1"), "wait", ["wait-position-2", "wait-minutes-2", "wait-keys-both"]),
    ("wait", (CALLBACK, "0"), "wait", ["wait-position-2", "wait-minutes-2", "wait-keys-message"]),
    ("wait", ("1.1", "1"), "wait", ["wait-position-1", "wait-keys-both"]),
    ("wait", ("2.2", "1"), "wait", ["wait-keys-both"]),  # the service has not heard of them yet
    ("wait", ("../../etc/passwd", "1"), "wait", ["wait-keys-both"]),
    ("wait", (), "wait", ["wait-keys-message"]),
]


def in_folder(*sounds: str) -> str:
    return "&".join(f"{SOUNDS_DIR}/{sound}" for sound in sounds)


@pytest.mark.parametrize(("script", "arguments", "do", "sounds"), ASKED)
def test_each_script_sets_what_to_do_and_what_to_play(
    port: int, script: str, arguments: tuple[str, ...], do: str, sounds: list[str]
) -> None:
    told = ask(port, script, *arguments)
    assert told == {contract.PLAY: in_folder(*sounds), contract.DO: do}
    assert list(told)[-1] == contract.DO, "an answer that breaks off is none"


@pytest.mark.parametrize("script", ["", "callbacks", "../callback", "CALLBACK", "wait/"])
def test_another_script_does_nothing(port: int, script: str) -> None:
    assert ask(port, script, CALLBACK) == {}


def test_each_request_reads_the_board_anew(port: int, settings: AgiSettings) -> None:
    assert ask(port, "callback", CALLBACK)[contract.DO] == "queue"
    write_board(settings.agi.board, Board(at=datetime.now(UTC)))
    assert ask(port, "callback", CALLBACK)[contract.DO] == "guidance"
    settings.agi.board.write_text("{")
    assert ask(port, "callback", CALLBACK)[contract.DO] == "alone"
    settings.agi.board.unlink()
    assert ask(port, "callback", CALLBACK)[contract.DO] == "alone"
    assert ask(port, "wait", CALLBACK, "1")[contract.DO] == "alone"


def test_who_is_not_in_line_yet_is_waited_for_and_hears_their_place(
    port: int, settings: AgiSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator missed them: Asterisk asks in the same instant as it tells the service."""
    monkeypatch.setattr(scripts, "KNOWN_WITHIN_S", 60.0)
    board = open_board()
    write_board(settings.agi.board, replace(board, waiting=()))
    with ThreadPoolExecutor(max_workers=1) as pool:
        told = pool.submit(ask, port, "wait", CALLBACK, "1")
        time.sleep(0.3)  # nothing tells that nothing is answered
        write_board(settings.agi.board, board)
        assert "wait-position-2" in told.result()[contract.PLAY]


def test_a_message_of_the_city_is_played_from_the_same_folder(
    port: int, settings: AgiSettings
) -> None:
    at = datetime.now(UTC)
    opening = Opening(
        start=datetime(at.year + 1, 2, 1, 0, 0, tzinfo=UTC),
        end=datetime(at.year + 2, 1, 1, tzinfo=UTC),
    )
    message = OrderedMessage(id=7, sound="ordered-7", from_at=at)
    write_board(settings.agi.board, Board(at=at, openings=(opening,), ordered=(message,)))
    told = ask(port, "callback", CALLBACK)
    assert told[contract.DO] == "guidance"
    parts = ("ordered-7", "next-open", "month-2", "day-1", f"weekday-{opening.start.weekday()}")
    assert told[contract.PLAY] == in_folder(*parts, "hour-9")


def test_a_board_that_nobody_renews_grows_old_by_the_files_age(
    port: int, settings: AgiSettings
) -> None:
    old = datetime.now(UTC).timestamp() - LONG_STALE_S - 1
    os.utime(settings.agi.board, (old, old))
    assert ask(port, "callback", CALLBACK)[contract.DO] == "alone"
    assert ask(port, "wait", CALLBACK, "1")[contract.DO] == "alone"


def test_a_service_in_a_day_of_its_own_is_answered_for_by_its_own_clock(
    port: int, settings: AgiSettings
) -> None:
    day = datetime(2031, 1, 10, 3, 0, tzinfo=UTC)
    opening = Opening(start=day - timedelta(hours=1), end=day + timedelta(hours=1))
    write_board(settings.agi.board, Board(at=day, openings=(opening,), operators=1))
    assert ask(port, "callback", CALLBACK)[contract.DO] == "queue"


def test_no_log_tells_who_calls(
    port: int, settings: AgiSettings, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_board(settings.agi.board, open_board())
    ask(port, "callback", CALLBACK, "0258990001")
    ask(port, "wait", "0258990123", "1")
    out, err = capfd.readouterr()
    assert '"answered"' in out + err or "answered" in out + err
    assert CALLBACK in out + err
    assert "0258990123" not in out + err
    assert "agi_" not in out + err

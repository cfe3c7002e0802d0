"""The board goes from one process to the other whole, or not at all."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from agi.board import moment_of, read_board, write_board
from rules.answering import Board
from tests.rules.boards import boards

AT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(board=boards())
def test_what_is_written_is_read(tmp_path: Path, board: Board) -> None:
    write_board(tmp_path / "board.json", board)
    assert read_board(tmp_path / "board.json") == board


DAMAGED = [
    b"", b"{", b"null", b"[]", b"{}", b"\xff",
    b'{"at": "2026-11-24T10:00:00"}',  # no offset: nobody knows when that is
    b'{"at": "2026-11-24T10:00:00Z", "operators": "many"}',
    # a sound that is none of ours would be a way into other folders
    b'{"at": "2026-11-24T10:00:00Z", "ordered": [{"id": 1, "sound": "../x",'
    b' "from_at": "2026-11-24T10:00:00Z"}]}',
    b'{"at": "2026-11-24T10:00:00Z", "ordered": [{"id": 1, "sound": "ordered-1\\n",'
    b' "from_at": "2026-11-24T10:00:00Z"}]}',
]  # fmt: skip


@pytest.mark.parametrize("written", DAMAGED)
def test_what_is_damaged_is_no_board(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "board.json"
    path.write_bytes(written)
    assert read_board(path) is None


def test_where_nothing_can_be_read_there_is_no_board(tmp_path: Path) -> None:
    assert read_board(tmp_path / "board.json") is None
    assert read_board(tmp_path) is None


def test_what_a_newer_service_tells_beside_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "board.json"
    path.write_text('{"at": "2026-11-24T10:00:00Z", "weather": "snow"}')
    assert read_board(path) == Board(at=AT)


def test_the_moment_is_the_writers_and_goes_on_with_the_files_age(tmp_path: Path) -> None:
    path = tmp_path / "board.json"
    write_board(path, Board(at=AT))
    assert timedelta(seconds=-0.1) < moment_of(path, Board(at=AT)) - AT < timedelta(minutes=5)
    written = path.stat().st_mtime - 3600
    os.utime(path, (written, written))
    age = moment_of(path, Board(at=AT)) - AT
    assert timedelta(hours=1, seconds=-0.1) < age < timedelta(hours=1, minutes=5)


def test_a_reader_sees_no_half_of_a_board(tmp_path: Path) -> None:
    path = tmp_path / "board.json"
    write_board(path, Board(at=AT))
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            write_board(path, Board(at=AT, operators=number))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = [read_board(path) for _ in range(500)]
    finally:
        stop.set()
        writer.join()
    assert None not in seen
    assert [path.name for path in tmp_path.iterdir()] == ["board.json"]

"""The process that tells Asterisk what callers get (`yobirin-agi`), beside the dialer."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dialer.settings import Settings

_READY_S = 20.0
_END_S = 10.0
_ROOT = Path(__file__).parents[2]


def start_answerer(settings: Settings, folder: Path) -> subprocess.Popen[bytes]:
    """It answers when this returns.

    Args:
        folder: for its part of the settings, and its log.

    Raises:
        TimeoutError: it does not.
    """
    path = folder / "agi.toml"
    path.write_text(_told(settings))
    command = [sys.executable, "-m", "agi", "--settings", str(path)]
    with (folder / "agi.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log, cwd=_ROOT)
    until = time.monotonic() + _READY_S
    while not _listens(settings):
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            raise TimeoutError(f"yobirin-agi does not answer: {(folder / 'agi.log').read_text()}")
        time.sleep(0.05)
    return process


@contextmanager
def answering(settings: Settings, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """It answers as long as the block."""
    process = start_answerer(settings, folder)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _told(settings: Settings) -> str:
    """What it reads of the settings file; strings of JSON are strings of TOML."""
    agi = settings.agi
    return (
        f"[agi]\nhost = {json.dumps(agi.host)}\nport = {agi.port}\n"
        f"board = {json.dumps(str(agi.board))}\n\n"
        f"[asterisk]\nsounds_dir = {json.dumps(str(settings.asterisk.sounds_dir))}\n"
    )


def _listens(settings: Settings) -> bool:
    try:
        # it closes this one without a word: nothing was asked
        socket.create_connection((settings.agi.host, settings.agi.port), timeout=1).close()
    except OSError:
        return False
    return True

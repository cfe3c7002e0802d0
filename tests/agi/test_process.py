"""`yobirin-agi` as systemd starts and stops it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import agi.__main__
from agi.board import write_board
from agi.watchdog import Watchdog
from dialer.ami import contract
from scripts.asterisk.ports import free_port
from tests.agi.asterisk import CALLBACK, ask
from tests.agi.conftest import open_board


@contextmanager
def notified(folder: Path) -> Iterator[socket.socket]:
    """Where systemd hears what a service says of itself."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(folder / "notify"))
        heard.settimeout(60)
        yield heard


def written(folder: Path, port: int) -> Path:
    path = folder / "yobirin.toml"
    path.write_text(f'[agi]\nport = {port}\nboard = "{folder / "board.json"}"\n')
    return path


def command(settings: Path) -> list[str]:
    return [sys.executable, "-m", "agi", "--settings", str(settings)]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_ends_when_told(tmp_path: Path, end: signal.Signals) -> None:
    port = free_port()
    environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
    with (
        notified(tmp_path) as heard,
        subprocess.Popen(
            command(written(tmp_path, port)), env=environment, stderr=subprocess.PIPE
        ) as process,
    ):
        assert heard.recv(100) == b"READY=1"
        write_board(tmp_path / "board.json", open_board())  # not earlier: it grows old
        assert ask(port, "callback", CALLBACK)[contract.DO] == "queue"
        assert heard.recv(100) == b"WATCHDOG=1"
        process.send_signal(end)
        assert process.wait(60) == 0
        assert heard.recv(100) in (b"STOPPING=1", b"WATCHDOG=1")
        assert process.stderr is not None
        told = process.stderr.read().decode()
        assert '"event": "answered"' in told
        assert "Traceback" not in told


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        ("[agi]\nport = 99999\n", 3, "agi.port: Input should be less than"),
        ('[agi]\nhost = "192.0.2.1"\n', 8, "agi.host, agi.port: Cannot assign requested address"),
    ],
)
def test_what_keeps_it_from_starting_is_one_line(
    tmp_path: Path, text: str, status: int, told: str
) -> None:
    path = tmp_path / "yobirin.toml"
    path.write_text(text)
    done = subprocess.run(command(path), capture_output=True, text=True, timeout=60)
    assert done.returncode == status
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_word_to_an_abstract_address_or_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        name = f"yobirin-test-{os.getpid()}"
        heard.bind(f"\0{name}")
        heard.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        with Watchdog() as watchdog:
            watchdog.alive()
        assert heard.recv(100) == b"WATCHDOG=1"
    with Watchdog() as watchdog:
        watchdog.stopping()  # systemd is gone: no reason to fail


def test_the_unit_starts_the_command_that_is_installed() -> None:
    root = Path(__file__).parents[2]
    unit = (root / "docs" / "yobirin-agi.service").read_text(encoding="utf-8")
    started = unit.split("ExecStart=")[1].splitlines()[0].rsplit("/", 1)[1]
    scripts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "scripts"
    ]
    assert scripts[started] == f"{agi.__main__.__name__}:main"

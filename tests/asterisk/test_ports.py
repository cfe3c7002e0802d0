"""Ports for several Asterisks at once."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections import deque
from pathlib import Path

import pytest

from scripts.asterisk import ports
from scripts.asterisk.ports import free_port, free_range

ROOT = Path(__file__).parents[2]


def test_what_is_given_one_after_the_other_does_not_overlap() -> None:
    given = [
        port for _ in range(4) for first in [free_range(300)] for port in range(first, first + 300)
    ]
    given += [free_port() for _ in range(20)]
    assert len(set(given)) == len(given)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_range_with_a_port_in_use_is_not_given(
    kind: socket.SocketKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, free = free_range(10), free_range(10)
    monkeypatch.setattr(ports, "_given", deque())
    looked_at = iter([used, used, free])
    monkeypatch.setattr("random.randrange", lambda *_: next(looked_at))
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", used + 9))
        assert free_range(10) == free


def test_a_range_is_reserved_against_other_processes() -> None:
    taken = free_range(10)
    other = "import sys; from scripts.asterisk import ports; print(ports._reserve(range(%d, %d)))"
    asked = [sys.executable, "-c", other % (taken + 9, taken + 10)]
    said = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said == "False\n"
    asked = [sys.executable, "-c", other % (33000, 33001)]
    said = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said == "True\n"


def test_no_range_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_given", deque([range(20000, 23000)]))
    with pytest.raises(OSError, match="no 15000 free ports"):
        free_range(15000)

"""Tells systemd that we are there, so that it starts us again when we hang (sd_notify)."""

from __future__ import annotations

import os
import socket
from types import TracebackType
from typing import Self


class Watchdog:
    """Says nothing where nobody listens (`NOTIFY_SOCKET` is not set)."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def ready(self) -> None:
        """Requests are answered from now on."""
        self._say(b"READY=1")

    def alive(self) -> None:
        """Not hanging."""
        self._say(b"WATCHDOG=1")

    def stopping(self) -> None:
        """On purpose."""
        self._say(b"STOPPING=1")

    def _say(self, word: bytes) -> None:
        if not self._address:
            return
        address = self._address
        if address.startswith("@"):  # an abstract one
            address = "\0" + address[1:]
        try:
            self._socket.sendto(word, address)
        except OSError:  # then it starts us again
            return

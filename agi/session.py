"""One talk with Asterisk over a socket: pyst2's AGI, held within bounds.

Whatever comes over the line is hostile: its length, its number of lines and its time are limited, and
nothing of it is ever logged or repeated (the caller's number is in it).
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Mapping
from typing import Final

from asterisk.agi import AGI, AGIException

MAX_LINE: Final = 1024
"""Bytes of a line."""
MAX_LINES: Final = 100
"""Lines in all: Asterisk sends about 30, and one for each command."""
_CHUNK: Final = 4096
_PLAIN: Final = re.compile(r"[\w./&+-]*")


class SessionError(Exception):
    """The talk is over: hung up, broken off, too long, or not what Asterisk says. The text tells which, and
    nothing of what was sent."""


class Session:
    """Asterisk's request, and the variables it gets.

    Raises:
        SessionError: from every member, and from the constructor, which reads the request.
    """

    def __init__(self, line: socket.socket, deadline: float) -> None:
        """
        Args:
            deadline: by the steady clock (`time.monotonic`), for all that is read and written.
        """
        self._agi = _Agi(_Lines(line, deadline))
        self.script: str = self._agi.env.get("agi_network_script", "")

    def argument(self, number: int) -> str:
        """An argument of the script, from 1; empty if it was not given."""
        value: str = self._agi.env.get(f"agi_arg_{number}", "")
        return value

    def set_variables(self, values: Mapping[str, str]) -> None:
        """Set variables of the caller's channel, in their order."""
        for name, value in values.items():
            if not _PLAIN.fullmatch(value):
                raise SessionError("a value that cannot be told to Asterisk")
            try:
                self._agi.set_variable(name, value)
            except (AGIException, ValueError) as error:  # ValueError: an answer without a code
                raise SessionError(f"refused ({type(error).__name__})") from None


class _Lines:
    """The socket as the files pyst2 reads and writes."""

    def __init__(self, line: socket.socket, deadline: float) -> None:
        self._line = line
        self._deadline = deadline
        self._read = b""
        self._lines = 0

    def readline(self) -> str:
        """The next line, without its end."""
        while b"\n" not in self._read:
            if len(self._read) > MAX_LINE:
                raise SessionError("a line is too long")
            self._read += self._within(lambda: self._line.recv(_CHUNK)) or _ended()
        found, self._read = self._read.split(b"\n", 1)
        self._lines += 1
        if len(found) > MAX_LINE:
            raise SessionError("a line is too long")
        if self._lines > MAX_LINES:
            raise SessionError("too many lines")
        if found.strip() == b"HANGUP":
            raise SessionError("hung up")
        return found.decode("utf-8", "replace")

    def write(self, text: str) -> None:
        """Send what pyst2 made; it is sent at once."""
        self._within(lambda: self._line.sendall(text.encode()))

    def flush(self) -> None:
        """Nothing is kept back."""

    def _within(self, act: Callable[[], bytes | None]) -> bytes | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise SessionError("too slow")
        try:
            self._line.settimeout(left)
            return act()
        except TimeoutError:
            raise SessionError("too slow") from None
        except OSError:
            raise SessionError("broken off") from None


def _ended() -> bytes:
    raise SessionError("broken off")


class _Nowhere:
    """pyst2 tells all it hears, the caller's number included."""

    def write(self, _text: str) -> None: ...


class _Agi(AGI):  # type: ignore[misc]
    """pyst2's commands over our lines. Its constructor is passed over: it takes SIGHUP, which only the main
    thread may, and prints the whole request."""

    def __init__(self, lines: _Lines) -> None:
        self.stdin = self.stdout = lines
        self.stderr = _Nowhere()
        self.env: dict[str, str] = {}
        self._got_sighup = False
        self._get_agi_env()

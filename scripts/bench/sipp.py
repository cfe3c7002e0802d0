"""SIPp as the other end of the line, and what it saw by its own clock."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from scripts.town.ears import mu_law

_SCENARIOS = Path(__file__).with_name("sipp")
_MANY_CALLS = 5000
_FIELDS = 7
_RATE = 8000
_ROW_HZ, _COLUMNS_HZ = 697, {"1": 1209, "2": 1336, "3": 1477}


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One SIP message as SIPp sent or received it."""

    at: float
    """Seconds since the epoch."""
    sent: bool
    call_id: str
    method: str
    """Of the request, or of the request that a response answers."""
    start: str
    """Its first line."""

    @property
    def number(self) -> str:
        """User part of a request's address: the number called, in an INVITE."""
        return self.start.partition("sip:")[2].partition("@")[0]


def key_tone(key: str) -> bytes:
    """A telephone's key (1–3) as G.711 µ-law: 200 ms of it, and the silence that tells its end."""
    turn = 2 * np.pi * np.arange(int(0.2 * _RATE)) / _RATE
    tone = 6000 * (np.sin(_ROW_HZ * turn) + np.sin(_COLUMNS_HZ[key] * turn))
    return mu_law(tone.astype(np.int32)).tobytes() + b"\xff" * int(0.4 * _RATE)


class Sipp:
    """A running SIPp; ends with its `with` block."""

    def __init__(
        self, scenario: str, folder: Path, port: int, *arguments: str, full: bool = False
    ) -> None:
        """
        Args:
            scenario: name of a file in `scripts/bench/sipp`.
            folder: its logs go here.
            arguments: more for the command line.
            full: log whole messages too (`text`).
        """
        self._log = folder / f"{scenario}.messages.csv"
        self._full_log = folder / f"{scenario}.messages.txt"
        command = [
            "sipp", "-sf", str(_SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1",
            "-mi", "127.0.0.1", "-p", str(port), "-nostdin", "-aa", "-l", str(_MANY_CALLS),
            "-trace_shortmsg", "-shortmessage_file", str(self._log),
            "-trace_err", "-error_file", str(folder / f"{scenario}.errors"),
            *arguments,
        ]  # fmt: skip
        if full:
            command += ["-trace_msg", "-message_file", str(self._full_log)]
        with (folder / f"{scenario}.screen").open("wb") as screen:
            self._process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=screen, stderr=screen
            )

    def running(self) -> bool:
        """Whether it still does its work."""
        return self._process.poll() is None

    def messages(self) -> list[Message]:
        """Everything sent and received so far, in order."""
        return list(_messages(self._log)) if self._log.exists() else []

    def received(self) -> list[str]:
        """Whole messages received so far, in order (`full`)."""
        chunks = re.split(r"^-{20,} .*\n", self._full_log.read_text(), flags=re.M)
        return [chunk.partition("\n\n")[2] for chunk in chunks if " received " in chunk[:40]]

    def stop(self) -> None:
        """End it; calls are left as they are."""
        if self.running():
            self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _messages(log: Path) -> Iterator[Message]:
    with log.open(errors="replace") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if len(fields) == _FIELDS:  # the last line may be half written
                yield Message(
                    at=float(fields[2]),
                    sent=fields[3] == "S",
                    call_id=fields[4],
                    method=fields[5].split()[-1],
                    start=fields[6],
                )

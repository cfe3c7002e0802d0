"""Every call as the carrier saw it. The town's own records: the dialer never sees them."""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TextIO

from scripts.town.people import Behaviour, Heard, Kind


@dataclass(kw_only=True, slots=True)
class CarrierCall:
    """One INVITE. Lengths come from the monotonic clock: the calendar may jump."""

    number: str
    caller_id: str
    """The From user part; empty or a word when none was presented."""
    kind: Kind | None
    nth: int
    """How many calls this number has had, this one included."""
    behaviour: Behaviour
    invited_at: datetime
    invited: float = field(default_factory=time.monotonic)
    ringing: float | None = None
    answered: float | None = None
    ended: float | None = None
    ended_at: datetime | None = None
    rang_until_at: datetime | None = None
    """Calendar time at which the ringing ended, by answer or hang-up."""
    hung_up: bool = False
    """The callee ended the call, not the caller."""
    recorded_s: float | None = None
    """Seconds of message on the answering machine."""

    @property
    def ring_s(self) -> float:
        """Seconds of ringing so far; 0 when it never rang."""
        if self.ringing is None:
            return 0.0
        return (self.answered or self.ended or time.monotonic()) - self.ringing

    @property
    def held_s(self) -> float:
        """Seconds from the answer to the end; 0 when it was never answered."""
        if self.answered is None:
            return 0.0
        return (self.ended or time.monotonic()) - self.answered

    def line(self) -> dict[str, object]:
        """As one line of the ledger's file."""
        return {
            "number": self.number, "caller_id": self.caller_id, "kind": self.kind, "nth": self.nth,
            "invited_at": self.invited_at.isoformat(timespec="milliseconds"),
            "set_up_s": self._since_invite(self.ringing),
            "answered_s": self._since_invite(self.answered),
            "ended_s": self._since_invite(self.ended),
            "ring_s": round(self.ring_s, 3), "heard": self.behaviour.heard,
            "recorded_s": self.recorded_s,
        }  # fmt: skip

    def _since_invite(self, moment: float | None) -> float | None:
        return None if moment is None else round(moment - self.invited, 3)


class Ledger:
    """The calls in the order of their INVITEs; ended ones are also written to a file (0600)."""

    def __init__(self, path: Path) -> None:
        self.calls: list[CarrierCall] = []
        self._live: dict[str, CarrierCall] = {}
        self._latest: dict[str, CarrierCall] = {}
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file: TextIO = os.fdopen(handle, "a", encoding="utf-8")
        self.idle = asyncio.Event()
        """Set while no call stands."""
        self.idle.set()
        self.called_twice_at_once = 0
        """INVITEs to a number that had a call already."""

    def next_call(self, number: str) -> int:
        """Which call to this number the next one is, from 1."""
        latest = self._latest.get(number)
        return latest.nth + 1 if latest else 1

    def begin(self, call: CarrierCall) -> None:
        """An INVITE has come."""
        self._latest[call.number] = call
        self.called_twice_at_once += call.number in self._live
        self.calls.append(call)
        self.idle.clear()
        self._live[call.number] = call

    def end(self, call: CarrierCall, at: datetime) -> None:
        """The call is gone."""
        call.ended = time.monotonic()
        call.ended_at = at
        if call.ringing is not None and call.answered is None:
            call.rang_until_at = at
        if self._live.get(call.number) is call:
            del self._live[call.number]
        if not self._live:
            self.idle.set()
        print(json.dumps(call.line(), ensure_ascii=False), file=self._file, flush=True)

    def heard(self, number: str) -> Heard | None:
        """Who spoke in the latest call to this number: what an operator's ears tell."""
        latest = self._latest.get(number)
        return latest.behaviour.heard if latest else None

    @property
    def in_progress(self) -> tuple[CarrierCall, ...]:
        """All calls that stand now."""
        return tuple(self._live.values())

    def close(self) -> None:
        """Close the file; calls still standing are not in it."""
        self._file.close()

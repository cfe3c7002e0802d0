"""Those of the town who call us: each call from the dialled number to its end, and what they heard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto
from pathlib import Path

from scripts.town.callee import playable
from scripts.town.carrier import Carrier
from scripts.town.ears import Ears, Heard
from scripts.town.fastagi import AgiCall, CallEndedError
from scripts.town.words import CALLER

KEY_AFTER_S = 1.2
"""From the pick-up until whoever wants to press a key has understood that they have to wait."""
BREATH_S = 2.0
"""From the beep that should have come until they speak: it may come later, and is to be heard. After 5 s of
silence the recording would be over."""
GIVES_UP_AFTER_S = 2.0
LONGEST_S = 90.0
"""Nobody stays longer on a line."""
_PICKUP_S = 30.0
_FORMAT = "ulaw"


class Way(StrEnum):
    """What somebody does who calls us."""

    TALKS = auto()
    """Stays until an operator has talked with them."""
    GIVES_UP = auto()
    ASKS_BACK = auto()
    """Presses 1: wants to be called back."""
    LEAVES_MESSAGE = auto()
    """Presses 2, and speaks."""
    LISTENS = auto()
    """Calls while nobody is there, and listens until the end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Somebody who calls us."""

    way: Way
    number: str | None
    """What their telephone shows (digits as dialled in Japan); None: it is withheld."""
    reference: str | None = None
    """整理番号 they tell an operator who asks; None: they are told by their number, or are nobody of ours."""


@dataclass(kw_only=True, slots=True)
class CallIn:
    """One call of theirs. Lengths come from the monotonic clock: the calendar may jump."""

    caller: Caller
    called: str
    dialled_at: datetime
    """Calendar time."""
    dialled: float = field(default_factory=time.monotonic)
    picked_up: float | None = None
    """When the PBX answered; None: it never did."""
    ended: float | None = None
    ended_at: datetime | None = None
    heard: Heard = field(default_factory=Heard)

    @property
    def rang_s(self) -> float:
        """Seconds until the PBX picked up; until the end if it never did."""
        return (self.picked_up or self.ended or time.monotonic()) - self.dialled


class Callers:
    """Calls out of the town into the PBX, on the carrier's Asterisk."""

    def __init__(self, carrier: Carrier, ears: Ears, now: Callable[[], datetime], called: str):
        """
        Args:
            called: the number they saw.
        """
        self._carrier = carrier
        self._ears = ears
        self._now = now
        self._called = called
        self._up: dict[str, asyncio.Event] = {}
        self._over: dict[str, asyncio.Event] = {}
        self.calls: list[CallIn] = []
        """In the order in which they were dialled."""
        carrier.serve("dial", self._on_dial)
        carrier.serve("caller", self._on_pickup)

    def speaking(self, number: str | None) -> Caller | None:
        """Who is on the line with this number, as an operator who asks would be told; None: nobody."""
        for call in reversed(self.calls):
            if call.caller.number == number and call.ended is None:
                return call.caller
        return None

    async def call(self, caller: Caller) -> CallIn:
        """Somebody calls; returns when their call is over."""
        call = CallIn(caller=caller, called=self._called, dialled_at=self._now())
        self.calls.append(call)
        name = str(len(self.calls))
        up = self._up[name] = asyncio.Event()
        over = self._over[name] = asyncio.Event()
        dial = f"channel originate Local/{name}@callers/n extension {name}@calling"
        await asyncio.to_thread(self._carrier.asterisk.cli, dial)
        try:
            await asyncio.wait_for(up.wait(), _PICKUP_S)
            await over.wait()
        except TimeoutError:
            pass  # nobody picked up
        finally:
            call.ended, call.ended_at = time.monotonic(), self._now()
        recordings = sorted(self._folder.glob(f"{name}-*.{_FORMAT}"))
        call.heard = await asyncio.to_thread(self._ears.hear, *recordings)
        return call

    @property
    def _folder(self) -> Path:
        return self._carrier.recordings

    async def _on_dial(self, line: AgiCall) -> None:
        """The half of the line that dials: whose number does it show, and which does it call?"""
        call = self.calls[int(line.variables["agi_extension"]) - 1]
        if call.caller.number is None:
            await line.execute("Set", "CALLERID(pres)=prohib")
        else:
            await line.command(f"SET CALLERID {call.caller.number}")
        await line.command(f"SET VARIABLE TOWN_CALLED {call.called}")
        call.dialled, call.dialled_at = time.monotonic(), self._now()

    async def _on_pickup(self, line: AgiCall) -> None:
        name = line.variables["agi_extension"]
        call = self.calls[int(name) - 1]
        call.picked_up = time.monotonic()
        self._up[name].set()
        greeting_s = self._ears.length_s("leave-message") + self._ears.length_s("beep")
        ear = _Ear(line, self._folder / name, greeting_s)
        try:
            await _WAYS[call.caller.way](ear)
        except CallEndedError:
            pass
        finally:
            self._over[name].set()


class _Ear:
    """The caller's end of the line."""

    def __init__(self, line: AgiCall, recordings: Path, greeting_s: float) -> None:
        self._line = line
        self.greeting_s = greeting_s
        """Seconds until a message may begin."""
        self._recordings = recordings
        self._pieces = 0

    async def listen(self, seconds: float) -> None:
        """Listen so long; what is heard is recorded."""
        self._pieces += 1
        file = self._recordings.with_name(f"{self._recordings.name}-{self._pieces}")
        await self._line.command(f'RECORD FILE "{file}" {_FORMAT} "" {seconds * 1000:.0f}')

    async def press(self, key: str) -> None:
        """Press a key of the telephone."""
        await self._line.execute("SendDTMF", key)

    async def speak(self) -> None:
        """Say what a message says."""
        await self._line.command(f'STREAM FILE "{playable(CALLER)}" ""')


async def _to_the_end(ear: _Ear) -> None:
    await ear.listen(LONGEST_S)


async def _gives_up(ear: _Ear) -> None:
    await ear.listen(GIVES_UP_AFTER_S)


async def _asks_back(ear: _Ear) -> None:
    await ear.listen(KEY_AFTER_S)
    await ear.press("1")
    await ear.listen(LONGEST_S)


async def _leaves_message(ear: _Ear) -> None:
    await ear.listen(KEY_AFTER_S)
    await ear.press("2")
    await ear.listen(ear.greeting_s + BREATH_S)
    await ear.speak()
    await ear.press("#")
    await ear.listen(LONGEST_S)


_WAYS = {
    Way.TALKS: _to_the_end,
    Way.GIVES_UP: _gives_up,
    Way.ASKS_BACK: _asks_back,
    Way.LEAVES_MESSAGE: _leaves_message,
    Way.LISTENS: _to_the_end,
}

"""The people's side of one call: ringing, picking up, speaking, hanging up."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from scripts.sounds import say
from scripts.town.fastagi import AgiCall
from scripts.town.ledger import CarrierCall
from scripts.town.people import Heard, Line
from scripts.town.words import CALLER, FIRST_WORDS, OPERATOR, SUSPENDED

# Q.850 causes with which the network or the callee ends a call.
NORMAL, BUSY, NO_ANSWER, UNASSIGNED = 16, 17, 19, 1
UNSPECIFIED = 31
"""How a carrier ends a call after an announcement that is no answer."""

PATIENCE_S = 60.0
"""How long a person stays in a talk; the network lets ring twice as long."""
SHORT_PATIENCE_S = 2.5
"""How long one who does not want to talk stays after the first words."""
LONGEST_MESSAGE_S = 60
"""How long the answering machine records."""
_CED = "!2100/3000,!0/400"  # ITU-T T.30: the called fax machine's tone
_BEEP = "!1000/700,!0/100"


def prepare_words() -> None:
    """Synthesise all that is said in the town (kept in the cache): calls must not wait for it."""
    for words in (*FIRST_WORDS.values(), SUSPENDED, OPERATOR, CALLER):
        say(words)


def playable(words: str) -> str:
    """The file of spoken words as Asterisk names it: without its ending."""
    return str(say(words).with_suffix(""))


class Callee:
    """Acts out the behaviour of one call and notes in the ledger's entry what happened when."""

    def __init__(
        self, call: AgiCall, noted: CarrierCall, now: Callable[[], datetime], recording: Path
    ) -> None:
        self._call = call
        self._noted = noted
        self._now = now
        self._recording = recording

    async def act(self) -> None:
        """From the INVITE to the end; raises CallEndedError when the caller hung up."""
        behaviour = self._noted.behaviour
        await self._call.wait(behaviour.first_ring_s)
        await {
            Line.RINGS: self._ring,
            Line.BUSY: lambda: self._call.hang_up(BUSY),
            Line.UNASSIGNED: lambda: self._call.hang_up(UNASSIGNED),
            Line.SUSPENDED: self._announce_suspension,
        }[behaviour.line]()

    async def _announce_suspension(self) -> None:
        await self._call.execute("Progress")
        await self._call.execute("Playback", f"{playable(SUSPENDED)},noanswer")
        await self._call.hang_up(UNSPECIFIED)

    async def _ring(self) -> None:
        await self._call.execute("Ringing")
        self._noted.ringing = time.monotonic()
        if self._noted.behaviour.pickup_s is None:
            await self._call.wait(2 * PATIENCE_S)
            await self._call.hang_up(NO_ANSWER)
            return
        await self._call.wait(self._noted.behaviour.pickup_s)
        self._noted.answered = time.monotonic()  # Asterisk's ANSWER returns with the first audio
        self._noted.rang_until_at = self._now()
        await self._call.command("ANSWER")
        await self._talk()
        self._noted.hung_up = True
        await self._call.hang_up(NORMAL)

    async def _talk(self) -> None:
        heard = self._noted.behaviour.heard
        if heard in FIRST_WORDS:
            await self._call.command(f'STREAM FILE "{playable(FIRST_WORDS[heard])}" ""')
        if heard is Heard.MACHINE:
            await self._record()
        elif heard is Heard.FAX:
            await self._call.execute("PlayTones", _CED)
            await self._call.wait(PATIENCE_S)
        elif heard is Heard.NOBODY:
            await self._call.wait(0.2)
        elif heard in (Heard.PERSON_REFUSING, Heard.PERSON_IN_A_HURRY):
            await self._call.wait(SHORT_PATIENCE_S)
        else:
            await self._call.wait(PATIENCE_S)

    async def _record(self) -> None:
        await self._call.execute("PlayTones", _BEEP)
        await self._call.wait(0.8)
        await self._call.execute("StopPlayTones")
        file = self._recording
        command = f'RECORD FILE "{file.with_suffix("")}" wav "" {LONGEST_MESSAGE_S * 1000}'
        try:
            await self._call.command(command)
        finally:
            self._noted.recorded_s = audible_s(file)


def audible_s(recording: Path) -> float:
    """Seconds of a recording (8 kHz, 16 bit, WAV) in which something is heard; 0 without a file."""
    if not recording.exists():
        return 0.0
    samples = array("h", recording.read_bytes()[44:])
    frames = (samples[i : i + 160] for i in range(0, len(samples), 160))  # 20 ms each
    return sum(max(map(abs, frame)) > 500 for frame in frames) * 0.02

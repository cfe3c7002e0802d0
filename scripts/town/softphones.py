"""The operators' telephones: registered at the PBX, logged in with `*1`, nailed up, dialled again
whenever they drop."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from scripts.asterisk.instance import RunningAsterisk
from scripts.town.callee import playable
from scripts.town.fastagi import AgiCall, CallEndedError

_DIAL_S = 5.0
"""Longest wait for the PBX to pick up before dialling again, in seconds."""
_REST_S = 0.5
"""Pause before dialling again after a drop, in seconds."""


class Softphone:
    """One operator's telephone, on the carrier's Asterisk."""

    def __init__(self, extension: str) -> None:
        self.extension = extension
        self._picked_up = asyncio.Event()
        self._line: AgiCall | None = None

    async def stay_logged_in(self, asterisk: RunningAsterisk) -> None:
        """Dial `*1` and stay on the line, again and again; until cancelled."""
        dial = (
            f"channel originate PJSIP/*1@softphone{self.extension} "
            f"extension {self.extension}@operators"
        )
        while True:
            with suppress(OSError, TimeoutError):
                await asyncio.to_thread(asterisk.cli, dial)
                await asyncio.wait_for(self._picked_up.wait(), _DIAL_S)
            if self._line is not None:
                await self._line.ended_within(None)
            await asyncio.sleep(_REST_S)

    async def picked_up(self, call: AgiCall) -> None:
        """The PBX has picked up: keep the line until it drops."""
        self._line = call
        self._picked_up.set()
        try:
            await call.ended_within(None)
        finally:
            self._picked_up.clear()
            self._line = None

    async def say(self, words: str) -> None:
        """Speak into the telephone; nothing is heard when the line is down."""
        line = self._line
        if line is not None:
            with suppress(CallEndedError):
                await line.command(f'STREAM FILE "{playable(words)}" ""')


class Softphones:
    """All of them, by extension."""

    def __init__(self, extensions: list[str]) -> None:
        self.by_extension = {extension: Softphone(extension) for extension in extensions}

    async def on_pickup(self, call: AgiCall) -> None:
        """Handler of the carrier's script `operator`."""
        await self.by_extension[call.variables["agi_extension"]].picked_up(call)

    async def stay_logged_in(self, asterisk: RunningAsterisk) -> None:
        """Keep all of them logged in; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for softphone in self.by_extension.values():
                tasks.create_task(softphone.stay_logged_in(asterisk))

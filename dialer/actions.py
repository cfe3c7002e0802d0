"""Actions on lines that nobody waits for: what fails here shows as a fact, or is found by recovery."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import structlog

from dialer.ami import contract, handover
from dialer.ami.link import Link, Value
from dialer.errors import AmiError

HANG_UP_AGAIN_S = 0.3
"""A phone that rings on is silenced within a second of a stop order all the same (rule 8)."""

_log = structlog.get_logger()


class Actions:
    """Carries them out, beside whatever else is going on."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, job: Coroutine[None, None, None]) -> None:
        """Do it meanwhile."""
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def send(self, action: dict[str, Value]) -> None:
        """Send it once."""
        self.start(self._send(action))

    def hang_up(self, channel: str, is_wanted: Callable[[], bool]) -> None:
        """End a line, again and again while it is wanted: a Hangup may overtake the birth of its channel, or
        fall into a link that is down, and the phone would go on ringing."""
        self.start(self._hang_up(channel, is_wanted))

    def ask_for_leg(self, operator: str, ready: Callable[[str], None]) -> None:
        """An operator's leg that missed somebody may have become ready in the same instant, unheard."""
        self.start(self._ask_for_leg(operator, ready))

    async def _send(self, action: dict[str, Value]) -> None:
        try:
            await self._link.act(action)
        except AmiError as error:
            # the channel may just have gone: its Hangup is on its way
            channel = action.get("Channel") or action.get("Key")
            _log.info("action_failed", action=action["Action"], channel=channel, error=error)

    async def _hang_up(self, channel: str, is_wanted: Callable[[], bool]) -> None:
        while is_wanted():
            await self._send(handover.hang_up(channel))
            await asyncio.sleep(HANG_UP_AGAIN_S)

    async def _ask_for_leg(self, operator: str, ready: Callable[[str], None]) -> None:
        variable = f"DEVICE_STATE({contract.AGENT_DEVICE}{operator})"
        try:
            answer = await self._link.act({"Action": "Getvar", "Variable": variable})
        except AmiError as error:
            _log.info("action_failed", action="Getvar", error=error)
            return
        if answer[0].value == "NOT_INUSE":
            ready(operator)

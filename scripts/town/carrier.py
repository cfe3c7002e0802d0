"""The carrier: a second Asterisk at whose end of the trunk the town's people live.

It knows the PBX by its address and accepts every call from there. The operators' softphones are
endpoints of the same Asterisk, at an address of their own (the PBX tells them from the trunk by it).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import jinja2

from scripts.asterisk.instance import RunningAsterisk, start_asterisk
from scripts.asterisk.ports import free_range
from scripts.town.callee import Callee, prepare_words
from scripts.town.fastagi import AgiCall, FastAgiServer, Handler
from scripts.town.ledger import CarrierCall, Ledger
from scripts.town.people import People

ADDRESS = "127.0.0.1"
SOFTPHONES_ADDRESS = "127.0.0.2"
_RTP_PORTS = 400
_TEMPLATES = Path(__file__).parent / "conf"


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """Where the PBX is, and the softphones' secrets there by extension."""

    host: str
    sip_port: int
    secrets: dict[str, str]


class Carrier:
    """The carrier's Asterisk with the town behind it; runs inside `async with`."""

    def __init__(
        self,
        town: People,
        now: Callable[[], datetime],
        work_dir: Path,
        sip_port: int,
        exchange: Exchange | None = None,
    ) -> None:
        """
        Args:
            now: the calendar the people live by (Japan time).
            work_dir: an empty folder, or one to be made.
            exchange: where the operators' softphones log in; None: there are none.
        """
        work_dir.mkdir(exist_ok=True)
        self.sip_port = sip_port
        self.ledger = Ledger(work_dir / "ledger.jsonl")
        self.recordings = work_dir / "recordings"
        """What was left on the answering machines."""
        self.recordings.mkdir()
        self._town = town
        self._now = now
        self._work_dir = work_dir
        self._exchange = exchange
        self._stack = AsyncExitStack()
        self._scripts: dict[str, Handler] = {"person": self._on_call}
        self.asterisk: RunningAsterisk

    def serve(self, script: str, handler: Handler) -> None:
        """Give the calls that the dialplan sends to `agi://…/<script>` to a handler."""
        self._scripts[script] = handler

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(prepare_words)
        server = await self._stack.enter_async_context(FastAgiServer(self._scripts))
        conf_dir = self._work_dir / "conf"
        render(conf_dir, self._values(server.port))
        self.asterisk = await asyncio.to_thread(start_asterisk, conf_dir, self._work_dir)
        self._stack.push_async_callback(asyncio.to_thread, self.asterisk.stop)
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._stack.aclose()
        self.ledger.close()

    def _values(self, agi_port: int) -> dict[str, object]:
        return {
            "work_dir": self._work_dir,
            "address": ADDRESS,
            "softphones_address": SOFTPHONES_ADDRESS,
            "sip_port": self.sip_port,
            "rtp_start": (first := free_range(_RTP_PORTS)),
            "rtp_end": first + _RTP_PORTS - 1,
            "agi_port": agi_port,
            "exchange": self._exchange,
        }

    async def _on_call(self, call: AgiCall) -> None:
        number = call.variables["agi_extension"]
        nth, now = self.ledger.next_call(number), self._now()
        noted = CarrierCall(
            number=number,
            caller_id=call.variables["agi_callerid"],
            kind=self._town.kinds.get(number),
            nth=nth,
            behaviour=self._town.behaviour(number, now, nth),
            invited_at=now,
        )
        self.ledger.begin(noted)
        recording = self.recordings / f"{len(self.ledger.calls)}.wav"
        try:
            await Callee(call, noted, self._now, recording).act()
        finally:
            self.ledger.end(noted, self._now())


def render(conf_dir: Path, values: dict[str, object]) -> None:
    """Write the carrier's configuration; readable by nobody else, for it has the softphones' secrets."""
    conf_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    for name in templates.list_templates():
        (conf_dir / name).write_text(templates.get_template(name).render(values))

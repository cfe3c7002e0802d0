"""Callers, somebody who answers Asterisk's questions about them, and what is told of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count
from pathlib import Path

from dialer.ami import contract
from dialer.settings import Settings
from rules.answering import Do
from tests.asterisk.pbx import POOL, Pbx
from tests.asterisk.phone import HOST, WAIT_S, Call
from tests.asterisk.room import Room, room
from tests.asterisk.tones import PERSON_HZ

_numbers = count(1)


class Way(Enum):
    """How the one who is asked behaves."""

    ANSWERS = auto()
    CLOSES = auto()
    """Without a word."""
    HANGS = auto()
    """Never says anything, and never closes."""
    RAVES = auto()
    """Says what is no answer."""
    DIES_HALFWAY = auto()
    """Says that something is to be played, and not what."""


@dataclass
class Answerer:
    """Answers as it is told to; everything it was asked is kept."""

    sounds_dir: Path
    way: Way = Way.ANSWERS
    arrived: tuple[str, Sequence[str]] = (Do.QUEUE, ())
    waiting: tuple[str, Sequence[str]] = (Do.WAIT, ())
    asked: list[tuple[str, ...]] = field(default_factory=list)
    """Script and arguments of each question."""
    asked_at: list[float] = field(default_factory=list)
    """When each was read, before it was answered."""
    shown: list[str] = field(default_factory=list)
    """The number of the caller with each question."""
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question."""
        self._writers.add(writer)
        try:
            await self._answer(await self._question(reader), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def begin_anew(self) -> None:
        """Answer again, and forget what was asked."""
        self.way = Way.ANSWERS
        self.asked.clear()
        self.asked_at.clear()

    def close(self) -> None:
        """End every conversation."""
        for writer in self._writers:
            writer.close()

    async def _question(self, reader: asyncio.StreamReader) -> str:
        told = (await reader.readuntil(b"\n\n")).decode()
        pairs = dict(line.split(": ", 1) for line in told.splitlines() if ": " in line)
        script = pairs["agi_network_script"]
        arguments = (pairs[f"agi_arg_{i}"] for i in (1, 2))
        self.asked.append((script, *arguments))
        self.asked_at.append(time.monotonic())
        self.shown.append(pairs["agi_callerid"])
        assert pairs["agi_calleridname"] == "unknown"
        return script

    async def _answer(
        self, script: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        match self.way:
            case Way.ANSWERS:
                do, play = self.arrived if script == contract.AGI_ARRIVED else self.waiting
                await self._set(reader, writer, contract.DO, do)
                paths = "&".join(f"{self.sounds_dir}/{name}" for name in play)
                await self._set(reader, writer, contract.PLAY, paths)
            case Way.HANGS:
                await reader.read(-1)
            case Way.RAVES:
                writer.write(b"\x00\xff what\n" * 20)
                await self._set(reader, writer, contract.DO, '"] & $[ "')
                await self._set(reader, writer, contract.PLAY, "nothing,x)&/etc/passwd&${EPOCH}")
            case Way.DIES_HALFWAY:
                await self._set(reader, writer, contract.DO, Do.GUIDANCE)

    @staticmethod
    async def _set(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str, value: str
    ) -> None:
        quoted = value.replace('"', '\\"')
        writer.write(f'SET VARIABLE {name} "{quoted}"\n'.encode())
        await reader.readline()


@dataclass
class Caller:
    """Somebody who called."""

    id: str
    number: str
    line: Call = field(init=False)
    """Once it is answered."""


@dataclass
class Lobby:
    """Where callers arrive."""

    place: Room
    answerer: Answerer
    server: asyncio.Server
    """At the port where the answerer is asked."""

    async def caller(self, called: str = POOL[0]) -> Caller:
        """A new caller, who was answered and speaks."""
        caller, answered = await self.ringing(called)
        caller.line = await answered
        return caller

    async def ringing(self, called: str = POOL[0]) -> tuple[Caller, asyncio.Task[Call]]:
        """A new caller, and the line as soon as it is answered."""
        number = f"0609999{next(_numbers):04}"
        self.place.carrier.identity = f"<sip:{number}@{HOST}>"
        answered = asyncio.create_task(self.answered(called))
        return await self.arrived(number), answered

    async def withheld(self, called: str = POOL[0]) -> Caller:
        """A new caller who does not show a number."""
        self.place.carrier.identity = '"Anonymous" <sip:anonymous@anonymous.invalid>'
        line = await self.answered(called)
        caller = await self.arrived("")
        caller.line = line
        return caller

    async def arrived(self, number: str) -> Caller:
        """Who calls from this number, not answered yet."""
        event = await self.place.event(
            "UserEvent",
            userevent=contract.EVENT_CALLBACK,
            stage=contract.STAGE_ARRIVED,
            number=number,
        )
        return Caller(str(event.callback), number)

    async def answered(self, called: str = POOL[0]) -> Call:
        """The line of a new caller, who speaks."""
        status, line = await self.place.carrier.call(called)
        assert status == 200
        line.speaks = PERSON_HZ
        return line

    async def told(self, caller: Caller, stage: str, detail: str = "") -> None:
        """Wait until a stage is told."""
        await self.place.event(
            "UserEvent",
            userevent=contract.EVENT_CALLBACK,
            callback=caller.id,
            stage=stage,
            detail=detail,
        )

    async def asked(self, script: str, times: int = 1) -> None:
        """Wait until a question was asked so many times."""
        async with asyncio.timeout(WAIT_S):
            while sum(question[0] == script for question in self.answerer.asked) < times:
                await asyncio.sleep(0.005)

    def stages(self, caller: Caller) -> list[str]:
        """Those that were told until now, in order, with their details."""
        return [
            f"{event.stage} {event.detail}".strip()
            for event in self.place.seen
            if event.event == "UserEvent"
            and event.userevent == contract.EVENT_CALLBACK
            and event.callback == caller.id
        ]

    async def life(self, caller: Caller) -> list[str]:
        """All its stages, once it has ended and Asterisk has told so."""
        await self.place.event("Hangup", uniqueid=caller.id)
        return self.stages(caller)

    async def connect(self, caller: Caller, agent: str) -> None:
        """What the service does when an operator is free."""
        await self.place.redirect(caller.id, contract.CALLBACK_CONNECT, agent)

    async def bridged(self, caller: Caller, agent: str) -> None:
        """Wait until the caller is joined with the agent."""
        await self.place.event(contract.EVENT_CONNECTED, uniqueid=caller.id, connectedlinenum=agent)

    async def journal(self, caller: Caller) -> list[str]:
        """The parts of what Asterisk's own database says."""
        shown = await self.place.link.act(
            {"Action": "DBGetTree", "Family": contract.CALLBACK_JOURNAL}
        )
        wanted = f"/{contract.CALLBACK_JOURNAL}/{caller.id}"
        return next((str(m.val).split("|") for m in shown if m.key == wanted), [])


@asynccontextmanager
async def answering(
    settings: Settings, *, at_port: bool = True
) -> AsyncIterator[tuple[Answerer, asyncio.Server]]:
    """Somebody who is asked at the port of the settings; else it is left to somebody else."""
    answerer = Answerer(settings.asterisk.sounds_dir)
    port = settings.agi.port if at_port else 0
    server = await asyncio.start_server(answerer.serve, HOST, port)
    try:
        yield answerer, server
    finally:
        answerer.close()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def lobby(pbx: Pbx, *, at_port: bool = True) -> AsyncIterator[Lobby]:
    """With somebody who answers at the port of the settings; else that is left to somebody else."""
    asked = answering(pbx.settings, at_port=at_port)
    async with asked as (answerer, server), room(pbx) as place:
        yield Lobby(place, answerer, server)

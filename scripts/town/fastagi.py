"""The carrier's Asterisk asks us what to do with a call: FastAGI on asyncio streams.

Asterisk connects, sends its variables, carries out one command after another, and writes `HANGUP`
at the moment the other side is gone. Only what the town needs is here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Self

_ANSWER = re.compile(r"(?P<code>\d{3}) result=(?P<result>-?\d+)(?: \((?P<value>.*)\))?")


class CallEndedError(Exception):
    """The other side hung up, or the call is gone."""


class AgiCall:
    """One call, while Asterisk asks us."""

    def __init__(
        self,
        variables: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.variables = variables
        """`agi_extension`, `agi_callerid`, `agi_arg_1` …"""
        self._writer = writer
        self._ended = asyncio.Event()
        self._answers: asyncio.Queue[str | None] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read(reader))

    @classmethod
    async def accept(cls, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Self:
        """Read the variables that Asterisk sends first."""
        variables = {}
        while line := (await reader.readline()).decode(errors="replace").strip():
            name, _, value = line.partition(": ")
            variables[name] = value
        return cls(variables, reader, writer)

    async def command(self, words: str) -> str:
        """Carry out one AGI command and return its value in brackets, if any.

        Raises:
            CallEndedError: the call is gone.
        """
        if self._ended.is_set():
            raise CallEndedError
        self._writer.write(f"{words}\n".encode())
        answer = _ANSWER.match(await self._answers.get() or "")
        if answer is None or answer["code"] != "200" or answer["result"] == "-1":
            raise CallEndedError
        return answer["value"] or ""

    async def variable(self, expression: str) -> str:
        """Evaluate a dialplan expression such as `${PJSIP_HEADER(read,Privacy)}`."""
        return await self.command(f'GET FULL VARIABLE "{expression}"')

    async def execute(self, application: str, arguments: str = "") -> None:
        """Execute a dialplan application."""
        await self.command(f'EXEC {application} "{arguments}"')

    async def wait(self, seconds: float) -> None:
        """Wait while the line stands.

        Raises:
            CallEndedError: the other side hung up before the time was over.
        """
        if await self.ended_within(seconds):
            raise CallEndedError

    async def ended_within(self, seconds: float | None) -> bool:
        """Wait until the call is gone, at most so long; whether it is gone."""
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def hang_up(self, cause: int) -> None:
        """End the call with a Q.850 cause: the dialplan does it once we let go."""
        await self.command(f"SET VARIABLE TOWN_CAUSE {cause}")

    async def close(self) -> None:
        """Let go of the call: the dialplan goes on, to its Hangup."""
        self._writer.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                if line.startswith(b"HANGUP"):
                    self._ended.set()
                else:
                    self._answers.put_nowait(line.decode(errors="replace").strip())
        except ConnectionError:
            pass  # Asterisk went down: the call is gone as well
        finally:
            self._ended.set()
            self._answers.put_nowait(None)


Handler = Callable[[AgiCall], Awaitable[None]]


class FastAgiServer:
    """Listens on 127.0.0.1 at a port of its own choice and gives every call to its handler."""

    def __init__(self, scripts: dict[str, Handler]) -> None:
        """`scripts`: handlers by the path in `agi://127.0.0.1:PORT/<path>`."""
        self._scripts = scripts
        self._calls: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._server.close()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        call = await AgiCall.accept(reader, writer)
        try:
            await self._scripts[call.variables["agi_network_script"]](call)
        except CallEndedError:
            pass
        finally:
            await call.close()

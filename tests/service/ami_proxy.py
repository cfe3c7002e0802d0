"""The wire between the dialer and Asterisk's manager, which can be cut, and can stand still."""

from __future__ import annotations

import asyncio
from typing import Self


class AmiProxy:
    """Runs inside `async with`; forwards a port of its own to the manager's."""

    def __init__(self, port: int, to_port: int) -> None:
        self.port = port
        self._to_port = to_port
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_failure: object) -> None:
        self._server.close()
        self.cut()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection; new ones are taken."""
        for writer in self._writers:
            writer.transport.abort()

    def stall(self) -> None:
        """What is sent from now on arrives when it flows again, even if its sender has gone."""
        self._flows.clear()

    def resume(self) -> None:
        """Flow again."""
        self._flows.set()

    async def _connected(
        self, dialer_in: asyncio.StreamReader, dialer_out: asyncio.StreamWriter
    ) -> None:
        try:
            manager_in, manager_out = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            dialer_out.transport.abort()
            return
        self._pump(dialer_in, manager_out)
        self._pump(manager_in, dialer_out)

    def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.create_task(self._forward(reader, writer))
        self._pumps.add(task)
        task.add_done_callback(self._pumps.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

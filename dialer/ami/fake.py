"""A manager interface for tests: speaks Asterisk's protocol, writes down what it is sent, and can refuse,
stay silent or cut the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Self

from dialer.settings import Ami

SECRET = "secret-of-the-fake"  # noqa: S105 (it opens nothing)
_EOL, _END = "\r\n", b"\r\n\r\n"

Headers = list[tuple[str, str]]


class FakeAsterisk:
    """Runs inside `async with`, on a free port of 127.0.0.1."""

    def __init__(self) -> None:
        self.ami: Ami
        """Where to find it."""
        self.wire = bytearray()
        """Every byte received, of all connections."""
        self.received: list[Headers] = []
        """The actions received, logins included, in order; each as its lines in order."""
        self.logins = 0
        self.silent = False
        """No action is answered, not even a ping."""
        self.refuses: set[str] = set()
        """Names of the actions answered with an error."""
        self.lists: dict[str, list[Mapping[str, str]]] = {}
        """By name of an action: the events it is answered with. An empty list is a list without any."""
        self._writers: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Condition()
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1")
        self.ami = Ami(port=self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_failure: object) -> None:
        self._server.close()
        self.cut()
        await self._until(lambda: not self._writers)

    @property
    def connections(self) -> int:
        """How many are connected now."""
        return len(self._writers)

    def cut(self) -> None:
        """Break every connection without a word; new ones are taken."""
        for writer in self._writers:
            writer.transport.abort()

    def tell(self, event: str, **headers: str) -> None:
        """Send an event to everybody who is connected."""
        self._send([("Event", event), *headers.items()])

    def actions(self, name: str) -> list[dict[str, str]]:
        """The actions of this name received so far (of a repeated header the last)."""
        return [dict(lines) for lines in self.received if ("Action", name) in lines]

    async def until(self, name: str, count: int = 1, within_s: float = 30.0) -> dict[str, str]:
        """Wait until `count` actions of this name have come; return the last of them."""
        async with asyncio.timeout(within_s):
            await self._until(lambda: len(self.actions(name)) >= count)
        return self.actions(name)[count - 1]

    async def _until(self, done: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(done)

    async def _tell_waiters(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                data = await reader.readuntil(_END)
                self.wire += data
                await self._take(data.decode(), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()
            await self._tell_waiters()

    async def _take(self, text: str, writer: asyncio.StreamWriter) -> None:
        lines = [(name, value) for name, _, value in _split(text.split(_EOL))]
        self.received.append(lines)
        if not self.silent:
            for answer in self._answers(dict(lines)):
                writer.write(_line_up(answer))
        await self._tell_waiters()

    def _answers(self, action: Mapping[str, str]) -> Iterable[Headers]:
        name, action_id = action["Action"], ("ActionID", action["ActionID"])
        refused = name in self.refuses or (name == "Login" and action["Secret"] != SECRET)
        if refused:
            yield [("Response", "Error"), action_id, ("Message", "refused")]
        elif name in self.lists:
            yield [("Response", "Success"), action_id, ("EventList", "start")]
            for event in self.lists[name]:
                yield [*event.items(), action_id]
            yield [("Event", f"{name}Complete"), action_id, ("EventList", "Complete")]
        else:
            yield [("Response", "Success"), action_id]
        if name == "Login" and not refused:
            self.logins += 1
            yield [("Event", "FullyBooted")]

    def _send(self, headers: Headers) -> None:
        for writer in self._writers:
            writer.write(_line_up(headers))


def _split(lines: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    return (line.partition(": ") for line in lines if line)


def _line_up(headers: Headers) -> bytes:
    return (_EOL.join(f"{name}: {value}" for name, value in headers) + _END.decode()).encode()

"""An event loop whose time jumps to the next timer, so that minutes of calls take milliseconds."""

from __future__ import annotations

import asyncio
import selectors
import sqlite3
from collections.abc import Callable, Coroutine, Generator
from typing import Any
from unittest.mock import patch

import aiosqlite

from db import sqlite_inline
from db.sqlite_inline import InlineConnection

_LOCKED_S = 0.01


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Time stands still while something runs, and skips what would be waited for."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Skipping(self))

    def time(self) -> float:
        return self._now

    def skip(self, seconds: float) -> None:
        self._now += seconds


class _Skipping(selectors.EpollSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everybody waits, and nothing will ever happen")
        if not ready and timeout:
            self._loop.skip(timeout)
        return ready


class _Threadless(InlineConnection):
    """SQLite without a thread: a thread works in real time, of which there is none here."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._tx = _AtOnce()  # type: ignore[assignment]

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        return self._connect().__await__()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **options: Any) -> Any:
        while True:
            # whoever waits for the database gives way to others, as with a thread
            await asyncio.sleep(0)
            try:
                return await aiosqlite.Connection._execute(self, fn, *args, **options)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
            await asyncio.sleep(_LOCKED_S)


class _AtOnce:
    """A thread's queue whose work is done as it is put there."""

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, work = item
        if future is None:  # forgotten: only its end is left to do
            work()
            return
        try:
            done = work()
        except Exception as error:
            future.set_exception(error)
            return
        if isinstance(done, sqlite3.Connection):
            done.execute("PRAGMA busy_timeout=0")  # who waits here would wait for ever
        future.set_result(done)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` in virtual time; what is left running at its end is cancelled."""
    with (
        patch.object(sqlite_inline, "InlineConnection", _Threadless),
        asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
    ):
        runner.run(main)

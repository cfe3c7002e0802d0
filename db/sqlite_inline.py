"""aiosqlite without its thread for what cannot wait.

aiosqlite hands every single step to a thread and back, some forty times for one call of ours, and that
costs more than all the steps themselves. Within a transaction SQLite answers from memory in
microseconds, so those steps run where they are; only what may wait for another process or for the
disk goes to the thread: beginning to write, committing, and long lists of rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

import aiosqlite

BEGIN_WRITING = "BEGIN IMMEDIATE"
MANY = 100
"""Rows of one statement above which it goes to the thread."""

_WAITING = frozenset({"commit", "close", "backup", "set_iso"})
"""Of a connection. Whatever a cursor does, closing it included, is done where it is."""


class InlineConnection(aiosqlite.Connection):
    """Used by one task at a time, as SQLAlchemy does; never by two threads at once."""

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if _may_wait(fn, args):
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        return fn(*args, **kwargs)


def connect(database: str, **options: Any) -> InlineConnection:
    """A connection to await, with the options of `sqlite3.connect`."""
    connection = InlineConnection(partial(sqlite3.connect, database, **options), iter_chunk_size=64)
    # a forgotten connection must not keep the process from ending
    connection._thread.daemon = True
    return connection


def _may_wait(fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    name = getattr(fn, "__name__", "")
    if not isinstance(getattr(fn, "__self__", None), sqlite3.Cursor):
        return name in _WAITING
    if name == "execute":
        return bool(args[0] == BEGIN_WRITING or args[0].startswith("PRAGMA"))
    return name == "executemany" and len(args[1]) > MANY

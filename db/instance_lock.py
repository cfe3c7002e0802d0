"""Only one dialer service per database at a time.

SQLite: `flock` on a file beside the database. PostgreSQL: a session's advisory lock on a connection
kept for it. Both end with the process that holds them, however it dies.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.errors import DatabaseError
from db.session import make_engine, parse_url

SERVICE_LOCK = 0x59_4F_42_01
"""Advisory lock (PostgreSQL): the dialer service of this database."""

_TAKEN = "another dialer already serves this database; stop it first"


class InstanceLock:
    """Held while `async with` lasts.

    Raises (on entering):
        DatabaseError: another dialer serves the database, or it cannot be reached.
    """

    def __init__(self, url: str) -> None:
        parsed = parse_url(url)
        self._file: Path | None = None
        self._engine: AsyncEngine | None = None
        if parsed.get_backend_name() == "sqlite":
            self._file = Path(f"{parsed.database}.lock")
        else:
            self._engine = make_engine(url)
        self._handle: int | None = None
        self._connection: AsyncConnection | None = None

    async def __aenter__(self) -> Self:
        await self.renew()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        if self._engine is not None:
            await self._drop_connection()
            await self._engine.dispose()

    async def renew(self) -> None:
        """Make sure that it is (still) held: a lost connection to PostgreSQL loses the lock.

        To be called after every reconnect, before anything is dialled again.

        Raises:
            DatabaseError: another dialer took it meanwhile, or the database cannot be reached.
        """
        if self._file is not None:
            self._lock_file(self._file)
        else:
            await self._lock_session()

    def _lock_file(self, path: Path) -> None:
        if self._handle is not None:
            return
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DatabaseError(
                f"the lock beside the database cannot be made ({error.strerror})"
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise DatabaseError(_TAKEN) from None
        self._handle = handle

    async def _lock_session(self) -> None:
        if await self._is_alive():
            return
        await self._drop_connection()
        assert self._engine is not None
        try:
            # autocommit: an open transaction would stand in the way of vacuuming for days
            connection = await self._engine.connect()
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            taken = await connection.scalar(select(func.pg_try_advisory_lock(SERVICE_LOCK)))
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseError(
                f"the database cannot be reached ({type(error).__name__})"
            ) from None
        if not taken:
            await connection.close()
            raise DatabaseError(_TAKEN)
        self._connection = connection

    async def _is_alive(self) -> bool:
        if self._connection is None:
            return False
        try:
            await self._connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError):
            return False
        return True

    async def _drop_connection(self) -> None:
        if self._connection is None:
            return
        connection, self._connection = self._connection, None
        # not back into the pool: the lock belongs to this very session
        await connection.invalidate()
        await connection.close()

"""How uvicorn serves the app."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from dialer.errors import YobirinError
from dialer.settings import Http

LONG_POLLS_END_S = 3


def server_config(app: FastAPI, http: Http) -> uvicorn.Config:
    """uvicorn's settings. No access log: its lines say who looked at what and when, and rules of
    their own apply to that. No proxy headers: `loopback_only` must see the real peer."""
    return uvicorn.Config(
        app,
        host=http.host,
        port=http.port,
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        lifespan="off",  # the app opens nothing: the service does
        timeout_graceful_shutdown=LONG_POLLS_END_S,
    )


class WebServer:
    """The web interface as one task of the service."""

    def __init__(self, app: FastAPI, http: Http) -> None:
        self._server = _QuietServer(server_config(app, http))
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Serve until `stop`.

        Raises:
            WebError: the port is taken.
        """
        try:
            await self._server.serve()
        except SystemExit:  # uvicorn's way to say that it cannot bind
            raise WebError("the web interface cannot listen: is its port taken?") from None
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """End open requests within `LONG_POLLS_END_S` seconds, and the server."""
        self._server.should_exit = True
        await self._ended.wait()


class WebError(YobirinError):
    """The web interface cannot be served."""


class _QuietServer(uvicorn.Server):
    """Signals belong to the service, which has calls to end first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

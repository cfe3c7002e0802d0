"""FastAGI: a thread for each request, few at a time, none for longer than a few seconds."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import Counter
from ipaddress import AddressValueError, IPv4Address
from typing import Final

import structlog

from agi.scripts import serve
from agi.session import Session, SessionError
from agi.settings import AgiSettings
from agi.watchdog import Watchdog

MAX_AT_ONCE: Final = 64
"""Requests being answered; more are closed at once, so that the dialplan goes on without us."""
REQUEST_S: Final = 5.0
"""Seconds after which a request is over, whatever it was waiting for."""
_TICK_S: Final = 1.0
_BACKLOG: Final = 512

_log = structlog.get_logger()


class Server:
    """Listens from the moment it is made."""

    def __init__(self, settings: AgiSettings) -> None:
        """
        Raises:
            OSError: the address cannot be listened on.
        """
        self._settings = settings
        self._free = threading.BoundedSemaphore(MAX_AT_ONCE)
        self._turned_away: Counter[str] = Counter()
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._listening = socket.create_server(
            (settings.agi.host, settings.agi.port), backlog=_BACKLOG
        )
        self._listening.setblocking(False)

    @property
    def port(self) -> int:
        """The port listened on."""
        port: int = self._listening.getsockname()[1]
        return port

    def stop(self) -> None:
        """End `run`; may be called from a signal handler, any number of times."""
        with contextlib.suppress(OSError):  # it has ended already, or is told so
            self._waker.send(b".")

    def run(self, watchdog: Watchdog) -> None:
        """Answer until stopped; requests under way are answered before this returns."""
        with self._waker, self._woken, selectors.DefaultSelector() as selector:
            with self._listening:
                selector.register(self._listening, selectors.EVENT_READ)
                selector.register(self._woken, selectors.EVENT_READ)
                watchdog.ready()
                self._accept_all(selector, watchdog)
            watchdog.stopping()
            self._wait_for_requests()

    def _wait_for_requests(self) -> None:
        until = time.monotonic() + REQUEST_S
        for _ in range(MAX_AT_ONCE):  # all places are free when the last request is over
            self._free.acquire(timeout=max(0.0, until - time.monotonic()))

    def _accept_all(self, selector: selectors.BaseSelector, watchdog: Watchdog) -> None:
        ticked = time.monotonic()
        while True:
            ready = {key.fileobj for key, _ in selector.select(_TICK_S)}
            if self._woken in ready:
                return
            if self._listening in ready:
                self._accept()
            if time.monotonic() - ticked >= _TICK_S:
                ticked = time.monotonic()
                watchdog.alive()
                self._tell_turned_away()

    def _accept(self) -> None:
        try:
            line, (host, _port) = self._listening.accept()
        except OSError as error:  # gone already, or no descriptors left
            self._turned_away[type(error).__name__] += 1
            time.sleep(0.01)  # the latter lasts: not at full speed
            return
        if not self._is_allowed(host):
            self._turned_away["not_allowed"] += 1
            line.close()
        elif not self._free.acquire(blocking=False):
            self._turned_away["too_many"] += 1
            line.close()
        else:
            self._begin(line)

    def _begin(self, line: socket.socket) -> None:
        deadline = time.monotonic() + REQUEST_S
        try:
            threading.Thread(
                target=self._answer, args=(line, deadline), name="request", daemon=True
            ).start()
        except RuntimeError:  # no more threads
            self._turned_away["no_thread"] += 1
            line.close()
            self._free.release()

    def _answer(self, line: socket.socket, deadline: float) -> None:
        try:
            with line:
                serve(Session(line, deadline), self._settings)
        except SessionError as error:
            _log.info("broken_off", why=str(error))
        except Exception as error:  # its text may hold what was sent
            _log.error("failed", error=type(error).__name__)
        finally:
            self._free.release()

    def _is_allowed(self, host: str) -> bool:
        try:
            address = IPv4Address(host)
        except AddressValueError:
            return False
        return any(address in network for network in self._settings.agi.allowed)

    def _tell_turned_away(self) -> None:
        if self._turned_away:
            _log.warning("turned_away", **self._turned_away)
            self._turned_away.clear()

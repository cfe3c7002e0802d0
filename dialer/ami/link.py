"""The one connection to Asterisk: panoramisk, wrapped once.

- Every event is put, by one synchronous callback, on one queue; one consumer takes them in order.
  The queue also says when the link came up (`LinkUp`) and went down (`LinkDown`), in its place among
  the events.
- No action is ever sent a second time: panoramisk repeats what was unanswered when a link broke, and a
  repeated Originate would call a person twice. So every action is "forgetable", and one that gets no
  answer in time raises.
- A half-dead link is found by our own ping and cut.
- A value with a line break would add headers of its own: it is refused here, in one place.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import panoramisk
import structlog
from panoramisk.message import Message

from dialer.errors import AmiError, RefusedError
from dialer.settings import Ami

PING_EVERY_S = 5.0
ANSWER_WITHIN_S = 5.0
RECONNECT_AFTER_S = 1
LATE_S = 2.0
"""An action that waits longer for its answer says that Asterisk, or the machine, does not keep up."""

Value = str | Sequence[str]
"""An AMI header, or a header given several times (Variable)."""

_log = structlog.get_logger()


@dataclass(frozen=True)
class LinkUp:
    """Logged in, and Asterisk is fully booted."""


@dataclass(frozen=True)
class LinkDown:
    """The connection is gone; what happens until the next `LinkUp` is not seen."""


class _Everything(tuple[str, ...]):
    """panoramisk's `forgetable_actions`: all of them."""

    def __contains__(self, _action: object) -> bool:
        return True


class Link:
    """A manager session that reconnects by itself."""

    def __init__(self, ami: Ami, secret: str) -> None:
        self.events: asyncio.Queue[Message | LinkUp | LinkDown] = asyncio.Queue()
        self._up = asyncio.Event()
        self._closed = False
        self._pinger: asyncio.Task[None] | None = None
        self._waiting: dict[object, float] = {}
        """When each action that has no answer yet was sent, by the loop's time."""
        self._last_took_s = 0.0
        quiet = logging.getLogger("panoramisk")
        quiet.setLevel(logging.CRITICAL + 1)
        self._manager = panoramisk.Manager(
            host=ami.host,
            port=ami.port,
            username=ami.user,
            secret=secret,
            encoding="utf8",
            log=quiet,
            # its own ping does not look for an answer; ours does
            ping_delay=10**6,
            ping_interval=10**6,
            reconnect_timeout=RECONNECT_AFTER_S,
            forgetable_actions=_Everything(),
            on_connect=self._on_connect,
            on_disconnect=self._on_disconnect,
        )
        self._manager.connect = self._connect  # also what its reconnect timer calls
        self._manager.register_event("*", self._on_event)

    @property
    def up(self) -> bool:
        """Whether actions can be sent now."""
        return self._up.is_set()

    @property
    def prompt(self) -> bool:
        """Whether Asterisk answers in time: the last action was, and none waits, longer than `LATE_S`."""
        now = asyncio.get_running_loop().time()
        waited_s = max((now - since for since in self._waiting.values()), default=0.0)
        return max(waited_s, self._last_took_s) <= LATE_S

    async def connect(self, timeout_s: float = 10.0) -> None:
        """Connect and log in; afterwards the link keeps itself up.

        Raises:
            AmiError: not reachable, refused, or not booted within `timeout_s` seconds.
        """
        self.start()
        try:
            await asyncio.wait_for(self._up.wait(), timeout_s)
        except TimeoutError:
            refused = self._manager._connected and not self._manager.authenticated
            self.close()
            raise AmiError(
                "Asterisk refused the manager login: render the configuration again and reload it"
                if refused
                else "Asterisk's manager interface cannot be reached: is Asterisk running?"
            ) from None

    def start(self) -> None:
        """Begin to connect, without waiting for it."""
        self._manager.loop = asyncio.get_running_loop()
        self._manager.connect()
        self._pinger = asyncio.create_task(self._keep_alive())

    def close(self) -> None:
        """End the session for good."""
        self._closed = True
        if self._pinger is not None:
            self._pinger.cancel()
        self._manager.close()

    async def act(
        self, action: Mapping[str, Value], timeout_s: float = ANSWER_WITHIN_S
    ) -> list[Message]:
        """Send an action once; return its answer (for lists: every event of the list).

        Raises:
            RefusedError: nothing happened: the link is down, Asterisk says no, or a value has a
                line break.
            AmiError: no answer in time; whether it was carried out is not known.
        """
        checked = _checked(action)
        if not self.up:
            raise RefusedError(f"{action['Action']}: the link to Asterisk is down")
        # a queued Originate is answered at once; its OriginateResponse is an event like others
        as_list = False if action["Action"] == "Originate" else None
        future = self._manager.send_action(checked, as_list=as_list)
        sent_s = self._waiting[future] = asyncio.get_running_loop().time()
        try:
            answer = await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            raise AmiError(f"{action['Action']}: no answer from Asterisk") from None
        finally:
            del self._waiting[future]
            self._last_took_s = asyncio.get_running_loop().time() - sent_s
        messages: list[Message] = answer if isinstance(answer, list) else [answer]
        if not messages[0].success:
            # Asterisk's own words are not repeated: they may echo the number we sent
            raise RefusedError(f"{action['Action']}: refused by Asterisk")
        return messages

    def _connect(self) -> None:
        if not self._closed:
            panoramisk.Manager.connect(self._manager)

    def _on_connect(self, manager: Any) -> None:
        if self._closed:  # meanwhile
            manager.close()

    def _on_event(self, _manager: Any, event: Message) -> None:
        if event.event == "FullyBooted":
            if not self.up:
                self._up.set()
                self.events.put_nowait(LinkUp())
            return
        self.events.put_nowait(event)

    def _on_disconnect(self, _manager: Any, _error: Any) -> None:
        if self.up:
            self._up.clear()
            self.events.put_nowait(LinkDown())

    async def _keep_alive(self) -> None:
        while True:
            login = self._manager.authenticated_future
            await asyncio.sleep(PING_EVERY_S)
            if self.up:
                answers = await self._answers_ping()
            else:
                answers = login is None or login is not self._manager.authenticated_future
            if not answers:
                _log.warning("ami_link_dead")
                with contextlib.suppress(AttributeError):
                    self._manager.protocol.transport.abort()

    async def _answers_ping(self) -> bool:
        try:
            await self.act({"Action": "Ping"})
        except AmiError:
            return False
        return True


def _checked(action: Mapping[str, Value]) -> dict[str, Value]:
    """The action, if no part of it can break out of its line (CWE-93)."""
    for key, value in action.items():
        for part in (value,) if isinstance(value, str) else value:
            if any(ord(c) < 0x20 or c == "\x7f" for c in key + part):
                raise RefusedError(f"{action['Action']}: {key}: a control character is not allowed")
    return dict(action)

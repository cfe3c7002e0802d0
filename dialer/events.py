"""The one path of events: Asterisk's queue → translation → calls, callbacks, seats, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from panoramisk.message import Message

from dialer.ami.link import Link, LinkDown, LinkUp
from dialer.ami.translate import (
    CallbackArrived,
    OperatorLeg,
    Translated,
    TrunkHint,
    translate,
)
from dialer.callbacks import Callbacks
from dialer.calls import Calls
from dialer.seats import Seats
from rules import callback_events
from rules.call_events import OriginateRefused
from rules.operator_state import Event

HANGUP_WITHIN_S = 1.0
"""The Hangup of an unanswered call may follow its failed Originate, and tells the cause. After this time
there is none: the call never had a channel (no route to the carrier)."""

_log = structlog.get_logger()


class Events:
    """Consumes what the link brings."""

    def __init__(
        self,
        link: Link,
        calls: Calls,
        callbacks: Callbacks,
        seats: Seats,
        *,
        early_media_rings: bool,
    ) -> None:
        self._link = link
        self._calls = calls
        self._callbacks = callbacks
        self._seats = seats
        self._early_media_rings = early_media_rings
        self.trunk_reachable = True
        self.link_up: Callable[[], Awaitable[None]]
        """Catches up after silence; nothing else is taken from the queue meanwhile."""
        self.link_down: Callable[[], None]
        self.channel_begun: Callable[[str], None]
        self.trunk_in_doubt: Callable[[], None]

    def trunk_is(self, reachable: bool) -> None:
        """Whether the carrier can be reached, as just asked."""
        self.trunk_reachable = reachable

    async def run(self) -> None:
        """Consume until cancelled."""
        while True:
            item = await self._link.events.get()
            try:
                await self._take(item)
            except Exception as error:  # one poisoned event must not stop all calls
                _log.error("event_not_taken", kind=type(item).__name__, error=error)

    async def _take(self, item: Message | LinkUp | LinkDown) -> None:
        match item:
            case LinkUp():
                await self.link_up()
            case LinkDown():
                self.link_down()
            case Message() if item.event == "DialBegin":
                self.channel_begun(item.destuniqueid)
            case _:
                self.apply(
                    translate(
                        item,
                        self._calls.moment,
                        self._callbacks.moment,
                        early_media_rings=self._early_media_rings,
                    )
                )

    def apply(self, told: Translated | None) -> None:
        """Move what the translated event is about."""
        match told:
            case None:
                return
            case OperatorLeg(operator, up):
                self._seats.move(operator, Event.LEG_UP if up else Event.LEG_DOWN)
            case TrunkHint(available):
                if available:
                    self.trunk_reachable = True
                else:
                    self.trunk_in_doubt()
            case CallbackArrived(callback, called, number):
                self._callbacks.arrive(callback, called, number)
            case callback_events.Happened():
                self._callbacks.apply(told)
            case OriginateRefused():
                # by then an ended call takes no notice of it
                asyncio.get_running_loop().call_later(HANGUP_WITHIN_S, self._calls.apply, told)
            case _:
                self._calls.apply(told)

"""Who asked to be called back keeps the place in the line: when their turn comes, the operator who is free is
held and calls them.

The appointment is on record before that (`dialer.callback_ends`): whatever fails here, the pacer calls them
at the next chance.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from db import callback_wishes, callbacks
from db.callbacks import Place
from db.session import Sessions
from dialer.callbacks import Callbacks
from dialer.calls import Calls
from dialer.choosing import Choosing
from dialer.clock import Clock
from dialer.errors import DatabaseError
from dialer.estimating import Estimating
from dialer.months import Months
from dialer.placing import Placing, as_chosen
from dialer.seats import Seats
from rules.operator_state import Hold

LOOK_AT_MOST_S = 10.0
"""An operator who is held while the database does not answer is needed by those who wait."""

_log = structlog.get_logger()


@dataclass(frozen=True, eq=False, slots=True)
class Wish:
    """One place in the line (`dialer.callbacks.Placeholder`)."""

    id: str
    """The callback's."""
    arrived_at: datetime
    place: Place
    calling_back: CallingBack

    def serve(self, operator: str) -> None:
        """Their turn came, and this operator is free."""
        self.calling_back.call(self, operator)


class CallingBack:
    """Keeps the places, and has the calls placed."""

    def __init__(
        self,
        clock: Clock,
        sessions: Sessions,
        months: Months,
        seats: Seats,
        calls: Calls,
        callbacks: Callbacks,
        choosing: Choosing,
        placing: Placing,
        estimating: Estimating,
    ) -> None:
        self._clock = clock
        self._sessions = sessions
        self._months = months
        self._seats = seats
        self._calls = calls
        self._callbacks = callbacks
        self._choosing = choosing
        self._placing = placing
        self._estimating = estimating
        self._tasks: set[asyncio.Task[None]] = set()

    async def load(self) -> None:
        """At the start: who asked before has the place still.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            kept = await callback_wishes.places(session)
        for one in kept:
            self._keep(one.callback_id, one.arrived_at, one.place)

    def asked(self, callback: str, arrived_at: datetime) -> None:
        """Somebody asked to be called back, and that is committed."""
        self._start(self._keep_place(callback, arrived_at))

    def call(self, wish: Wish, operator: str) -> None:
        """Hold the operator for the call, and place it."""
        attempt = str(uuid.uuid4())
        place = wish.place
        hold = Hold(attempt=attempt, case_id=place.case_id, phone_id=place.phone_id)
        self._seats.hold_one(operator, hold)
        self._start(self._place(place, attempt))

    async def _keep_place(self, callback: str, arrived_at: datetime) -> None:
        try:
            async with self._sessions.read() as session:
                place = await callbacks.wished(session, callback)
        except DatabaseError as error:
            _log.warning("place_not_kept", callback=callback, error=error)
            return
        if place is not None:
            self._keep(callback, arrived_at, place)

    def _keep(self, callback: str, arrived_at: datetime, place: Place) -> None:
        wish = Wish(id=callback, arrived_at=arrived_at, place=place, calling_back=self)
        self._callbacks.keep_place(wish)

    async def _place(self, place: Place, attempt: str) -> None:
        month = self._months.get(place.campaign_id)
        now, steady_s = self._clock.now(), self._clock.monotonic()
        try:
            async with asyncio.timeout(LOOK_AT_MOST_S):
                allowed = await self._choosing.again(month, now, [place.phone_id])
            for one in allowed:
                chosen = as_chosen(self._estimating.estimates, one, miss=None, free=1.0)
                chosen = replace(chosen, attempt=attempt)
                await self._placing.place(month, [chosen], now, steady_s)
        except (DatabaseError, TimeoutError) as error:
            _log.warning("not_called_back_now", error=error)
        finally:
            if self._calls.line(attempt) is None:
                self._seats.let_go(attempt)

    def _start(self, job: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

"""The loop that dials: asks pacing how many, `dialer.choosing` which, and has `dialer.placing` place them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import structlog

from db import appointments
from db.session import Sessions
from dialer.choosing import Allowed, Choosing
from dialer.clock import Clock
from dialer.errors import DatabaseError
from dialer.metrics import Metrics
from dialer.months import Month, Months
from dialer.pacing_view import PacingView
from dialer.placing import Chosen, Placing, as_chosen
from dialer.preview import Previews
from dialer.seats import Seats
from rules.operator_state import Hold
from rules.pacing.decision import calls_to_place
from rules.pacing.snapshot import Limit, Mode, Pace, Snapshot, Why

TICK_S = 1.0
"""Longest time without a look at the world: hours begin and cool-downs end without an event."""
REFUSED_S = 0.2
"""After a call that the ledger did not take: what is true there, a notice tells in about that time."""
APPOINTMENT_AHEAD_S = 60.0
"""How long before an appointment a free operator is kept for it: about as long as a call rings that
would be placed instead (rule 7)."""

_log = structlog.get_logger()


class Pacer:
    """The loop that dials."""

    def __init__(
        self,
        clock: Clock,
        sessions: Sessions,
        months: Months,
        seats: Seats,
        metrics: Metrics,
        view: PacingView,
        choosing: Choosing,
        placing: Placing,
        previews: Previews,
    ) -> None:
        self._clock = clock
        self._sessions = sessions
        self._months = months
        self._seats = seats
        self._metrics = metrics
        self._view = view
        self._choosing = choosing
        self._placing = placing
        self._previews = previews
        self._woken = asyncio.Event()
        self.pace = Pace(calls=0, limit=Limit.STOPPED)
        """The last answer of pacing, for the supervisor."""
        self._logged: tuple[Mode, Why] | None = None
        self._refused = False
        """The ledger did not take a call that was chosen."""

    def wake(self) -> None:
        """Something changed that may leave room for a call."""
        self._woken.set()

    async def run(self) -> None:
        """Dial until cancelled."""
        while True:
            self._woken.clear()
            self._refused = False
            try:
                await self._dial()
            except DatabaseError as error:
                _log.warning("cannot_dial", error=error)
                await asyncio.sleep(TICK_S)
            if self._refused:
                # why, a notice will tell; the operator who was held for it wakes us at once
                await asyncio.sleep(REFUSED_S)
            try:
                await asyncio.wait_for(self._woken.wait(), TICK_S)
            except TimeoutError:
                continue

    async def _dial(self) -> None:
        """Call the campaigns that run, one after the other: what the first leaves free the next may use."""
        soon: int | None = None
        answers: list[Pace] = []
        running = self._months.running()
        await self._previews.withdraw_all_but([month for month in running if _previews(month)])
        for month in running:
            if _previews(month):
                answers.append(await self._previews.offer(month))
                continue
            snapshot, pace = self._ask(month, soon or 0)
            may_keep = pace.limit is not Limit.STOPPED and bool(self._seats.free())
            if soon is None and (_places(pace) or may_keep):
                # only who is free can be kept: while nobody is, nobody has to look
                soon = await self._appointments_soon()
                snapshot, pace = self._ask(month, soon)
            if _places(pace):
                pace, kept = await self._dial_month(month, snapshot, pace)
                soon = (soon or 0) - kept
            answers.append(pace)
        self._tell(answers)

    def _ask(self, month: Month, soon: int) -> tuple[Snapshot, Pace]:
        """How many calls there is room for, if enough phones could be called of which nothing is known."""
        imagined = (None,) * self._view.lines_left()
        snapshot = self._view.snapshot(month, imagined, soon)
        return snapshot, calls_to_place(snapshot)

    def _tell(self, answers: list[Pace]) -> None:
        """Show the pace; log when calls come in another way than before."""
        if not answers:
            self.pace = Pace(calls=0, limit=Limit.CANDIDATES)
            return
        pace = answers[-1]
        self._metrics.pace(pace.mode, pace.allowed_miss)
        self.pace = replace(pace, calls=sum(one.calls for one in answers))
        mode = pace.mode, pace.why
        if pace.limit is not Limit.STOPPED and mode != self._logged:
            self._logged = mode
            _log.info("pacing_mode", mode=pace.mode.value, why=pace.why.value)

    async def _appointments_soon(self) -> int:
        until = self._clock.now() + timedelta(seconds=APPOINTMENT_AHEAD_S)
        running = [month.id for month in self._months.running()]
        async with self._sessions.read() as session:
            return await appointments.callable_by(session, running, until)

    async def _dial_month(self, month: Month, snapshot: Snapshot, room: Pace) -> tuple[Pace, int]:
        """Place as many calls of one campaign as there is room for.

        Returns:
            What pacing said of the phones that may be called, and how many calls have an operator held.
        """
        now, steady_s = self._clock.now(), self._clock.monotonic()
        # beyond those for whom an operator is kept, who are the first: nobody may be free for them yet
        wanted = room.calls + max(room.reserved, snapshot.appointments_soon)
        allowed, refused = await self._choosing.look(month, now, wanted)
        open_to_all = [one for one in allowed if not one.candidate.reserved]
        # asked anew: operators and calls have moved while the database was read
        snapshot = self._view.snapshot(
            month, [one.own_chance for one in open_to_all], snapshot.appointments_soon
        )
        pace = calls_to_place(snapshot)
        reserved = [one for one in allowed if one.candidate.reserved][: pace.reserved]
        chosen = [*self._held(snapshot, reserved), *_chosen(snapshot, pace, open_to_all)]
        if chosen:
            self._refused |= not await self._placing.place(month, chosen, now, steady_s)
        if refused:
            await self._choosing.put_off(month, refused, now)
        return pace, len(reserved)

    def _held(self, snapshot: Snapshot, reserved: list[Allowed]) -> list[Chosen]:
        """Those for whose call an operator could be held."""
        estimates = snapshot.estimates
        wanted = [as_chosen(estimates, one, miss=None, free=1.0) for one in reserved]
        return [one for one in wanted if self._seats.hold(_hold(one)) is not None]


def _previews(month: Month) -> bool:
    return month.profile.pacing_mode is Mode.PREVIEW


def _places(pace: Pace) -> bool:
    return pace.calls + pace.reserved > 0


def _chosen(snapshot: Snapshot, pace: Pace, allowed: list[Allowed]) -> list[Chosen]:
    """The calls pacing chose, in the order in which they are placed."""
    return [
        as_chosen(snapshot.estimates, allowed[position], miss=miss, free=pace.expected_free)
        for position, miss in zip(pace.chosen, pace.misses, strict=True)
    ]


def _hold(chosen: Chosen) -> Hold:
    candidate = chosen.candidate
    return Hold(attempt=chosen.attempt, case_id=candidate.case_id, phone_id=candidate.phone_id)

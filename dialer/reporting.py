"""How the service stands: for `dialer status`, `/healthz` and the gauges of `/metrics`."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from functools import partial

from db import callback_wishes
from db.errors import DatabaseError
from db.progress import progress
from dialer.metrics import Metrics
from dialer.months import Month
from dialer.service import Service
from dialer.web.models import (
    AppointmentStatus,
    CallersStatus,
    CallsInFlight,
    CampaignStatus,
    Health,
    OperatorStatus,
    PacingStatus,
    Status,
)
from rules.call_state import State
from rules.callback_state import WAITS
from rules.callback_state import State as CallbackState
from rules.operator_state import State as SeatState
from rules.outcome import Counted

_WAITING = (*WAITS, CallbackState.JOINING)
"""States of a caller who waits on the line for an operator."""


class Reporting:
    """Looks at the service; changes nothing."""

    def __init__(self, service: Service, metrics: Metrics) -> None:
        self._service = service
        for state in SeatState:
            gauge = metrics.operators.labels(state.value)
            gauge.set_function(partial(service.seats.count, state))
        metrics.abandonment.set_function(service.day.share)
        metrics.abandon_cap.set_function(lambda: self._cap() or 0.0)
        metrics.ami_up.set_function(lambda: service.link.up)
        metrics.database_ok.set_function(lambda: service.ledger.database_ok)

    def health(self) -> Health:
        """Ready when nothing has to be mended."""
        problems = self._service.problems_told()
        return Health(ready=not problems, problems=problems)

    async def status(self) -> Status:
        """Everything a supervisor watches."""
        service = self._service
        pace = service.pacer.pace
        told = zip(service.problems(), service.problems_told(), strict=True)
        problems = {problem.name.lower(): text for problem, text in told}
        return Status(
            now=service.clock.now(),
            started_at=service.started_at,
            draining=service.draining,
            emergency_stop=service.inbox.emergency,
            asterisk_connected=service.link.up,
            database_ok=service.ledger.database_ok,
            problems=problems,
            pace="; ".join(problems.values()) or f"{pace.calls} now, limited by {pace.limit}",
            limit=pace.limit.value,
            pacing=self._pacing(),
            lines=service.settings.trunk.lines,
            calls=self._calls(),
            callers=await self._callers(),
            operators=tuple(
                OperatorStatus(id=seat.operator, state=seat.state.value, since=seat.since)
                for seat in service.seats.seats()
            ),
            campaigns=await self._campaigns(),
            appointments=tuple(
                AppointmentStatus(**asdict(one)) for one in service.reminders.standing
            ),
        )

    def _pacing(self) -> PacingStatus:
        pace, counts = self._service.pacer.pace, self._service.day.counts()
        return PacingStatus(
            mode=pace.mode.value,
            why=pace.why.value,
            expected_answers=pace.expected_answers,
            expected_free=pace.expected_free,
            miss=pace.miss,
            allowed_miss=pace.allowed_miss,
            connected=counts.connected,
            abandoned=counts.abandoned,
            cap=self._cap(),
            miscalibrated=self._service.calibrating.warning,
        )

    def _cap(self) -> float | None:
        running = self._service.months.running()
        return min((month.profile.abandon_cap for month in running), default=None)

    def _calls(self) -> CallsInFlight:
        count = Counter(line.call.state for line in self._service.calls.lines())
        return CallsInFlight(
            dialling=count[State.PLACED],
            ringing=count[State.RINGING],
            answered=count[State.WAITING] + count[State.JOINING] + count[State.COURTESY],
            talking=count[State.TALKING],
            message=count[State.MESSAGE],
        )

    async def _callers(self) -> CallersStatus:
        service = self._service
        waiting = [one for one in service.callbacks.alive() if one.callback.state in _WAITING]
        waits_s = [service.clock.monotonic() - one.began_s for one in waiting]
        return CallersStatus(
            waiting=len(waits_s), longest_wait_s=max(waits_s, default=None), left=await self._left()
        )

    async def _left(self) -> int:
        try:
            async with self._service.sessions.read() as session:
                wishes = await callback_wishes.wishes(session)
                new = await callback_wishes.messages(session, only_new=True)
        except DatabaseError:
            return 0  # `database_ok` tells
        return sum(not wish.is_called for wish in wishes) + len(new)

    async def _campaigns(self) -> tuple[CampaignStatus, ...]:
        try:
            return tuple([await self._campaign(month) for month in self._service.months.all()])
        except DatabaseError:
            return ()  # `database_ok` tells

    async def _campaign(self, month: Month) -> CampaignStatus:
        now = self._service.clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        async with self._service.sessions.read() as session:
            known = await progress(session, month.id, now, midnight)
        return CampaignStatus(
            name=month.name,
            state=month.state.value,
            cases=known.cases,
            open=known.open,
            complete=known.complete,
            due=known.due,
            placed_today=known.placed_since,
            counted_today=sum(
                times
                for code, times in known.outcomes_since.items()
                if month.profile.outcomes[code].counted is Counted.YES
            ),
            next_due=known.next_due,
        )

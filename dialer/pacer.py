"""Places calls: asks pacing how many, the database which, the rules whether, and writes each attempt
down before it leaves the house."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db import appointments, candidates, cases, households, ledger
from db.candidates import Candidate
from db.errors import AlreadyInFlightError, NotCallableError
from db.session import Sessions
from dialer.ami.link import Link, Value
from dialer.ami.originate import Placement, originate_action
from dialer.caller_ids import CallerIds
from dialer.calls import Calls, Line
from dialer.clock import Clock
from dialer.errors import AmiError, DatabaseError, RefusedError
from dialer.metrics import Metrics
from dialer.months import Month, Months
from dialer.seats import Seats
from dialer.settings import Settings
from rules.call_events import OriginateRefused
from rules.call_state import Call, State
from rules.eligibility import HouseholdActivity, may_call
from rules.history import state_of
from rules.hours import is_open
from rules.operator_state import State as Seat
from rules.pacing import Limit, Pace, Snapshot, calls_to_place

TICK_S = 1.0
"""Longest time without a look at the world: hours begin and cool-downs end without an event."""
LOOK_AHEAD = 8
"""Candidates read beyond the number wanted: some are refused at the last look."""
STALE_S = 5.0
"""Age at which a decision to call is not carried out any more: the database was slow, hours may be over."""
APPOINTMENT_AHEAD_S = 60.0
"""How long before an appointment a free operator is kept for it: about as long as a call rings that
would be placed instead (rule 7)."""

_ALIVE = frozenset(State) - {State.ENDED}

_log = structlog.get_logger()


@dataclass(slots=True)
class _Room:
    """How many calls may still be placed."""

    calls: int
    reserved: int
    """Beside them, only to appointments."""

    def in_all(self) -> int:
        return self.calls + self.reserved

    def fits(self, candidate: Candidate) -> bool:
        return self.calls > 0 or (candidate.appointment and self.reserved > 0)

    def take(self, candidate: Candidate) -> None:
        if candidate.appointment and self.reserved:
            self.reserved -= 1
        else:
            self.calls -= 1


class Pacer:
    """The loop that dials."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        sessions: Sessions,
        link: Link,
        months: Months,
        caller_ids: CallerIds,
        seats: Seats,
        calls: Calls,
        metrics: Metrics,
        may_dial: Callable[[], bool],
        unknown: Callable[[], None],
    ) -> None:
        """
        Args:
            may_dial: False while anything of the service forbids every call.
            unknown: told when an Originate got no answer, so that nobody knows whether it is alive.
        """
        self._settings = settings
        self._clock = clock
        self._sessions = sessions
        self._link = link
        self._months = months
        self._caller_ids = caller_ids
        self._seats = seats
        self._calls = calls
        self._metrics = metrics
        self._may_dial = may_dial
        self._unknown = unknown
        self._woken = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self.pace = Pace(calls=0, limit=Limit.STOPPED)
        """The last answer of pacing, for the supervisor."""

    def wake(self) -> None:
        """Something changed that may leave room for a call."""
        self._woken.set()

    async def run(self) -> None:
        """Dial until cancelled."""
        while True:
            self._woken.clear()
            try:
                await self._dial()
            except DatabaseError as error:
                _log.warning("cannot_dial", error=error)
                await asyncio.sleep(TICK_S)
            try:
                await asyncio.wait_for(self._woken.wait(), TICK_S)
            except TimeoutError:
                continue

    def snapshot(self, appointments_soon: int = 0) -> Snapshot:
        """What pacing may know."""
        calls = self._calls
        return Snapshot(
            may_dial=self._may_dial(),
            operators_free=self._seats.count(Seat.FREE),
            calls_unanswered=calls.count(State.PLACED, State.RINGING),
            calls_waiting=calls.count(State.WAITING),
            lines=self._settings.trunk.lines,
            lines_used=calls.count(*_ALIVE),
            appointments_soon=appointments_soon,
        )

    async def _dial(self) -> None:
        pace = calls_to_place(self.snapshot())
        if pace.calls:
            # only who is free can be kept: while nobody is, nobody has to look
            pace = calls_to_place(self.snapshot(await self._appointments_soon()))
        self.pace = pace
        room = _Room(pace.calls, pace.reserved)
        for month in self._months.running():
            if room.in_all() == 0:
                return
            await self._dial_month(month, room)

    async def _appointments_soon(self) -> int:
        until = self._clock.now() + timedelta(seconds=APPOINTMENT_AHEAD_S)
        running = [month.id for month in self._months.running()]
        async with self._sessions.read() as session:
            return await appointments.callable_by(session, running, until)

    async def _dial_month(self, month: Month, room: _Room) -> None:
        """Place as many calls of one campaign as there is room for."""
        now, steady_s = self._clock.now(), self._clock.monotonic()
        async with self._sessions.read() as session:
            due = await candidates.due(session, month.id, now, room.in_all() + LOOK_AHEAD)
            allowed, refused = await self._allowed(session, month, due, room, now)
        if allowed and self._may_dial():
            await self._place(month, allowed, now, steady_s)
        if refused:
            await self._put_off(month, refused, now)

    async def _allowed(
        self,
        session: AsyncSession,
        month: Month,
        due: list[Candidate],
        room: _Room,
        now: datetime,
    ) -> tuple[list[Candidate], list[Candidate]]:
        """Ask the rules about the candidates once more, with all that is known at this moment, while
        there is room for those allowed; also those that were refused."""
        known = await cases.histories(session, [candidate.case_id for candidate in due])
        allowed: list[Candidate] = []
        refused: list[Candidate] = []
        shared = await households.keys(session, [candidate.case_id for candidate in due])
        taken: set[str] = set()
        for candidate in due:
            if not room.fits(candidate):
                continue
            case = known[candidate.case_id]
            state = state_of(case.case, case.facts, month.profile, month.calendar)
            verdict = may_call(
                state,
                candidate.phone_id,
                now,
                month.calendar,
                month.profile,
                HouseholdActivity(last_at=candidate.household_last_call),
            )
            if not verdict.allowed:
                refused.append(candidate)
            elif taken.isdisjoint(shared[candidate.case_id]):
                # one household, one call: also among those of this very moment
                taken |= shared[candidate.case_id]
                room.take(candidate)
                allowed.append(candidate)
        return allowed, refused

    async def _put_off(self, month: Month, refused: list[Candidate], now: datetime) -> None:
        """What is due by its row but refused by the rules must not be first in line again."""
        async with self._sessions.write() as session:
            ids = sorted({candidate.case_id for candidate in refused})
            await cases.refresh(session, ids, month.profile, month.calendar, now)
            gap = timedelta(minutes=month.profile.household_gap_min)
            for candidate in refused:
                if candidate.household_last_call is not None:
                    until = candidate.household_last_call + gap
                    await candidates.put_off(session, candidate.phone_id, until)

    def _too_late(self, decided_s: float) -> bool:
        return self._clock.monotonic() - decided_s > STALE_S

    async def _place(
        self, month: Month, allowed: list[Candidate], now: datetime, steady_s: float
    ) -> None:
        """Write the attempts down together, then originate those that may still be called.

        Their time is the moment the rules were asked about, so that they end when they took them to end.
        """
        placed: list[tuple[str, Candidate]] = []
        # asked once: what is written down is what is shown, also if a change comes in between
        caller_id = self._caller_ids.at(now)
        try:
            async with self._sessions.write() as session:
                for candidate in allowed:
                    attempt = str(uuid.uuid4())
                    with suppress(NotCallableError):
                        await ledger.place(
                            session,
                            attempt_id=attempt,
                            phone_id=candidate.phone_id,
                            placed_at=now,
                            caller_id=caller_id,
                        )
                        placed.append((attempt, candidate))
        except AlreadyInFlightError as error:
            # nothing is written, nobody is called; the next look at who is due leaves that phone out
            _log.warning("already_in_flight", error=error)
            return
        for attempt, candidate in placed:
            self._call(month, candidate, Call(attempt=attempt, placed_at=now), caller_id, steady_s)

    def _call(
        self, month: Month, candidate: Candidate, call: Call, caller_id: str, steady_s: float
    ) -> None:
        """Originate a call whose row is committed, unless that took too long."""
        self._calls.take(
            Line(
                call=call,
                campaign_id=month.id,
                case_id=candidate.case_id,
                phone_id=candidate.phone_id,
                placed_s=steady_s,
            )
        )
        self._metrics.call_placed()
        # asked again of the clock as it now stands: it may have been set since
        open_now = is_open(self._clock.now(), month.calendar, month.profile)
        if self._too_late(steady_s) or not open_now or not self._may_dial():
            _log.warning("decision_out_of_date", attempt=call.attempt)
            self._refused(call.attempt)
            return
        action = originate_action(
            Placement(attempt=call.attempt, number=candidate.number, caller_id=caller_id),
            self._settings.trunk,
            set_up_s=month.profile.setup_allowance_s,
            ring_s=month.profile.ring_limit_s,
        )
        task = asyncio.create_task(self._originate(call.attempt, action))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _originate(self, attempt: str, action: dict[str, Value]) -> None:
        try:
            await self._link.act(action)
        except RefusedError:
            self._refused(attempt)
        except AmiError as error:
            # whether it left the house is not known: recovery looks for its channel
            _log.warning("originate_unknown", attempt=attempt, error=error)
            self._unknown()

    def _refused(self, attempt: str) -> None:
        """It never left the house."""
        moment = self._calls.moment(attempt)
        if moment is not None:
            self._calls.apply(OriginateRefused(attempt=attempt, at=moment))

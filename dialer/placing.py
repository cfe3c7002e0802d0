"""Places calls: writes each attempt down before it leaves the house, and sends nothing twice."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from db import ledger
from db.candidates import Candidate
from db.errors import AlreadyInFlightError, NotCallableError
from db.session import Sessions
from dialer.ami.link import Link, Value
from dialer.ami.originate import Placement, originate_action
from dialer.caller_ids import CallerIds
from dialer.calls import Calls, Expectation, Line
from dialer.choosing import Allowed
from dialer.clock import Clock
from dialer.errors import AmiError, RefusedError
from dialer.metrics import Metrics
from dialer.months import Month
from dialer.seats import Seats
from dialer.settings import Trunk
from rules.call_events import OriginateRefused
from rules.call_state import Call
from rules.hours import is_open
from rules.pacing.estimates import Estimates

STALE_S = 5.0
"""Age at which a decision to call is not carried out any more: the database was slow, hours may be over."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """A call that will be placed."""

    attempt: str
    candidate: Candidate
    expected: Expectation


def as_chosen(estimates: Estimates, allowed: Allowed, *, miss: float | None, free: float) -> Chosen:
    """A call to this phone, with what is believed of it (`Expectation`)."""
    expected = Expectation(
        own_chance=allowed.own_chance,
        chance=estimates.person(allowed.own_chance),
        miss=miss,
        free=free,
    )
    return Chosen(attempt=str(uuid.uuid4()), candidate=allowed.candidate, expected=expected)


class Placing:
    """From the decision to call to the Originate."""

    def __init__(
        self,
        trunk: Trunk,
        clock: Clock,
        sessions: Sessions,
        link: Link,
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
        self._trunk = trunk
        self._clock = clock
        self._sessions = sessions
        self._link = link
        self._caller_ids = caller_ids
        self._seats = seats
        self._calls = calls
        self._metrics = metrics
        self._may_dial = may_dial
        self._unknown = unknown
        self._sending: set[asyncio.Task[None]] = set()

    async def place(
        self, month: Month, chosen: list[Chosen], now: datetime, steady_s: float
    ) -> bool:
        """Write the attempts down together, then originate those that may still be called.

        Whoever was held for a call that is not placed is let go.

        Returns:
            Whether all of them were written down.

        Args:
            now: when the rules were asked, which becomes the calls' time: they end when the rules took
                them to end.
            steady_s: the same by the steady clock.

        Raises:
            DatabaseError: the database is away; nobody is called.
        """
        placed: list[Chosen] = []
        # asked once: what is written down is what is shown, also if a change comes in between
        caller_id = self._caller_ids.at(now)
        try:
            if self._may_dial():
                placed = await self._write_down(chosen, now, caller_id)
        except AlreadyInFlightError as error:
            # nothing is written, nobody is called; the next look at who is due leaves that phone out
            _log.warning("already_in_flight", error=error)
        finally:
            written = {one.attempt for one in placed}
            for one in chosen:
                if one.attempt not in written:
                    self._seats.let_go(one.attempt)
        for one in placed:
            self._call(month, one, now, caller_id, steady_s)
        return len(placed) == len(chosen)

    async def _write_down(
        self, chosen: list[Chosen], now: datetime, caller_id: str
    ) -> list[Chosen]:
        """Those of the calls that may still be placed, each with its row committed.

        Raises:
            AlreadyInFlightError: one of them is being called; none is written.
        """
        placed: list[Chosen] = []
        async with self._sessions.write() as session:
            for one in chosen:
                with suppress(NotCallableError):
                    await ledger.place(
                        session,
                        attempt_id=one.attempt,
                        phone_id=one.candidate.phone_id,
                        placed_at=now,
                        caller_id=caller_id,
                        chance=one.expected.chance,
                        miss=one.expected.miss,
                    )
                    placed.append(one)
        return placed

    def _call(
        self, month: Month, chosen: Chosen, now: datetime, caller_id: str, steady_s: float
    ) -> None:
        """Originate a call whose row is committed, unless that took too long."""
        call = Call(attempt=chosen.attempt, placed_at=now)
        candidate = chosen.candidate
        self._calls.take(
            Line(
                call=call,
                campaign_id=month.id,
                case_id=candidate.case_id,
                phone_id=candidate.phone_id,
                placed_s=steady_s,
                expected=chosen.expected,
            )
        )
        self._metrics.call_placed(chosen.expected.chance, chosen.expected.miss or 0.0)
        if not self._may_still(month, chosen, steady_s):
            _log.warning("decision_out_of_date", attempt=call.attempt)
            self._refused(call.attempt)
            return
        action = originate_action(
            Placement(attempt=call.attempt, number=candidate.number, caller_id=caller_id),
            self._trunk,
            set_up_s=month.profile.setup_allowance_s,
            ring_s=month.profile.ring_limit_s,
        )
        task = asyncio.create_task(self._originate(call.attempt, action))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def _may_still(self, month: Month, chosen: Chosen, decided_s: float) -> bool:
        """Whether what was decided still holds now that its row is committed."""
        if self._clock.monotonic() - decided_s > STALE_S or not self._may_dial():
            return False
        if chosen.expected.miss is None and self._seats.held_for(chosen.attempt) is None:
            return False  # who was held for it has paused or gone meanwhile
        # asked again of the clock as it now stands: it may have been set since
        return is_open(self._clock.now(), month.calendar, month.profile)

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

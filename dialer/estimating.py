"""What pacing believes of calls and operators, learned from every call as it ends.

Nothing tells a machine's answer from a person's but the operator who gets it. A call is a machine's when the
operator leaves the message, or records one; and a person's once it was talked in longer than any machine
is listened to, or when its result says so. Until then it is neither.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, fields, replace
from typing import Any

from db import pacing
from db.session import Sessions
from dialer.calls import Line
from dialer.clock import Clock
from dialer.metrics import Metrics
from dialer.months import Months
from dialer.seats import Seats
from dialer.who_answered import MACHINES, OURS, PERSON_AFTER_S
from rules.call_state import Call, State
from rules.pacing.estimates import Estimates, Share

KEEP_EVERY_S = 60.0
BEFOREHAND = Estimates(machine=Share(0.3, 20))
"""Before the first call: three in ten of those whom no person answers have a machine answer."""


class Estimating:
    """Holds the estimates and learns (`dialer.calls.Watcher`)."""

    def __init__(
        self, clock: Clock, sessions: Sessions, seats: Seats, months: Months, metrics: Metrics
    ) -> None:
        self._clock = clock
        self._sessions = sessions
        self._seats = seats
        self._months = months
        self._metrics = metrics
        self._judged: set[str] = set()
        """Attempts of which it is known, before they have an outcome, who answered."""
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.estimates = BEFOREHAND

    async def load(self) -> None:
        """Begin with what was kept.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            self.estimates = estimates_of(await pacing.beliefs(session))

    async def keep(self) -> None:
        """Keep what is believed now, for the next start.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.write() as session:
            await pacing.keep_beliefs(session, numbers_of(self.estimates), self._clock.now())

    # dialer.calls.Watcher ------------------------------------------------------------------------

    def moved(self, line: Line, before: Call) -> None:
        """A call changed its state."""
        state = line.call.state
        if state is before.state:
            return
        if state is State.WAITING and before.answered_at is None and line.expected is not None:
            self._metrics.call_answered(line.expected.free, len(self._seats.free()))
        elif state is State.TALKING:
            self._timers[line.call.attempt] = asyncio.get_running_loop().call_later(
                PERSON_AFTER_S, self._person_answered, line
            )
        elif state is State.MESSAGE:
            self._machine_answered(line)
            self._machine_took(line.call, self._age_s(line))

    def settled(self, line: Line, outcome: str) -> None:
        """A call has its outcome, from the line or from the operator."""
        call = line.call
        if call.answered_at is None:
            if outcome not in OURS:
                self._nobody_answered(line)
        elif outcome in MACHINES:
            self._machine_answered(line)
        else:
            self._person_answered(line)
        if not call.message_chosen:
            self._worked(line, outcome)
        self._judged.discard(call.attempt)

    # who answered --------------------------------------------------------------------------------

    def _person_answered(self, line: Line) -> None:
        if self._is_judged(line):
            return
        self._expected(line, answered=True)
        self._metrics.answers.inc()
        self.estimates = replace(self.estimates, ring=self.estimates.ring.seen(_rang_s(line.call)))

    def _machine_answered(self, line: Line) -> None:
        if self._is_judged(line):
            return
        self._expected(line, answered=False)
        estimates = self.estimates
        self.estimates = replace(
            estimates,
            machine=estimates.machine.seen(True),
            machine_ring=estimates.machine_ring.seen(_rang_s(line.call)),
        )

    def _nobody_answered(self, line: Line) -> None:
        if self._is_judged(line):
            return
        self._expected(line, answered=False)
        self.estimates = replace(self.estimates, machine=self.estimates.machine.seen(False))

    def _is_judged(self, line: Line) -> bool:
        """Whether it is known who answered; from now on it is."""
        attempt = line.call.attempt
        if (timer := self._timers.pop(attempt, None)) is not None:
            timer.cancel()
        judged = attempt in self._judged
        self._judged.add(attempt)
        return judged

    def _expected(self, line: Line, *, answered: bool) -> None:
        """Whether a person answered, against what was believed of the call."""
        if line.expected is None:  # taken up after a start: what was believed is not known any more
            return
        self.estimates = self.estimates.attempted(line.expected.own_chance, answered)

    # how long it took ----------------------------------------------------------------------------

    def _worked(self, line: Line, outcome: str) -> None:
        """The talk, and the after-call work that ends with the result."""
        call = line.call
        if call.connected_at is None or call.ended_at is None:
            return
        talk_s = (call.ended_at - call.connected_at).total_seconds()
        after_s = self._age_s(line) - (call.ended_at - call.placed_at).total_seconds()
        estimates = self.estimates
        # saved later than that, the operator had been sent on a pause: it tells nothing of the work
        saved_late = after_s > self._months.profile(line.campaign_id).after_call_limit_s
        if outcome in MACHINES:
            self._machine_took(call, self._age_s(line))
            return
        self.estimates = replace(
            estimates,
            talk=estimates.talk.seen(talk_s),
            after_call=estimates.after_call if saved_late else estimates.after_call.seen(after_s),
        )

    def _machine_took(self, call: Call, until_s: float) -> None:
        """How long an operator was kept by it, until so many seconds after the call was placed."""
        if call.connected_at is not None:
            taken_s = until_s - (call.connected_at - call.placed_at).total_seconds()
            machine_talk = self.estimates.machine_talk.seen(taken_s)
            self.estimates = replace(self.estimates, machine_talk=machine_talk)

    def _age_s(self, line: Line) -> float:
        """Seconds since the call was placed."""
        return self._clock.monotonic() - line.placed_s


def _rang_s(call: Call) -> float:
    """From placing a call to its answer."""
    assert call.answered_at is not None
    return (call.answered_at - call.placed_at).total_seconds()


def numbers_of(estimates: Estimates) -> dict[str, float]:
    """Every number of the estimates: `talk.mu` and the like."""
    return {
        f"{belief}.{part}": value
        for belief, parts in asdict(estimates).items()
        for part, value in parts.items()
    }


def estimates_of(kept: dict[str, float]) -> Estimates:
    """The estimates as kept; what is not among the numbers is believed as beforehand."""

    def belief(name: str) -> Any:
        before = getattr(BEFOREHAND, name)
        known = {one.name: kept.get(f"{name}.{one.name}") for one in fields(before)}
        return replace(before, **{part: one for part, one in known.items() if one is not None})

    return Estimates(**{one.name: belief(one.name) for one in fields(Estimates)})

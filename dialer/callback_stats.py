"""How many call us, and how long they are likely to wait: from our own records, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, time

from db import callbacks
from db.session import Sessions
from dialer.callbacks import Caller
from dialer.clock import Clock
from dialer.estimating import Estimating
from dialer.seats import Seats
from rules.answering import Opening
from rules.calendar import JST
from rules.callback_state import Callback, State
from rules.operator_state import State as SeatState
from rules.pacing.estimates import Estimates

BELIEVED_S = 3600.0
"""Before anybody has called today, one caller is believed to come in this time."""
LOOK_EVERY_S = 1.0
TALKS_SEEN = 10
"""From so many talks on we know how long one takes."""
_TALKS_BEFOREHAND = Estimates().talk.weight
_WORKING = frozenset(SeatState) - {SeatState.AWAY, SeatState.PAUSED}


class CallbackStats:
    """The day's callers, and what the line's end may expect."""

    def __init__(
        self,
        clock: Clock,
        sessions: Sessions,
        seats: Seats,
        estimating: Estimating,
        group: Callable[[], Collection[str]],
        openings: Callable[[], Sequence[Opening]],
    ) -> None:
        """
        Args:
            group: the operators who take callbacks; empty: everybody.
            openings: hours in which callers reach operators.
        """
        self._clock = clock
        self._sessions = sessions
        self._seats = seats
        self._estimating = estimating
        self._group = group
        self._openings = openings
        self._arrivals: list[datetime] = []
        self._rate: tuple[float, float] | None = None
        """Until when, by the steady clock, `per_s` says what it said last; None: it looks again."""

    async def load(self) -> None:
        """Begin with what is on record of the day.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            self._arrivals = await callbacks.arrived_since(session, self._midnight())
        self._rate = None

    def moved(self, caller: Caller, before: Callback) -> None:
        """A callback changed its state: is it a new one?"""
        if before.state is State.ARRIVED:
            self._arrivals.append(caller.callback.arrived_at)
            self._rate = None

    def per_s(self) -> float:
        """Callers a second, as today in opening hours, shrunk towards one in `BELIEVED_S`; > 0."""
        now_s = self._clock.monotonic()
        if (
            self._rate is None or now_s >= self._rate[0]
        ):  # pacing asks with every change of any call
            self._rate = now_s + LOOK_EVERY_S, self._look()
        return self._rate[1]

    def _look(self) -> float:
        now, midnight = self._clock.now(), self._midnight()
        self._arrivals = [at for at in self._arrivals if at >= midnight]
        today = [one for one in self._openings() if midnight <= one.start <= now]
        open_s = sum((min(now, one.end) - one.start).total_seconds() for one in today)
        seen = sum(any(one.start <= at < one.end for one in today) for at in self._arrivals)
        return (seen + 1) / (open_s + BELIEVED_S)

    def expected_s(self, position: int) -> float | None:
        """Seconds until whoever is at this position of the line (from 1 on) is likely to be served;
        None: too few talks were seen, or nobody works."""
        estimates = self._estimating.estimates
        if estimates.talk.weight < _TALKS_BEFOREHAND + TALKS_SEEN:
            return None
        seats = self._seats.for_callbacks(self._group())
        working = sum(seat.state in _WORKING for seat in seats)
        if not working:
            return None
        return position * (estimates.talk.mean_s + estimates.after_call.mean_s) / working

    def _midnight(self) -> datetime:
        return datetime.combine(self._clock.now().astimezone(JST).date(), time(), JST)

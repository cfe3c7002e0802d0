"""How many calls to place now, and which: the one function that paces.

Predictive: one more call is placed while the probability that it leaves somebody without an operator is no
higher than the day's credit allows (`rules.pacing.credit`). Progressive: never more calls in flight than
free operators. Both within lines, operators and candidates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rules.pacing.balance import Floats, choose
from rules.pacing.credit import Allowed, allowed_at
from rules.pacing.estimates import within
from rules.pacing.forecast import forecast_of
from rules.pacing.mode import mode_of
from rules.pacing.outlook import BREAK_SOON_S, Staff, belief_of, calls_of, chances_of, staff_of
from rules.pacing.snapshot import Limit, Mode, Pace, Snapshot, Why

MOST_CALLS_PER_OPERATOR = 1000.0
"""Whatever the profile says: lines and risk allow fewer, and an endless number could not be counted."""

_NOW: Floats = np.zeros(1)


def calls_to_place(snapshot: Snapshot) -> Pace:
    """How many calls to place now, which of the candidates, and what keeps it from being more.

    Never more than there are lines, never any without an operator who takes calls, whatever the snapshot.
    """
    staff = staff_of(snapshot.operators, snapshot.now_s)
    allowed = allowed_at(snapshot, staff.size, _NOW)
    mode, why = mode_of(snapshot, staff.size, allowed.left)
    if not snapshot.may_dial or not math.isfinite(snapshot.now_s):
        return Pace(calls=0, limit=Limit.STOPPED, mode=mode, why=why)
    look = _Look(snapshot, _Room(snapshot, staff, mode, why))
    look.choose(np.array([snapshot.now_s]), allowed, in_full=True)
    return look.pace()


def first_calls(snapshot: Snapshot, moments_s: Sequence[float]) -> tuple[int, Pace] | None:
    """When candidates are called next if nothing happens until then: what `calls_to_place` would say at one
    moment after the other, in a fraction of the time.

    Args:
        snapshot: one in which calls may be placed.
        moments_s: when it would be asked, in order, from the snapshot's moment on.

    Returns:
        The first moment, by position, at which candidates are called, and the pace then; None: there is none.
    """
    moments = np.array(moments_s)
    begin = 0
    while begin < len(moments):
        # who takes calls, and the mode, are the same for a while
        staff = staff_of(snapshot.operators, moments_s[begin])
        alike = moments[begin:]
        if staff.first_break_s < math.inf:
            alike = alike[alike + BREAK_SOON_S < staff.first_break_s]
        allowed = allowed_at(snapshot, staff.size, alike - snapshot.now_s)
        mode, why = mode_of(snapshot, staff.size, allowed.left)
        room = _Room(snapshot, staff, mode, why)
        if room.most:
            look = _Look(snapshot, room)
            at = look.choose(alike, allowed, in_full=False)
            if look.calls:
                return begin + at, look.pace()
        begin += len(allowed.ahead)
    return None


class _Look:
    """At who will be free and who will answer, whenever it is between two events."""

    def __init__(self, snapshot: Snapshot, room: _Room) -> None:
        self._room, self._staff = room, room.staff
        staff = room.staff
        # progressive for want of credit still looks ahead: a callback may take the operator
        self._foresees = room.mode is Mode.PREDICTIVE or room.why is Why.CREDIT_SPENT
        self._told = staff.foreseen(snapshot.estimates.talk)
        size = staff.size + len(snapshot.calls)
        self._forecast = forecast_of(snapshot.estimates, snapshot.terms.patience_s, size)
        self._sure = staff.free - room.claimed - max(0, snapshot.appointments_soon)
        self._callbacks_per_s = float(snapshot.callbacks_per_s)
        self._calls = calls_of(tuple(snapshot.calls))
        self._belief = belief_of(snapshot.estimates)
        self._misses = np.empty(room.most)
        chances = chances_of(tuple(snapshot.candidates))
        self._offer = (chances, room.most, room.unclaimed, self._misses)

    def choose(self, moments_s: Floats, allowed: Allowed, *, in_full: bool) -> int:
        """How many candidates to call at the first of some moments at which there are any to call.

        Args:
            moments_s: at least as many as those for which it is known what may be risked.
            in_full: False if nothing else is asked if there are none.

        Returns:
            Which of the moments; the last one if none are called.
        """
        staff, covered, ahead = self._staff, allowed.covered, allowed.ahead
        if not self._foresees:
            covered = ahead = np.ones(len(ahead))
        # what is foreseen of talks whose progress is known is made for one moment at a time
        step = 1 if len(staff.ticked) else len(ahead)
        for begin in range(0, len(ahead), step):
            some = slice(begin, begin + step)
            foreseen = self._forecast.foreseen(moments_s[begin], staff.ticked, self._told)
            at, self.calls, self._miss, self._answers, self._free = choose(
                (moments_s[some], covered[some], ahead[some]),
                (self._sure, staff.working, staff.talking, foreseen, self._callbacks_per_s),
                self._calls,
                self._belief,
                self._forecast.tables,
                self._offer,
                in_full,
            )
            at += begin
            if self.calls:
                break
        self._allowed = float(allowed.ahead[at])
        is_covered = self.calls < self._room.unclaimed
        self._too_risky = self._miss > (covered[at] if is_covered else ahead[at])
        return at

    def pace(self) -> Pace:
        """What was chosen, and why."""
        room, calls = self._room, self.calls
        limit = Limit.CANDIDATES
        if calls == room.calls:
            limit = room.limit
        elif self._too_risky:
            limit = room.limit_by_risk
        return Pace(
            calls=calls,
            limit=limit,
            reserved=room.reserved,
            # in the plan's order: another choice among the next ones gains nothing (docs/pacing.md)
            chosen=tuple(range(calls)),
            mode=room.mode,
            why=room.why,
            expected_answers=self._answers,
            expected_free=self._sure + self._free,
            miss=self._miss,
            misses=tuple(self._misses[:calls].tolist()),
            allowed_miss=self._allowed,
        )


class _Room:
    """Calls for which there are lines and operators at all, whatever the risk."""

    def __init__(self, snapshot: Snapshot, staff: Staff, mode: Mode, why: Why) -> None:
        self.staff, self.mode, self.why = staff, mode, why
        lines = max(0, snapshot.lines - max(0, snapshot.lines_used))
        self.claimed = claimed = snapshot.claimed
        unclaimed = max(0, staff.free - claimed - len(snapshot.calls))
        self.unclaimed = unclaimed
        """Free operators for whom neither a person nor a call is there yet."""
        # predictive: a call in flight may take any operator, so it claims none of those free now
        keepable = max(0, staff.free - claimed) if mode is Mode.PREDICTIVE else unclaimed
        self.reserved = max(0, min(snapshot.appointments_soon, keepable, lines))
        by_operators = self._calls_by_operators(snapshot, staff.size, unclaimed)
        self.calls = max(0, min(by_operators, lines - self.reserved))
        self.most = min(self.calls, len(snapshot.candidates))
        """Calls to candidates."""
        self._kept = staff.free > 0 and snapshot.appointments_soon > 0
        self._lines, self._by_operators = lines, by_operators

    def _calls_by_operators(self, snapshot: Snapshot, operators: int, unclaimed: int) -> int:
        """Calls beside the reserved ones, by operators alone."""
        if self.mode is Mode.PREVIEW:
            return 0
        if self.mode is Mode.PROGRESSIVE:
            return unclaimed - self.reserved
        each = within(snapshot.terms.calls_per_operator, 0.0, MOST_CALLS_PER_OPERATOR)
        return math.floor(each * operators) - len(snapshot.calls)

    @property
    def limit(self) -> Limit:
        """What binds if no risk and no lack of candidates does."""
        if self._lines - self.reserved < self._by_operators:
            return Limit.APPOINTMENTS if self.reserved else Limit.LINES
        if self.mode is Mode.PREDICTIVE:
            return Limit.CALLS_PER_OPERATOR
        return Limit.APPOINTMENTS if self.reserved else Limit.OPERATORS

    @property
    def limit_by_risk(self) -> Limit:
        """What binds if one more call would be too risky."""
        return Limit.APPOINTMENTS if self._kept else Limit.RISK

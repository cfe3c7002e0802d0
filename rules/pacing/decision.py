"""How many calls to place now, and which: the one function that paces.

Predictive: one more call is placed while the probability that it leaves somebody without an operator is no
higher than the day's credit allows (`rules.pacing.credit`). Progressive: never more calls in flight than
free operators. Both within lines, operators and candidates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rules.pacing import credit
from rules.pacing.estimates import within
from rules.pacing.mode import mode_of
from rules.pacing.outlook import Outlook
from rules.pacing.snapshot import Activity, Limit, Mode, OperatorNow, Pace, Snapshot, Why

BREAK_SOON_S = 15.0
"""An operator whose break begins sooner is not reckoned with: a call placed now is answered about then."""

MOST_CALLS_PER_OPERATOR = 1000.0
"""Whatever the profile says: lines and risk allow fewer, and an endless number could not be counted."""

_ANY_RISK = credit.Allowed(1.0, 1.0)


def calls_to_place(snapshot: Snapshot) -> Pace:
    """How many calls to place now, which of the candidates, and what keeps it from being more.

    Never more than there are lines, never any without an operator who takes calls, whatever the snapshot.
    """
    staying = _staying(snapshot)
    left = credit.credit_of(snapshot, len(staying))
    mode, why = mode_of(snapshot, len(staying), left)
    if not snapshot.may_dial or not math.isfinite(snapshot.now_s):
        return Pace(calls=0, limit=Limit.STOPPED, mode=mode, why=why)
    allowed = credit.allowed_miss(snapshot, len(staying), left)
    # progressive for want of credit still looks ahead: a callback may take the operator
    foresees = mode is Mode.PREDICTIVE or why is Why.CREDIT_SPENT
    room = _Room(snapshot, staying, mode)
    outlook = Outlook.of(snapshot, staying)
    misses, limit = _choose(snapshot, outlook, room, allowed if foresees else _ANY_RISK)
    return Pace(
        calls=len(misses),
        limit=limit,
        reserved=room.reserved,
        # in the plan's order: another choice among the next ones was found to gain nothing (docs/pacing.md)
        chosen=tuple(range(len(misses))),
        mode=mode,
        why=why,
        expected_answers=outlook.expected_answers,
        expected_free=outlook.expected_free,
        miss=outlook.miss(),
        misses=tuple(misses),
        allowed_miss=allowed.ahead,
    )


def _choose(
    snapshot: Snapshot, outlook: Outlook, room: _Room, allowed: credit.Allowed
) -> tuple[list[float], Limit]:
    """Add calls to the outlook, each with the risk it is placed at, until something binds."""
    misses: list[float] = []
    while len(misses) < room.calls:
        miss = outlook.miss()
        if miss > (allowed.covered if len(misses) < room.unclaimed else allowed.ahead):
            return misses, room.limit_by_risk
        if len(misses) == len(snapshot.candidates):
            return misses, Limit.CANDIDATES
        outlook.add(snapshot.estimates.answer(snapshot.candidates[len(misses)]))
        misses.append(miss)
    return misses, room.limit


def _staying(snapshot: Snapshot) -> list[OperatorNow]:
    soon = snapshot.now_s + BREAK_SOON_S
    return [
        operator
        for operator in snapshot.operators
        if operator.break_at_s is None or operator.break_at_s > soon
    ]


class _Room:
    """Calls for which there are lines and operators at all, whatever the risk."""

    def __init__(self, snapshot: Snapshot, staying: Sequence[OperatorNow], mode: Mode) -> None:
        lines = max(0, snapshot.lines - max(0, snapshot.lines_used))
        free = sum(operator.activity is Activity.FREE for operator in staying)
        unclaimed = max(0, free - snapshot.claimed - len(snapshot.calls))
        self.unclaimed = unclaimed
        """Free operators for whom neither a person nor a call is there yet."""
        # predictive: a call in flight may take any operator, so it claims none of those free now
        keepable = max(0, free - snapshot.claimed) if mode is Mode.PREDICTIVE else unclaimed
        self.reserved = max(0, min(snapshot.appointments_soon, keepable, lines))
        by_operators = self._by_operators(snapshot, len(staying), unclaimed, mode)
        self.calls = max(0, min(by_operators, lines - self.reserved))
        self._kept = free > 0 and snapshot.appointments_soon > 0
        self.limit = self._limit(lines, by_operators, mode)

    def _by_operators(self, snapshot: Snapshot, operators: int, unclaimed: int, mode: Mode) -> int:
        """Calls beside the reserved ones, by operators alone."""
        if mode is Mode.PREVIEW:
            return 0
        if mode is Mode.PROGRESSIVE:
            return unclaimed - self.reserved
        each = within(snapshot.terms.calls_per_operator, 0.0, MOST_CALLS_PER_OPERATOR)
        return math.floor(each * operators) - len(snapshot.calls)

    def _limit(self, lines: int, by_operators: int, mode: Mode) -> Limit:
        """What binds if no risk and no lack of candidates does."""
        if lines - self.reserved < by_operators:
            return Limit.APPOINTMENTS if self.reserved else Limit.LINES
        if mode is Mode.PREDICTIVE:
            return Limit.CALLS_PER_OPERATOR
        return Limit.APPOINTMENTS if self.reserved else Limit.OPERATORS

    @property
    def limit_by_risk(self) -> Limit:
        """What binds if one more call would be too risky."""
        return Limit.APPOINTMENTS if self._kept else Limit.RISK

"""How others pace, behind the same interface, to be compared with on the same days.

Written from descriptions of what they do. None of them knows of chances or distributions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial

from dialer.simulation.day import Way
from rules.pacing.decision import calls_to_place
from rules.pacing.snapshot import Activity, Limit, Mode, Pace, Snapshot

OURS = "yobirin"


def progressive(snapshot: Snapshot) -> Pace:
    """One call in flight for each operator who is free."""
    return boost(snapshot, 1.0)


def boost(snapshot: Snapshot, factor: float) -> Pace:
    """As many calls in flight as free operators times a factor (WombatDialer and others)."""
    free = _number(snapshot, Activity.FREE) - snapshot.callbacks_waiting
    return _pace(snapshot, _round(factor * free) - len(snapshot.calls) - snapshot.waiting)


def ratio(snapshot: Snapshot, factor: float) -> Pace:
    """Lines, talks included, are operators who are free or talking, times a factor (VICIdial's RATIO)."""
    return _pace(snapshot, _round(factor * _at_work(snapshot)) - _in_progress(snapshot))


class Cap(Enum):
    """What VICIdial's adaptive pacing does once the day's drops are over the cap."""

    HARD = "hard"
    """One line for each operator."""
    AVERAGE = "average"
    """The level is halved."""
    TAPERED = "tapered"
    """The level is multiplied with the share of the day that is left."""


class Adaptive:
    """VICIdial's adaptive pacing: a level of lines for each operator, moved every 15 s.

    With R operators free, W answered persons waiting and A operators logged in, each taken every second, and
    d the mean of (R - W) / A over the last 15: level = clamp(level · (1 + d), 1, 3). Calls are placed every
    2.5 s, up to the level for each free operator ("available only tally"), or as with `ratio`.
    """

    def __init__(self, cap: Cap, *, available_only: bool = True) -> None:
        self._cap = cap
        self._lines = boost if available_only else ratio
        self._level = 1.0
        self._samples: deque[float] = deque(maxlen=_SAMPLES)
        self._sample_at = 0.0
        self._place_at = 0.0
        self._sampled = 0
        self._placed = 0

    def __call__(self, snapshot: Snapshot) -> Pace:
        """Pace of the moment; between its regular moments nothing is placed."""
        while snapshot.now_s >= self._sample_at:
            self._sample_at += _SAMPLE_S
            self._sample(snapshot)
        if snapshot.now_s < self._place_at:
            return _pace(snapshot, 0)
        while snapshot.now_s >= self._place_at:
            self._place_at += _PLACE_S
        pace = self._lines(snapshot, self._level)
        self._placed += pace.calls
        return pace

    def _sample(self, snapshot: Snapshot) -> None:
        logged_in = max(1, len(snapshot.operators))
        ready = _number(snapshot, Activity.FREE)
        self._samples.append((ready - snapshot.waiting) / logged_in)
        self._sampled += 1
        if self._sampled % _SAMPLES == 0:
            self._adapt(snapshot)

    def _adapt(self, snapshot: Snapshot) -> None:
        difference = sum(self._samples) / len(self._samples)
        level = self._level * (1 + difference)
        if self._placed > _CALLS_BEFORE_CAP and _over_cap(snapshot):
            level = self._held_back(level, snapshot)
        self._level = min(_MOST, max(1.0, level))

    def _held_back(self, level: float, snapshot: Snapshot) -> float:
        if self._cap is Cap.HARD:
            return 1.0
        if self._cap is Cap.AVERAGE:
            return level / 2
        left = snapshot.today.left_s or 0.0
        return level * left / (snapshot.now_s + left)


_SAMPLE_S = 1.0
_SAMPLES = 15
_PLACE_S = 2.5
_MOST = 3.0
_CALLS_BEFORE_CAP = 50
"""Calls placed in the day after which the cap counts."""

WAYS: Mapping[str, Callable[[], Way]] = {
    OURS: lambda: calls_to_place,
    "progressive": lambda: progressive,
    "ratio 1.5": lambda: partial(ratio, factor=1.5),
    "ratio 2": lambda: partial(ratio, factor=2.0),
    "ratio 3": lambda: partial(ratio, factor=3.0),
    "boost 1.5": lambda: partial(boost, factor=1.5),
    "boost 2": lambda: partial(boost, factor=2.0),
    "boost 3": lambda: partial(boost, factor=3.0),
    "adaptive hard": lambda: Adaptive(Cap.HARD),
    "adaptive average": lambda: Adaptive(Cap.AVERAGE),
    "adaptive tapered": lambda: Adaptive(Cap.TAPERED),
    "adaptive at work": lambda: Adaptive(Cap.HARD, available_only=False),
}
"""Ours and the others, each made anew for a day."""


def _pace(snapshot: Snapshot, wanted: int) -> Pace:
    most = min(snapshot.lines - snapshot.lines_used, len(snapshot.candidates))
    calls = max(0, min(wanted, most))
    limit = Limit.OPERATORS if calls == max(0, wanted) else Limit.LINES
    return Pace(calls=calls, limit=limit, chosen=tuple(range(calls)), mode=Mode.PREDICTIVE)


def _over_cap(snapshot: Snapshot) -> bool:
    today = snapshot.today
    answered = today.connected + today.abandoned
    return today.abandoned > snapshot.terms.cap * answered


def _number(snapshot: Snapshot, activity: Activity) -> int:
    return sum(operator.activity is activity for operator in snapshot.operators)


def _at_work(snapshot: Snapshot) -> int:
    return _number(snapshot, Activity.FREE) + _number(snapshot, Activity.TALKING)


def _in_progress(snapshot: Snapshot) -> int:
    return len(snapshot.calls) + snapshot.waiting + _number(snapshot, Activity.TALKING)


def _round(number: float) -> int:
    """Halves upwards."""
    return int(number + 0.5)

"""How others pace, behind the same interface, to be compared with on the same days.

Written from descriptions of what they do. None of them knows of chances or distributions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache, partial

from dialer.simulation.way import Moment, Way
from rules.pacing.decision import first_calls
from rules.pacing.snapshot import Limit, Mode, Pace

OURS = "yobirin"


def ours(moment: Moment, moments_s: Sequence[float]) -> tuple[int, Pace] | None:
    """As the service paces."""
    return first_calls(moment.snapshot(), moments_s)


def progressive(moment: Moment, moments_s: Sequence[float]) -> tuple[int, Pace] | None:
    """One call in flight for each operator who is free."""
    return boost(moment, moments_s, 1.0)


def boost(moment: Moment, _: Sequence[float], factor: float) -> tuple[int, Pace] | None:
    """As many calls in flight as free operators times a factor (WombatDialer and others)."""
    return _at_once(moment, _by_free(moment, factor))


def ratio(moment: Moment, _: Sequence[float], factor: float) -> tuple[int, Pace] | None:
    """Lines, talks included, are operators who are free or talking, times a factor (VICIdial's RATIO)."""
    return _at_once(moment, _by_work(moment, factor))


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
        self._wanted = _by_free if available_only else _by_work
        self._level = 1.0
        self._sum = 0.0
        """Of the samples since the level was moved."""
        self._sampled = 0
        self._sample_at = 0.0
        self._place_at = 0.0
        self._placed = 0

    def __call__(self, moment: Moment, moments_s: Sequence[float]) -> tuple[int, Pace] | None:
        """Between its regular moments it samples, and nothing is placed."""
        sample = (moment.free - moment.waiting) / max(1, moment.logged_in)
        for at, now_s in enumerate(moments_s):
            while now_s >= self._sample_at:
                self._sample_at += _SAMPLE_S
                self._take(sample, moment, now_s)
            if now_s >= self._place_at:
                while now_s >= self._place_at:
                    self._place_at += _PLACE_S
                pace = _pace(moment, self._wanted(moment, self._level))
                if pace is not None:
                    self._placed += pace.calls
                    return at, pace
        return None

    def _take(self, sample: float, moment: Moment, now_s: float) -> None:
        self._sum += sample
        self._sampled += 1
        if self._sampled == _SAMPLES:
            self._adapt(self._sum / _SAMPLES, moment, now_s)
            self._sum, self._sampled = 0.0, 0

    def _adapt(self, difference: float, moment: Moment, now_s: float) -> None:
        level = self._level * (1 + difference)
        if self._placed > _CALLS_BEFORE_CAP and _over_cap(moment):
            level = self._held_back(level, moment, now_s)
        self._level = min(_MOST, max(1.0, level))

    def _held_back(self, level: float, moment: Moment, now_s: float) -> float:
        if self._cap is Cap.HARD:
            return 1.0
        if self._cap is Cap.AVERAGE:
            return level / 2
        return level * (moment.end_s - now_s) / moment.end_s


_SAMPLE_S = 1.0
_SAMPLES = 15
_PLACE_S = 2.5
_MOST = 3.0
_CALLS_BEFORE_CAP = 50
"""Calls placed in the day after which the cap counts."""

WAYS: Mapping[str, Callable[[], Way]] = {
    OURS: lambda: ours,
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

KNOW_THE_CAP = frozenset(name for name in WAYS if name == OURS or name.startswith("adaptive"))
"""The days of the others are the same whatever the cap is."""


def _by_free(moment: Moment, factor: float) -> int:
    """Calls to place: lines for those free, persons who called back first."""
    free = moment.free - moment.callbacks_waiting
    return _round(factor * free) - moment.calls - moment.waiting


def _by_work(moment: Moment, factor: float) -> int:
    """Calls to place: lines for those free or talking, of which talks are some."""
    lines = _round(factor * (moment.free + moment.talking))
    return lines - moment.calls - moment.waiting - moment.talking


def _at_once(moment: Moment, wanted: int) -> tuple[int, Pace] | None:
    """Now or, as the same is wanted until something happens, not at all."""
    pace = _pace(moment, wanted)
    return None if pace is None else (0, pace)


def _pace(moment: Moment, wanted: int) -> Pace | None:
    calls = min(wanted, moment.placeable)
    return _pace_of(calls, calls == wanted) if calls > 0 else None


@cache
def _pace_of(calls: int, all_wanted: bool) -> Pace:
    limit = Limit.OPERATORS if all_wanted else Limit.LINES
    return Pace(calls=calls, limit=limit, chosen=tuple(range(calls)), mode=Mode.PREDICTIVE)


def _over_cap(moment: Moment) -> bool:
    return moment.abandoned > moment.cap * (moment.connected + moment.abandoned)


def _round(number: float) -> int:
    """Halves upwards."""
    return int(number + 0.5)

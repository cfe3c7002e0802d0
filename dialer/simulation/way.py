"""What a way of pacing is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rules.pacing.snapshot import Pace, Snapshot


class Moment(NamedTuple):
    """What there is to see until something happens. Those who only count need no snapshot, which takes longer
    to make than they take to answer."""

    now_s: float
    end_s: float
    """When the day's calling ends."""
    logged_in: int
    free: int
    talking: int
    """Operators; the others who are logged in do after-call work."""
    calls: int
    """In flight: placed and not answered."""
    waiting: int
    """Persons who answered and wait for an operator."""
    callbacks_waiting: int
    """Persons who called back and wait."""
    placeable: int
    """Calls for which there are lines, and phones to call."""
    connected: int
    abandoned: int
    """Of the day's answers."""
    cap: float
    """Abandoned ÷ (abandoned + connected), at most."""
    snapshot: Callable[[], Snapshot]
    """All that pacing may know, as the service hands it in; only while this is the newest moment."""


Way = Callable[[Moment, Sequence[float]], tuple[int, Pace] | None]
"""A way of pacing: of some moments from now on, the first (by position) at which calls are placed if nothing
happens before, and which; None: none are placed at any. Then it is asked about what comes after. One that
remembers (an object) is used for one day only."""

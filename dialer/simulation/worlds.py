"""What a simulated day is like, and the named scenarios.

The reference day is what is written as defaults; a scenario changes what it is about and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rules.pacing.estimates import Estimates, LogNormal, Share
from rules.pacing.snapshot import Terms

if TYPE_CHECKING:
    from dialer.simulation.recorded import Recorded

_TRUE = 0.0
"""Weight of a time that is so, not believed."""
_RING = LogNormal.of(9, 0.5, _TRUE)
_TALK = LogNormal.of(180, 0.8, _TRUE)
_AFTER_CALL = LogNormal.of(40, 0.5, _TRUE)
MACHINES_PRIOR = Share(0.3, 20)
"""What is believed of machines where nothing detects them; the reference day's own share."""
_ENDLESS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Breaks:
    """Operators are away at times. Each one takes `each` breaks, at random in equal parts of the day."""

    each: int = 2
    length_s: float = 900.0
    notice_s: float = 300.0
    """So long before an announced break it is known; every other break of an operator is announced."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Burst:
    """Talks that begin in a part of the day take longer."""

    from_s: float
    to_s: float
    factor: float


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """A day, as it is and as it is believed beforehand."""

    operators: int = 10
    hours: float = 8.0
    chance: float = 0.35
    """A person answers a call, on average over phones, where `chances` does not say otherwise."""
    chances: tuple[tuple[float, float], ...] = ()
    """(share of the day, chance): the average as the day goes, straight in between; pacing is never told."""
    phones_sd: float = 0.0
    """Standard deviation of the phones' own chances, which are Beta distributed; 0: all alike."""
    chances_known: bool = False
    """Pacing is told each phone's own chance, as it is on average over the day."""
    machine: float = 0.3
    """Of the calls no person answers, those a machine answers."""
    busy: float = 0.1
    """And those to a phone that is busy; the rest ring out."""
    detection: bool = True
    """Machines are told from persons at once and without error; else they reach an operator."""
    ring: LogNormal = _RING
    """From placing a call to a person's answer."""
    ring_limit_s: float = 35.0
    machine_ring_s: tuple[float, float] = (15.0, 20.0)
    machine_line_s: tuple[float, float] = (20.0, 60.0)
    """How long a detected machine still occupies the line (for a message), and nobody else."""
    machine_talk_s: float = 8.0
    """How long an undetected machine keeps an operator."""
    busy_s: float = 2.0
    talk: LogNormal = _TALK
    after_call: LogNormal = _AFTER_CALL
    burst: Burst | None = None
    script: tuple[float, ...] = ()
    """Shares of a talk at which the operator ticks a step; none: progress is not seen."""
    script_jitter: float = 0.1
    """Standard deviation of a tick's moment, relative."""
    breaks: Breaks | None = None
    late_share: float = 0.0
    """Of the operators, those who come in the middle of the day (rounded down, at least one of two)."""
    callback_load: float = 0.0
    """Persons who call back take this share of the operators' time, if all are served."""
    callback_patience_s: float = 60.0
    lines: int = _ENDLESS
    terms: Terms = field(default_factory=Terms)
    priors: Estimates = field(default_factory=Estimates)
    tick_s: float = 1.0
    """Pacing is asked at every event, and so often when there is none."""
    recorded: Recorded | None = None
    """A day of the centre's own: its phones and operators, in place of all that is drawn of them above."""

    @property
    def end_s(self) -> float:
        """When the day's calling ends."""
        return self.hours * 3600

    @property
    def candidates(self) -> int:
        """How many phones are offered to pacing at a time."""
        return max(30, 2 * self.operators)

    @property
    def callbacks_per_s(self) -> float:
        """Expected persons calling back, per second."""
        handling = self.talk.mean_s + self.after_call.mean_s
        return self.callback_load * self.operators / handling

    def chance_of(self, usual: float, at_s: float) -> float:
        """The chance of a phone at a moment: its usual odds, moved as the whole day's are."""
        if not self.chances or usual in (0.0, 1.0):
            return usual
        now = self._average(at_s / self.end_s)
        odds = usual / (1 - usual) * (now / (1 - now)) / (self.chance / (1 - self.chance))
        return odds / (1 + odds)

    def talk_factor(self, at_s: float) -> float:
        """By what a talk that begins at a moment is longer than usual."""
        burst = self.burst
        return burst.factor if burst and burst.from_s <= at_s < burst.to_s else 1.0

    def _average(self, share: float) -> float:
        earlier = self.chances[0]
        for later in self.chances[1:]:
            if share <= later[0]:
                part = (share - earlier[0]) / (later[0] - earlier[0])
                return earlier[1] + part * (later[1] - earlier[1])
            earlier = later
        return earlier[1]


SCRIPT = (0.25, 0.5, 0.75, 0.9)
PHONES_SD = 0.2
_REFERENCE = World()
_WRONG = Estimates(
    chance=Share(0.25, 20),
    ring=LogNormal.of(12, 0.5, 20),
    talk=LogNormal.of(240, 0.8, 20),
    after_call=LogNormal.of(60, 0.5, 20),
)
_HARDLY_ANY = Estimates(
    chance=Share(0.35, 4),
    ring=LogNormal.of(9, 0.5, 3),
    talk=LogNormal.of(180, 0.8, 3),
    after_call=LogNormal.of(40, 0.5, 3),
)

WORLDS: Mapping[str, World] = {
    "stationary": _REFERENCE,
    "time-of-day": World(chances=((0.0, 0.5), (0.5, 0.2), (1.0, 0.5))),
    "breaks": World(breaks=Breaks(), late_share=1 / 3),
    "long-talks": World(burst=Burst(from_s=3 * 3600, to_s=4 * 3600, factor=2.0)),
    "no-statistics": World(priors=_HARDLY_ANY),
    "callbacks": World(callback_load=0.1),
    "wrong-priors": World(priors=_WRONG),
    "phones-unknown": World(phones_sd=PHONES_SD),
    "phones-known": World(phones_sd=PHONES_SD, chances_known=True),
    "aim": World(phones_sd=PHONES_SD, chances_known=True, script=SCRIPT),
}
"""The scenarios, each with 10 operators; `replace(world, operators=…)` for others."""


def without_detection(world: World) -> World:
    """The same day where nothing tells machines from persons; that there are some is known beforehand."""
    priors = replace(world.priors, machine=MACHINES_PRIOR)
    return replace(world, detection=False, priors=priors)

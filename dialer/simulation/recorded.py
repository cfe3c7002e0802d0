"""A day of the centre's own as the simulator takes it: what was seen is drawn again, with replacement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from dialer.simulation.phones import Phone
from dialer.simulation.shifts import Shift

_AT_ONCE = 2048


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What was seen on a day; none is empty. Times in seconds."""

    chances: tuple[float, ...]
    """That a person answers, as it was believed, in the order in which phones were called."""
    ring_s: tuple[float, ...]
    """From placing to a person's answer."""
    machine_ring_s: tuple[float, ...]
    machine_talk_s: tuple[float, ...]
    """How long a machine kept an operator."""
    unanswered_s: tuple[float, ...]
    """How long calls lasted that nobody answered."""
    work_s: tuple[tuple[float, float], ...]
    """Talk and after-call work of one call each, which may hang together."""
    shifts: tuple[Shift, ...]
    """The operators' day."""

    def phones(self, draw: np.random.Generator) -> Iterator[Phone]:
        """Phones without end: their chances in the order of the day, then drawn from them."""
        more = (
            chance for batch in iter(lambda: _drawn(self.chances, draw), None) for chance in batch
        )
        chances = chain(self.chances, more)
        while True:
            pairs = draw.integers(len(self.work_s), size=_AT_ONCE).tolist()
            columns = (
                draw.random(_AT_ONCE).tolist(),
                draw.random(_AT_ONCE).tolist(),
                *(_drawn(seen, draw) for seen in (self.ring_s, self.machine_ring_s)),
                *(_drawn(seen, draw) for seen in (self.machine_talk_s, self.unanswered_s)),
            )
            for pair, luck, kind, ring_s, machine_ring_s, machine_talk_s, unanswered_s in zip(
                pairs, *columns, strict=True
            ):
                talk_s, work_s = self.work_s[pair]
                yield Phone(
                    chance=next(chances),
                    luck=luck,
                    kind=kind,
                    ring_s=ring_s,
                    machine_ring_s=machine_ring_s,
                    machine_line_s=0.0,  # an operator hears it, and its line ends with that
                    machine_talk_s=machine_talk_s,
                    unanswered_s=unanswered_s,
                    talk_s=talk_s,
                    work_s=work_s,
                    ticks=[],
                )


def _drawn(seen: Sequence[float], draw: np.random.Generator) -> list[float]:
    drawn: list[float] = draw.choice(np.asarray(seen), _AT_ONCE).tolist()
    return drawn

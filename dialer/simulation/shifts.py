"""When operators come and when they take breaks, drawn beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dialer.simulation.worlds import Breaks, World

_MARGIN = 0.1
"""No break is taken in so much of the beginning and the end of its part of a shift."""


@dataclass(frozen=True, slots=True)
class Break:
    """One operator's."""

    at_s: float
    length_s: float
    """From when they are gone."""
    notice_s: float | None = None
    """So long before it is known; None: it is not announced."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One operator's day."""

    from_s: float
    breaks: tuple[Break, ...]


def shifts(world: World, draw: np.random.Generator) -> list[Shift]:
    """Each operator's day. Whoever comes late comes in the middle of it and takes half the breaks."""
    if world.recorded is not None:
        return list(world.recorded.shifts)
    late = _late(world)
    middle = world.end_s / 2
    made = []
    for operator in range(world.operators):
        begin = middle if operator >= world.operators - late else 0.0
        breaks = tuple(_breaks(world.breaks, begin, world.end_s, draw)) if world.breaks else ()
        made.append(Shift(begin, breaks))
    return made


def _late(world: World) -> int:
    if world.late_share == 0 or world.operators < 2:
        return 0
    return max(1, int(world.late_share * world.operators))


def _breaks(breaks: Breaks, begin: float, end: float, draw: np.random.Generator) -> Iterator[Break]:
    number = round(breaks.each * (1.0 if begin == 0 else 0.5))
    part = (end - begin) / max(number, 1)
    for index in range(number):
        at = begin + part * (index + draw.uniform(_MARGIN, 1 - _MARGIN))
        yield Break(at, breaks.length_s, breaks.notice_s if index % 2 == 0 else None)

"""Phones and what would become of a call to each, drawn beforehand.

So every way of pacing meets the same phones on a day of the same seed, and what differs is the pacing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dialer.simulation.worlds import World
from rules.pacing.estimates import LogNormal

_AT_ONCE = 2048


class Phone(NamedTuple):
    """A phone, and the lots drawn for the one call to it. Times in seconds."""

    chance: float
    """That a person answers, on average over the day."""
    luck: float
    """Uniform: a person answers if it is below the chance of the moment."""
    kind: float
    """Uniform: whether it is a machine, busy, or rings out if no person answers."""
    ring_s: float
    """Until a person's answer."""
    machine_ring_s: float
    machine_line_s: float
    machine_talk_s: float
    """How long a machine keeps an operator, if nothing detects it."""
    unanswered_s: float
    """How long the call lasts if nobody answers."""
    talk_s: float
    work_s: float
    ticks: list[float]
    """When the operator ticks the steps of the script, as shares of the talk."""


def phones(world: World, generator: np.random.Generator) -> Iterator[Phone]:
    """Phones without end."""
    if world.recorded is not None:
        yield from world.recorded.phones(generator)
    while True:
        yield from map(Phone._make, zip(*_columns(world, generator), strict=True))


def _columns(world: World, draw: np.random.Generator) -> Iterator[list[float]]:
    yield _chances(world, draw).tolist()
    yield draw.random(_AT_ONCE).tolist()
    kinds = draw.random(_AT_ONCE)
    yield kinds.tolist()
    yield np.minimum(_times(world.ring, draw), world.ring_limit_s).tolist()
    yield draw.uniform(*world.machine_ring_s, _AT_ONCE).tolist()
    yield draw.uniform(*world.machine_line_s, _AT_ONCE).tolist()
    yield [world.machine_talk_s] * _AT_ONCE
    is_busy = kinds < world.machine + world.busy
    yield np.where(is_busy, world.busy_s, world.ring_limit_s).tolist()
    yield _times(world.talk, draw).tolist()
    yield _times(world.after_call, draw).tolist()
    jitter = draw.normal(1, world.script_jitter, (_AT_ONCE, len(world.script)))
    yield (jitter * world.script).tolist()


def _chances(world: World, draw: np.random.Generator) -> NDArray[np.float64]:
    mean, sd = world.chance, world.phones_sd
    if sd == 0:
        return np.full(_AT_ONCE, mean)
    weight = mean * (1 - mean) / sd**2 - 1
    return draw.beta(mean * weight, (1 - mean) * weight, _AT_ONCE)


def _times(of: LogNormal, draw: np.random.Generator) -> NDArray[np.float64]:
    return draw.lognormal(of.mu, math.sqrt(of.var), _AT_ONCE)

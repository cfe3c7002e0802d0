"""Many days, on all cores, and what they come to: a cell for each way of pacing in each world."""

from __future__ import annotations

import gc
import math
import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice

from dialer.simulation.day import Day, run_day
from dialer.simulation.rivals import WAYS
from dialer.simulation.worlds import World

_Z_95 = 1.959964
_FIRST_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is simulated."""

    scenario: str
    way: str
    world: World


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over days, and half the width of its 95 % confidence interval; 0 for a single day."""

    value: float
    half: float


@dataclass(frozen=True, slots=True)
class Row:
    """What the days of a setting came to. Shares 0–1."""

    scenario: str
    operators: int
    way: str
    days: int
    utilisation: Mean
    abandoned: Mean
    """Of all answers; the cap is about this."""
    persons_abandoned: Mean
    """Of persons only; the same where machines are detected."""
    days_over_cap: int
    idle: Mean
    wait_s: float
    """From answer to operator, mean over those connected."""
    callbacks_lost: int

    @property
    def over_share(self) -> float:
        """Share of the days that were over the cap."""
        return self.days_over_cap / self.days

    def plain(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def simulate(
    settings: Sequence[Setting],
    days: int,
    seed: int,
    done: Callable[[], None] = lambda: None,
    processes: int | None = None,
) -> Iterator[Row]:
    """A row for each setting, in order; the arguments are those of `played`."""
    for setting, came in played(settings, days, seed, done, processes):
        yield row_of(setting, came)


def played(
    settings: Sequence[Setting],
    days: int,
    seed: int,
    done: Callable[[], None] = lambda: None,
    processes: int | None = None,
) -> Iterator[tuple[Setting, list[Day]]]:
    """Each setting with its days, in order.

    Args:
        days: of each setting; their seeds are `seed`, `seed` + 1, …, the same in each.
        done: called after each day.
        processes: default: one for each core this process may use; 1: none beside this one.
    """
    tasks = [(setting, number) for setting in settings for number in range(seed, seed + days)]
    processes = processes or len(os.sched_getaffinity(0))
    if processes == 1:
        yield from _by_setting(settings, days, map(_run, tasks), done)
        return
    # a day leaves no cycles behind, and looking for them takes up to a quarter of its time
    with ProcessPoolExecutor(processes, initializer=gc.disable) as pool:
        yield from _by_setting(settings, days, pool.map(_run, tasks), done)


def mean_of(values: Sequence[float]) -> Mean:
    """Mean and interval, by Student's t."""
    if len(values) < 2:
        return Mean(values[0], 0.0)
    half = _student_95(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return Mean(statistics.fmean(values), half)


def row_of(setting: Setting, days: Sequence[Day]) -> Row:
    """What these days came to."""
    cap = setting.world.terms.cap
    connected = sum(day.connected for day in days)
    return Row(
        scenario=setting.scenario,
        operators=setting.world.operators,
        way=setting.way,
        days=len(days),
        utilisation=mean_of([day.utilisation for day in days]),
        abandoned=mean_of([day.abandoned_share for day in days]),
        persons_abandoned=mean_of([day.persons_abandoned_share for day in days]),
        days_over_cap=sum(day.abandoned_share > cap for day in days),
        idle=mean_of([day.idle for day in days]),
        wait_s=sum(day.waited_s for day in days) / max(1, connected),
        callbacks_lost=sum(day.callbacks_lost for day in days),
    )


def _run(task: tuple[Setting, int]) -> Day:
    setting, seed = task
    return run_day(setting.world, seed, WAYS[setting.way]())


def _by_setting(
    settings: Sequence[Setting], days: int, ran: Iterator[Day], done: Callable[[], None]
) -> Iterator[tuple[Setting, list[Day]]]:
    for setting in settings:
        came: list[Day] = []
        for day in islice(ran, days):
            came.append(day)
            done()
        yield setting, came


def _student_95(freedom: int) -> float:
    """Student's t for 95 %, two-sided: the first by heart, the others by its expansion, within 0.3 %."""
    if freedom <= len(_FIRST_95):
        return _FIRST_95[freedom - 1]
    z, n = _Z_95, freedom
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / n + second / n**2

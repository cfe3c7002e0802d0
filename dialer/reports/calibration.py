"""How far what pacing believed of a day's calls came true: the nightly calibration report.

Two beliefs are held against what happened: that a person answers (`Attempt.chance`, all calls), and that
nobody is free for whoever answers (`Attempt.miss`, answered calls). The tests are exact (the number that
came true is a sum of coin throws with known chances) and so strict that beliefs that are right are called
off on fewer than one night in a hundred.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import NormalDist, fmean
from typing import NamedTuple

import numpy as np

from db.recorded_day import RecordedCall
from dialer.who_answered import Answerer, who_answered
from rules.call_outcome import ABANDONED, HUNG_UP

OFF_Z = 3.0
"""A sum this far from what was believed is no chance: twice 0.13 %."""
BIN_OFF_Z = 3.6
"""The same for one of ten bins: all together 0.3 %."""
MISS_ALLOWANCE = 2.5
"""A miss steers, and the day's credit corrects its level: it is off only if no factor of so much, up or down,
explains what happened. On simulated days that are as believed it is 0.5 to 1.7 (docs/pacing.md)."""
ANSWER_EDGES = tuple(step / 10 for step in range(11))
MISS_EDGES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_Z_95 = 1.959964
_EXACT_UP_TO = 100.0
"""Variance of a sum above which it is as good as normal."""
_NORMAL = NormalDist()
_MOST_Z = 9.0


class Belief(NamedTuple):
    """A probability as it was believed, and whether it came true."""

    chance: float
    came: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Bin:
    """The calls that were believed about alike."""

    calls: int
    believed: float
    """Mean of the chances."""
    happened: float
    """Share that came true."""
    low: float
    """Of its 95 % interval (Wilson)."""
    high: float
    z: float
    """How surprising the number is that came true, in standard deviations of a normal; < 0: too few."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """One belief against what happened in a day."""

    calls: int
    believed: float
    """Sum of the chances: so many were expected to come true."""
    spread: float
    """Standard deviation of the number that comes true, if the chances are right."""
    happened: int
    z: float
    """How surprising that number is (`Bin.z`), after the allowance."""
    brier: float
    """Mean squared difference of chance and what came, 0–1: the less, the better."""
    bins: tuple[Bin, ...]
    """By chance, those with calls."""
    off: bool
    """The belief and what happened do not fit together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DayCalibration:
    """The calibration of a day."""

    day: date
    answers: Calibration
    """A person answers, of all calls of which it is known who did."""
    abandoned: Calibration
    """Nobody is free, of the answered calls."""
    untold: int
    """Calls with a chance that are in neither: ended by us, without a result yet, or without a line."""

    @property
    def off(self) -> bool:
        """Whether one of them is."""
        return self.answers.off or self.abandoned.off


def calibration_of(day: date, calls: Sequence[RecordedCall]) -> DayCalibration:
    """The calibration of a day's calls."""
    believed = [call for call in calls if call.chance is not None]
    answers = list(_answers(believed))
    return DayCalibration(
        day=day,
        answers=calibrated(answers, ANSWER_EDGES, bins_judged=True),
        abandoned=calibrated(list(_abandoned(believed)), MISS_EDGES, allowance=MISS_ALLOWANCE),
        untold=len(believed) - len(answers),
    )


def calibrated(
    beliefs: Sequence[Belief],
    edges: Sequence[float],
    *,
    allowance: float = 1.0,
    bins_judged: bool = False,
) -> Calibration:
    """Beliefs against what happened.

    Args:
        edges: of the bins, rising from 0 to 1.
        allowance: factor by which all chances may be too low or too high before that is called off.
        bins_judged: the belief is off, too, if a bin is.
    """
    chances = [belief.chance for belief in beliefs]
    happened = sum(belief.came for belief in beliefs)
    bins = tuple(_bins(beliefs, edges))
    z = _allowed_z(chances, happened, allowance)
    return Calibration(
        calls=len(beliefs),
        believed=sum(chances),
        spread=math.sqrt(_variance(chances)),
        happened=happened,
        z=z,
        brier=fmean((one.chance - one.came) ** 2 for one in beliefs) if beliefs else 0.0,
        bins=bins,
        off=abs(z) > OFF_Z or (bins_judged and any(abs(one.z) > BIN_OFF_Z for one in bins)),
    )


def surprise(chances: Sequence[float], happened: int) -> float:
    """How surprising it is that so many came true, as a normal's standard deviations; < 0: too few.

    For few calls by the exact distribution (Poisson binomial): never more surprising than it is. Between
    -9 and 9.
    """
    variance = _variance(chances)
    if variance > _EXACT_UP_TO:
        z = (happened - sum(chances)) / math.sqrt(variance)
        return max(-_MOST_Z, min(_MOST_Z, z))
    as_many, as_few = _tails(chances, happened)
    return _z_of(as_many) - _z_of(as_few)  # one of them is 0


def off_in_words(found: DayCalibration) -> str:
    """What is off, in one line without personal data; empty if nothing is."""
    told = [
        f"{what} {_expected(one)}, came {one.happened}"
        for what, one in (("answers", found.answers), ("abandoned", found.abandoned))
        if one.off
    ]
    return f"pacing is miscalibrated ({found.day}): {'; '.join(told)}" if told else ""


def report(found: DayCalibration) -> Iterator[str]:
    """The report's lines, in English: supervisors read it beside `dialer status`."""
    yield f"Calibration of {found.day}: {off_in_words(found) or 'nothing is off'}"
    titles = (
        ("A person answers", "calls", found.answers),
        ("Nobody is free", "answered calls", found.abandoned),
    )
    for title, of, one in titles:
        yield ""
        yield (
            f"{title} ({one.calls} {of}): expected {_expected(one)}, came {one.happened}; "
            f"z {one.z:+.1f}, Brier score {one.brier:.4f}{' - OFF' if one.off else ''}"
        )
        if one.bins:
            yield "     calls  believed  happened  95 %"
        for each in one.bins:
            yield (
                f"{each.calls:>10} {each.believed:>9.1%} {each.happened:>9.1%}  "
                f"{each.low:.1%} to {each.high:.1%}"
            )
    yield ""
    yield f"Calls of which nobody can tell who answered: {found.untold}"


def _expected(one: Calibration) -> str:
    return f"{one.believed:.1f} ± {_Z_95 * one.spread:.1f}"


def _allowed_z(chances: Sequence[float], happened: int, allowance: float) -> float:
    """The surprise that is left when all chances may be wrong by a factor."""
    if happened > sum(chances):
        return max(0.0, surprise([min(1.0, chance * allowance) for chance in chances], happened))
    return min(0.0, surprise([chance / allowance for chance in chances], happened))


def _tails(chances: Sequence[float], happened: int) -> tuple[float, float]:
    """Probability that so many or more come true, and that so many or fewer do."""
    exactly = np.zeros(len(chances) + 1)
    exactly[0] = 1.0
    for number, chance in enumerate(chances, start=1):
        before = exactly[:number].copy()
        exactly[:number] *= 1 - chance
        exactly[1 : number + 1] += chance * before
    return float(exactly[happened:].sum()), float(exactly[: happened + 1].sum())


def _z_of(tail: float) -> float:
    """The normal's quantile above which so much lies; 0 for a half and more."""
    if tail >= 0.5:
        return 0.0
    return min(_MOST_Z, -_NORMAL.inv_cdf(max(tail, 1e-300)))


def _variance(chances: Sequence[float]) -> float:
    return sum(chance * (1 - chance) for chance in chances)


def _answers(calls: Sequence[RecordedCall]) -> Iterator[Belief]:
    for call in calls:
        answered = call.answered_at is not None
        answerer = who_answered(call.outcome, answered=answered, talk_s=call.talk_s)
        if call.chance is not None and answerer is not None:
            yield Belief(call.chance, answerer is Answerer.PERSON)


def _abandoned(calls: Sequence[RecordedCall]) -> Iterator[Belief]:
    """Of the answers, machines too: nobody knows them when the operator is looked for. Who hung up first
    tells nothing: somebody might have become free in time."""
    for call in calls:
        if call.miss is None or call.answered_at is None or call.outcome == HUNG_UP:
            continue
        if call.talk_from is not None or call.outcome == ABANDONED:
            yield Belief(call.miss, call.outcome == ABANDONED)


def _bins(beliefs: Sequence[Belief], edges: Sequence[float]) -> Iterator[Bin]:
    for low, high in pairwise(edges):
        last = high == edges[-1]
        found = [
            one for one in beliefs if low <= one.chance < high or (last and one.chance == high)
        ]
        if found:
            yield _bin(found)


def _bin(beliefs: Sequence[Belief]) -> Bin:
    chances = [belief.chance for belief in beliefs]
    came = sum(belief.came for belief in beliefs)
    low, high = wilson(came, len(beliefs))
    return Bin(
        calls=len(beliefs),
        believed=fmean(chances),
        happened=came / len(beliefs),
        low=low,
        high=high,
        z=surprise(chances, came),
    )


def wilson(came: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson's)."""
    z2 = _Z_95**2
    share = came / of
    middle = share + z2 / (2 * of)
    half = _Z_95 * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    whole = 1 + z2 / of
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)

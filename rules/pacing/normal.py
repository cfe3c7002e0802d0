"""The normal distribution, read from a table, and talks whose length is foreseen by it."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from rules.pacing.balance import Floats

_STEPS = 400
_LAST = 6.0
_TABLE: Floats = np.array(
    [
        0.5 * math.erfc(-z / math.sqrt(2))
        for z in np.linspace(-_LAST, _LAST, 2 * int(_LAST) * _STEPS + 1)
    ]
)
_SHORTEST_S = 1e-9
_LATE = 2.05
"""Deviations after which a talk is among the longest 2 %: it is treated as if just become so."""


def phi(z: Floats) -> Floats:
    """Distribution function of the standard normal."""
    # an evenly spaced table is read, not searched
    place = np.clip(z, -_LAST, _LAST) * _STEPS + _LAST * _STEPS
    found: Floats = _TABLE[(place + 0.5).astype(np.intp)]
    return found


@njit(cache=True)
def share_below(z: float) -> float:
    """Distribution function of the standard normal."""
    place = (min(max(z, -_LAST), _LAST) * _STEPS + _LAST * _STEPS) + 0.5
    share: float = _TABLE[int(place)]
    return share


@njit(cache=True)
def over_by(at_s: float, median_s: float, spread: float) -> float:
    """Probability that a log-normal time is over by then; 0 for times ≤ 0, and for none at all (NaN)."""
    if not at_s > _SHORTEST_S:
        return 0.0
    z = math.log(at_s / median_s) / spread
    z = min(max(z, -_LAST), _LAST)
    share: float = _TABLE[int((z + _LAST) * _STEPS + 0.5)]
    return share


@njit(cache=True)
def talks_by_age(logs: Floats, mu: float, deviation: float, works: Floats) -> Floats:
    """Of talks of every age (rows) the share that ends before each moment, with its after-call work.

    Args:
        logs: by age, moment and end of a part of the time until then: the logarithm of the talk's length
            if it ends at that time.
        mu, deviation: of the logarithm of all talks' lengths.
        works: for each moment and part, the probability that work which begins in the part is over.
    """
    found = np.empty(logs.shape[:2])
    for age in range(logs.shape[0]):
        for moment in range(logs.shape[1]):
            total, last = 0.0, share_below((logs[age, moment, 0] - mu) / deviation)
            for part in range(works.shape[1]):
                by = share_below((logs[age, moment, part + 1] - mu) / deviation)
                total += (by - last) * works[moment, part]
                last = by
            found[age, moment] = total
    return found


@njit(cache=True)
def talks_over(ages_s: Floats, told: Floats, cuts_s: Floats, works: Floats) -> Floats:
    """For each talk the probability that it and its after-call work are over by each moment.

    Args:
        told: for each talk (rows) the median of its whole length in seconds, and the standard deviation of
            the length's logarithm.
        cuts_s: for each moment (rows), the ends of the parts into which the time until it is cut, from 0.
        works: for each moment and part, the probability that work which begins in the part is over.
    """
    found = np.empty((len(ages_s), len(works)))
    for i in range(len(ages_s)):
        median_s, spread = told[i, 0], told[i, 1]
        age_s = min(ages_s[i], median_s * math.exp(spread * _LATE))
        before = over_by(age_s, median_s, spread)
        for moment in range(len(works)):
            total, last = 0.0, before
            for part in range(works.shape[1]):
                by = over_by(age_s + cuts_s[moment, part + 1], median_s, spread)
                total += (by - last) * works[moment, part]
                last = by
            found[i, moment] = min(1.0, total / (1.0 - before))
    return found

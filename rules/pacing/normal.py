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
def over_by(at_s: float, median_s: float, spread: float) -> float:
    """Probability that a log-normal time is over by then; 0 for times ≤ 0, and for none at all (NaN)."""
    if not at_s > _SHORTEST_S:
        return 0.0
    z = math.log(at_s / median_s) / spread
    z = min(max(z, -_LAST), _LAST)
    share: float = _TABLE[int((z + _LAST) * _STEPS + 0.5)]
    return share


@njit(cache=True)
def talks_over(
    ages_s: Floats, medians_s: Floats, spreads: Floats, cuts_s: Floats, works: Floats
) -> Floats:
    """For each talk the probability that it and its after-call work are over by each moment.

    Args:
        medians_s: of the talks' whole lengths; spreads: standard deviations of their logarithms.
        cuts_s: for each moment (rows), the ends of the parts into which the time until it is cut, from 0.
        works: for each moment and part, the probability that work which begins in the part is over.
    """
    found = np.empty((len(ages_s), len(works)))
    for i in range(len(ages_s)):
        age_s = min(ages_s[i], medians_s[i] * math.exp(spreads[i] * _LATE))
        before = over_by(age_s, medians_s[i], spreads[i])
        for moment in range(len(works)):
            total, last = 0.0, before
            for part in range(works.shape[1]):
                by = over_by(age_s + cuts_s[moment, part + 1], medians_s[i], spreads[i])
                total += (by - last) * works[moment, part]
                last = by
            found[i, moment] = min(1.0, total / (1.0 - before))
    return found

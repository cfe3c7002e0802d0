"""Answer rates: published priors and our own attempts, joined by Bayes' rule (rule 15).

A cell's logit is its prior logit plus effects, all normally distributed: one common to all cells, one
for each band, kind of day, kind of phone and ordinal, and one of its own. What is seen in one cell
thereby moves the others as far as they share effects, and a cell never tried keeps a wide interval.
The posterior is Laplace's approximation. docs/answer-rates.md explains it and names its limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from math import log, pi, sqrt
from typing import NamedTuple

import numpy as np

from dialer.planning import priors
from dialer.planning.logits import Matrix, Vector, posterior, sigmoid
from rules.case import PhoneKind
from rules.profile import Band, Profile

NORMAL_90 = 1.6448536269514722
"""Standard deviations on both sides of the mean that hold 90 % of a normal distribution."""


class Cell(NamedTuple):
    """Attempts that are taken as alike."""

    band: str
    """Name of the band (時間帯)."""
    non_weekday: bool
    kind: PhoneKind
    ordinal: int
    """1: first counted attempt on the phone, 2: second, 3: third or later."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over the counted attempts of a cell; no person is in them."""

    attempts: int = 0
    contacts: int = 0
    ended: int = 0
    """Contacts that ended the case."""
    closed: int = 0
    """Attempts without contact that closed the phone, not the case."""
    ring_s: float = 0
    """Seconds of ringing of all of them together."""
    handling_s: float = 0
    """Seconds of talk and after-call work of all of them together."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.attempts + other.attempts,
            self.contacts + other.contacts,
            self.ended + other.ended,
            self.closed + other.closed,
            self.ring_s + other.ring_s,
            self.handling_s + other.handling_s,
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """A probability with its 90 % credible interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rates:
    """What is believed of attempts still to be made."""

    contacts: Mapping[Cell, Rate]
    """Every cell of the profile: its bands, both kinds of day, all kinds of phone, ordinals 1-3."""
    end_share: float
    """Probability that a contact ends the case."""
    closed_share: float
    """Probability that an attempt without contact closes the phone, not the case."""
    ring_factor: float
    """Seconds of ringing seen, against those of `priors`."""
    handling_factor: float
    """Seconds of handling seen, against those of `priors`."""

    def contact(self, cell: Cell) -> Rate:
        """Probability that a counted attempt is a contact.

        Raises:
            KeyError: the profile has no such band, or the ordinal is not 1-3.
        """
        return self.contacts[cell]

    def operator_s(self, cell: Cell) -> float:
        """Operator seconds one counted attempt takes: in progressive pacing an operator is kept free
        from originating on, so set-up and ringing count, then talk and after-call work."""
        mean = self.contacts[cell].mean
        ring = _mix(mean, priors.RING_CONTACT_S, priors.RING_OTHER_S)
        handling = _mix(mean, priors.HANDLING_CONTACT_S, priors.HANDLING_OTHER_S)
        return priors.SETUP_S + self.ring_factor * ring + self.handling_factor * handling


def bands_of(profile: Profile) -> tuple[Band, ...]:
    """The bands of all the forms a profile takes, each name once, as it is in force now if it is."""
    forms = (*reversed(profile.timeline.forms), profile)
    return tuple({band.name: band for form in forms for band in form.bands}.values())


def cells_of(profile: Profile) -> tuple[Cell, ...]:
    """Every cell of a profile, in the order in which it is shown."""
    return tuple(
        Cell(band.name, non_weekday, kind, ordinal)
        for band in bands_of(profile)
        for non_weekday in (False, True)
        for kind in PhoneKind
        for ordinal in range(1, len(priors.LATER_CALL_ODDS) + 1)
    )


def learn(own: Mapping[Cell, Tally], earlier: Mapping[Cell, Tally], profile: Profile) -> Rates:
    """Priors, earlier months and this month's own attempts together.

    Args:
        own: this month's counted attempts, at full weight.
        earlier: earlier months', at `priors.EARLIER_WEIGHT` and at most `priors.EARLIER_MOST`
            attempts a cell. Cells of bands the profile does not have are left out, of both.
        profile: its bands.
    """
    cells = cells_of(profile)
    known = np.array(
        [_joined(own.get(cell, Tally()), earlier.get(cell, Tally())) for cell in cells]
    )
    attempts, contacts, ended, closed, ring_s, handling_s = known.T
    mode, spread = posterior(
        prior_logits(cells, profile), prior_covariance(cells), contacts, attempts
    )
    reached, missed = float(contacts.sum()), float((attempts - contacts).sum())
    return Rates(
        contacts=dict(zip(cells, _rates(mode, spread), strict=True)),
        end_share=_share(float(ended.sum()), reached, priors.END_SHARE, priors.END_STRENGTH),
        closed_share=_share(
            float(closed.sum()), missed, priors.CLOSED_SHARE, priors.CLOSED_STRENGTH
        ),
        ring_factor=_factor(
            float(ring_s.sum()), reached, missed, priors.RING_CONTACT_S, priors.RING_OTHER_S
        ),
        handling_factor=_factor(
            float(handling_s.sum()),
            reached,
            missed,
            priors.HANDLING_CONTACT_S,
            priors.HANDLING_OTHER_S,
        ),
    )


def prior_logits(cells: Sequence[Cell], profile: Profile) -> Vector:
    """The middle of every cell's logit before any attempt; its mean probability is the published."""
    bands = {band.name: band for band in bands_of(profile)}
    means = []
    for cell in cells:
        first = priors.first_call(bands[cell.band], non_weekday=cell.non_weekday, kind=cell.kind)
        odds = first / (1 - first) * priors.LATER_CALL_ODDS[cell.ordinal - 1]
        means.append(log(odds))
    variance = priors.LEVEL_SD**2 + 4 * priors.EFFECT_SD**2 + priors.CELL_SD**2
    return np.array(means) * sqrt(1 + pi * variance / 8)


def prior_covariance(cells: Sequence[Cell]) -> Matrix:
    """How the cells' logits vary together before any attempt."""
    columns = [np.array(column) for column in zip(*cells, strict=True)]
    alike = [column[:, None] == column for column in columns]
    return np.asarray(
        priors.LEVEL_SD**2
        + priors.EFFECT_SD**2 * sum(alike)
        + priors.CELL_SD**2 * np.eye(len(cells))
    )


def _joined(own: Tally, earlier: Tally) -> list[float]:
    weight = min(
        priors.EARLIER_WEIGHT, priors.EARLIER_MOST / earlier.attempts if earlier.attempts else 0.0
    )
    return [mine + weight * past for mine, past in zip(astuple(own), astuple(earlier), strict=True)]


def _rates(mode: Vector, spread: Vector) -> list[Rate]:
    # MacKay's approximation of the mean of a logistic-normal probability
    mean = sigmoid(mode / np.sqrt(1 + pi * spread**2 / 8))
    low, high = sigmoid(mode - NORMAL_90 * spread), sigmoid(mode + NORMAL_90 * spread)
    return [Rate(*map(float, one)) for one in zip(mean, low, high, strict=True)]


def _share(seen: float, of: float, belief: float, strength: float) -> float:
    """Mean of the Beta posterior."""
    return (belief * strength + seen) / (strength + of)


def _factor(
    seconds: float, reached: float, missed: float, contact_s: float, other_s: float
) -> float:
    """Seconds seen against seconds believed, drawn towards 1 while there are few attempts."""
    believed = reached * contact_s + missed * other_s
    drawn = priors.SECONDS_STRENGTH * (contact_s + other_s) / 2
    return (drawn + seconds) / (drawn + believed)


def _mix(share: float, of_it: float, of_the_rest: float) -> float:
    return share * of_it + (1 - share) * of_the_rest

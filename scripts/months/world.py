"""The pretended city: who lives there, and how likely they are to answer in truth."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dialer.planning import priors
from dialer.planning.rates import Cell, cells_of, prior_covariance, prior_logits
from dialer.planning.units import WISH_ODDS
from rules.calendar import JST, Calendar
from rules.case import Case, Phone, PhoneKind
from rules.hours import band_of
from rules.profile import Profile
from rules.wishes import Wish

MIX = ((PhoneKind.FIXED,), (PhoneKind.MOBILE,), (PhoneKind.FIXED, PhoneKind.MOBILE))
"""What phones a case has, where not all have two."""
WISHING = 0.2
"""Share of cases of whom the city noted that evenings are better."""
SHARING = 0.05
"""Share of cases that share their household with the case before."""
BUSY = 0.02
"""Share of attempts without contact that meet a busy line."""
MACHINES = 0.4
"""Share of the other attempts without contact that an answering machine takes."""
EVENINGS = Wish(bands=frozenset({"夜"}), non_weekday=None)


@dataclass(frozen=True, slots=True)
class Person:
    """A case and what is known of it before the first call."""

    case: Case
    household: int
    wish: Wish | None


@dataclass(frozen=True, slots=True)
class Truth:
    """How people answer; nobody who calls them knows it."""

    contact: Mapping[Cell, float]
    """Of any attempt, counted or not."""
    end_share: float
    closed_share: float

    def contact_at(self, cell: Cell, wish: Wish | None) -> float:
        """Probability that a counted attempt is a contact."""
        if wish is None:
            return self.contact[cell]
        odds = self.contact[cell] / (1 - self.contact[cell])
        odds *= WISH_ODDS if cell.band in wish.bands else 1 / WISH_ODDS
        return odds / (1 + odds)

    def of_counted(self) -> Truth:
        """Of attempts that are counted: busy lines are called again until they are not busy.

        In truth the third busy call of a day is counted after all: real months are a little worse.
        """
        not_busy = 1 - (1 - self.closed_share) * BUSY
        return Truth(
            contact={cell: p / (p + (1 - p) * not_busy) for cell, p in self.contact.items()},
            end_share=self.end_share,
            closed_share=self.closed_share / not_busy,
        )


@dataclass(frozen=True, slots=True)
class Told:
    """How one attempt went."""

    outcome: str
    script_finished: bool
    contact: bool
    ended: bool
    closed: bool
    ring_s: float
    handling_s: float


def draw_truth(seed: int, profile: Profile, spread: float = 1.0) -> Truth:
    """A city drawn from what is believed of cities before the first call.

    Args:
        spread: how much further than believed its bands, days and phones differ from the published;
            0: they are as published, and only the level of all is not known.
    """
    generator = np.random.default_rng(seed)
    cells = cells_of(profile)
    level = priors.LEVEL_SD**2
    covariance = level + spread**2 * (prior_covariance(cells) - level)
    logits = generator.multivariate_normal(prior_logits(cells, profile), covariance)
    probabilities = 1 / (1 + np.exp(-logits))
    return Truth(
        contact=dict(zip(cells, map(float, probabilities), strict=True)),
        end_share=float(np.clip(generator.normal(priors.END_SHARE, 0.08), 0.3, 0.95)),
        closed_share=float(np.clip(generator.normal(priors.CLOSED_SHARE, 0.02), 0.0, 0.2)),
    )


def draw_people(seed: int, cases: int, *, two_phones: bool) -> list[Person]:
    """The month's cases.

    Args:
        two_phones: all of them have two; else a third has.
    """
    rng = random.Random(f"people {seed}")
    people: list[Person] = []
    for number in range(cases):
        kinds = MIX[2] if two_phones else rng.choice(MIX)
        shares = bool(people) and rng.random() < SHARING
        people.append(
            Person(
                Case(
                    id=number,
                    phones=tuple(
                        Phone(id=2 * number + place, kind=kind) for place, kind in enumerate(kinds)
                    ),
                ),
                people[-1].household if shares else number,
                EVENINGS if rng.random() < WISHING else None,
            )
        )
    return people


class Callees:
    """Answers calls. The same call number to the same phone has the same luck in every way of calling."""

    def __init__(self, seed: int, truth: Truth, calendar: Calendar, profile: Profile) -> None:
        self._seed = seed
        self._truth = truth
        self._calendar = calendar
        self._profile = profile

    def call(self, person: Person, phone: Phone, at: datetime, counted: int, placed: int) -> Told:
        """Call a phone.

        Args:
            counted: counted attempts on it before.
            placed: attempts on it before, counted or not.
        """
        luck = random.Random(f"{self._seed} {phone.id} {placed}")
        band = band_of(at, self._profile)
        assert band is not None
        non_weekday = self._calendar.is_non_weekday(at.astimezone(JST).date())
        cell = Cell(band, non_weekday, phone.kind, min(counted, 2) + 1)
        if luck.random() < self._truth.contact_at(cell, person.wish):
            return self._talk(luck)
        return self._no_talk(luck)

    def _talk(self, luck: random.Random) -> Told:
        ended = luck.random() < self._truth.end_share
        return Told(
            outcome="person_done" if ended else "person_incomplete",
            script_finished=ended,
            contact=True,
            ended=ended,
            closed=False,
            ring_s=luck.uniform(0.5, 1.5) * priors.RING_CONTACT_S,
            handling_s=luck.lognormvariate(0, 0.6) / 1.197 * priors.HANDLING_CONTACT_S,
        )

    def _no_talk(self, luck: random.Random) -> Told:
        closed = luck.random() < self._truth.closed_share
        busy = not closed and luck.random() < BUSY
        if closed:
            outcome, ring_s, handling_s = "wrong_number", 12.0, 40.0
        elif busy:
            outcome, ring_s, handling_s = "busy", 0.0, 0.0
        elif luck.random() < MACHINES:
            outcome, ring_s, handling_s = "voicemail_left", 16.0, 37.0
        else:
            outcome, ring_s, handling_s = "no_answer", 36.0, 0.0
        return Told(outcome, False, False, False, closed, ring_s, handling_s)

"""What is believed of calls and operators: beliefs held beforehand, moved by what is seen.

Times are log-normal (Brown et al. 2005, "Statistical analysis of a telephone call center", finds so of
talks), chances are shares. Each belief counts as so many observations (`weight`), towards which what is
seen is shrunk: with few of them nothing is believed too quickly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

SHORTEST_S = 0.2
"""A shorter time is taken for this: a logarithm must not run away."""
LONGEST_S = 86_400.0
"""A longer time is taken for this: nothing here lasts longer than a day."""
LOG_LIMITS = math.log(SHORTEST_S), math.log(LONGEST_S)
LEAST_VAR, MOST_VAR = 1e-4, 25.0
"""Variance of a time's logarithm: less is never certain, with more nothing is known and numbers overflow."""
MEMORY = 400.0
"""A time's belief rests on about so many of the newest observations, so that it can change in a day."""
CHANCE_MEMORY = 150.0
"""So many newest attempts tell how much better or worse than believed people answer at present."""


def within(value: float, low: float, high: float) -> float:
    """The nearest number from `low` to `high`; `low` for none at all (NaN, of a clock that jumped)."""
    # the order matters: max() keeps its first argument if the second is NaN
    return min(max(low, value), high)


@dataclass(frozen=True)
class LogNormal:
    """A time's distribution as believed now."""

    mu: float
    """Mean of the logarithm of the time in seconds."""
    var: float
    """Its variance."""
    weight: float
    """How many observations the belief counts as."""

    @classmethod
    def of(cls, mean_s: float, cv: float, weight: float) -> Self:
        """From a mean in seconds (> 0) and a coefficient of variation (> 0)."""
        var = math.log1p(cv * cv)
        return cls(math.log(mean_s) - var / 2, var, weight)

    @cached_property
    def mean_s(self) -> float:
        """The mean time in seconds."""
        return math.exp(within(self.mu + self.var / 2, *LOG_LIMITS))

    def seen(self, seconds: float) -> Self:
        """The belief after one observation (conjugate for mean and variance, with a bounded memory)."""
        value = math.log(within(seconds, SHORTEST_S, LONGEST_S))
        weight = min(self.weight, MEMORY)
        off = value - self.mu
        mu = self.mu + off / (weight + 1)
        var = (weight * self.var + weight / (weight + 1) * off * off) / (weight + 1)
        return type(self)(mu, max(var, LEAST_VAR), weight + 1)


@dataclass(frozen=True, slots=True)
class Share:
    """A probability as believed now (Beta)."""

    mean: float
    weight: float

    def seen(self, hit: bool) -> Self:
        """The belief after one observation."""
        weight = min(self.weight, MEMORY)
        return type(self)(self.mean + (float(hit) - self.mean) / (weight + 1), weight + 1)


@dataclass(frozen=True, slots=True)
class Truth:
    """How far the chances believed beforehand are true today: answers seen and answers expected.

    Both fade, so that the time of day shows. `PRIOR` answers as expected are taken as seen beforehand.
    """

    seen_answers: float = 0.0
    expected: float = 0.0
    variance: float = 0.0

    PRIOR = 12.0

    @property
    def odds(self) -> float:
        """By what the odds of every chance are multiplied."""
        spread = max(self.variance, 0.2 * self.expected)
        # the score's step towards the true log-odds, shrunk: Σ(seen - expected) / Σ p(1-p)
        step = (self.seen_answers - self.expected) / (spread + self.PRIOR / 2)
        return math.exp(max(-2.0, min(2.0, step)))

    def seen(self, chance: float, answered: bool) -> Self:
        """After one attempt that was believed to be answered with that chance."""
        keep = 1 - 1 / CHANCE_MEMORY
        return type(self)(
            seen_answers=self.seen_answers * keep + float(answered),
            expected=self.expected * keep + chance,
            variance=self.variance * keep + chance * (1 - chance),
        )


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """All that is believed. The defaults are what is known before a first call was ever made."""

    chance: Share = Share(0.35, 20)
    """A person answers a call of which nothing else is known."""
    truth: Truth = Truth()
    """How far chances that were handed in hold today."""
    ring: LogNormal = field(default_factory=lambda: LogNormal.of(9, 0.5, 20))
    """From placing a call to a person's answer."""
    talk: LogNormal = field(default_factory=lambda: LogNormal.of(180, 0.8, 20))
    after_call: LogNormal = field(default_factory=lambda: LogNormal.of(40, 0.5, 20))
    machine: Share = Share(0.0, 0)
    """Of the calls that no person answers, those a machine answers and an operator gets; weight 0: machines
    never reach an operator."""
    machine_ring: LogNormal = field(default_factory=lambda: LogNormal.of(17, 0.2, 20))
    machine_talk: LogNormal = field(default_factory=lambda: LogNormal.of(8, 0.3, 20))
    """How long a machine keeps an operator, who then has nothing to write down."""

    def attempted(self, chance: float | None, answered: bool) -> Self:
        """The belief after an attempt to which the phone's own chance was handed in, or nothing known.

        A chance that is none (not 0–1, NaN) tells nothing: one of them would spoil the truth for good.
        """
        truth = self.truth
        if chance is not None and 0 <= chance <= 1:
            truth = truth.seen(chance, answered)
        return replace(self, chance=self.chance.seen(answered), truth=truth)

    def person(self, chance: float | None) -> float:
        """Probability that a person answers a phone with this chance of its own, as people answer now."""
        if chance is None or not 0 <= chance <= 1:
            return self.chance.mean
        odds = self.truth.odds
        return chance * odds / (1 - chance + chance * odds)

    def answer(self, chance: float | None) -> float:
        """Probability that the call is answered and needs an operator: also a machine's, if one gets it."""
        person = self.person(chance)
        return person + (1 - person) * self.machine.mean

    @property
    def machine_share(self) -> float:
        """Of the answers an operator gets, those of machines."""
        machines = (1 - self.chance.mean) * self.machine.mean
        return machines / (self.chance.mean + machines) if machines else 0.0

    @cached_property
    def handling_s(self) -> float:
        """Mean time an answer keeps an operator, seconds."""
        persons = self.talk.mean_s + self.after_call.mean_s
        return persons + self.machine_share * (self.machine_talk.mean_s - persons)

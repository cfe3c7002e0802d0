"""The mixture of policies that keeps within the operators' time and reaches the most cases.

Dantzig-Wolfe decomposition (Dantzig & Wolfe 1960): a linear program over policies, solved by HiGHS, asks
for a further policy at its own prices until no policy can improve it. Its size depends on the number
of slots and kinds of cases, not on the number of cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np

from dialer.planning.model import Floats
from dialer.planning.policy import Cases, Outlook, Policy

GAP = 0.002
"""Distance to the bound, as a share of it, at which the search ends."""
ROUNDS = 120
"""Policies tried at most."""
SMOOTHING = 0.6
"""Weight of the best prices so far against the newest ones (Wentges 1997): prices jump less."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """The solution: each group follows its policies with these weights."""

    policies: Sequence[Policy]
    weights: Floats
    """By policy and group; the weights of a group add up to 1."""
    prices: Floats
    """Contacts that one more second of an operator would bring, by slot."""
    outlook: Outlook
    """What it comes to."""
    unhurried: Outlook
    """What the best would come to if operators' time were free."""
    bound: float
    """No way of calling comes to more than this, in contacts and what counts beside."""


@dataclass(slots=True)
class _Column:
    group: int
    policy: int


@dataclass(slots=True)
class _Master:
    """The linear program over the policies found so far."""

    cases: Cases
    highs: highspy.Highs = field(default_factory=highspy.Highs)
    columns: list[_Column] = field(default_factory=list)
    outlooks: list[Outlook] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("threads", 1)
        for slot in self.cases.slots:
            self.highs.addRow(0.0, slot.planned_s, 0, [], [])
        for _ in self.cases.counts:
            self.highs.addRow(1.0, 1.0, 0, [], [])

    def add(self, policy: Policy) -> None:
        outlook = self.cases.outlook(policy)
        number = len(self.outlooks)
        self.outlooks.append(outlook)
        slots = len(self.cases.slots)
        worth = outlook.contacts.sum(axis=1) + outlook.beside
        for group in range(len(self.cases.counts)):
            used = np.nonzero(outlook.seconds[group])[0]
            rows = [*used.tolist(), slots + group]
            values = [*outlook.seconds[group, used].tolist(), 1.0]
            self.highs.addCol(-float(worth[group]), 0.0, highspy.kHighsInf, len(rows), rows, values)
            self.columns.append(_Column(group, number))

    def solve(self) -> tuple[float, Floats]:
        """Value and prices of the slots' seconds."""
        self.highs.run()
        duals = np.array(self.highs.getSolution().row_dual[: len(self.cases.slots)])
        return -self.highs.getInfo().objective_function_value, np.maximum(-duals, 0.0)

    def weights(self) -> Floats:
        values = self.highs.getSolution().col_value
        weights: Floats = np.zeros((len(self.outlooks), len(self.cases.counts)))
        for column, value in zip(self.columns, values, strict=True):
            weights[column.policy, column.group] += max(value, 0.0)
        weights /= weights.sum(axis=0)
        return weights


def solve(cases: Cases) -> Mixture:
    """The best mixture, within `GAP` of the bound."""
    master = _Master(cases)
    # nobody is called when time is dear without measure: within any operators' time
    prices = np.full(len(cases.slots), 1e3)
    policies = [cases.best(prices)]
    master.add(policies[0])
    best_prices, bound = np.zeros(len(cases.slots)), np.inf
    prices = duals = best_prices
    for _ in range(ROUNDS):
        policy = cases.best(prices)
        reached = cases.bound(policy, prices)
        if reached < bound:
            bound, best_prices = reached, prices
        policies.append(policy)
        master.add(policy)
        value, duals = master.solve()
        if bound - value <= GAP * max(abs(bound), 1e-9):
            break
        prices = SMOOTHING * best_prices + (1 - SMOOTHING) * duals
    weights = master.weights()
    return Mixture(
        policies, weights, duals, _mixed(master.outlooks, weights), master.outlooks[1], bound
    )


def _mixed(outlooks: Sequence[Outlook], weights: Floats) -> Outlook:
    """What the mixture comes to, by group."""

    def total(name: str) -> Floats:
        parts = np.stack([getattr(outlook, name) for outlook in outlooks])
        shaped = weights.reshape(weights.shape + (1,) * (parts.ndim - 2))
        mixed: Floats = (parts * shaped).sum(axis=0)
        return mixed

    return Outlook(total("seconds"), total("attempts"), total("contacts"), total("beside"))

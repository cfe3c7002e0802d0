"""What is best for each case when an operator's second has a price, and what that comes to.

A case is a finite-horizon Markov decision problem over the slots still to come; backward induction
solves it for every state at once (Puterman, Markov Decision Processes, 1994, ch. 4). Prices of the
slots' operator time decouple the cases (Lagrangian relaxation; Hawkins 2003, "A Lagrangian decomposition
approach to weakly coupled dynamic optimization problems"): whatever the prices, the sum of the cases'
values plus the price of all time is an upper bound of what any way of calling can reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dialer.planning.model import NEVER, Floats, Model, Step
from dialer.planning.slots import Slot

Actions = npt.NDArray[np.int8]
"""By group, contacted or not, and state: index into `ORDERS`."""

ORDERS: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (0, 1), (1, 0))
"""What can be done with a case in one slot: the phones called, in order."""

REACHED, OPEN = 0, 1
"""Index of the cases that had a contact already, and of those that had none."""

_FORBIDDEN = -1e6
"""Value of what the rules refuse: far below anything that can be had."""


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What is believed of the groups' attempts; arrays by group, phone, slot, earlier attempts (0-2)."""

    contact: Floats
    """Probability that a counted attempt is a contact."""
    curiosity: Floats
    """What learning from it is worth, in contacts (`dialer.planning.units.CURIOSITY`)."""
    operator_s: Floats
    """Operators' seconds it takes."""
    ended: float
    """Probability that a contact ends the case."""
    closed: float
    """Probability that an attempt without contact closes the phone."""


@dataclass(frozen=True, slots=True)
class Penalties:
    """What a promise not kept counts, in contacts."""

    attempt: float = 5.0
    """An attempt the phone is owed and does not get (rule 4)."""
    weekend: float = 2.0
    """A phone whose attempts are used up without one on a non-weekday (rule 6)."""
    day: float = 0.002
    """Each day by which a contact comes later: of equal ways the early one is safer."""


FREE = Penalties(attempt=0.0, weekend=0.0, day=0.0)
"""Nothing is owed: for a bound of contacts alone."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What to do in every slot, group and state."""

    actions: tuple[Actions, ...]
    """By slot."""
    gains: tuple[Floats, ...]
    """What is lost by doing nothing in that slot instead, in contacts."""
    start: Floats
    """Value at the beginning by group, contacted or not, state; prices paid."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a policy comes to in expectation, by group."""

    seconds: Floats
    """Operators' seconds by group and slot."""
    attempts: Floats
    """Attempts by group and slot."""
    contacts: Floats
    """Cases reached that were not before, by group and slot."""
    beside: Floats
    """What else counts, in contacts: what is learned, less promises not kept and days waited."""


class Cases:
    """All the cases of a plan in groups that differ only in their rates."""

    def __init__(
        self,
        model: Model,
        slots: list[Slot],
        beliefs: Beliefs,
        counts: Floats,
        penalties: Penalties,
    ) -> None:
        """
        Args:
            counts: cases by group, contacted or not (`REACHED`, `OPEN`), state.
        """
        self.slots = slots
        self.counts = counts
        self.model = model
        self.beliefs = beliefs
        self._penalties = penalties
        self._types = [model.type_of(slot) for slot in slots]
        last_of_day = [*(a.day != b.day for a, b in pairwise(slots)), True]
        self._ends_day = last_of_day[: len(slots)]
        days_off = [(slot.day - slots[0].day).days for slot in slots]
        self._worth = 1 - penalties.day * np.array(days_off)

    def best(self, prices: Floats) -> Policy:
        """The best policy where a second of an operator in slot t costs `prices[t]` contacts."""
        following = np.empty_like(self.counts)
        following[:] = -self._penalties.attempt * self.model.owed
        actions, gains = [], []
        for slot in reversed(range(len(self.slots))):
            if self._ends_day[slot]:
                following = following[:, :, self.model.overnight]
            values = np.stack(
                [self._value(order, slot, prices[slot], following) for order in ORDERS]
            )
            chosen = values.argmax(axis=0)
            actions.append(chosen.astype(np.int8))
            best = np.take_along_axis(values, chosen[None], axis=0)[0]
            gains.append(best - following)
            following = best
        return Policy(tuple(reversed(actions)), tuple(reversed(gains)), following)

    def bound(self, policy: Policy, prices: Floats) -> float:
        """No way of calling reaches more than this, for any prices ≥ 0 (weak duality)."""
        time = np.array([slot.planned_s for slot in self.slots])
        return float((policy.start * self.counts).sum() + prices @ time)

    def outlook(self, policy: Policy) -> Outlook:
        """What comes of the policy when all cases follow it."""
        groups, slots = len(self.counts), len(self.slots)
        seconds = np.zeros((groups, slots))
        attempts = np.zeros((groups, slots))
        contacts = np.zeros((groups, slots))
        curiosity, unmet = np.zeros(groups), np.zeros(groups)
        mass = self.counts.copy()
        for slot in range(slots):
            staying = np.zeros_like(mass)
            for number, order in enumerate(ORDERS):
                moving = np.where(policy.actions[slot] == number, mass, 0.0)
                if not moving.any():
                    continue
                for phone in order:
                    flow = self._flow(moving, phone, slot)
                    moving = flow.mass
                    seconds[:, slot] += flow.seconds
                    attempts[:, slot] += flow.attempts
                    contacts[:, slot] += flow.contacts
                    curiosity += flow.curiosity
                    unmet += flow.unmet
                staying += moving
            mass = _moved(staying, self.model.overnight) if self._ends_day[slot] else staying
        missing = (mass * self.model.owed).sum(axis=(1, 2))
        waited = contacts @ (1 - self._worth)
        penalties = self._penalties.attempt * missing + self._penalties.weekend * unmet + waited
        return Outlook(seconds, attempts, contacts, curiosity - penalties)

    def _value(self, order: tuple[int, ...], slot: int, price: float, following: Floats) -> Floats:
        for phone in reversed(order):
            following = self._attempted(phone, slot, price, following)
        return following

    def _attempted(self, phone: int, slot: int, price: float, following: Floats) -> Floats:
        """Value before an attempt, by the value of what follows it."""
        step = self._step(slot, phone)
        contact, curiosity, seconds = self._of(phone, slot)
        beliefs = self.beliefs
        goes_on = following[:, :, step.after]
        if_not = (1 - beliefs.closed) * goes_on + beliefs.closed * following[:, :, step.closed]
        if_not = if_not - self._penalties.weekend * step.unmet
        value = np.empty_like(following)
        still = (1 - beliefs.ended) * goes_on[:, REACHED]
        value[:, OPEN] = contact * (self._worth[slot] + still) + (1 - contact) * if_not[:, OPEN]
        value[:, REACHED] = contact * still + (1 - contact) * if_not[:, REACHED]
        value += (curiosity - price * seconds)[:, None, :]
        value[:, :, step.after == NEVER] = _FORBIDDEN
        return value

    def _flow(self, mass: Floats, phone: int, slot: int) -> _Flow:
        step = self._step(slot, phone)
        contact, curiosity, seconds = self._of(phone, slot)
        tried = mass.sum(axis=1)
        reached = mass * contact[:, None, :]
        missed = mass - reached
        going_on = missed * (1 - self.beliefs.closed)
        going_on[:, REACHED] += reached.sum(axis=1) * (1 - self.beliefs.ended)
        after = _moved(going_on, step.after) + _moved(missed * self.beliefs.closed, step.closed)
        return _Flow(
            mass=after,
            seconds=(tried * seconds).sum(axis=1),
            attempts=tried.sum(axis=1),
            contacts=reached[:, OPEN].sum(axis=1),
            curiosity=(tried * curiosity).sum(axis=1),
            unmet=(missed.sum(axis=1) * step.unmet).sum(axis=1),
        )

    def _step(self, slot: int, phone: int) -> Step:
        return self.model.step(self._types[slot], phone)

    def _of(self, phone: int, slot: int) -> tuple[Floats, Floats, Floats]:
        """Contact rate, curiosity and seconds by group and state."""
        made = self.model.made[phone]
        by_made = (self.beliefs.contact, self.beliefs.curiosity, self.beliefs.operator_s)
        contact, curiosity, seconds = (values[:, phone, slot][:, made] for values in by_made)
        return contact, curiosity, seconds


@dataclass(frozen=True, slots=True)
class _Flow:
    """What one attempt makes of a mass of cases."""

    mass: Floats
    seconds: Floats
    attempts: Floats
    contacts: Floats
    curiosity: Floats
    unmet: Floats


def _moved(mass: Floats, to: npt.NDArray[np.int64]) -> Floats:
    """Mass by group, contacted or not, state, each state's moved on; of forbidden steps there is none."""
    groups, flags, states = mass.shape
    rows = np.arange(groups * flags)[:, None] * states
    places = (rows + np.maximum(to, 0)[None, :]).ravel()
    moved = np.bincount(places, mass.ravel(), mass.size).astype(np.float64)
    return moved.reshape(mass.shape)

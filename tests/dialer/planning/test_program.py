"""Policies and their mixture: as good as every way tried by hand, and never over the operators' time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.planning.model import Floats, Model, State
from dialer.planning.policy import FREE, OPEN, Cases, Penalties
from dialer.planning.program import GAP, solve
from dialer.planning.units import beliefs_of, counts_of
from tests.dialer.planning.month import EVENINGS, PUBLISHED, case_of, known, slots, units
from tests.rules.stories import PROFILE, at

MEANS = {cell: rate.mean for cell, rate in PUBLISHED.contacts.items()}


def cases_of(
    *,
    count: int = 40,
    phones: int = 1,
    operators: int = 2,
    penalties: Penalties,
    last_days: int = 0,
) -> Cases:
    """Cases of two groups, alike but for a wish."""
    made = units(
        *(
            known(case_of(n, phones), wish=EVENINGS if n % 4 == 0 else None)
            for n in range(1, count + 1)
        )
    )
    days = slots(operators=operators)[-last_days:]
    model = Model(PROFILE, {unit.state for unit in made})
    groups = sorted({unit.group for unit in made}, key=repr)
    beliefs = beliefs_of(groups, days, PUBLISHED, MEANS, curiosity=0.0)
    return Cases(model, days, beliefs, counts_of(made, groups, model), penalties)


def by_hand(cases: Cases, model: Model, state: State, prices: Floats) -> Iterator[float]:
    """The value of every way to call one phone of the first group in the slots, one after another."""
    for called in product((False, True), repeat=len(cases.slots)):
        yield _value(cases, model, state, prices, called, 0)


def _value(
    cases: Cases,
    model: Model,
    state: State,
    prices: Floats,
    called: tuple[bool, ...],
    slot: int,
) -> float:
    if slot == len(called):
        return 0.0
    overnight = slot + 1 == len(called) or cases.slots[slot + 1].day != cases.slots[slot].day

    def on(after: State) -> float:
        following = model.states[model.overnight[model.index[after]]] if overnight else after
        return _value(cases, model, following, prices, called, slot + 1)

    if not called[slot]:
        return on(state)
    after = model.attempt(state, 0, model.type_of(cases.slots[slot]))
    if after is None:
        return -np.inf
    made = int(model.made[0][model.index[state]])
    contact = cases.beliefs.contact[0, 0, slot, made]
    cost = prices[slot] * cases.beliefs.operator_s[0, 0, slot, made]
    # a closed phone is worth nothing more; whoever was reached neither
    return float(contact + (1 - contact) * (1 - cases.beliefs.closed) * on(after) - cost)


@pytest.mark.parametrize("price", [0.0, 2e-4, 1e-3])
def test_the_best_policy_is_as_good_as_the_best_of_all_ways_tried_by_hand(price: float) -> None:
    cases = cases_of(count=1, penalties=FREE, last_days=9)
    model = cases.model
    (unit,) = units(known(case_of(1)))
    prices = np.full(len(cases.slots), price)
    best = cases.best(prices).start[0, OPEN, model.index[unit.state]]
    assert best == pytest.approx(max(by_hand(cases, model, unit.state, prices)), abs=1e-9)


@pytest.mark.parametrize("phones", [1, 2])
def test_a_policys_outlook_adds_up_to_its_value(phones: int) -> None:
    cases = cases_of(phones=phones, penalties=Penalties())
    nothing = np.zeros(len(cases.slots))
    policy = cases.best(nothing)
    outlook = cases.outlook(policy)
    value = float((policy.start * cases.counts).sum())
    assert outlook.contacts.sum() + outlook.beside.sum() == pytest.approx(value)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 200), st.integers(1, 2), st.integers(0, 3), st.sampled_from([FREE, Penalties()])
)
def test_the_mixture_keeps_within_the_time_and_near_the_bound(
    count: int, phones: int, operators: int, penalties: Penalties
) -> None:
    cases = cases_of(count=count, phones=phones, operators=operators, penalties=penalties)
    found = solve(cases)
    available = [slot.planned_s for slot in cases.slots]
    assert (found.outlook.seconds.sum(axis=0) <= np.array(available) + 1e-3).all()
    assert found.weights.sum(axis=0) == pytest.approx(np.ones(len(cases.counts)))
    value = found.outlook.contacts.sum() + found.outlook.beside.sum()
    assert value <= found.bound + 1e-6
    assert found.bound - value <= 2 * GAP * max(abs(found.bound), 1.0)


def test_time_is_worth_something_where_it_is_short_and_nothing_where_it_is_not() -> None:
    short = solve(cases_of(count=400, operators=1, penalties=Penalties()))
    ample = solve(cases_of(count=10, operators=5, penalties=Penalties()))
    assert short.prices.max() > 0
    assert ample.prices.max() == pytest.approx(0)
    assert at("20 08:00") < slots()[0].starts_at

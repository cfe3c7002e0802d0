"""Answer rates: what is believed after which attempts, and how sure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.planning import priors
from dialer.planning.logits import posterior, sigmoid
from dialer.planning.rates import (
    Cell,
    Rate,
    Rates,
    Tally,
    cells_of,
    learn,
    prior_covariance,
    prior_logits,
)
from rules.case import PhoneKind
from rules.profile import Band
from tests.db.town import PROFILE

FIXED, MOBILE, IP = PhoneKind.FIXED, PhoneKind.MOBILE, PhoneKind.IP
CELLS = cells_of(PROFILE)
PUBLISHED = learn({}, {}, PROFILE)
FIRST = Cell("午前", False, FIXED, 1)
NON_WEEKDAYS = [cell for cell in CELLS if cell.non_weekday]
TWO_DAYS = [
    # 800 attempts of two weekdays: nobody was called for a third time, no IP phones
    cell
    for cell in CELLS
    if not cell.non_weekday and cell.ordinal < 3 and cell.kind is not IP
]

tallies = st.dictionaries(
    st.sampled_from(CELLS),
    st.integers(0, 2000).flatmap(
        lambda attempts: st.builds(Tally, st.just(attempts), st.integers(0, attempts))
    ),
    max_size=12,
)


def spread(rate: Rate) -> float:
    """Width of an interval in logits."""
    return log(rate.high / (1 - rate.high)) - log(rate.low / (1 - rate.low))


def seen(attempts: int, share: float, cells: list[Cell] = TWO_DAYS) -> dict[Cell, Tally]:
    return {cell: Tally(attempts, round(attempts * share)) for cell in cells}


@pytest.mark.parametrize(
    ("band", "non_weekday", "kind", "ordinal", "mean"),
    [
        ("午前", False, FIXED, 1, 0.20),
        ("夜", False, FIXED, 1, 0.28),
        ("午前", True, FIXED, 1, 0.32),
        ("午後", True, MOBILE, 1, 0.24),
        # later calls: the odds times 0.65 and 0.42
        ("午前", False, FIXED, 2, 0.1398),
        ("午前", False, FIXED, 3, 0.0950),
    ],
)
def test_without_attempts_the_published_rates_are_believed(
    band: str, non_weekday: bool, kind: PhoneKind, ordinal: int, mean: float
) -> None:
    rate = PUBLISHED.contact(Cell(band, non_weekday, kind, ordinal))
    assert rate.mean == pytest.approx(mean, abs=5e-5)
    assert rate.low < mean / 2
    assert rate.high > 1.5 * mean


def test_without_attempts_the_other_beliefs_are_the_published_ones() -> None:
    assert PUBLISHED.end_share == priors.END_SHARE
    assert PUBLISHED.closed_share == priors.CLOSED_SHARE
    assert PUBLISHED.ring_factor == PUBLISHED.handling_factor == 1
    # 20 % contacts: set-up, ringing of 0.2 x 13 + 0.8 x 28 s, work of 0.2 x 270 + 0.8 x 15 s
    assert PUBLISHED.operator_s(FIRST) == pytest.approx(6 + 25 + 66)


@pytest.mark.parametrize(
    ("starts", "ends", "rate"),
    [
        ("09:00", "12:00", 0.20),
        ("17:00", "20:00", 0.28),
        ("12:00", "13:30", 0.18),
        ("10:00", "14:00", 0.19),  # half in the morning, half in the afternoon
        ("09:00", "21:00", (3 * 0.20 + 5 * 0.18 + 4 * 0.28) / 12),
    ],
)
def test_a_band_of_another_contract_takes_its_share_of_each_part_of_the_day(
    starts: str, ends: str, rate: float
) -> None:
    band = Band.model_validate({"name": "帯", "starts": starts, "ends": ends})
    found = priors.first_call(band, non_weekday=False, kind=FIXED)
    assert found == pytest.approx(rate)


def test_the_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Truths drawn from the prior, data of two weekdays, 400 times."""
    dice = np.random.default_rng(20260921)
    middle, root = prior_logits(CELLS, PROFILE), np.linalg.cholesky(prior_covariance(CELLS))
    attempts = np.array([dice.integers(20, 120) if cell in TWO_DAYS else 0 for cell in CELLS])
    tried = attempts > 0
    held, errors = [], []
    for _ in range(400):
        truth = sigmoid(middle + root @ dice.standard_normal(len(CELLS)))
        contacts = dice.binomial(attempts, truth)
        own = {
            cell: Tally(int(n), int(c))
            for cell, n, c in zip(CELLS, attempts, contacts, strict=True)
        }
        learned = learn(own, {}, PROFILE)
        rates = [learned.contact(cell) for cell in CELLS]
        held.append([r.low <= p <= r.high for r, p in zip(rates, truth, strict=True)])
        errors.append([r.mean - p for r, p in zip(rates, truth, strict=True)])
    share = np.array(held).mean(axis=0)
    assert 0.85 <= share[tried].mean() <= 0.95
    assert 0.85 <= share[~tried].mean() <= 0.95
    assert (share >= 0.84).all() and (share <= 0.96).all()  # no cell alone is far off
    assert abs(np.array(errors).mean()) < 0.01


def test_after_two_weekdays_the_untried_non_weekdays_follow_but_stay_uncertain() -> None:
    for share, direction in ((0.40, 1), (0.05, -1)):
        rates = learn(seen(67, share), {}, PROFILE)
        for cell in NON_WEEKDAYS:
            before, after = PUBLISHED.contact(cell), rates.contact(cell)
            assert direction * (after.mean - before.mean) > 0.01
            assert spread(after) > 0.55 * spread(before)
        for cell in TWO_DAYS:
            assert spread(rates.contact(cell)) < 0.55 * spread(PUBLISHED.contact(cell))


def test_what_is_seen_of_mobiles_tells_more_of_mobiles_than_of_fixed_lines() -> None:
    mobiles = [cell for cell in TWO_DAYS if cell.kind is MOBILE]
    rates = learn(seen(200, 0.5, mobiles), {}, PROFILE)
    odds = {
        kind: rates.contact(Cell("午後", True, kind, 3)).mean
        / PUBLISHED.contact(Cell("午後", True, kind, 3)).mean
        for kind in (FIXED, MOBILE)
    }
    assert odds[MOBILE] > odds[FIXED] > 1


@settings(max_examples=60, deadline=None)
@given(own=tallies, cell=st.sampled_from(CELLS))
def test_one_more_contact_raises_the_rate_of_its_cell(
    own: Mapping[Cell, Tally], cell: Cell
) -> None:
    tally = own.get(cell, Tally(1, 0))
    fewer = {**own, cell: replace(tally, attempts=tally.attempts + 1)}
    more = {**own, cell: replace(fewer[cell], contacts=tally.contacts + 1)}
    below, above = (learn(one, {}, PROFILE).contact(cell) for one in (fewer, more))
    assert below.mean < above.mean
    assert below.low < above.low
    assert below.high < above.high


@settings(max_examples=60, deadline=None)
@given(own=tallies)
def test_more_data_of_the_same_kind_make_no_rate_less_certain(own: Mapping[Cell, Tally]) -> None:
    thrice = {cell: Tally(3 * tally.attempts, 3 * tally.contacts) for cell, tally in own.items()}
    some, more = learn(own, {}, PROFILE), learn(thrice, {}, PROFILE)
    for cell in CELLS:
        assert spread(some.contact(cell)) < spread(PUBLISHED.contact(cell)) + 1e-9
        if own.get(cell, Tally()).attempts:
            assert spread(more.contact(cell)) < spread(some.contact(cell))


@settings(max_examples=60, deadline=None)
@given(own=tallies)
def test_every_rate_is_a_probability_within_its_interval(own: Mapping[Cell, Tally]) -> None:
    for rate in learn(own, {}, PROFILE).contacts.values():
        assert 0 < rate.low < rate.mean < rate.high < 1


@pytest.mark.parametrize("contacts", [0, 1, 500_000, 999_999, 1_000_000])
def test_very_many_attempts_are_believed_over_everything_else(contacts: int) -> None:
    rate = learn({FIRST: Tally(1_000_000, contacts)}, {}, PROFILE).contact(FIRST)
    assert rate.mean == pytest.approx(contacts / 1_000_000, abs=0.002)


@settings(max_examples=40, deadline=None)
@given(own=tallies)
def test_the_approximation_is_the_mode_and_the_curvature_there(own: Mapping[Cell, Tally]) -> None:
    """Against the textbook's formulas with the inverted covariance."""
    attempts = np.array([own.get(cell, Tally()).attempts for cell in CELLS], dtype=float)
    contacts = np.array([own.get(cell, Tally()).contacts for cell in CELLS], dtype=float)
    middle, covariance = prior_logits(CELLS, PROFILE), prior_covariance(CELLS)
    mode, deviation = posterior(middle, covariance, contacts, attempts)
    share, inverse = sigmoid(mode), np.linalg.inv(covariance)
    slope = contacts - attempts * share - inverse @ (mode - middle)
    assert np.abs(slope).max() < 1e-3
    curvature = inverse + np.diag(attempts * share * (1 - share))
    assert deviation == pytest.approx(np.sqrt(np.diag(np.linalg.inv(curvature))), rel=1e-6)


@pytest.mark.parametrize(("attempts", "contacts"), [(5, 0), (10, 2), (30, 15), (100, 3)])
def test_the_approximation_is_near_the_exact_posterior(attempts: int, contacts: int) -> None:
    """One cell alone, against the integral over its logit."""
    middle = prior_logits(CELLS, PROFILE)[CELLS.index(FIRST)]
    variance = prior_covariance(CELLS)[0, 0]
    grid = np.linspace(middle - 8, middle + 8, 20_001)
    weight = (
        contacts * grid - attempts * np.logaddexp(0, grid) - (grid - middle) ** 2 / 2 / variance
    )
    density = np.exp(weight - weight.max())
    density /= density.sum()
    below = np.cumsum(density)
    rate = learn({FIRST: Tally(attempts, contacts)}, {}, PROFILE).contact(FIRST)
    assert rate.mean == pytest.approx(float(density @ sigmoid(grid)), abs=0.012)
    assert rate.low == pytest.approx(sigmoid(grid[np.searchsorted(below, 0.05)]), abs=0.02)
    assert rate.high == pytest.approx(sigmoid(grid[np.searchsorted(below, 0.95)]), abs=0.02)


def assert_same(left: Rates, right: Rates) -> None:
    for cell in CELLS:
        assert left.contact(cell).mean == pytest.approx(right.contact(cell).mean)
        assert spread(left.contact(cell)) == pytest.approx(spread(right.contact(cell)))
    assert left.end_share == pytest.approx(right.end_share)
    assert left.closed_share == pytest.approx(right.closed_share)
    assert left.operator_s(FIRST) == pytest.approx(right.operator_s(FIRST))


def test_an_attempt_of_an_earlier_month_is_worth_three_tenths() -> None:
    past = {FIRST: Tally(100, 40, 30, 10, 2500.0, 9000.0)}
    now = {FIRST: Tally(30, 12, 9, 3, 750.0, 2700.0)}
    assert_same(learn({}, past, PROFILE), learn(now, {}, PROFILE))


def test_earlier_months_are_together_worth_150_attempts_of_a_cell_at_most() -> None:
    long_past = {FIRST: Tally(60_000, 24_000, 18_000, 6_000, 1.5e6, 5.4e6)}
    now = {FIRST: Tally(150, 60, 45, 15, 3750.0, 13_500.0)}
    assert_same(learn({}, long_past, PROFILE), learn(now, {}, PROFILE))


def test_cells_of_bands_that_the_profile_does_not_have_are_left_out() -> None:
    elsewhere = {Cell("深夜", False, FIXED, 1): Tally(500, 400, 300, 50, 1e4, 1e5)}
    assert_same(learn(elsewhere, elsewhere, PROFILE), PUBLISHED)
    with pytest.raises(KeyError):
        PUBLISHED.contact(Cell("深夜", False, FIXED, 1))


def test_the_shares_are_those_seen_and_the_published_ones_by_their_strength() -> None:
    # 80 contacts of which 40 ended the case; 120 others of which 30 closed the phone
    rates = learn({FIRST: Tally(200, 80, ended=40, closed=30)}, {}, PROFILE)
    assert rates.end_share == pytest.approx((20 * 0.65 + 40) / (20 + 80))
    assert rates.closed_share == pytest.approx((50 * 0.07 + 30) / (50 + 120))


def test_the_seconds_of_an_attempt_become_those_that_are_seen() -> None:
    own = {
        # 100,000 attempts, a quarter of them contacts: 31 s of ringing and 100 s of work on average
        FIRST: Tally(100_000, 25_000, ring_s=3.1e6, handling_s=10e6)
    }
    seconds = learn(own, {}, PROFILE).operator_s(FIRST)
    assert seconds == pytest.approx(priors.SETUP_S + 31 + 100, rel=0.01)
    assert learn({FIRST: Tally(1, ring_s=60)}, {}, PROFILE).ring_factor < 1.05


def test_an_attempt_that_reaches_more_people_takes_more_of_an_operator() -> None:
    by_rate = sorted(CELLS, key=lambda cell: PUBLISHED.contact(cell).mean)
    seconds = [PUBLISHED.operator_s(cell) for cell in by_rate]
    assert seconds == sorted(seconds)


def test_learning_takes_no_time_that_a_plan_would_notice() -> None:
    own = seen(400, 0.2, list(CELLS))
    took = []
    for _ in range(10):
        begun = time.thread_time()
        learn(own, own, PROFILE)
        took.append(time.thread_time() - begun)
    assert min(took) < 0.05

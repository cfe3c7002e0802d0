"""What is believed moves towards what is seen, neither too quickly nor for ever."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.pacing.balance import answer_of
from rules.pacing.estimates import (
    CHANCE_MEMORY,
    LONGEST_S,
    MEMORY,
    SHORTEST_S,
    Estimates,
    LogNormal,
    Share,
    Truth,
    within,
)
from rules.pacing.outlook import belief_of

KNOWN = Estimates()
shares = st.floats(0, 1)
truths = st.builds(
    Truth,
    seen_answers=st.floats(0, 500),
    expected=st.floats(0, 500),
    variance=st.floats(0, 500),
)
beliefs = st.builds(
    Estimates,
    chance=st.builds(Share, shares, st.floats(0, 500)),
    truth=truths,
    machine=st.builds(Share, shares, st.floats(0, 500)),
)


@pytest.mark.parametrize(("mean_s", "cv"), [(9, 0.5), (180, 0.8), (40, 0.05), (8, 2.0)])
def test_a_time_has_the_mean_and_spread_it_was_made_of(mean_s: float, cv: float) -> None:
    time = LogNormal.of(mean_s, cv, 20)
    assert time.mean_s == pytest.approx(mean_s)
    drawn = np.random.default_rng(1).lognormal(time.mu, math.sqrt(time.var), 400_000)
    assert drawn.std() / drawn.mean() == pytest.approx(cv, rel=0.1)


@given(st.floats(0.5, 5000), st.floats(0, MEMORY))
def test_an_observation_moves_the_time_towards_it_and_not_beyond(
    seconds: float, weight: float
) -> None:
    before = replace(KNOWN.talk, weight=weight)
    after = before.seen(seconds)
    low, high = sorted((before.mu, math.log(seconds)))
    assert low - 1e-9 <= after.mu <= high + 1e-9
    assert abs(after.mu - math.log(seconds)) <= abs(before.mu - math.log(seconds)) + 1e-9
    assert after.weight == weight + 1


@given(st.floats(0.5, 5000), st.floats(1, MEMORY), st.floats(0.1, 2))
def test_a_belief_that_counts_as_many_times_is_their_mean_and_spread_with_the_new_one(
    seconds: float, weight: float, var: float
) -> None:
    believed, value = LogNormal(5.0, var, weight), math.log(seconds)
    after = believed.seen(seconds)
    # so many times with the believed mean and variance, and one more
    mean = (weight * 5.0 + value) / (weight + 1)
    squares = weight * (var + 5.0**2) + value**2
    assert after.mu == pytest.approx(mean)
    assert after.var == pytest.approx(squares / (weight + 1) - mean**2, rel=1e-6)


def test_the_more_is_known_the_less_one_observation_moves() -> None:
    moved = [
        replace(KNOWN.talk, weight=weight).seen(600).mu - KNOWN.talk.mu for weight in (1, 20, 300)
    ]
    assert moved == sorted(moved, reverse=True) and moved[-1] > 0


def after(time: LogNormal, mean_s: float, cv: float, draws: int, seed: int = 1) -> LogNormal:
    """The belief after draws of such times."""
    true = LogNormal.of(mean_s, cv, 1)
    luck = np.random.default_rng(seed)
    for seconds in luck.lognormal(true.mu, math.sqrt(true.var), draws):
        time = time.seen(float(seconds))
    return time


def test_a_wrong_belief_becomes_the_time_that_is_drawn() -> None:
    true = LogNormal.of(180, 0.8, 1)
    found = after(LogNormal.of(240, 0.5, 20), 180, 0.8, 2000)
    assert abs(found.mu - true.mu) <= 3 * math.sqrt(true.var / MEMORY)
    assert abs(found.var - true.var) <= 3 * true.var * math.sqrt(2 / MEMORY)


def test_a_time_that_changed_is_believed_within_a_few_memories() -> None:
    long_ago = after(KNOWN.talk, 60, 0.3, 5000)
    changed = after(long_ago, 300, 0.3, 3 * int(MEMORY), seed=2)
    assert changed.mean_s == pytest.approx(300, rel=0.15)
    assert changed.weight <= MEMORY + 1


NOT_TIMES = [
    # what is handed in; what is taken for it
    (-1.0, SHORTEST_S),
    (0.0, SHORTEST_S),
    (math.nan, SHORTEST_S),
    (-math.inf, SHORTEST_S),
    (math.inf, LONGEST_S),
    (1e300, LONGEST_S),
]


@pytest.mark.parametrize(("seconds", "taken"), NOT_TIMES)
def test_a_time_that_cannot_be_is_the_nearest_that_can(seconds: float, taken: float) -> None:
    assert KNOWN.talk.seen(seconds) == KNOWN.talk.seen(taken)


@given(st.floats(), st.floats(), st.floats())
def test_a_mean_time_is_always_one(mu: float, var: float, weight: float) -> None:
    mean_s = LogNormal(mu, var, weight).mean_s
    assert SHORTEST_S * 0.999 <= mean_s <= LONGEST_S * 1.001


@given(st.floats(), st.floats(-5, 5), st.floats(5, 50))
def test_within_is_within_whatever_comes(value: float, low: float, high: float) -> None:
    assert low <= within(value, low, high) <= high
    assert not low <= value <= high or within(value, low, high) == value


@given(st.builds(Share, shares, st.floats(0, 2 * MEMORY)), st.lists(st.booleans(), max_size=50))
def test_a_share_stays_a_probability_and_moves_towards_what_is_seen(
    share: Share, hits: list[bool]
) -> None:
    for hit in hits:
        moved = share.seen(hit)
        assert -1e-12 <= moved.mean <= 1 + 1e-12
        assert moved.mean >= share.mean if hit else moved.mean <= share.mean
        share = moved


def test_a_share_is_that_of_all_it_counts_as_seen() -> None:
    # 7 of 20; one more that answers, and one that does not
    share = Share(0.35, 20).seen(True)
    assert (share.mean, share.weight) == (pytest.approx(8 / 21), 21)
    share = share.seen(False)
    assert (share.mean, share.weight) == (pytest.approx(8 / 22), 22)


def test_a_share_forgets_what_was_long_ago() -> None:
    share = Share(0.35, 20)
    for hit in [True] * 5000 + [False] * 3 * int(MEMORY):
        share = share.seen(hit)
    assert share.mean < 0.1


@given(beliefs, shares, shares)
def test_a_better_chance_is_never_believed_to_be_answered_less(
    belief: Estimates, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assert 0 <= belief.person(low) <= belief.person(high) + 1e-12 <= 1 + 2e-12
    assert belief.answer(low) <= belief.answer(high) + 1e-12 <= 1 + 2e-12
    assert belief.answer(low) >= belief.person(low)


@given(beliefs, st.none() | st.floats() | shares)
def test_the_compiled_part_believes_the_same_of_a_phone(
    belief: Estimates, chance: float | None
) -> None:
    own = math.nan if chance is None else chance
    assert answer_of(own, belief_of(belief)) == pytest.approx(belief.answer(chance))


@pytest.mark.parametrize("chance", [None, math.nan, -0.1, 1.1, math.inf])
def test_a_phone_of_which_nothing_is_known_has_everybodys_chance(chance: float | None) -> None:
    assert KNOWN.person(chance) == KNOWN.chance.mean


def test_a_sure_chance_stays_sure() -> None:
    doubted = replace(KNOWN, truth=Truth(0.0, 400.0, 100.0))
    assert (doubted.person(0.0), doubted.person(1.0)) == (0.0, 1.0)


# believed for each phone; what is true
BIASES = [(0.2, 0.4), (0.5, 0.3), (0.35, 0.35), (0.1, 0.2), (0.6, 0.75)]


@pytest.mark.parametrize(("believed", "true"), BIASES)
def test_a_biased_chance_is_corrected_by_what_is_seen(believed: float, true: float) -> None:
    luck, belief, told = np.random.default_rng(3), KNOWN, []
    for answered in luck.random(20 * int(CHANCE_MEMORY)) < true:
        belief = belief.attempted(believed, bool(answered))
        told.append(belief.person(believed))
    # newest attempts alone count: the mean of many such beliefs is nearer than any of them
    mean = float(np.mean(told[len(told) // 2 :]))
    assert abs(mean - true) <= 0.25 * abs(believed - true) + 0.02


def test_one_answer_more_or_less_changes_little() -> None:
    assert KNOWN.attempted(0.3, True).person(0.3) == pytest.approx(0.3, abs=0.03)


@given(truths)
def test_the_correction_of_odds_is_bounded(truth: Truth) -> None:
    assert math.exp(-2) <= truth.odds * 1.001 and truth.odds <= math.exp(2) * 1.001


def test_an_attempt_teaches_of_all_phones_and_of_chances_handed_in() -> None:
    unknown, own = KNOWN.attempted(None, True), KNOWN.attempted(0.2, True)
    assert unknown.chance == own.chance == KNOWN.chance.seen(True)
    assert unknown.truth == KNOWN.truth and own.truth == KNOWN.truth.seen(0.2, True)


def test_answers_seen_and_expected_fade() -> None:
    keep = 1 - 1 / CHANCE_MEMORY
    truth = Truth(30.0, 20.0, 10.0).seen(0.2, answered=True)
    assert truth.seen_answers == pytest.approx(30 * keep + 1)
    assert truth.expected == pytest.approx(20 * keep + 0.2)
    assert truth.variance == pytest.approx(10 * keep + 0.2 * 0.8)


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_a_sure_chance_that_did_not_come_true_teaches_too(chance: float) -> None:
    assert KNOWN.attempted(chance, chance == 0).truth == KNOWN.truth.seen(chance, chance == 0)


@pytest.mark.parametrize("chance", [math.nan, -1.0, 2.0, math.inf])
def test_a_chance_that_is_none_teaches_nothing_of_chances(chance: float) -> None:
    assert KNOWN.attempted(chance, True).truth == KNOWN.truth


def test_machines_that_reach_operators_keep_them_shorter() -> None:
    machines = replace(KNOWN, machine=Share(0.4, 30))
    assert KNOWN.machine_share == 0
    assert machines.machine_share == pytest.approx(0.65 * 0.4 / (0.35 + 0.65 * 0.4))
    assert KNOWN.handling_s == pytest.approx(220)
    share = machines.machine_share
    assert machines.handling_s == pytest.approx((1 - share) * 220 + share * 8)

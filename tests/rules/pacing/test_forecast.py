"""What the tables foretell, against what is drawn: calls and operators by the hundred thousand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rules.pacing.balance import CALL_STEP_S, TALK_STEP_S, WORK_STEP_S, Floats, row_of
from rules.pacing.estimates import Estimates, LogNormal, Share
from rules.pacing.forecast import (
    FEW_POINTS,
    MANY,
    POINTS,
    Forecast,
    cdf,
    forecast_of,
    phi,
)
from rules.pacing.normal import over_by, share_below

DRAWS = 200_000
PATIENCE_S = 2.0
RING, MACHINE_RING = LogNormal.of(9, 0.5, 20), LogNormal.of(17, 0.2, 20)
TALK, WORK = LogNormal.of(180, 0.8, 20), LogNormal.of(40, 0.5, 20)
MACHINE_TALK = LogNormal.of(8, 0.3, 20)
MACHINE_SHARES = (0.0, 0.3)
GRAIN = 0.006
"""How far tables may be off: moments lie between rows, ages and parts of a time are cut into pieces."""


def forecast(machine_share: float = 0.0, work: LogNormal = WORK) -> Forecast:
    return Forecast(RING, TALK, work, machine_share, MACHINE_RING, MACHINE_TALK, PATIENCE_S, POINTS)


def draws(of: LogNormal, seed: int) -> Floats:
    drawn: Floats = np.random.default_rng(seed).lognormal(of.mu, math.sqrt(of.var), DRAWS)
    return drawn


def agree(foretold: float, came_true: Floats) -> bool:
    """Within three standard errors of what is drawn, and the tables' grain."""
    share = float(came_true.mean())
    error = math.sqrt(max(share * (1 - share), 1 / len(came_true)) / len(came_true))
    return abs(foretold - share) <= 3 * error + GRAIN


def rings(machine_share: float) -> Floats:
    """Seconds until an answer an operator gets, of persons and machines."""
    machine = np.random.default_rng(9).random(DRAWS) < machine_share
    return np.where(machine, draws(MACHINE_RING, 1), draws(RING, 2))


def test_phi_is_the_normal_distribution_also_far_out() -> None:
    places = [-50.0, -6.0, -3.0, -1.0, 0.0, 0.5, 2.0, 6.0, 50.0]
    exact = [0.5 * math.erfc(-z / math.sqrt(2)) for z in places]
    assert phi(np.array(places)) == pytest.approx(exact, abs=1e-3)


def test_the_table_is_read_alike_whoever_reads_it() -> None:
    places = [-50.0, -3.0, -1.0, 0.0, 0.5, 2.0, 50.0]
    assert [share_below(z) for z in places] == phi(np.array(places)).tolist()
    assert over_by(100.0, 100.0, 0.5) == share_below(0.0) == 0.5


def test_no_time_is_over_before_it_began() -> None:
    assert cdf(np.array([-5.0, 0.0]), TALK) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("machines", MACHINE_SHARES)
def test_moments_cut_the_answers_of_a_new_call_into_equal_parts(machines: float) -> None:
    moments, answered_s = forecast(machines).moments, rings(machines)
    assert (np.diff(moments) > 0).all()
    for i, moment in enumerate(moments):
        assert agree((i + 0.5) / POINTS, answered_s <= moment)


@pytest.mark.parametrize("ring", [RING, LogNormal.of(40, 0.3, 20)])
def test_moments_are_exact_also_where_people_are_slow_to_answer(ring: LogNormal) -> None:
    moments = Forecast(ring, TALK, WORK, 0.0, RING, MACHINE_TALK, PATIENCE_S, POINTS).moments
    by = 0.5 + 0.5 * np.vectorize(math.erf)((np.log(moments) - ring.mu) / math.sqrt(2 * ring.var))
    assert by == pytest.approx((np.arange(POINTS) + 0.5) / POINTS, abs=1.2e-3)


@pytest.mark.parametrize("machines", MACHINE_SHARES)
@pytest.mark.parametrize("age_s", [0.0, 3.0, 8.0, 15.0, 30.0])
def test_calls_answered_by_each_moment_are_as_many_as_foretold(
    age_s: float, machines: float
) -> None:
    told, answered_s = forecast(machines), rings(machines)
    row = row_of(age_s, CALL_STEP_S, len(told.unanswered))
    assert agree(told.unanswered[row], answered_s > age_s)
    for moment, share in zip(told.moments, told.answered[row], strict=True):
        assert agree(share, (answered_s > age_s) & (answered_s <= age_s + moment))


@pytest.mark.parametrize("age_s", [0.0, 10.0, 30.0, 60.0])
def test_after_call_work_is_over_as_often_as_foretold(age_s: float) -> None:
    told, work_s = forecast(), draws(WORK, 3)
    still = work_s[work_s > age_s]
    row = row_of(age_s, WORK_STEP_S, len(told.worked))
    for moment, share in zip(told.moments, told.worked[row], strict=True):
        assert agree(share, still <= age_s + moment + PATIENCE_S)


@pytest.mark.parametrize("machines", MACHINE_SHARES)
@pytest.mark.parametrize("age_s", [1.0, 11.0, 101.0, 301.0])
@pytest.mark.parametrize("work", [WORK, LogNormal.of(3, 0.5, 20)])
def test_talks_and_their_work_are_over_as_often_as_foretold(
    work: LogNormal, age_s: float, machines: float
) -> None:
    told = forecast(machines, work)
    machine = np.random.default_rng(4).random(DRAWS) < machines
    talk_s = np.where(machine, draws(MACHINE_TALK, 5), draws(TALK, 6))
    free_s = talk_s + np.where(machine, 0, draws(work, 7))
    still = free_s[talk_s > age_s]
    row = row_of(age_s - TALK_STEP_S / 2, TALK_STEP_S, len(told.talked))
    for moment, share in zip(told.moments, told.talked[row], strict=True):
        assert agree(share, still <= age_s + moment + PATIENCE_S)


@pytest.mark.parametrize("talked", [0.5, 0.8, 1.0, 1.1])
@pytest.mark.parametrize(("length_s", "spread"), [(60.0, 0.1), (180.0, 0.075), (400.0, 0.25)])
def test_a_talk_whose_length_is_foreseen_is_over_as_often_as_foretold(
    length_s: float, spread: float, talked: float
) -> None:
    told = forecast()
    talk_s = length_s * np.exp(spread * np.random.default_rng(8).standard_normal(DRAWS))
    age_s = length_s * talked
    still = talk_s > age_s
    free_s = (talk_s + draws(WORK, 7))[still]
    shares = told.foreseen(age_s, np.zeros(1), np.array([[length_s, spread]]))[0]
    for moment, share in zip(told.moments, shares, strict=True):
        assert agree(share, free_s <= age_s + moment + PATIENCE_S)


AGES = [math.nan, -math.inf, -5.0, 0.0, 1e5, math.inf]


@pytest.mark.parametrize("age_s", AGES)
def test_a_talk_of_any_age_is_over_with_a_probability(age_s: float) -> None:
    shares = forecast().foreseen(age_s, np.zeros(1), np.array([[180.0, 0.1]]))
    assert ((shares >= 0) & (shares <= 1)).all()


def test_tables_are_made_once_for_beliefs_that_hardly_differ() -> None:
    known = Estimates()
    news = replace(known, talk=replace(known.talk, mu=known.talk.mu + 1e-4))
    other = replace(known, talk=LogNormal.of(90, 0.8, 20))
    assert forecast_of(known, PATIENCE_S, 5) is forecast_of(news, PATIENCE_S, 5)
    assert forecast_of(known, PATIENCE_S, 5) is not forecast_of(other, PATIENCE_S, 5)


@pytest.mark.parametrize("machine", [Share(0.0, 0), Share(0.4, 30)])
def test_tables_are_near_those_of_the_very_beliefs(machine: Share) -> None:
    e = replace(Estimates(), machine=machine)
    exact = Forecast(
        *(e.ring, e.talk, e.after_call, e.machine_share, e.machine_ring, e.machine_talk),
        *(PATIENCE_S, POINTS),
    )
    for near, table in zip(forecast_of(e, PATIENCE_S, 5).tables, exact.tables, strict=True):
        assert near[:30] == pytest.approx(table[:30], rel=0.05, abs=0.05)


def test_a_time_of_which_nothing_is_doubted_is_foretold_almost_to_the_second() -> None:
    sure = replace(Estimates(), ring=LogNormal(math.log(9), 1e-4, 400))
    moments = forecast_of(sure, PATIENCE_S, 5).moments
    assert 7.5 < moments[0] < moments[-1] < 10.8


def test_machines_that_reach_operators_make_talks_end_sooner() -> None:
    with_machines = replace(Estimates(), machine=Share(0.4, 30))
    row = 0
    without = forecast_of(Estimates(), PATIENCE_S, 5).talked[row]
    assert (forecast_of(with_machines, PATIENCE_S, 5).talked[row] > without).all()


@pytest.mark.parametrize("patience_s", [math.nan, -math.inf, -1.0, 0.0])
def test_no_patience_is_the_least_there_is(patience_s: float) -> None:
    none = forecast_of(Estimates(), 0.0, 5)
    assert forecast_of(Estimates(), patience_s, 5) is none
    assert forecast_of(Estimates(), 0.5, 5) is not none


def test_a_large_centre_is_looked_at_in_fewer_moments() -> None:
    # (operators and calls in flight, moments)
    for size, moments in ((0, POINTS), (MANY, POINTS), (MANY + 1, FEW_POINTS), (5000, FEW_POINTS)):
        assert len(forecast_of(Estimates(), PATIENCE_S, size).moments) == moments

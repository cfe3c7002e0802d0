"""The day's cap, turned into what one call may risk: no constant's value matters here."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.pacing.credit import (
    COVERED_EACH,
    COVERED_SPENT,
    GAIN,
    LAST_ANSWERS,
    LAST_ANSWERS_EACH,
    MACHINES,
    MARGIN,
    MOST,
    MOST_PENDING,
    PENDING_BY_CAP,
    PENDING_EACH,
    SPENT,
    _aims,
    aim,
    allowed_at,
    allowed_miss,
    answers_to_come,
    margin,
    pending,
    taken_by_callbacks,
)
from rules.pacing.estimates import LogNormal, Share
from rules.pacing.snapshot import Snapshot, Terms, Today

CAPS = (0.01, 0.03, 0.1)
lefts = st.one_of(st.integers(0, 1000), st.floats(0, 1000))


def a_day(
    cap: float,
    connected: int,
    abandoned: int,
    left_s: float | None,
    callbacks_per_s: float = 0.0,
) -> Snapshot:
    return Snapshot(
        now_s=0.0,
        may_dial=True,
        operators=(),
        calls=(),
        lines=30,
        lines_used=0,
        callbacks_per_s=callbacks_per_s,
        terms=Terms(cap=cap),
        today=Today(connected=connected, abandoned=abandoned, left_s=left_s),
    )


def credit_of(day: Snapshot, operators: int) -> float:
    return allowed_at(day, operators, np.zeros(1)).left


def to_come(day: Snapshot, operators: int) -> float:
    assert day.today.left_s is not None
    reserve, handling_s = float(day.terms.callback_reserve), day.estimates.handling_s
    left_s = float(day.today.left_s)
    return answers_to_come(day.callbacks_per_s, reserve, handling_s, operators, left_s)


def risks(day: Snapshot, operators: int, left: float) -> tuple[float, float]:
    """What a call may risk with an operator free for it, and any other, with so much credit."""
    ring_s, handling_s = day.estimates.ring.mean_s, day.estimates.handling_s
    taken = taken_by_callbacks(day.callbacks_per_s, ring_s, handling_s, operators)
    answers = to_come(day, operators)
    return allowed_miss(day.terms.cap, operators, 0.0, answers, float(left), taken)


@given(lefts, lefts)
def test_more_left_is_aimed_at_more_and_never_at_more_than_is_left(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert aim(low) <= aim(high)
    assert 0 <= aim(low) <= low
    assert low == high or high - low < 1e-6 or aim(low) < aim(high)


@pytest.mark.parametrize("left", [0, -1, -1000])
def test_nothing_left_is_nothing_to_aim_at(left: int) -> None:
    assert aim(left) == 0


def test_few_left_are_used_sparingly_and_many_almost_evenly() -> None:
    used = [aim(left) / left for left in (1, 2, 5, 20, 100, 400, 5000)]
    assert used == pytest.approx(sorted(used), rel=1e-9)
    assert used[0] < 0.5 and used[-1] > 0.9


def test_what_is_aimed_at_solves_the_equation_of_the_best_use_of_what_is_left() -> None:
    power, value = GAIN / (1 - GAIN), 0.0
    aims = _aims(400)
    assert aims[0] == 0
    for left in range(1, 401):
        # worth of one more left, by the rate that is best with it: aim = (a / step)^(1/(1-a))
        step = GAIN * aims[left] ** (GAIN - 1)
        value += step
        assert value * step**power == pytest.approx(GAIN**power, rel=1e-9)
        assert aim(left) == pytest.approx(aims[left], rel=1e-9)


days = st.builds(
    a_day,
    st.sampled_from(CAPS),
    st.integers(0, 5000),
    st.integers(0, 100),
    st.floats(0, 30_000),
    st.floats(0, 0.1),
)


@given(days, st.integers(0, 200))
def test_credit_is_never_below_zero_nor_above_the_cap_of_all_answers(
    day: Snapshot, operators: int
) -> None:
    credit = credit_of(day, operators)
    answers = day.today.connected + day.today.abandoned + to_come(day, operators)
    assert 0 <= credit <= day.terms.cap * answers


def test_credit_is_the_cap_of_all_answers_less_those_abandoned() -> None:
    assert credit_of(a_day(0.5, 30, 10, 0.0), 0) == 0.5 * (30 + 10) - 10
    # of those to come fewer are reckoned with than expected
    day = a_day(0.5, 0, 0, 3600.0)
    assert 0 < credit_of(day, 20) + pending(0.5, 20) < 0.5 * to_come(day, 20)


def test_nothing_is_reckoned_with_after_the_days_end() -> None:
    assert credit_of(a_day(0.03, 1000, 0, 0.0), 200) == pytest.approx(30 - pending(0.03, 200))
    told = allowed_at(a_day(0.03, 1000, 0, 60.0), 200, np.array([60.0, 90.0]))
    assert told.left == pytest.approx(30 - pending(0.03, 200))


def test_the_last_call_that_may_be_abandoned_is_credit_for_as_long_as_it_is_there() -> None:
    day = a_day(0.5, 2, 0, 0.0)
    assert credit_of(day, 0) == 1.0
    assert len(allowed_at(day, 0, np.arange(3.0)).ahead) == 3


def test_more_is_held_back_for_ringing_calls_the_more_operators_and_the_higher_the_cap() -> None:
    assert pending(0.0, 10) == pending(0.01, 10) == 10 * PENDING_EACH
    assert pending(0.01, 10) < pending(0.03, 10) == pytest.approx(10 * 0.03 * PENDING_BY_CAP)
    assert pending(0.03, 50) == pending(0.01, 200) == MOST_PENDING


def test_the_margin_falls_from_one_operator_on() -> None:
    assert margin(0, 0.0) == margin(1, 0.0) == MARGIN > margin(2, 0.0) > margin(10, 0.0)


def test_where_machines_reach_operators_only_calls_placed_ahead_may_risk_more() -> None:
    assert margin(5, 1 / 3) == pytest.approx(2 * margin(5, 0.0))
    day = a_day(0.03, 1000, 0, 20_000)
    heard = replace(day.estimates, machine=Share(0.3, 20))
    machines = allowed_at(replace(day, estimates=heard), 5, np.zeros(1))
    # as many answers to come of persons alone, for what is left is spread over them
    alike = replace(day.estimates, talk=LogNormal.of(heard.handling_s - 40, 0.8, 20))
    persons = allowed_at(replace(day, estimates=alike), 5, np.zeros(1))
    assert machines.ahead[0] == pytest.approx(
        (1 + MACHINES * heard.machine_share) * persons.ahead[0], rel=1e-6
    )
    assert machines.covered[0] == pytest.approx(persons.covered[0], rel=1e-6)


@given(days, st.integers(0, 200))
def test_an_abandoned_call_costs_credit(day: Snapshot, operators: int) -> None:
    more = replace(day, today=replace(day.today, abandoned=day.today.abandoned + 1))
    before = credit_of(day, operators)
    assert credit_of(more, operators) < before or before == 0


@given(days, st.integers(0, 200))
def test_a_connected_call_never_costs_credit(day: Snapshot, operators: int) -> None:
    more = replace(day, today=replace(day.today, connected=day.today.connected + 1))
    assert credit_of(more, operators) >= credit_of(day, operators)


@pytest.mark.parametrize("cap", [0.0, -1.0, math.nan, -math.inf])
def test_without_a_cap_to_use_there_is_no_credit(cap: float) -> None:
    assert credit_of(a_day(cap, 10_000, 0, 30_000), 50) == 0


@pytest.mark.parametrize("cap", [1.0, 2.0, math.inf])
def test_no_cap_is_above_all_answers(cap: float) -> None:
    assert credit_of(a_day(cap, 100, 0, 0), 5) == credit_of(a_day(1.0, 100, 0, 0), 5) <= 100


def test_a_count_below_zero_is_no_credit() -> None:
    none = credit_of(a_day(0.03, 1000, 0, 0), 5)
    assert none > 0
    assert credit_of(a_day(0.03, 1000, -500, 0), 5) == none
    assert credit_of(a_day(0.03, -500, 0, 0), 5) == 0


@given(days, st.integers(0, 200), st.floats(1, 500))
def test_what_a_call_may_risk_is_a_probability_that_grows_with_credit(
    day: Snapshot, operators: int, left: float
) -> None:
    covered, ahead = risks(day, operators, left)
    covered_with_more, ahead_with_more = risks(day, operators, left + 1)
    assert 0 <= ahead <= MOST and 0 <= covered <= MOST
    assert covered <= covered_with_more
    if day.callbacks_per_s == 0:
        assert ahead <= ahead_with_more


def test_a_call_may_risk_more_the_fewer_answers_the_credit_must_last_for() -> None:
    allowed = [risks(a_day(0.03, 0, 0, left_s), 20, 30) for left_s in (30_000, 20_000, 10_000)]
    for some in zip(*allowed, strict=True):
        assert list(some) == sorted(set(some))


def test_what_may_be_risked_is_told_for_as_long_as_the_credit_lasts() -> None:
    laters_s = np.arange(0, 6000, 60.0)
    later_days = [a_day(0.03, 0, 0, 6000 - later_s) for later_s in laters_s]
    spent = [credit_of(day, 3) < 1 for day in later_days]
    told = allowed_at(later_days[0], 3, laters_s)
    assert 0 < len(told.ahead) == len(told.covered) == spent.index(True)
    for day, covered, ahead in zip(later_days, told.covered, told.ahead, strict=False):
        assert (covered, ahead) == risks(day, 3, credit_of(day, 3))
    # from then on there is none
    begin = spent.index(True)
    told = allowed_at(later_days[begin], 3, laters_s[begin:] - laters_s[begin])
    assert len(told.ahead) == len(laters_s) - begin and set(told.ahead) == {SPENT}


def test_one_call_left_may_be_risked_and_over_few_answers_no_more_than_over_the_least() -> None:
    _, ahead = allowed_miss(0.03, 5, 0.0, 50.0, 1.0, 0.0)
    assert ahead == pytest.approx(margin(5, 0.0) * aim(1) / 50) and ahead > SPENT
    _, ahead = allowed_miss(0.03, 20, 0.0, 1.0, 1.0, 0.0)
    assert ahead == pytest.approx(
        margin(20, 0.0) * aim(1) / (LAST_ANSWERS + LAST_ANSWERS_EACH * 20)
    )


def test_what_is_held_back_may_be_risked_where_an_operator_is_free() -> None:
    assert allowed_miss(0.0, 10, 0.0, 1000.0, 1 - pending(0.0, 10), 0.0)[0] > 0
    # one operator would be idle the longest
    alone, _ = allowed_miss(0.0, 1, 0.0, 1e5, 5.0, 0.0)
    assert alone == pytest.approx(COVERED_EACH * aim(5 + pending(0.0, 1)) / 1e5)


@pytest.mark.parametrize(("operators", "others"), [(0, 0), (1, 0), (2, 1), (5, 4)])
def test_callbacks_take_an_operator_if_no_other_becomes_free_while_it_rings(
    operators: int, others: int
) -> None:
    taken = taken_by_callbacks(0.01, 9.0, 220.0, operators)
    assert taken == pytest.approx(0.01 * 9 * math.exp(-9 / 220) ** others)


SPENT_DAYS = [
    # abandoned calls left, cap; what a call may risk with an operator free for it, and ahead
    (0.0, 0.01, COVERED_SPENT * 0.01, SPENT),
    (0.0, 0.03, COVERED_SPENT * 0.03, SPENT),
    (0.0, 0.0, 0.0, SPENT),
    (0.99 - pending(0.01, 5), 0.01, COVERED_SPENT * 0.01, SPENT),  # held back, and none is left
]


@pytest.mark.parametrize(("left", "cap", "covered", "ahead"), SPENT_DAYS)
def test_with_the_credit_spent_a_few_callbacks_do_not_end_all_calls(
    left: float, cap: float, covered: float, ahead: float
) -> None:
    day = a_day(cap, 1000, 10, 3600, callbacks_per_s=1 / 3600)
    assert risks(day, 5, left) == (covered, ahead)


def test_the_last_abandoned_call_is_kept_for_callers_who_take_an_operator_that_was_free() -> None:
    day = a_day(0.01, 200, 1, 20_000, callbacks_per_s=0.001)
    covered, ahead = risks(day, 5, 0.99)  # with what is held back it is one
    assert ahead == SPENT and covered > COVERED_SPENT * 0.01


def test_a_call_with_an_operator_free_for_it_may_risk_more_the_fewer_operators_there_are() -> None:
    times = []
    for operators in (2, 5, 10):
        covered, ahead = risks(a_day(0.03, 1000, 0, 20_000), operators, 10)
        assert covered >= ahead
        times.append(covered / ahead)
    assert times == sorted(times, reverse=True) and times[0] > 2 * times[-1]


def test_what_callbacks_will_cost_is_not_risked_ahead() -> None:
    day = a_day(0.03, 1000, 0, 20_000, callbacks_per_s=0.0005)
    spread = margin(3, 0.0) * aim(20) / to_come(day, 3)
    _, ahead = risks(day, 3, 20)
    # half the chance that somebody calls back in the 9 s of a ringing, and no other operator becomes free
    assert spread - ahead == pytest.approx(0.0005 * 9 / 2, rel=0.1)


def test_callbacks_too_many_for_calls_to_a_single_free_operator_cost_nothing_ahead() -> None:
    day = a_day(0.03, 1000, 0, 20_000, callbacks_per_s=0.05)
    covered, ahead = risks(day, 20, 5)
    assert covered < 0.05 * 9 * math.exp(-19 * 9 / 220)
    least = LAST_ANSWERS + LAST_ANSWERS_EACH * 20
    spread = aim(5) / max(least, to_come(day, 20))
    assert ahead == pytest.approx(margin(20, 0.0) * spread)


def test_answers_to_come_grow_with_operators_and_time_and_fall_with_callbacks() -> None:
    usual = to_come(a_day(0.03, 0, 0, 3600), 10)
    assert 0 < usual < 10 * 3600 / 220
    assert to_come(a_day(0.03, 0, 0, 7200), 10) == pytest.approx(2 * usual)
    assert to_come(a_day(0.03, 0, 0, 3600), 20) == pytest.approx(2 * usual)
    kept = replace(a_day(0.03, 0, 0, 3600), terms=Terms(cap=0.03, callback_reserve=4))
    assert to_come(kept, 14) == pytest.approx(usual)
    assert to_come(a_day(0.03, 0, 0, 3600, 0.01), 10) < usual
    assert to_come(a_day(0.03, 0, 0, 3600, 10.0), 10) == 0


# how much is left of the day; whether there is credit for answers to come
ENDS = [
    (None, True),  # nobody says: as if some were to come
    (0.0, False),
    (-60.0, False),
    (math.nan, False),
    (-math.inf, False),
    (math.inf, True),
]


@pytest.mark.parametrize(("left_s", "some"), ENDS)
def test_the_credit_is_a_number_whatever_the_days_end(left_s: float | None, some: bool) -> None:
    found = credit_of(a_day(0.03, 0, 0, left_s), 5)
    assert (found > 0) == some and math.isfinite(found)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(CAPS),
    st.integers(1, 20),
    st.floats(600, 5000),
    st.integers(0, 300),
    st.sampled_from([0.01, 0.1, 0.5, 1.0]),
    st.integers(0, 1000),
)
def test_a_day_whose_answers_come_as_reckoned_never_ends_above_its_cap(
    cap: float, operators: int, day_s: float, connected: int, abandoning: float, seed: int
) -> None:
    """Answers come as evenly as reckoned with; each may be abandoned while there is credit for one."""
    today, luck = Today(connected=connected, left_s=day_s), np.random.default_rng(seed)
    day = replace(a_day(cap, 0, 0, None), today=today)
    expected = to_come(day, operators)
    for answer in range(int(expected)):
        today = replace(today, left_s=day_s * (1 - answer / expected))
        credit = credit_of(replace(day, today=today), operators)
        if credit >= 1 and luck.random() < abandoning:
            today = replace(today, abandoned=today.abandoned + 1)
        else:
            today = replace(today, connected=today.connected + 1)
    assert today.abandoned <= cap * (today.abandoned + today.connected)

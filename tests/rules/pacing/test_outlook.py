"""Predictive pacing: who is left over decides, and what makes it fewer never adds a call."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rules.pacing.balance import TALK_STEP_S
from rules.pacing.decision import calls_to_place
from rules.pacing.estimates import Estimates, LogNormal
from rules.pacing.forecast import forecast_of
from rules.pacing.outlook import BREAK_SOON_S, TICK_SPREAD, foreseen_talk
from rules.pacing.snapshot import (
    Activity,
    CallNow,
    Limit,
    Mode,
    OperatorNow,
    Pace,
    Snapshot,
    Terms,
    Tick,
    Today,
)

NOW_S = 10_000.0
FREE = OperatorNow(activity=Activity.FREE, since_s=NOW_S - 30)
TALK = LogNormal.of(180, 0.8, 20)
SOME = settings(max_examples=60, deadline=None)  # the first one makes tables


@st.composite
def _busy(draw: st.DrawFn) -> OperatorNow:
    age_s = draw(st.floats(0, 400))
    shares = draw(st.sampled_from([(), (), (0.25,), (0.25, 0.5), (0.25, 0.5, 0.75)]))
    return OperatorNow(
        activity=draw(st.sampled_from([Activity.TALKING, Activity.AFTER_CALL_WORK])),
        since_s=NOW_S - age_s,
        ticks=tuple(Tick(share=share, at_s=NOW_S - age_s * (1 - share)) for share in shares),
    )


centres = st.builds(
    Snapshot,
    now_s=st.just(NOW_S),
    may_dial=st.just(True),
    operators=st.builds(
        lambda free, busy: [FREE] * free + busy, st.integers(0, 4), st.lists(_busy(), max_size=6)
    ),
    calls=st.lists(
        st.builds(
            CallNow, placed_s=st.floats(NOW_S - 40, NOW_S), chance=st.none() | st.floats(0, 1)
        ),
        max_size=8,
    ),
    lines=st.sampled_from([40, 40, 12]),
    lines_used=st.integers(0, 10),
    waiting=st.integers(0, 2),
    callbacks_waiting=st.integers(0, 1),
    callbacks_per_s=st.sampled_from([0.0, 0.0, 0.01]),
    appointments_soon=st.integers(0, 1),
    candidates=st.lists(st.none() | st.floats(0, 1), max_size=15).map(tuple),
    today=st.builds(
        Today,
        connected=st.integers(200, 2000),
        abandoned=st.integers(0, 10),
        left_s=st.floats(0, 20_000),
    ),
    terms=st.builds(
        Terms, cap=st.sampled_from([0.01, 0.03]), calls_per_operator=st.sampled_from([3.0, 20.0])
    ),
)
"""Centres as they are on a day."""


def predictive(snapshot: Snapshot) -> Pace:
    """Examples in which something else is in force tell nothing here."""
    pace = calls_to_place(snapshot)
    assume(pace.mode is Mode.PREDICTIVE)
    return pace


def risks(pace: Pace) -> list[float]:
    """The probability of a miss for the first call, the second, and so on."""
    return [*pace.misses, pace.miss]


def riskier(worse: Pace, usual: Pace) -> bool:
    """Each call in turn risks at least as much, however much it may."""
    return all(a >= b - 1e-6 for a, b in zip(risks(worse), risks(usual), strict=False))


@SOME
@given(centres)
def test_one_more_free_operator_never_makes_it_fewer_calls(snapshot: Snapshot) -> None:
    usual = predictive(snapshot)
    more = predictive(replace(snapshot, operators=[*snapshot.operators, FREE]))
    assert riskier(usual, more)
    assert more.calls + more.reserved >= usual.calls + usual.reserved


@SOME
@given(centres)
def test_one_more_who_waits_never_makes_it_more_calls(snapshot: Snapshot) -> None:
    usual = predictive(snapshot)
    for worse in (
        replace(snapshot, waiting=snapshot.waiting + 1),
        replace(snapshot, callbacks_waiting=snapshot.callbacks_waiting + 1),
    ):
        pace = calls_to_place(worse)
        assert riskier(pace, usual)
        assert pace.calls + pace.reserved <= usual.calls + usual.reserved


@SOME
@given(centres)
def test_an_appointment_soon_never_makes_it_more_other_calls(snapshot: Snapshot) -> None:
    usual = predictive(snapshot)
    pace = calls_to_place(replace(snapshot, appointments_soon=snapshot.appointments_soon + 1))
    assert riskier(pace, usual)
    assert pace.calls <= usual.calls


@SOME
@given(centres, st.floats(0.001, 0.1))
def test_callbacks_expected_make_every_call_riskier(snapshot: Snapshot, more: float) -> None:
    # cut into other events, which are each at most a fifth likely: some thousandths either way
    usual = predictive(replace(snapshot, callbacks_per_s=0.0))
    pace = calls_to_place(replace(snapshot, callbacks_per_s=more))
    assert riskier(pace, usual)


@SOME
@given(centres, st.floats(-100, BREAK_SOON_S))
def test_a_break_soon_makes_every_call_riskier(snapshot: Snapshot, in_s: float) -> None:
    assume(snapshot.operators)
    usual = predictive(snapshot)
    first, *others = snapshot.operators
    leaving = replace(first, break_at_s=NOW_S + in_s)
    pace = calls_to_place(replace(snapshot, operators=[leaving, *others]))
    assert riskier(pace, usual)
    assert pace == calls_to_place(replace(snapshot, operators=others))


@SOME
@given(centres, st.floats(-100, BREAK_SOON_S))
def test_a_break_that_is_far_away_changes_nothing(snapshot: Snapshot, after_s: float) -> None:
    later = NOW_S + 2 * BREAK_SOON_S + 100 + after_s
    staying = [replace(operator, break_at_s=later) for operator in snapshot.operators]
    assert calls_to_place(replace(snapshot, operators=staying)) == calls_to_place(snapshot)


@SOME
@given(centres)
def test_a_call_in_flight_that_nobody_will_answer_changes_no_risk(snapshot: Snapshot) -> None:
    usual = predictive(snapshot)
    silent = CallNow(placed_s=NOW_S - 5, chance=0.0)
    pace = calls_to_place(replace(snapshot, calls=[*snapshot.calls, silent]))
    assert risks(pace) == pytest.approx(risks(usual)[: len(risks(pace))], abs=1e-6)
    assert usual.limit is Limit.CALLS_PER_OPERATOR or pace.calls >= usual.calls - 1


@SOME
@given(centres, st.floats(0, 40), st.floats(0, 1))
def test_a_call_in_flight_makes_every_call_riskier(
    snapshot: Snapshot, age_s: float, chance: float
) -> None:
    usual = predictive(snapshot)
    ringing = CallNow(placed_s=NOW_S - age_s, chance=chance)
    pace = calls_to_place(replace(snapshot, calls=[*snapshot.calls, ringing]))
    assert riskier(pace, usual)
    assert pace.calls <= usual.calls


@SOME
@given(centres)
def test_each_call_placed_makes_the_next_one_riskier(snapshot: Snapshot) -> None:
    found = risks(predictive(snapshot))
    assert all(a <= b + 1e-6 for a, b in pairwise(found))


@SOME
@given(centres)
def test_placing_what_was_chosen_leaves_little_to_place(snapshot: Snapshot) -> None:
    pace = predictive(snapshot)
    placed = [CallNow(placed_s=NOW_S, chance=snapshot.candidates[place]) for place in pace.chosen]
    again = calls_to_place(
        replace(
            snapshot,
            calls=[*snapshot.calls, *placed],
            lines_used=snapshot.lines_used + pace.calls,
            candidates=snapshot.candidates[pace.calls :],
        )
    )
    # a call in flight is looked up in the same tables as one that is to be placed
    assert again.calls == 0
    assert again.miss == pytest.approx(pace.miss, abs=1e-6)
    assert again.expected_answers == pytest.approx(pace.expected_answers, abs=1e-6)


def centre(free: int, talking: int, **other: object) -> Snapshot:
    busy = OperatorNow(activity=Activity.TALKING, since_s=NOW_S - 100)
    usual = Snapshot(
        now_s=NOW_S,
        may_dial=True,
        operators=[FREE] * free + [busy] * talking,
        calls=[],
        lines=60,
        lines_used=0,
        candidates=(None,) * 60,
        today=Today(connected=2000, left_s=3600),
        terms=Terms(cap=0.03),
    )
    return replace(usual, **other)  # type: ignore[arg-type]


SPARE, SPENT = Today(connected=300, left_s=20_000), Today(connected=50, abandoned=5, left_s=600)
LIMITS = [
    # the centre; what limits it
    (centre(5, 5), Limit.RISK),
    (centre(0, 5), Limit.RISK),
    (centre(5, 5, candidates=(None,) * 3), Limit.CANDIDATES),
    (centre(5, 5, lines=4), Limit.LINES),
    (centre(5, 5, lines=0), Limit.LINES),
    (centre(5, 5, terms=Terms(cap=0.03, calls_per_operator=0.4)), Limit.CALLS_PER_OPERATOR),
    (centre(5, 5, appointments_soon=1), Limit.APPOINTMENTS),
    (centre(0, 5, appointments_soon=1), Limit.RISK),  # nobody can be kept
    (centre(2, 5, appointments_soon=1, lines=2), Limit.APPOINTMENTS),
    # 8 calls by operators and 8 by lines, of which one is kept
    (
        centre(
            *(2, 5),
            appointments_soon=1,
            lines=8,
            candidates=(0.001,) * 60,
            terms=Terms(cap=0.03, calls_per_operator=1.15),
        ),
        Limit.APPOINTMENTS,
    ),
    (centre(1, 5, appointments_soon=1), Limit.APPOINTMENTS),
    (centre(5, 5, may_dial=False), Limit.STOPPED),
    # after as many calls as operators free one more would have to be ahead of them
    (centre(2, 0, today=SPARE), Limit.RISK),
    # the third operator is free for a call that would be too risky ahead
    (centre(3, 3, candidates=(None,) * 2, today=SPENT, callbacks_per_s=0.002), Limit.CANDIDATES),
]


@pytest.mark.parametrize(("snapshot", "limit"), LIMITS)
def test_what_limits_predictive_pacing(snapshot: Snapshot, limit: Limit) -> None:
    assert calls_to_place(snapshot).limit is limit


def test_more_calls_than_free_operators_are_placed_and_to_more_unlikely_phones_more() -> None:
    calls = [
        calls_to_place(centre(5, 5, candidates=(chance,) * 60)).calls for chance in (0.9, 0.5, 0.2)
    ]
    assert calls == sorted(set(calls)) and calls[0] >= 5 and calls[-1] > 10


TAKEN: list[dict[str, Any]] = [
    dict(appointments_soon=1),
    dict(waiting=1),
    dict(callbacks_waiting=1),
    dict(terms=Terms(cap=0.03, callback_reserve=1)),
]


@pytest.mark.parametrize("taken", TAKEN)
def test_an_operator_who_is_taken_is_reckoned_with_as_if_not_free(taken: dict[str, Any]) -> None:
    kept, fewer = risks(calls_to_place(centre(5, 5, **taken))), risks(calls_to_place(centre(4, 5)))
    assert len(kept) > 3
    for one, other in zip(kept, fewer, strict=False):
        assert one == pytest.approx(other, abs=1e-6)


def test_nobody_is_called_for_whoever_asks_for_their_calls() -> None:
    assert calls_to_place(centre(5, 5, terms=Terms(mode=Mode.PREVIEW))).calls == 0


def test_calls_in_flight_count_among_the_calls_per_operator() -> None:
    flying = [CallNow(placed_s=NOW_S, chance=0.0)] * 3
    terms = Terms(cap=0.03, calls_per_operator=1.0)
    pace = calls_to_place(centre(5, 5, calls=flying, candidates=(0.001,) * 60, terms=terms))
    assert (pace.calls, pace.limit) == (7, Limit.CALLS_PER_OPERATOR)


# operators free and talking; what else; how many are kept
KEPT: list[tuple[int, int, dict[str, Any], int]] = [
    (0, 5, {}, 0),
    (2, 5, dict(waiting=2), 0),
    # a call in flight may take any operator, so it claims none of those free now
    (2, 5, dict(calls=[CallNow(placed_s=NOW_S)] * 2), 1),
]


@pytest.mark.parametrize(("free", "talking", "change", "kept"), KEPT)
def test_only_an_operator_who_is_free_is_kept_for_an_appointment(
    free: int, talking: int, change: dict[str, Any], kept: int
) -> None:
    pace = calls_to_place(centre(free, talking, appointments_soon=1, **change))
    assert (pace.mode, pace.reserved) == (Mode.PREDICTIVE, kept)


# what the profile allows; whether callers who may take an operator are reckoned with
FORESEEN = [(Terms(mode=Mode.PROGRESSIVE), False), (Terms(cap=0.0), True)]


@pytest.mark.parametrize(("terms", "foreseen"), FORESEEN)
def test_progressive_looks_ahead_only_for_want_of_credit(terms: Terms, foreseen: bool) -> None:
    pace = calls_to_place(centre(3, 2, terms=terms, callbacks_per_s=0.1))
    assert (pace.mode, pace.calls) == (Mode.PROGRESSIVE, 0 if foreseen else 3)


@pytest.mark.parametrize("age_s", [4, 100, 500])
def test_busy_operators_are_expected_free_by_the_age_of_their_talks(age_s: int) -> None:
    talking = OperatorNow(activity=Activity.TALKING, since_s=NOW_S - age_s)
    pace = calls_to_place(centre(0, 0, operators=[FREE] * 3 + [talking] * 5))
    over = forecast_of(Estimates(), Terms().patience_s, 8).talked[age_s // int(TALK_STEP_S)]
    assert pace.expected_free == pytest.approx(3 + 5 * over.mean())


def test_expected_answers_and_operators_are_means() -> None:
    pace = calls_to_place(centre(3, 0, candidates=(0.5,) * 2))
    assert pace.calls == 2
    assert pace.expected_free == 3
    # of two calls at one half, those answered by the moments a new call is
    assert pace.expected_answers == pytest.approx(2 * 0.5 * 0.5, abs=0.02)


@pytest.mark.parametrize("size", [2, 5, 20])
def test_what_is_foretold_of_a_miss_is_what_happens(size: int) -> None:
    """Free operators alone, so that only answers are drawn: each in its own time."""
    pace = calls_to_place(centre(size, 0, candidates=(0.5,) * 60))
    estimates, luck, days = Estimates(), np.random.default_rng(5), 20_000
    ring = estimates.ring
    for already, foretold in enumerate(pace.misses):
        own_s = luck.lognormal(ring.mu, math.sqrt(ring.var), days)
        others_s = luck.lognormal(ring.mu, math.sqrt(ring.var), (days, already))
        answered = luck.random((days, already)) < estimates.person(0.5)
        before = (answered & (others_s <= own_s[:, None])).sum(axis=1)
        missed = float((before >= size).mean())
        # never less than what happens to the call itself: it also counts whoever comes after it
        assert foretold >= missed - 3 * math.sqrt(0.25 / days) - 0.01


@given(st.floats(30, 900), st.integers(0, 4))
def test_the_more_steps_are_done_the_nearer_the_foreseen_talk(length_s: float, done: int) -> None:
    shares = (0.25, 0.5, 0.75, 0.9)
    ticks = tuple(Tick(share=share, at_s=NOW_S + length_s * share) for share in shares)
    off = []
    for known in (ticks[:done], ticks[: done + 1]):
        operator = OperatorNow(activity=Activity.TALKING, since_s=NOW_S, ticks=known)
        median_s, _ = foreseen_talk(operator, TALK)
        off.append(abs(math.log(median_s / length_s)))
    assert off[1] <= off[0] + 1e-9


def test_the_two_newest_steps_and_what_is_known_of_talks_count_by_how_certain_they_are() -> None:
    # the first is not looked at; the last is the end of the talk
    ticks = Tick(0.1, NOW_S + 500), Tick(0.5, NOW_S + 100), Tick(1.0, NOW_S + 220)
    operator = OperatorNow(activity=Activity.TALKING, since_s=NOW_S, ticks=ticks)
    told = [(TALK.mu, 1 / TALK.var), *((math.log(s), TICK_SPREAD**-2) for s in (200, 220))]
    certain = sum(weight for _, weight in told)
    median_s, spread = foreseen_talk(operator, TALK)
    assert math.log(median_s) == pytest.approx(sum(mu * weight for mu, weight in told) / certain)
    assert spread == pytest.approx(math.sqrt(1 / certain))


def test_steps_that_stray_by_a_tenth_are_worth_most_of_what_is_unknown() -> None:
    luck, off, before = np.random.default_rng(6), [], []
    for length_s in luck.lognormal(TALK.mu, math.sqrt(TALK.var), 2000):
        strays = 1 + 0.1 * luck.standard_normal(3)
        ticks = tuple(
            Tick(share=share, at_s=float(length_s * share * stray))
            for share, stray in zip((0.25, 0.5, 0.75), strays, strict=True)
        )
        operator = OperatorNow(activity=Activity.TALKING, since_s=0.0, ticks=ticks)
        median_s, spread = foreseen_talk(operator, TALK)
        off.append(math.log(median_s / length_s))
        before.append(math.log(length_s) - TALK.mu)
    assert np.std(off) < 0.2 * np.std(before)
    assert np.std(off) == pytest.approx(spread, rel=0.2)  # it knows how much it knows


NOT_STEPS = [Tick(0.0, 100.0), Tick(-0.5, 100.0), Tick(1.5, 100.0), Tick(math.nan, 100.0)]


@pytest.mark.parametrize("tick", NOT_STEPS)
def test_a_step_that_is_none_tells_nothing(tick: Tick) -> None:
    operator = OperatorNow(activity=Activity.TALKING, since_s=0.0)
    assert foreseen_talk(replace(operator, ticks=(tick,)), TALK) == foreseen_talk(operator, TALK)
    step = replace(operator, ticks=(Tick(0.5, 60.0),))
    after = replace(operator, ticks=(tick, *step.ticks))
    assert foreseen_talk(after, TALK) == foreseen_talk(step, TALK)


def test_operators_who_are_almost_done_are_worth_calls_and_those_who_just_began_are_not() -> None:
    estimates = replace(Estimates(), after_call=LogNormal.of(4, 0.3, 20))
    calls = []
    for share in (0.1, 0.95):
        talking = OperatorNow(
            activity=Activity.TALKING, since_s=NOW_S - 180 * share, ticks=(Tick(share, NOW_S),) * 2
        )
        operators = [FREE] + [talking] * 8
        calls.append(calls_to_place(centre(0, 0, operators=operators, estimates=estimates)).calls)
    assert calls[1] > calls[0]

"""How many calls are added, and when, against adding them one by one to distributions made anew each time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from rules.pacing.balance import (
    CALL_STEP_S,
    TALK_STEP_S,
    WORK_STEP_S,
    Belief,
    Calls,
    Floats,
    Moments,
    Offer,
    Seen,
    Tables,
    answer_of,
    callback_events,
    choose,
    choose_at,
    row_of,
)

NOW_S = 100.0
POINTS = 3


@dataclass(frozen=True)
class Found:
    """What `choose_at` says of one moment, and the risks it filled in."""

    calls: int
    miss: float
    answers: float
    free: float
    misses: tuple[float, ...]

    def like(self, other: Found) -> bool:
        numbers = (self.miss, self.answers, self.free, *self.misses)
        others = (other.miss, other.answers, other.free, *other.misses)
        return self.calls == other.calls and numbers == pytest.approx(others, abs=1e-6)


@dataclass(frozen=True)
class Case:
    """All that the choice is made of."""

    moments: Moments
    seen: Seen
    calls: Calls
    belief: Belief
    tables: Tables
    candidates: Floats
    most: int
    covered_calls: int

    @property
    def offer(self) -> Offer:
        """With fresh room for the risks, and some behind it."""
        return self.candidates, self.most, self.covered_calls, np.full(self.most + 1, np.nan)

    def allowed(self, at: int) -> float:
        """What the first call may risk."""
        _, covered, ahead = self.moments
        return float((covered if self.covered_calls else ahead)[at])

    def with_risk(self, miss: float) -> Case:
        """The same where every call may risk so much."""
        moments_s = self.moments[0]
        risks = np.full(len(moments_s), miss)
        return replace(self, moments=(moments_s, risks, risks))

    def chosen(self, *, in_full: bool = True) -> tuple[int, Found]:
        """Which of the moments, and what is found at it."""
        offer = self.offer
        at, *found = choose(
            self.moments, self.seen, self.calls, self.belief, self.tables, offer, in_full
        )
        return at, self._found(found, offer)

    def chosen_at(self, at: int, *, in_full: bool = True) -> Found:
        offer = self.offer
        found = choose_at(
            at, self.moments, self.seen, self.calls, self.belief, self.tables, offer, in_full
        )
        return self._found(list(found), offer)

    def _found(self, found: list[float], offer: Offer) -> Found:
        calls, misses = int(found[0]), offer[-1]
        assert np.isnan(misses[calls:]).all()  # of calls that are not there nothing is filled in
        return Found(calls, *found[1:], misses=tuple(misses[:calls].tolist()))

    def expected_at(self, at: int) -> Found:
        """The same in the plainest way."""
        moments_s, covered, ahead = self.moments
        _, answered, _, _, _ = self.tables
        free, answers = self._free_by(moments_s[at]), self._answers_by(moments_s[at])
        misses = [self._miss(free, answers)]
        for calls in range(self.most):
            if misses[-1] > (covered if calls < self.covered_calls else ahead)[at]:
                break
            answers.append(answer_of(self.candidates[calls], self.belief) * answered[0])
            misses.append(self._miss(free, answers))
        expected = [sum(row.mean() for row in rows) for rows in (answers, free)]
        return Found(len(misses) - 1, misses[-1], *expected, misses=tuple(misses[:-1]))

    def _free_by(self, now_s: float) -> list[Floats]:
        _, working, talking, foreseen, _ = self.seen
        _, _, _, worked, talked = self.tables
        works = [worked[row_of(now_s - since_s, WORK_STEP_S, len(worked))] for since_s in working]
        talks = [talked[row_of(now_s - since_s, TALK_STEP_S, len(talked))] for since_s in talking]
        return [*works, *talks, *foreseen]

    def _answers_by(self, now_s: float) -> list[Floats]:
        moments, answered, unanswered, _, _ = self.tables
        found = []
        for placed_s, own in zip(*self.calls, strict=True):
            row = row_of(now_s - placed_s, CALL_STEP_S, len(answered))
            chance = answer_of(own, self.belief)
            still = chance * unanswered[row] + 1 - chance
            found.append(chance * answered[row] / still)
        per_s = self.seen[-1]
        events = callback_events(per_s, moments[-1])
        return found + [per_s * moments / max(events, 1)] * events

    def _miss(self, free: list[Floats], answers: list[Floats]) -> float:
        nobody = [self._nobody_left(point, free, answers) for point in range(POINTS)]
        return sum(max(nobody[point:]) for point in range(POINTS)) / POINTS

    def _nobody_left(self, point: int, free: list[Floats], answers: list[Floats]) -> float:
        shares = np.ones(1)
        for up in [*(row[point] for row in free), *(1 - row[point] for row in answers)]:
            shares = np.convolve(shares, [1 - up, up])
        numbers = self.seen[0] - len(answers) + np.arange(len(shares))
        return float(shares[numbers <= 0].sum())


def case(seed: int) -> Case:
    """Few of everything, none of some; tables unlike each other in length."""
    luck = np.random.default_rng(seed)

    def rising(rows: int) -> Floats:
        return np.sort(luck.random((rows, POINTS)))

    def since() -> Floats:
        return NOW_S - luck.uniform(-1, 12, luck.integers(0, 3))

    unanswered = np.sort(np.append(luck.random(8), 1.0))[::-1].copy()
    placed, most = since(), int(luck.integers(0, 5))
    covered = luck.uniform(0.1, 0.9, 3)
    return Case(
        moments=(NOW_S + np.array([0.0, 1.5, 4.0]), covered, covered * luck.random(3)),
        seen=(
            int(luck.integers(-1, 4)), since(), since(), rising(int(luck.integers(0, 3))),
            float(luck.choice([0.0, 0.01, 0.1])),
        ),
        calls=(placed, luck.choice([np.nan, 0.2, 0.7], len(placed))),
        belief=(luck.uniform(0.5, 2), luck.random() / 2, luck.random() / 2),
        tables=(
            np.sort(luck.uniform(1, 8, POINTS)), unanswered[:, None] * rising(9), unanswered,
            rising(5), rising(4),
        ),
        candidates=luck.choice([np.nan, 0.1, 0.5, 0.9], most),
        most=most,
        covered_calls=int(luck.integers(0, 4)),
    )  # fmt: skip


SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_are_added_one_by_one_until_one_more_would_be_too_risky(seed: int) -> None:
    now = case(seed)
    for at in range(3):
        assert now.chosen_at(at).like(now.expected_at(at))


@pytest.mark.parametrize("seed", SEEDS)
def test_they_are_placed_at_the_first_moment_at_which_there_are_any(seed: int) -> None:
    now = case(seed)
    expected = [now.expected_at(at) for at in range(3)]
    first = next((at for at in range(3) if expected[at].calls), 2)
    at, found = now.chosen()
    assert at == first
    assert found.like(expected[first])


@pytest.mark.parametrize("seed", SEEDS)
def test_who_asks_for_calls_only_is_told_the_same_calls(seed: int) -> None:
    now = case(seed)
    (at, found), (at_in_full, in_full) = now.chosen(in_full=False), now.chosen()
    assert (at, found.calls) == (at_in_full, in_full.calls)
    if found.calls:
        assert found == in_full


@pytest.mark.parametrize("seed", SEEDS)
def test_who_asks_for_calls_only_gets_no_figures_where_the_first_is_too_risky(seed: int) -> None:
    now = case(seed)
    for at in range(3):
        too_risky = now.expected_at(at).miss > now.allowed(at)
        if too_risky and not now.expected_at(at).calls:
            assert now.chosen_at(at, in_full=False) == Found(0, 1.0, 0.0, 0.0, ())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("in_full", [True, False])
def test_a_call_may_risk_just_what_is_allowed(seed: int, *, in_full: bool) -> None:
    now = replace(case(seed), most=1, candidates=np.array([0.5]))
    miss = now.with_risk(-1.0).chosen_at(0).miss
    assert now.with_risk(miss).chosen_at(0, in_full=in_full).misses == (miss,)


def test_without_moments_there_are_no_calls() -> None:
    never = np.empty(0)
    assert replace(case(0), moments=(never, never, never)).chosen() == (
        0,
        Found(0, 1.0, 0.0, 0.0, ()),
    )


def test_the_cases_are_of_all_kinds() -> None:
    found = [case(seed).chosen() for seed in SEEDS]
    assert {at for at, _ in found} == {0, 1, 2}
    assert {one.calls for _, one in found} == {0, 1, 2, 3, 4}
    # of calls for which an operator is free, and of others
    assert {case(seed).covered_calls > 0 for seed in SEEDS} == {True, False}

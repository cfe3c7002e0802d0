"""What was believed against what happened: the numbers, and when they are called off."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.recorded_day import RecordedCall
from dialer.errors import ReportError
from dialer.reports.calibration import (
    ANSWER_EDGES,
    MISS_ALLOWANCE,
    MISS_EDGES,
    Belief,
    calibrated,
    calibration_of,
    off_in_words,
    report,
    surprise,
    wilson,
)
from dialer.reports.reliability_plot import save_reliability
from tests.db.town import NOON
from tests.recorded import MadeUpDay

DAY = date(2026, 9, 24)
NIGHTS = 1000


def drawn(chance: random.Random, calls: int, wrong_by: float = 1.0) -> list[Belief]:
    """Calls whose chances are right, or wrong by a factor."""
    chances = [chance.choice((0.1, 0.25, 0.4, 0.55)) for _ in range(calls)]
    return [Belief(one, chance.random() < one * wrong_by) for one in chances]


def drawn_misses(chance: random.Random, calls: int, wrong_by: float = 1.0) -> list[Belief]:
    """Answered calls, for about one in a hundred of whom nobody is free."""
    chances = [chance.choice((0.0, 0.005, 0.01, 0.03)) for _ in range(calls)]
    return [Belief(one, chance.random() < one * wrong_by) for one in chances]


# the surprise of a sum -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chances", "happened", "tail"),
    [
        ([0.5] * 4, 4, 1 / 16),
        ([0.5] * 4, 0, -1 / 16),
        ([0.1, 0.2], 2, 0.02),
        ([0.1, 0.2], 1, 0.28),  # 0.1·0.8 + 0.9·0.2 + 0.02
        ([0.9, 0.8], 0, -0.02),
    ],
)
def test_the_surprise_of_few_calls_is_that_of_the_exact_distribution(
    chances: list[float], happened: int, tail: float
) -> None:
    z = surprise(chances, happened)
    assert math.copysign(0.5 * math.erfc(abs(z) / math.sqrt(2)), z) == pytest.approx(tail)


def test_what_was_impossible_is_as_surprising_as_can_be_and_no_call_is_no_surprise() -> None:
    assert surprise([0.0, 0.0], 1) == 9.0
    assert surprise([1.0], 0) == -9.0
    assert surprise([], 0) == 0.0
    assert surprise([0.5] * 10_000, 9_000) == 9.0


@given(st.lists(st.floats(0.05, 0.95), min_size=1, max_size=60), st.data())
def test_what_comes_true_more_often_is_never_less_surprisingly_often(
    chances: list[float], data: st.DataObject
) -> None:
    happened = data.draw(st.integers(0, len(chances) - 1))
    assert surprise(chances, happened) <= surprise(chances, happened + 1)


def test_for_many_calls_the_normal_distribution_says_nearly_the_same() -> None:
    just_exact, just_normal = [0.5] * 400, [0.5] * 401
    assert surprise(just_exact, 230) == pytest.approx(surprise(just_normal, 230), abs=0.15)


# the verdict -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("calls", [150, 450])
def test_beliefs_that_are_right_are_called_off_on_fewer_than_one_night_in_a_hundred(
    calls: int,
) -> None:
    chance = random.Random(4)
    off = 0
    for _ in range(NIGHTS):
        answers = calibrated(drawn(chance, calls), ANSWER_EDGES, bins_judged=True)
        missed = drawn_misses(chance, calls // 3)
        off += answers.off or calibrated(missed, MISS_EDGES, allowance=MISS_ALLOWANCE).off
    assert off < NIGHTS / 100


def test_even_without_the_allowance_misses_that_are_right_are_hardly_ever_called_off() -> None:
    chance = random.Random(5)
    nights = [calibrated(drawn_misses(chance, 200), MISS_EDGES) for _ in range(NIGHTS)]
    assert sum(one.off for one in nights) < NIGHTS / 100


@pytest.mark.parametrize("wrong_by", [0.75, 1.25])
def test_answers_that_are_a_quarter_off_are_called_off_after_a_days_calls(wrong_by: float) -> None:
    chance = random.Random(6)
    for _ in range(20):
        assert calibrated(drawn(chance, 1500, wrong_by), ANSWER_EDGES).off


def test_answers_right_on_the_whole_and_wrong_for_each_kind_of_phone_are_called_off() -> None:
    beliefs = [Belief(low, n < 40) for low in (0.15, 0.65) for n in range(100)]
    assert not calibrated(beliefs, ANSWER_EDGES).off
    assert calibrated(beliefs, ANSWER_EDGES, bins_judged=True).off


@pytest.mark.parametrize(
    ("abandoned", "off"),
    # of 500 answers with a chance of 2 % each; 25 were expected with the allowance, or 4
    [(0, False), (10, False), (25, False), (39, False), (50, True)],
)
def test_abandoned_calls_are_off_only_beyond_the_allowance(abandoned: int, off: bool) -> None:
    beliefs = [Belief(0.02, n < abandoned) for n in range(500)]
    found = calibrated(beliefs, MISS_EDGES, allowance=MISS_ALLOWANCE)
    assert found.off is off
    assert (found.believed, found.happened) == (pytest.approx(10), abandoned)


# the numbers -----------------------------------------------------------------------------------------


def test_bins_hold_every_call_once_with_its_mean_chance_share_and_interval() -> None:
    beliefs = [Belief(0.3, True), Belief(0.35, False), Belief(1.0, True), Belief(0.0, False)]
    found = calibrated(beliefs, ANSWER_EDGES)
    assert [(one.calls, one.believed, one.happened) for one in found.bins] == [
        (1, 0.0, 0.0),
        (2, pytest.approx(0.325), 0.5),
        (1, 1.0, 1.0),
    ]
    assert found.brier == pytest.approx((0.7**2 + 0.35**2) / 4)
    assert found.spread == pytest.approx(math.sqrt(0.3 * 0.7 + 0.35 * 0.65))


def test_the_interval_of_a_share_is_wilsons() -> None:
    assert wilson(5, 10) == (pytest.approx(0.2366, abs=1e-4), pytest.approx(0.7634, abs=1e-4))
    assert wilson(0, 10) == (0.0, pytest.approx(0.2775, abs=1e-4))


def made_up(**changes: object) -> RecordedCall:
    call = MadeUpDay(NOON).fill(1).calls[0]
    assert (call.outcome, call.talk_s) == ("explained", 60.0)
    return replace(call, **changes)


@pytest.mark.parametrize(
    ("changes", "answers", "abandoned"),
    # calls and how many came true, of answers and of abandoned calls
    [
        ({}, (1, 1), (1, 0)),
        ({"outcome": "voicemail_left"}, (1, 0), (1, 0)),
        ({"outcome": "voicemail_failed"}, (1, 0), (1, 0)),
        ({"outcome": "abandoned", "talk_from": None}, (1, 1), (1, 1)),
        # nobody knows whether somebody would have become free
        ({"outcome": "hung_up", "talk_from": None}, (1, 1), (0, 0)),
        ({"outcome": "no_answer", "answered_at": None, "talk_from": None}, (1, 0), (0, 0)),
        # we ended it, or it never left the house
        ({"outcome": "cancelled", "answered_at": None, "talk_from": None}, (0, 0), (0, 0)),
        ({"outcome": "failed", "answered_at": None, "talk_from": None}, (0, 0), (0, 0)),
        # the result is owed: after a long talk it was a person
        ({"outcome": None}, (1, 1), (1, 0)),
        ({"outcome": None, "ended_at": NOON + timedelta(seconds=20)}, (0, 0), (1, 0)),
        # an operator was held for it
        ({"miss": None}, (1, 1), (0, 0)),
        # not placed by pacing
        ({"chance": None, "miss": None}, (0, 0), (0, 0)),
    ],
)
def test_what_happened_is_told_by_the_outcome(
    changes: dict[str, object], answers: tuple[int, int], abandoned: tuple[int, int]
) -> None:
    found = calibration_of(DAY, [made_up(**changes)])
    assert (found.answers.calls, found.answers.happened) == answers
    assert (found.abandoned.calls, found.abandoned.happened) == abandoned


# the words -------------------------------------------------------------------------------------------


def test_the_report_tells_each_belief_its_bins_and_what_is_off() -> None:
    found = calibration_of(DAY, [made_up() for _ in range(40)])
    text = "\n".join(report(found))
    assert off_in_words(found) in text
    assert "answers 20.0 ± 6.2, came 40" in off_in_words(found)
    assert "abandoned" not in off_in_words(found)
    assert "A person answers (40 calls): expected 20.0 ± 6.2, came 40; z +" in text
    assert "        40     50.0%    100.0%  91.2% to 100.0%" in text


def test_a_day_without_calls_is_not_off() -> None:
    found = calibration_of(DAY, [])
    assert not found.off
    assert off_in_words(found) == ""
    assert "nothing is off" in "\n".join(report(found))


def test_the_diagram_is_drawn_or_it_is_told_why_not(tmp_path: Path) -> None:
    found = calibration_of(DAY, MadeUpDay(NOON).fill(10).calls)
    save_reliability(found, tmp_path / "reliability.svg")
    assert "<svg" in (tmp_path / "reliability.svg").read_text()
    with pytest.raises(ReportError, match=r"reliability\.docx: cannot be written"):
        save_reliability(found, tmp_path / "reliability.docx")

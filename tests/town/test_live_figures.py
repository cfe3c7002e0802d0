"""What a recorded stretch of calling came to: figures and their intervals."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from db.seat_changes import SeatMove
from rules.calendar import JST
from rules.operator_state import State
from rules.pacing.estimates import Estimates, LogNormal
from scripts.bench.live_figures import Attempted, Interval, Recorded, quantile, wilson

BEGINS = datetime(2026, 10, 26, 19, 50, tzinfo=JST)
LENGTH_S = 120
CERTAIN = LogNormal.of(1, 0.001, 1)


def after(seconds: float) -> datetime:
    return BEGINS + timedelta(seconds=seconds)


def attempt(
    placed: float, answered: float | None = None, connected: float | None = None, miss: float = 0.0
) -> Attempted:
    return Attempted(
        placed_at=after(placed),
        chance=0.5,
        miss=miss,
        answered_at=None if answered is None else after(answered),
        connected_at=None if connected is None else after(connected),
        outcome="abandoned" if answered and not connected else "person_done",
    )


def recorded(*attempts: Attempted, moves: list[tuple[str, float, State]] | None = None) -> Recorded:
    return Recorded(
        begins=BEGINS,
        ends=after(LENGTH_S),
        operators=2,
        attempts=attempts,
        moves=[SeatMove(operator_id=o, at=after(at), state=s) for o, at, s in moves or []],
        estimates=Estimates(
            ring=CERTAIN, talk=LogNormal.of(10, 0.001, 1), after_call=LogNormal.of(2, 0.001, 1)
        ),
    )


@pytest.mark.parametrize(
    ("moves", "share"),
    [
        # two operators who were free all the time
        ([], 0.0),
        # one talks and writes for half of it, the other for none
        ([("201", 0, State.TALKING), ("201", 50, State.AFTER_CALL_WORK), ("201", 60, State.FREE)], 0.25),
        # a talk that goes on after the end counts until then; joining is no work yet
        ([("201", 30, State.RINGING_FOR), ("201", 60, State.TALKING)], 0.25),
        # who is away is not logged in
        ([("201", 0, State.AWAY), ("202", 0, State.TALKING)], 1.0),
    ],
)  # fmt: skip
def test_utilisation_is_work_by_logged_in_time(
    moves: list[tuple[str, float, State]], share: float
) -> None:
    assert recorded(moves=moves).utilisation().value == pytest.approx(share)


def test_abandoned_answers_and_waits_are_counted() -> None:
    of = recorded(
        attempt(0, 3, 3.5), attempt(1), attempt(2, 5, 5.2), attempt(3, 119), attempt(4, 9, 9)
    )
    assert (of.answers, of.abandoned) == (4, 1)
    assert of.abandoned_share().value == 0.25
    assert of.answers_a_minute().value == 2.0
    assert of.waits_s() == pytest.approx([0.0, 0.2, 0.5])


def test_predictions_are_sums_of_chances() -> None:
    of = recorded(*[attempt(10, miss=0.1)] * 20)
    # 20 calls x 0.5 in two minutes, +-1.96 sqrt(20 x 0.25)
    assert of.predicted_answers_a_minute().value == pytest.approx(5.0)
    assert of.predicted_answers_a_minute().high == pytest.approx(5.0 + 1.96 * 5**0.5 / 2, rel=1e-3)
    assert of.predicted_abandoned_share().value == pytest.approx(0.1)
    # 20 x 0.5 x 0.9 persons x 12 s, of 2 x 120 s
    assert of.predicted_utilisation().value == pytest.approx(0.45, rel=1e-3)


def test_work_after_the_end_is_not_predicted_for_it() -> None:
    # a second of ringing, six of the twelve seconds before the end
    of = recorded(attempt(LENGTH_S - 7))
    assert of.predicted_utilisation().value == pytest.approx(0.5 * 6 / 240, rel=1e-3)
    assert recorded(attempt(LENGTH_S)).predicted_utilisation().value == 0.0


def test_wilsons_interval_is_the_known_one() -> None:
    # Newcombe 1998, table I: 81 of 263
    found = wilson(81, 263)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    with pytest.raises(ValueError, match="nothing"):
        wilson(0, 0)


def test_a_quantile_lies_between_the_ranks_it_may_have() -> None:
    values = [float(n) for n in range(100)]
    median = quantile(values, 0.5)
    assert 48 <= median.value <= 51
    assert (median.low, median.high) == pytest.approx((39, 60), abs=1)
    assert quantile([1.0], 0.99) == Interval(1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("other", "same"),
    [(Interval(3, 2, 4), True), (Interval(5, 2.1, 6), False), (Interval(0, -1, 0.9), False)],
)
def test_figures_agree_whose_intervals_overlap(other: Interval, same: bool) -> None:
    one = Interval(1.5, 1, 2)
    assert one.overlaps(other) is same
    assert other.overlaps(one) is same

"""A recorded day as a world to simulate, and what it is held against."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np
import pytest

from db.recorded_day import RecordedCall
from db.seat_changes import SeatMove
from dialer.errors import ConflictError
from dialer.simulation.day import run_day
from dialer.simulation.recorded import Recorded
from dialer.simulation.replay import (
    RecordedDay,
    Spread,
    outside,
    simulated_figures,
    spreads,
    with_cap,
    with_more,
)
from dialer.simulation.rivals import boost
from dialer.simulation.shifts import Break, Shift
from dialer.simulation.worlds import WORLDS, World, without_detection
from rules.operator_state import State
from rules.pacing.snapshot import Mode, Terms
from tests.db.town import NOON
from tests.dialer.simulation.recording import Recording
from tests.recorded import CYCLE_S, OPERATORS, MadeUpDay, seconds

TERMS = Terms(mode=Mode.PROGRESSIVE)
BOLD = partial(boost, factor=2.0)
CYCLES = 20
LIMIT_S = 120.0


def day_of(made: MadeUpDay | None = None, limit_s: float = LIMIT_S) -> RecordedDay:
    made = made or MadeUpDay(NOON).fill(CYCLES)
    return RecordedDay(made.calls, made.moves, limit_s)


def world_of(made: MadeUpDay | None = None) -> World:
    return day_of(made).world(TERMS, lines=20)


def recorded_of(world: World) -> Recorded:
    assert world.recorded is not None
    return world.recorded


def shifts_of(*moves: tuple[float, State]) -> tuple[Shift, ...]:
    """Shifts on the made-up day if one more operator moves like this (seconds since the first call)."""
    made = MadeUpDay(NOON).fill(CYCLES)
    made.moves += [SeatMove(operator_id="204", at=NOON + seconds(s), state=to) for s, to in moves]
    return recorded_of(world_of(made)).shifts[len(OPERATORS) :]


# what was recorded -----------------------------------------------------------------------------------


def test_the_days_figures_are_counted_from_its_first_call_to_its_last() -> None:
    day = day_of()
    # each operator: 20 persons (60 s talk, 20 s work of 100 s) and 4 machines (10 s of 30 s)
    assert day.length_s == pytest.approx(CYCLES * CYCLE_S + 4 * 30 + 2, abs=3)
    figures = day.figures()
    assert figures.operators == pytest.approx(3, abs=0.01)
    assert figures.placed == 3 * (2 * CYCLES + 4) + 1
    assert (figures.connected, figures.abandoned) == (3 * (CYCLES + 4), 1)
    assert figures.abandoned_share == pytest.approx(1 / 73)
    assert figures.utilisation == pytest.approx(80 * CYCLES / day.length_s, rel=0.01)
    assert figures.machines == pytest.approx(10 * 4 / day.length_s, rel=0.01)
    assert figures.wait_s == 0


def test_the_world_draws_from_what_was_seen_and_from_nothing_else() -> None:
    world = world_of()
    recorded = recorded_of(world)
    assert set(recorded.ring_s) == {8.0, 15.0}  # the abandoned one, too, is taken for a person
    assert set(recorded.machine_ring_s) == {15.0}
    assert set(recorded.machine_talk_s) == {10.0}
    assert set(recorded.unanswered_s) == {36.0}
    assert set(recorded.work_s) == {(60.0, 20.0)}
    assert world.machine == pytest.approx(12 / (12 + 60))
    # 61 persons of 133 calls, each believed with 0.5
    assert world.chance == pytest.approx(0.5)
    assert world.chance_of(0.5, 10.0) == pytest.approx(61 / 133)
    phones = list(islice(recorded.phones(np.random.default_rng(1)), 5000))
    assert {phone.chance for phone in phones} == {0.5}
    assert {(phone.talk_s, phone.work_s) for phone in phones} == {(60.0, 20.0)}
    assert sum(phone.ring_s == 15.0 for phone in phones) / 5000 == pytest.approx(1 / 61, abs=0.01)


def test_phones_come_in_the_order_of_the_day_and_then_as_drawn_from_it() -> None:
    made = MadeUpDay(NOON).fill(CYCLES)
    told = [0.1 + 0.005 * number for number in range(len(made.calls))]
    made.calls = [replace(call, chance=p) for call, p in zip(made.calls, told, strict=True)]
    phones = recorded_of(world_of(made)).phones(np.random.default_rng(2))
    assert [next(phones).chance for _ in told] == told
    more = [next(phones).chance for _ in range(3000)]
    assert set(more) == set(told)
    assert more[: len(told)] != told


def test_a_call_of_which_nothing_was_believed_has_the_mean_chance_of_the_others() -> None:
    made = MadeUpDay(NOON).fill(CYCLES)
    made.calls[3] = replace(made.calls[3], chance=None)
    assert recorded_of(world_of(made)).chances[3] == pytest.approx(0.5)
    made.calls = [replace(call, chance=None) for call in made.calls]
    assert set(recorded_of(world_of(made)).chances) == {61 / 133}


def test_after_call_work_ends_with_the_pause_at_its_limit() -> None:
    assert set(recorded_of(day_of(limit_s=15.0).world(TERMS, 20)).work_s) == {(60.0, 15.0)}


def test_operators_come_break_off_and_go_as_they_did() -> None:
    length_s = day_of().length_s
    free, talking, paused, away = State.FREE, State.TALKING, State.PAUSED, State.AWAY
    assert shifts_of((-500, free)) == (Shift(0.0, ()),)
    assert shifts_of((-500, paused), (100, free), (200, talking), (300, paused)) == (
        Shift(100.0, (Break(300.0, length_s - 300),)),
    )
    assert shifts_of((0, free), (300, paused), (500, free), (900, away)) == (
        Shift(0.0, (Break(300.0, 200.0), Break(900.0, length_s - 900))),
    )
    assert shifts_of((0, paused)) == ()  # took no calls


@pytest.mark.parametrize(
    ("answers", "told"), [(29, "only 29 persons were talked to"), (30, None), (0, "only 0 persons")]
)
def test_of_too_few_answers_nothing_is_told(answers: int, told: str | None) -> None:
    made = MadeUpDay(NOON).fill(CYCLES)

    def kept(calls: list[RecordedCall]) -> list[RecordedCall]:
        talks = [call for call in calls if call.outcome == "explained"]
        return [call for call in calls if call not in talks[answers:]]

    made.calls = kept(made.calls)
    if told is None:
        assert day_of(made).figures().placed > answers
        return
    with pytest.raises(ConflictError, match=told):
        day_of(made)


def test_a_previewed_day_and_one_without_operators_on_record_are_refused() -> None:
    with pytest.raises(ConflictError, match="preview"):
        day_of().world(replace(TERMS, mode=Mode.PREVIEW), 20)
    made = MadeUpDay(NOON).fill(CYCLES)
    made.moves = []
    with pytest.raises(ConflictError, match="not on record"):
        world_of(made)


# simulated -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def record() -> Recording:
    """Two hours of three operators, one of whom takes breaks, on record; machines reach them."""
    world = without_detection(replace(WORLDS["breaks"], operators=3, hours=2.0))
    recording = Recording(world, 4, BOLD)
    recording.run()
    return recording


def simulated(record: Recording) -> dict[str, Spread]:
    world = RecordedDay(record.calls, record.moves, LIMIT_S).world(TERMS, lines=100)
    return spreads([simulated_figures(run_day(world, n, BOLD), world) for n in range(8)])


def test_a_day_paced_as_it_was_is_simulated_as_it_was(record: Recording) -> None:
    recorded = RecordedDay(record.calls, record.moves, LIMIT_S).figures()
    spread = simulated(record)
    assert outside(recorded, spread) == []
    # far from what it would be with other times or chances
    assert spread["operators"].mean == pytest.approx(recorded.operators, rel=0.05)
    assert spread["utilisation"].mean == pytest.approx(recorded.utilisation, rel=0.05)
    assert recorded.abandoned > 5


def test_a_day_that_was_otherwise_lies_outside(record: Recording) -> None:
    recorded = RecordedDay(record.calls, record.moves, LIMIT_S).figures()
    other = replace(recorded, utilisation=0.2, abandoned=0, operators=9.0)
    assert set(outside(other, simulated(record))) == {"utilisation", "abandoned"}


def test_more_operators_are_copies_of_those_who_were_there_longest() -> None:
    made = MadeUpDay(NOON).fill(CYCLES)
    made.moves.append(SeatMove(operator_id="201", at=NOON + seconds(60), state=State.PAUSED))
    made.moves.sort(key=lambda move: move.at)
    world = world_of(made)
    more = with_more(world, 4)
    first, *others = recorded_of(world).shifts
    assert recorded_of(more).shifts[3:] == (*others, first, others[0])
    assert more.operators == 7
    assert with_more(world, 0) == world


def test_another_cap_is_that_of_predictive_pacing() -> None:
    terms = with_cap(world_of(), 0.03).terms
    assert (terms.mode, terms.cap) == (Mode.PREDICTIVE, 0.03)


def test_the_spread_is_that_of_one_more_day() -> None:
    base = day_of().figures()
    days = [replace(base, placed=placed) for placed in (90.0, 100.0, 110.0)]
    spread = spreads(days)["placed"]
    # Student's t of two degrees of freedom: 4.303 · 10 · √(1 + 1/3)
    assert (spread.mean, spread.high) == (100, pytest.approx(149.69, abs=0.01))
    assert spreads(days)["wait_s"].low == 0

"""The simulated day: nobody gets lost in it, and it is the day it is said to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from statistics import fmean

import pytest

from dialer.simulation.day import run_day
from dialer.simulation.rivals import WAYS, boost, progressive
from dialer.simulation.way import Moment, Way
from dialer.simulation.worlds import WORLDS, World, without_detection
from rules.pacing.snapshot import Activity, Limit, Pace, Snapshot, Terms

BOLD = partial(boost, factor=3.0)
SHORT = {name: replace(world, operators=4, hours=2.0) for name, world in WORLDS.items()}
DAYS = {
    **SHORT,
    "no detection": without_detection(SHORT["stationary"]),
    "callbacks, no detection": without_detection(SHORT["callbacks"]),
    "one operator": replace(SHORT["stationary"], operators=1),
    "one operator, on breaks": replace(SHORT["breaks"], operators=1),
    "five lines": replace(SHORT["stationary"], lines=5),
}


@dataclass
class OneByOne:
    """Asks a way of pacing about every moment by itself, shown anew; keeps what it was shown."""

    way: Way
    seen: list[Snapshot] = field(default_factory=list)

    def __call__(self, moment: Moment, moments_s: Sequence[float]) -> tuple[int, Pace] | None:
        for at, now_s in enumerate(moments_s):
            shown = self._shown(moment, now_s)
            self.seen.append(shown)
            found = self.way(moment._replace(now_s=now_s, snapshot=lambda s=shown: s), [now_s])
            if found is not None:
                return at, found[1]
        return None

    def _shown(self, moment: Moment, now_s: float) -> Snapshot:
        snapshot = moment.snapshot()
        today = replace(snapshot.today, left_s=moment.end_s - now_s)
        return replace(snapshot, now_s=now_s, today=today)


def watched(world: World, way: Way = BOLD, seed: int = 1) -> list[Snapshot]:
    watching = OneByOne(way)
    run_day(world, seed, watching)
    return watching.seen


@pytest.mark.parametrize("name", DAYS)
def test_everybody_who_answers_is_connected_or_abandoned_once(name: str) -> None:
    day = run_day(DAYS[name], 1, BOLD)
    assert day.persons_answered > 20
    assert day.persons_abandoned > 0
    assert day.persons_connected + day.persons_abandoned == day.persons_answered


@pytest.mark.parametrize("name", DAYS)
def test_operators_work_wait_or_hear_machines_and_nothing_else(name: str) -> None:
    world = DAYS[name]
    day = run_day(world, 2, BOLD)
    assert 0.5 < day.utilisation < 1
    assert 0 < day.idle < 0.5
    machines = day.machines_s / day.logged_in_s
    assert day.utilisation + day.idle + machines == pytest.approx(1)
    assert (machines > 0) == (not world.detection)


@pytest.mark.parametrize("name", DAYS)
def test_nobody_waits_while_an_operator_is_free_and_no_line_is_used_twice(name: str) -> None:
    world = DAYS[name]
    for seen in watched(world):
        free = sum(one.activity is Activity.FREE for one in seen.operators)
        assert free == 0 or seen.waiting == seen.callbacks_waiting == 0
        talking = sum(one.activity is Activity.TALKING for one in seen.operators)
        assert len(seen.calls) + seen.waiting + talking <= seen.lines_used <= world.lines


def test_the_same_seed_is_the_same_day_and_another_is_not() -> None:
    world = SHORT["breaks"]
    assert run_day(world, 1, BOLD) == run_day(world, 1, BOLD)
    assert run_day(world, 1, BOLD) != run_day(world, 2, BOLD)


def test_pacing_is_asked_at_least_every_second_and_told_when_the_day_ends() -> None:
    seen = watched(SHORT["stationary"])
    moments = [snapshot.now_s for snapshot in seen]
    assert max(b - a for a, b in pairwise(moments)) <= 1
    assert moments == sorted(moments)
    assert {round(s.now_s + (s.today.left_s or 0)) for s in seen} == {7200}


@pytest.mark.parametrize("name", ["stationary", "breaks", "callbacks", "five lines"])
@pytest.mark.parametrize("way", WAYS)
def test_a_day_is_the_same_if_pacing_is_asked_every_second_by_itself(way: str, name: str) -> None:
    # with 60 operators not all who are wanted at first are among the candidates
    operators, hours = (60, 0.1) if name == "stationary" else (4, 0.5)
    world = replace(DAYS[name], operators=operators, hours=hours, terms=Terms(cap=0.03))
    assert run_day(world, 1, WAYS[way]()) == run_day(world, 1, OneByOne(WAYS[way]()))


def test_what_is_counted_for_pacing_is_what_the_snapshot_shows() -> None:
    seen: list[Moment] = []

    def watching(moment: Moment, moments_s: Sequence[float]) -> tuple[int, Pace] | None:
        seen.append(moment)
        shown = moment.snapshot()
        doing = Counter(one.activity for one in shown.operators)
        assert moment.now_s == shown.now_s == moments_s[0]
        assert moment.logged_in == len(shown.operators)
        assert moment.free == doing[Activity.FREE]
        assert moment.talking == doing[Activity.TALKING]
        assert moment.calls == len(shown.calls)
        assert moment.waiting == shown.waiting
        assert moment.callbacks_waiting == shown.callbacks_waiting
        assert moment.placeable == min(shown.lines - shown.lines_used, len(shown.candidates))
        assert (moment.connected, moment.abandoned) == (
            shown.today.connected,
            shown.today.abandoned,
        )
        assert moment.cap == shown.terms.cap
        assert moment.end_s - moment.now_s == shown.today.left_s
        return BOLD(moment, moments_s)

    for name in ("breaks", "callbacks, no detection", "five lines"):
        run_day(DAYS[name], 1, watching)
    for of in ("free", "talking", "calls", "waiting", "callbacks_waiting", "abandoned"):
        assert any(getattr(moment, of) for moment in seen)
    assert min(moment.placeable for moment in seen) == 0


def test_progressive_pacing_abandons_nobody() -> None:
    day = run_day(SHORT["stationary"], 1, progressive)
    assert (day.abandoned, day.waited_s) == (0, 0)


@pytest.mark.parametrize(
    ("way", "operators", "days", "elsewhere"),
    [
        ("progressive", 5, 3, 0.792),
        ("progressive", 20, 1, 0.789),
        ("adaptive tapered", 10, 3, 0.817),
        ("adaptive tapered", 50, 1, 0.923),
    ],
)
def test_others_do_on_the_reference_day_what_they_do_elsewhere(
    way: str, operators: int, days: int, elsewhere: float
) -> None:
    world = replace(WORLDS["stationary"], operators=operators, terms=Terms(cap=0.03))
    found = fmean(run_day(world, seed, WAYS[way]()).utilisation for seed in range(1, days + 1))
    assert found == pytest.approx(elsewhere, abs=0.015)


def test_a_machine_nobody_detects_takes_an_operator_for_8_seconds() -> None:
    day = run_day(DAYS["no detection"], 1, BOLD)
    assert 0 < day.machines_s <= day.machines_connected * 8
    # 65 % are not answered by a person, of these 30 % by a machine; some machines find nobody
    share = (day.machines_connected + day.machines_abandoned) / day.placed
    assert share == pytest.approx(0.195, abs=0.05)
    assert day.abandoned == day.persons_abandoned + day.machines_abandoned


def test_where_machines_are_not_detected_pacing_learns_of_them_from_operators() -> None:
    # whoever is abandoned is heard by nobody and taken for a person: here nobody is
    first, *_, last = watched(DAYS["no detection"], progressive)
    assert first.estimates.machine.weight > 0
    assert last.estimates.machine.weight > first.estimates.machine.weight + 100
    assert last.estimates.machine.mean == pytest.approx(0.3, abs=0.1)
    assert last.estimates.chance.mean == pytest.approx(0.35, abs=0.1)


def test_wrong_beliefs_are_corrected_by_what_is_seen() -> None:
    world = replace(WORLDS["wrong-priors"], hours=4.0)
    learned = watched(world)[-1].estimates
    assert learned.talk.mean_s == pytest.approx(180, rel=0.15)
    assert learned.after_call.mean_s == pytest.approx(40, rel=0.15)
    assert learned.ring.mean_s == pytest.approx(9, rel=0.1)
    assert learned.chance.mean == pytest.approx(0.35, abs=0.06)


def test_chances_that_are_known_are_offered_and_learned_from() -> None:
    first, *_, last = watched(SHORT["phones-known"])
    chances = [chance for chance in first.candidates if chance is not None]
    assert len(chances) == len(first.candidates) == 30
    assert max(chances) - min(chances) > 0.3
    assert last.estimates.truth.expected > 20
    assert last.estimates.chance.weight > first.estimates.chance.weight
    assert set(watched(SHORT["phones-unknown"])[-1].candidates) == {None}


def test_called_phones_are_called_once_and_others_move_up() -> None:
    def second_at_first(moment: Moment, _: Sequence[float]) -> tuple[int, Pace] | None:
        pace = Pace(calls=1, limit=Limit.RISK, chosen=(1,))
        return None if moment.now_s else (0, pace)

    before, after, *_ = watched(SHORT["phones-known"], second_at_first)
    assert [call.chance for call in after.calls] == [before.candidates[1]]
    assert after.candidates[:-1] == (before.candidates[0], *before.candidates[2:])


def test_ticks_of_the_script_come_in_order_and_within_the_talk() -> None:
    ticked = [
        (one.since_s, tick)
        for seen in watched(SHORT["aim"])
        for one in seen.operators
        for tick in one.ticks[-1:]
        if one.activity is Activity.TALKING
    ]
    assert {tick.share for _, tick in ticked} == {0.25, 0.5, 0.75, 0.9}
    assert all(tick.at_s > since for since, tick in ticked)


def test_operators_take_breaks_with_and_without_a_word_and_some_come_late() -> None:
    seen = watched(WORLDS["breaks"], progressive)
    # 10 operators, of whom 3 come at half time
    assert max(len(one.operators) for one in seen if one.now_s < 4 * 3600) == 7
    assert max(len(one.operators) for one in seen) == 10
    assert min(len(one.operators) for one in seen) < 7
    announced = {
        operator.break_at_s
        for one in seen
        for operator in one.operators
        if operator.break_at_s is not None
        and operator.activity is Activity.FREE
        # whoever announced a break takes no call from then on
        and operator.break_at_s > one.now_s
    }
    # of each one's two breaks the first is announced, of those who come late their only one
    assert 1 < len(announced) <= 10


def test_whoever_is_free_at_their_announced_break_is_gone() -> None:
    for one in watched(WORLDS["breaks"], progressive):
        for operator in one.operators:
            if operator.activity is Activity.FREE and operator.break_at_s is not None:
                assert operator.break_at_s > one.now_s


def test_persons_who_call_back_are_served_before_others() -> None:
    world = replace(SHORT["callbacks"], callback_load=0.5)
    day = run_day(world, 1, BOLD)
    # 2 h of half of 4 operators, 220 s each
    assert day.callbacks_served + day.callbacks_lost == pytest.approx(65, abs=25)
    seen = watched(world)
    passed_over = [
        later
        for earlier, later in pairwise(seen)
        if later.callbacks_waiting and later.today.connected > earlier.today.connected
    ]
    assert not passed_over
    assert any(one.callbacks_waiting and one.waiting for one in seen)


def _foreseeing(miss: float) -> Way:
    def way(moment: Moment, moments_s: Sequence[float]) -> tuple[int, Pace] | None:
        found = BOLD(moment, moments_s)
        return found and (found[0], replace(found[1], misses=(miss,) * found[1].calls))

    return way


@pytest.mark.parametrize("detection", [True, False])
def test_predicted_abandoned_calls_are_the_chances_of_those_answered(detection: bool) -> None:
    world = SHORT["stationary"] if detection else DAYS["no detection"]
    day = run_day(world, 1, _foreseeing(0.25))
    assert day.predicted_abandoned == 0.25 * (day.connected + day.abandoned)


@pytest.mark.parametrize(
    ("name", "at_h", "chance", "factor"),
    [
        ("stationary", 4.0, 0.35, 1),
        ("time-of-day", 0.0, 0.5, 1),
        ("time-of-day", 2.0, 0.35, 1),
        ("time-of-day", 4.0, 0.2, 1),
        ("time-of-day", 8.0, 0.5, 1),
        ("long-talks", 2.99, 0.35, 1),
        ("long-talks", 3.0, 0.35, 2),
        ("long-talks", 4.0, 0.35, 1),
    ],
)
def test_a_scenario_changes_the_day_as_it_goes(
    name: str, at_h: float, chance: float, factor: float
) -> None:
    world = WORLDS[name]
    assert world.chance_of(0.35, at_h * 3600) == pytest.approx(chance)
    assert world.talk_factor(at_h * 3600) == factor

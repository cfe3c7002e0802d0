"""When a phone's turn comes under a plan: never before the rules allow it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rules.case import CalledBack, Fact
from rules.eligibility import next_from
from rules.history import state_of
from rules.priority import rank
from rules.turn import PlannedBand, Turn, turn_of
from tests.rules.stories import NOVEMBER, ONE_PHONE, PROFILE, at, attempt


def band(starts: str, ends: str, gain: int = 100_000) -> PlannedBand:
    return PlannedBand(starts_at=at(starts), ends_at=at(ends), gain=gain)


FRIDAY_EVENING = band("20 17:00", "20 19:58:54", 200_000)
SATURDAY = band("21 09:00", "21 12:00", 400_000)
TUESDAY = band("24 12:00", "24 17:00")


def turn(when: str, *facts: Fact, planned: tuple[PlannedBand, ...] = ()) -> Turn:
    state = state_of(ONE_PHONE, facts, PROFILE, NOVEMBER)
    return turn_of(state, "a1", at(when), NOVEMBER, PROFILE, planned)


PLAN = (FRIDAY_EVENING, SATURDAY, TUESDAY)


@pytest.mark.parametrize(
    ("when", "facts", "due", "planned"),
    [
        # it waits for its band, though the rules would allow it at once
        ("20 10:00", [], "20 17:00", FRIDAY_EVENING),
        # the band has begun: due now
        ("20 18:00", [], "20 18:00", FRIDAY_EVENING),
        ("20 19:58:53", [], "20 19:58:53", FRIDAY_EVENING),
        # the band is missed: the next one
        ("20 19:58:54", [], "21 09:00", SATURDAY),
        # called in its band: the next one
        ("20 18:05", [attempt("20 18:00")], "21 09:00", SATURDAY),
        ("20 17:05", [attempt("20 17:00")], "21 09:00", SATURDAY),
        # not counted (busy): still this band, after the cool-down
        ("20 18:00", [attempt("20 17:55", "busy", ring_s=None)], "20 18:05", FRIDAY_EVENING),
        # the plan's bands are over: as the rules say
        ("25 10:00", [], "25 10:00", None),
        # nor does a person who answered and found no operator, once the gap is over (30 minutes)
        ("20 10:05", [attempt("20 10:00", "abandoned")], "20 10:30", None),
        ("20 11:00", [attempt("20 10:00", "abandoned")], "20 11:00", None),
        # nor does a person who called us and reached nobody; the rules hold for them all the same
        ("20 10:05", [CalledBack(at=at("20 10:00"), phone="a1")], "20 10:05", None),
        ("20 21:00", [CalledBack(at=at("20 21:00"), phone="a1")], "21 09:00", None),
        (
            "20 21:00",
            [attempt("20 10:00"), CalledBack(at=at("20 21:00"), phone="a1")],
            "21 12:00",
            None,
        ),
        # an appointment does not wait for the plan
        (
            "20 10:05",
            [attempt("20 10:00", "third_party", appointment="20 14:00")],
            "20 14:00",
            None,
        ),
    ],
)
def test_a_phone_is_due_in_its_planned_band(
    when: str, facts: list[Fact], due: str, planned: PlannedBand | None
) -> None:
    found = turn(when, *facts, planned=PLAN)
    assert (found.due_at, found.planned) == (at(due), planned)


def test_the_plan_never_hastens_what_the_rules_refuse() -> None:
    called = attempt("20 18:00")  # the same band of the next day is refused, and the same day
    early = band("20 18:30", "20 19:00")
    found = turn("20 18:05", called, planned=(early,))
    assert found.planned == early
    assert found.due_at == next_from(
        state_of(ONE_PHONE, [called], PROFILE, NOVEMBER), "a1", at("20 18:30"), NOVEMBER, PROFILE
    )


def test_a_finished_phone_is_never_due_again() -> None:
    done = attempt("20 10:00", "person_done", script_finished=True)
    assert turn("20 11:00", done, planned=PLAN).due_at is None


@pytest.mark.parametrize(
    ("when", "gain"), [("20 10:00", 200_000), ("21 09:30", 400_000), ("25 10:00", 0)]
)
def test_what_the_band_brings_decides_the_rank(when: str, gain: int) -> None:
    state = state_of(ONE_PHONE, [], PROFILE, NOVEMBER)
    moment: datetime = at(when)
    expected = rank(state, "a1", moment, NOVEMBER, PROFILE, gain)
    assert turn(when, planned=PLAN).rank == expected
    assert rank(state, "a1", at("20 10:00"), NOVEMBER, PROFILE, 200_000) != rank(
        state, "a1", at("20 10:00"), NOVEMBER, PROFILE, 0
    )


def test_without_a_plan_it_is_due_as_soon_as_the_rules_allow() -> None:
    found = turn("20 08:00")
    assert (found.due_at, found.planned) == (at("20 09:00"), None)
    assert turn("20 09:00").due_at == at("20 08:00") + timedelta(hours=1)

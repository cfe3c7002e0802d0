"""The pacer asks pacing about real phones, calls those it chose, and writes down what was believed."""

from __future__ import annotations

import pytest
import structlog
from sqlalchemy import select

from db import plans
from db.tables import Attempt
from rules.pacing.snapshot import Limit, Mode, Pace, Snapshot, Why
from tests.db.town import NOON, Town
from tests.dialer.test_pacer import Office

CHANCES = {"fixed": 0.4, "mobile": 0.1}


class Said:
    """Stands in for pacing: chooses these positions, and keeps what it was asked."""

    def __init__(self, *chosen: int, mode: Mode = Mode.PREDICTIVE, why: Why = Why.ORDERED) -> None:
        self.chosen = chosen
        self.mode, self.why = mode, why
        self.asked: list[Snapshot] = []

    def __call__(self, snapshot: Snapshot) -> Pace:
        self.asked.append(snapshot)
        chosen = tuple(one for one in self.chosen if one < len(snapshot.candidates))
        return Pace(
            calls=len(chosen),
            limit=Limit.RISK,
            chosen=chosen,
            misses=tuple(0.01 * (number + 1) for number in range(len(chosen))),
            mode=self.mode,
            why=self.why,
            expected_free=1.5,
        )


@pytest.fixture
async def office(town: Town, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Six cases of households of their own, with a plan; pacing chooses the fifth phone, then the first."""
    for number in range(6):
        await town.case(str(number), f"025800000{number}")
    async with town.sessions.write() as session:
        believed = [["午後", False, kind, 1, chance] for kind, chance in CHANCES.items()]
        await plans.add(
            session, town.campaign_id, at=NOON, by="tests", figures={}, chances=believed
        )
    made = Office(town, operators=1, mode=Mode.PREDICTIVE)
    made.said = Said(4, 0)
    monkeypatch.setattr("dialer.pacer.calls_to_place", made.said)
    return made


async def read_chances(office: Office) -> None:
    async with office.town.sessions.read() as session:
        await office.months.reload(session, NOON)
        await office.chances.reload(session, office.months.running())


async def attempts(town: Town) -> dict[str, Attempt]:
    async with town.sessions.read() as session:
        return {row.id: row for row in await session.scalars(select(Attempt))}


async def test_those_chosen_are_called_in_their_order(office: Office) -> None:
    assert await office.dial() == ["0258000004", "0258000000"]
    assert (office.pacer.pace.calls, office.pacer.pace.limit) == (2, Limit.RISK)


async def test_pacing_is_asked_what_there_is_room_for_and_then_about_the_phones_themselves(
    office: Office,
) -> None:
    await read_chances(office)
    await office.dial()
    imagined, real = office.said.asked[-2:]
    assert imagined.candidates == (None,) * 10  # as many as lines
    assert real.candidates == [0.4] * 6


async def test_without_a_plan_nothing_is_known_of_the_phones(office: Office) -> None:
    await office.dial()
    assert office.said.asked[-1].candidates == [None] * 6


async def test_what_was_believed_is_written_down_with_the_attempt_and_kept_with_the_call(
    office: Office, town: Town
) -> None:
    await read_chances(office)
    await office.dial()
    lines = office.calls.lines()
    written = await attempts(town)
    assert [written[line.call.attempt].miss for line in lines] == [0.01, 0.02]
    for line in lines:
        assert written[line.call.attempt].chance == line.expected.chance == pytest.approx(0.4)
        assert (line.expected.own_chance, line.expected.free) == (0.4, 1.5)
    sample = office.metrics.registry.get_sample_value
    assert sample("yobirin_pacing_answers_expected_total") == pytest.approx(0.8)
    assert sample("yobirin_pacing_abandoned_expected_total") == pytest.approx(0.4 * 0.03)


async def test_of_one_household_only_the_first_is_offered_to_pacing(
    office: Office, town: Town
) -> None:
    await town.case("7", "0258000007", household="H4")
    await town.case("8", "0258000000")  # the first one's number
    await office.dial()
    assert len(office.said.asked[-1].candidates) == 6
    await office.town.case("9", "0258000009")
    office.said.chosen = tuple(range(9))
    called = await office.dial()
    assert sorted(called) == ["0258000001", "0258000002", "0258000003", "0258000005", "0258000009"]


async def test_the_mode_is_logged_with_its_reason_when_it_changes_and_only_then(
    office: Office,
) -> None:
    said = office.said
    said.chosen = ()
    with structlog.testing.capture_logs() as logs:
        for mode, why in (
            (Mode.PREDICTIVE, Why.ORDERED),
            (Mode.PREDICTIVE, Why.ORDERED),
            (Mode.PROGRESSIVE, Why.AMI_UNHEALTHY),
            (Mode.PROGRESSIVE, Why.FEW_OPERATORS),
            (Mode.PREDICTIVE, Why.ORDERED),
        ):
            said.mode, said.why = mode, why
            await office.dial()
            active = office.metrics.registry.get_sample_value(
                "yobirin_pacing_mode", {"mode": mode.value}
            )
            assert active == 1
    told = [(one["mode"], one["why"]) for one in logs if one["event"] == "pacing_mode"]
    assert told == [
        ("predictive", "ordered"),
        ("progressive", "ami_unhealthy"),
        ("progressive", "few_operators"),
        ("predictive", "ordered"),
    ]

"""`dialer pacing calibration` and `dialer pacing replay` on a made-up day on record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db import campaigns
from db.recorded_day import RecordedCall
from db.tables import PhoneRow
from dialer.cli.work import now
from tests.db.town import NOON
from tests.dialer.cli.conftest import House
from tests.recorded import MadeUpDay, write

DAY = "2026-09-24"
QUICK = ("--days", "2")


def put_on_record(house: House, made: MadeUpDay, calls: Sequence[RecordedCall]) -> None:
    """The day's calls, all to one case of the campaign."""
    case_id = house.add_case("2026-09", "A1")

    async def work(session: AsyncSession) -> None:
        campaign_id = (await campaigns.get(session, "2026-09")).id
        phone_id = await session.scalar(select(PhoneRow.id).where(PhoneRow.case_id == case_id))
        of_campaign = [replace(call, campaign_id=campaign_id) for call in calls]
        assert phone_id is not None
        await write(session, of_campaign, made.moves, case_id=case_id, phone_id=phone_id)

    house.do(work)


@pytest.fixture
def called(month: House) -> House:
    """The installation with a day on record: 45 persons talked to."""
    made = MadeUpDay(NOON).fill(15)
    put_on_record(month, made, made.calls)
    return month


# calibration -----------------------------------------------------------------------------------------


def test_what_came_true_of_a_day_is_told_and_drawn(called: House, tmp_path: Path) -> None:
    plot = tmp_path / "reliability.svg"
    done = called.run("pacing", "calibration", DAY, "--plot", str(plot))
    assert (done.status, done.err) == (0, "")
    assert f"Calibration of {DAY}: nothing is off" in done.out
    # 45 persons and an abandoned one of 100 calls, 9 of them with machines
    assert "A person answers (100 calls): expected 50.0 ± 9.8, came 46" in done.out
    assert "Nobody is free (55 answered calls): expected 1.1 ± 2.0, came 1" in done.out
    assert "<svg" in plot.read_text()


def test_what_is_off_is_told_with_status_1(month: House) -> None:
    made = MadeUpDay(NOON).fill(15)
    put_on_record(month, made, [call for call in made.calls if call.answered_at is not None])
    done = month.run("pacing", "calibration", DAY, "--json")
    assert done.status == 1
    found = json.loads(done.out)
    assert (found["off"], found["answers"]["off"], found["abandoned"]["off"]) == (True, True, False)


def test_the_day_before_is_calibrated_if_none_is_named(month: House) -> None:
    yesterday = now() - timedelta(days=1)
    done = month.run("pacing", "calibration")
    assert done.status == 5
    assert f"pacing placed no call on {yesterday.date()}" in done.err
    made = MadeUpDay(yesterday.replace(hour=12)).fill(3)
    put_on_record(month, made, made.calls)
    assert f"Calibration of {yesterday.date()}" in month.run("pacing", "calibration").out


# replay ----------------------------------------------------------------------------------------------


def test_a_day_is_played_again_as_it_was_and_as_it_could_have_been(
    called: House, tmp_path: Path
) -> None:
    plot = tmp_path / "replay.svg"
    what_if = ("--cap", "0.03", "--operators", "+3")
    done = called.run("pacing", "replay", DAY, *QUICK, *what_if, "--plot", str(plot))
    assert (done.status, done.err.strip()) == (0, "")
    for told in ("recorded", "as it was", "what if", "utilisation", "abandoned share"):
        assert told in done.out
    (operators,) = [line for line in done.out.splitlines() if line.startswith("│ operators")]
    assert [cell.split()[0] for cell in operators.split("│")[2:5]] == ["3.0", "3.0", "6.0"]
    assert "as it was: recorded lies" in done.out
    assert "<svg" in plot.read_text()


def test_in_json_the_recorded_day_stands_beside_the_simulated_ones(called: House) -> None:
    done = called.run("pacing", "replay", DAY, *QUICK, "--json")
    told = json.loads(done.out)
    assert list(told) == ["recorded", "as it was", "outside"]
    assert told["recorded"]["connected"] == 45 + 9
    assert set(told["as it was"]["utilisation"]) == {"mean", "low", "high"}


def test_a_day_with_hardly_an_answer_or_without_calls_is_refused(month: House) -> None:
    done = month.run("pacing", "replay", DAY)
    assert (done.status, done.err) == (5, f"dialer: no call was placed on {DAY}\n")
    made = MadeUpDay(NOON).fill(9)
    put_on_record(month, made, made.calls)
    done = month.run("pacing", "replay", DAY)
    assert done.status == 6
    assert "only 27 persons were talked to" in done.err


@pytest.mark.parametrize(
    ("option", "value"), [("--operators", "-1"), ("--cap", "1.5"), ("--days", "1")]
)
def test_what_cannot_be_simulated_is_told(called: House, option: str, value: str) -> None:
    done = called.run("pacing", "replay", DAY, f"{option}={value}")
    assert done.status == 2
    assert option in done.err

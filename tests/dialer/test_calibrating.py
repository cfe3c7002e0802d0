"""The nightly look at what pacing believed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from dialer.calibrating import Calibrating
from dialer.metrics import Metrics
from tests.db.town import Town, at
from tests.dialer.fakes import StillClock
from tests.recorded import MadeUpDay, write


class Night:
    """The look by a clock that is told."""

    def __init__(self, town: Town, now: datetime) -> None:
        self.town = town
        self.clock = StillClock(now)
        self.metrics = Metrics()
        self.calibrating = Calibrating(town.sessions, self.clock, self.metrics)

    async def called(self, start: datetime, *, answered_only: bool) -> None:
        """A day's calls on record; half of them were believed to be answered, or all are answered."""
        calls = MadeUpDay(start, self.town.campaign_id).fill(10).calls
        if answered_only:
            calls = [call for call in calls if call.outcome == "explained"]
        number = f"02580{start:%d%H%M}"[:10].ljust(10, "0")
        phone = await self.town.phone(await self.town.case(f"{start:%d%H}", number))
        async with self.town.sessions.write() as session:
            await write(session, calls, [], case_id=phone.case_id, phone_id=phone.id)

    async def look(self, **passed: float) -> str:
        self.clock.move(timedelta(**passed).total_seconds())
        await self.calibrating.look()
        return self.calibrating.warning

    def gauge(self, what: str) -> float | None:
        found = self.metrics.registry.get_sample_value(
            "yobirin_pacing_calibration_z", {"what": what}
        )
        return found


@pytest.fixture
async def night(town: Town) -> Night:
    return Night(town, at("24 21:29"))


async def test_the_day_is_judged_when_calling_is_over_and_its_warning_stands_until_the_next(
    night: Night,
) -> None:
    await night.called(at("24 10:00"), answered_only=True)
    assert await night.look() == ""
    assert night.gauge("answers") is None
    warning = await night.look(minutes=1)
    assert "answers 15.0 ± 5.4, came 30" in warning
    assert night.gauge("answers") > 3
    assert night.gauge("abandoned") == 0
    assert await night.look(hours=12) == warning
    assert await night.look(days=2) == warning  # days without calls tell nothing
    await night.called(at("27 10:00"), answered_only=False)
    assert await night.look(hours=12) == ""
    assert abs(night.gauge("answers")) < 3


async def test_a_service_that_starts_in_the_morning_judges_the_newest_day_before(
    night: Night,
) -> None:
    await night.called(at("23 10:00"), answered_only=True)
    await night.called(at("24 10:00"), answered_only=False)  # not over
    assert "2026-09-23" in await night.look()


async def test_each_day_is_logged_once_in_sums_without_persons(night: Night) -> None:
    await night.called(at("24 10:00"), answered_only=True)
    with capture_logs() as logs:
        await night.look(minutes=1)
        await night.look(minutes=1)
    told = [{key: log[key] for key in ("what", "calls", "happened", "off")} for log in logs]
    assert told == [
        {"what": "answers", "calls": 30, "happened": 30, "off": True},
        {"what": "abandoned", "calls": 30, "happened": 0, "off": False},
    ]
    assert [log["log_level"] for log in logs] == ["warning", "info"]


async def test_before_the_first_call_there_is_nothing_to_judge(night: Night) -> None:
    assert await night.look(days=1) == ""
    assert night.gauge("answers") is None

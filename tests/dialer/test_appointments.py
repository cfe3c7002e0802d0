"""Appointments as supervisors and the city read them, and the reminders of a running service (rule 7)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from db import campaigns, cases
from db.campaigns import CampaignState
from db.cases import FactKind
from db.tables import ResultRow
from dialer.appointments import Appointment, Standing, listed
from dialer.metrics import Metrics
from dialer.months import Months, month_named
from dialer.reminders import Reminders
from dialer.reports.city_lists import APPOINTMENT_HEADER, appointment_rows
from tests.db.town import NOON, Town, at
from tests.dialer.fakes import StillClock

LEARNED = at("23 10:00")


async def appointments(town: Town, now: datetime) -> list[Appointment]:
    async with town.sessions.read() as session:
        return await listed(session, await month_named(session, "2026-09", now), now)


async def appointed(town: Town, reference: str = "1", when: datetime = NOON) -> int:
    """A case whose second phone is called at `when`."""
    numbers = (f"02580000{reference:>02}", f"02580001{reference:>02}")
    case = await town.case(reference, *numbers)
    await town.appoint(await town.phone(case, 2), when, learned=LEARNED)
    return case


# the list --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "standing"),
    [(-1, Standing.PENDING), (0, Standing.DUE), (15, Standing.DUE), (16, Standing.MISSED)],
)
async def test_an_appointment_is_pending_then_due_and_missed_after_its_window(
    town: Town, minutes: int, standing: Standing
) -> None:
    await appointed(town)
    (found,) = await appointments(town, NOON + timedelta(minutes=minutes))
    assert (found.at, found.reference, found.phone) == (NOON, "1", 2)
    assert found.standing is standing


async def test_one_that_is_on_the_line_is_not_missed_however_long_the_talk(town: Town) -> None:
    case = await appointed(town)
    await town.place(await town.phone(case, 2), NOON)
    (found,) = await appointments(town, NOON + timedelta(minutes=40))
    assert found.standing is Standing.DUE


async def test_one_kept_in_time_is_in_no_list_and_one_called_late_is(town: Town) -> None:
    for reference, late in (("1", 5), ("2", 20)):
        case = await appointed(town, reference)
        await town.ring_out(await town.phone(case, 2), NOON + timedelta(minutes=late))
    (found,) = await appointments(town, NOON + timedelta(hours=1))
    assert (found.reference, found.standing, found.phone) == ("2", Standing.LATE, None)


async def test_one_outside_the_hours_is_noted_for_the_city(town: Town) -> None:
    await appointed(town, when=at("24 21:00"))
    (found,) = await appointments(town, NOON)
    assert (found.at, found.standing) == (at("24 21:00"), Standing.NOTED)


async def test_nobody_waits_for_the_appointment_of_a_stopped_or_paid_case(town: Town) -> None:
    for reference, kind in (("1", FactKind.STOP), ("2", FactKind.PAID)):
        case = await appointed(town, reference)
        async with town.sessions.write() as session:
            await cases.add_fact(session, case, kind, at=NOON, by="tests")
            await town.refresh(session, case, now=NOON)
    assert await appointments(town, NOON + timedelta(hours=1)) == []


async def test_the_earliest_comes_first_and_the_city_reads_japanese(town: Town) -> None:
    await appointed(town, "1", NOON + timedelta(hours=2))
    await appointed(town, "2", NOON + timedelta(hours=1))
    rows = appointment_rows(await appointments(town, NOON))
    assert rows == [
        ("2", "架電中", "2026-09-24 13:00", 2, "予定"),
        ("1", "架電中", "2026-09-24 14:00", 2, "予定"),
    ]
    assert len(rows[0]) == len(APPOINTMENT_HEADER)


# the reminders ---------------------------------------------------------------------------------------


class Bell:
    """Reminders with a clock that is told."""

    def __init__(self, town: Town, now: datetime) -> None:
        self.town = town
        self.clock = StillClock(now)
        self.months = Months()
        self.metrics = Metrics()
        self.rung = 0
        self.reminders = Reminders(town.sessions, self.clock, self.months, self.metrics, self._ring)

    def _ring(self) -> None:
        self.rung += 1

    async def look(self) -> tuple[list[tuple[str, bool]], datetime | None]:
        """The supervisor's (reference, missed), and the operators' next one."""
        async with self.town.sessions.read() as session:
            await self.months.reload(session, self.clock.now())
        await self.reminders.look()
        standing = [(one.reference, one.missed) for one in self.reminders.standing]
        return standing, self.reminders.next_at

    def gauge(self, standing: str) -> float:
        return self.metrics.registry.get_sample_value(
            "yobirin_appointments", {"standing": standing}
        )


async def test_supervisors_are_reminded_30_minutes_before_and_operators_15(town: Town) -> None:
    await appointed(town)
    bell = Bell(town, NOON - timedelta(minutes=31))
    assert await bell.look() == ([], None)
    bell.clock.move(60)
    assert await bell.look() == ([("1", False)], None)
    assert (bell.gauge("near"), bell.gauge("missed"), bell.rung) == (1, 0, 0)
    bell.clock.move(15 * 60)
    assert await bell.look() == ([("1", False)], NOON)
    await bell.look()
    assert bell.rung == 1  # the screens change once


async def test_a_missed_one_is_told_and_logged_once_and_no_operator_waits_for_it(
    town: Town,
) -> None:
    await appointed(town)
    bell = Bell(town, NOON)
    assert await bell.look() == ([("1", False)], NOON)
    bell.clock.move(15 * 60 + 1)
    with capture_logs() as logs:
        assert await bell.look() == ([("1", True)], None)
        await bell.look()
    assert [(one["event"], one["case"]) for one in logs] == [("appointment_missed", "1")]
    assert (bell.gauge("near"), bell.gauge("missed"), bell.rung) == (0, 1, 2)


async def test_one_that_is_being_called_or_was_called_reminds_nobody(town: Town) -> None:
    case = await appointed(town)
    bell = Bell(town, NOON)
    await bell.look()
    attempt = await town.place(await town.phone(case, 2), NOON)
    assert await bell.look() == ([], None)
    async with town.sessions.write() as session:
        await town.save(session, attempt, case, "no_answer", NOON)
    assert await bell.look() == ([], None)


async def test_a_pause_does_not_silence_the_reminders_and_the_months_end_does(town: Town) -> None:
    await appointed(town)
    bell = Bell(town, NOON)
    for state, found in ((CampaignState.PAUSED, [("1", False)]), (CampaignState.CLOSED, [])):
        async with town.sessions.write() as session:
            await campaigns.set_state(session, "2026-09", state, at=NOON, by="tests")
        assert (await bell.look())[0] == found


async def test_a_case_with_two_phones_to_call_at_one_time_is_one_reminder(town: Town) -> None:
    """A time named in a callback is for whichever phone is open."""
    case = await town.case("1", "0258000001", "0258000002")
    async with town.sessions.write() as session:
        callback = ResultRow(
            case_id=case, outcome="third_party", at=LEARNED, by="201", appointment=NOON
        )
        session.add(callback)
        await session.flush()
        await town.refresh(session, case, now=LEARNED)
    assert await Bell(town, NOON).look() == ([("1", False)], NOON)

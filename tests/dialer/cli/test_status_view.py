"""What a supervisor sees of the service's state."""

from __future__ import annotations

import re

import pytest
from rich.console import Console

from dialer.cli.status_view import SHOWN, view
from dialer.web.models import AppointmentStatus, CallersStatus, Status
from tests.dialer.web.fake import NOW, PACING, FakeDesk


def shown(status: Status, width: int = 160) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(view(status))
    return captured.get()


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"emergency_stop": True}, "EMERGENCY STOP"),
        ({"asterisk_connected": False}, "Asterisk is not connected"),
        ({"database_ok": False}, "the database does not answer"),
        ({"draining": True}, "the service is stopping"),
        ({"pacing": PACING.model_copy(update={"miscalibrated": "off by 9"})}, "off by 9; see"),
    ],
)
async def test_what_needs_attention_is_told(changes: dict[str, object], warning: str) -> None:
    well = await FakeDesk().status()
    assert warning not in shown(well)
    assert warning in shown(well.model_copy(update=changes))


async def test_moments_are_in_japan_time_and_calls_are_counted() -> None:
    text = shown(await FakeDesk().status())
    assert "2026-09-24 10:00" in text
    assert "0 dialling, 2 ringing, 0 waiting, 1 talking, 0 on the message" in text


async def test_those_who_wait_on_the_line_are_told_with_the_longest_wait() -> None:
    status = await FakeDesk().status()
    assert "callers: 0 waiting\n" in re.sub(" +\n", "\n", shown(status))
    waiting = CallersStatus(waiting=3, longest_wait_s=125.9, left=2)
    assert "callers: 3 waiting, longest 2:05; 2 to see to: `dialer callback wishes`" in shown(
        status.model_copy(update={"callers": waiting})
    )


async def test_how_calls_come_is_told_with_its_reason_and_the_days_abandoned_calls() -> None:
    text = shown(await FakeDesk().status())
    assert "pacing: progressive, fewer than two operators take calls" in text
    assert "next call finds nobody free: 2.1% of 3.4% allowed" in text
    assert "abandoned today: 1 of 50 (2.0%, cap 1.0%)" in text


async def test_on_a_narrow_terminal_names_and_states_of_campaigns_stay_whole() -> None:
    status = await FakeDesk().status()
    for campaign in status.campaigns:
        assert f"│ {campaign.name} " in shown(status, width=80)
        assert f"│ {campaign.state} " in shown(status, width=80)


async def test_appointments_are_told_the_missed_ones_as_such_and_not_without_end() -> None:
    status = await FakeDesk().status()
    assert "appointment" not in shown(status)
    many = tuple(
        AppointmentStatus(campaign="2026-09", reference=f"A{n:02}", at=NOW, missed=n == 0)
        for n in range(SHOWN + 3)
    )
    text = shown(status.model_copy(update={"appointments": many}))
    assert "A00" in text
    assert text.count("MISSED") == 1
    assert f"A{SHOWN:02}" not in text
    assert "3 more: `dialer appointment list`" in text

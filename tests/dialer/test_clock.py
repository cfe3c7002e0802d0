"""The clocks: the machine's, and the one that jumps from band to band in a demo."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from dialer.clock import JumpClock, SystemClock
from rules.calendar import JST

START = datetime(2026, 9, 24, 10, 0, tzinfo=JST)


def test_the_machines_clock_tells_japan_time() -> None:
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(hours=9)
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=5)


def test_the_machines_steady_clock_never_goes_back() -> None:
    clock = SystemClock()
    first = clock.monotonic()
    assert clock.monotonic() >= first


def test_a_jump_clock_begins_where_it_is_told_in_japan_time() -> None:
    now = JumpClock(START.astimezone(UTC)).now()
    assert timedelta(0) <= now - START < timedelta(minutes=5)
    assert now.utcoffset() == timedelta(hours=9)


def test_a_jump_clock_runs_at_real_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = iter([100.0, 107.5, 108.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(real))
    clock = JumpClock(START)
    assert clock.now() == START + timedelta(seconds=7.5)
    assert clock.monotonic() == 108.0


def test_a_jump_moves_the_calendar_and_no_duration() -> None:
    clock = JumpClock(START)
    before = clock.monotonic()
    clock.jump_to(START + timedelta(days=2))
    assert timedelta(0) <= clock.now() - START - timedelta(days=2) < timedelta(minutes=5)
    assert clock.monotonic() - before < 3600


def test_a_jump_back_is_refused() -> None:
    clock = JumpClock(START)
    with pytest.raises(ValueError, match="twice"):
        clock.jump_to(START - timedelta(seconds=1))
    assert clock.now() >= START

"""The service's state as a supervisor reads it."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dialer.cli.show import moment, table
from dialer.pacing_words import WHY
from dialer.web.models import CallersStatus, PacingStatus, Status
from rules.pacing.snapshot import Why

SHOWN = 10
"""Appointments on the terminal; the earliest are the missed ones."""


def view(status: Status) -> RenderableType:
    """Calls, operators and campaigns, with what needs attention first."""
    calls = status.calls
    return Group(
        Text(f"{moment(status.now)}  {status.pace}"),
        *(Text(warning, style="bold red") for warning in _warnings(status)),
        Text(
            f"calls: {calls.dialling} dialling, {calls.ringing} ringing, {calls.answered} waiting, "
            f"{calls.talking} talking, {calls.message} on the message"
        ),
        Text(_callers(status.callers)),
        Text(_pacing(status.pacing)),
        table(
            ("operator", "state", "since"),
            [(one.id, one.state, one.since) for one in status.operators],
        ),
        _campaigns(status),
        *_appointments(status),
    )


def _callers(callers: CallersStatus) -> str:
    told = f"callers: {callers.waiting} waiting"
    if callers.longest_wait_s is not None:
        minutes, seconds = divmod(int(callers.longest_wait_s), 60)
        told += f", longest {minutes}:{seconds:02d}"
    return told + (f"; {callers.left} to see to: `dialer callback wishes`" if callers.left else "")


def _pacing(pacing: PacingStatus) -> str:
    answered = pacing.connected + pacing.abandoned
    share = pacing.abandoned / max(1, answered)
    cap = "" if pacing.cap is None else f", cap {pacing.cap:.1%}"
    return (
        f"pacing: {pacing.mode}, {WHY[Why(pacing.why)]}; next call finds nobody free: "
        f"{pacing.miss:.1%} of {pacing.allowed_miss:.1%} allowed; "
        f"abandoned today: {pacing.abandoned} of {answered} ({share:.1%}{cap})"
    )


def _appointments(status: Status) -> list[RenderableType]:
    if not status.appointments:
        return []
    shown = [
        (one.reference, one.campaign, one.at, "MISSED" if one.missed else "")
        for one in status.appointments[:SHOWN]
    ]
    more = len(status.appointments) - len(shown)
    rest = [Text(f"… {more} more: `dialer appointment list`")] if more else []
    return [table(("appointment of", "campaign", "at", ""), shown), *rest]


def _campaigns(status: Status) -> Table:
    months = table(
        ("campaign", "state", "cases", "open", "complete", "due now", "placed today",
         "counted today", "next due"),
        [
            (one.name, one.state, one.cases, one.open, one.complete, one.due,
             one.placed_today, one.counted_today, one.next_due)
            for one in status.campaigns
        ],
    )  # fmt: skip
    for column in months.columns[:2]:
        column.no_wrap = True  # on a narrow terminal the other columns give way
    return months


def _warnings(status: Status) -> list[str]:
    known = (
        (status.emergency_stop, "EMERGENCY STOP: nothing is dialled; see `dialer emergency lift`"),
        (not status.asterisk_connected, "Asterisk is not connected; see `dialer doctor`"),
        (not status.database_ok, "the database does not answer; see `dialer doctor`"),
        (status.draining, "the service is stopping: no new calls"),
        (
            bool(status.pacing.miscalibrated),
            f"{status.pacing.miscalibrated}; see `dialer pacing calibration`",
        ),
    )
    return [text for holds, text in known if holds]

"""The sums of a report (§10(1)): counts and rates without any person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rules.case import Id


@dataclass(frozen=True, kw_only=True, slots=True)
class Handled:
    """One call with its outcome: an attempt, or a callback."""

    case: Id
    outcome: str
    counted: bool
    """It used up an attempt; never so for a callback."""
    contact: bool
    """`rules.outcome.is_contact`."""
    incoming: bool = False
    """A callback (折り返し)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DailyReport:
    """Calls handled, their outcomes and contacts of one day (or of any other span)."""

    handled_out: int
    handled_in: int
    counted: int
    by_outcome: dict[str, int]
    """Code → calls, attempts and callbacks together."""
    contacts: int
    """Calls with a contact, callbacks included."""
    cases_called: int
    """Distinct cases to which at least one attempt was placed."""
    cases_contacted: int
    """Distinct cases with a contact, callbacks included."""
    contact_rate: float | None
    """`cases_contacted / cases_called` (§8(1)); None if no case was called."""
    contact_rate_per_attempt: float | None
    """Attempts with a contact / attempts; None without attempts."""


def daily_report(calls: Sequence[Handled]) -> DailyReport:
    """Sum up a day's calls."""
    attempts = [call for call in calls if not call.incoming]
    called = {call.case for call in attempts}
    contacted = {call.case for call in calls if call.contact}
    return DailyReport(
        handled_out=len(attempts),
        handled_in=len(calls) - len(attempts),
        counted=sum(call.counted for call in calls),
        by_outcome=dict(Counter(call.outcome for call in calls)),
        contacts=sum(call.contact for call in calls),
        cases_called=len(called),
        cases_contacted=len(contacted),
        contact_rate=_share(len(contacted), len(called)),
        contact_rate_per_attempt=_share(sum(call.contact for call in attempts), len(attempts)),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None

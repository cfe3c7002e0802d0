"""Why nothing, or so little, is being dialled: what was seen → one answer, and the counts beside it.

`why` is pure; `dialer.why_seen` looks at the database, the command at the service.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from db.campaigns import CampaignState
from db.standing import Standing
from dialer.pacing_words import WHY
from rules.calendar import JST
from rules.case import CaseStatus
from rules.eligibility import Reason
from rules.operator_state import State
from rules.pacing.snapshot import Limit
from rules.pacing.snapshot import Why as ModeWhy

RECENT_MIN = 5
"""Minutes over which the rate of calls is taken."""
SLOW_S = 5.0
"""Seconds for one look at the database from which on it is too slow: older decisions to call are not
carried out (`dialer.placing.STALE_S`)."""


class Blocking(StrEnum):
    """What keeps calls from being placed, in the order in which it is named."""

    SERVICE_AWAY = "service_away"
    EMERGENCY_STOP = "emergency_stop"
    DRAINING = "draining"
    ASTERISK_AWAY = "asterisk_away"
    CATCHING_UP = "catching_up"
    TRUNK_DOWN = "trunk_down"
    DATABASE_AWAY = "database_away"
    LOCK_LOST = "lock_lost"
    DATABASE_SLOW = "database_slow"
    CLOCK_WRONG = "clock_wrong"
    NO_CAMPAIGN_RUNNING = "no_campaign_running"
    OUTSIDE_PERIOD = "outside_period"
    EXCLUDED_DAY = "excluded_day"
    OUTSIDE_HOURS = "outside_hours"
    HELD_FOR_APPOINTMENTS = "held_for_appointments"
    TOO_RISKY = "too_risky"
    CALLS_PER_OPERATOR = "calls_per_operator"
    NO_OPERATOR = "no_operator"
    LINES_USED = "lines_used"
    NO_CASE_LEFT = "no_case_left"


DIALLING = "dialling"
"""The answer's code while calls are being placed."""
NOTHING = "nothing_found"
"""The answer's code when nothing keeps calls from being placed and none is."""

_MOMENTARY = (
    Blocking.HELD_FOR_APPOINTMENTS,
    Blocking.TOO_RISKY,
    Blocking.CALLS_PER_OPERATOR,
    Blocking.NO_OPERATOR,
    Blocking.LINES_USED,
    Blocking.NO_CASE_LEFT,
)
"""What comes and goes while calls are being placed: then it is their limit, not what blocks them."""
_ORDER = [one.value for one in Blocking]
_AT_WORK = (State.RINGING_FOR, State.TALKING, State.AFTER_CALL_WORK)
_STATES = (
    State.FREE,
    State.RINGING_FOR,
    State.TALKING,
    State.AFTER_CALL_WORK,
    State.PAUSED,
    State.AWAY,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceSeen:
    """What the running service says of itself."""

    emergency_stop: bool
    draining: bool
    problems: Mapping[str, str]
    """In words, by code (`dialer.problems`)."""
    limit: str
    """A value of `rules.pacing.snapshot.Limit`."""
    mode: str
    """A value of `rules.pacing.snapshot.Mode`."""
    mode_why: str
    """A value of `rules.pacing.snapshot.Why`."""
    miss: float
    """Probability that the next call, if answered, would find nobody free."""
    allowed_miss: float
    operators: Mapping[State, int]
    dialling: int
    """Calls placed or ringing."""
    lines: int
    lines_used: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reasons:
    """How often each reason stands against a phone of an open case; a phone may have several."""

    at: datetime
    """The moment asked about: now, or the next opening."""
    cases: int
    """Cases looked at."""
    of: int
    """Open cases; more than `cases`: a sample, evenly spread."""
    counts: Mapping[Reason, int]
    allowed: int
    """Phones that no rule refuses and no plan keeps waiting."""
    planned_later: int
    """No rule refuses them; the plan tries them in a later band."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignSeen:
    """One campaign."""

    name: str
    state: CampaignState
    closed_by: Reason | None
    """What of its calendar refuses every call now; None: it is open."""
    opens_at: datetime | None
    """When calls may be placed next as far as days and hours go; None: never again."""
    standing: Standing
    reasons: Reasons


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseSeen:
    """What the database says."""

    emergency_stop: bool
    look_s: float
    """Seconds that a look at it took."""
    campaigns: tuple[CampaignSeen, ...]
    """Those asked about; without a name all that are not closed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """Everything that was looked at."""

    now: datetime
    service: ServiceSeen | None
    """None: it does not answer."""
    database: DatabaseSeen | None
    database_error: str | None = None
    """Why there is nothing of the database."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that holds, in words."""

    code: str
    """A `Blocking`, or `DIALLING`, or `NOTHING`."""
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Why:
    """The answer, and what else stands in the way."""

    answer: Finding
    others: tuple[Finding, ...]


def why(seen: Seen) -> Why:
    """Name the one thing that keeps calls from being placed; or say that they are."""
    found = sorted(_findings(seen), key=lambda one: _ORDER.index(one.code))
    lasting = [one for one in found if one.code not in _MOMENTARY]
    if not lasting and (dialled := _dialled(seen, found)):
        return Why(answer=Finding(code=DIALLING, words=dialled), others=tuple(found))
    if not found:
        words = "nothing keeps calls from being placed; the service looks again every second"
        return Why(answer=Finding(code=NOTHING, words=words), others=())
    return Why(answer=found[0], others=tuple(found[1:]))


def _findings(seen: Seen) -> Iterator[Finding]:
    told: dict[Blocking, str | None] = {
        Blocking.SERVICE_AWAY: None if seen.service else "the service does not run or answer",
        Blocking.EMERGENCY_STOP: _emergency(seen),
        **_of_service(seen.service),
        **_of_database(seen),
        **_of_campaigns(seen),
    }
    for blocking, words in told.items():
        if words is not None:
            yield Finding(code=blocking.value, words=words)


def _dialled(seen: Seen, found: Sequence[Finding]) -> str | None:
    """The rate of calls, while there are some; None: nothing is being dialled."""
    if seen.service is None or seen.database is None:
        return None
    placed = sum(one.standing.placed_recently for one in seen.database.campaigns)
    at_work = any(seen.service.operators.get(state) for state in _AT_WORK)
    used_up = any(one.code == Blocking.NO_CASE_LEFT for one in found)
    if not seen.service.dialling and (used_up or not (placed and at_work)):
        return None
    return (
        f"calls are being placed: {seen.service.dialling} dialling or ringing, {placed} placed in "
        f"the last {RECENT_MIN} minutes ({placed / RECENT_MIN:.1f} a minute), "
        f"limited by {found[0].words if found else seen.service.limit}{_mode(seen.service)}"
    )


def _mode(service: ServiceSeen) -> str:
    """In which other mode than the profile's, and why."""
    if service.mode_why == ModeWhy.ORDERED:
        return ""
    return f"; {service.mode} pacing, because {WHY[ModeWhy(service.mode_why)]}"


def _emergency(seen: Seen) -> str | None:
    stands = (seen.service is not None and seen.service.emergency_stop) or (
        seen.database is not None and seen.database.emergency_stop
    )
    return "an emergency stop stands; `dialer emergency lift` ends it" if stands else None


def _of_service(service: ServiceSeen | None) -> dict[Blocking, str | None]:
    if service is None:
        return {}
    return {
        Blocking.DRAINING: "the service is stopping: no new calls" if service.draining else None,
        **{Blocking(code): words for code, words in service.problems.items()},
        Blocking.HELD_FOR_APPOINTMENTS: _held(service),
        Blocking.TOO_RISKY: _risk(service),
        Blocking.CALLS_PER_OPERATOR: _calls_per_operator(service),
        Blocking.NO_OPERATOR: _operators(service.operators),
        Blocking.LINES_USED: _lines(service),
    }


def _held(service: ServiceSeen) -> str | None:
    if service.limit != Limit.APPOINTMENTS:
        return None
    return f"operators are kept free for appointments: {_counts(service.operators)}"


def _risk(service: ServiceSeen) -> str | None:
    if service.limit != Limit.RISK:
        return None
    return (
        f"one more call, if answered, would find nobody free with a probability of "
        f"{service.miss:.1%}; {service.allowed_miss:.1%} is allowed now"
    )


def _calls_per_operator(service: ServiceSeen) -> str | None:
    if service.limit != Limit.CALLS_PER_OPERATOR:
        return None
    return "as many calls are in flight for each operator as the profile allows"


def _operators(operators: Mapping[State, int]) -> str | None:
    if operators.get(State.FREE):
        return None
    if not any(operators.values()):
        return "there are no operators; `dialer operator add` makes them"
    return f"no operator is free: {_counts(operators)}"


def _counts(operators: Mapping[State, int]) -> str:
    return ", ".join(f"{operators[state]} {state}" for state in _STATES if operators.get(state))


def _lines(service: ServiceSeen) -> str | None:
    if service.lines_used < service.lines:
        return None
    return f"all {service.lines} lines of the carrier are in use"


def _of_database(seen: Seen) -> dict[Blocking, str | None]:
    if seen.database is None:
        return {Blocking.DATABASE_AWAY: seen.database_error}
    if seen.database.look_s < SLOW_S:
        return {}
    return {
        Blocking.DATABASE_SLOW: f"the database is slow: a look took {seen.database.look_s:.1f} s"
    }


def _of_campaigns(seen: Seen) -> dict[Blocking, str | None]:
    if seen.database is None:
        return {}
    campaigns = seen.database.campaigns
    running = [one for one in campaigns if one.state is CampaignState.RUNNING]
    if not running:
        states = ", ".join(f"{one.name} is {one.state}" for one in campaigns)
        return {Blocking.NO_CAMPAIGN_RUNNING: f"no campaign runs: {states or 'there is none'}"}
    at_work = [one for one in running if one.closed_by is None]
    if not at_work:
        return _closed(running)
    if any(one.standing.due for one in at_work):
        return {}
    return {Blocking.NO_CASE_LEFT: "; ".join(_no_case(one) for one in at_work)}


def _closed(running: Sequence[CampaignSeen]) -> dict[Blocking, str | None]:
    """All that run are closed at this hour: tell of the one that opens first."""
    first = min(running, key=lambda one: one.opens_at.timestamp() if one.opens_at else math.inf)
    again = f"opens {_moment(first.opens_at)}" if first.opens_at else "does not open again"
    assert first.closed_by is not None  # or it would be at work
    said = first.closed_by.value.replace("_", " ")
    return {Blocking(first.closed_by.value): f"campaign {first.name}: {said}; it {again}"}


def _no_case(campaign: CampaignSeen) -> str:
    standing = campaign.standing
    if not standing.cases.get(CaseStatus.OPEN):
        return f"campaign {campaign.name}: no case is open any more"
    engaged = f", {standing.engaged} wait for a call under way" if standing.engaged else ""
    coming = (
        f"the next is due {_moment(standing.next_due)}" if standing.next_due else "none will be"
    )
    return (
        f"campaign {campaign.name}: no phone may be called now: {standing.later} later, "
        f"{standing.never} never again{engaged}; {reason_counts(campaign.reasons)}; {coming}"
    )


def reason_counts(reasons: Reasons) -> str:
    """The reasons against the phones, the most frequent first."""
    known = {reason.value: count for reason, count in reasons.counts.items()}
    if reasons.planned_later:
        known["planned_later"] = reasons.planned_later
    told = sorted(known.items(), key=lambda one: (-one[1], one[0]))
    sample = (
        f" (of {reasons.cases} of {reasons.of} open cases)" if reasons.cases < reasons.of else ""
    )
    return (", ".join(f"{count} {name}" for name, count in told) or "no reason") + sample


def _moment(at: datetime) -> str:
    return at.astimezone(JST).strftime("%Y-%m-%d %H:%M")

"""Looks at the service and the database for `dialer why`: how the campaigns stand, and what stands
against their phones.

The reasons are asked from the rules, case by case; of a large month only an evenly spread sample of
its open cases is asked.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy.ext.asyncio import AsyncSession

from db import campaigns, cases, standing, stops
from db.campaigns import CampaignState
from db.cases import CaseHistory
from db.standing import PhoneKeys, RecentCalls
from dialer.months import Month, Months
from dialer.web.models import Status
from dialer.why import RECENT_MIN, CampaignSeen, DatabaseSeen, Reasons, ServiceSeen
from rules.calendar import JST
from rules.eligibility import HouseholdActivity, Reason, calendar_reasons, may_call
from rules.history import state_of
from rules.hours import opening_of

SAMPLE = 2_000
"""Open cases of a campaign that are asked about: about a second of work."""


def service_seen(status: Status) -> ServiceSeen:
    """What the service said of itself."""
    calls = status.calls
    return ServiceSeen(
        emergency_stop=status.emergency_stop,
        draining=status.draining,
        problems=status.problems,
        limit=status.limit,
        mode=status.pacing.mode,
        mode_why=status.pacing.why,
        miss=status.pacing.miss,
        allowed_miss=status.pacing.allowed_miss,
        operators=dict(Counter(one.state for one in status.operators)),
        dialling=calls.dialling + calls.ringing,
        lines=status.lines,
        lines_used=sum(calls.model_dump().values()),
    )


async def database_seen(
    session: AsyncSession, now: datetime, name: str | None = None
) -> DatabaseSeen:
    """Look at a campaign, or at all that are not closed.

    Raises:
        NotFoundError: there is no campaign of this name.
    """
    begun = time.monotonic()
    emergency = await stops.emergency(session) is not None
    if name is not None:
        await campaigns.get(session, name)
    look_s = time.monotonic() - begun
    months = Months()
    await months.reload(session, now)
    asked = [
        month
        for month in months.all()
        if month.name == name or (name is None and month.state is not CampaignState.CLOSED)
    ]
    return DatabaseSeen(
        emergency_stop=emergency,
        look_s=look_s,
        campaigns=tuple([await _campaign(session, month, now) for month in asked]),
    )


def next_opening(month: Month, now: datetime) -> datetime | None:
    """The first moment from `now` on at which days and hours allow a call; None: never again."""
    for day in month.calendar.calling_days(now.astimezone(JST).date()):
        opening = opening_of(day, month.calendar, month.profile)
        if now <= opening.last_originate:
            return max(now, opening.opens)
    return None


async def _campaign(session: AsyncSession, month: Month, now: datetime) -> CampaignSeen:
    local = now.astimezone(JST)
    opens_at = next_opening(month, local)
    since = now - timedelta(minutes=RECENT_MIN)
    return CampaignSeen(
        name=month.name,
        state=month.state,
        closed_by=next(calendar_reasons(local, month.calendar, month.profile), None),
        opens_at=opens_at,
        standing=await standing.standing(session, month.id, now, since),
        reasons=await _reasons(session, month, opens_at or local),
    )


async def _reasons(session: AsyncSession, month: Month, at: datetime) -> Reasons:
    ids = await standing.open_cases(session, month.id)
    asked = ids[:: -(-len(ids) // SAMPLE)] if ids else []
    gap = timedelta(minutes=month.profile.household_gap_min)
    recent = await standing.recent_calls(session, at - gap)
    counts: Counter[Reason] = Counter()
    allowed = planned_later = 0
    left = iter(asked)
    while batch := list(islice(left, cases.BATCH)):
        keys = await standing.phone_keys(session, batch)
        for known in (await cases.histories(session, batch)).values():
            for phone, reasons in _against(known, keys, recent, month, at):
                counts.update(reasons)
                planned = phone.planned_from is not None and phone.planned_from > at
                planned_later += not reasons and planned
                allowed += not reasons and not planned
    return Reasons(
        at=at,
        cases=len(asked),
        of=len(ids),
        counts=dict(counts),
        allowed=allowed,
        planned_later=planned_later,
    )


def _against(
    known: CaseHistory, keys: dict[int, PhoneKeys], recent: RecentCalls, month: Month, at: datetime
) -> list[tuple[PhoneKeys, tuple[Reason, ...]]]:
    """What stands against each phone of a case."""
    state = state_of(known.case, known.facts, month.profile, month.calendar)
    found = []
    for phone in known.case.phones:
        phone_id = int(phone.id)
        household = _household(int(known.case.id), keys[phone_id], recent)
        verdict = may_call(state, phone_id, at, month.calendar, month.profile, household)
        found.append((keys[phone_id], verdict.reasons))
    return found


def _household(case_id: int, keys: PhoneKeys, recent: RecentCalls) -> HouseholdActivity:
    shared = recent.by_household.get(keys.household_key, [])
    shared = [*shared, *recent.by_number.get(keys.number_key, [])]
    others = [(other, placed) for other, placed in shared if other != case_id]
    return HouseholdActivity(
        last_at=max((placed for _other, placed in others), default=None),
        in_flight=any(other in recent.flying for other, _placed in others),
    )

"""A campaign's plan, from its database and back into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from sqlalchemy.ext.asyncio import AsyncSession

from db import cases, notices, operators, plans, roster
from db.cases import BATCH, CaseHistory
from db.notices import NoticeKind
from db.session import Sessions
from dialer.months import Month, month_named
from dialer.planning.figures import Figures, figures_of
from dialer.planning.learned import rates_of
from dialer.planning.plan import Plan, PlannedCall, make_plan
from dialer.planning.rates import Rates
from dialer.planning.slots import Roster, Slot, slots_from
from dialer.planning.units import Known, Unit, units_of
from rules.case import AttemptMade, CallbackTaken
from rules.history import state_of
from rules.outcome import is_contact
from rules.profile import Profile
from rules.turn import PlannedBand
from rules.wishes import wish_of

_WRITTEN = 100
"""Cases written at once: a service that dials meanwhile never waits long for the database."""
_MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A plan that was made, and what it was made of."""

    month: Month
    known: dict[int, Known]
    """The open cases, by id."""
    slots: list[Slot]
    rates: Rates
    plan: Plan
    figures: Figures


@dataclass(frozen=True, kw_only=True, slots=True)
class _Material:
    month: Month
    known: dict[int, Known]
    roster: Roster
    rates: Rates
    called: int
    contacted: int
    all_cases: int


async def draft(sessions: Sessions, campaign: str, now: datetime) -> Draft:
    """Plan a campaign as of `now`; nothing is written.

    Raises:
        NotFoundError: there is no such campaign.
        ProfileError: its profile cannot be used.
    """
    async with sessions.read() as session:
        material = await _gather(session, campaign, now)
    return _planned(material, now)


async def plan_campaign(sessions: Sessions, campaign: str, now: datetime, by: str) -> Draft:
    """Plan a campaign as of `now`, and have its phones called by it.

    The phones are planned in several transactions: until the last one some of them are called by the
    plan before. Every moment in between is one that the rules allow.

    Raises:
        NotFoundError, ProfileError: as `draft`.
    """
    made = await draft(sessions, campaign, now)
    for ids in _batches(sorted(made.known)):
        async with sessions.write() as session:
            await plans.replace(session, ids, _bands(made, ids))
            await cases.refresh(session, ids, made.month.profile, made.month.calendar, now)
    async with sessions.write() as session:
        figures = made.figures.model_dump(mode="json")
        chances = [[*cell, rate.mean] for cell, rate in made.rates.contacts.items()]
        await plans.add(session, made.month.id, at=now, by=by, figures=figures, chances=chances)
        await notices.add(session, NoticeKind.CASES, at=now, by=by)
    return made


async def _gather(session: AsyncSession, campaign: str, now: datetime) -> _Material:
    month = await month_named(session, campaign, now)
    calendar = month.calendar
    notes = await plans.notes_of_open(session, month.id)
    every = await cases.ids(session, month.id)
    known: dict[int, Known] = {}
    called = contacted = 0
    for batch in _batches(every, BATCH):
        for case_id, history in (await cases.histories(session, batch)).items():
            reached = _is_contacted(history, month.profile)
            was_called = any(isinstance(fact, AttemptMade) for fact in history.facts)
            called += was_called
            contacted += reached
            if case_id in notes:
                known[case_id] = Known(
                    case=history.case,
                    state=state_of(history.case, history.facts, month.profile, calendar),
                    contacted=reached,
                    wish=wish_of(notes[case_id], month.profile),
                )
    return _Material(
        month=month,
        known=known,
        roster=Roster(
            await roster.hours(session, calendar.period_from, calendar.period_to),
            sum(operator.active for operator in await operators.all_operators(session)),
        ),
        rates=await rates_of(session, month),
        called=called,
        contacted=contacted,
        all_cases=called + sum(not _was_called(known[case_id]) for case_id in known),
    )


def _planned(material: _Material, now: datetime) -> Draft:
    month = material.month
    slots = slots_from(now, month.calendar, month.profile, material.roster)
    units: list[Unit] = [
        unit for known in material.known.values() for unit in units_of(known, now, month.profile)
    ]
    plan = make_plan(units, slots, material.rates, month.profile)
    return Draft(
        month=month,
        known=material.known,
        slots=slots,
        rates=material.rates,
        plan=plan,
        figures=figures_of(
            plan,
            month.profile,
            attempt_s=fmean(map(material.rates.operator_s, material.rates.contacts)),
            cases=len(material.known),
            called=material.called,
            contacted=material.contacted,
            all_cases=material.all_cases,
        ),
    )


def _is_contacted(history: CaseHistory, profile: Profile) -> bool:
    return any(
        is_contact(profile.outcomes[fact.result.outcome], fact.result)
        for fact in history.facts
        if isinstance(fact, AttemptMade | CallbackTaken)
    )


def _was_called(known: Known) -> bool:
    return any(phone.last_placed is not None for phone in known.state.phones.values())


def _bands(made: Draft, case_ids: Sequence[int]) -> dict[int, list[PlannedBand]]:
    return {
        int(phone.id): [_band(call) for call in made.plan.paths[int(phone.id)]]
        for case_id in case_ids
        for phone in made.known[case_id].case.phones
        if int(phone.id) in made.plan.paths
    }


def _band(call: PlannedCall) -> PlannedBand:
    return PlannedBand(
        starts_at=call.slot.starts_at,
        ends_at=call.slot.ends_at,
        gain=max(0, round(call.gain * _MILLION)),
    )


def _batches(ids: Sequence[int], size: int = _WRITTEN) -> Iterator[Sequence[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))

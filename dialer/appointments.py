"""A month's appointments (§8(5)エ, rule 7) as supervisors and the city read them, without persons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from db import appointments, cases
from db.tables import CaseRow
from dialer.months import Month
from rules.case import CaseState, CaseStatus
from rules.eligibility import missed_appointments
from rules.history import state_of


class Standing(StrEnum):
    """What became of an appointment."""

    MISSED = "missed"
    """Its window is over and we have not called: as soon as possible."""
    DUE = "due"
    """Its time has come, or its call is on the line."""
    PENDING = "pending"
    LATE = "late"
    """We called, but only after its window."""
    NOTED = "noted"
    """It cannot be kept (outside period or hours, or no further call): for the city."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Appointment:
    """A time at which somebody can be reached."""

    at: datetime
    reference: str
    """整理番号."""
    case_status: CaseStatus
    phone: int | None
    """The phone to be called, from 1 as in the file; None: any, or none any more."""
    standing: Standing


async def listed(session: AsyncSession, month: Month, now: datetime) -> list[Appointment]:
    """All that were learned in the campaign and not called in time, the earliest first.

    One kept in time is a call like any other, and in no list.
    """
    ids = await appointments.learned(session, month.id)
    on_the_line = await appointments.on_the_line(session)
    found: list[Appointment] = []
    for start in range(0, len(ids), cases.BATCH):
        batch = ids[start : start + cases.BATCH]
        for case_id, known in (await cases.histories(session, batch)).items():
            state = state_of(known.case, known.facts, month.profile, month.calendar)
            row = await cases.get(session, case_id)
            phones = await cases.phones_of(session, case_id)
            named = (one.position for one in phones if one.id == state.appointment_phone)
            position = next(named, None)
            called = case_id in on_the_line
            found += _of_case(row, state, position, month, now, called=called)
    return sorted(found, key=lambda one: (one.at, one.reference))


def _of_case(
    row: CaseRow,
    state: CaseState,
    position: int | None,
    month: Month,
    now: datetime,
    *,
    called: bool,
) -> Iterator[Appointment]:
    def one(at: datetime, standing: Standing, phone: int | None = None) -> Appointment:
        return Appointment(
            at=at,
            reference=row.reference,
            case_status=state.status,
            phone=phone,
            standing=standing,
        )

    for at in state.missed_appointments:
        yield one(at, Standing.LATE)
    if state.noted_appointment is not None:
        yield one(state.noted_appointment, Standing.NOTED)
    at_last = state.appointment
    if at_last is None or state.stopped or state.paid:
        return  # nobody is waited for
    yield one(at_last, _standing(state, at_last, month, now, called=called), position)


def _standing(
    state: CaseState, at: datetime, month: Month, now: datetime, *, called: bool
) -> Standing:
    if now < at:
        return Standing.PENDING
    missed = len(missed_appointments(state, now, month.profile)) > len(state.missed_appointments)
    return Standing.MISSED if missed and not called else Standing.DUE

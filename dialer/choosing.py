"""Who may be called now: whom the database says is due, with the rules asked once more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from db import candidates, cases, households
from db.candidates import Candidate
from db.session import Sessions
from dialer.chances import Chances
from dialer.months import Month
from rules.eligibility import HouseholdActivity, may_call
from rules.history import state_of

LOOK_AHEAD = 8
"""Candidates read beyond the number wanted: some are refused at the last look, and pacing may choose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowed:
    """A candidate that the rules allow at this moment."""

    candidate: Candidate
    own_chance: float | None
    """Its phone's own chance of a person's answer; None: nothing is known of it."""
    household: frozenset[str]
    """Keys of what it shares with others: of two that have one in common only one is called (rule 10)."""


class Choosing:
    """Looks at who is due; places nothing."""

    def __init__(self, sessions: Sessions, chances: Chances) -> None:
        self._sessions = sessions
        self._chances = chances

    async def look(
        self, month: Month, now: datetime, wanted: int
    ) -> tuple[list[Allowed], list[Candidate]]:
        """At least `wanted` of those due, if there are so many: those allowed, in the order in which they
        are called and only the first of a household; and those refused, to be `put_off`.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            due = await candidates.due(session, month.id, now, wanted + LOOK_AHEAD)
            return await self._asked(session, month, due, now)

    async def again(self, month: Month, now: datetime, phones: Sequence[int]) -> list[Allowed]:
        """Those of the phones that may be called now.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            due = await candidates.still_due(session, month.id, now, phones)
            allowed, _ = await self._asked(session, month, due, now)
        return allowed

    async def put_off(self, month: Month, refused: Iterable[Candidate], now: datetime) -> None:
        """What is due by its row but refused by the rules must not be first in line again.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.write() as session:
            ids = sorted({candidate.case_id for candidate in refused})
            await cases.refresh(session, ids, month.profile, month.calendar, now)
            gap = timedelta(minutes=month.profile.household_gap_min)
            for candidate in refused:
                if candidate.household_last_call is not None:
                    until = candidate.household_last_call + gap
                    await candidates.put_off(session, candidate.phone_id, until)

    async def _asked(
        self, session: AsyncSession, month: Month, due: list[Candidate], now: datetime
    ) -> tuple[list[Allowed], list[Candidate]]:
        """Ask the rules, with all that is known at this moment."""
        known = await cases.histories(session, [candidate.case_id for candidate in due])
        shared = await households.keys(session, [candidate.case_id for candidate in due])
        allowed: list[Allowed] = []
        refused: list[Candidate] = []
        taken: set[str] = set()
        for candidate in due:
            case = known[candidate.case_id]
            household = shared[candidate.case_id]
            state = state_of(case.case, case.facts, month.profile, month.calendar)
            verdict = may_call(
                state,
                candidate.phone_id,
                now,
                month.calendar,
                month.profile,
                HouseholdActivity(last_at=candidate.household_last_call),
            )
            if not verdict.allowed:
                refused.append(candidate)
            elif taken.isdisjoint(household):
                # one household, one call: also among those of this very moment
                taken |= household
                counted = len(state.phones[candidate.phone_id].counted)
                own_chance = self._chances.of(month, now, candidate.kind, counted)
                allowed.append(
                    Allowed(candidate=candidate, own_chance=own_chance, household=household)
                )
        return allowed, refused

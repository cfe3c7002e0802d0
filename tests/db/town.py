"""A small month to test on: invented cases, written the way an intake writes them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db import campaigns, cases, ledger, operators, results
from db.campaigns import CampaignState
from db.keys import Keys
from db.ledger import Change
from db.results import BY_LINE, Recorded
from db.session import Sessions
from db.tables import CaseRow, Intake, Operator, PhoneRow
from dialer.calendar import campaign_calendar
from dialer.profiles import load_profile
from rules.calendar import JST, Calendar
from rules.call_state import State
from rules.case import Result
from rules.profile import Profile

KEYS = Keys(b"a key for tests")
PERIOD = (date(2026, 9, 21), date(2026, 9, 30))
OPERATOR = "201"
PROFILE: Profile = load_profile("nagaoka-r8", PERIOD[0])
CALENDAR: Calendar = campaign_calendar(*PERIOD, frozenset(), PROFILE)


def at(text: str) -> datetime:
    """A moment of the month, Japan time: `24 10:00`."""
    return datetime.strptime(f"2026-09-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=JST)


NOON = at("24 12:00")
"""A Thursday in the period."""


class Town:
    """One campaign under way, with operator 201."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.campaign_id = 0
        self.intake_id = 0

    async def open(self, name: str = "2026-09") -> Town:
        """Make the campaign; a second one in the same database brings no second operator."""
        async with self.sessions.write() as session:
            campaign = await campaigns.create(
                session,
                name,
                profile="nagaoka-r8",
                period_from=PERIOD[0],
                period_to=PERIOD[1],
                at=at("20 09:00"),
            )
            self.campaign_id = campaign.id
            await campaigns.set_state(
                session, name, CampaignState.RUNNING, at=at("20 09:00"), by="tests"
            )
            intake = Intake(
                campaign_id=campaign.id,
                sha256="0" * 64,
                at=at("20 09:00"),
                handed_by="tests",
                rows=0,
                added=0,
                changed=0,
                unchanged=0,
                refused=0,
            )
            session.add(intake)
            await session.flush()
            self.intake_id = intake.id
            if await session.get(Operator, OPERATOR) is None:
                await operators.add(session, OPERATOR, "窓口", at=at("20 09:00"), by="tests")
        return self

    async def case(
        self,
        reference: str,
        *numbers: str,
        person: str | None = None,
        household: str | None = None,
        now: datetime | None = None,
    ) -> int:
        """A case with these numbers (fixed lines), folded; returns its id."""
        person, household = person or f"P{reference}", household or f"H{reference}"
        async with self.sessions.write() as session:
            row = CaseRow(
                campaign_id=self.campaign_id,
                intake_id=self.intake_id,
                reference=reference,
                person_key=KEYS.person(person),
                household_key=KEYS.household(household),
                person_number=person,
                household_number=household,
                name="星野　架空",
                kana="ホシノ カクウ",
                birth_date="1960-01-01",
                postal_code="940-0000",
                address="長岡市架空町1番1号",
                category="初期滞納",
                amount_yen="12300",
                instalments="",
                last_paid=None,
                note="",
                status="open",
            )
            session.add(row)
            await session.flush()
            for position, number in enumerate(numbers, start=1):
                session.add(
                    PhoneRow(
                        campaign_id=self.campaign_id,
                        case_id=row.id,
                        position=position,
                        number=number,
                        number_key=KEYS.number(number),
                        kind="fixed",
                        status="open",
                    )
                )
            await session.flush()
            await self.refresh(session, row.id, now=now or at("21 09:00"))
            return row.id

    async def phone(self, case_id: int, position: int = 1) -> PhoneRow:
        """A phone of a case as it stands."""
        async with self.sessions.read() as session:
            return (await cases.phones_of(session, case_id))[position - 1]

    async def standing(self, case_id: int) -> tuple[str, str | None]:
        """Status and clause of a case."""
        async with self.sessions.read() as session:
            row = await cases.get(session, case_id)
            return row.status, row.clause

    async def refresh(self, session: AsyncSession, case_id: int, *, now: datetime) -> None:
        """Fold one case."""
        await cases.refresh(session, [case_id], PROFILE, CALENDAR, now)

    async def place(self, phone: PhoneRow, when: datetime = NOON) -> str:
        """Place a call; returns the attempt's id."""
        attempt_id = str(uuid4())
        async with self.sessions.write() as session:
            await ledger.place(
                session,
                attempt_id=attempt_id,
                phone_id=phone.id,
                placed_at=when,
                caller_id="0258001000",
            )
        return attempt_id

    async def ring_out(self, phone: PhoneRow, when: datetime = NOON) -> str:
        """A call that rang for 36 s and nobody answered, settled by the line."""
        attempt_id = await self.place(phone, when)
        over = when + timedelta(seconds=38)
        async with self.sessions.write() as session:
            await ledger.record(
                session,
                [
                    Change(
                        attempt_id=attempt_id,
                        seq=1,
                        at=when + timedelta(seconds=2),
                        state=State.RINGING,
                    ),
                    Change(
                        attempt_id=attempt_id,
                        seq=2,
                        at=over,
                        state=State.ENDED,
                        cause=19,
                        ring_ms=36_000,
                    ),
                ],
            )
            await self.save(session, attempt_id, phone.case_id, "no_answer", over)
        return attempt_id

    async def talk(self, phone: PhoneRow, when: datetime = NOON) -> str:
        """A call in which operator 201 talked; over, but not recorded yet."""
        attempt_id = await self.place(phone, when)
        states = (State.RINGING, State.WAITING, State.JOINING, State.TALKING, State.ENDED)
        async with self.sessions.write() as session:
            await ledger.record(
                session,
                [
                    Change(
                        attempt_id=attempt_id,
                        seq=seq,
                        at=when + timedelta(seconds=10 * seq),
                        state=state,
                        operator_id=OPERATOR if state is State.TALKING else None,
                        ring_ms=8_000 if state is State.WAITING else None,
                    )
                    for seq, state in enumerate(states, start=1)
                ],
            )
        return attempt_id

    async def appoint(self, phone: PhoneRow, when: datetime, learned: datetime) -> str:
        """A talk in which somebody said when the person can be reached on this phone."""
        attempt_id = await self.talk(phone, learned)
        result = Result(outcome="third_party", appointment=when)
        over = learned + timedelta(minutes=2)
        async with self.sessions.write() as session:
            recorded = Recorded(result=result, at=over, by=OPERATOR)
            await results.save_first(session, attempt_id, recorded)
            await ledger.finish(session, [attempt_id])
            await self.refresh(session, phone.case_id, now=over)
        return attempt_id

    async def save(
        self, session: AsyncSession, attempt_id: str, case_id: int, outcome: str, now: datetime
    ) -> bool:
        """Save a result of the line, as the service does."""
        recorded = Recorded(result=Result(outcome=outcome), at=now, by=BY_LINE)
        saved = await results.save_first(session, attempt_id, recorded)
        await ledger.finish(session, [attempt_id])
        await self.refresh(session, case_id, now=now)
        return saved

    async def count(self, table: type) -> int:
        """Rows of a table."""
        async with self.sessions.read() as session:
            return len((await session.execute(select(table))).all())

"""What is gathered from a month's own calls, and what of it outlives the month; on both databases."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from random import Random
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, inspect, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import cases, results
from db.campaigns import CampaignState
from db.results import BY_LINE, Recorded
from db.session import Sessions
from db.tables import (
    AnswerSum,
    Attempt,
    AttemptChange,
    CaseRow,
    PhoneRow,
    ResultRow,
    table_of,
)
from db.types import Personal
from dialer.months import Month
from dialer.planning.learned import earlier_tallies, keep_sums, own_tallies, rates_of
from dialer.planning.rates import Cell, Tally, learn
from dialer.planning.rates_view import rates_rows
from rules.calendar import JST
from rules.call_state import State
from rules.case import AttemptMade, PhoneKind, Result, Scope
from rules.history import state_of
from rules.hours import band_of
from rules.outcome import Effect, effect_of, is_contact
from tests.db.town import CALENDAR, OPERATOR, PROFILE, Town, at

FIXED, MOBILE = PhoneKind.FIXED, PhoneKind.MOBILE


def month_of(town: Town, name: str = "2026-09") -> Month:
    return Month(
        id=town.campaign_id,
        name=name,
        state=CampaignState.RUNNING,
        profile=PROFILE,
        calendar=CALENDAR,
    )


class Calls:
    """Writes calls into the ledger as they were made, past the rules."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self._cases = 0

    async def phone(self, kind: PhoneKind = FIXED) -> PhoneRow:
        """A phone of a case of its own."""
        self._cases += 1
        number = f"0258{self._cases:06}"
        case_id = await self.town.case(f"R{self.town.campaign_id}-{self._cases}", number)
        async with self.town.sessions.write() as session:
            await session.execute(
                update(PhoneRow).where(PhoneRow.case_id == case_id).values(kind=kind.value)
            )
        return await self.town.phone(case_id)

    async def made(
        self,
        phone: PhoneRow,
        placed_at: datetime,
        outcome: str | None,
        *,
        ring_s: int | None = None,
        talk_s: int | None = None,
        by: str = OPERATOR,
        same_household: bool = False,
        scope: Scope | None = None,
    ) -> str:
        """One call; `talk_s`: from the begin of the talk until the result was saved."""
        attempt = str(uuid4())
        over = placed_at + timedelta(seconds=30)
        changes = [(State.PLACED, placed_at, None)]
        if talk_s is not None:
            changes.append((State.TALKING, over, None))
        changes.append((State.ENDED, over, None if ring_s is None else ring_s * 1000))
        async with self.town.sessions.write() as session:
            values = {
                "id": attempt,
                "campaign_id": self.town.campaign_id,
                "case_id": phone.case_id,
                "phone_id": phone.id,
                "placed_at": placed_at,
                "caller_id": "0258001000",
            }
            await session.execute(insert(table_of(Attempt)), values)
            rows = [
                {"attempt_id": attempt, "seq": seq, "at": when, "state": state.value, "ring_ms": ms}
                for seq, (state, when, ms) in enumerate(changes)
            ]
            await session.execute(insert(table_of(AttemptChange)), rows)
            if outcome is not None:
                result = Result(outcome=outcome, same_household=same_household, scope=scope)
                saved_at = over + timedelta(seconds=talk_s or 0)
                await results.save_first(
                    session, attempt, Recorded(result=result, at=saved_at, by=by)
                )
        return attempt


@pytest.fixture
def calls(town: Town) -> Calls:
    return Calls(town)


async def gathered(town: Town) -> dict[Cell, Tally]:
    async with town.sessions.read() as session:
        return await own_tallies(session, month_of(town))


async def test_a_contact_is_tallied_where_it_was_placed(town: Town, calls: Calls) -> None:
    phone = await calls.phone(MOBILE)
    await calls.made(phone, at("26 16:59"), "person_done", ring_s=9, talk_s=240)  # a Saturday
    assert await gathered(town) == {
        Cell("午後", True, MOBILE, 1): Tally(1, 1, ended=1, ring_s=9, handling_s=240)
    }


@pytest.mark.parametrize(
    ("outcome", "same_household", "scope", "tally"),
    [
        ("refused", False, None, Tally(1, 1, ended=1)),
        ("person_incomplete", False, None, Tally(1, 1)),
        ("third_party", False, None, Tally(1)),
        ("third_party", True, None, Tally(1, 1)),
        ("out_of_service", False, None, Tally(1, closed=1)),
        ("not_resident", False, Scope.PHONE, Tally(1, closed=1)),
        # without a contact the case ended: neither of the two shares speaks of it
        ("not_resident", False, Scope.CASE, Tally(1)),
        ("long_absence", False, Scope.CASE, Tally(1)),
        ("long_absence", False, Scope.PHONE, Tally(1, closed=1)),
        ("no_answer", False, None, Tally(1)),
        ("busy", False, None, None),
        ("failed", False, None, None),
        ("abandoned", False, None, None),
        (None, False, None, None),  # not recorded yet
    ],
)
async def test_outcomes_are_tallied_as_the_profile_reads_them(
    town: Town,
    calls: Calls,
    outcome: str | None,
    same_household: bool,
    scope: Scope | None,
    tally: Tally | None,
) -> None:
    phone = await calls.phone()
    await calls.made(phone, at("24 09:00"), outcome, same_household=same_household, scope=scope)
    cell = Cell("午前", False, FIXED, 1)
    assert await gathered(town) == ({} if tally is None else {cell: tally})


async def test_a_corrected_result_counts_as_corrected_and_took_the_time_of_the_first(
    town: Town, calls: Calls
) -> None:
    phone = await calls.phone()
    attempt = await calls.made(phone, at("24 19:00"), "hung_up", ring_s=12, talk_s=90)
    async with town.sessions.write() as session:
        for outcome in ("third_party", "person_done"):
            corrected = Recorded(result=Result(outcome=outcome), at=at("25 10:00"), by=OPERATOR)
            await results.correct(session, attempt, corrected)
    cell = Cell("夜", False, FIXED, 1)
    assert await gathered(town) == {cell: Tally(1, 1, ended=1, ring_s=12, handling_s=90)}


async def test_the_seconds_of_a_result_saved_the_next_day_are_not_believed(
    town: Town, calls: Calls
) -> None:
    phone = await calls.phone()
    await calls.made(phone, at("24 19:00"), "person_done", talk_s=50_000)
    await calls.made(phone, at("25 09:00"), "voicemail_left", talk_s=50, by=BY_LINE)
    assert {tally.handling_s for tally in (await gathered(town)).values()} == {1800, 0}


async def test_only_counted_attempts_make_an_attempt_a_later_one(town: Town, calls: Calls) -> None:
    phone = await calls.phone()
    story = [
        ("21 09:10", "failed"),
        ("21 09:30", "busy"),
        ("21 09:45", "out_of_reach"),
        ("21 10:00", "busy"),  # the day's third: counted
        ("22 13:00", "busy"),
        ("24 13:00", "busy"),
        ("24 17:30", "no_answer"),
        ("25 10:00", "no_answer"),
        ("26 13:00", "person_incomplete"),  # an extra call
    ]
    for moment, outcome in story:
        await calls.made(phone, at(moment), outcome)
    assert await gathered(town) == {
        Cell("午前", True, FIXED, 1): Tally(1),  # 21 September 2026 is a holiday
        Cell("夜", False, FIXED, 2): Tally(1),
        Cell("午前", False, FIXED, 3): Tally(1),
        Cell("午後", True, FIXED, 3): Tally(1, 1),
    }


async def test_a_result_of_outside_all_bands_makes_only_the_next_one_later(
    town: Town, calls: Calls
) -> None:
    phone = await calls.phone()
    for moment in ("21 08:59", "24 20:00", "25 12:00"):
        await calls.made(phone, at(moment), "no_answer")
    assert await gathered(town) == {Cell("午後", False, FIXED, 3): Tally(1)}


async def test_random_months_are_tallied_as_the_rules_fold_them(town: Town, calls: Calls) -> None:
    dice = Random(7)
    codes = [*PROFILE.outcomes, *["busy", "out_of_reach", "no_answer"] * 6]
    for _ in range(12):
        phone = await calls.phone(dice.choice(list(PhoneKind)))
        for number in dice.sample(range(4 * 13), 20):  # some hours of four days, 08:29-20:29
            await calls.made(
                phone,
                at("23 08:00") + timedelta(days=number // 13, hours=number % 13, minutes=29),
                dice.choice(codes),
                same_household=dice.random() < 0.5,
            )
    async with town.sessions.read() as session:
        expected = await folded(session, town.campaign_id)
    assert sum(tally.attempts for tally in expected.values()) > 60
    assert await gathered(town) == expected


async def folded(session: AsyncSession, campaign_id: int) -> dict[Cell, Tally]:
    """The same by the rules' own fold, case by case."""
    found: dict[Cell, Tally] = {}
    ids = await cases.ids(session, campaign_id)
    for known in (await cases.histories(session, ids)).values():
        state = state_of(known.case, known.facts, PROFILE, CALENDAR)
        for phone in known.case.phones:
            counted = sorted(state.phones[phone.id].counted)
            facts = {fact.at: fact.result for fact in known.facts if isinstance(fact, AttemptMade)}
            for number, moment in enumerate(counted, start=1):
                band = band_of(moment, PROFILE)
                if band is not None:
                    non_weekday = CALENDAR.is_non_weekday(moment.astimezone(JST).date())
                    cell = Cell(band, non_weekday, phone.kind, min(number, 3))
                    found[cell] = found.get(cell, Tally()) + one(facts[moment])
    return found


def one(result: Result) -> Tally:
    rule = PROFILE.outcomes[result.outcome]
    contact, effect = is_contact(rule, result), effect_of(rule, result.scope)
    ended = contact and effect is Effect.COMPLETE
    return Tally(1, int(contact), int(ended), int(not contact and effect is Effect.CLOSE_PHONE))


async def test_another_campaign_of_the_same_days_is_not_tallied(
    sessions: Sessions, town: Town, calls: Calls
) -> None:
    other = Calls(await Town(sessions).open("2026-09b"))
    await other.made(await other.phone(), at("24 10:00"), "person_done", ring_s=9, talk_s=60)
    await calls.made(await calls.phone(), at("24 10:00"), "no_answer", ring_s=36)
    assert await gathered(town) == {Cell("午前", False, FIXED, 1): Tally(1, ring_s=36)}


async def sums_kept(sessions: Sessions) -> Counter[tuple[object, ...]]:
    async with sessions.read() as session:
        return Counter(tuple(row) for row in await session.execute(select(table_of(AnswerSum))))


async def a_month_kept(town: Town, calls: Calls) -> None:
    phone = await calls.phone(MOBILE)
    await calls.made(phone, at("24 10:00"), "no_answer", ring_s=36)
    await calls.made(phone, at("26 13:00"), "person_done", ring_s=9, talk_s=240)
    async with town.sessions.write() as session:
        await keep_sums(session, month_of(town))


async def test_a_month_is_kept_as_sums_again_and_again_the_same(town: Town, calls: Calls) -> None:
    await a_month_kept(town, calls)
    kept = await sums_kept(town.sessions)
    assert kept == {
        ("2026-09", "午前", False, "mobile", 1, 1, 0, 0, 0, 36, 0): 1,
        ("2026-09", "午後", True, "mobile", 2, 1, 1, 1, 0, 9, 240): 1,
    }
    async with town.sessions.write() as session:
        await keep_sums(session, month_of(town))
    assert await sums_kept(town.sessions) == kept


async def test_what_is_kept_names_nobody() -> None:
    columns = inspect(AnswerSum).columns
    assert not any(isinstance(column.type, Personal) for column in columns)
    assert not any(column.foreign_keys for column in columns)
    assert {column.name for column in columns} == {
        *("month", "band", "non_weekday", "kind", "ordinal"),
        *("attempts", "contacts", "ended", "closed", "ring_s", "handling_s"),
    }


async def test_what_is_kept_outlives_the_cases_and_teaches_the_next_month(
    town: Town, calls: Calls
) -> None:
    await a_month_kept(town, calls)
    kept = await sums_kept(town.sessions)
    async with town.sessions.write() as session:
        for table in (AttemptChange, ResultRow, Attempt, PhoneRow, CaseRow):
            await session.execute(delete(table))
        await keep_sums(session, month_of(town))  # once more, after all is erased
    assert await sums_kept(town.sessions) == kept
    next_month = month_of(await Town(town.sessions).open("2026-10"), "2026-10")
    async with town.sessions.read() as session:
        earlier = await earlier_tallies(session, next_month)
        rates = await rates_of(session, next_month)
        assert await earlier_tallies(session, month_of(town)) == {}
    assert earlier == {
        Cell("午前", False, MOBILE, 1): Tally(1, ring_s=36),
        Cell("午後", True, MOBILE, 2): Tally(1, 1, ended=1, ring_s=9, handling_s=240),
    }
    assert rates == learn({}, earlier, PROFILE)


async def test_several_earlier_months_are_added_up(town: Town, calls: Calls) -> None:
    await a_month_kept(town, calls)
    async with town.sessions.write() as session:
        rows = list(await session.scalars(select(AnswerSum)))
        session.add_all(copied(row, "2026-08") for row in rows)
        await session.flush()
        earlier = await earlier_tallies(session, month_of(town, "2026-10"))
    assert earlier[Cell("午後", True, MOBILE, 2)] == Tally(2, 2, 2, ring_s=18, handling_s=480)


def copied(row: AnswerSum, month: str) -> AnswerSum:
    names = [column.key for column in inspect(AnswerSum).columns]
    return AnswerSum(**{name: getattr(row, name) for name in names} | {"month": month})


async def test_the_rates_are_shown_for_every_kind_of_attempt_that_can_be(
    town: Town, calls: Calls
) -> None:
    await a_month_kept(town, calls)
    async with town.sessions.read() as session:
        rows = await rates_rows(session, month_of(town, "2026-10"))
    shown = {(row["band"], row["day"], row["kind"], row["ordinal"]): row for row in rows}
    # two kinds of day, three kinds of phone, three ordinals; closed on the evenings of non-weekdays
    assert len(shown) == len(rows) == (3 + 2) * 3 * 3
    assert ("夜", "non-weekday", "fixed", 1) not in shown
    row = shown["午後", "non-weekday", "mobile", 2]
    assert (row["attempts"], row["contacts"], row["earlier"]) == (1, 1, 1)
    assert row["prior"] == 0.17
    assert row["low"] < row["prior"] < row["mean"] < row["high"]
    untouched = shown["夜", "weekday", "fixed", 3]
    assert (untouched["attempts"], untouched["earlier"], untouched["prior"]) == (0, 0, 0.14)

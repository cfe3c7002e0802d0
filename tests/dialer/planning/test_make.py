"""A campaign's plan out of the database and back into it, on both databases."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from db import campaigns, notices, operators, plans, roster
from db.errors import NotFoundError
from db.session import Sessions
from db.tables import CaseRow, Notice, PhoneRow, Plan, PlannedAttempt, table_of
from dialer.planning import make
from dialer.planning.make import Draft, draft, plan_campaign
from dialer.planning.plan import PlannedCall
from rules.calendar import JST
from rules.case import CaseStatus
from tests.db.town import Town, at

BEFORE = at("20 09:00")
"""The day before the period, a Sunday."""
PERSONAL = ("星野", "ホシノ", "025800000", "長岡市", "1960-01-01", "12300")


@pytest.fixture
async def town(sessions: Sessions) -> AsyncIterator[Town]:
    """A campaign with three cases, the second of two phones."""
    town = await Town(sessions).open()
    await town.case("1", "0258000001", now=BEFORE)
    await town.case("2", "0258000002", "0258000003", now=BEFORE)
    await town.case("3", "0258000004", now=BEFORE)
    yield town


async def plan(town: Town, now: datetime = BEFORE) -> Draft:
    return await plan_campaign(town.sessions, "2026-09", now, "佐藤")


async def phones(town: Town) -> dict[int, PhoneRow]:
    async with town.sessions.read() as session:
        return {row.id: row for row in await session.scalars(select(PhoneRow))}


async def written(town: Town) -> dict[int, list[PlannedAttempt]]:
    """The planned attempts by phone, in order of time."""
    found: dict[int, list[PlannedAttempt]] = {}
    query = select(PlannedAttempt).order_by(PlannedAttempt.starts_at)
    async with town.sessions.read() as session:
        for row in await session.scalars(query):
            found.setdefault(row.phone_id, []).append(row)
    return found


def spans(path: tuple[PlannedCall, ...]) -> list[tuple[datetime, datetime]]:
    return [(call.slot.starts_at, call.slot.ends_at) for call in path]


async def test_the_plan_of_every_phone_is_written_and_its_first_band_is_when_it_is_due(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make, "_WRITTEN", 2)  # in more than one transaction
    made = await plan(town)
    rows, standing = await written(town), await phones(town)
    assert set(rows) == set(standing) == set(made.plan.paths)
    for phone_id, path in made.plan.paths.items():
        assert [(row.starts_at, row.ends_at) for row in rows[phone_id]] == spans(path)
        assert len(path) == 3
        first, phone = path[0], standing[phone_id]
        assert phone.planned_from == phone.due_at == first.slot.starts_at
        assert phone.gain == rows[phone_id][0].gain == max(0, round(first.gain * 1e6))
        assert 0 < phone.rank <= 100


async def test_what_the_plan_expects_is_kept_without_a_person_and_the_service_is_told(
    town: Town,
) -> None:
    made = await plan(town)
    async with town.sessions.read() as session:
        row = await plans.newest(session, town.campaign_id)
        told = list(await session.scalars(select(Notice).order_by(Notice.id)))
    assert row is not None
    assert (row.made_at, row.made_by) == (BEFORE, "佐藤")
    assert row.figures == made.figures.model_dump(mode="json")
    assert (row.figures["cases"], row.figures["phones"], row.figures["called"]) == (3, 4, 0)
    text = json.dumps(row.figures, ensure_ascii=False)
    assert not [word for word in PERSONAL if word in text]
    assert (told[-1].kind, told[-1].by) == (notices.NoticeKind.CASES.value, "佐藤")


async def test_a_second_plan_takes_the_place_of_the_first(town: Town) -> None:
    await plan(town)
    later = at("24 14:00")
    made = await plan(town, later)
    rows = await written(town)
    assert {row.starts_at >= later for own in rows.values() for row in own} == {True}
    for phone_id, path in made.plan.paths.items():
        assert [(row.starts_at, row.ends_at) for row in rows[phone_id]] == spans(path)
    assert await town.count(Plan) == 2
    async with town.sessions.read() as session:
        newest = await plans.newest(session, town.campaign_id)
    assert newest is not None
    assert newest.made_at == later


async def test_after_a_result_the_phone_waits_for_its_next_planned_band(town: Town) -> None:
    made = await plan(town)
    calls = [
        (call.slot.starts_at, phone_id, path[number + 1 : number + 2])
        for phone_id, path in made.plan.paths.items()
        for number, call in enumerate(path)
    ]
    for starts_at, phone_id, following in sorted(calls, key=lambda call: call[:2]):
        # the second phone of a case in the same band: after the gap between phones
        await town.ring_out(
            (await phones(town))[phone_id], starts_at + timedelta(hours=phone_id / 2)
        )
        phone = (await phones(town))[phone_id]
        expected = following[0].slot.starts_at if following else None
        assert phone.planned_from == phone.due_at == expected


async def test_a_call_that_did_not_count_stays_in_its_band(town: Town) -> None:
    made = await plan(town)
    phone = (await phones(town))[1]
    band = made.plan.paths[1][0].slot
    moment = band.starts_at + timedelta(minutes=5)
    attempt = await town.place(phone, moment)
    async with town.sessions.write() as session:
        await town.save(session, attempt, phone.case_id, "busy", moment)
    phone = (await phones(town))[1]
    assert phone.planned_from == band.starts_at
    assert phone.due_at == moment + timedelta(minutes=10)


async def test_a_phone_that_was_never_planned_is_due_as_the_rules_say(town: Town) -> None:
    await plan(town)
    case_id = await town.case("4", "0258000009", now=BEFORE)
    phone = await town.phone(case_id)
    assert (phone.planned_from, phone.due_at, phone.gain) == (None, at("21 09:00"), 0)


async def test_a_draft_writes_nothing(town: Town) -> None:
    before = {id: (row.due_at, row.rank) for id, row in (await phones(town)).items()}
    told = await town.count(Notice)
    made = await draft(town.sessions, "2026-09", BEFORE)
    assert made.plan.paths
    assert await written(town) == {}
    assert (await town.count(Plan), await town.count(Notice)) == (0, told)
    assert {id: (row.due_at, row.rank) for id, row in (await phones(town)).items()} == before


async def test_a_case_that_ends_is_not_due_any_more_and_shows_no_plan(town: Town) -> None:
    await plan(town)
    talk = await town.talk(await town.phone(1), at("24 12:00"))
    async with town.sessions.write() as session:
        await town.save(session, talk, 1, "refused", at("24 12:05"))
        assert await plans.of_case(session, 1) == []
        assert len(await plans.of_case(session, 2)) == 6
    assert (await town.phone(1)).due_at is None
    assert (await town.standing(1))[0] == "complete"
    made = await plan(town, at("24 13:00"))
    phone = await town.phone(1)
    assert phone.id not in made.plan.paths
    assert phone.due_at is None
    assert (made.figures.cases, made.figures.called, made.figures.contacted) == (2, 1, 1)
    assert made.figures.all_cases == 3


async def test_a_case_that_ended_while_the_plan_was_made_is_not_called(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = await draft(town.sessions, "2026-09", at("24 11:00"))

    async def stale_draft(*_: object) -> Draft:
        return stale

    monkeypatch.setattr(make, "draft", stale_draft)
    talk = await town.talk(await town.phone(1), at("24 11:00"))
    await town.ring_out(await town.phone(3), at("24 11:00"))
    async with town.sessions.write() as session:
        await town.save(session, talk, 1, "refused", at("24 11:05"))
    await plan(town, at("24 11:00"))
    assert (await town.phone(1)).due_at is None
    called = await town.phone(3)
    assert called.due_at is not None
    assert called.due_at >= at("25 09:00")


async def test_before_the_period_and_after_it(town: Town) -> None:
    early = await plan(town, at("01 12:00"))
    assert early.slots[0].starts_at == at("21 09:00")
    assert {row.due_at >= at("21 09:00") for row in (await phones(town)).values()} == {True}
    late = await plan(town, at("30 20:00"))
    assert (late.slots, late.plan.paths, late.figures.bands) == ([], {}, [])
    assert late.figures.short == 4
    assert await written(town) == {}
    assert {row.due_at for row in (await phones(town)).values()} == {None}


async def test_a_campaign_without_cases(sessions: Sessions) -> None:
    town = await Town(sessions).open()
    made = await plan(town)
    assert (made.figures.cases, made.figures.all_cases, made.figures.rate) == (0, 0, None)
    assert await town.count(Plan) == 1


async def test_an_unknown_campaign_is_told(sessions: Sessions) -> None:
    with pytest.raises(NotFoundError):
        await draft(sessions, "2026-10", BEFORE)


async def test_without_operators_nothing_is_planned_and_phones_are_due_as_the_rules_say(
    town: Town,
) -> None:
    async with town.sessions.write() as session:
        (only,) = await operators.all_operators(session)
        only.active = False
    made = await plan(town)
    assert made.figures.short == 4
    assert sum(band.operator_hours for band in made.figures.bands) == 0
    assert {row.due_at for row in (await phones(town)).values()} == {at("21 09:00")}


async def test_the_roster_says_how_many_are_there_and_other_days_all_active_ones_are(
    town: Town,
) -> None:
    async with town.sessions.write() as session:
        hours = {(date(2026, 9, 24), hour): 3 for hour in range(9, 12)}
        await roster.replace(session, hours, at=BEFORE, by="tests")
    made = await draft(town.sessions, "2026-09", BEFORE)
    hours_of = {(band.day.day, band.band): band.operator_hours for band in made.figures.bands}
    assert hours_of[24, "午前"] == 9
    assert hours_of[24, "午後"] == hours_of[24, "夜"] == 0
    assert hours_of[25, "午前"] == 3
    assert not [
        call
        for path in made.plan.paths.values()
        for call in path
        if call.slot.day.day == 24 and call.slot.band != "午前"
    ]


async def test_a_stopped_case_is_not_planned_until_the_order_is_lifted(town: Town) -> None:
    async with town.sessions.write() as session:
        await session.execute(
            update(table_of(CaseRow)).where(CaseRow.id == 1).values(status=CaseStatus.STOPPED.value)
        )
    made = await draft(town.sessions, "2026-09", BEFORE)
    assert set(made.known) == {2, 3}


async def test_the_citys_note_is_a_wish(town: Town) -> None:
    async with town.sessions.write() as session:
        await session.execute(
            update(table_of(CaseRow)).where(CaseRow.id == 1).values(note="夜間 希望")
        )
    made = await draft(town.sessions, "2026-09", BEFORE)
    wish = made.known[1].wish
    assert wish is not None
    assert "夜" in wish.bands
    assert made.known[2].wish is None


async def test_days_taken_out_in_mid_period_are_not_planned(town: Town) -> None:
    await plan(town)
    async with town.sessions.write() as session:
        await campaigns.exclude_day(
            session, "2026-09", date(2026, 9, 26), at=at("24 11:00"), by="市"
        )
    await plan(town, at("24 11:00"))
    days = {
        row.starts_at.astimezone(JST).day for own in (await written(town)).values() for row in own
    }
    assert days
    assert 26 not in days

"""What `dialer why` answers: every blocking thing, which goes first, and what the database tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from db import campaigns, stops
from db.campaigns import CampaignState
from db.session import Sessions
from db.standing import Standing
from db.tables import PhoneRow, table_of
from dialer import why_seen
from dialer.errors import NotFoundError
from dialer.problems import Problem
from dialer.why import (
    DIALLING,
    NOTHING,
    SLOW_S,
    Blocking,
    CampaignSeen,
    DatabaseSeen,
    Reasons,
    Seen,
    ServiceSeen,
    why,
)
from dialer.why_seen import database_seen
from rules.eligibility import Reason
from rules.operator_state import State
from tests.db.town import Town, at

NOW = at("24 10:00")
STANDING = Standing(
    cases={"open": 3},
    placed_recently=0,
    in_flight=0,
    next_due=None,
    due=2,
    engaged=0,
    later=1,
    never=0,
)
REASONS = Reasons(at=NOW, cases=3, of=3, counts={}, allowed=2, planned_later=0)
OPEN = CampaignSeen(
    name="2026-09",
    state=CampaignState.RUNNING,
    closed_by=None,
    opens_at=NOW,
    standing=STANDING,
    reasons=REASONS,
)
WELL = ServiceSeen(
    emergency_stop=False,
    draining=False,
    problems={},
    limit="operators",
    mode="predictive",
    mode_why="ordered",
    miss=0.0,
    allowed_miss=0.05,
    operators={State.FREE: 1},
    dialling=0,
    lines=2,
    lines_used=0,
)
DATABASE = DatabaseSeen(emergency_stop=False, look_s=0.01, campaigns=(OPEN,))
IDLE = Seen(now=NOW, service=WELL, database=DATABASE)
"""Nothing in the way, and a phone due: the service is about to call it."""


def service(**changes: object) -> Seen:
    return replace(IDLE, service=replace(WELL, **changes))


def database(**changes: object) -> Seen:
    return replace(IDLE, database=replace(DATABASE, **changes))


def campaign(**changes: object) -> Seen:
    return database(campaigns=(replace(OPEN, **changes),))


def problem(one: Problem) -> Seen:
    return service(problems={one.name.lower(): one.value})


def operators(**counts: int) -> Mapping[State, int]:
    return {State[name.upper()]: count for name, count in counts.items()}


def exhausted(**changes: object) -> Standing:
    return replace(STANDING, due=0, **changes)


TABLE: list[tuple[Seen, str, str]] = [
    (replace(IDLE, service=None), "service_away", "does not run"),
    (service(emergency_stop=True), "emergency_stop", "dialer emergency lift"),
    (database(emergency_stop=True), "emergency_stop", "dialer emergency lift"),
    (service(draining=True), "draining", "the service is stopping"),
    (problem(Problem.ASTERISK_AWAY), "asterisk_away", "Asterisk cannot be reached"),
    (problem(Problem.CATCHING_UP), "catching_up", "catching up"),
    (problem(Problem.TRUNK_DOWN), "trunk_down", "the trunk is not reachable"),
    (problem(Problem.DATABASE_AWAY), "database_away", "cannot be written"),
    (problem(Problem.LOCK_LOST), "lock_lost", "the lock"),
    (problem(Problem.CLOCK_WRONG), "clock_wrong", "the clock"),
    (replace(IDLE, database=None, database_error="away since noon"), "database_away", "since noon"),
    (database(look_s=SLOW_S), "database_slow", "a look took 5.0 s"),
    (database(campaigns=()), "no_campaign_running", "there is none"),
    (campaign(state=CampaignState.PAUSED), "no_campaign_running", "2026-09 is paused"),
    (campaign(state=CampaignState.DRAFT), "no_campaign_running", "2026-09 is draft"),
    (campaign(state=CampaignState.CLOSED), "no_campaign_running", "2026-09 is closed"),
    (
        campaign(closed_by=Reason.OUTSIDE_PERIOD, opens_at=None),
        "outside_period",
        "does not open again",
    ),
    (
        campaign(closed_by=Reason.EXCLUDED_DAY, opens_at=at("25 09:00")),
        "excluded_day",
        "opens 2026-09-25 09:00",
    ),
    (
        campaign(closed_by=Reason.OUTSIDE_HOURS, opens_at=at("24 09:00")),
        "outside_hours",
        "opens 2026-09-24 09:00",
    ),
    (service(limit="appointments"), "held_for_appointments", "appointments: 1 free"),
    (
        service(limit="risk", miss=0.12, operators=operators(talking=2)),
        "too_risky",
        "nobody free with a probability of 12.0%; 5.0% is allowed now",
    ),
    (service(limit="calls_per_operator"), "calls_per_operator", "as the profile allows"),
    (
        service(limit="risk", mode="progressive", mode_why="few_data", dialling=3),
        DIALLING,
        "is allowed now; progressive pacing, because too few calls were seen to predict from",
    ),
    (service(operators={}), "no_operator", "there are no operators"),
    (
        service(operators=operators(away=2, paused=1)),
        "no_operator",
        "no operator is free: 1 paused, 2 away",
    ),
    # talks as ever, but no call was placed for minutes: the operators are what is waited for
    (service(operators=operators(talking=1)), "no_operator", "1 talking"),
    (service(lines_used=2), "lines_used", "all 2 lines"),
    (
        campaign(
            standing=exhausted(later=7, never=4, engaged=1, next_due=at("25 12:00")),
            reasons=replace(
                REASONS,
                counts={Reason.SAME_DAY: 7, Reason.ATTEMPTS_USED: 4, Reason.CASE_GAP: 7},
                planned_later=5,
            ),
        ),
        "no_case_left",
        "no phone may be called now: 7 later, 4 never again, 1 wait for a call under way; 7 case_gap, "
        "7 same_day, 5 planned_later, 4 attempts_used; the next is due 2026-09-25 12:00",
    ),
    (
        campaign(standing=exhausted(), reasons=replace(REASONS, cases=1, of=9)),
        "no_case_left",
        "(of 1 of 9 open cases); none will be",
    ),
    (
        campaign(standing=exhausted(cases={"complete": 3})),
        "no_case_left",
        "campaign 2026-09: no case is open any more",
    ),
    # one campaign has nothing left, the other one is called
    (
        database(campaigns=(replace(OPEN, standing=exhausted()), OPEN)),
        NOTHING,
        "nothing keeps calls from being placed",
    ),
    # a campaign that is closed at this hour does not hide one that is open
    (
        database(campaigns=(replace(OPEN, closed_by=Reason.EXCLUDED_DAY), OPEN)),
        NOTHING,
        "nothing keeps calls from being placed",
    ),
    (IDLE, NOTHING, "nothing keeps calls from being placed"),
    (service(dialling=2), DIALLING, "2 dialling or ringing, 0 placed in the last 5 minutes"),
    (
        replace(
            campaign(standing=replace(STANDING, placed_recently=12)),
            service=replace(WELL, operators=operators(talking=3)),
        ),
        DIALLING,
        "12 placed in the last 5 minutes (2.4 a minute), limited by no operator is free: 3 talking",
    ),
    # they were busy until a moment ago, and all have gone
    (
        replace(
            campaign(standing=replace(STANDING, placed_recently=12)),
            service=replace(WELL, operators=operators(paused=3)),
        ),
        "no_operator",
        "3 paused",
    ),
    # talks go on, but nobody is left to be called
    (
        replace(
            campaign(standing=exhausted(placed_recently=12)),
            service=replace(WELL, operators=operators(talking=1, free=1)),
        ),
        "no_case_left",
        "no phone may be called now",
    ),
]


@pytest.mark.parametrize(("seen", "code", "words"), TABLE)
def test_each_blocking_thing_is_named(seen: Seen, code: str, words: str) -> None:
    answer = why(seen).answer
    assert answer.code == code
    assert words in answer.words


def test_the_table_covers_every_blocking_thing() -> None:
    assert {code for _seen, code, _words in TABLE} == {*Blocking, DIALLING, NOTHING}


def test_every_problem_of_the_service_is_a_blocking_thing() -> None:
    assert {one.name.lower() for one in Problem} <= set(Blocking)


def test_the_first_of_several_is_the_answer_and_the_others_follow_in_order() -> None:
    seen = Seen(
        now=NOW,
        service=replace(
            WELL,
            emergency_stop=True,
            operators={},
            problems={one.name.lower(): one.value for one in reversed(Problem)},
        ),
        database=replace(DATABASE, campaigns=()),
    )
    found = why(seen)
    assert [found.answer.code, *(one.code for one in found.others)] == [
        "emergency_stop",
        *(one.name.lower() for one in Problem),
        "no_campaign_running",
        "no_operator",
    ]


def test_while_calls_ring_an_emergency_stop_is_the_answer_all_the_same() -> None:
    assert why(service(dialling=2, emergency_stop=True)).answer.code == "emergency_stop"


def test_of_campaigns_that_are_all_closed_the_one_that_opens_first_is_told() -> None:
    closed = [
        replace(OPEN, name=name, closed_by=Reason.OUTSIDE_PERIOD, opens_at=opens)
        for name, opens in (("over", None), ("next", at("25 09:00")), ("later", at("26 09:00")))
    ]
    answer = why(database(campaigns=tuple(closed))).answer
    assert answer.words == "campaign next: outside period; it opens 2026-09-25 09:00"


# what the database tells --------------------------------------------------------------------------


@pytest.fixture
async def town(sessions: Sessions) -> Town:
    return await Town(sessions).open()


async def looked(town: Town, now: datetime, name: str | None = None) -> DatabaseSeen:
    async with town.sessions.read() as session:
        return await database_seen(session, now, name)


async def test_phones_are_counted_by_what_they_wait_for(town: Town) -> None:
    called = await town.case("1", "0258000001", "0258000002")
    await town.ring_out(await town.phone(called), at("24 09:50"))
    rings = await town.case("2", "0258000003", household="H")
    await town.place(await town.phone(rings), at("24 09:58"))
    await town.case("3", "0258000004", household="H")
    due, planned = await town.case("4", "0258000005"), await town.case("5", "0258000006")
    done = await town.case("6", "0258000007")
    attempt = await town.talk(await town.phone(done), at("24 09:54"))
    async with town.sessions.write() as session:
        await town.save(session, attempt, done, "wrong_number", at("24 09:56"))
        plan = update(table_of(PhoneRow)).where(PhoneRow.case_id == planned)
        await session.execute(plan.values(planned_from=at("24 12:00"), due_at=at("24 12:00")))
        for case_id in (called, due):
            await town.refresh(session, case_id, now=NOW)
        begun = update(table_of(PhoneRow)).where(PhoneRow.case_id == due)
        await session.execute(begun.values(planned_from=NOW))  # its band has begun

    [seen] = (await looked(town, NOW)).campaigns
    assert (seen.state, seen.closed_by, seen.opens_at) == (CampaignState.RUNNING, None, NOW)
    assert seen.standing == Standing(
        cases={"open": 5, "complete": 1},
        placed_recently=1,  # the others more than five minutes ago
        in_flight=1,
        next_due=at("24 10:20"),
        due=1,
        engaged=2,
        later=3,
        never=0,
    )
    assert seen.reasons == Reasons(
        at=NOW,
        cases=5,
        of=5,
        counts={
            Reason.SAME_DAY: 1,
            Reason.SAME_BAND: 1,
            Reason.CASE_GAP: 1,
            Reason.HOUSEHOLD_BUSY: 1,
        },
        allowed=2,  # also the one that rings: the rules know of no call of the case itself
        planned_later=1,
    )


async def test_outside_hours_the_reasons_are_those_of_the_next_opening(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    await town.ring_out(await town.phone(case_id), at("24 10:00"))
    [seen] = (await looked(town, at("24 21:00"))).campaigns
    assert (seen.closed_by, seen.opens_at) == (Reason.OUTSIDE_HOURS, at("25 09:00"))
    assert (seen.reasons.at, seen.reasons.counts) == (at("25 09:00"), {Reason.SAME_BAND: 1})
    [over] = (await looked(town, at("30 20:00"))).campaigns
    assert (over.opens_at, over.reasons.counts[Reason.OUTSIDE_HOURS]) == (None, 1)


async def test_of_a_large_month_an_evenly_spread_sample_is_asked(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        case_id = await town.case(str(number), f"025800{number:04}")
        if number % 2:
            await town.ring_out(
                await town.phone(case_id), at("24 09:00") + timedelta(minutes=number)
            )
    monkeypatch.setattr(why_seen, "SAMPLE", 4)
    [seen] = (await looked(town, NOW)).campaigns
    assert (seen.reasons.cases, seen.reasons.of) == (3, 9)
    assert (seen.standing.due, seen.standing.later) == (5, 4)
    assert seen.reasons.counts == {Reason.SAME_DAY: 1, Reason.SAME_BAND: 1}


async def test_campaigns_that_are_closed_are_told_of_only_by_name(town: Town) -> None:
    async with town.sessions.write() as session:
        await campaigns.set_state(session, "2026-09", CampaignState.CLOSED, at=NOW, by="tests")
        await stops.set_emergency(session, at=NOW, by="tests")
    seen = await looked(town, NOW)
    assert (seen.campaigns, seen.emergency_stop) == ((), True)
    [named] = (await looked(town, NOW, "2026-09")).campaigns
    assert named.state is CampaignState.CLOSED
    with pytest.raises(NotFoundError):
        await looked(town, NOW, "2026-08")

"""Why the phones of a case may be called at a moment or not, on a real month and on invented histories."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import campaigns, cases, results, stops
from db.cases import FactKind
from db.results import Recorded
from db.tables import CaseRow
from dialer.explain import NO_MOMENT_LEFT, CaseExplained, explain, explained
from rules.calendar import JST
from rules.case import Result
from rules.eligibility import Reason
from tests.db.town import OPERATOR, Town, at
from tests.dialer.on_record import calls_of_others, invented, month_of, on_record
from tests.rules import naive
from tests.rules.random_histories import EDGES, LATER

LONG_AFTER = at("30 23:00")
"""When the town is asked about earlier moments."""


@pytest.fixture
async def town(sessions) -> Town:
    return await Town(sessions).open()


async def told(town: Town, case_id: int, when: str, now: datetime = LONG_AFTER) -> CaseExplained:
    async with town.sessions.read() as session:
        row = await session.get_one(CaseRow, case_id)
        return await explained(session, row, at(when), now)


def against(found: CaseExplained, phone: int = 1) -> dict[str, tuple[str, datetime | None]]:
    """Code → clause with sentence, and when it ends."""
    because = found.phones[phone - 1].because
    return {str(one.reason): (f"{one.clause} {one.sentence}", one.until) for one in because}


async def test_each_reason_names_its_clause_the_earlier_call_and_its_end(town: Town) -> None:
    case_id = await town.case("1", "0258000001", "0258000002")
    phone = await town.phone(case_id)
    await town.ring_out(phone, at("24 10:00"))

    same_day = await told(town, case_id, "24 10:15")
    assert against(same_day) == {
        "same_day": (
            "§8(4)カ・§8(5) 同じ日に数える架電を済ませています（9月24日(木) 10:00 午前）。",
            at("25 00:00"),
        ),
        "same_band": (
            "§8(4)カ・§8(5) 前回の架電と同じ時間帯です（9月24日(木) 10:00 午前）。",
            at("24 12:00"),
        ),
    }
    assert against(same_day, 2) == {
        "case_gap": (
            "運用既定 案件の他の番号への架電から間隔が空いていません"
            "（電話1に10:00架電、10:30まで）。",
            at("24 10:30"),
        )
    }
    assert [phone.next_from for phone in same_day.phones] == [at("25 12:00"), at("24 10:30")]
    assert [phone.attempts_left for phone in same_day.phones] == [2, 3]
    assert same_day.attempts_left == 5

    await town.ring_out(phone, at("25 13:30"))
    kept = await told(town, case_id, "25 18:00")
    assert against(kept)["kept_for_non_weekday"] == (
        "§8(4)カ尚書 残る架電は土日祝日のために取り置いています（9月26日(土)まで）。",
        at("26 00:00"),
    )
    assert kept.phones[0].next_from == at("26 09:00")
    assert [(one.band, one.non_weekday) for one in kept.phones[0].counted] == [
        ("午前", False),
        ("午後", False),
    ]
    closed = await told(town, case_id, "25 20:30")
    assert against(closed)["outside_hours"][0] == (
        "§6(2)イ 架電できる時間帯の外です（平日は09:00から20:00まで、最終発信は19:58:54）。"
    )


async def test_an_earlier_moment_is_explained_by_what_was_known_then(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    phone = await town.phone(case_id)
    attempt = await town.ring_out(phone, at("24 10:00"))
    async with town.sessions.write() as session:
        wrong = Recorded(result=Result(outcome="wrong_number"), at=at("24 15:00"), by=OPERATOR)
        await results.correct(session, attempt, wrong)
        await campaigns.exclude_day(
            session, "2026-09", at("25 00:00").date(), at=at("25 11:00"), by="市"
        )
        await town.refresh(session, case_id, now=at("25 11:00"))

    before = await told(town, case_id, "24 09:59")
    assert (before.phones[0].allowed, before.phones[0].counted) == (True, ())
    during = await told(town, case_id, "24 10:00")
    assert during.call_in_flight is not None
    assert (during.call_in_flight.phone, during.call_in_flight.placed_at) == (1, at("24 10:00"))
    uncorrected = await told(town, case_id, "24 14:00")
    assert (uncorrected.status, uncorrected.call_in_flight) == ("open", None)
    assert set(against(uncorrected)) == {"same_day"}
    corrected = await told(town, case_id, "24 15:00")
    assert (corrected.status, corrected.clause) == ("complete", "§8(4)オ")
    assert against(corrected)["phone_closed"][0] == (
        "§8(4)オ この番号は終了しています（9月24日(木) 10:00 他人宅）。"
    )
    assert corrected.phones[0].never == ("case_complete", "phone_closed")
    assert "excluded_day" not in against(await told(town, case_id, "25 10:59"))
    assert "excluded_day" in against(await told(town, case_id, "25 11:00"))


async def test_a_call_in_the_household_is_told_with_its_case_and_ends_by_its_gap(
    town: Town,
) -> None:
    case_id = await town.case("1", "0258000001", "0258000002", household="H")
    other = await town.case("2", "0258000003", household="H")
    shares_a_number = await town.case("3", "0258000001")
    await town.place(await town.phone(other), at("24 10:00"))
    busy = (
        "運用既定 同じ世帯又は番号への架電中、若しくは架電から間隔が空いていません"
        "（案件2に10:00架電、結果待ち）。"
    )
    ringing = await told(town, case_id, "24 11:00")
    assert [against(ringing, phone)["household_busy"] for phone in (1, 2)] == [(busy, None)] * 2
    assert [call.placed_at for call in ringing.household_calls] == [at("24 10:00")]
    assert "household_busy" not in against(await told(town, shares_a_number, "24 11:00"))
    # a moment to come: the call is over by then
    foreseen = await told(town, case_id, "24 11:00", now=at("24 10:01"))
    assert (foreseen.phones[0].allowed, foreseen.household_calls) == (True, ())

    await town.ring_out(await town.phone(shares_a_number), at("24 14:00"))
    after = await told(town, case_id, "24 14:10", now=at("24 14:10"))
    assert against(after)["household_busy"] == (busy, None)  # case 2 waits for its result still
    recent = await told(town, case_id, "24 14:10", now=at("24 14:05"))
    assert against(recent)["household_busy"][1] == at("24 14:30")
    assert "household_busy" not in against(recent, 2)


async def test_the_citys_words_are_told_with_their_time_and_nothing_is_due_any_more(
    town: Town,
) -> None:
    case_id = await town.case("1", "0258000001")
    async with town.sessions.write() as session:
        person = (await cases.get(session, case_id)).person_key
        await stops.order(session, person, at=at("24 09:30"), by="市")
        await cases.add_fact(session, case_id, FactKind.PAID, at=at("24 09:40"), by="市")
        await cases.add_fact(session, case_id, FactKind.ESCALATE, at=at("24 09:50"), by="乙")
        await town.refresh(session, case_id, now=at("24 10:00"))
    found = await told(town, case_id, "24 10:00")
    assert (found.status, found.stopped_at, found.paid_at) == (
        "stopped",
        at("24 09:30"),
        at("24 09:40"),
    )
    assert {code: words for code, (words, _until) in against(found).items()} == {
        "case_escalated": (
            "§8(3)キ 案件は市の判断を待っています（エスカレーション中）"
            "（9月24日(木) 09:50 市の基準による）。"
        ),
        "stopped": "§8(3)ク・§8(4)ク 市の指示により架電を停止しています（9月24日(木) 09:30）。",
        "paid": "§2 納付を確認しています（9月24日(木) 09:40 登録）。",
    }
    assert (found.phones[0].next_from, found.phones[0].never) == (
        None,
        ("case_escalated", "stopped", "paid"),
    )


async def test_a_phone_that_no_reason_refuses_for_good_runs_out_of_days(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    await town.ring_out(await town.phone(case_id), at("30 10:00"))
    found = await told(town, case_id, "30 14:00")
    assert (found.phones[0].next_from, found.phones[0].never) == (None, (NO_MOMENT_LEFT,))


async def test_an_explanation_shows_no_number_and_no_person(town: Town) -> None:
    case_id = await town.case("1", "0258000001")
    await town.ring_out(await town.phone(case_id), at("24 10:00"))
    text = repr(await told(town, case_id, "24 10:15"))
    assert "0258" not in text
    assert "架空" not in text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_explanations_of_invented_histories_agree_with_the_naive_rules(
    chance: random.Random,
) -> None:
    check(chance)


def test_invented_histories_reach_every_reason() -> None:
    reached: Counter[Reason] = Counter()
    for seed in range(150):
        reached.update(check(random.Random(seed)))
    assert set(reached) == set(Reason)


def check(chance: random.Random) -> list[Reason]:
    """The reasons are those of the naive rules, and each ends when its explanation says, not before."""
    history = invented(chance)
    reached = []
    for case in history.cases:
        record, month = on_record(history, case), month_of(history)
        calls = calls_of_others(history, case)
        day = history.now.date() + timedelta(days=chance.randint(0, 3))
        moments = [
            history.now,
            history.now + chance.choice(LATER),
            datetime.combine(day, chance.choice(EDGES), JST),
        ]
        for moment in (one for one in moments if one >= history.now):
            found = explain(record, calls, month, moment)
            standing = history.standing(case)
            for name, phone in zip(case["phones"], found.phones, strict=True):
                asked = (history.household_calls(case), history.calendar, history.values)
                refused = naive.refusals(standing, name, moment, *asked)
                assert {one.reason for one in phone.because} == refused
                assert phone.allowed == (not refused)
                assert phone.next_from == naive.next_from(standing, name, moment, *asked)
                assert bool(phone.never) == (phone.next_from is None)
                reached += [one.reason for one in phone.because]
                for one in phone.because:
                    if one.until is not None:
                        ends = one.until.astimezone(JST)
                        last = max(moment, ends - timedelta(seconds=1))
                        assert one.reason not in naive.refusals(standing, name, ends, *asked)
                        # an excluded non-weekday in between is nothing the attempt is kept from
                        if one.reason is not Reason.KEPT_FOR_NON_WEEKDAY:
                            assert one.reason in naive.refusals(standing, name, last, *asked)
    return reached

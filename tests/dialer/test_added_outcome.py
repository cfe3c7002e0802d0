"""An outcome added by a profile, without code: offered, saved, folded, counted and reported (§8(4))."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from db.session import Sessions
from dialer.months import Months
from dialer.reports.daily import daily_of, write_daily
from dialer.results import Results
from dialer.sheets import Sheets
from dialer.web.case_models import ResultIn
from dialer.web.outcomes import outcomes_of
from rules.profile import ProfileError
from rules.profile_file import parse_profile
from rules.result import ResultRefusedError
from tests.db.town import KEYS, NOON, OPERATOR, Town, at
from tests.dialer.fakes import StillClock
from tests.dialer.ordered import MOVED_ABROAD, SHIPPED, ordered, text

YESTERDAY = NOON - timedelta(days=1)


async def months_of(town: Town) -> Months:
    months = Months()
    async with town.sessions.read() as session:
        await months.reload(session, NOON)
    return months


@pytest.fixture
async def months(town: Town) -> Months:
    await ordered(town, text(MOVED_ABROAD), NOON.date(), NOON)
    return await months_of(town)


def said(attempt: str) -> ResultIn:
    return ResultIn(attempt_id=attempt, outcome="moved_abroad")


async def test_the_operator_is_offered_it_from_its_day_on(
    sessions: Sessions, town: Town, months: Months
) -> None:
    profile = Sheets(sessions, months).profile(None)
    assert profile is not None
    offered = outcomes_of(profile, ())
    [one] = [one for one in offered.outcomes if one.code == "moved_abroad"]
    assert (one.label, one.clause, one.needs) == ("国外転出", "8(4)エ", ())
    before = outcomes_of(profile.on(YESTERDAY.date()), ())
    assert "moved_abroad" not in {one.code for one in before.outcomes}
    assert before.labels["moved_abroad"] == "国外転出"  # a history of the month may show it


async def test_its_result_is_saved_and_ends_the_case_under_its_clause(
    town: Town, months: Months
) -> None:
    case = await town.case("1", "0258000001", "0258000002")
    talk = await town.talk(await town.phone(case))
    results = Results(town.sessions, months, KEYS, StillClock(NOON + timedelta(minutes=3)))
    await results.save(OPERATOR, said(talk))
    assert await town.standing(case) == ("complete", "エ")
    assert (await town.phone(case)).counted == 1


async def test_a_call_of_the_day_before_cannot_have_it(town: Town, months: Months) -> None:
    case = await town.case("1", "0258000001")
    talk = await town.talk(await town.phone(case), YESTERDAY)
    results = Results(town.sessions, months, KEYS, StillClock(NOON))
    with pytest.raises(ResultRefusedError, match="登録されていません"):
        await results.save(OPERATOR, said(talk))


async def test_the_daily_report_counts_it_with_its_label_and_clause(
    town: Town, months: Months, tmp_path: Path
) -> None:
    case = await town.case("1", "0258000001")
    talk = await town.talk(await town.phone(case))
    results = Results(town.sessions, months, KEYS, StillClock(NOON + timedelta(minutes=3)))
    await results.save(OPERATOR, said(talk))
    month = months.get(town.campaign_id)
    async with town.sessions.read() as session:
        daily = await daily_of(session, month, NOON.date())
        before = await daily_of(session, month, YESTERDAY.date())
    written = write_daily(daily, month, tmp_path).read_text(encoding="utf-8-sig")
    assert "国外転出 §8(4)エ,1" in written.replace('"', "")
    assert daily.sums.counted == 1
    assert "国外転出" not in write_daily(before, month, tmp_path).read_text(encoding="utf-8-sig")


async def test_the_screens_contract_is_that_of_the_call_on_it(town: Town, months: Months) -> None:
    sheets = Sheets(town.sessions, months)
    line = type("Line", (), {})()
    line.campaign_id = town.campaign_id
    line.call = type("Call", (), {"placed_at": at("23 10:00")})()
    profile = sheets.profile(line)
    assert profile is not None
    assert "moved_abroad" not in profile.outcomes
    assert Sheets(town.sessions, Months()).profile(None) is None


def test_an_added_outcome_that_ends_a_case_needs_its_clause() -> None:
    told = text(MOVED_ABROAD).text.replace(
        '    clause: 8(4)エ\n    effect: complete\n    counted: "yes"\n    by: [operator]\n    callback',
        '    effect: complete\n    counted: "yes"\n    by: [operator]\n    callback',
    )
    assert told != SHIPPED.text
    with pytest.raises(ProfileError, match=r"outcomes\.moved_abroad: .*needs its clause"):
        parse_profile(told, SHIPPED.name)

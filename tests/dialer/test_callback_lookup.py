"""Who may be calling: found by number, reference and name; no more shown than identification needs."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.campaigns import CampaignState
from db.session import Sessions
from db.tables import Campaign, CaseRow
from dialer.callback_lookup import CALLS_SHOWN, caller_case, candidates, search, spellings
from dialer.errors import NotFoundError
from dialer.kanji import alike
from dialer.months import Months
from dialer.web.callback_models import FOUND_LIMIT, CaseBrief, SearchIn, SearchOut
from rules.case import CaseStatus, PhoneKind
from rules.result import ResultRefusedError
from tests.db.callers import TALKED, calls_us, is_recorded
from tests.db.town import KEYS, NOON, Town, at

NUMBER = "0258111111"
CALLBACK = "1790211600.17"


async def candidates_of(town: Town, number: str = NUMBER) -> tuple[CaseBrief, ...]:
    async with town.sessions.read() as session:
        return await candidates(session, KEYS.number(number))


async def find(town: Town, **wanted: str) -> SearchOut:
    async with town.sessions.read() as session:
        return await search(session, SearchIn(callback_id=CALLBACK, **wanted), KEYS)


async def names(town: Town, case_id: int, name: str, kana: str) -> None:
    async with town.sessions.write() as session:
        row = await session.get_one(CaseRow, case_id)
        row.name, row.kana = name, kana


def references(found: tuple[CaseBrief, ...]) -> list[str]:
    return [one.reference for one in found]


async def test_the_number_finds_its_case_and_the_others_of_the_household_apart(town: Town) -> None:
    await town.case("2", "0258222222", household="H")
    own = await town.case("3", NUMBER, household="H")
    await town.case("4", "0258333333")
    found = await candidates_of(town)
    assert [(one.reference, one.same_household) for one in found] == [("3", False), ("2", True)]
    assert found[0] == CaseBrief(
        case_id=own,
        campaign="2026-09",
        reference="3",
        name="星野　架空",
        kana="ホシノ カクウ",
        birth_date="1960-01-01",
        status=CaseStatus.OPEN,
    )


async def test_a_number_two_cases_share_finds_both_as_their_own(town: Town) -> None:
    await town.case("2", NUMBER)
    await town.case("3", "0258222222", NUMBER)
    found = await candidates_of(town)
    assert [(one.reference, one.same_household) for one in found] == [("2", False), ("3", False)]


async def test_a_number_that_is_nobodys_finds_nobody(town: Town) -> None:
    await town.case("2", "0258222222")
    assert await candidates_of(town) == ()


async def test_a_case_that_is_over_is_found_and_told_as_such(town: Town) -> None:
    case = await town.case("2", NUMBER)
    async with town.sessions.write() as session:
        (await session.get_one(CaseRow, case)).status = CaseStatus.STOPPED.value
    (found,) = await candidates_of(town)
    assert found.status is CaseStatus.STOPPED


async def test_the_last_calls_are_shown_both_ways_newest_first(town: Town) -> None:
    case = await town.case("2", NUMBER)
    phone = await town.phone(case)
    for day in ("21", "22", "23"):
        await town.ring_out(phone, at(f"{day} 10:00"))
    callback = await calls_us(town, TALKED, at("23 11:00"), NUMBER)
    async with town.sessions.write() as session:
        await is_recorded(session, callback, case, "hung_up", at("23 11:03"))
    (found,) = await candidates_of(town)
    assert len(found.earlier) == CALLS_SHOWN
    assert [(one.at, one.outcome, one.phone_kind) for one in found.earlier] == [
        (at("23 11:00"), "hung_up", None),
        (at("23 10:00"), "no_answer", PhoneKind.FIXED),
        (at("22 10:00"), "no_answer", PhoneKind.FIXED),
    ]


@pytest.mark.parametrize(
    ("next_month", "shown"),
    [
        (CampaignState.RUNNING, ["2026-10"]),
        (CampaignState.DRAFT, ["2026-09"]),  # being prepared: it has called nobody yet
    ],
)
async def test_a_person_of_several_months_is_shown_with_the_newest_that_calls(
    town: Town, sessions: Sessions, next_month: CampaignState, shown: list[str]
) -> None:
    october = await Town(sessions).open("2026-10")
    async with sessions.write() as session:
        row = await session.get_one(Campaign, october.campaign_id)
        row.period_from, row.period_to = date(2026, 10, 21), date(2026, 10, 30)
        row.state = next_month.value
    await town.case("2", NUMBER, person="P")
    await october.case("2", "0258222222", person="P")  # another number by now
    assert [one.campaign for one in await candidates_of(town)] == shown


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"reference": "A-17"}, ["A-17"]),
        ({"reference": "\uff21-17"}, ["A-17"]),  # full width
        ({"reference": "A-1"}, []),  # the whole of it
        ({"number": "0258-22-2222"}, ["B-18"]),
        ({"number": "\uff10258222222"}, ["B-18"]),
        ({"number": "0258999999"}, []),
        ({"name": "星野"}, ["A-17", "C-19"]),
        ({"name": "星野架"}, ["A-17"]),  # the city's space does not count
        ({"name": "星野 架"}, ["A-17"]),  # nor does the operator's
        ({"name": "野"}, []),  # the beginning only
        ({"name": "ホシノ"}, ["A-17", "C-19"]),
        ({"name": "ほしの"}, ["A-17", "C-19"]),
        ({"name": "ﾎｼﾉ"}, ["A-17", "C-19"]),
        ({"name": "がっこう"}, ["B-18"]),  # which the city wrote in half width
        ({"name": "%"}, []),
        ({"name": "_"}, []),
    ],
)
async def test_a_search_finds_what_begins_so(
    town: Town, wanted: dict[str, str], found: list[str]
) -> None:
    await names(town, await town.case("A-17", NUMBER), "星野　架空", "ホシノ カクウ")
    await names(town, await town.case("B-18", "0258222222"), "学校　月子", "ｶﾞｯｺｳ ﾂｷｺ")
    await names(town, await town.case("C-19", "0258333333"), "星野　太郎", "ホシノ タロウ")
    result = await find(town, **wanted)
    assert references(result.cases) == found
    assert not result.more


ALIKE = [
    # what the city wrote, what else it may be typed as
    ("髙橋", ["高橋", "高槗"]),
    ("高橋", ["髙橋"]),
    ("山﨑", ["山崎", "山嵜"]),
    ("渡邊", ["渡辺", "渡邉", "渡邊"]),
    ("齊藤", ["斉藤", "斎藤", "齋藤"]),
    ("濵田", ["浜田", "濱田"]),
    ("廣澤　德眞", ["広沢 徳真", "廣沢徳眞"]),
    ("櫻井　惠", ["桜井恵"]),
    ("中島", ["中嶋", "中嶌"]),
    ("𠮷田", ["吉田"]),
    ("神谷神", ["神谷神"]),  # one of those that are there for the sake of old character sets
    ("神谷神", ["神谷神"]),
    ("SMITH Ａ", ["smith", "SmithＡ"]),
]


@pytest.mark.parametrize(("written", "typed"), ALIKE)
async def test_a_name_is_found_whichever_form_of_its_characters_is_typed(
    town: Town, written: str, typed: list[str]
) -> None:
    await names(town, await town.case("A-17", NUMBER), written, "カナ")
    await names(town, await town.case("B-18", "0258222222"), "別人", "カナ")
    for one in (written, written[:2], *typed):
        assert references((await find(town, name=one)).cases) == ["A-17"], one


async def test_a_long_name_can_be_looked_for(town: Town) -> None:
    name = "邊齋" * 30
    await names(town, await town.case("A-17", NUMBER), name, "カナ")
    assert references((await find(town, name="辺斉" * 30)).cases) == ["A-17"]


async def test_more_than_fit_are_told_and_not_sent(town: Town) -> None:
    for number in range(FOUND_LIMIT + 1):
        await town.case(f"{number:02}", f"02580000{number:02}")
    result = await find(town, name="星野")
    assert references(result.cases) == [f"{number:02}" for number in range(FOUND_LIMIT)]
    assert result.more


async def test_what_is_no_number_is_refused_without_repeating_it(town: Town) -> None:
    with pytest.raises(ResultRefusedError) as refused:
        await find(town, number="12-34")
    assert refused.value.field == "number"
    assert "12" not in refused.value.message


async def test_after_identification_all_of_the_case_is_shown(town: Town) -> None:
    case = await town.case("2", NUMBER, "0258222222", household="H")
    other = await town.case("3", "0258333333", household="H")
    await town.ring_out(await town.phone(case), at("23 10:00"))
    callback = await calls_us(town, TALKED, at("23 11:00"), NUMBER)
    async with town.sessions.write() as session:
        await is_recorded(session, callback, other, "person_incomplete", at("23 11:03"))
    months = Months()
    async with town.sessions.read() as session:
        await months.reload(session, NOON)
        opened = await caller_case(session, case, months)
        with pytest.raises(NotFoundError):
            await caller_case(session, case + 100, months)
    assert (opened.reference, opened.campaign, opened.amount_yen) == ("2", "2026-09", 12300)
    assert [phone.number for phone in opened.phones] == [NUMBER, "0258222222"]
    assert [(one.at, one.outcome) for one in opened.history] == [(at("23 10:00"), "no_answer")]
    # who called us for the household is told, too (rule 10)
    assert [(one.at, one.outcome) for one in opened.household] == [
        (at("23 11:00"), "person_incomplete")
    ]
    assert opened.ask_for_mobile


HIRAGANA = st.text(st.characters(min_codepoint=ord("ぁ"), max_codepoint=ord("ゔ")), min_size=1)


@given(HIRAGANA)
def test_kana_are_spelled_in_every_way_whichever_is_typed(typed: str) -> None:
    spelled = spellings(typed)
    for one in spelled:
        assert typed in spellings(one), one


@given(st.text(min_size=1).filter(str.strip))
def test_a_spelling_has_no_spaces_and_is_never_empty(typed: str) -> None:
    for one in spellings(typed):
        assert one
        assert one == "".join(one.split())


@given(st.characters())
def test_every_character_is_like_itself_and_those_like_it_are_like_each_other(one: str) -> None:
    assert one in alike(one)
    if unicodedata.category(one) == "Lo":
        assert {alike(other) for other in alike(one)} == {alike(one)}


DIFFERENT = ["叶葉", "谷穀", "予余", "里裏", "後后", "千干", "斗闘", "沈瀋"]


@pytest.mark.parametrize("pair", DIFFERENT)
def test_characters_that_are_one_in_chinese_only_are_different_names(pair: str) -> None:
    assert pair[1] not in alike(pair[0])

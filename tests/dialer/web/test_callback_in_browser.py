"""An operator with a caller, in a real browser on the real page; only the service behind it is played."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from fastapi import FastAPI
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from dialer.settings import Http
from dialer.web.callback_models import CallbackCloseIn, CallbackResultIn, CloseKind, SearchOut
from dialer.web.server import WebServer
from rules.case import CaseStatus
from rules.operator_state import State
from scripts.asterisk.ports import free_port
from tests.dialer.web.fake import CALLBACK_ID, TOKEN, FakeDesk, a_brief, a_call, a_callback

LONG_MS = 60_000
"""Whatever must be seen may take so long: how soon it is is not what these tests are about."""
expect.set_options(timeout=LONG_MS)
ANSWERING_MACHINE = "留守番電話・伝言あり"
"""An outcome of calls alone."""
CHROMIUM = shutil.which("chromium")
NO_BROWSER = "needs a browser: apt-get install chromium (scripts/test does)"
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER),
    pytest.mark.asyncio(loop_scope="module"),  # one browser for all
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A browser without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
            timeout=LONG_MS,
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def address(app: FastAPI, desk: FakeDesk) -> AsyncIterator[str]:
    """The page's address while it is served."""
    port = free_port()
    server = WebServer(app, Http(port=port))
    serving = asyncio.create_task(server.run())
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        break
    yield f"http://127.0.0.1:{port}/"
    desk.becomes(State.PAUSED)  # polls that wait end
    await server.stop()
    await serving


@pytest_asyncio.fixture(loop_scope="module")
async def page(address: str, browser: Browser) -> AsyncIterator[Page]:
    """The page, signed in; whatever the browser complains of fails the test."""
    complaints: list[str] = []
    page = await browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(LONG_MS)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.extend(personal_in(request.url)))
    await page.goto(address)
    await page.get_by_label("トークン").fill(TOKEN)
    await page.get_by_role("button", name="開始", exact=True).click()
    await expect(page.locator("#desk")).to_be_visible()
    yield page
    await page.close()
    assert complaints == []


def personal_in(url: str) -> list[str]:
    """The address, if it says anything but what is asked for and since when."""
    plain = re.fullmatch(r"http://[0-9.:]+/(static/|api/)?[a-z./]*(\?since=\d+&wait=\d+)?", url)
    return [] if plain or url.startswith("data:") else [url]


def caller(page: Page) -> Locator:
    return page.get_by_role("region", name="折り返し電話")


def result_form(page: Page) -> Locator:
    return page.get_by_role("form", name="架電結果")


async def test_a_caller_is_identified_talked_to_and_recorded(page: Page, desk: FakeDesk) -> None:
    sister = a_brief(case_id=2, reference="202609000002", name="試験　月子", same_household=True)
    desk.becomes(State.TALKING, callback=a_callback(candidates=(a_brief(), sister)))
    section = caller(page)
    await expect(section).to_contain_text("0258000001")
    await expect(section).to_contain_text("0258100001")
    first, second = (section.get_by_role("listitem").nth(n) for n in (0, 1))
    await expect(first).to_contain_text("試験　花子(シケン ハナコ)")
    await expect(first).to_contain_text("1970/01/02")
    await expect(first).to_contain_text("固定 応答なし")
    await expect(first).not_to_contain_text("同じ世帯")
    await expect(second).to_contain_text("同じ世帯の別の人")
    # nothing of the case before the person is known
    await expect(page.locator("body")).not_to_contain_text("12,300円")
    await expect(page.locator("body")).not_to_contain_text("長岡市試験町")
    await expect(result_form(page)).to_be_hidden()

    await first.get_by_role("button", name="本人確認ができました").click()
    await expect(page.get_by_role("region", name="案件")).to_contain_text("12,300円")
    await expect(page.get_by_role("region", name="案件")).to_contain_text("長岡市試験町1番")
    await expect(section.get_by_role("listitem")).to_have_count(0)
    form = result_form(page)
    await expect(form.get_by_role("heading")).to_have_text("折り返し電話の結果")
    await expect(form.get_by_label(ANSWERING_MACHINE)).to_have_count(0)

    await page.get_by_role("button", name="電話を切る").click()
    await expect(page.locator("#state")).to_have_text("後処理中")
    await form.get_by_label("本人・完了").check()
    await form.get_by_label("スクリプトを最後まで話した").check()
    await form.get_by_label("メモ").fill("来月払う")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#state")).to_have_text("待機中")
    await expect(section).to_be_hidden()
    assert ("identify", "201", CALLBACK_ID, 1) in desk.asked
    (saved,) = (one[2] for one in desk.asked if one[0] == "save_callback")
    assert isinstance(saved, CallbackResultIn)
    assert (saved.callback_id, saved.case_id) == (CALLBACK_ID, 1)
    assert (saved.outcome, saved.script_finished, saved.note) == ("person_done", True, "来月払う")

    await page.get_by_role("button", name="この結果を訂正").click()
    await expect(form.get_by_role("heading")).to_contain_text("折り返し電話の結果の訂正")
    await expect(form.get_by_label("メモ")).to_have_value("来月払う")
    await form.get_by_label("メモ").fill("来週払う")
    await page.keyboard.press("Control+Enter")
    await expect(form).to_be_hidden()
    ((who, corrected),) = (one[1:] for one in desk.asked if one[0] == "correct_callback")
    assert (who, corrected) == ("201", saved.model_copy(update={"note": "来週払う"}))


async def test_a_caller_without_number_is_found_by_name(page: Page, desk: FakeDesk) -> None:
    desk.found = SearchOut(cases=(a_brief(),), more=True)
    desk.becomes(State.TALKING, callback=a_callback(number=None, candidates=()))
    section = caller(page)
    await expect(section).to_contain_text("非通知")
    await expect(section).to_contain_text("番号が通知されていません")
    await section.get_by_label("検索する項目").select_option("氏名・カナ(前から)")
    await section.get_by_label("検索する言葉").fill("シケン")
    await section.get_by_role("button", name="検索").click()
    await expect(section).to_contain_text("ほかにもあります")
    # what was found stays, whatever else happens on the line
    await page.get_by_role("button", name="電話を切る").click()
    await expect(page.locator("#state")).to_have_text("後処理中")
    await section.get_by_role("button", name="本人確認ができました").click()
    await expect(page.get_by_role("region", name="案件")).to_contain_text("202609000001")
    (asked,) = (one[2] for one in desk.asked if one[0] == "search_cases")
    assert (asked.name, asked.reference, asked.number) == ("シケン", "", "")  # type: ignore[attr-defined]


async def test_a_search_that_finds_nobody_says_so(page: Page, desk: FakeDesk) -> None:
    desk.becomes(State.TALKING, callback=a_callback(candidates=()))
    section = caller(page)
    await expect(section).to_contain_text("不明な番号です")
    await section.get_by_label("検索する言葉").fill("だれか")
    await section.get_by_role("button", name="検索").click()
    await expect(section).to_contain_text("見つかりません")


async def test_the_wrong_person_can_be_put_right(page: Page, desk: FakeDesk) -> None:
    other = a_brief(case_id=2, reference="202609000002", name="試験　月子")
    desk.becomes(State.TALKING, callback=a_callback(candidates=(a_brief(), other)))
    section = caller(page)
    case = page.get_by_role("region", name="案件")
    await section.get_by_role("button", name="本人確認ができました").nth(0).click()
    await expect(case).to_contain_text("試験　花子")
    await section.get_by_role("button", name="本人確認をやり直す").click()
    await section.get_by_role("button", name="本人確認ができました").nth(1).click()
    await expect(case).to_contain_text("試験　月子")


@pytest.mark.parametrize(
    ("status", "before", "after"),
    [
        (CaseStatus.COMPLETE, "完了済み", "対応が完了しています"),
        (CaseStatus.STOPPED, "架電停止", "架電停止の指示がありました"),
        (CaseStatus.PAID, "納付確認済み", "納付が確認されました"),
        (CaseStatus.ESCALATED, "市の判断待ち", "市の判断を待っています"),
    ],
)
async def test_a_case_that_is_over_is_told_apart(
    page: Page, desk: FakeDesk, status: CaseStatus, before: str, after: str
) -> None:
    desk.becomes(State.TALKING, callback=a_callback(candidates=(a_brief(status=status),)))
    await expect(caller(page)).to_contain_text(before)
    await caller(page).get_by_role("button", name="本人確認ができました").click()
    await expect(page.locator("#warning")).to_contain_text(after)


async def test_a_callback_ends_without_a_case(page: Page, desk: FakeDesk) -> None:
    desk.becomes(State.AFTER_CALL_WORK, callback=a_callback(on_line=False, candidates=()))
    section = caller(page)
    await section.get_by_text("この電話を案件なしで終える").click()
    await section.get_by_label("理由").select_option("無関係・間違い")
    await section.get_by_label("メモ").fill("<b>間違い</b>")
    await section.get_by_role("button", name="案件なしで終える").click()
    await expect(page.locator("#state")).to_have_text("待機中")
    assert desk.asked[-1] == (
        "close_callback",
        "201",
        CallbackCloseIn(callback_id=CALLBACK_ID, kind=CloseKind.UNRELATED, note="<b>間違い</b>"),
    )


async def test_a_result_waits_for_the_end_of_the_line(page: Page, desk: FakeDesk) -> None:
    desk.becomes(State.TALKING, callback=a_callback())
    await caller(page).get_by_role("button", name="本人確認ができました").click()
    form = result_form(page)
    await form.get_by_label("本人・完了").check()
    await form.get_by_label("メモ").fill("まだ話しています")
    await form.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("alert").first).to_contain_text("通話を終えてから")
    await expect(form.get_by_label("メモ")).to_have_value("まだ話しています")


async def test_after_a_callback_a_call_has_all_its_outcomes_again(
    page: Page, desk: FakeDesk
) -> None:
    desk.becomes(State.TALKING, callback=a_callback())
    await caller(page).get_by_role("button", name="本人確認ができました").click()
    await expect(result_form(page).get_by_label(ANSWERING_MACHINE)).to_have_count(0)
    desk.becomes(State.TALKING, a_call())
    await expect(caller(page)).to_be_hidden()
    await expect(result_form(page).get_by_label(ANSWERING_MACHINE)).to_have_count(1)


async def test_what_the_caller_or_the_city_wrote_is_shown_as_text(
    page: Page, desk: FakeDesk
) -> None:
    name = "<img src=x onerror=alert(1)>"
    desk.becomes(State.TALKING, callback=a_callback(candidates=(a_brief(name=name),)))
    await expect(caller(page)).to_contain_text(name)
    await expect(caller(page).locator("img")).to_have_count(0)

"""The interface of an operator's screen."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import httpx
import pytest

from dialer.errors import AmiError, ConflictError, DatabaseError, NotFoundError
from dialer.profiles import parsed
from dialer.web.app import BODY_LIMIT
from dialer.web.case_models import ResultIn
from rules.operator_state import State
from rules.result import ResultRefusedError
from tests.dialer.ordered import MOVED_ABROAD, text
from tests.dialer.web.fake import FakeDesk, a_call

RESULT: dict[str, Any] = {
    "attempt_id": "11111111-1111-4111-8111-111111111111",
    "outcome": "person_done",
    "script_finished": True,
    "talk_results": ["promise"],
    "promise": {"due": "2026-10-15", "amount_yen": 12300, "method": "窓口"},
    "note": "来月払う",
}


@pytest.mark.parametrize(
    "header",
    [
        {},  # none
        {"Authorization": "Bearer "},  # empty
        {"Authorization": "Bearer token-of-202"},  # nobody's
        {"Authorization": "Basic token-of-201"},  # another scheme
        {"Authorization": b"Bearer token-of-201x"},  # nearly
        {"Authorization": "Bearer トークン".encode()},  # not ASCII
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/me"),
        ("GET", "/api/outcomes"),
        ("POST", "/api/ready"),
        ("POST", "/api/pause"),
        ("POST", "/api/break"),
        ("DELETE", "/api/break"),
        ("POST", "/api/progress"),
        ("POST", "/api/dial"),
        ("POST", "/api/skip"),
        ("POST", "/api/hangup"),
        ("POST", "/api/message"),
        ("POST", "/api/result"),
        ("PUT", "/api/result/x"),
    ],
)
async def test_nobody_without_an_operators_token_gets_in(
    client: httpx.AsyncClient, desk: FakeDesk, method: str, path: str, header: dict[str, Any]
) -> None:
    del client.headers["Authorization"]
    answer = await client.request(method, path, headers=header, json=RESULT)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["message"] == "トークンが正しくありません"
    assert desk.asked == []


async def test_the_screen_shows_the_case_of_the_talk(
    client: httpx.AsyncClient, desk: FakeDesk
) -> None:
    desk.becomes(State.TALKING, a_call(name="<b>花子</b>"))
    me = (await client.get("/api/me")).json()
    assert (me["state"], me["rev"]) == ("talking", 2)
    assert me["call"]["name"] == "<b>花子</b>"
    assert me["call"]["placed_at"] == "2026-09-24T01:00:00Z"


async def test_a_long_poll_answers_at_once_when_the_screen_has_changed_already(
    client: httpx.AsyncClient,
) -> None:
    answer = await asyncio.wait_for(client.get("/api/me?since=0&wait=25"), 20)
    assert answer.json()["rev"] == 1


async def test_a_long_poll_answers_when_the_screen_changes(
    client: httpx.AsyncClient, desk: FakeDesk
) -> None:
    poll = asyncio.create_task(client.get("/api/me?since=1&wait=25"))
    done, _ = await asyncio.wait([poll], timeout=0.05)
    assert not done
    desk.becomes(State.TALKING, a_call())
    assert (await asyncio.wait_for(poll, 30)).json()["state"] == "talking"


@pytest.mark.parametrize("wait", ["-1", "25.1", "nan", "inf", "long"])
async def test_a_long_poll_waits_no_longer_than_a_proxy_would(
    client: httpx.AsyncClient, wait: str
) -> None:
    answer = await client.get(f"/api/me?since=1&wait={wait}")
    assert (answer.status_code, answer.json()["field"]) == (422, "wait")


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("ready", "ready"),
        ("pause", "pause"),
        ("hangup", "hangup"),
        ("message", "leave_message"),
    ],
)
async def test_each_button_asks_the_desk_in_the_operators_name(
    client: httpx.AsyncClient, desk: FakeDesk, path: str, asked: str
) -> None:
    answer = await client.post(f"/api/{path}")
    assert answer.status_code == 200
    assert desk.asked == [(asked, "201")]
    assert answer.json()["rev"] == desk.present.rev


@pytest.mark.parametrize(
    ("method", "path", "body", "asked"),
    [
        ("POST", "break", {"in_s": 600}, ("announce_break", "201", 600)),
        ("POST", "break", {"in_s": 0}, ("announce_break", "201", 0)),
        ("DELETE", "break", None, ("announce_break", "201", None)),
        ("POST", "progress", {"step": 2}, ("progress", "201", 2, True)),
        ("POST", "progress", {"step": 0, "done": False}, ("progress", "201", 0, False)),
        ("POST", "dial", {"attempt_id": "a"}, ("dial", "201", "a")),
        ("POST", "skip", {"attempt_id": "a"}, ("skip", "201", "a")),
    ],
)
async def test_breaks_steps_of_the_script_and_offers_reach_the_desk(
    client: httpx.AsyncClient,
    desk: FakeDesk,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    asked: tuple[object, ...],
) -> None:
    answer = await client.request(method, f"/api/{path}", json=body)
    assert (answer.status_code, desk.asked) == (200, [asked])


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("break", {"in_s": -1}, "in_s"),
        ("break", {"in_s": 7201}, "in_s"),
        ("break", {}, "in_s"),
        ("progress", {"step": -1}, "step"),
        ("progress", {"step": 1, "don": False}, "don"),
        ("dial", {}, "attempt_id"),
        ("skip", {"attempt_id": None}, "attempt_id"),
    ],
)
async def test_a_break_step_or_offer_that_cannot_be_is_refused_by_field(
    client: httpx.AsyncClient, desk: FakeDesk, path: str, body: dict[str, Any], field: str
) -> None:
    answer = await client.post(f"/api/{path}", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert desk.asked == []


async def test_a_result_reaches_the_desk_whole(client: httpx.AsyncClient, desk: FakeDesk) -> None:
    assert (await client.post("/api/result", json=RESULT)).status_code == 200
    assert desk.asked == [("save_result", "201", ResultIn.model_validate(RESULT))]


async def test_a_correction_names_the_attempt_twice_and_both_must_agree(
    client: httpx.AsyncClient, desk: FakeDesk
) -> None:
    right = await client.put(f"/api/result/{RESULT['attempt_id']}", json=RESULT)
    wrong = await client.put("/api/result/another", json=RESULT)
    assert (right.status_code, wrong.status_code) == (200, 422)
    assert [what[0] for what in desk.asked] == ["correct_result"]


@pytest.mark.parametrize(
    ("error", "status", "message", "field"),
    [
        (
            ResultRefusedError("script_finished", "スクリプトの完了が必要です"),
            422,
            "スクリプトの完了が必要です",
            "script_finished",
        ),
        (ConflictError("すでに記録されています"), 409, "すでに記録されています", None),
        (NotFoundError("この架電はありません"), 404, "この架電はありません", None),
        # what the database or Asterisk says is for technicians, and not for the screen
        (
            DatabaseError("it is away"),
            503,
            "データベースにつながらず、記録できませんでした。もう一度押してください",
            None,
        ),
        (
            AmiError("it is away"),
            503,
            "電話交換機につながりません。もう一度押してください",
            None,
        ),
        (ValueError("花子"), 500, "内部の誤りです。管理者に知らせてください", None),
    ],
)
async def test_every_error_becomes_a_japanese_message(
    client: httpx.AsyncClient,
    desk: FakeDesk,
    error: Exception,
    status: int,
    message: str,
    field: str | None,
) -> None:
    desk.fails_with = error
    answer = await client.post("/api/result", json=RESULT)
    assert answer.status_code == status
    assert answer.json() == {"message": message, "field": field}
    assert ("Retry-After" in answer.headers) == (status == 503)


_FAILING_APP = """
import asyncio
import httpx
from dialer.logs import set_up_logs
from dialer.web.guard import Guard

async def failing(scope, receive, send):
    raise ValueError("試験　花子 0258000001")

async def ask():
    transport = httpx.ASGITransport(Guard(failing))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        print((await client.get("/")).status_code)

set_up_logs()
asyncio.run(ask())
"""


def test_an_unforeseen_error_is_logged_without_its_text() -> None:
    # a process of its own: logging is set up once per process
    done = subprocess.run([sys.executable, "-c", _FAILING_APP], capture_output=True, text=True)
    assert done.stdout.strip() == "500"
    assert "request_failed" in done.stderr
    assert "ValueError" in done.stderr
    assert "花子" not in done.stderr
    assert "0258000001" not in done.stderr


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"outcome": 3}, "outcome"),
        ({"outcome": "x" * 33}, "outcome"),
        ({"script_finished": "maybe"}, "script_finished"),
        ({"appointment": "2026-09-25T10:00:00"}, "appointment"),  # no time zone
        ({"scope": "household"}, "scope"),
        ({"note": "あ" * 2001}, "note"),
        ({"new_phone": "0258-00-0001"}, "new_phone"),  # digits only
        ({"new_phone": "０２５８０００００１"}, "new_phone"),
        ({"new_phone": "0258000001\r\nX: y"}, "new_phone"),
        ({"new_phone": "0258000001\n"}, "new_phone"),
        ({"promise": {"due": "2026-10-15", "amount_yen": 0}}, "promise.amount_yen"),
        ({"script_finishd": True}, "script_finishd"),  # a misspelt mark is not lost in silence
    ],
)
async def test_a_malformed_entry_is_refused_by_field_and_not_repeated(
    client: httpx.AsyncClient, desk: FakeDesk, changes: dict[str, Any], field: str
) -> None:
    answer = await client.post("/api/result", json=RESULT | changes)
    assert answer.status_code == 422
    assert answer.json() == {"message": "入力の形が正しくありません", "field": field}
    assert desk.asked == []


async def test_a_body_beyond_the_limit_is_refused(
    client: httpx.AsyncClient, desk: FakeDesk
) -> None:
    answer = await client.post("/api/result", content=b" " * (BODY_LIMIT + 1))
    assert answer.status_code == 413
    assert desk.asked == []


async def test_the_outcomes_are_those_an_operator_can_know(client: httpx.AsyncClient) -> None:
    offered = (await client.get("/api/outcomes")).json()
    outcomes = {one["code"]: one for one in offered["outcomes"]}
    assert "no_answer" not in outcomes  # only the line knows how long it rang
    assert offered["labels"]["no_answer"] == "応答なし"
    assert outcomes["household_done"]["needs"] == ["same_household", "offered", "script_finished"]
    assert outcomes["long_absence"]["scopes"] == ["case", "phone"]
    assert outcomes["third_party"]["appointment"] is True
    assert offered["criteria"] == [{"id": 1, "label": "苦情の申出"}]
    assert "promise" in [one["code"] for one in offered["talk_results"]]
    assert offered["script"][0].keys() == {"title", "text", "share"}


async def test_every_answer_forbids_keeping_and_foreign_scripts(client: httpx.AsyncClient) -> None:
    for path in ("/", "/api/me", "/static/operator.js", "/nothing"):
        headers = (await client.get(path)).headers
        assert headers["Cache-Control"] == "no-store", path
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff", path


async def test_the_outcomes_are_those_of_the_contract_of_the_operators_call(
    client: httpx.AsyncClient, desk: FakeDesk
) -> None:
    shipped = (await client.get("/api/outcomes")).json()
    assert "moved_abroad" not in shipped["labels"]
    desk.contract = parsed(text(MOVED_ABROAD))
    offered = (await client.get("/api/outcomes")).json()
    assert offered["labels"]["moved_abroad"] == "国外転出"
    assert "moved_abroad" in {one["code"] for one in offered["outcomes"]}

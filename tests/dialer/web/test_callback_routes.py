"""What an operator's screen sends about a caller."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest

from dialer.errors import ConflictError, DatabaseError, NotFoundError
from dialer.profiles import load_profile
from dialer.web.callback_models import (
    FOUND_LIMIT,
    CallbackCloseIn,
    CallbackResultIn,
    CloseKind,
    SearchIn,
    SearchOut,
)
from rules.operator_state import State
from rules.result import ResultRefusedError
from tests.dialer.web.fake import CALLBACK_ID, FakeDesk, a_brief, a_callback

PERSON = "星野架空"
BODIES: dict[str, dict[str, Any]] = {
    "search": {"callback_id": CALLBACK_ID, "name": PERSON},
    "identify": {"callback_id": CALLBACK_ID, "case_id": 1},
    "result": {"callback_id": CALLBACK_ID, "case_id": 1, "outcome": "hung_up", "note": PERSON},
    "close": {"callback_id": CALLBACK_ID, "kind": "other", "note": PERSON},
}


@pytest.fixture
def desk() -> FakeDesk:
    made = FakeDesk()
    made.becomes(State.AFTER_CALL_WORK, callback=a_callback(on_line=False))
    return made


@pytest.mark.parametrize("path", BODIES)
async def test_nobody_without_an_operators_token_gets_in(
    client: httpx.AsyncClient, desk: FakeDesk, path: str
) -> None:
    del client.headers["Authorization"]
    answer = await client.post(f"/api/callback/{path}", json=BODIES[path])
    assert answer.status_code == 401
    assert desk.asked == []


async def test_the_screen_shows_the_caller_and_no_more_than_identification_needs(
    client: httpx.AsyncClient,
) -> None:
    me = (await client.get("/api/me")).json()
    assert (me["call"], me["callback"]["number"]) == (None, "0258000001")
    assert me["callback"]["case"] is None
    (candidate,) = me["callback"]["candidates"]
    assert set(candidate) == {
        "case_id", "campaign", "reference", "name", "kana", "birth_date", "status",
        "same_household", "earlier",
    }  # fmt: skip


@pytest.mark.parametrize("by", ["reference", "name", "number"])
async def test_a_search_is_by_one_thing_and_finds_what_the_desk_finds(
    client: httpx.AsyncClient, desk: FakeDesk, by: str
) -> None:
    desk.found = SearchOut(cases=(a_brief(),), more=True)
    answer = await client.post(
        "/api/callback/search", json={"callback_id": CALLBACK_ID, by: " 0258 "}
    )
    assert answer.status_code == 200
    assert SearchOut.model_validate_json(answer.content) == desk.found
    asked = SearchIn.model_validate({"callback_id": CALLBACK_ID, by: "0258"})
    assert desk.asked == [("search_cases", "201", asked)]


async def test_an_identified_case_opens(client: httpx.AsyncClient, desk: FakeDesk) -> None:
    answer = await client.post("/api/callback/identify", json=BODIES["identify"])
    assert answer.json()["callback"]["case"]["address"] == "長岡市試験町1番"
    assert desk.asked == [("identify", "201", CALLBACK_ID, 1)]


async def test_a_result_and_an_end_without_a_case_reach_the_desk_whole(
    client: httpx.AsyncClient, desk: FakeDesk
) -> None:
    whole = {
        **BODIES["result"],
        "script_finished": True,
        "appointment": "2026-09-25T10:00:00+09:00",
        "talk_results": ["promise"],
        "promise": {"due": "2026-10-15", "amount_yen": 12300, "method": "窓口"},
        "new_phone": "09011112222",
    }
    assert (await client.post("/api/callback/result", json=whole)).json()["state"] == "free"
    assert desk.asked == [("save_callback", "201", CallbackResultIn.model_validate(whole))]
    assert (await client.put("/api/callback/result", json=whole)).status_code == 200
    assert desk.asked[-1] == ("correct_callback", "201", CallbackResultIn.model_validate(whole))
    desk.becomes(State.AFTER_CALL_WORK, callback=a_callback(on_line=False))
    assert (await client.post("/api/callback/close", json=BODIES["close"])).status_code == 200
    closed = CallbackCloseIn(callback_id=CALLBACK_ID, kind=CloseKind.OTHER, note=PERSON)
    assert desk.asked[-1] == ("close_callback", "201", closed)


@pytest.mark.parametrize(
    ("path", "changes", "field"),
    [
        ("search", {"name": None}, "name"),
        ("search", {"name": ""}, None),  # by nothing
        ("search", {"name": "\u3000"}, None),
        ("search", {"number": "0258000001"}, None),  # by two
        ("search", {"name": PERSON * 100}, "name"),
        ("search", {"name": PERSON + "\x00"}, "name"),
        ("search", {"name": "\x1c"}, "name"),
        ("search", {"namae": PERSON}, "namae"),
        ("identify", {"case_id": PERSON}, "case_id"),
        ("result", {"note": PERSON * 1000}, "note"),
        ("result", {"new_phone": "+81258000001"}, "new_phone"),
        ("close", {"kind": PERSON}, "kind"),
        ("close", {"note": PERSON * 1000}, "note"),
        *((path, {"callback_id": "1.1; DROP"}, "callback_id") for path in BODIES),
        *((path, {"callback_id": "1" * 99}, "callback_id") for path in BODIES),
    ],
)
async def test_what_is_malformed_is_refused_in_japanese_and_never_repeated(
    client: httpx.AsyncClient,
    desk: FakeDesk,
    path: str,
    changes: dict[str, object],
    field: str | None,
) -> None:
    answer = await client.post(f"/api/callback/{path}", json=BODIES[path] | changes)
    assert answer.status_code == 422
    assert answer.json() == {"message": "入力の形が正しくありません", "field": field}
    assert PERSON not in answer.text
    assert desk.asked == []


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConflictError("通話中です"), 409),
        (NotFoundError("ありません"), 404),
        (ResultRefusedError("number", "電話番号として読めません"), 422),
        (DatabaseError("x"), 503),
        (RuntimeError(PERSON), 500),
    ],
)
async def test_a_refusal_is_told_by_its_code_in_japanese(
    client: httpx.AsyncClient, desk: FakeDesk, path: str, error: Exception, status: int
) -> None:
    desk.fails_with = error
    answer = await client.post(f"/api/callback/{path}", json=BODIES[path])
    assert answer.status_code == status
    assert answer.json()["message"]
    assert PERSON not in answer.text


async def test_only_outcomes_of_the_contract_that_fit_a_callback_are_marked_so(
    client: httpx.AsyncClient,
) -> None:
    outcomes = (await client.get("/api/outcomes")).json()["outcomes"]
    rules = load_profile("nagaoka-r8", date(2026, 9, 24)).outcomes
    marked = {one["code"]: one["callback"] for one in outcomes}
    assert marked == {code: rules[code].callback for code in marked}
    assert {True, False} == set(marked.values())


def test_a_search_never_sends_more_than_the_limit() -> None:
    with pytest.raises(ValueError, match="20"):
        SearchOut(cases=(a_brief(),) * (FOUND_LIMIT + 1), more=True)

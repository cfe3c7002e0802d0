"""Operators as robots: what they hear becomes the result they record."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest

from dialer.profiles import load_profile
from dialer.web.case_models import ResultIn
from rules.outcome import Recorder
from scripts.town import robots
from scripts.town.callers import Caller, Way
from scripts.town.people import Heard
from scripts.town.robots import Manner, RefusedError, Robot, in_a_while, result_of
from scripts.town.softphones import Softphone

CALL = {
    "attempt_id": "a1",
    "phone": "0258000001",
    "amount_yen": 43100,
    "answered_at": "2026-09-24T17:31:02+09:00",
}


@pytest.mark.parametrize("heard", [*Heard, None])
def test_every_result_is_one_that_an_operator_may_record(heard: Heard | None) -> None:
    profile = load_profile("nagaoka-r8", datetime(2026, 9, 24).date())  # noqa: DTZ001 - a day
    body = result_of(heard, CALL, random.Random(1))
    result = ResultIn.model_validate({"attempt_id": "a1", **body})
    rule = profile.outcomes[result.outcome]
    assert Recorder.OPERATOR in rule.by
    assert all(getattr(result, mark) for mark in rule.needs)
    assert result.appointment is None or rule.appointment
    assert set(result.talk_results) <= {known.code for known in profile.talk_results}


@pytest.mark.parametrize(
    ("answered", "appointment"),
    [
        ("2026-09-24T17:31:02+09:00", "2026-09-24T18:10:00+09:00"),
        ("2026-09-24T17:20:00+09:00", "2026-09-24T18:00:00+09:00"),
    ],
)
def test_an_appointment_is_some_forty_minutes_later(answered: str, appointment: str) -> None:
    at = datetime.fromisoformat(answered)
    assert in_a_while(at) == datetime.fromisoformat(appointment)


class Service:
    """Answers a robot as the service would, by a script of screens; keeps what it was asked."""

    def __init__(self, *screens: dict[str, Any] | int) -> None:
        self.screens = list(screens)
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[bytes] = []
        self.over = asyncio.Event()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path))
        if request.content:
            self.bodies.append(request.content)
        if not self.screens:
            self.over.set()
            await asyncio.Event().wait()
        screen = self.screens.pop(0)
        if isinstance(screen, int):
            return httpx.Response(screen, json={"message": "今はできません"})
        return httpx.Response(
            200, json={"rev": len(self.asked), "call": None, "callback": None, **screen}
        )

    async def meets(
        self, heard: Heard | None, manner: Manner, caller: Caller | None = None
    ) -> None:
        """Let a robot work until the script is over."""
        client = httpx.AsyncClient(
            base_url="http://service", transport=httpx.MockTransport(self.answer)
        )
        robot = Robot(
            client, Softphone("201"), lambda number: heard, 1, manner, lambda number: caller
        )
        working = asyncio.create_task(robot.work())
        over = asyncio.create_task(self.over.wait())
        done, _ = await asyncio.wait({working, over}, return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        over.cancel()
        for task in done & {working}:
            task.result()


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robots, "_PAUSE_S", (0.0, 0.0))
    monkeypatch.setattr(robots, "_AGAIN_S", 0.0)


def at_once(_: random.Random) -> float:
    return 0.0


HURRIED = Manner(talk_s=at_once, short_talk_s=at_once, after_call_s=at_once, pause_share=0.0)
SCRIPT = {"script": [{"title": "名乗り", "text": "はい。"}, {"title": "用件", "text": "どうぞ。"}]}


TALKING = {"state": "talking", "call": CALL}
AFTER_CALL = {"state": "after_call_work", "call": CALL}
FREE = {"state": "free"}


@pytest.mark.parametrize(
    ("heard", "screens", "asked"),
    [
        # an operator who is not ready becomes so
        (None, [{"state": "paused"}, FREE], ["GET me", "POST ready", "GET me"]),
        # a talk: read the script and tick its steps, hang up, record, wait for the next
        (
            Heard.PERSON,
            [FREE, TALKING, SCRIPT, TALKING, TALKING, AFTER_CALL, FREE],
            [
                "GET me",
                "GET me",
                "GET outcomes",
                "POST progress",
                "POST progress",
                "POST hangup",
                "POST result",
                "GET me",
            ],
        ),
        # the person hangs up in the middle of the script
        (
            Heard.PERSON_REFUSING,
            [TALKING, SCRIPT, 409, AFTER_CALL, FREE],
            ["GET me", "GET outcomes", "POST progress", "GET me", "POST result", "GET me"],
        ),
        # an answering machine: leave the message, free at once
        (Heard.MACHINE, [TALKING, FREE], ["GET me", "POST message", "GET me"]),
        # the person hung up first: the result is recorded all the same
        (
            Heard.NOBODY,
            [TALKING, 409, AFTER_CALL, FREE],
            ["GET me", "POST hangup", "GET me", "POST result", "GET me"],
        ),
        # the service is away for a moment: the same again
        (
            Heard.STRANGER,
            [AFTER_CALL, 503, FREE],
            ["GET me", "POST result", "POST result", "GET me"],
        ),
        # the case is not on the screen yet
        (
            Heard.NOBODY,
            [{"state": "talking"}, AFTER_CALL, FREE],
            ["GET me", "GET me", "POST result", "GET me"],
        ),
        # the time for after-call work ran out: the result is still owed
        (Heard.FAX, [{**AFTER_CALL, "state": "paused"}, FREE], ["GET me", "POST result", "GET me"]),
    ],
)
async def test_a_robot_does_what_its_screen_asks_for(
    heard: Heard | None, screens: list[dict[str, Any] | int], asked: list[str]
) -> None:
    service = Service(*screens)
    await service.meets(heard, HURRIED)
    assert [f"{method} {path.removeprefix('/api/')}" for method, path in service.asked] == asked


CALLER: dict[str, Any] = {
    "callback_id": "1.1",
    "number": "0258000001",
    "candidates": [],
    "case": None,
}
KNOWN = {**CALLER, "candidates": [{"case_id": 7}]}
OPENED = {**KNOWN, "case": {"case_id": 7}}
CALLS_US = {"state": "talking", "callback": CALLER}
CALLED_US = {"state": "after_call_work", "callback": CALLER}


@pytest.mark.parametrize(
    ("reference", "screens", "asked", "said"),
    [
        # their number tells who it is
        (
            None,
            [{**CALLS_US, "callback": KNOWN}, CALLS_US, {**CALLED_US, "callback": OPENED}, FREE],
            ["GET me", "POST callback/identify", "POST hangup", "POST callback/result", "GET me"],
            {"callback_id": "1.1", "case_id": 7},
        ),
        # they are still being looked up
        (
            None,
            [{**CALLS_US, "callback": {**CALLER, "candidates": None}}, CALLS_US, CALLED_US, FREE],
            ["GET me", "GET me", "POST hangup", "POST callback/close", "GET me"],
            {"callback_id": "1.1", "kind": "unrelated"},
        ),
        # no number is shown: they tell their reference
        (
            "202609000001",
            [CALLS_US, {"cases": [{"case_id": 8}]}, CALLS_US, CALLED_US, FREE],
            [
                "GET me",
                "POST callback/search",
                "POST callback/identify",
                "POST hangup",
                "POST callback/close",
                "GET me",
            ],
            {"callback_id": "1.1", "reference": "202609000001"},
        ),
        # the time for after-call work ran out: the result is still owed
        (
            None,
            [{"state": "paused", "callback": OPENED}, FREE],
            ["GET me", "POST callback/result", "GET me"],
            {
                "callback_id": "1.1",
                "case_id": 7,
                "outcome": "person_done",
                "script_finished": True,
            },
        ),
    ],
)
async def test_a_robot_finds_out_who_calls_and_records_it(
    reference: str | None, screens: list[dict[str, Any] | int], asked: list[str], said: object
) -> None:
    service = Service(*screens)
    caller = Caller(way=Way.TALKS, number=CALLER["number"], reference=reference)
    await service.meets(None, HURRIED, caller)
    assert [f"{method} {path.removeprefix('/api/')}" for method, path in service.asked] == asked
    assert json.loads(service.bodies[0]) == said


async def test_a_refused_result_is_an_error_and_not_tried_again() -> None:
    service = Service(AFTER_CALL, 422)
    with pytest.raises(RefusedError, match="422"):
        await service.meets(Heard.PERSON, HURRIED)


@pytest.mark.parametrize("step", range(len(SCRIPT["script"])))
async def test_the_steps_of_the_script_are_ticked_in_their_order(step: int) -> None:
    service = Service(TALKING, SCRIPT, TALKING, TALKING, FREE)
    await service.meets(Heard.FAMILY_OFFERING, HURRIED)
    assert json.loads(service.bodies[step]) == {"step": step}


async def test_an_operator_announces_one_break_and_takes_it() -> None:
    service = Service(AFTER_CALL, AFTER_CALL, AFTER_CALL, {"state": "paused"}, AFTER_CALL, FREE)
    await service.meets(Heard.FAX, replace(HURRIED, break_after=2))
    assert [path for method, path in service.asked if method == "POST"] == [
        "/api/result",
        "/api/result",
        "/api/break",
        "/api/ready",
        "/api/result",
    ]


async def test_each_talk_has_its_words_though_those_of_the_talk_before_still_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[asyncio.Event] = []

    async def say(_softphone: Softphone, _words: str) -> None:
        said.append(asyncio.Event())
        await said[-1].wait()

    monkeypatch.setattr(Softphone, "say", say)

    async def said_after(talks: int) -> int:
        """How often the words were begun, so many more talks later."""
        for _ in range(talks):
            robot._speak()
        for _ in range(5):
            await asyncio.sleep(0)
        return len(said)

    async with httpx.AsyncClient() as client:
        robot = Robot(client, Softphone("201"), lambda number: None, 1, HURRIED)
        assert await said_after(1) == 1
        # while they go on nothing is said over them; of two talks meanwhile the first is over
        assert await said_after(2) == 1
        said[0].set()
        assert await said_after(0) == 2
        said[1].set()
        assert await said_after(0) == 2
        assert await said_after(1) == 3
        said[2].set()
        await said_after(0)

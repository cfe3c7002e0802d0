"""`dialer callback …`: what a supervisor sees of those who called, and settles."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from db import callbacks, results
from db.callbacks import Arrived, Moved
from db.results import Recorded
from dialer.cli.callback import CAME_TO
from rules.calendar import JST
from rules.callback_end import CameTo
from rules.callback_state import State
from rules.case import Result
from tests.dialer.cli.conftest import Done, House

CALLED, NUMBER = "0258000001", "0258111111"
WHEN = datetime(2026, 9, 18, 10, 0, tzinfo=JST)
TALK, WISH, MESSAGE = "1.1", "1.2", "1.3"


def at(seconds: int) -> datetime:
    return WHEN + timedelta(seconds=seconds)


@pytest.fixture
def called(house: House) -> House:
    """Three callers on one day: one talked, one asked to be called back, one left a message."""

    async def work(session: AsyncSession) -> None:
        arrivals = [(TALK, 0, NUMBER), (WISH, 60, NUMBER), (MESSAGE, 120, None)]
        await callbacks.take(
            session,
            [
                Arrived(id=one, arrived_at=at(s), called=CALLED, number=number, number_key=number)
                for one, s, number in arrivals
            ],
        )
        await callbacks.record(
            session,
            [
                Moved(callback_id=TALK, seq=1, at=at(1), state=State.WAITING),
                Moved(callback_id=TALK, seq=2, at=at(13), state=State.TALKING, operator_id="201"),
                Moved(callback_id=TALK, seq=3, at=at(50), state=State.ENDED),
                Moved(callback_id=WISH, seq=1, at=at(90), state=State.ASKED_BACK),
            ],
        )
        await callbacks.not_reached(session, WISH, None, at=at(91), asked=True)
        await callbacks.add_message(session, MESSAGE, file="1.3.wav", seconds=9, at=at(140))

    assert house.run("operator", "add", "201", "--name", "試験").status == 0
    house.do(work)
    return house


def in_json(house: House, *arguments: str) -> Any:
    done = house.run("callback", *arguments, "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)


def listed(house: House, *arguments: str) -> Any:
    return in_json(house, "list", "--day", "2026-09-18", *arguments)


def test_a_days_callbacks_are_listed_in_words(called: House) -> None:
    talk, wish, message = listed(called)
    assert talk == {
        "id": TALK,
        "arrived_at": "2026-09-18T10:00:00+09:00",
        "called": CALLED,
        "came_to": "talked with an operator",
        "waited_s": 12,
        "operator": "201",
        "case": None,
        "result": "NOT RECORDED",
    }
    assert (wish["came_to"], message["came_to"]) == ("asked to be called back", "left a message")
    assert in_json(called, "list", "--day", "2026-09-19") == []


def test_every_end_of_a_callback_has_words() -> None:
    assert set(CAME_TO) == set(CameTo)


@pytest.mark.parametrize("verb", [["list", "--day", "2026-09-18"], ["wishes"], ["messages"]])
def test_a_callers_number_is_printed_only_when_asked_for(called: House, verb: list[str]) -> None:
    for how in ([], ["--json"]):
        plain = called.run("callback", *verb, *how)
        assert plain.status == 0
        assert NUMBER not in plain.out
        shown = called.run("callback", *verb, "--numbers", *how).out
        assert "withheld" in shown
        assert (NUMBER in shown) is (verb != ["messages"])


def test_wishes_and_messages_wait_until_they_are_settled(called: House) -> None:
    wish, message = in_json(called, "wishes")
    assert (wish["id"], wish["what"], wish["case"]) == (WISH, "call back", None)
    assert "find out who it is" in wish["to_do"]
    assert (message["id"], message["what"]) == (MESSAGE, "message of 9 s")
    assert said(called.run("callback", "done", WISH, "--by", "甲")) == "callback 1.2: done"
    assert said(called.run("callback", "heard", MESSAGE, "--by", "乙")).endswith("message heard")
    assert in_json(called, "wishes") == []
    (heard,) = in_json(called, "messages")
    assert (heard["heard_by"], heard["seconds"]) == ("乙", 9)
    assert heard["file"].endswith("/1.3.wav")
    # who settles a wish is no result of a talk
    assert [one["result"] for one in listed(called)] == ["NOT RECORDED", "done", None]


@pytest.mark.parametrize("verb", ["heard", "done"])
def test_what_is_not_there_cannot_be_settled(called: House, verb: str) -> None:
    done = called.run("callback", verb, TALK, "--by", "甲")
    assert done.status == 5
    assert done.err.startswith("dialer: callback 1.1: ")


def test_a_seat_for_callbacks_only_is_listed_as_such(house: House) -> None:
    add = ("operator", "add", "202", "--name", "管理者", "--callbacks-only")
    assert house.run(*add).status == 0
    assert "callbacks only" in house.run("operator", "list").out
    (row,) = json.loads(house.run("operator", "list", "--json").out)
    assert row["callbacks_only"] is True


def test_a_case_is_shown_with_the_calls_both_ways(called: House) -> None:
    period = ("--from", "2026-09-18", "--to", "2026-09-24")
    assert called.run("campaign", "create", "2026-09", *period).status == 0
    case = called.add_case("2026-09", "1")

    async def work(session: AsyncSession) -> None:
        recorded = Recorded(result=Result(outcome="hung_up"), at=at(60), by="201", note="雑音")
        await results.save_first_of_callback(session, TALK, case, recorded)

    called.do(work)
    (shown,) = json.loads(called.run("case", "show", "1", "--json").out)
    assert shown["calls"] == []
    assert shown["callbacks"] == [
        {
            "arrived_at": "2026-09-18T10:00:00+09:00",
            "outcome": "hung_up",
            "by": "201",
            "talk_results": [],
            "note": "雑音",
        }
    ]
    assert "雑音" in called.run("case", "show", "1").out


def said(done: Done) -> str:
    assert done.status == 0, done.err
    return done.out.strip()

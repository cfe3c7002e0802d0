"""What must hold of those who called us: each breach is found, and nothing where all is well."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.calendar import JST
from rules.callback_end import CameTo
from rules.case import Result
from scripts.town.callers import Caller, CallIn, Way
from scripts.town.callers_check import check_callers, check_callers_shown
from scripts.town.ears import Heard
from scripts.town.ledger import CarrierCall
from scripts.town.people import Behaviour, Kind, Line
from scripts.town.records import CallerRecord, Record

EVENING = datetime(2026, 9, 24, 18, 0, tzinfo=JST)
NIGHT = EVENING.replace(hour=21)
MORNING = EVENING.replace(day=25, hour=9)
NUMBER, OTHER = "0258000001", "0258000002"

ON_RECORD = "every call to us is on record, and the other way round"
WANTED = "it came to what the caller wanted"
TWICE = "nobody was connected twice"
IN_ORDER = "callers were served in the order of their arrival"
RECORDED = "every talk with a caller was recorded"
TAKEN = "every caller was taken within 2 s"
SOUNDS = "they heard what they should, and no other sounds than those of the list"
CALLED = "who asked to be called back was called"
FIRST = "who called at night was called first"


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def call_in(
    way: Way = Way.TALKS, at: datetime = EVENING, *sounds: str, number: str | None = NUMBER
) -> CallIn:
    return CallIn(
        caller=Caller(way=way, number=number),
        called="0258990001",
        dialled_at=at,
        dialled=0.0,
        picked_up=0.2,
        ended=20.0,
        ended_at=at + seconds(20),
        heard=Heard(sounds or ("wait", "operator")),
    )


def row(at: datetime = EVENING, number: str | None = NUMBER, **changes: Any) -> CallerRecord:
    record = CallerRecord(
        id="1.1",
        arrived_at=at + seconds(0.1),
        number=number,
        came_to=CameTo.TALKED,
        talks=1,
        assigned_at=at + seconds(5),
        waited=(at + seconds(0.2), at + seconds(5)),
        unrecorded=False,
    )
    return replace(record, **changes)


def ours(at: datetime, number: str = NUMBER, answered: float | None = 2.0) -> CarrierCall:
    return CarrierCall(
        number=number, caller_id="0258990001", kind=Kind.DAYTIME, nth=1, invited_at=at,
        behaviour=Behaviour(line=Line.RINGS, first_ring_s=1.0), invited=0.0, ringing=1.0,
        answered=answered, ended=9.0,
    )  # fmt: skip


def attempt(at: datetime, number: str) -> Record:
    """One for which an operator was held."""
    result = Result(outcome="person_done")
    return Record(
        attempt_id="a", case_id=1, number=number, placed_at=at, reserved=True, outcomes=1,
        result=result,
    )  # fmt: skip


def broken(
    calls: list[CallIn],
    rows: list[CallerRecord],
    called: list[CarrierCall] | None = None,
    records: list[Record] | None = None,
) -> list[str]:
    checks = check_callers(calls, rows, called or [], records or [])
    return [check.promise for check in checks if not check.held]


def test_a_caller_who_waited_and_talked_breaks_nothing() -> None:
    assert broken([call_in()], [row()]) == []


@pytest.mark.parametrize(
    ("call", "changes", "promise"),
    [
        (call_in(), {"came_to": CameTo.GAVE_UP}, WANTED),
        (call_in(), {"talks": 2}, TWICE),
        (call_in(), {"unrecorded": True}, RECORDED),
        (replace(call_in(), picked_up=None), {}, TAKEN),
        (replace(call_in(), picked_up=2.1), {}, TAKEN),
        # nobody spoke; and something else was heard
        (call_in(Way.TALKS, EVENING, "wait"), {}, SOUNDS),
        (replace(call_in(), heard=Heard(("operator",), 0.3)), {}, SOUNDS),
        # a click as the line is joined is none
        (replace(call_in(), heard=Heard(("operator",), 0.2)), {}, None),
    ],
)
def test_each_breach_is_found(call: CallIn, changes: dict[str, Any], promise: str | None) -> None:
    assert broken([call], [row(**changes)]) == ([promise] if promise else [])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], [ON_RECORD]),
        ([row(), row()], [ON_RECORD]),
        ([row(number=OTHER)], [ON_RECORD]),
        ([row(number=None)], [ON_RECORD]),
        ([row(EVENING + seconds(6))], [ON_RECORD]),
    ],
)
def test_a_call_and_its_record_belong_together(
    rows: list[CallerRecord], expected: list[str]
) -> None:
    assert broken([call_in()], rows) == expected


@pytest.mark.parametrize(
    ("assigned_s", "held"),
    [
        (6.0, True),
        # the earlier one, who has waited since 0.2 s, is found an operator at 5 s
        (4.0, False),
        # and had not entered the line yet
        (0.15, True),
    ],
)
def test_nobody_is_served_while_an_earlier_caller_waits(assigned_s: float, held: bool) -> None:
    second = row(EVENING + seconds(1), OTHER, id="1.2", assigned_at=EVENING + seconds(assigned_s))
    calls = [call_in(), call_in(Way.TALKS, EVENING + seconds(1), number=OTHER)]
    assert broken(calls, [row(), second]) == ([] if held else [IN_ORDER])


@pytest.mark.parametrize(
    ("called", "held"),
    [
        ([ours(EVENING + seconds(30))], True),
        ([], False),
        # not answered; another's; long after; and before they asked
        ([ours(EVENING + seconds(30), answered=None)], False),
        ([ours(EVENING + seconds(30), OTHER)], False),
        ([ours(MORNING)], False),
        ([ours(EVENING - seconds(30))], False),
    ],
)
def test_who_asked_to_be_called_back_has_to_be_called(
    called: list[CarrierCall], held: bool
) -> None:
    asked = call_in(Way.ASKS_BACK, EVENING, "wait", "asked-back")
    rows = [row(came_to=CameTo.ASKED_BACK, talks=0, assigned_at=None)]
    assert broken([asked], rows, called) == ([] if held else [CALLED])


@pytest.mark.parametrize(
    ("called", "records", "held"),
    [
        ([ours(EVENING, OTHER), ours(MORNING), ours(MORNING + seconds(1), OTHER)], [], True),
        ([ours(MORNING, OTHER), ours(MORNING + seconds(1))], [], False),
        ([], [], False),
        # an operator was held for the other: an appointment goes before
        (
            [ours(MORNING, OTHER), ours(MORNING + seconds(1))],
            [attempt(MORNING, OTHER)],
            True,
        ),
    ],
)
def test_who_called_at_night_is_called_before_others(
    called: list[CarrierCall], records: list[Record], held: bool
) -> None:
    listened = call_in(Way.LISTENS, NIGHT, "guidance", "next-open", "month-9")
    rows = [row(NIGHT, came_to=CameTo.GUIDANCE, talks=0, assigned_at=None, waited=None)]
    assert broken([listened], rows, called, records) == ([] if held else [FIRST])


def test_a_demo_has_to_show_every_kind_of_caller_and_several_at_once() -> None:
    def missing(calls: list[CallIn], rows: list[CallerRecord]) -> list[str]:
        checks = check_callers_shown(calls, rows, [NUMBER])
        return [reason for check in checks for reason in check.broken]

    everybody = [call_in(way) for way in Way]
    everybody += [call_in(number=None), call_in(number=OTHER)]
    assert missing(everybody, [row(), row()]) == []
    assert missing(everybody, [row(), row(MORNING)]) == ["no"]
    assert missing(everybody[1:-2], [row(), row()]) == [
        "talks",
        "a withheld number",
        "an unknown number",
    ]

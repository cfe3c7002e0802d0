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
from scripts.town.callers_check import check_callers, check_callers_shown, who_is_owed_a_call
from scripts.town.ears import Heard
from scripts.town.ledger import CarrierCall
from scripts.town.people import Behaviour, Kind, Line
from scripts.town.records import CallerRecord, Record

EVENING = datetime(2026, 9, 24, 18, 0, tzinfo=JST)
NIGHT = EVENING.replace(hour=21)
MORNING = EVENING.replace(day=25, hour=9)
END = MORNING.replace(hour=12)
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


def attempt(
    at: datetime, number: str = NUMBER, reserved: bool = False, outcome: str = "person_done"
) -> Record:
    return Record(
        attempt_id=f"{number} {at}", case_id=1, number=number, placed_at=at, reserved=reserved,
        outcomes=1, result=Result(outcome=outcome),
    )  # fmt: skip


LISTENED = call_in(Way.LISTENS, NIGHT, "guidance", "next-open", "month-9")
AT_NIGHT = row(NIGHT, came_to=CameTo.GUIDANCE, talks=0, assigned_at=None, waited=None)


ASKED = call_in(Way.ASKS_BACK, EVENING, "wait", "asked-back")
WISH = row(came_to=CameTo.ASKED_BACK, talks=0, assigned_at=None)


def broken(
    calls: list[CallIn],
    rows: list[CallerRecord],
    called: list[CarrierCall] | None = None,
    records: list[Record] | None = None,
    refused: set[tuple[str, datetime]] | None = None,
) -> list[str]:
    checks = check_callers(calls, rows, called or [], records or [], refused or set(), END)
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
        # on a busy machine it takes a while; but it cannot have come before it was dialled
        ([row(EVENING + seconds(9))], []),
        ([row(EVENING + seconds(10))], [ON_RECORD]),
        ([row(EVENING - seconds(0.2))], [ON_RECORD]),
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
    records = [attempt(one.invited_at, one.number) for one in called]
    assert broken([ASKED], [WISH], called, records) == ([] if held else [CALLED])


@pytest.mark.parametrize(
    ("refused", "held"),
    [
        # whenever somebody was called afterwards, and at the end: the case had ended before
        ({(NUMBER, MORNING), (NUMBER, END)}, True),
        # they could have been called once; at the end; and another's case had ended
        ({(NUMBER, END)}, False),
        ({(NUMBER, MORNING)}, False),
        ({(OTHER, MORNING), (OTHER, END)}, False),
    ],
)
def test_who_asked_to_be_called_back_need_not_be_if_the_rules_never_allow_it(
    refused: set[tuple[str, datetime]], held: bool
) -> None:
    # what was called before they asked tells nothing
    records = [attempt(EVENING, OTHER), attempt(MORNING, OTHER)]
    called = [ours(one.placed_at, one.number) for one in records]
    assert broken([ASKED], [WISH], called, records, refused) == ([] if held else [CALLED])


LATER = MORNING + seconds(1)


@pytest.mark.parametrize(
    ("records", "left", "held"),
    [
        # in the order in which they were placed; the order in which the carrier saw INVITEs
        # the evening's calls do not count
        ([attempt(EVENING, OTHER), attempt(MORNING), attempt(LATER, OTHER)], "010", True),
        ([attempt(MORNING, OTHER), attempt(LATER)], "10", False),
        ([attempt(EVENING)], "0", False),
        ([], "", False),
        # placed together: INVITEs may change places on their way, the order of placing may not
        ([attempt(MORNING), attempt(MORNING, OTHER)], "10", True),
        ([attempt(MORNING), attempt(MORNING, OTHER)], "01", True),
        ([attempt(MORNING, OTHER), attempt(MORNING)], "01", False),
        ([attempt(MORNING, OTHER), attempt(MORNING)], "10", False),
        # an operator was held for the other: an appointment goes before; not so another call to them
        ([attempt(MORNING, OTHER, True), attempt(LATER)], "01", True),
        ([attempt(MORNING, OTHER), attempt(LATER), attempt(LATER, OTHER, True)], "012", False),
        # the call to them failed: it was placed first, but they are still to be called first
        (
            [attempt(MORNING, outcome="failed"), attempt(MORNING, OTHER), attempt(LATER)],
            "-01",
            True,
        ),
        (
            [attempt(MORNING, OTHER), attempt(MORNING, outcome="failed"), attempt(LATER)],
            "0-1",
            False,
        ),
        ([attempt(MORNING, outcome="failed"), attempt(LATER, OTHER)], "-0", False),
        ([attempt(MORNING, outcome="failed")], "-", False),
        # and nobody was called before them by a call that failed
        ([attempt(MORNING, OTHER, outcome="failed"), attempt(LATER)], "-0", True),
    ],
)
def test_who_is_owed_a_call_is_called_before_others(
    records: list[Record], left: str, held: bool
) -> None:
    """`left`: the place of each call's INVITE among all, `-` for none."""
    invites = [
        (place, ours(one.placed_at + seconds(0.1), one.number))
        for one, place in zip(records, left, strict=True)
        if place != "-"
    ]
    called = [call for _, call in sorted(invites, key=lambda invite: invite[0])]
    assert broken([LISTENED], [AT_NIGHT], called, records) == ([] if held else [FIRST])


@pytest.mark.parametrize(
    ("refused", "is_called", "held"),
    [
        # as the other was called; at another time; and another number
        ({(NUMBER, MORNING)}, True, True),
        ({(NUMBER, LATER)}, True, False),
        ({(OTHER, MORNING)}, True, False),
        # not called at all: they could not be called to the last
        ({(NUMBER, MORNING), (NUMBER, END)}, False, True),
        ({(NUMBER, MORNING)}, False, False),
        ({(NUMBER, END)}, False, False),
    ],
)
def test_nobody_is_called_first_whom_the_rules_refused_then(
    refused: set[tuple[str, datetime]], is_called: bool, held: bool
) -> None:
    records = [attempt(MORNING, OTHER), *[attempt(LATER)] * is_called]
    called = [ours(one.placed_at, one.number) for one in records]
    expected = [] if held else [FIRST]
    assert broken([LISTENED], [AT_NIGHT], called, records, refused) == expected


@pytest.mark.parametrize(
    ("way", "at", "held"),
    [
        # who reached nobody before is owed a call as well; who talked, or called afterwards, is not
        (Way.LISTENS, NIGHT, True),
        (Way.GIVES_UP, EVENING, True),
        (Way.TALKS, EVENING, False),
        (Way.GIVES_UP, MORNING + seconds(2), False),
    ],
)
def test_who_is_owed_a_call_too_may_be_called_before(way: Way, at: datetime, held: bool) -> None:
    records = [attempt(MORNING + seconds(1), OTHER), attempt(MORNING + seconds(3))]
    records += [attempt(MORNING + seconds(4), OTHER)]
    called = [ours(one.placed_at, one.number) for one in records]
    other = call_in(way, at, number=OTHER)
    found = broken([LISTENED, other], [AT_NIGHT], called, records)
    assert (FIRST not in found) == held


def test_whose_answer_is_asked_for_are_those_who_is_owed_a_call_and_show_a_number() -> None:
    withheld = call_in(Way.LISTENS, NIGHT, number=None)
    assert who_is_owed_a_call([LISTENED, withheld, call_in(number=OTHER)]) == {NUMBER}


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

"""The self-check of a demo finds each kind of breach, and nothing where all is well."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rules.case import Result
from scripts.town.ledger import CarrierCall
from scripts.town.people import Behaviour, Kind, Line
from scripts.town.records import Record
from scripts.town.selfcheck import check_all, check_shown

JST = ZoneInfo("Asia/Tokyo")
THURSDAY = datetime(2026, 9, 24, 18, 0, tzinfo=JST)
SATURDAY = datetime(2026, 9, 26, 12, 0, tzinfo=JST)
POOL = ("0258990001", "0258990002")
NUMBER = "0258000001"


def call(at: datetime = THURSDAY, ring_s: float = 36.0, caller_id: str = POOL[0]) -> CarrierCall:
    """An unanswered call as the carrier saw it, with one second of set-up."""
    until = at + timedelta(seconds=1 + ring_s)
    return CarrierCall(
        number=NUMBER,
        caller_id=caller_id,
        kind=Kind.NEVER_ANSWERS,
        nth=1,
        behaviour=Behaviour(line=Line.RINGS, first_ring_s=1.0),
        invited_at=at,
        invited=0.0,
        ringing=1.0,
        ended=1.0 + ring_s,
        ended_at=until,
        rang_until_at=until,
    )


def record(at: datetime = THURSDAY, outcome: str | None = "no_answer", outcomes: int = 1) -> Record:
    return Record(
        attempt_id="a1",
        case_id=1,
        number=NUMBER,
        placed_at=at - timedelta(seconds=0.1),
        reserved=False,
        outcomes=outcomes,
        result=Result(outcome=outcome) if outcome else None,
    )


def broken(records: list[Record], calls: list[CarrierCall], twice: int = 0) -> list[str]:
    checks = check_all(
        records,
        calls,
        called_twice_at_once=twice,
        caller_ids=POOL,
        is_non_weekday=lambda moment: moment.weekday() >= 5,
    )
    return [check.promise for check in checks if not check.held]


def test_a_day_on_which_all_was_well_breaks_nothing() -> None:
    assert broken([record()], [call()]) == []


@pytest.mark.parametrize(
    ("records", "calls", "twice", "promise"),
    [
        # an attempt nobody told the outcome of, and one told twice
        ([record(outcome=None, outcomes=0)], [call()], 0, "every attempt has exactly one outcome"),
        ([record(outcomes=2)], [call()], 0, "every attempt has exactly one outcome"),
        # an INVITE more than attempts, or one at another time
        (
            [record()],
            [call(), call(THURSDAY + timedelta(seconds=1))],
            0,
            "every call at the carrier is one attempt, and the other way round",
        ),
        # an attempt with an outcome that needs a call, without one
        ([record()], [], 0, "every call at the carrier is one attempt, and the other way round"),
        ([record()], [call()], 1, "nobody was called twice at once"),
        # 34.9 s of ringing
        ([record()], [call(ring_s=34.9)], 0, "every no_answer rang for 35 s or more"),
        ([record()], [call(caller_id="anonymous")], 0, "the caller ID was always presented"),
        ([record()], [call(caller_id="0258990003")], 0, "the caller ID was always presented"),
    ],
)
def test_a_breach_is_found(
    records: list[Record], calls: list[CarrierCall], twice: int, promise: str
) -> None:
    assert broken(records, calls, twice) == [promise]


@pytest.mark.parametrize(
    ("gap_s", "expected"),
    [
        # from the end of the first call (37 s after its INVITE) to the INVITE of the second
        (0.0, []),
        (-0.1, ["nobody was called twice at once"]),
    ],
)
def test_two_telephones_of_a_case_may_not_be_called_at_once(
    gap_s: float, expected: list[str]
) -> None:
    at = THURSDAY + timedelta(seconds=37 + gap_s)
    second = replace(call(at), number="0608000001", invited=37 + gap_s, ringing=38.0, ended=80.0)
    records = [record(), replace(record(at), attempt_id="a2", number="0608000001")]
    assert broken(records, [call(), second]) == expected


def test_an_attempt_that_never_left_the_house_needs_no_call() -> None:
    assert broken([record(outcome="failed")], []) == []


def test_a_short_ring_of_a_failed_call_is_no_breach() -> None:
    assert broken([record(outcome="failed")], [call(ring_s=10)]) == []


MESSAGE = "whoever found no operator heard the courtesy message"
HELD = "and was called again, if at all, with an operator held for them"


@pytest.mark.parametrize(
    ("held_s", "hung_up", "expected"),
    [
        # two seconds of patience and five of the message at least
        (7.0, False, []),
        (6.9, False, [MESSAGE]),
        # whoever had enough of waiting may go
        (2.5, True, []),
    ],
)
def test_an_abandoned_person_has_to_hear_the_message(
    held_s: float, hung_up: bool, expected: list[str]
) -> None:
    answered = replace(call(), answered=5.0, ended=5.0 + held_s, hung_up=hung_up)
    assert broken([record(outcome="abandoned")], [answered]) == expected


@pytest.mark.parametrize(
    ("first", "outcome", "reserved", "expected"),
    [
        ("abandoned", "person_done", True, []),
        ("abandoned", "no_answer", True, []),
        # nobody held; and somebody held who did not take the call
        ("abandoned", "person_done", False, [HELD]),
        ("abandoned", "abandoned", True, [HELD]),
        # of any other call nothing is asked
        ("no_answer", "person_done", False, []),
    ],
)
def test_an_abandoned_person_is_called_again_with_an_operator_held(
    first: str, outcome: str, reserved: bool, expected: list[str]
) -> None:
    at = THURSDAY + timedelta(minutes=30)
    long = replace(call(), answered=5.0, ended=38.0)
    later = replace(call(at), invited=1800.0, ringing=1801.0, answered=1802.0, ended=1860.0)
    again = replace(record(at, outcome), attempt_id="a2", reserved=reserved)
    calls = [long if first == "abandoned" else call(), later]
    if outcome == "no_answer":
        calls[1] = replace(later, answered=None)
    assert broken([record(outcome=first), again], calls) == expected


@pytest.mark.parametrize(
    ("at", "held"),
    [
        # weekdays: 9:00 to 20:00; the ring lasts 37 s from the INVITE
        (THURSDAY.replace(hour=9, minute=0), True),
        (THURSDAY.replace(hour=8, minute=59, second=59), False),
        (THURSDAY.replace(hour=19, minute=59, second=23), True),
        (THURSDAY.replace(hour=19, minute=59, second=24), False),
        # non-weekdays: until 17:00
        (SATURDAY.replace(hour=16, minute=59, second=23), True),
        (SATURDAY.replace(hour=16, minute=59, second=24), False),
    ],
)
def test_nothing_may_ring_outside_the_hours(at: datetime, held: bool) -> None:
    expected = [] if held else ["nothing rang outside the hours"]
    assert broken([record(at)], [call(at)]) == expected


def test_a_demo_has_to_show_every_behaviour_a_third_attempt_and_a_weekend() -> None:
    def missing(calls: list[CarrierCall], kinds: set[Kind]) -> list[str]:
        checks = check_shown(calls, kinds, lambda moment: moment.weekday() >= 5)
        return [check.promise for check in checks if not check.held]

    three_days = [call(THURSDAY), call(THURSDAY + timedelta(days=1)), call(SATURDAY)]
    assert missing(three_days, {Kind.NEVER_ANSWERS}) == []
    assert missing(three_days, {Kind.NEVER_ANSWERS, Kind.FAX}) == [
        "every behaviour of the town occurred"
    ]
    assert missing([replace(c, number=str(n)) for n, c in enumerate(three_days)], set()) == [
        "a third attempt was made"
    ]
    assert missing([call(THURSDAY)] * 3, set()) == [
        "a third attempt was made",
        "somebody was called on a non-weekday",
    ]

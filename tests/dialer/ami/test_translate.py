"""Single events, also such as no recorded call has; whole calls are in `tests/traces`."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from panoramisk.message import Message

from dialer.ami.translate import (
    CallbackArrived,
    OperatorLeg,
    TrunkHint,
    caller_number,
    translate,
)
from rules import callback_events
from rules.call_events import (
    Answered,
    Connected,
    CourtesyStarted,
    EarlyMediaHeard,
    HungUp,
    MessageLeft,
    OperatorMissed,
    OriginateRefused,
    Rang,
)
from tests.rules.stories import at

OURS = "11111111-1111-4111-8111-111111111111"
CALLBACK = "1763838000.12"
NOW = at("24 10:00")
IT = {"attempt": OURS, "at": NOW}


def moment(attempt: str) -> datetime | None:
    return NOW if attempt == OURS else None


def callback_moment(callback: str) -> datetime | None:
    return NOW if callback == CALLBACK else None


def told(*, early_media_rings: bool = False, **headers: str) -> object:
    return translate(Message(headers), moment, callback_moment, early_media_rings=early_media_rings)


TABLE = [
    ({"Event": "DialState", "DestUniqueid": OURS, "DialStatus": "RINGING"}, Rang(**IT)),
    ({"Event": "DialState", "DestUniqueid": OURS, "DialStatus": "PROGRESS"}, EarlyMediaHeard(**IT)),
    ({"Event": "DialState", "DestUniqueid": OURS, "DialStatus": "PROCEEDING"}, None),
    ({"Event": "DialState", "DestUniqueid": "other", "DialStatus": "RINGING"}, None),
    ({"Event": "DialBegin", "DestUniqueid": OURS}, None),
    ({"Event": "DialEnd", "DestUniqueid": OURS, "DialStatus": "ANSWER"}, None),
    # our own answer is the dialplan's word: only then the person waits where we can join them
    ({"Event": "UserEvent", "UserEvent": "YobirinAnswered", "Attempt": OURS}, Answered(**IT)),
    (
        {"Event": "UserEvent", "UserEvent": "YobirinCourtesy", "Attempt": OURS},
        CourtesyStarted(**IT),
    ),
    ({"Event": "UserEvent", "UserEvent": "YobirinMessageStarted", "Attempt": OURS}, None),
    ({"Event": "UserEvent", "UserEvent": "YobirinMessageLeft", "Attempt": OURS}, MessageLeft(**IT)),
    (
        {
            "Event": "UserEvent",
            "UserEvent": "YobirinOperatorMissed",
            "Attempt": OURS,
            "Operator": "201",
        },
        OperatorMissed(**IT, operator="201"),
    ),
    ({"Event": "UserEvent", "UserEvent": "YobirinAnswered", "Attempt": "other"}, None),
    ({"Event": "UserEvent", "UserEvent": "SomebodyElses", "Attempt": OURS}, None),
    ({"Event": "UserEvent", "UserEvent": "YobirinAnswered"}, None),
    (
        {"Event": "NewConnectedLine", "Uniqueid": OURS, "ConnectedLineNum": "201"},
        Connected(**IT, operator="201"),
    ),
    ({"Event": "NewConnectedLine", "Uniqueid": OURS, "ConnectedLineNum": "<unknown>"}, None),
    ({"Event": "NewConnectedLine", "Uniqueid": "other", "ConnectedLineNum": "201"}, None),
    ({"Event": "Hangup", "Uniqueid": OURS, "Cause": "17"}, HungUp(**IT, cause=17)),
    ({"Event": "Hangup", "Uniqueid": OURS, "Cause": ""}, HungUp(**IT, cause=0)),
    ({"Event": "Hangup", "Uniqueid": OURS}, HungUp(**IT, cause=0)),
    ({"Event": "Hangup", "Uniqueid": OURS, "Cause": "-1"}, HungUp(**IT, cause=0)),
    ({"Event": "Hangup", "Uniqueid": "1795341245.9", "Cause": "16"}, None),
    (
        {"Event": "OriginateResponse", "ActionID": OURS, "Response": "Failure"},
        OriginateRefused(**IT),
    ),
    ({"Event": "OriginateResponse", "ActionID": OURS, "Response": "Success"}, None),
    ({"Event": "OriginateResponse", "ActionID": "other", "Response": "Failure"}, None),
    ({"Event": "AgentLogoff", "Agent": "201"}, OperatorLeg("201", up=False)),
    # a leg takes calls only from its first NOT_INUSE on
    ({"Event": "AgentLogin", "Agent": "201"}, None),
    (
        {"Event": "DeviceStateChange", "Device": "Agent:201", "State": "NOT_INUSE"},
        OperatorLeg("201", up=True),
    ),
    ({"Event": "DeviceStateChange", "Device": "Agent:201", "State": "INUSE"}, None),
    ({"Event": "DeviceStateChange", "Device": "Agent:201", "State": "UNAVAILABLE"}, None),
    (
        {"Event": "DeviceStateChange", "Device": "PJSIP/trunk", "State": "UNAVAILABLE"},
        TrunkHint(available=False),
    ),
    (
        {"Event": "DeviceStateChange", "Device": "PJSIP/trunk", "State": "INVALID"},
        TrunkHint(available=False),
    ),
    (
        {"Event": "DeviceStateChange", "Device": "PJSIP/trunk", "State": "INUSE"},
        TrunkHint(available=True),
    ),
    ({"Event": "DeviceStateChange", "Device": "PJSIP/201", "State": "UNAVAILABLE"}, None),
    ({"Event": "Shutdown"}, None),
]


@pytest.mark.parametrize(("headers", "expected"), TABLE)
def test_an_event_is_translated(headers: dict[str, str], expected: object) -> None:
    assert told(**headers) == expected


def test_early_media_is_ringing_on_a_trunk_that_rings_so() -> None:
    headers = {"Event": "DialState", "DestUniqueid": OURS, "DialStatus": "PROGRESS"}
    assert told(early_media_rings=True, **headers) == Rang(**IT)


NAMES = sorted({name for headers, _ in TABLE for name in headers})
WORDS = sorted({value for headers, _ in TABLE for value in headers.values()})


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(WORDS) | st.text(max_size=10)),
    st.booleans(),
)
def test_no_event_however_odd_raises_or_tells_of_another_attempt(
    headers: dict[str, str], early_media_rings: bool
) -> None:
    fact = told(early_media_rings=early_media_rings, **headers)
    if not isinstance(fact, OperatorLeg | TrunkHint | None):
        assert (fact.attempt, fact.at) == (OURS, NOW)
        assert OURS in headers.values()


def stage(name: str, detail: str = "", callback: str = CALLBACK, **more: str) -> dict[str, str]:
    event = {"Event": "UserEvent", "UserEvent": "YobirinCallback", "Callback": callback}
    return {**event, "Stage": name, "Detail": detail, **more}


THEIRS = {"callback": CALLBACK, "at": NOW}
CALLBACKS = [
    (stage("waiting"), callback_events.Queued(**THEIRS)),
    (stage("joining", "201"), None),  # that is what we ordered
    (stage("missed", "201"), callback_events.OperatorMissed(**THEIRS, operator="201")),
    (stage("talk", "201"), callback_events.TakenByQueue(**THEIRS, operator="201")),
    (stage("alone"), callback_events.LeftAlone(**THEIRS)),
    (stage("guidance", "a&b"), callback_events.GuidancePlayed(**THEIRS, sounds="a&b")),
    (stage("message"), callback_events.MessageBegun(**THEIRS)),
    (stage("recorded", "7"), callback_events.MessageRecorded(**THEIRS, seconds=7)),
    (stage("recorded", "-7"), callback_events.MessageRecorded(**THEIRS, seconds=0)),
    (stage("asked_back"), callback_events.AskedBack(**THEIRS)),
    (stage("ended", "waiting"), callback_events.HungUp(**THEIRS)),
    (stage("unheard of"), None),
    (stage("waiting", callback="1763838000.13"), None),  # not in hand
    (
        {"Event": "NewConnectedLine", "Uniqueid": CALLBACK, "ConnectedLineNum": "201"},
        callback_events.Connected(**THEIRS, operator="201"),
    ),
    ({"Event": "Hangup", "Uniqueid": CALLBACK, "Cause": "16"}, callback_events.HungUp(**THEIRS)),
    ({"Event": "Hangup", "Uniqueid": "1763838000.13", "Cause": "16"}, None),
    (
        stage("arrived", callback="1.2", Called="0258000101", Number="+81258000001"),
        CallbackArrived("1.2", "0258000101", "0258000001"),
    ),
    (stage("arrived", callback="1;2", Called="0258000101", Number=""), None),
]


@pytest.mark.parametrize(("event", "expected"), CALLBACKS)
def test_what_is_told_of_a_callback(event: dict[str, str], expected: object) -> None:
    assert told(**event) == expected


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("0258000001", "0258000001"),
        ("+81258000001", "0258000001"),
        ("+15550100", "+15550100"),
        ("", None),
        ("anonymous", None),
    ],
)
def test_a_callers_number_is_kept_as_dialled_in_japan(sent: str, kept: str | None) -> None:
    assert caller_number(sent) == kept
    assert "258" not in repr(CallbackArrived("1.2", "0258000101", kept))

"""Single events, also such as no recorded call has; whole calls are in `tests/traces`."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from panoramisk.message import Message

from dialer.ami.translate import OperatorLeg, TrunkHint, translate
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
NOW = at("24 10:00")
IT = {"attempt": OURS, "at": NOW}


def moment(attempt: str) -> datetime | None:
    return NOW if attempt == OURS else None


def told(*, early_media_rings: bool = False, **headers: str) -> object:
    return translate(Message(headers), moment, early_media_rings=early_media_rings)


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

"""What a real Asterisk 22 told of ten calls and five callers, translated into facts.

`record.py` says how the traces were recorded.
"""

from __future__ import annotations

import re
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from panoramisk.message import Message

from dialer.ami.translate import CallbackArrived, OperatorLeg, TrunkHint, translate
from rules import callback_events as called_us
from rules.call_events import (
    Answered,
    Connected,
    CourtesyStarted,
    EarlyMediaHeard,
    Fact,
    HungUp,
    MessageLeft,
    OperatorMissed,
    OriginateRefused,
    Rang,
)
from tests.rules.stories import at
from tests.traces.record import CALLBACK_SCENES, CALLER_ID, SCENES, attempt_of

FOLDER = Path(__file__).parent
NOW = at("24 10:00")


def events_of(trace: str) -> list[Message]:
    """The trace's events as the link delivers them."""
    text = (FOLDER / f"{trace}.txt").read_text(encoding="utf-8").strip()
    return [Message.from_line(event.replace("\n", "\r\n")) for event in text.split("\n\n")]


def nobody(_id: str) -> datetime | None:
    """None of them is ours."""
    return None


def translated(trace: str, *, early_media_rings: bool = False) -> list[object]:
    """What the trace's events tell, in their order."""

    def moment(attempt: str) -> datetime | None:
        return NOW if attempt == attempt_of(trace) else None

    told = [
        translate(e, moment, nobody, early_media_rings=early_media_rings) for e in events_of(trace)
    ]
    return [one for one in told if one is not None]


def facts_of(trace: str, *, early_media_rings: bool = False) -> list[Fact]:
    """The facts about the call; a failed Originate, which crosses the Hangup, left out."""
    told = translated(trace, early_media_rings=early_media_rings)
    return [one for one in told if not isinstance(one, OperatorLeg | TrunkHint | OriginateRefused)]


def fact(kind: type, trace: str, **more: object) -> Fact:
    return kind(attempt=attempt_of(trace), at=NOW, **more)


EXPECTED = {
    "no_answer": [(Rang, {}), (Rang, {}), (HungUp, {"cause": 16})],
    "rings_in_vain_to_busy": [(Rang, {}), (HungUp, {"cause": 17})],
    "busy": [(HungUp, {"cause": 17})],
    "unassigned": [(HungUp, {"cause": 1})],
    "suspended": [(EarlyMediaHeard, {}), (HungUp, {"cause": 19})],
    "no_line": [],
    "courtesy": [(Answered, {}), (CourtesyStarted, {}), (HungUp, {"cause": 16})],
    "operator_missed": [
        (Answered, {}),
        (OperatorMissed, {"operator": "202"}),
        (HungUp, {"cause": 0}),
    ],
    "talk": [(Rang, {}), (Answered, {}), (Connected, {"operator": "201"}), (HungUp, {"cause": 16})],
    "message": [
        (Answered, {}),
        (Connected, {"operator": "201"}),
        (MessageLeft, {}),
        (HungUp, {"cause": 16}),
    ],
}


CALLERS = {
    "callback_talk": [
        (called_us.Queued, {}),
        (called_us.Connected, {"operator": "201"}),
        (called_us.HungUp, {}),
    ],
    "callback_missed": [
        (called_us.Queued, {}),
        (called_us.OperatorMissed, {"operator": "202"}),
        (called_us.AskedBack, {}),
        (called_us.HungUp, {}),
    ],
    "callback_alone": [
        (called_us.LeftAlone, {}),
        (called_us.Connected, {"operator": "201"}),
        (called_us.TakenByQueue, {"operator": "201"}),
        (called_us.OperatorMissed, {"operator": "201"}),
        (called_us.LeftAlone, {}),
        (called_us.MessageBegun, {}),
        (called_us.HungUp, {}),
    ],
    "callback_message": [
        (called_us.MessageBegun, {}),
        (called_us.MessageRecorded, {"seconds": 2}),
        (called_us.HungUp, {}),
    ],
    "callback_guidance": [
        (called_us.GuidancePlayed, {"sounds": "guidance&next-open"}),
        (called_us.HungUp, {}),
    ],
}
ALL = [*EXPECTED, *CALLERS]


def callback_of(trace: str) -> str:
    """The only callback in it."""
    (callback,) = {event.callback for event in events_of(trace) if event.callback}
    return str(callback)


@pytest.mark.parametrize("trace", CALLERS)
def test_a_recorded_callers_life_is_told_as_its_facts_in_order(trace: str) -> None:
    callback = callback_of(trace)

    def moment(one: str) -> datetime | None:
        return NOW if one == callback else None

    told = [translate(e, nobody, moment, early_media_rings=False) for e in events_of(trace)]
    arrived, *facts = [
        one for one in told if one is not None and not isinstance(one, OperatorLeg | TrunkHint)
    ]
    assert isinstance(arrived, CallbackArrived)
    assert (arrived.callback, arrived.called) == (callback, CALLER_ID)
    assert (arrived.number is None) == (trace == "callback_guidance")
    # the end is told twice: by the dialplan, and by Asterisk
    assert facts == [
        kind(callback=callback, at=NOW, **more)
        for kind, more in [*CALLERS[trace], (called_us.HungUp, {})]
    ]


@pytest.mark.parametrize("trace", EXPECTED)
def test_a_recorded_call_is_told_as_its_facts_in_order(trace: str) -> None:
    assert facts_of(trace) == [fact(kind, trace, **more) for kind, more in EXPECTED[trace]]


def test_every_scene_is_recorded_and_expected() -> None:
    recorded = {path.stem for path in FOLDER.glob("*.txt")}
    assert recorded == set(ALL) == {s.__name__ for s in (*SCENES, *CALLBACK_SCENES)}


@pytest.mark.parametrize("trace", ["no_answer", "busy", "unassigned", "suspended", "no_line"])
def test_every_unanswered_call_ends_in_a_failed_originate(trace: str) -> None:
    refused = [one for one in translated(trace) if isinstance(one, OriginateRefused)]
    assert refused == [fact(OriginateRefused, trace)]


@pytest.mark.parametrize("trace", ["courtesy", "talk", "message", "operator_missed"])
def test_no_answered_call_does(trace: str) -> None:
    assert not [one for one in translated(trace) if isinstance(one, OriginateRefused)]


def test_early_media_is_ringing_where_the_trunks_profile_says_so() -> None:
    assert facts_of("suspended", early_media_rings=True)[0] == fact(Rang, "suspended")


def test_an_operators_leg_comes_and_goes_and_nothing_else_moves_it() -> None:
    legs = [one for one in translated("talk") if isinstance(one, OperatorLeg)]
    up, down = OperatorLeg("201", up=True), OperatorLeg("201", up=False)
    assert legs[0] == up  # ready for the first call
    assert legs[-1] == down  # logged off
    assert legs.count(down) == 1


def test_the_trunks_state_is_told() -> None:
    states = [one for one in translated("no_answer") if isinstance(one, TrunkHint)]
    # ringing, then a carrier that answers no OPTIONS
    assert states == [TrunkHint(available=True), TrunkHint(available=False)]


@pytest.mark.parametrize("trace", ALL)
def test_another_attempts_events_tell_nothing(trace: str) -> None:
    told = [translate(e, nobody, nobody, early_media_rings=False) for e in events_of(trace)]
    # of a caller nobody knows yet it is told that they call
    strangers = (OperatorLeg, TrunkHint, CallbackArrived)
    assert all(one is None or isinstance(one, strangers) for one in told)


@pytest.mark.parametrize("trace", ALL)
def test_a_trace_holds_no_number_but_those_that_belong_to_nobody(trace: str) -> None:
    text = (FOLDER / f"{trace}.txt").read_text(encoding="utf-8")
    numbers = re.findall(r"\b0\d{9,10}\b", text)
    assert all(re.fullmatch(r"025800\d{4}|0609999\d{4}", number) for number in numbers)


@pytest.mark.parametrize("trace", ALL)
def test_events_came_in_the_order_of_their_time_but_for_two_that_cross(trace: str) -> None:
    """A millisecond of disorder is what `rules.call_state` is built for; more is a fault."""
    stamps = [float(event.timestamp) for event in events_of(trace)]
    assert all(later - earlier > -0.05 for earlier, later in pairwise(stamps))

"""Pure translation: one event of Asterisk into one fact, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from panoramisk.message import Message

from dialer.ami import contract
from rules import call_events as facts
from rules import callback_events
from rules.callback_state import ID


@dataclass(frozen=True, slots=True)
class OperatorLeg:
    """An operator's nailed-up leg can take a call, or was hung up."""

    operator: str
    up: bool


@dataclass(frozen=True, slots=True)
class TrunkHint:
    """The trunk's device became available, or not: the latter may only mean "not asked yet"."""

    available: bool


@dataclass(frozen=True, slots=True, repr=False)
class CallbackArrived:
    """Somebody calls us. No repr: the number is personal."""

    callback: str
    called: str
    number: str | None
    """Trunk 0 first; None: withheld or unknown."""


Translated = facts.Fact | callback_events.Fact | CallbackArrived | OperatorLeg | TrunkHint
Moments = Callable[[str], datetime | None]
"""The moment, on the call's own steady time, for an attempt or a callback; None: not one of ours."""

_Plain = (
    callback_events.Queued
    | callback_events.LeftAlone
    | callback_events.MessageBegun
    | callback_events.AskedBack
    | callback_events.HungUp
)
"""Facts that tell no more than that they happened."""
_USER_EVENTS: dict[str, type[facts.Happened]] = {
    contract.EVENT_ANSWERED: facts.Answered,
    contract.EVENT_COURTESY: facts.CourtesyStarted,
    contract.EVENT_MESSAGE_LEFT: facts.MessageLeft,
}


def translate(
    event: Message, moment: Moments, callback_moment: Moments, *, early_media_rings: bool
) -> Translated | None:
    """What the event tells, or None if it is not about us.

    Args:
        moment: gives the time of the fact, and tells which attempts are ours.
        callback_moment: the same of callbacks.
        early_media_rings: whether 183 with audio is ringing on this trunk (§8(5)ア).
    """
    match event.event:
        case "DialState":
            return _dial_state(event, moment, early_media_rings=early_media_rings)
        case "UserEvent" if event.userevent == contract.EVENT_CALLBACK:
            return _callback_event(event, callback_moment)
        case "UserEvent":
            return _user_event(event, moment)
        case contract.EVENT_CONNECTED if event.connectedlinenum.isdecimal():
            return _connected(event, moment) or _caller_connected(event, callback_moment)
        case "Hangup":
            return _hung_up(event, moment) or _caller_hung_up(event, callback_moment)
        case "OriginateResponse":
            return _originate_response(event, moment)
        case "AgentLogoff":
            return OperatorLeg(event.agent, up=False)
        case "DeviceStateChange":
            return device_state(event)
    return None


def device_state(event: Message) -> OperatorLeg | TrunkHint | None:
    """What the state of a device tells; None: nothing new to us."""
    if event.device == f"PJSIP/{contract.TRUNK}":
        return TrunkHint(event.state not in ("UNAVAILABLE", "INVALID"))
    if event.device.startswith(contract.AGENT_DEVICE) and event.state == "NOT_INUSE":
        return OperatorLeg(event.device.removeprefix(contract.AGENT_DEVICE), up=True)
    return None


def _connected(event: Message, moment: Moments) -> facts.Fact | None:
    attempt = event.uniqueid
    at = moment(attempt)
    return facts.Connected(attempt=attempt, at=at, operator=event.connectedlinenum) if at else None


def _hung_up(event: Message, moment: Moments) -> facts.Fact | None:
    attempt = event.uniqueid
    at = moment(attempt)
    return facts.HungUp(attempt=attempt, at=at, cause=_number(event.cause)) if at else None


def _dial_state(event: Message, moment: Moments, *, early_media_rings: bool) -> facts.Fact | None:
    attempt = event.destuniqueid
    at = moment(attempt)
    if at is None:
        return None
    if event.dialstatus == "RINGING":
        return facts.Rang(attempt=attempt, at=at)
    if event.dialstatus == "PROGRESS":
        kind = facts.Rang if early_media_rings else facts.EarlyMediaHeard
        return kind(attempt=attempt, at=at)
    return None


def _user_event(event: Message, moment: Moments) -> facts.Fact | None:
    attempt = event.attempt
    at = moment(attempt)
    if at is None:
        return None
    if event.userevent == contract.EVENT_OPERATOR_MISSED:
        return facts.OperatorMissed(attempt=attempt, at=at, operator=event.operator)
    kind = _USER_EVENTS.get(event.userevent)
    return kind(attempt=attempt, at=at) if kind else None  # type: ignore[return-value]


def _originate_response(event: Message, moment: Moments) -> facts.Fact | None:
    """Every unanswered call fails so; whether it ever had a channel only its Hangup tells."""
    at = moment(event.actionid)
    if at is None or event.response != "Failure":
        return None
    return facts.OriginateRefused(attempt=event.actionid, at=at)


def caller_number(text: str) -> str | None:
    """A caller's number as we keep it: trunk 0 first; None: withheld or unknown."""
    national = "0" + text.removeprefix("+81") if text.startswith("+81") else text
    return national if national.isascii() and national.removeprefix("+").isdecimal() else None


def stage_fact(callback: str, stage: str, detail: str, at: datetime) -> callback_events.Fact | None:
    """What it means that the dialplan came to a stage with a callback; None: nothing new."""
    match stage:
        case contract.STAGE_MISSED:
            return callback_events.OperatorMissed(callback=callback, at=at, operator=detail)
        case contract.STAGE_TALK:
            return callback_events.TakenByQueue(callback=callback, at=at, operator=detail)
        case contract.STAGE_RECORDED:
            seconds = _number(detail)
            return callback_events.MessageRecorded(callback=callback, at=at, seconds=seconds)
        case contract.STAGE_GUIDANCE:
            return callback_events.GuidancePlayed(callback=callback, at=at, sounds=detail)
    kind = _STAGES.get(stage)
    return kind(callback=callback, at=at) if kind else None


_STAGES: dict[str, type[_Plain]] = {
    contract.STAGE_WAITING: callback_events.Queued,
    contract.STAGE_ALONE: callback_events.LeftAlone,
    contract.STAGE_MESSAGE: callback_events.MessageBegun,
    contract.STAGE_ASKED_BACK: callback_events.AskedBack,
    contract.STAGE_ENDED: callback_events.HungUp,
}


def _callback_event(event: Message, moment: Moments) -> Translated | None:
    callback = event.callback
    if not ID.fullmatch(callback):
        return None
    if event.stage == contract.STAGE_ARRIVED:
        return CallbackArrived(callback, event.called[:32], caller_number(event.number))
    at = moment(callback)
    return stage_fact(callback, event.stage, event.detail, at) if at else None


def _caller_connected(event: Message, moment: Moments) -> callback_events.Fact | None:
    callback, operator = event.uniqueid, event.connectedlinenum
    at = moment(callback)
    return callback_events.Connected(callback=callback, at=at, operator=operator) if at else None


def _caller_hung_up(event: Message, moment: Moments) -> callback_events.Fact | None:
    at = moment(event.uniqueid)
    return callback_events.HungUp(callback=event.uniqueid, at=at) if at else None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0

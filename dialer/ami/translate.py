"""Pure translation: one event of Asterisk into one fact, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from panoramisk.message import Message

from dialer.ami import contract
from rules import call_events as facts


@dataclass(frozen=True, slots=True)
class OperatorLeg:
    """An operator's nailed-up leg can take a call, or was hung up."""

    operator: str
    up: bool


@dataclass(frozen=True, slots=True)
class TrunkHint:
    """The trunk's device became available, or not: the latter may only mean "not asked yet"."""

    available: bool


Translated = facts.Fact | OperatorLeg | TrunkHint
Moments = Callable[[str], datetime | None]
"""The moment, on the call's own steady time, for an attempt; None: not an attempt of ours."""

_USER_EVENTS: dict[str, type[facts.Happened]] = {
    contract.EVENT_ANSWERED: facts.Answered,
    contract.EVENT_COURTESY: facts.CourtesyStarted,
    contract.EVENT_MESSAGE_LEFT: facts.MessageLeft,
}


def translate(event: Message, moment: Moments, *, early_media_rings: bool) -> Translated | None:
    """What the event tells, or None if it is not about us.

    Args:
        moment: gives the time of the fact, and tells which attempts are ours.
        early_media_rings: whether 183 with audio is ringing on this trunk (§8(5)ア).
    """
    match event.event:
        case "DialState":
            return _dial_state(event, moment, early_media_rings=early_media_rings)
        case "UserEvent":
            return _user_event(event, moment)
        case contract.EVENT_CONNECTED if event.connectedlinenum.isdecimal():
            return _connected(event, moment)
        case "Hangup":
            return _hung_up(event, moment)
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


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0

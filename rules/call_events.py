"""What can happen to one outbound call, as frozen, past-tense facts.

`dialer.ami.translate` makes them from Asterisk's events, the service itself makes the rest;
`rules.call_state` says what each of them means in each state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """One fact about one attempt."""

    attempt: str
    at: datetime


class OriginateRefused(Happened):
    """Asterisk refused the Originate: no INVITE left the house."""


class Rang(Happened):
    """First or repeated ringing indication (SIP 180, or 183 where the trunk's profile says so)."""


class EarlyMediaHeard(Happened):
    """SIP 183 with audio that is not ringing: an announcement (§8(5)ウ)."""


class Answered(Happened):
    """The callee picked up; the dialplan waits for an operator."""


class CourtesyStarted(Happened):
    """Nobody was free within the patience: the dialplan plays the courtesy message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OperatorAssigned(Happened):
    """The desk gave the answered call to an operator; the legs are being joined."""

    operator: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Connected(Happened):
    """Both legs are bridged."""

    operator: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OperatorMissed(Happened):
    """The assigned operator's leg was gone or busy; the person is still there."""

    operator: str


class MessageChosen(Happened):
    """The operator recognised an answering machine and sent the call to the message."""


class MessageLeft(Happened):
    """The approved message was played to its end (§8(5)イ)."""


class RingLimitReached(Happened):
    """It rang for the ring limit: we hang up (§8(5)ア)."""


class SetupLimitReached(Happened):
    """No ringing and no answer within the set-up allowance: we hang up."""


class StopRequested(Happened):
    """Stop order, payment, closing or emergency stop: the call must end unless it is a talk."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HungUp(Happened):
    """The channel is gone."""

    cause: int
    """ITU-T Q.850 cause as Asterisk gives it; 0: not known."""


class Vanished(Happened):
    """After a lost link or a restart the channel is not there any more, and nobody saw it end."""


Fact = (
    OriginateRefused
    | Rang
    | EarlyMediaHeard
    | Answered
    | CourtesyStarted
    | OperatorAssigned
    | Connected
    | OperatorMissed
    | MessageChosen
    | MessageLeft
    | RingLimitReached
    | SetupLimitReached
    | StopRequested
    | HungUp
    | Vanished
)

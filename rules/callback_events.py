"""What can happen to one callback (折り返し), as frozen, past-tense facts.

`dialer.ami.translate` makes them from what the dialplan and Asterisk tell, the service itself makes the
rest; `rules.callback_state` says what each of them means in each state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """One fact about one callback."""

    callback: str
    at: datetime


class Queued(Happened):
    """The caller is in our line, and hears so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OperatorAssigned(Happened):
    """The caller's turn came; they are being joined with an operator."""

    operator: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Connected(Happened):
    """Caller and assigned operator are bridged."""

    operator: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenByQueue(Happened):
    """Asterisk's own queue bridged the caller with an operator, without asking anybody."""

    operator: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OperatorMissed(Happened):
    """The operator did not take the caller, or their line broke in the talk; the caller waits again."""

    operator: str


class LeftAlone(Happened):
    """The dialplan did without the service: the caller is in Asterisk's own queue."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuidancePlayed(Happened):
    """The caller hears guidance and is not put through (§8(6))."""

    sounds: str = ""
    """Names of what is played, joined by &."""


class MessageBegun(Happened):
    """The caller may leave a message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageRecorded(Happened):
    """The caller left a message."""

    seconds: int


class AskedBack(Happened):
    """The caller pressed the key to be called back, instead of waiting."""


class HungUp(Happened):
    """The caller's channel is gone."""


Fact = (
    Queued
    | OperatorAssigned
    | Connected
    | TakenByQueue
    | OperatorMissed
    | LeftAlone
    | GuidancePlayed
    | MessageBegun
    | MessageRecorded
    | AskedBack
    | HungUp
)

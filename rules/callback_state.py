"""The life of one callback (折り返し).

A callback moves only by facts (`rules.callback_events`), and only as the table below says: a fact that the
table does not list for a state raises and changes nothing. `apply` returns the callback after the fact and
the orders to carry out; it carries out nothing itself.

    ARRIVED ─ Queued ─▶ WAITING ─ OperatorAssigned ─▶ JOINING ─ Connected ─▶ TALKING
       │                 ▲ │ └─ AskedBack ─▶ ASKED_BACK  │ OperatorMissed         │
       │                 └─┼─────────────────────────────┴────────────────────────┘
       ├─ LeftAlone ─▶ ALONE (served as WAITING is) ─ TakenByQueue ─▶ TALKING
       ├─ MessageBegun ─▶ RECORDING
       └─ GuidancePlayed ─▶ GUIDANCE                       every state ─ HungUp ─▶ ENDED

The dialplan acts by itself, and our Redirect may cross with what it does: the caller presses a key as their
turn comes. Asterisk carries out our Redirect after that, and it cuts short what was begun; such pairs are
listed with the same state and no order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from rules.callback_events import (
    AskedBack,
    Connected,
    Fact,
    GuidancePlayed,
    HungUp,
    LeftAlone,
    MessageBegun,
    MessageRecorded,
    OperatorAssigned,
    OperatorMissed,
    Queued,
    TakenByQueue,
)

ID = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")
"""A callback's id: the Uniqueid of the caller's channel."""


class State(StrEnum):
    """Where a callback is."""

    ARRIVED = "arrived"
    """The caller hears ringing while it is decided what they get."""
    WAITING = "waiting"
    """In our line."""
    JOINING = "joining"
    """An operator is assigned; the legs are being bridged."""
    TALKING = "talking"
    GUIDANCE = "guidance"
    RECORDING = "recording"
    """The caller is asked for a message, or leaves one."""
    ALONE = "alone"
    """In Asterisk's own queue, because the dialplan found nobody of ours to ask."""
    ASKED_BACK = "asked_back"
    """The caller wants to be called back instead, and hears that they will be."""
    ENDED = "ended"


WAITS = (State.WAITING, State.ALONE)
"""States in which the caller waits for an operator."""


class Order(StrEnum):
    """What the service has to do after a fact."""

    TAKE_OVER = "take_over"
    """Send the caller from Asterisk's own queue into our line, unless an operator was found for them."""
    FIND_OPERATOR = "find_operator"
    JOIN = "join"
    """Send the caller's channel to the assigned operator."""
    FREE_OPERATOR = "free_operator"
    """The operator has nothing to record: free at once."""
    OPERATOR_GONE = "operator_gone"
    """The operator's leg did not take the caller, or broke."""
    OPERATOR_TALKS = "operator_talks"
    AFTER_CALL = "after_call"
    SETTLE = "settle"
    """The callback is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Callback:
    """Everything known of one callback but who calls."""

    id: str
    arrived_at: datetime
    state: State = State.ARRIVED
    operator: str | None = None
    """Who is being joined, talks, or talked last; None: nobody."""
    connected_at: datetime | None = None
    """When the talk began; None: there was none, or the operator's line broke in it."""
    ended_at: datetime | None = None
    asked_back: bool = False
    """They want to be called back, and were not put through since."""
    message_s: int | None = None
    """Seconds of the message they left; None: they left none."""

    @property
    def talked(self) -> bool:
        """Whether an operator talked with the caller, and so has to say what came of it."""
        return self.connected_at is not None


class IllegalFactError(Exception):
    """The callback's state does not know this fact; nothing was changed."""


_S, _O = State, Order
_END = (_S.ENDED, (_O.SETTLE,))
_QUEUED = (_S.WAITING, (_O.FIND_OPERATOR,))
_ALONE = (_S.ALONE, (_O.FIND_OPERATOR, _O.TAKE_OVER))
_TALK = (_S.TALKING, (_O.OPERATOR_TALKS,))
_MISSED = (_S.WAITING, (_O.OPERATOR_GONE, _O.FIND_OPERATOR))

TRANSITIONS: dict[tuple[State, type], tuple[State, tuple[Order, ...]]] = {
    (_S.ARRIVED, Queued): _QUEUED,
    (_S.ARRIVED, LeftAlone): _ALONE,
    (_S.ARRIVED, GuidancePlayed): (_S.GUIDANCE, ()),
    (_S.ARRIVED, MessageBegun): (_S.RECORDING, ()),
    (_S.ARRIVED, HungUp): _END,
    #
    (_S.WAITING, OperatorAssigned): (_S.JOINING, (_O.JOIN,)),
    (_S.WAITING, TakenByQueue): _TALK,  # they waited on there after an operator's line broke
    (_S.WAITING, Queued): (
        _S.WAITING,
        (),
    ),  # after an operator missed them the dialplan says so again
    (_S.WAITING, OperatorMissed): (_S.WAITING, ()),  # seen in the journal and as an event
    (_S.WAITING, LeftAlone): _ALONE,
    (_S.WAITING, GuidancePlayed): (_S.GUIDANCE, ()),
    (_S.WAITING, MessageBegun): (_S.RECORDING, ()),
    (_S.WAITING, AskedBack): (_S.ASKED_BACK, ()),
    (_S.WAITING, HungUp): _END,
    #
    (_S.ALONE, OperatorAssigned): (_S.JOINING, (_O.JOIN,)),
    (_S.ALONE, TakenByQueue): _TALK,
    (_S.ALONE, Connected): (_S.ALONE, ()),  # the line of a member of that queue rings
    (_S.ALONE, Queued): _QUEUED,
    (_S.ALONE, LeftAlone): (_S.ALONE, ()),  # seen in the journal and as an event
    (_S.ALONE, OperatorMissed): (_S.ALONE, ()),  # the queue asks the next one
    (_S.ALONE, GuidancePlayed): (_S.GUIDANCE, ()),
    (_S.ALONE, MessageBegun): (_S.RECORDING, ()),
    (_S.ALONE, AskedBack): (_S.ASKED_BACK, ()),
    (_S.ALONE, HungUp): _END,
    #
    (_S.JOINING, Connected): _TALK,
    (_S.JOINING, OperatorMissed): _MISSED,
    (_S.JOINING, TakenByQueue): (_S.JOINING, ()),  # crossed our Redirect
    (_S.JOINING, Queued): (_S.JOINING, ()),  # the dialplan says it late, crossed our Redirect
    (_S.JOINING, LeftAlone): (_S.JOINING, ()),  # crossed our Redirect
    (_S.JOINING, MessageBegun): (_S.JOINING, ()),  # crossed our Redirect
    (_S.JOINING, MessageRecorded): (_S.JOINING, ()),  # crossed our Redirect
    (_S.JOINING, AskedBack): (_S.JOINING, ()),  # crossed our Redirect
    (_S.JOINING, HungUp): (_S.ENDED, (_O.FREE_OPERATOR, _O.SETTLE)),
    #
    (_S.TALKING, Connected): (_S.TALKING, ()),  # seen in the list of channels and as an event
    (_S.TALKING, TakenByQueue): (_S.TALKING, ()),  # seen in the journal and as an event
    (_S.TALKING, OperatorMissed): _MISSED,  # their line broke
    # the caller waits again without a word of it: Asterisk's own queue, or a Redirect of ours that
    # crossed with it, ended the talk
    (_S.TALKING, Queued): (_S.WAITING, (_O.FREE_OPERATOR, _O.FIND_OPERATOR)),
    (_S.TALKING, LeftAlone): (_S.ALONE, (_O.FREE_OPERATOR, _O.FIND_OPERATOR, _O.TAKE_OVER)),
    (_S.TALKING, HungUp): (_S.ENDED, (_O.AFTER_CALL, _O.SETTLE)),
    #
    (_S.GUIDANCE, GuidancePlayed): (_S.GUIDANCE, ()),  # seen in the journal and as an event
    (_S.GUIDANCE, HungUp): _END,
    #
    (_S.RECORDING, MessageBegun): (_S.RECORDING, ()),  # seen in the journal and as an event
    (_S.RECORDING, MessageRecorded): (_S.RECORDING, ()),
    (_S.RECORDING, GuidancePlayed): (_S.GUIDANCE, ()),  # nothing can be recorded
    (_S.RECORDING, HungUp): _END,
    #
    (_S.ASKED_BACK, AskedBack): (_S.ASKED_BACK, ()),  # seen in the journal and as an event
    (_S.ASKED_BACK, HungUp): _END,
}


def apply(callback: Callback, fact: Fact) -> tuple[Callback, tuple[Order, ...]]:
    """The callback after the fact, and the orders it calls for.

    An ended callback stays ended whatever is still told of it; what is told of another operator than the
    assigned one is old news.

    Raises:
        IllegalFactError: the table does not list this fact for the callback's state.
    """
    if callback.state is State.ENDED or _is_old_news(callback, fact):
        return callback, ()
    try:
        state, orders = TRANSITIONS[callback.state, type(fact)]
    except KeyError:
        raise IllegalFactError(f"{type(fact).__name__} in state {callback.state}") from None
    return _noted(callback, replace(callback, state=state), fact), orders


def _is_old_news(callback: Callback, fact: Fact) -> bool:
    return (
        isinstance(fact, OperatorMissed | Connected | TakenByQueue)
        and callback.state in (State.JOINING, State.TALKING)
        and fact.operator != callback.operator
    )


def _noted(before: Callback, callback: Callback, fact: Fact) -> Callback:
    """Keep what the fact tells beside the state: times, operator, message."""
    match fact:
        case OperatorAssigned():
            return replace(callback, operator=fact.operator)
        case Connected() | TakenByQueue() if callback.state is State.TALKING:
            at = before.connected_at or fact.at
            return replace(callback, operator=fact.operator, connected_at=at, asked_back=False)
        case AskedBack():
            return replace(callback, asked_back=True)
        case MessageRecorded():
            return replace(callback, message_s=fact.seconds)
        case HungUp():
            return replace(callback, ended_at=fact.at)
    if callback.state in WAITS:
        return replace(callback, operator=None, connected_at=None)
    return callback

"""The life of one outbound call.

A call moves only by facts (`rules.call_events`), and only as the table below says: a fact that the
table does not list for a state raises and changes nothing. `apply` returns the call after the fact and
the orders to carry out; it carries out nothing itself.

    PLACED ─ Rang ─▶ RINGING ─ Answered ─▶ WAITING ─ OperatorAssigned ─▶ JOINING ─ Connected ─▶ TALKING
                                              │                                                │
                                     CourtesyStarted ▼                            MessageChosen ▼
                                          COURTESY                                         MESSAGE
    every state ─ HungUp | Vanished ─▶ ENDED

Asterisk's events and our own timers cross on the wire; a pair that can only come from such a crossing is
listed with the same state and no order, and a comment saying which crossing it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from rules.call_events import (
    Answered,
    Connected,
    CourtesyStarted,
    EarlyMediaHeard,
    Fact,
    HungUp,
    MessageChosen,
    MessageLeft,
    OperatorAssigned,
    OperatorMissed,
    OriginateRefused,
    Rang,
    RingLimitReached,
    SetupLimitReached,
    StopRequested,
    Vanished,
)


class State(StrEnum):
    """Where a call is."""

    PLACED = "placed"
    """The attempt's row is committed; no ringing indication yet."""
    RINGING = "ringing"
    WAITING = "waiting"
    """Answered; no operator yet."""
    JOINING = "joining"
    """An operator is assigned; the legs are being bridged."""
    TALKING = "talking"
    COURTESY = "courtesy"
    """Nobody was free within the patience; the courtesy message plays."""
    MESSAGE = "message"
    """The approved message is being left on an answering machine."""
    ENDED = "ended"


class Order(StrEnum):
    """What the service has to do after a fact."""

    HANG_UP = "hang_up"
    FIND_OPERATOR = "find_operator"
    JOIN = "join"
    """Send the callee's channel to the assigned operator."""
    PLAY_MESSAGE = "play_message"
    FREE_OPERATOR = "free_operator"
    """The operator has nothing to record: free at once."""
    OPERATOR_GONE = "operator_gone"
    """The assigned operator's leg did not take the call."""
    OPERATOR_TALKS = "operator_talks"
    AFTER_CALL = "after_call"
    TELL_OPERATOR = "tell_operator"
    """A stop order came during the talk, which is not cut (rule 8)."""
    SETTLE = "settle"
    """The call is over: its outcome is due."""


class EndedBy(StrEnum):
    """Who made the call end, when it was us."""

    RING_LIMIT = "ring_limit"
    SETUP_LIMIT = "setup_limit"
    STOP = "stop"
    REFUSED = "refused"
    VANISHED = "vanished"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """Everything known of one outbound call."""

    attempt: str
    placed_at: datetime
    state: State = State.PLACED
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    operator: str | None = None
    early_media: bool = False
    courtesy: bool = False
    message_chosen: bool = False
    message_left: bool = False
    ended_by: EndedBy | None = None
    cause: int | None = None

    def ring_s(self) -> float | None:
        """Seconds of ringing from the first ringing indication to answer or end; None: none, or not over."""
        until = self.answered_at or self.ended_at
        if self.rang_at is None or until is None:
            return None
        return (until - self.rang_at).total_seconds()


class IllegalFactError(Exception):
    """The call's state does not know this fact; nothing was changed."""


_S, _O = State, Order
_END = (_S.ENDED, (_O.SETTLE,))
_END_AFTER_TALK = (_S.ENDED, (_O.AFTER_CALL, _O.SETTLE))
_END_JOINING = (_S.ENDED, (_O.FREE_OPERATOR, _O.SETTLE))

TRANSITIONS: dict[tuple[State, type], tuple[State, tuple[Order, ...]]] = {
    (_S.PLACED, OriginateRefused): _END,
    (_S.PLACED, Rang): (_S.RINGING, ()),
    (_S.PLACED, EarlyMediaHeard): (_S.PLACED, ()),
    (_S.PLACED, Answered): (_S.WAITING, (_O.FIND_OPERATOR,)),
    (_S.PLACED, SetupLimitReached): (_S.PLACED, (_O.HANG_UP,)),
    (_S.PLACED, StopRequested): (_S.PLACED, (_O.HANG_UP,)),
    (_S.PLACED, HungUp): _END,
    (_S.PLACED, Vanished): _END,
    #
    (_S.RINGING, Rang): (_S.RINGING, ()),  # carriers repeat 180
    (_S.RINGING, EarlyMediaHeard): (_S.RINGING, ()),
    (_S.RINGING, Answered): (_S.WAITING, (_O.FIND_OPERATOR,)),
    (_S.RINGING, RingLimitReached): (_S.RINGING, (_O.HANG_UP,)),
    (_S.RINGING, SetupLimitReached): (_S.RINGING, ()),  # crossed the first ringing
    (_S.RINGING, StopRequested): (_S.RINGING, (_O.HANG_UP,)),
    (_S.RINGING, OriginateRefused): _END,  # the failure that ends an unanswered Originate
    (_S.RINGING, HungUp): _END,
    (_S.RINGING, Vanished): _END,
    #
    (_S.WAITING, OperatorAssigned): (_S.JOINING, (_O.JOIN,)),
    (_S.WAITING, CourtesyStarted): (_S.COURTESY, ()),
    (_S.WAITING, StopRequested): (_S.WAITING, (_O.HANG_UP,)),
    (_S.WAITING, Rang): (_S.WAITING, ()),  # crossed the answer
    (_S.WAITING, EarlyMediaHeard): (_S.WAITING, ()),  # crossed the answer
    (_S.WAITING, RingLimitReached): (_S.WAITING, ()),  # crossed the answer
    (_S.WAITING, SetupLimitReached): (_S.WAITING, ()),  # crossed the answer
    (_S.WAITING, OperatorMissed): (_S.WAITING, ()),  # the dialplan says it twice
    (_S.WAITING, HungUp): _END,
    (_S.WAITING, Vanished): _END,
    #
    (_S.JOINING, Connected): (_S.TALKING, (_O.OPERATOR_TALKS,)),
    (_S.JOINING, OperatorMissed): (_S.WAITING, (_O.OPERATOR_GONE, _O.FIND_OPERATOR)),
    (_S.JOINING, CourtesyStarted): (_S.JOINING, ()),  # crossed our Redirect, which cuts it short
    (_S.JOINING, StopRequested): (_S.JOINING, (_O.TELL_OPERATOR,)),
    (_S.JOINING, Rang): (_S.JOINING, ()),  # crossed the answer
    (_S.JOINING, EarlyMediaHeard): (_S.JOINING, ()),  # crossed the answer
    (_S.JOINING, RingLimitReached): (_S.JOINING, ()),  # crossed the answer
    (_S.JOINING, SetupLimitReached): (_S.JOINING, ()),  # crossed the answer
    (_S.JOINING, HungUp): _END_JOINING,
    (_S.JOINING, Vanished): _END_JOINING,
    #
    (_S.TALKING, MessageChosen): (_S.MESSAGE, (_O.PLAY_MESSAGE, _O.FREE_OPERATOR)),
    (_S.TALKING, StopRequested): (_S.TALKING, (_O.TELL_OPERATOR,)),
    (_S.TALKING, Connected): (_S.TALKING, ()),  # seen in the list of channels and as an event
    (_S.TALKING, OperatorMissed): (_S.TALKING, ()),  # their leg died; the dialplan apologises
    (_S.TALKING, CourtesyStarted): (_S.TALKING, ()),  # the same
    (_S.TALKING, HungUp): _END_AFTER_TALK,
    (_S.TALKING, Vanished): _END_AFTER_TALK,
    #
    (_S.COURTESY, CourtesyStarted): (_S.COURTESY, ()),  # seen in the journal and as an event
    (_S.COURTESY, StopRequested): (_S.COURTESY, ()),  # it ends by itself within seconds
    (_S.COURTESY, RingLimitReached): (_S.COURTESY, ()),  # crossed the answer
    (_S.COURTESY, SetupLimitReached): (_S.COURTESY, ()),  # crossed the answer
    (_S.COURTESY, HungUp): _END,
    (_S.COURTESY, Vanished): _END,
    #
    (_S.MESSAGE, MessageLeft): (_S.MESSAGE, ()),
    (_S.MESSAGE, OperatorMissed): (
        _S.MESSAGE,
        (),
    ),  # AgentRequest returned as the Redirect took over
    (_S.MESSAGE, CourtesyStarted): (
        _S.MESSAGE,
        (),
    ),  # the operator's leg died, our Redirect was lost
    (_S.MESSAGE, StopRequested): (_S.MESSAGE, (_O.HANG_UP,)),
    (_S.MESSAGE, HungUp): _END,
    (_S.MESSAGE, Vanished): _END,
}


def apply(call: Call, fact: Fact) -> tuple[Call, tuple[Order, ...]]:
    """The call after the fact, and the orders it calls for.

    An ended call stays ended whatever is still told of it.

    Raises:
        IllegalFactError: the table does not list this fact for the call's state.
    """
    if call.state is State.ENDED:
        return call, ()
    try:
        state, orders = TRANSITIONS[call.state, type(fact)]
    except KeyError:
        raise IllegalFactError(f"{type(fact).__name__} in state {call.state}") from None
    return _noted(replace(call, state=state), fact, orders), orders


def _noted(call: Call, fact: Fact, orders: tuple[Order, ...]) -> Call:
    """Keep what the fact tells beside the state: times, operator, cause."""
    if Order.HANG_UP in orders:
        return replace(call, ended_by=call.ended_by or _ENDED_BY[type(fact)])
    if call.state is State.ENDED:
        return _ended(call, fact)
    match fact:
        case Rang() if call.answered_at is None:
            return replace(call, rang_at=call.rang_at or fact.at)
        case Answered():
            return replace(call, answered_at=fact.at)
        case OperatorAssigned():
            return replace(call, operator=fact.operator)
        case Connected():
            at = call.connected_at or fact.at
            return replace(call, operator=fact.operator, connected_at=at)
        case OperatorMissed() if call.state is State.WAITING:
            return replace(call, operator=None)
    return _marked(call, fact)


def _marked(call: Call, fact: Fact) -> Call:
    match fact:
        case CourtesyStarted() if call.connected_at is None:
            return replace(call, courtesy=True)
        case EarlyMediaHeard():
            return replace(call, early_media=True)
        case MessageChosen():
            return replace(call, message_chosen=True)
        case MessageLeft():
            return replace(call, message_left=True)
    return call


def _ended(call: Call, fact: Fact) -> Call:
    cause = fact.cause if isinstance(fact, HungUp) else None
    ended_by = call.ended_by or _ENDED_BY.get(type(fact))
    if isinstance(fact, Vanished) and ended_by is not EndedBy.STOP:
        # nobody saw when it ended: it may have been before the limit at which we meant to end it
        ended_by = EndedBy.VANISHED
    return replace(call, ended_at=fact.at, cause=cause, ended_by=ended_by)


_ENDED_BY: dict[type, EndedBy] = {
    RingLimitReached: EndedBy.RING_LIMIT,
    SetupLimitReached: EndedBy.SETUP_LIMIT,
    StopRequested: EndedBy.STOP,
    OriginateRefused: EndedBy.REFUSED,
    Vanished: EndedBy.VANISHED,
}

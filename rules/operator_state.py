"""What an operator is doing, and THE table of what may follow what.

An operator's leg is nailed up: they dial in once and stay on the line. `away` means that the leg is
down; every other state has it up, except that a talk's after-call work outlives a lost leg.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """The states a supervisor sees."""

    AWAY = "away"
    FREE = "free"
    RINGING_FOR = "ringing_for"
    """An answered person is being connected to them."""
    TALKING = "talking"
    AFTER_CALL_WORK = "after_call_work"
    PAUSED = "paused"


class Event(StrEnum):
    """What can happen to an operator."""

    LEG_UP = "leg_up"
    LEG_DOWN = "leg_down"
    """They hung up their leg."""
    LEG_LOST = "leg_lost"
    """Their leg is gone without their doing (Asterisk restarted): readiness outlives it."""
    READY = "ready"
    PAUSE = "pause"
    ASSIGNED = "assigned"
    CONNECTED = "connected"
    RELEASED = "released"
    """The call left them with nothing to record."""
    MISSED = "missed"
    """Their leg did not take the call."""
    TALK_ENDED = "talk_ended"
    RESULT_SAVED = "result_saved"
    AFTER_CALL_LIMIT = "after_call_limit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seat:
    """One operator's place."""

    operator: str
    since: datetime
    """When the present state began: who has been free longest is served first."""
    state: State = State.AWAY
    leg_up: bool = False
    ready: bool = False
    """They asked for calls. A pause asked for in a call begins when its result is saved."""
    attempt: str | None = None
    """The attempt they talk in, or whose result they still owe."""


class NotNowError(Exception):
    """The operator's state does not allow this; nothing was changed."""


_S, _E = State, Event

TRANSITIONS: dict[tuple[State, Event], State] = {
    (_S.AWAY, _E.LEG_UP): _S.FREE,
    (_S.AWAY, _E.LEG_DOWN): _S.AWAY,
    (_S.AWAY, _E.LEG_LOST): _S.AWAY,
    (_S.AWAY, _E.PAUSE): _S.AWAY,
    (_S.AWAY, _E.RESULT_SAVED): _S.AWAY,
    (_S.AWAY, _E.RELEASED): _S.AWAY,
    #
    (_S.PAUSED, _E.LEG_UP): _S.PAUSED,
    (_S.PAUSED, _E.LEG_DOWN): _S.AWAY,
    (_S.PAUSED, _E.LEG_LOST): _S.AWAY,
    (_S.PAUSED, _E.READY): _S.FREE,
    (_S.PAUSED, _E.PAUSE): _S.PAUSED,
    (_S.PAUSED, _E.RESULT_SAVED): _S.PAUSED,
    (_S.PAUSED, _E.RELEASED): _S.PAUSED,
    #
    (_S.FREE, _E.LEG_UP): _S.FREE,
    (_S.FREE, _E.LEG_DOWN): _S.AWAY,
    (_S.FREE, _E.LEG_LOST): _S.AWAY,
    (_S.FREE, _E.READY): _S.FREE,
    (_S.FREE, _E.PAUSE): _S.PAUSED,
    (_S.FREE, _E.ASSIGNED): _S.RINGING_FOR,
    (_S.FREE, _E.RELEASED): _S.FREE,
    #
    (_S.RINGING_FOR, _E.LEG_UP): _S.RINGING_FOR,
    (_S.RINGING_FOR, _E.LEG_DOWN): _S.RINGING_FOR,
    (_S.RINGING_FOR, _E.LEG_LOST): _S.RINGING_FOR,
    (_S.RINGING_FOR, _E.PAUSE): _S.RINGING_FOR,
    (_S.RINGING_FOR, _E.CONNECTED): _S.TALKING,
    (_S.RINGING_FOR, _E.RELEASED): _S.FREE,
    (_S.RINGING_FOR, _E.MISSED): _S.PAUSED,
    #
    (_S.TALKING, _E.LEG_UP): _S.TALKING,
    (_S.TALKING, _E.LEG_DOWN): _S.TALKING,
    (_S.TALKING, _E.LEG_LOST): _S.TALKING,
    (_S.TALKING, _E.PAUSE): _S.TALKING,
    (_S.TALKING, _E.CONNECTED): _S.TALKING,
    (_S.TALKING, _E.RELEASED): _S.FREE,
    (_S.TALKING, _E.TALK_ENDED): _S.AFTER_CALL_WORK,
    #
    (_S.AFTER_CALL_WORK, _E.LEG_UP): _S.AFTER_CALL_WORK,
    (_S.AFTER_CALL_WORK, _E.LEG_DOWN): _S.AFTER_CALL_WORK,
    (_S.AFTER_CALL_WORK, _E.LEG_LOST): _S.AFTER_CALL_WORK,
    (_S.AFTER_CALL_WORK, _E.PAUSE): _S.AFTER_CALL_WORK,
    (_S.AFTER_CALL_WORK, _E.READY): _S.AFTER_CALL_WORK,
    (_S.AFTER_CALL_WORK, _E.RESULT_SAVED): _S.FREE,
    (_S.AFTER_CALL_WORK, _E.AFTER_CALL_LIMIT): _S.PAUSED,
}

_LEG: dict[Event, bool] = {
    _E.LEG_UP: True,
    _E.LEG_DOWN: False,
    _E.LEG_LOST: False,
    _E.MISSED: False,
}
_READY: dict[Event, bool] = {
    _E.READY: True,
    _E.PAUSE: False,
    _E.LEG_DOWN: False,
    _E.AFTER_CALL_LIMIT: False,
}


def apply(seat: Seat, event: Event, now: datetime, attempt: str | None = None) -> Seat:
    """The seat after the event.

    Args:
        attempt: with `assigned` and `talk_ended`, which attempt it is about.

    Raises:
        NotNowError: the table does not list this event for the seat's state, or a result is owed.
    """
    if event is Event.READY and seat.state is State.PAUSED and seat.attempt is not None:
        raise NotNowError("result_owed")
    try:
        state = TRANSITIONS[seat.state, event]
    except KeyError:
        raise NotNowError(f"{event} in state {seat.state}") from None
    return _settled(_noted(seat, event, attempt), state, now)


def _noted(seat: Seat, event: Event, attempt: str | None) -> Seat:
    seat = replace(seat, leg_up=_LEG.get(event, seat.leg_up), ready=_READY.get(event, seat.ready))
    if event in (Event.ASSIGNED, Event.TALK_ENDED):
        return replace(seat, attempt=attempt)
    if event in (Event.RELEASED, Event.MISSED, Event.RESULT_SAVED):
        return replace(seat, attempt=None)
    return seat


def _settled(seat: Seat, state: State, now: datetime) -> Seat:
    """Where a seat that would become free or paused really ends up."""
    if state is State.FREE and (not seat.ready or seat.attempt is not None):
        state = State.PAUSED
    if state in (State.FREE, State.PAUSED) and not seat.leg_up:
        state = State.AWAY
    return seat if state is seat.state else replace(seat, state=state, since=now)

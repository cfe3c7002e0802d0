"""What an operator is doing, and THE table of what may follow what.

An operator's leg is nailed up: they dial in once and stay on the line. `away` means that the leg is
down; every other state has it up, except that a talk's after-call work outlives a lost leg.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from rules.pacing.snapshot import Tick


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
    """Their leg did not take the call, or broke in a talk that somebody else goes on with."""
    TALK_ENDED = "talk_ended"
    RESULT_SAVED = "result_saved"
    AFTER_CALL_LIMIT = "after_call_limit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """The call an operator is held for: an appointment, a person we had abandoned, or one offered to them
    before it is placed. Whoever else waits does not get this operator."""

    attempt: str
    case_id: int
    phone_id: int
    offered: bool = False
    """It is placed only when the operator asks for it; somebody who is on the line goes before it."""


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
    """The attempt or callback they talk in, or whose result they still owe."""
    hold: Hold | None = None
    """Only while `free`."""
    ticks: tuple[Tick, ...] = ()
    """Steps of the script that are done, oldest first; only while `talking`."""
    break_at_s: float | None = None
    """When an announced break begins, in seconds of the steady clock; only while `ready`."""
    callbacks_only: bool = False
    """Gets callbacks alone, and only those that nobody else is free for (a supervisor's seat)."""

    @property
    def on_screen(self) -> str | None:
        """The attempt whose case their screen shows."""
        return self.attempt or (self.hold.attempt if self.hold else None)


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
    (_S.TALKING, _E.MISSED): _S.PAUSED,
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
        attempt: with `assigned` and `talk_ended`, which attempt or callback it is about.

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


def resumed(seat: Seat, attempt: str, now: datetime) -> Seat:
    """The seat in a talk that began, or went on, while nobody listened."""
    since = seat.since if seat.state is State.TALKING else now
    # whether the leg is up, only its device tells: the talk may be over, and Asterisk new
    return _tidy(replace(seat, state=State.TALKING, since=since, attempt=attempt))


def held(seat: Seat, hold: Hold) -> Seat:
    """The seat kept for one call.

    Raises:
        NotNowError: the operator is not free, or held for another call.
    """
    if seat.state is not State.FREE or seat.hold is not None:
        raise NotNowError("not_free")
    return replace(seat, hold=hold)


def called(seat: Seat) -> Seat:
    """The seat of an operator whose call was placed: what they were offered rings now."""
    return replace(seat, hold=replace(seat.hold, offered=False)) if seat.hold else seat


def ticked(seat: Seat, tick: Tick) -> Seat:
    """The seat with one more step of the script done. A step before the last one ticked was forgotten and
    tells nothing of how far the talk is: it is left out.

    Raises:
        NotNowError: the operator is not in a talk.
    """
    if seat.state is not State.TALKING:
        raise NotNowError("not_talking")
    if seat.ticks and tick.share <= seat.ticks[-1].share:
        return seat
    return replace(seat, ticks=(*seat.ticks, tick))


def unticked(seat: Seat, share: float) -> Seat:
    """The seat without the step that was ticked by mistake.

    Raises:
        NotNowError: the operator is not in a talk.
    """
    if seat.state is not State.TALKING:
        raise NotNowError("not_talking")
    return replace(seat, ticks=tuple(tick for tick in seat.ticks if tick.share != share))


def break_announced(seat: Seat, at_s: float | None) -> Seat:
    """The seat with a break that begins at `at_s`, or without one (None).

    Raises:
        NotNowError: the operator takes no calls: there is nothing to break off.
    """
    if not seat.ready:
        raise NotNowError("not_ready")
    return replace(seat, break_at_s=at_s)


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
    return _tidy(seat if state is seat.state else replace(seat, state=state, since=now))


def _tidy(seat: Seat) -> Seat:
    """Without what belonged to a state that is over."""
    if seat.hold is not None and seat.state is not State.FREE:
        seat = replace(seat, hold=None)
    if seat.ticks and seat.state is not State.TALKING:
        seat = replace(seat, ticks=())
    if seat.break_at_s is not None and not seat.ready:
        seat = replace(seat, break_at_s=None)
    return seat

"""What a caller gets (§8(6), §11(2)エオ): decided from the board, which the service publishes.

Nothing is known here of who calls. Sounds are bare names of `rules.sounds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, StringConstraints

from rules import sounds
from rules.calendar import JST

STALE_S: Final = 5.0
"""The service is not there if the board is older."""

OrderedSound = Annotated[str, StringConstraints(pattern=r"^ordered-[0-9]{1,18}$")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """Hours in which callers reach operators (§6(2)), from `start` until before `end`."""

    start: AwareDatetime
    end: AwareDatetime


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderedMessage:
    """A message the city ordered (§11(2)オ)."""

    id: int
    sound: OrderedSound
    """Its file in the sounds folder, without suffix."""
    from_at: AwareDatetime
    until_at: AwareDatetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A caller in our line."""

    id: str
    """The callback's."""
    expected_s: float | None = None
    """Seconds until they are likely to be served; None: not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """The centre, as callers need to know it."""

    at: AwareDatetime
    """When the service last said so."""
    openings: tuple[Opening, ...] = ()
    """From yesterday on, as far as periods are known; oldest first."""
    ordered: tuple[OrderedMessage, ...] = ()
    """In force or to come, newest order first."""
    operators: int = 0
    """Logged in, whatever they are doing."""
    waiting: tuple[Waiting, ...] = ()
    """Callers in the order in which they will be served."""


class Do(StrEnum):
    """What the dialplan does with a caller."""

    QUEUE = "queue"
    """Into our line."""
    WAIT = "wait"
    """They stay in it."""
    GUIDANCE = "guidance"
    """They hear what is played, and are hung up."""
    MESSAGE = "message"
    """They may leave a message."""
    ALONE = "alone"
    """The dialplan serves them without us: Asterisk's own queue, else a message."""


class Why(StrEnum):
    """What an answer rests on."""

    OPEN = "open"
    NOBODY_LOGGED_IN = "nobody_logged_in"
    CLOSED = "closed"
    SERVICE_AWAY = "service_away"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a caller gets."""

    do: Do
    play: tuple[str, ...]
    """Heard first, in this order; only with `queue`, `message` and `alone` it may be nothing, for
    the dialplan plays something of its own there."""
    why: Why


def answer(board: Board | None, now: datetime) -> Answer:
    """What somebody gets who calls now.

    Args:
        board: None: there is none that can be read.
    """
    if board is None:
        return Answer(do=Do.ALONE, play=(), why=Why.SERVICE_AWAY)
    ordered = _ordered(board, now)
    away = _is_stale(board, now)
    if away and (_is_open(board, now) or not _is_covered(board, now)):
        return Answer(do=Do.ALONE, play=ordered, why=Why.SERVICE_AWAY)
    if not _is_open(board, now):
        told = (*(ordered or (sounds.GUIDANCE,)), *_next_open(board, now))
        return Answer(do=Do.GUIDANCE, play=told, why=Why.CLOSED)
    if not board.operators:
        return Answer(do=Do.MESSAGE, play=ordered, why=Why.NOBODY_LOGGED_IN)
    return Answer(do=Do.QUEUE, play=ordered, why=Why.OPEN)


def while_waiting(
    board: Board | None, now: datetime, callback_id: str, number_known: bool
) -> Answer:
    """What somebody gets who is in our line.

    Who waits at closing time is still served, as long as an operator is there.

    Args:
        board: None: there is none that can be read.
        number_known: whether they could be called back.
    """
    if board is None or _is_stale(board, now):
        return Answer(do=Do.ALONE, play=(), why=Why.SERVICE_AWAY)
    if not board.operators and not _is_open(board, now):
        return Answer(do=Do.MESSAGE, play=(), why=Why.CLOSED)
    keys = sounds.KEYS_BOTH if number_known else sounds.KEYS_MESSAGE
    return Answer(do=Do.WAIT, play=(*_place(board, callback_id), keys), why=Why.OPEN)


def _is_stale(board: Board, now: datetime) -> bool:
    # one from the future was written by a clock that has been set back since
    return abs((now - board.at).total_seconds()) > STALE_S


def _is_open(board: Board, now: datetime) -> bool:
    return any(opening.start <= now < opening.end for opening in board.openings)


def _is_covered(board: Board, now: datetime) -> bool:
    """Whether the board tells of this day, even if nobody has renewed it since."""
    last = max([board.at, *(opening.end for opening in board.openings)])
    return now.astimezone(JST).date() <= last.astimezone(JST).date()


def _ordered(board: Board, now: datetime) -> tuple[str, ...]:
    """The newest order in force."""
    for message in board.ordered:
        if message.from_at <= now and (message.until_at is None or now < message.until_at):
            return (message.sound,)
    return ()


def _next_open(board: Board, now: datetime) -> tuple[str, ...]:
    """When the centre is open next, in whole hours: never before it is."""
    for opening in board.openings:
        start = _whole_hour(opening.start)
        if opening.start > now and start < opening.end:
            return (
                sounds.NEXT_OPEN,
                sounds.month(start.month),
                sounds.day(start.day),
                sounds.weekday(start.weekday()),
                sounds.hour(start.hour),
            )
    return ()


def _whole_hour(moment: datetime) -> datetime:
    local = moment.astimezone(JST)
    hour = local.replace(minute=0, second=0, microsecond=0)
    return hour if hour == local else hour + timedelta(hours=1)


def _place(board: Board, callback_id: str) -> tuple[str, ...]:
    """Position and expected wait; the service may not have heard of a caller yet."""
    for position, waiting in enumerate(board.waiting, start=1):
        if waiting.id == callback_id:
            return (sounds.position(position), *_minutes(waiting.expected_s))
    return ()


def _minutes(expected_s: float | None) -> tuple[str, ...]:
    if expected_s is None:
        return ()
    return next(((sounds.wait_minutes(n),) for n in sounds.MINUTES if expected_s <= 60 * n), ())

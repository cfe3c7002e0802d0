"""What Asterisk may ask: `callback,<id>,<called>` (somebody calls) and `wait,<id>,<0|1>` (somebody waits; 1:
their number is known). The answer is two variables of the caller's channel.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import structlog

from agi.board import moment_of, read_board
from agi.session import Session
from agi.settings import AgiSettings
from rules.answering import Answer, Board, Do, answer, while_waiting

DO: Final = "YOBIRIN_DO"
"""One of `rules.answering.Do`."""
PLAY: Final = "YOBIRIN_PLAY"
"""Files to play, joined by &; set before DO, which alone makes an answer whole."""

KNOWN_WITHIN_S: Final = 0.5
"""So long a caller who waits and is not on the board is looked for: Asterisk asks in the same instant as it
tells the service of them. Less than Asterisk waits for an answer (`dialer.ami.contract.ANSWER_WITHIN_S`)."""
_LOOK_AGAIN_S: Final = 0.05

_CALLBACK: Final = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")

_Look = Callable[[], tuple[Board | None, datetime]]
"""The board as it is now, and what time it is by its clock."""

_log = structlog.get_logger()


def serve(session: Session, settings: AgiSettings) -> None:
    """Answer one request; another script than ours gets nothing.

    Raises:
        SessionError: the talk broke off.
    """
    decide = _SCRIPTS.get(session.script)
    if decide is None:
        _log.warning("unknown_script")
        return
    given = decide(session, lambda: _look(settings))
    folder = settings.asterisk.sounds_dir
    play = "&".join(f"{folder}/{sound}" for sound in given.play)
    session.set_variables({PLAY: play, DO: given.do})
    callback = session.argument(1)
    _log.info(
        "answered",
        script=session.script,
        callback=callback if _CALLBACK.fullmatch(callback) else None,
        do=given.do,
        why=given.why,
    )


def _look(settings: AgiSettings) -> tuple[Board | None, datetime]:
    path = settings.agi.board
    board = read_board(path)
    try:
        return board, moment_of(path, board) if board else datetime.now(UTC)
    except OSError:  # taken away in this moment
        return None, datetime.now(UTC)


def _callback(_session: Session, look: _Look) -> Answer:
    return answer(*look())


def _wait(session: Session, look: _Look) -> Answer:
    callback, number_known = session.argument(1), session.argument(2) == "1"
    until = time.monotonic() + KNOWN_WITHIN_S
    while True:
        board, now = look()
        given = while_waiting(board, now, callback, number_known)
        has_place = board is not None and any(one.id == callback for one in board.waiting)
        if given.do is not Do.WAIT or has_place or time.monotonic() > until:
            return given
        time.sleep(_LOOK_AGAIN_S)


_SCRIPTS: Mapping[str, Callable[[Session, _Look], Answer]] = {
    "callback": _callback,
    "wait": _wait,
}

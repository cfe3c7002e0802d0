"""structlog as JSON lines on stderr. Events carry ids and counts, never anything about a person.

What the libraries log goes the same way from WARNING up, stripped of everything that could hold a value:
arguments of a message, texts of exceptions. panoramisk is silenced: it prints whole actions, the number
called included.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

import structlog


def set_up_logs() -> None:
    """Configure structlog and the standard library's logging; once, at the start of a process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Bare())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("panoramisk").setLevel(logging.CRITICAL + 1)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception_kind,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


_REPR = re.compile(r"[^\w %.-]")
"""Where somebody's repr may begin in a message: a quote, a bracket, a colon, a new line."""


class _Bare(logging.Formatter):
    """A library's record as a line like ours: its message without arguments, its exception's kind."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON line."""
        template = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        event = {
            "event": _REPR.split(template, maxsplit=1)[0].strip(),
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            event |= _kind_and_place(error)
        return json.dumps(event, ensure_ascii=False)


def _exception_kind(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Log an error's type and where it arose, not its text: the text may hold a value."""
    error = event.pop("error", None)
    if isinstance(error, BaseException):
        event.update(_kind_and_place(error))
    return event


def _kind_and_place(error: BaseException) -> dict[str, str]:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    told = {"error": type(error).__name__}
    if trace is not None:
        told["where"] = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
    return told

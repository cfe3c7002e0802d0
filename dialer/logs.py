"""structlog as JSON lines on stderr. Events carry ids and counts, never anything about a person.

The libraries' own loggers are kept at WARNING, and panoramisk's is silenced: it prints whole
actions, the number called included.
"""

from __future__ import annotations

import logging
import sys

import structlog


def set_up_logs() -> None:
    """Configure structlog and the standard library's logging; once, at the start of a process."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    logging.getLogger("panoramisk").setLevel(logging.CRITICAL + 1)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception_kind,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _exception_kind(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Log an error's type and where it arose, not its text: the text may hold a value."""
    error = event.pop("error", None)
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None:
            code = trace.tb_frame.f_code
            event["where"] = f"{code.co_qualname}:{trace.tb_lineno}"
    return event

"""The command `yobirin-agi`: answers Asterisk's questions about callers until it is told to stop."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

import structlog

from agi.server import Server
from agi.settings import AgiSettingsError, load_agi_settings
from agi.watchdog import Watchdog

_SETTINGS_STATUS = 3
"""As `dialer`: the settings file cannot be used."""
_LISTEN_STATUS = 8


def main() -> None:
    """Entry point of the script `yobirin-agi`."""
    parser = argparse.ArgumentParser(
        prog="yobirin-agi", description="Tells Asterisk what callers get (FastAGI)."
    )
    parser.add_argument(
        "--settings",
        type=Path,
        default=Path(os.environ.get("YOBIRIN_SETTINGS", "yobirin.toml")),
        metavar="FILE",
        help="The installation's settings file. Default: YOBIRIN_SETTINGS, or yobirin.toml.",
    )
    _set_up_logs()
    try:
        settings = load_agi_settings(parser.parse_args().settings)
        server = Server(settings)
    except AgiSettingsError as error:
        sys.exit(_failed(str(error), _SETTINGS_STATUS))
    except OSError as error:
        sys.exit(_failed(f"agi.host, agi.port: {error.strerror}", _LISTEN_STATUS))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.stop())
    with Watchdog() as watchdog:
        server.run(watchdog)


def _failed(message: str, status: int) -> int:
    print(f"yobirin-agi: {message}", file=sys.stderr)
    return status


def _set_up_logs() -> None:
    """JSON lines on stderr, like the dialer's; nothing that Asterisk sent goes into them."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


if __name__ == "__main__":
    main()

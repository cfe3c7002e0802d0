"""The service that tells Asterisk what callers get, in a thread of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from agi.server import Server
from agi.settings import AgiSettings, _Asterisk
from agi.watchdog import Watchdog
from dialer.settings import Settings


@contextmanager
def answering(settings: Settings) -> Iterator[Server]:
    """It answers while the block runs."""
    asterisk = _Asterisk(sounds_dir=str(settings.asterisk.sounds_dir))
    server = Server(AgiSettings(agi=settings.agi, asterisk=asterisk))
    with Watchdog() as watchdog:
        thread = threading.Thread(target=server.run, args=(watchdog,))
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join(30)

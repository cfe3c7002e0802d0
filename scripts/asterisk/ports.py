"""Free ports on the loopback interface, so that several Asterisks run side by side."""

from __future__ import annotations

import random
import socket

_LOOPBACK = "127.0.0.1"
# Below Linux' ephemeral range (32768 up): a port found free here is not handed to an outgoing
# connection between the look and its use.
_FIRST, _LAST = 12000, 32000


def free_port() -> int:
    """A port (12000–31999) that is free for both TCP and UDP on 127.0.0.1 at this moment."""
    return free_range(1)


def free_range(length: int) -> int:
    """The first of `length` consecutive ports, all free; even, as RTP ranges begin.

    Raises:
        OSError: no such range was found in a hundred tries.
    """
    for _ in range(100):
        first = random.randrange(_FIRST, _LAST - length, 2)
        if all(_is_free(port) for port in range(first, first + length)):
            return first
    raise OSError(f"no {length} free ports on {_LOOPBACK}")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((_LOOPBACK, port))
            except OSError:
                return False
    return True

"""Free ports on the loopback interface, so that several Asterisks run side by side."""

from __future__ import annotations

import fcntl
import functools
import random
import socket
from collections import deque
from typing import BinaryIO

from scripts.asterisk.root import cache

_LOOPBACK = "127.0.0.1"
# Below Linux' ephemeral range (32768 up): a port found free here is not handed to an outgoing
# connection between the look and its use.
_SINGLE, _RANGES = range(10240, 12288), range(12288, 32000)
"""Single ports have an area of their own: strewn over all of it they would leave no room for a range."""
_STEP = 100
"""Ranges begin so far apart, or a multiple of it, so that little is left between two."""
_KEPT = 1500
"""Ports kept from others after they were handed out: several processes ask at once."""
_given: deque[range] = deque()
"""What was handed out last: a port may be free only because its user has not started yet."""


def free_port() -> int:
    """A port (10240–12287) free for TCP and UDP on 127.0.0.1, and not given just before."""
    return free_range(1)


def free_range(length: int) -> int:
    """The first of `length` consecutive ports (12288–31999), all free; even, as RTP ranges begin.

    Raises:
        OSError: no such range was found in a thousand tries.
    """
    area, step = (_SINGLE, 2) if length == 1 else (_RANGES, _STEP)
    for _ in range(1000):
        first = random.randrange(area.start, area.stop - length, step)
        wanted = range(first, first + length)
        if any(_overlap(wanted, given) for given in _given) or not _reserve(wanted):
            continue
        if all(map(_is_free, wanted)):
            _keep(wanted)
            return first
        _release(wanted)
    raise OSError(f"no {length} free ports on {_LOOPBACK}")


def _keep(given: range) -> None:
    _given.append(given)
    while sum(map(len, _given)) > _KEPT:
        _release(_given.popleft())


def _reserve(wanted: range) -> bool:
    """Lock the ports' bytes of a file against other processes; the lock ends with this process."""
    try:
        fcntl.lockf(_locks(), fcntl.LOCK_EX | fcntl.LOCK_NB, len(wanted), wanted.start)
    except OSError:
        return False
    return True


def _release(given: range) -> None:
    fcntl.lockf(_locks(), fcntl.LOCK_UN, len(given), given.start)


@functools.cache
def _locks() -> BinaryIO:
    cache().mkdir(parents=True, exist_ok=True)
    return (cache() / "ports.lock").open("ab")


def _overlap(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((_LOOPBACK, port))
            except OSError:
                return False
    return True

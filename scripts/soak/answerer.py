"""Talk to the real `yobirin-agi` as nobody should, and look at what it still holds afterwards.

    python -m scripts.soak.answerer [--connections 500] [--seed 1]

Exit status 0: it answers as before, and has no descriptor and no thread more, and at most 8 MB.
"""

from __future__ import annotations

import argparse
import random
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agi.board import write_board
from dialer.ami import contract
from rules.answering import Do
from scripts.bench.answerer import answering
from scripts.bench.figures import machine
from tests.agi.asterisk import CALLBACK, acknowledged, ask, connect, request
from tests.agi.conftest import open_board
from tests.agi.test_server import BEGINNINGS, begun_with
from tests.asterisk.pbx import settings_in, work_dir

GROWS_AT_MOST_KB = 8192
_AT_ONCE = 100
_SETTLES_S = 15.0
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: the line is reset when it is closed."""


def held(pid: int) -> tuple[int, int, int]:
    """Memory in kB, threads, descriptors."""
    status = Path(f"/proc/{pid}/status").read_text()
    told = dict(line.split(":", 1) for line in status.splitlines())
    descriptors = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return int(told["VmRSS"].split()[0]), int(told["Threads"]), descriptors


def misbehave(port: int, seed: str) -> None:
    """One connection, of a kind drawn by lot."""
    chance = random.Random(seed)
    try:
        match chance.randrange(6):
            case 0:
                begun_with(port, chance.choice(BEGINNINGS))
            case 1:
                begun_with(port, chance.randbytes(chance.randrange(3000)))
            case 2:  # reset in the middle
                with connect(port) as line:
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    line.sendall(request("callback", CALLBACK)[: chance.randrange(200)])
            case 3:  # silent
                with connect(port) as line:
                    time.sleep(chance.uniform(0, 6))
                    line.recv(1)
            case 4:  # a caller who hangs up while they are told
                with connect(port) as line:
                    line.sendall(request("wait", CALLBACK, "1"))
                    line.recv(10)
            case _:
                with connect(port) as line:
                    line.sendall(request("callback", CALLBACK, number="\x00'%s" * 90))
                    acknowledged(line)
    except OSError:
        return  # turned away: too many at once


def run(connections: int, seed: int) -> bool:
    """Whether nothing was left of them."""
    with work_dir() as folder:
        settings = settings_in(folder)
        port = settings.agi.port
        write_board(settings.agi.board, open_board())
        with answering(settings, folder) as process, ThreadPoolExecutor(_AT_ONCE) as pool:
            # the first ones make room that is kept
            list(pool.map(lambda n: misbehave(port, f"{seed} first {n}"), range(_AT_ONCE)))
            before = _settled(process.pid, (0, 1, 0))
            list(pool.map(lambda n: misbehave(port, f"{seed} {n}"), range(connections)))
            after = _settled(process.pid, before)
            write_board(settings.agi.board, open_board())
            answers = ask(port, contract.AGI_ARRIVED, CALLBACK)[contract.DO] == Do.QUEUE
    for name, early, late in zip(
        ("memory kB", "threads", "descriptors"), before, after, strict=True
    ):
        print(f"{name:12} {early:6} before, {late:6} after {connections} connections")
    print(f"answers as before: {answers}   ({machine()})")
    kept = after[0] <= before[0] + GROWS_AT_MOST_KB and after[1:] <= before[1:]
    return answers and kept


def _settled(pid: int, as_before: tuple[int, int, int]) -> tuple[int, int, int]:
    """What is held when every connection is over, or after so long as none lasts."""
    until = time.monotonic() + _SETTLES_S
    while (now := held(pid))[1] > as_before[1] and time.monotonic() < until:
        time.sleep(0.1)
    return now


def main() -> int:
    """Print what it held; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    return 0 if run(asked.connections, asked.seed) else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Where an Asterisk comes from: the system's own (20 or newer), else a private root in the cache.

Debian 12 and 13 have no asterisk package, Debian's unstable has the current LTS: a minimal system
of it, made once by mmdebstrap, holds an Asterisk that touches nothing outside its folder.

Only the standard library is used: set-up runs this before anything is installed.
Run as `python3 -m scripts.asterisk.root`, it makes the root if it is needed.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OLDEST = 20
"""Oldest major version of Asterisk that is used."""


class NoAsteriskError(RuntimeError):
    """There is no usable Asterisk and none could be made; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An Asterisk that can be started."""

    program: str
    """Its path, as seen from inside `root`."""
    root: Path | None
    """The private root it lives in; None: the system's own."""


def cache() -> Path:
    """The folder that is kept between runs: `$XDG_CACHE_HOME/yobirin`, else `~/.cache/yobirin`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "yobirin"


def installation() -> Installation:
    """The system's Asterisk if new enough, else the private root's, which is made if missing.

    Raises:
        NoAsteriskError: neither is there, and the private root cannot be made.
    """
    system = shutil.which("asterisk")
    if system and _major(system) >= OLDEST:
        return Installation(system, None)
    root = cache() / "asterisk-root"
    if not _complete(root):
        _make(root)
    _name_the_host(root)
    return Installation("/usr/sbin/asterisk", root)


def _major(program: str) -> int:
    said = subprocess.run([program, "-V"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"Asterisk (?:certified/)?(\d+)", said)
    return int(found[1]) if found else 0


def _complete(root: Path) -> bool:
    return (root / "usr/sbin/asterisk").exists()


def _make(root: Path) -> None:
    if os.geteuid() != 0:
        raise NoAsteriskError(
            f"no asterisk {OLDEST} or newer on PATH, and making a private one needs root: "
            "install Asterisk, or run this once as root"
        )
    if not shutil.which("mmdebstrap"):
        raise NoAsteriskError("mmdebstrap is missing: apt-get install mmdebstrap")
    root.parent.mkdir(parents=True, exist_ok=True)
    with _locked(root.with_suffix(".lock")):
        if _complete(root):  # another run made it while this one waited
            return
        half = root.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        _bootstrap(half)
        half.rename(root)


def _bootstrap(half: Path) -> None:
    print("making a private Asterisk (once, about half a minute) …", file=sys.stderr, flush=True)
    command = [
        "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--include=asterisk",
        # The mirror's unstable list may be older than its own expiry.
        "--aptopt=Acquire::Check-Valid-Until \"false\"",
        "--aptopt=APT::Install-Recommends \"false\"",
        "sid", str(half),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise NoAsteriskError(f"mmdebstrap failed: {last}")


def _name_the_host(root: Path) -> None:
    """Without its own name and with resolvers that do not answer, each call waits for DNS."""
    _keep(root / "etc/hosts", f"127.0.0.1 localhost {socket.gethostname()}\n")
    _keep(root / "etc/resolv.conf", "")


def _keep(path: Path, text: str) -> None:
    if path.is_symlink() or not path.is_file() or path.read_text() != text:
        new = path.with_name(f"{path.name}.{os.getpid()}")
        new.write_text(text)
        new.replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        installation()
    except NoAsteriskError as error:
        sys.exit(str(error))

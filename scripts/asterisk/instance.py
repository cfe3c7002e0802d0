"""Start, ask, restart and stop one Asterisk with a configuration of its own.

    with start_asterisk(conf_dir, work_dir) as pbx:
        pbx.cli("core show channels")

Several run side by side as long as their `asterisk.conf` name different folders and their ports
differ (`scripts.asterisk.ports`). All folders must lie in `conf_dir`, `work_dir` or the cache.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts.asterisk.root import Installation, cache, installation

BOOT_S = 30.0
"""Longest wait for an Asterisk to come up or go down, in seconds (it takes < 3 s alone)."""
_TICK_S = 0.02
_SOCKET_PATH_MAX = 107  # bytes of sockaddr_un.sun_path, less its closing NUL

# The mounts live in a mount namespace of Asterisk's own: they are gone the moment it is. Folders
# have the same names inside and outside, so that one configuration fits both.
_IN_ROOT = """
root=$1; program=$2; conf=$3; shift 3
mount --make-rprivate / 2>/dev/null || true  # in a chroot / is no mount point, nor are mounts shared
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
for folder in "$@"; do
    mkdir -p "$root$folder"
    mount --bind "$folder" "$root$folder"
done
exec chroot "$root" "$program" -f -C "$conf"
"""


class AsteriskError(RuntimeError):
    """Asterisk did not start, answer or stop; the text has its last log lines."""


class RunningAsterisk:
    """One Asterisk; stops when its `with` block ends."""

    def __init__(self, process: subprocess.Popen[bytes], conf_dir: Path, work_dir: Path) -> None:
        self._process = process
        self.conf_dir = conf_dir
        self.work_dir = work_dir
        self._folders = _folders(conf_dir)

    @property
    def pid(self) -> int:
        """Process id; a `core restart now` keeps it."""
        return self._process.pid

    def running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def cli(self, command: str, timeout_s: float = 10.0) -> str:
        """Carry out one CLI command and return what Asterisk prints.

        Raises:
            OSError: nobody listens on the control socket, or no answer within `timeout_s`.
        """
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(timeout_s)
            _connect(control, _control_socket(self._folders), timeout_s)
            control.recv(512)  # host/pid/version
            control.sendall(f"cli quit after {command}".encode() + b"\0")
            return b"".join(iter(lambda: control.recv(65536), b"")).decode(errors="replace")

    def log(self) -> str:
        """Everything in its log folder, and what it printed before the log was open."""
        files = [self.work_dir / "console", *sorted(self._folders["astlogdir"].glob("*"))]
        texts = (f.read_text(errors="replace") for f in files if f.is_file())
        return "".join(texts)

    def complaints(self) -> list[str]:
        """Lines of the log with the level WARNING or ERROR."""
        return [line for line in self.log().splitlines() if re.search(r"\b(WARNING|ERROR)\b", line)]

    def restart(self) -> None:
        """`core restart now`: every call ends, the process id stays; returns when it is up again."""
        made_at = self._socket_made_at()
        self.cli("core restart now")
        self._wait(lambda: self._socket_made_at() not in (None, made_at), "restart")
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Return when Asterisk has fully booted.

        Raises:
            AsteriskError: it ended, or was not up within `BOOT_S`.
        """
        self._wait(self._booted, "start")

    def stop(self) -> None:
        """End it: gently first, by force after `BOOT_S`. Calls are cut. Harmless when ended."""
        if not self.running():
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(BOOT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _socket_made_at(self) -> int | None:
        try:
            return _control_socket(self._folders).stat().st_ctime_ns
        except FileNotFoundError:
            return None

    def _booted(self) -> bool:
        try:
            return "fully booted" in self.cli("core waitfullybooted", BOOT_S)
        except OSError:
            return False

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + BOOT_S
        while not done():
            if not self.running() or time.monotonic() > end:
                raise AsteriskError(f"Asterisk did not {what}:\n{self.log()[-3000:]}")
            time.sleep(_TICK_S)


def start_asterisk(conf_dir: Path, work_dir: Path) -> RunningAsterisk:
    """Start an Asterisk with `conf_dir/asterisk.conf` and return once it has fully booted.

    Args:
        conf_dir: its configuration (absolute, as all folders named in it).
        work_dir: its run, spool, log and database folders lie in here; created.

    Raises:
        AsteriskError: it did not come up.
        NoAsteriskError: there is none on this machine and none can be made.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    folders = _folders(conf_dir)
    for name in ("astrundir", "astspooldir", "astlogdir", "astdbdir", "astvarlibdir"):
        folders[name].mkdir(parents=True, exist_ok=True)
    if len(os.fsencode(_control_socket(folders))) > _SOCKET_PATH_MAX:
        raise AsteriskError(f"{folders['astrundir']}: too long a path for Asterisk's socket")
    command = _command(installation(), conf_dir, work_dir)
    with (work_dir / "console").open("ab") as console:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            start_new_session=True,  # Ctrl-C at a demo is for the demo, which stops us in order
        )  # fmt: skip
    asterisk = RunningAsterisk(process, conf_dir, work_dir)
    try:
        asterisk.wait_until_up()
    except BaseException:
        asterisk.kill()
        raise
    return asterisk


def _command(found: Installation, conf_dir: Path, work_dir: Path) -> list[str]:
    conf = str(conf_dir / "asterisk.conf")
    if found.root is None:
        return [found.program, "-f", "-C", conf]
    sounds = cache() / "sounds"
    sounds.mkdir(parents=True, exist_ok=True)
    folders = [str(folder) for folder in (conf_dir, work_dir, sounds)]
    return [
        "unshare", "--mount", "--propagation", "unchanged", "sh", "-euc", _IN_ROOT, "sh",
        str(found.root), found.program, conf, *folders,
    ]  # fmt: skip


def _folders(conf_dir: Path) -> dict[str, Path]:
    """The `ast*dir` entries of `asterisk.conf`."""
    text = (conf_dir / "asterisk.conf").read_text()
    return {name: Path(path) for name, path in re.findall(r"^(ast\w+dir) *=>? *(\S+)", text, re.M)}


def _connect(control: socket.socket, path: Path, timeout_s: float) -> None:
    """Connect to a control socket. Asterisk keeps a queue of two there: who comes while it is full is
    turned away at once, and tries again."""
    end = time.monotonic() + timeout_s
    while True:
        try:
            return control.connect(str(path))
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(_TICK_S)


def _control_socket(folders: dict[str, Path]) -> Path:
    return folders["astrundir"] / "asterisk.ctl"

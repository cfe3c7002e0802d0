"""Starting, restarting and ending a real Asterisk."""

from __future__ import annotations

import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dialer.ami import contract
from dialer.asterisk_config import render
from dialer.settings import ensure_secrets
from scripts.asterisk.instance import AsteriskError, RunningAsterisk, start_asterisk
from tests.asterisk.pbx import Pbx, settings_in, started_pbx, work_dir, write_sounds

pytestmark = pytest.mark.asterisk


def test_two_run_side_by_side_and_know_only_their_own_settings(pbx: Pbx) -> None:
    with started_pbx() as other:
        assert other.asterisk.pid != pbx.asterisk.pid
        for one in (pbx, other):
            assert str(one.settings.ami.port) in one.asterisk.cli("manager show settings")


def test_a_restart_keeps_the_process_and_is_up_when_it_returns() -> None:
    with started_pbx() as pbx:
        before = pbx.asterisk.pid
        pbx.asterisk.cli("dialplan set global BEFORE yes")
        assert "BEFORE=yes" in pbx.asterisk.cli("dialplan show globals")
        pbx.asterisk.restart()
        assert pbx.asterisk.pid == before
        # every file is read by then, and nothing is left of what was
        globals_after = pbx.asterisk.cli("dialplan show globals")
        assert contract.DIALPLAN_VERSION in globals_after
        assert "BEFORE" not in globals_after
        assert pbx.asterisk.complaints() == []


def test_who_finds_the_queue_at_its_socket_full_asks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "asterisk.conf").write_text(f"[directories]\nastrundir => {tmp_path}\n")
    asterisk = RunningAsterisk(subprocess.Popen(["true"]), tmp_path, tmp_path)
    asterisk.stop()
    with (
        socket.socket(socket.AF_UNIX) as server,
        socket.socket(socket.AF_UNIX) as first,
        ThreadPoolExecutor(1) as pool,
    ):
        server.bind(str(tmp_path / "asterisk.ctl"))
        server.listen(0)  # one may wait; at Asterisk's a few
        first.connect(server.getsockname())

        def answer() -> None:
            with server.accept()[0] as line:
                line.sendall(b"host/1/22\0")
                line.recv(512)
                line.sendall(b"Asterisk 22")

        def meanwhile(_seconds: float) -> None:
            server.accept()[0].close()
            pool.submit(answer)

        with pytest.raises(BlockingIOError):
            asterisk.cli("core show version", timeout_s=0)
        monkeypatch.setattr(time, "sleep", meanwhile)
        assert asterisk.cli("core show version") == "Asterisk 22"


def test_a_killed_one_can_be_started_again_in_the_same_folder() -> None:
    with work_dir() as folder:
        settings = settings_in(folder)
        path = folder / "s.toml"
        write_sounds(settings.asterisk.sounds_dir)
        render(settings, ensure_secrets(settings, path), path, folder / "conf")
        first = start_asterisk(folder / "conf", folder)
        first.kill()
        assert not first.running()
        with start_asterisk(folder / "conf", folder) as second:
            assert second.pid != first.pid
            assert second.running()
        assert not second.running()


def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    with work_dir() as folder:
        settings = settings_in(folder)
        path = folder / "s.toml"
        render(settings, ensure_secrets(settings, path), path, folder / "conf")
        asterisk_conf = folder / "conf" / "asterisk.conf"
        asterisk_conf.write_text(asterisk_conf.read_text().replace("/conf\n", "/nowhere\n"))
        with pytest.raises(AsteriskError, match="did not start"):
            start_asterisk(folder / "conf", folder)


def test_too_long_a_path_for_the_control_socket_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25)
    settings = settings_in(folder)
    path = tmp_path / "s.toml"
    render(settings, ensure_secrets(settings, path), path, tmp_path / "conf")
    with pytest.raises(AsteriskError, match="too long a path"):
        start_asterisk(tmp_path / "conf", folder)

"""The command as its users start it: a process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from dialer.settings import load_settings
from dialer.web.server import server_config
from tests.dialer.cli.conftest import House
from tests.dialer.web.conftest import app, desk

__all__ = ["app", "desk"]

DIALER = Path(sys.executable).with_name("dialer")


def dialer(house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [DIALER, "--settings", str(house.settings), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=3000, stdin=subprocess.DEVNULL, check=False
    )


@pytest.fixture
def serving(house: House, app: FastAPI) -> Iterator[None]:
    """The web interface of a service whose desk is a fake, where the settings say."""
    server = uvicorn.Server(server_config(app, load_settings(house.settings).http))
    begun = threading.Event()
    startup = server.startup

    async def tell(sockets: object = None) -> None:
        await startup()
        begun.set()

    server.startup = tell  # type: ignore[method-assign, assignment]
    thread = threading.Thread(target=server.run)
    thread.start()
    assert begun.wait(30)
    yield
    server.should_exit = True
    thread.join(30)


def test_an_installation_from_nothing_to_a_running_month(house: House) -> None:
    (house.folder / "yobirin.db").unlink()
    steps = [
        ["db", "upgrade"],
        ["db", "upgrade"],  # again changes nothing
        ["campaign", "create", "2026-09", "--from", "2026-09-18", "--to", "2026-09-24"],
        ["campaign", "start", "2026-09"],
        ["campaign", "list", "--json"],
    ]
    done = [dialer(house, *step) for step in steps]
    assert [one.returncode for one in done] == [0] * len(steps), [one.stderr for one in done]
    assert json.loads(done[-1].stdout)[0]["state"] == "running"


def test_an_error_is_one_line_on_stderr_and_nothing_on_stdout(house: House) -> None:
    done = dialer(house, "campaign", "start", "2026-08")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == "dialer: campaign 2026-08: does not exist; see `dialer campaign list`\n"


def test_the_status_of_a_running_service_is_shown(house: House, serving: None) -> None:
    shown = dialer(house, "status")
    assert shown.returncode == 0, shown.stderr
    assert "2 ringing" in shown.stdout
    assert "2026-09" in shown.stdout
    told = json.loads(dialer(house, "status", "--json").stdout)
    assert told["calls"]["talking"] == 1
    assert told["now"] == "2026-09-24T10:00:00+09:00"


def test_watching_goes_on_until_it_is_interrupted(house: House, serving: None) -> None:
    command = [DIALER, "--settings", str(house.settings), "status", "--watch"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.read(1)  # it has drawn
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (130, "")


def test_asking_for_help_loads_neither_the_database_nor_the_web(house: House) -> None:
    heavy = ["sqlalchemy", "fastapi", "pydantic", "httpx", "uvicorn", "jinja2", "phonenumbers"]
    code = (
        "import sys\n"
        "from dialer.cli.app import run\n"
        "assert run(['--help']) == 0\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Exit status" in done.stdout
    assert done.stderr == "[]\n"

"""What a log may say: what happened and where, never a value."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SECRET = "0258001234 星野架空"

SCENES = {
    "our own error": f"""
        try:
            raise ValueError("{SECRET}")
        except ValueError as error:
            log.error("it_failed", attempt="a-1", error=error)
    """,
    "an error that was never raised": f"""
        log.warning("it_failed", attempt="a-1", error=KeyError("{SECRET}"))
    """,
    "a library's exception": f"""
        try:
            raise ValueError("{SECRET}")
        except ValueError:
            logging.getLogger("uvicorn").exception("Job raised an exception")
    """,
    "a library's arguments": f"""
        logging.getLogger("sqlalchemy").error("cannot bind %s", "{SECRET}")
    """,
    "a library that logs the exception itself": f"""
        logging.getLogger("uvicorn.error").error(OSError("{SECRET}"))
    """,
    "a task that nobody looks after": f"""
        import asyncio, gc
        async def fails():
            raise ValueError("{SECRET}")
        async def main():
            asyncio.create_task(fails())
            await asyncio.sleep(0.01)
            gc.collect()
        asyncio.run(main())
        gc.collect()
    """,
    "a callback that fails": f"""
        import asyncio
        def fails(number):
            raise ValueError(number)
        async def main():
            asyncio.get_running_loop().call_soon(fails, "{SECRET}")
            await asyncio.sleep(0.01)
        asyncio.run(main())
    """,
}


def logged(scene: str) -> list[dict[str, str]]:
    """The lines a process logs; each must be JSON."""
    lines = "\n".join(line.removeprefix("        ") for line in scene.split("\n"))
    program = (
        "import logging, structlog\n"
        "from dialer.logs import set_up_logs\n"
        "set_up_logs()\n"
        f"log = structlog.get_logger()\n{lines}"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize("scene", SCENES)
def test_no_text_of_an_exception_and_no_value_is_logged(scene: str) -> None:
    (line,) = logged(SCENES[scene])
    shown = json.dumps(line, ensure_ascii=False)
    for part in SECRET.split():
        assert part not in shown
    assert line["event"]
    assert line["timestamp"]


def test_an_error_is_logged_with_its_kind_and_its_place() -> None:
    (line,) = logged(
        """
        def deep():
            raise ValueError("x")
        try:
            deep()
        except ValueError as error:
            log.error("it_failed", attempt="a-1", error=error)
        """
    )
    assert (line["event"], line["attempt"], line["level"]) == ("it_failed", "a-1", "error")
    assert (line["error"], line["where"].partition(":")[0]) == ("ValueError", "deep")


def test_a_librarys_error_is_logged_with_its_kind_and_its_logger() -> None:
    (line,) = logged(SCENES["a library's exception"])
    assert (line["logger"], line["event"]) == ("uvicorn", "Job raised an exception")
    assert (line["error"], line["level"]) == ("ValueError", "error")


def test_panoramisk_which_prints_whole_actions_is_silent() -> None:
    assert logged('logging.getLogger("panoramisk").critical("Action: Originate")') == []


def test_what_is_not_worth_a_warning_to_a_library_is_not_logged() -> None:
    assert logged('logging.getLogger("sqlalchemy").info("SELECT 1")') == []

"""Whatever comes over the line, the service goes on answering, and keeps nothing of it."""

from __future__ import annotations

import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from agi import server, session
from agi.board import write_board
from dialer.ami import contract
from tests.agi.asterisk import CALLBACK, acknowledged, ask, connect, request, rest
from tests.agi.conftest import open_board, running, settings_in

OF_A_SESSION = tries(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def under_way() -> int:
    """Requests that are being answered."""
    return sum(thread.name == "request" for thread in threading.enumerate())


def until(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


@contextmanager
def nothing_kept() -> Iterator[None]:
    """No descriptor and no thread more than before."""
    before = descriptors(), threading.active_count()
    yield
    # fewer: a request that was just answered was ending still
    until(lambda: descriptors() <= before[0] and threading.active_count() <= before[1])


def still_answers(port: int) -> None:
    assert ask(port, "callback", CALLBACK)[contract.DO] == "queue"


def begun_with(port: int, sent: bytes) -> bytes:
    """What comes back to one who sends this and no more."""
    with connect(port) as line:
        try:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
        except OSError:  # hung up before all was sent
            pass
        return rest(line)


BEGINNINGS = [
    # what is sent                                           what of it goes wrong
    b"",  # nothing at all
    b"\n",  # no script
    b"\0\xff\xfe" * 100 + b"\n\n",  # not text
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"a" * 5_000_000,  # a line that never ends
    b"agi_network_script: " + b"a" * session.MAX_LINE + b"\n\n",
    b"agi_callerid: 0\n" * (session.MAX_LINES + 1) + b"\n",
    b"agi_network_script: callback\n",  # the request is never whole
    b"agi_network_script: callback\nHANGUP\n\n",
    b"HANGUP\n",
]


@pytest.mark.parametrize("sent", BEGINNINGS, ids=lambda sent: f"{sent[:24]!r}")
def test_what_is_no_request_gets_nothing(port: int, sent: bytes) -> None:
    with nothing_kept():
        assert begun_with(port, sent) == b""
    still_answers(port)


def test_the_longest_request_that_is_taken(port: int) -> None:
    lines = [b"agi_a: " + b"x" * (session.MAX_LINE - 7)] * (session.MAX_LINES - 4)
    lines += [b"agi_network_script: callback", b"", b""]
    with connect(port) as line:
        line.sendall(b"\n".join(lines))
        assert acknowledged(line)[contract.DO] == "queue"


@OF_A_SESSION
@given(sent=st.binary(max_size=3000))
def test_any_beginning_is_survived(port: int, sent: bytes) -> None:
    with nothing_kept():
        begun_with(port, sent)


@OF_A_SESSION
@given(number=st.text(max_size=200), argument=st.text(max_size=200))
def test_whoever_calls_gets_the_same_answer(port: int, number: str, argument: str) -> None:
    plain = [one.replace("\n", " ").replace("\r", " ") for one in (number, argument)]
    with connect(port) as line:
        line.sendall(request("callback", plain[1], number=plain[0]).replace(b"HANGUP", b""))
        assert acknowledged(line)[contract.DO] == "queue"


REPLIES = [
    b"200 result=1\n", b"200 result=-1\n", b"200 result=1 (hangup)\n", b"HANGUP\n", b"\n",
    b"510 Invalid or unknown command\n", b"511 Command Not Permitted on a dead channel\n",
    b"520-Invalid command syntax.\n", b"520-\nusage\n520 End of proper usage.\n", b"200\n",
    b"result=1\n", b"\xff\xfe\n", b"200 result=" + b"9" * 2000 + b"\n", b"9" * 900 + b"\n",
    "²\n".encode(), b"*#0123456789\n",
]  # fmt: skip


@OF_A_SESSION
@given(replies=st.lists(st.sampled_from(REPLIES) | st.binary(max_size=300), max_size=5))
def test_any_reply_is_survived(port: int, replies: list[bytes]) -> None:
    with nothing_kept(), connect(port) as line:
        try:
            line.sendall(request("wait", CALLBACK, "1"))
            for reply in replies:
                line.sendall(reply)
            line.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        rest(line)


NOT_TAKEN = [one for one in REPLIES if not one.startswith((b"200 result=1\n", b"200\n"))]


@pytest.mark.parametrize("reply", NOT_TAKEN)
def test_an_answer_that_is_not_taken_is_not_completed(port: int, reply: bytes) -> None:
    with connect(port) as line:
        line.sendall(request("callback", CALLBACK))
        assert contract.PLAY.encode() in line.recv(4096)
        line.sendall(reply)
        line.shutdown(socket.SHUT_WR)
        assert contract.DO.encode() not in rest(line)
    still_answers(port)


def test_a_caller_who_hangs_up_in_the_middle_ends_the_talk(port: int) -> None:
    with nothing_kept(), connect(port) as line:
        line.sendall(request("callback", CALLBACK))
        assert line.recv(10)
        line.sendall(b"HANGUP\n")
        assert contract.DO.encode() not in rest(line)


def test_a_line_that_is_reset_in_the_middle_ends_the_talk(port: int) -> None:
    with nothing_kept(), connect(port) as line:
        line.sendall(request("callback", CALLBACK))
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    still_answers(port)


def test_whoever_says_too_little_is_hung_up_when_the_time_is_over(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_S", 0.3)
    began = time.monotonic()
    with nothing_kept(), connect(port) as line:
        line.sendall(b"agi_network_script: callback\n")
        assert rest(line) == b""
    assert time.monotonic() - began > 0.25


def test_a_line_every_now_and_then_does_not_make_the_time_longer(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_S", 0.3)
    with connect(port) as line, pytest.raises(ConnectionError):
        for _ in range(session.MAX_LINES):  # so many would be taken
            line.sendall(b"agi_callerid: 0\n")
            time.sleep(0.05)


def test_whoever_never_reads_is_hung_up_too(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_S", 0.3)
    with nothing_kept(), connect(port) as line:
        line.sendall(request("callback", CALLBACK))
        until(lambda: under_way() == 1)
        until(lambda: under_way() == 0)


def test_a_host_that_is_not_allowed_is_closed_before_a_byte_is_read(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, allowed="192.0.2.0/24")
    write_board(settings.agi.board, open_board())
    with running(settings) as port, nothing_kept(), connect(port) as line:
        assert rest(line) == b"", "closed without anything sent"
        assert under_way() == 0, "no thread is spent on it"


def test_more_than_can_be_answered_at_once_are_closed_at_once(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_S", 60.0)
    held = [connect(port) for _ in range(server.MAX_AT_ONCE)]
    try:
        until(lambda: under_way() == server.MAX_AT_ONCE)
        with connect(port) as line:
            assert rest(line) == b""
        assert under_way() == server.MAX_AT_ONCE, "it waited until there was room"
    finally:
        for line in held:
            line.close()
    until(lambda: under_way() == 0)
    still_answers(port)


def test_five_hundred_at_once_leave_nothing_behind(port: int) -> None:
    """Silent ones, broken ones and real ones, mixed."""

    def one(number: int) -> str:
        try:
            if number % 5:
                return ask(port, "callback", CALLBACK).get(contract.DO, "closed")
            with connect(port) as line:
                line.sendall([b"", b"\xff" * 2000, b"agi_a: b\n"][number % 3])
                return "broken"
        except ConnectionError:
            return "closed"

    still_answers(port)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with nothing_kept(), ThreadPoolExecutor(max_workers=100) as pool:
        found = list(pool.map(one, range(500)))
    assert len(found) == 500
    assert set(found) <= {"queue", "closed", "broken"}
    assert found.count("queue") > 0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 50_000
    still_answers(port)


def test_lines_opened_all_at_once_and_left_silent_leave_nothing_behind(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_S", 1.0)
    with nothing_kept():
        lines = [connect(port) for _ in range(500)]
        assert under_way() <= server.MAX_AT_ONCE
        for line in lines:
            assert rest(line) == b""
            line.close()
    still_answers(port)


def test_a_request_under_way_is_answered_before_the_service_ends(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    write_board(settings.agi.board, open_board())
    with nothing_kept(), ThreadPoolExecutor(max_workers=1) as pool:
        with running(settings) as port:
            line = connect(port)
            line.sendall(request("callback", CALLBACK)[:-1])
            until(lambda: under_way() == 1)
            told = pool.submit(_finished, line)
        # the block ended: the service was told to stop while the request was not whole
        assert told.result()[contract.DO] == "queue"


def _finished(line: socket.socket) -> dict[str, str]:
    time.sleep(0.3)  # meanwhile the service is told to stop
    with line:
        line.sendall(b"\n")
        return acknowledged(line)

"""Asterisk's side of FastAGI, as far as our scripts need it."""

from __future__ import annotations

import re
import socket

CALLBACK = "1763838000.123"
NUMBER = "0258990123"
_SET = re.compile(rb'SET VARIABLE "(\w+)" "([^"]*)"\n')


def request(script: str, *arguments: str, number: str = NUMBER) -> bytes:
    """The lines with which Asterisk begins a talk."""
    lines = [
        "agi_network: yes",
        f"agi_network_script: {script}",
        f"agi_request: agi://127.0.0.1/{script}",
        "agi_channel: PJSIP/trunk-00000001",
        "agi_language: ja",
        "agi_type: PJSIP",
        f"agi_uniqueid: {CALLBACK}",
        f"agi_callerid: {number}",
        f"agi_calleridname: {number}",
        "agi_context: yobirin-inbound",
        *(f"agi_arg_{place}: {one}" for place, one in enumerate(arguments, start=1)),
        "",
        "",
    ]
    return "\n".join(lines).encode()


def connect(port: int) -> socket.socket:
    """A line to the service; nothing on it lasts longer than a minute."""
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def ask(port: int, script: str, *arguments: str) -> dict[str, str]:
    """The variables that are set, each of them acknowledged."""
    with connect(port) as line:
        line.sendall(request(script, *arguments))
        return acknowledged(line)


def acknowledged(line: socket.socket) -> dict[str, str]:
    """Acknowledge what is set until the service hangs up."""
    found: dict[str, str] = {}
    while command := _read_line(line):
        name, value = _SET.fullmatch(command).groups()  # type: ignore[union-attr]
        found[name.decode()] = value.decode()
        line.sendall(b"200 result=1\n")
    return found


def rest(line: socket.socket) -> bytes:
    """All that still comes, until the service hangs up or the line breaks."""
    read = b""
    try:
        while more := line.recv(4096):
            read += more
    except ConnectionError:
        return read
    return read


def _read_line(line: socket.socket) -> bytes:
    read = b""
    while not read.endswith(b"\n"):
        byte = line.recv(1)
        if not byte:
            return b""
        read += byte
    return read

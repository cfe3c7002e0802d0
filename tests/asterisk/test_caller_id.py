"""Whose number a called person sees: read from what SIPp, as the carrier, was sent (§11(2)イ)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from dialer.ami.originate import Placement, originate_action
from scripts.asterisk.ports import free_port
from tests.asterisk.pbx import POOL, Pbx, started_pbx
from tests.asterisk.phone import WAIT_S, Sip
from tests.asterisk.room import NUMBER, operator, room
from tests.asterisk.tones import OPERATOR_HZ

pytestmark = pytest.mark.asterisk

MODES = [
    # identity of the trunk, headers beside From with the caller ID
    ("from", set()),
    ("pai", {"P-Asserted-Identity"}),
    ("ppi", {"P-Preferred-Identity"}),
    ("both", {"P-Asserted-Identity", "P-Preferred-Identity"}),
]
IDENTITIES = ("P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Privacy")


@asynccontextmanager
async def sipp_callee(port: int, folder: Path) -> AsyncIterator[Path]:
    """SIPp's own callee, which rings and picks up; gives the file of all messages."""
    messages = folder / "messages"
    process = await asyncio.create_subprocess_exec(
        "sipp", "-sn", "uas", "-i", "127.0.0.1", "-p", str(port), "-nostdin", "-aa", "-trace_msg",
        "-message_file", str(messages), "-mi", "127.0.0.1", "-mp", str(free_port()),
        cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield messages
    finally:
        if process.returncode is None:
            process.kill()
        _, complaint = await process.communicate()
        print(complaint.decode())


def invite_in(messages: Path) -> Sip:
    """The first INVITE that SIPp noted."""
    text = messages.read_text().replace("\r\n", "\n")
    invite = re.search(r"^INVITE .*?\n\n", text, re.M | re.S)
    assert invite, "SIPp saw no INVITE"
    return Sip(invite[0].replace("\n", "\r\n"))


async def call_through(pbx: Pbx, caller_id: str, folder: Path) -> Sip:
    """Call the number, wait for the answer, and return the INVITE as the carrier saw it."""
    trunk = pbx.settings.trunk
    attempt = str(uuid4())
    placement = Placement(attempt=attempt, number=NUMBER, caller_id=caller_id)
    async with sipp_callee(trunk.port, folder) as messages, pbx.link() as link:
        await link.act(originate_action(placement, trunk, set_up_s=30, ring_s=36))
        async with asyncio.timeout(WAIT_S):
            while getattr(await link.events.get(), "attempt", "") != attempt:
                pass
        return invite_in(messages)


@pytest.mark.parametrize(("identity", "headers"), MODES)
async def test_the_carrier_is_told_the_configured_number_and_no_other(
    tmp_path: Path, identity: str, headers: set[str]
) -> None:
    with started_pbx(identity=identity) as pbx:
        for number in POOL:
            folder = tmp_path / number
            folder.mkdir()
            invite = await call_through(pbx, number, folder)
            assert re.match(rf'("[^"]*" )?<sip:{number}@', invite.get("From"))
            assert {name for name in IDENTITIES if invite.get(name)} == headers
            for name in headers:
                assert f"<sip:{number}@" in invite.get(name)
            everything = "\n".join(value for _, value in invite.headers).lower()
            assert "anonymous" not in everything
            assert set(re.findall(r"sip:(\d+)@", everything)) == {number, NUMBER}


@pytest.mark.parametrize("prefix", ["", "186"])
async def test_the_prefix_is_dialled_before_the_number(tmp_path: Path, prefix: str) -> None:
    with started_pbx(prefix=prefix) as pbx:
        invite = await call_through(pbx, POOL[0], tmp_path)
        assert invite.start.startswith(f"INVITE sip:{prefix}{NUMBER}@")


async def test_the_carrier_never_learns_the_operator_of_a_talk(pbx: Pbx) -> None:
    async with room(pbx) as place, operator(place):
        attempt, person = await place.place()
        await place.connect(attempt, "201")
        await person.hears(OPERATOR_HZ)
        await place.link.act({"Action": "Hangup", "Channel": await place.channel_of(attempt)})
        await person.is_over()
        assert place.carrier.received, "nothing came to the carrier"
        for sip in place.carrier.received:
            assert not any(re.search(r"\b201\b", value) for _, value in sip.headers), sip.start

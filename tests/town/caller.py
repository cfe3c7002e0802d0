"""A caller of one call: just enough SIP to see what the carrier answers, and when."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from uuid import uuid4

_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


@dataclass
class Caller(asyncio.DatagramProtocol):
    """Sends one INVITE; `heard` collects (status or method, seconds since the INVITE)."""

    number: str
    port: int
    caller_id: str = "0258990001"
    heard: dict[str, float] = field(default_factory=dict)
    cause: int | None = None
    """Q.850 cause of the response or request that ended the call."""

    async def __aenter__(self) -> Caller:
        self._news = asyncio.Condition()
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, remote_addr=("127.0.0.1", self.port), local_addr=("127.0.0.1", 0)
        )
        self._own = self._transport.get_extra_info("sockname")[1]
        self._call_id, self._to = str(uuid4()), f"<sip:{self.number}@127.0.0.1>"
        self._branch = f"z9hG4bK{uuid4().hex}"
        self._began = time.monotonic()
        self._send("INVITE", 1, self._branch, _SDP)
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._transport.close()

    async def hears(self, *what: str, within_s: float = 60.0) -> float:
        """Wait for one of these statuses or methods; seconds from the INVITE to it."""
        async with asyncio.timeout(within_s), self._news:
            await self._news.wait_for(lambda: any(w in self.heard for w in what))
        return min(self.heard[w] for w in what if w in self.heard)

    def cancel(self) -> None:
        """Give up while it rings."""
        self._send("CANCEL", 1, self._branch)

    def bye(self) -> None:
        """Hang up an answered call."""
        self._send("BYE", 2, f"z9hG4bK{uuid4().hex}")

    def datagram_received(self, data: bytes, addr: object) -> None:
        text = data.decode()
        first = text.split("\r\n", 1)[0].split()
        what = first[1] if first[0] == "SIP/2.0" else first[0]
        of_invite = re.search(r"^CSeq: 1 INVITE", text, re.M) is not None
        if what in ("BYE",) or of_invite:
            self.heard.setdefault(what, time.monotonic() - self._began)
        if found := re.search(r"^Reason: Q.850;cause=(\d+)", text, re.M):
            self.cause = int(found[1])
        if of_invite and what >= "200":
            self._to = re.search(r"^To: (.*)\r", text, re.M)[1]  # type: ignore[index]
            fresh = f"z9hG4bK{uuid4().hex}"
            self._send("ACK", 1, fresh if what == "200" else self._branch)
        if what == "BYE":
            kept = re.findall(r"^(?:Via|From|To|Call-ID|CSeq): .*\r\n", text, re.M)
            self._transport.sendto(f"SIP/2.0 200 OK\r\n{''.join(kept)}\r\n".encode())
        asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _send(self, method: str, sequence: int, branch: str, body: str = "") -> None:
        head = (
            f"{method} sip:{self.number}@127.0.0.1:{self.port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._own};branch={branch}\r\n"
            f"From: <sip:{self.caller_id}@127.0.0.1>;tag=1\r\nTo: {self._to}\r\n"
            f"Call-ID: {self._call_id}\r\nCSeq: {sequence} {method}\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:{self.caller_id}@127.0.0.1:{self._own}>\r\n"
            f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._transport.sendto((head + body).encode())

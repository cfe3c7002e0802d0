"""A telephone of one address: registers, calls, is called, speaks a tone and notes what it hears."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import socket
import struct
import time
from uuid import uuid4

from tests.asterisk import tones

HOST = "127.0.0.1"
WAIT_S = 30.0
"""The longest anything is waited for that must come: how soon it comes is not what these tests are about."""
_HEARD = 10 * tones.FRAME
"""Bytes of 200 ms: so long a tone has to be there."""
_KEY_FRAMES = 10
"""Packets of 20 ms that a key is pressed."""


class Sip:
    """One SIP message, read or to be sent."""

    def __init__(self, text: str) -> None:
        head, _, self.body = text.partition("\r\n\r\n")
        self.start, *lines = head.split("\r\n")
        self.headers = [tuple(line.split(": ", 1)) for line in lines if ": " in line]

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [h[1] for h in self.headers if h[0].lower() == name.lower()]

    def get(self, name: str) -> str:
        """The first value of a header; empty if there is none."""
        return next(iter(self.all(name)), "")

    @property
    def status(self) -> int:
        """Status of a response; 0: a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/") else 0

    @property
    def method(self) -> str:
        """Method of a request, or of the request that a response answers."""
        return self.get("CSeq").split()[-1]


class Call:
    """One dialogue with its sound."""

    def __init__(self, phone: Phone, call_id: str) -> None:
        self.phone = phone
        self.call_id = call_id
        self.invite: Sip
        self.local = self.remote = self.target = ""
        self.ended = asyncio.Event()
        self.ended_at = 0.0
        self.answered = False
        self.speaks: int | None = None
        """Frequency of the tone sent, in Hz; None: silence."""
        self._heard = bytearray()
        self._heard_to = 0
        """So far it was listened to."""
        self._heard_hz: int | None = None
        """The tone that was waited for last."""
        self._keys: list[str] = []
        self._cseq = 100
        self._speaker: asyncio.Task[None] | None = None
        self._rtp: asyncio.DatagramTransport
        self._wire: socket.socket
        self._ear: _Ear
        self.rtp_port = 0

    async def open_sound(self) -> None:
        """Open the port for the sound, before any SDP names it."""
        self._wire = socket.socket(type=socket.SOCK_DGRAM)
        self._wire.setblocking(False)
        self._wire.bind((HOST, 0))
        self.rtp_port = self._wire.getsockname()[1]
        self._ear = _Ear(self._heard)
        loop = asyncio.get_running_loop()
        self._rtp, _ = await loop.create_datagram_endpoint(lambda: self._ear, sock=self._wire)

    def sdp(self) -> str:
        events = self.phone.key_events
        return (
            f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
            f"m=audio {self.rtp_port} RTP/AVP 0{' 101' if events else ''}\r\n"
            "a=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n"
            + ("a=rtpmap:101 telephone-event/8000\r\n" if events else "")
        )

    def begin_sound(self, sdp: str) -> None:
        """Send sound to the address of the other side."""
        found = re.search(r"m=audio (\d+) ", sdp)
        assert found, "no audio offered"
        self._speaker = asyncio.create_task(self._speak((HOST, int(found[1]))))

    def respond(self, status: str, sdp: str = "") -> None:
        """Answer the INVITE of a call to us."""
        self.phone.respond(self.invite, status, sdp, to=self.local)

    def answer(self) -> None:
        """Pick up."""
        self.answered = True
        self.respond("200 OK", self.sdp())
        self.begin_sound(self.invite.body)

    def hang_up(self) -> None:
        """Say BYE; the sound ends."""
        self._cseq += 1
        self.phone.request(
            "BYE", self.target, self.call_id, self._cseq, from_=self.local, to=self.remote
        )
        self.over()

    def over(self) -> None:
        """The dialogue has ended."""
        if self.ended.is_set():
            return
        self.ended_at = time.monotonic()
        if self._speaker:
            self._speaker.cancel()
        with contextlib.suppress(BlockingIOError):  # what was sent before the end was heard
            while True:
                self._ear.datagram_received(self._wire.recv(2048), None)
        self._rtp.close()
        self.ended.set()

    async def hears(self, hz: int, within_s: float = WAIT_S) -> None:
        """Wait until this tone was on the line for 200 ms, after the tone that was waited for before; the
        same one again counts from now on."""
        if hz == self._heard_hz:
            self._heard_to = len(self._heard)
        end = time.monotonic() + within_s
        while not self._heard_by_now(hz):
            assert time.monotonic() < end, f"{hz} Hz was not heard within {within_s} s"
            assert not self.ended.is_set(), f"the call ended before {hz} Hz was heard"
            await asyncio.sleep(0.02)

    def _heard_by_now(self, hz: int) -> bool:
        """Whatever was heard since the last look counts: this process may have been kept from looking."""
        while len(self._heard) >= self._heard_to + _HEARD:
            last = self._heard_to + _HEARD
            if tones.heard(bytes(self._heard[self._heard_to : last])) == hz:
                self._heard_to, self._heard_hz = last, hz
                return True
            self._heard_to += tones.FRAME
        return False

    @property
    def heard(self) -> bytes:
        """Everything since the call began: G.711 bytes."""
        return bytes(self._heard)

    def press(self, key: str) -> None:
        """Press a key for 200 ms, as the telephone is able to."""
        self._keys.append(key)

    async def is_over(self, within_s: float = WAIT_S) -> None:
        """Wait for the other side to end it."""
        await asyncio.wait_for(self.ended.wait(), within_s)

    async def _speak(self, to: tuple[str, int]) -> None:
        sent, began, key_from = 0, time.monotonic(), 0
        while True:
            if not self._keys:
                key_from = sent + 1
                head = self._head(0, sent, sent * tones.FRAME)
                self._rtp.sendto(head + tones.frame(self.speaks), to)
            else:
                self._rtp.sendto(self._key(sent, sent - key_from), to)
                if sent - key_from == _KEY_FRAMES:
                    self._keys.pop(0)
                    key_from = sent + 1
            sent += 1
            await asyncio.sleep(max(0.0, began + sent * 0.02 - time.monotonic()))

    def _key(self, sent: int, frame: int) -> bytes:
        """A packet of the key that is pressed: an event (RFC 4733), or a tone."""
        if not self.phone.key_events:
            linear = tones.key_samples(self._keys[0], tones.FRAME, sent * tones.FRAME)
            return self._head(0, sent, sent * tones.FRAME) + tones.encode(linear)
        end = 0x80 if frame == _KEY_FRAMES else 0
        code, lasted = "0123456789*#".index(self._keys[0]), (frame + 1) * tones.FRAME
        head = self._head(101, sent, (sent - frame) * tones.FRAME)
        return head + struct.pack("!BBH", code, end | 10, lasted)

    @staticmethod
    def _head(kind: int, sent: int, at: int) -> bytes:
        return struct.pack("!BBHII", 0x80, kind, sent & 0xFFFF, at, 7)


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, heard: bytearray) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: object) -> None:
        if data[1] & 0x7F == 0:  # PCMU
            self._heard += data[12:]


class Phone(asyncio.DatagramProtocol):
    """Runs inside `async with`; `pbx_port` is where it sends its requests."""

    def __init__(
        self,
        pbx_port: int,
        port: int = 0,
        user: str = "person",
        secret: str = "",
        host: str = HOST,
    ) -> None:
        self._pbx = (HOST, pbx_port)
        self.host = host
        self.port = port
        self.user = user
        self._secret = secret
        self.identity = ""
        """What From says, if not `user` here."""
        self.key_events = True
        """Whether keys are sent as events; else as tones, as on a line that knows no events."""
        self.calls: asyncio.Queue[Call] = asyncio.Queue()
        """Calls that came in, each after its INVITE."""
        self.received: list[Sip] = []
        self._by_id: dict[str, Call] = {}
        self._invite = ""
        self._waiting: dict[tuple[str, int], asyncio.Future[Sip]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()
        self._transport: asyncio.DatagramTransport

    async def __aenter__(self) -> Phone:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.host, self.port)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_failure: object) -> None:
        for call in self._by_id.values():
            if not call.ended.is_set():
                call.hang_up()
        self._transport.close()
        await self._closed.wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The port is free again."""
        self._closed.set()

    async def register(self) -> None:
        """Register with the PBX."""
        answer = await self._with_auth("REGISTER", f"sip:{HOST}", str(uuid4()), self._aor, "")
        assert answer.status == 200, answer.start

    async def call(self, extension: str) -> tuple[int, Call]:
        """Call an extension of the PBX: final status, and the call (answered if 200)."""
        call = Call(self, str(uuid4()))
        await call.open_sound()
        self._by_id[call.call_id] = call
        uri = f"sip:{extension}@{HOST}:{self._pbx[1]}"
        answer = await self._with_auth("INVITE", uri, call.call_id, f"<{uri}>", call.sdp())
        call.local, call.remote = answer.get("From"), answer.get("To")
        call.target = _uri(answer.get("Contact")) or uri
        if answer.status == 200:
            call.answered = True
            seq = int(answer.get("CSeq").split()[0])
            self.request("ACK", call.target, call.call_id, seq, from_=call.local, to=call.remote)
            call.begin_sound(answer.body)
        else:
            call.over()
        return answer.status, call

    async def called(self, within_s: float = WAIT_S) -> Call:
        """The next call to this telephone."""
        return await asyncio.wait_for(self.calls.get(), within_s)

    def give_up(self) -> None:
        """Hang up before the call that was begun last is answered."""
        self._send(self._invite.replace("INVITE", "CANCEL"), "")

    def forget(self) -> None:
        """Hang up what is still there, so that the next test begins with silence."""
        while not self.calls.empty():
            self.calls.get_nowait()
        for call in self._by_id.values():
            if not call.ended.is_set():
                if call.answered:
                    call.hang_up()
                else:
                    call.respond("480 Temporarily Unavailable")
                    call.over()

    @property
    def _aor(self) -> str:
        return f"<sip:{self.user}@{HOST}:{self._pbx[1]}>"

    async def _with_auth(self, method: str, uri: str, call_id: str, to: str, body: str) -> Sip:
        from_ = f"{self.identity or self._aor};tag={uuid4().hex}"
        first = await self._ask(method, uri, call_id, 1, from_, to, body, "")
        if first.status != 401:
            return first
        if method == "INVITE":
            self.request("ACK", uri, call_id, 1, from_=from_, to=first.get("To"))
        proof = self._digest(method, uri, first.get("WWW-Authenticate"))
        return await self._ask(method, uri, call_id, 2, from_, to, body, proof)

    async def _ask(
        self,
        method: str,
        uri: str,
        call_id: str,
        seq: int,
        from_: str,
        to: str,
        body: str,
        proof: str,
    ) -> Sip:
        future: asyncio.Future[Sip] = asyncio.get_running_loop().create_future()
        self._waiting[call_id, seq] = future
        self.request(method, uri, call_id, seq, from_=from_, to=to, body=body, extra=proof)
        return await asyncio.wait_for(future, WAIT_S)

    def _digest(self, method: str, uri: str, challenge: str) -> str:
        asked = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        one = md5(f"{self.user}:{asked['realm']}:{self._secret}")
        two = md5(f"{method}:{uri}")
        answer = md5(f"{one}:{asked['nonce']}:00000001:c:{asked['qop']}:{two}")
        return (
            f'Authorization: Digest username="{self.user}", realm="{asked["realm"]}", '
            f'nonce="{asked["nonce"]}", uri="{uri}", response="{answer}", algorithm=MD5, '
            f'cnonce="c", qop={asked["qop"]}, nc=00000001, opaque="{asked.get("opaque", "")}"\r\n'
        )

    def request(
        self, method: str, uri: str, call_id: str, seq: int, *, from_: str, to: str,
        body: str = "", extra: str = "",
    ) -> None:  # fmt: skip
        """Send a request, once: on the loopback nothing is lost."""
        head = (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{uuid4().hex};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: {from_}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n"
            f"CSeq: {seq} {method}\r\nContact: <sip:{self.user}@{self.host}:{self.port}>\r\n{extra}"
        )
        if method == "INVITE":
            self._invite = head
        self._send(head, body)

    def respond(self, request: Sip, status: str, body: str = "", *, to: str = "") -> None:
        """Answer a request."""
        kept = [
            f"{n}: {v}\r\n" for n, v in request.headers if n in ("Via", "From", "Call-ID", "CSeq")
        ]
        self._send(
            f"SIP/2.0 {status}\r\n{''.join(kept)}To: {to or request.get('To')}\r\n"
            f"Contact: <sip:{self.user}@{self.host}:{self.port}>\r\n",
            body,
        )

    def _send(self, head: str, body: str) -> None:
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self._transport.sendto(
            f"{head}{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode(), self._pbx
        )

    def datagram_received(self, data: bytes, addr: object) -> None:
        sip = Sip(data.decode())
        self.received.append(sip)
        if sip.status:
            self._on_response(sip)
        else:
            task = asyncio.create_task(self._on_request(sip))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _on_response(self, sip: Sip) -> None:
        waiting = self._waiting.get((sip.get("Call-ID"), int(sip.get("CSeq").split()[0])))
        if sip.method == "CANCEL":
            return  # the INVITE it ends is answered too
        if waiting and not waiting.done() and sip.status >= 200:
            waiting.set_result(sip)

    async def _on_request(self, sip: Sip) -> None:
        call = self._by_id.get(sip.get("Call-ID"))
        if sip.method == "INVITE" and call is None:
            await self._on_invite(sip)
        elif sip.method == "INVITE" and call is not None:
            self.respond(sip, "200 OK", call.sdp())
        elif sip.method == "BYE" and call is not None:
            self.respond(sip, "200 OK")
            call.over()
        elif sip.method == "CANCEL" and call is not None:
            self.respond(sip, "200 OK")
            call.respond("487 Request Terminated")
            call.over()
        elif sip.method != "ACK":
            self.respond(sip, "200 OK")

    async def _on_invite(self, sip: Sip) -> None:
        call = Call(self, sip.get("Call-ID"))
        self._by_id[call.call_id] = call
        await call.open_sound()
        call.invite = sip
        call.local, call.remote = f"{sip.get('To')};tag={uuid4().hex}", sip.get("From")
        call.target = _uri(sip.get("Contact"))
        self.respond(sip, "100 Trying")  # else it comes again, and looks like a re-INVITE
        self.calls.put_nowait(call)


def _uri(header: str) -> str:
    found = re.search(r"<([^>]+)>", header)
    return found[1] if found else ""

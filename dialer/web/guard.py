"""What holds for every request: headers, and silence about persons."""

from __future__ import annotations

import structlog
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dialer.web.models import Refused

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", _CSP.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]

_log = structlog.get_logger()


class Guard:
    """Outermost layer of the app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; an error nobody foresaw becomes a 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            # `dialer.logs` keeps its kind and place; its text may carry what a person said.
            _log.error("request_failed", error=error)
            await answer.give_up(scope, receive)


class _Answer:
    """Sends an answer on, with our headers, and knows whether it has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begun = True
            message = {**message, "headers": [*message["headers"], *_HEADERS]}
        await self._send(message)

    async def give_up(self, scope: Scope, receive: Receive) -> None:
        """Say that we failed, unless half an answer is out already."""
        if not self._begun:
            body = Refused(message="内部の誤りです。管理者に知らせてください").model_dump()
            await JSONResponse(body, 500)(scope, receive, self)

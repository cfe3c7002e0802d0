"""Who may ask: operators by their token, the machine itself for the service's own pages."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from dialer.web.port import Desk

_bearer = HTTPBearer(auto_error=False, description="Token printed once by `dialer operator add`")


def desk_of(request: Request) -> Desk:
    """The desk the app was built with."""
    desk: Desk = request.app.state.desk
    return desk


DeskHere = Annotated[Desk, Depends(desk_of)]


def operator_with(token: str, tokens: Mapping[str, str]) -> str | None:
    """The operator whose token this is. Every stored hash is compared, each in constant time, so
    that the time taken tells nothing about how near a guess came."""
    given = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    found = None
    for operator_id, stored in tokens.items():
        if hmac.compare_digest(given, stored):
            found = operator_id
    return found


def signed_in(
    desk: DeskHere,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    """The id of the operator who asks.

    Raises:
        HTTPException: 401.
    """
    operator_id = operator_with(credentials.credentials, desk.tokens()) if credentials else None
    if operator_id is None:
        raise HTTPException(401, "トークンが正しくありません", {"WWW-Authenticate": "Bearer"})
    return operator_id


OperatorHere = Annotated[str, Depends(signed_in)]


def loopback_only(request: Request) -> None:
    """Refuse everybody but processes of this machine: who comes from a loopback address, or from
    the very address that was called. A reverse proxy here makes the whole world look local, so
    what it passed on is refused as well.

    Raises:
        HTTPException: 404, as if there were nothing.
    """
    forwarded = {"forwarded", "x-forwarded-for", "x-real-ip"} & set(request.headers)
    if forwarded or request.client is None or not _is_here(request.client.host, request):
        raise HTTPException(404, "ありません")


def _is_here(client: str, request: Request) -> bool:
    server = request.scope.get("server")
    return ip_address(client).is_loopback or (server is not None and client == server[0])

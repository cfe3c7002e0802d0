"""Operators who serve callers by their screens' HTTP interface, and note when."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

POLL_S = 20.0
_AGAIN_S = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """One caller, served. Moments are seconds since the epoch."""

    operator: str
    callback: str
    number: str | None
    seen_at: float
    """When the screen showed the caller."""
    sent_at: float
    """When the operator sent what came of it."""
    saved_at: float
    """When that was answered: they are free."""


@dataclass
class Server:
    """One operator: talks for a while, ends the talk, closes the callback without a case."""

    operator: str
    http: httpx.AsyncClient
    talk_s: tuple[float, float]
    """Least and most."""
    chance: random.Random
    served: list[Served] = field(default_factory=list)

    async def work(self) -> None:
        """Until cancelled."""
        me = await self._me()
        while True:
            caller = me["callback"]
            if caller is None or me["state"] not in ("talking", "after_call_work", "paused"):
                me = await self._me({"since": me["rev"], "wait": POLL_S})
            else:
                me = await self._serve(caller)

    async def _serve(self, caller: dict[str, Any]) -> dict[str, Any]:
        seen_at = time.time()
        await asyncio.sleep(self.chance.uniform(*self.talk_s))
        me = await self._me()
        while me["callback"] and me["callback"]["on_line"]:
            await self.http.post("/api/hangup")  # 409: they hung up in the same moment
            me = await self._me({"since": me["rev"], "wait": 1.0})
        closed = {"callback_id": caller["callback_id"], "kind": "unrelated", "note": ""}
        sent_at = time.time()
        answer = (await self.http.post("/api/callback/close", json=closed)).raise_for_status()
        self.served.append(
            Served(
                operator=self.operator,
                callback=caller["callback_id"],
                number=caller["number"],
                seen_at=seen_at,
                sent_at=sent_at,
                saved_at=time.time(),
            )
        )
        me: dict[str, Any] = answer.json()
        if me["state"] == "paused":
            me = (await self.http.post("/api/ready")).raise_for_status().json()
        return me

    async def _me(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        while True:
            try:
                answer = (await self.http.get("/api/me", params=params)).raise_for_status()
            except httpx.HTTPError:
                await asyncio.sleep(_AGAIN_S)
                continue
            found: dict[str, Any] = answer.json()
            return found


def screen(port: int, token: str) -> httpx.AsyncClient:
    """The interface as an operator's screen uses it; to be closed."""
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=POLL_S + 10,
        trust_env=False,
    )

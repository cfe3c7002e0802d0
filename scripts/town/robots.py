"""Operators as robots. They use the HTTP interface a screen uses, and their ears.

What they hear comes from the town's side of the call at the displayed number: a robot knows no more
of a call than a person with a headset would.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx

from scripts.town.people import Heard
from scripts.town.softphones import Softphone
from scripts.town.words import OPERATOR

Me = dict[str, Any]
Body = dict[str, Any]

_POLL_S = 20.0
_AGAIN_S = 0.3
_TALK_S = (2.0, 4.0)
_SHORT_TALK_S = (1.0, 2.0)
_AFTER_CALL_S = (1.0, 1.5)
_PAUSE_S = (2.0, 4.0)
_PAUSE_SHARE = 0.05
"""Share of the calls after which a robot takes a pause."""
_SHORT = {Heard.NOBODY, Heard.FAX, Heard.STRANGER, Heard.MACHINE}


def screen(base_url: str, token: str) -> httpx.AsyncClient:
    """The HTTP interface as an operator's screen uses it; to be closed."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(
        base_url=base_url, headers=headers, timeout=_POLL_S + 10, trust_env=False
    )


class RefusedError(RuntimeError):
    """The service refused what a robot recorded: one of them is wrong."""


class Robot:
    """One operator: waits for calls, talks, records results."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        softphone: Softphone,
        heard: Callable[[str], Heard | None],
        seed: int,
    ) -> None:
        """`heard` tells who speaks in the latest call to a number."""
        self._client = client
        self._softphone = softphone
        self._heard = heard
        self._chance = random.Random(f"{seed} {softphone.extension}")
        self._speaking: asyncio.Task[None] | None = None

    async def work(self) -> None:
        """Until cancelled.

        Raises:
            RefusedError: the service refused a result.
        """
        me = await self._ask("GET", "/api/me")
        while True:
            match me["state"]:
                case "talking" | "after_call_work" if me["call"] is None:
                    me = await self._change(me, _POLL_S)  # the case is still being fetched
                case "talking":
                    me = await self._talk(me)
                case "after_call_work":
                    me = await self._record(me["call"])
                case "paused" if me["call"] is not None:
                    me = await self._record(me["call"])
                case "paused":
                    me = await self._ask("POST", "/api/ready")
                case _:
                    me = await self._change(me, _POLL_S)

    async def _talk(self, me: Me) -> Me:
        heard = self._heard(me["call"]["phone"])
        seconds = self._chance.uniform(*(_SHORT_TALK_S if heard in _SHORT else _TALK_S))
        if heard not in _SHORT:
            self._speaking = asyncio.create_task(self._softphone.say(OPERATOR))
        me = await self._while_talking(me, seconds)
        if me["state"] != "talking":
            return me
        return await self._ask("POST", "/api/message" if heard is Heard.MACHINE else "/api/hangup")

    async def _while_talking(self, me: Me, seconds: float) -> Me:
        """Talk so long, or until the person hangs up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while me["state"] == "talking" and (left := until - loop.time()) > 0:
            me = await self._change(me, left)
        return me

    async def _record(self, call: dict[str, Any]) -> Me:
        await asyncio.sleep(self._chance.uniform(*_AFTER_CALL_S))
        body = result_of(self._heard(call["phone"]), call, self._chance)
        me = await self._ask("POST", "/api/result", {"attempt_id": call["attempt_id"], **body})
        if self._chance.random() < _PAUSE_SHARE:
            await self._ask("POST", "/api/pause")
            await asyncio.sleep(self._chance.uniform(*_PAUSE_S))
            me = await self._ask("POST", "/api/ready")
        return me

    async def _change(self, me: Me, wait_s: float) -> Me:
        return await self._ask("GET", f"/api/me?since={me['rev']}&wait={wait_s:.2f}")

    async def _ask(self, method: str, path: str, body: Body | None = None) -> Me:
        """One request, again while the service is away; after a conflict, the present screen."""
        while True:
            try:
                answer = await self._client.request(method, path, json=body)
            except httpx.TransportError:
                await asyncio.sleep(_AGAIN_S)
                continue
            if answer.status_code == httpx.codes.CONFLICT:
                await asyncio.sleep(_AGAIN_S)
                method, path, body = "GET", "/api/me", None
            elif answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                await asyncio.sleep(_AGAIN_S)
            elif answer.is_success:
                me: Me = answer.json()
                return me
            else:
                raise RefusedError(f"{method} {path}: {answer.status_code} {answer.text}")


_OUTCOMES: dict[Heard | None, Body] = {
    Heard.PERSON: {"outcome": "person_done", "script_finished": True},
    Heard.PERSON_REFUSING: {"outcome": "refused"},
    Heard.PERSON_IN_A_HURRY: {"outcome": "person_incomplete"},
    Heard.FAMILY_OFFERING: {
        "outcome": "household_done",
        "same_household": True,
        "offered": True,
        "script_finished": True,
    },
    Heard.FAMILY_KNOWING_WHEN: {"outcome": "third_party", "same_household": True},
    Heard.FAMILY_OF_LONG_ABSENT: {"outcome": "long_absence"},
    Heard.NEW_TENANT: {"outcome": "not_resident"},
    Heard.STRANGER: {"outcome": "wrong_number"},
    Heard.FAX: {"outcome": "fax"},
    Heard.MACHINE: {"outcome": "voicemail_failed"},  # it hung up before the message
    Heard.NOBODY: {"outcome": "hung_up"},
    None: {"outcome": "hung_up"},
}


def result_of(heard: Heard | None, call: dict[str, Any], chance: random.Random) -> Body:
    """What an operator records who heard this."""
    body = dict(_OUTCOMES[heard])
    answered = datetime.fromisoformat(call["answered_at"])
    if heard is Heard.FAMILY_KNOWING_WHEN:
        body["appointment"] = in_a_while(answered).isoformat()
    if heard is Heard.PERSON and chance.random() < 0.5:
        body["talk_results"] = ["promise"]
        body["promise"] = {
            "due": (answered.date() + timedelta(days=10)).isoformat(),
            "amount_yen": call["amount_yen"],
        }
    return body


def in_a_while(moment: datetime) -> datetime:
    """An appointment 40 minutes later, on a full five minutes."""
    later = moment + timedelta(minutes=40)
    return later.replace(minute=later.minute // 5 * 5, second=0, microsecond=0)

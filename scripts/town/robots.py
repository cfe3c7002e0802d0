"""Operators as robots. They use the HTTP interface a screen uses, and their ears.

What they hear comes from the town's side of the call at the displayed number: a robot knows no more
of a call than a person with a headset would.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from rules.profile import ScriptStep, shares_of
from scripts.town.callers import Caller
from scripts.town.people import Heard
from scripts.town.softphones import Softphone
from scripts.town.words import OPERATOR

Me = dict[str, Any]
Body = dict[str, Any]

_POLL_S = 20.0
_AGAIN_S = 0.3
_PAUSE_S = (2.0, 4.0)
_BREAK_IN_S = 8
"""How long before a break it is announced, in seconds."""
_TICK_JITTER = 0.1
"""Standard deviation of the moment at which a step of the script is ticked, relative."""
_SHORT = {Heard.NOBODY, Heard.FAX, Heard.STRANGER, Heard.MACHINE}
"""To these nobody reads the script."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """How long an operator takes, drawn anew for each call (seconds), and when they rest."""

    talk_s: Callable[[random.Random], float] = lambda chance: chance.uniform(2.0, 4.0)
    short_talk_s: Callable[[random.Random], float] = lambda chance: chance.uniform(1.0, 2.0)
    """With whoever does not want the script, or is nobody at all."""
    after_call_s: Callable[[random.Random], float] = lambda chance: chance.uniform(1.0, 1.5)
    pause_share: float = 0.05
    """Share of the calls after which they take a pause."""
    break_after: int | None = None
    """So many results are saved when they announce a break; None: they take none."""


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
        manner: Manner,
        speaking: Callable[[str | None], Caller | None] = lambda number: None,
    ) -> None:
        """
        Args:
            heard: who speaks in the latest call to a number.
            speaking: who calls us and shows this number, or none.
        """
        self._client = client
        self._softphone = softphone
        self._heard = heard
        self._caller = speaking
        self._chance = random.Random(f"{seed} {softphone.extension}")
        self._manner = manner
        self._script: tuple[float, ...] = ()
        """Share of a talk that is over when each step of the script is done; read before the first talk."""
        self._speaking: asyncio.Task[None] | None = None
        self._has_to_speak = False
        self._recorded = 0
        """Results saved."""

    async def work(self) -> None:
        """Until cancelled.

        Raises:
            RefusedError: the service refused a result.
        """
        me = await self._ask("GET", "/api/me")
        while True:
            match me["state"]:
                case "talking" | "after_call_work" | "paused" if me["callback"] is not None:
                    me = await self._serve(me, me["callback"])
                case "talking" | "after_call_work" if me["call"] is None:
                    me = await self._change(me, _POLL_S)  # the case is still being fetched
                case "talking":
                    me = await self._talk(me)
                case "after_call_work":
                    me = await self._record(me["call"])
                case "paused" if me["call"] is not None:
                    me = await self._record(me["call"])
                case "paused":
                    me = await self._rest()
                case _:
                    me = await self._change(me, _POLL_S)

    async def _talk(self, me: Me) -> Me:
        begun = asyncio.get_running_loop().time()
        heard = self._heard(me["call"]["phone"])
        if heard in _SHORT:
            me = await self._stay(me, begun + self._manner.short_talk_s(self._chance))
        else:
            me = await self._go_through_script(me, begun, self._manner.talk_s(self._chance))
        if me["state"] != "talking":
            return me
        return await self._ask("POST", "/api/message" if heard is Heard.MACHINE else "/api/hangup")

    async def _serve(self, me: Me, callback: dict[str, Any]) -> Me:
        """Do the next thing about somebody who called us."""
        on_line = me["state"] == "talking"
        if on_line and callback["candidates"] is None:
            return await self._change(me, _POLL_S)  # still being looked up
        if on_line:
            return await self._find_out_who(me, callback)
        await asyncio.sleep(self._manner.after_call_s(self._chance))
        said = {"callback_id": callback["callback_id"]}
        if callback["case"] is None:
            return await self._ask("POST", "/api/callback/close", {**said, "kind": "unrelated"})
        body = {**_OUTCOMES[Heard.PERSON], **said, "case_id": callback["case"]["case_id"]}
        return await self._ask("POST", "/api/callback/result", body)

    async def _find_out_who(self, me: Me, callback: dict[str, Any]) -> Me:
        """Ask who is calling, open their case, talk, and hang up."""
        begun = asyncio.get_running_loop().time()
        self._speak()
        caller = self._caller(callback["number"])
        said = {"callback_id": callback["callback_id"]}
        found = callback["candidates"]
        if caller is not None and caller.reference is not None:
            asked = {**said, "reference": caller.reference}
            found = (await self._ask("POST", "/api/callback/search", asked)).get("cases", ())
        me = await self._stay(me, begun + self._manner.short_talk_s(self._chance))
        if found and me["state"] == "talking":
            known = {**said, "case_id": found[0]["case_id"]}
            me = await self._ask("POST", "/api/callback/identify", known)
        me = await self._stay(me, begun + self._manner.talk_s(self._chance))
        return me if me["state"] != "talking" else await self._ask("POST", "/api/hangup")

    def _speak(self) -> None:
        """Say the words; if those of the talk before still go on, after them: so little may be left of them
        that nobody would hear it."""
        self._has_to_speak = True
        if self._speaking is None or self._speaking.done():
            self._speaking = asyncio.create_task(self._say_words())

    async def _say_words(self) -> None:
        while self._has_to_speak:
            self._has_to_speak = False
            await self._softphone.say(OPERATOR)

    async def _go_through_script(self, me: Me, begun: float, seconds: float) -> Me:
        """Speak, and tick each step of the script when it is done."""
        self._speak()
        for step, at_s in enumerate(await self._ticks_s(seconds)):
            me = await self._stay(me, begun + at_s)
            if me["state"] != "talking":
                return me
            me = await self._ask("POST", "/api/progress", {"step": step})
        return await self._stay(me, begun + seconds)

    async def _ticks_s(self, seconds: float) -> list[float]:
        """When each step is done, in seconds of a talk of this length; none is later than its end."""
        if not self._script:
            told = await self._ask("GET", "/api/outcomes")
            self._script = shares_of([ScriptStep.model_validate(step) for step in told["script"]])
        return [
            seconds * min(1.0, max(0.0, share * self._chance.gauss(1, _TICK_JITTER)))
            for share in self._script
        ]

    async def _stay(self, me: Me, until: float) -> Me:
        """Stay in the talk until that moment of the loop's clock, or until the person hangs up."""
        loop = asyncio.get_running_loop()
        while me["state"] == "talking" and (left := until - loop.time()) > 0:
            me = await self._change(me, left)
        return me

    async def _record(self, call: dict[str, Any]) -> Me:
        await asyncio.sleep(self._manner.after_call_s(self._chance))
        body = result_of(self._heard(call["phone"]), call, self._chance)
        me = await self._ask("POST", "/api/result", {"attempt_id": call["attempt_id"], **body})
        self._recorded += 1
        if self._recorded == self._manner.break_after:
            return await self._ask("POST", "/api/break", {"in_s": _BREAK_IN_S})
        if self._chance.random() < self._manner.pause_share:
            await self._ask("POST", "/api/pause")
            me = await self._rest()
        return me

    async def _rest(self) -> Me:
        """A pause, whatever it came from, and back."""
        await asyncio.sleep(self._chance.uniform(*_PAUSE_S))
        return await self._ask("POST", "/api/ready")

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

"""Preview: a case is offered to an operator, who sees it first and asks for the call.

Whoever has an offer is held for that call, and no other operator gets the case or one of its household.
The rules are asked as it is offered, at every look, and as the call is asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from db import candidates
from db.session import Sessions
from dialer.calls import Calls
from dialer.choosing import Allowed, Choosing
from dialer.clock import Clock
from dialer.errors import ConflictError
from dialer.estimating import Estimating
from dialer.metrics import Metrics
from dialer.months import Month, Months
from dialer.placing import Chosen, Placing, as_chosen
from dialer.seats import Seats
from rules.operator_state import Hold
from rules.pacing.snapshot import Limit, Mode, Pace

PUT_OFF_MIN = 30
"""For how long a case is offered to nobody after an operator put it off."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Offer:
    campaign_id: int
    chosen: Chosen
    household: frozenset[str]

    @property
    def attempt(self) -> str:
        """The id its call will have."""
        return self.chosen.attempt


class Previews:
    """The open offers."""

    def __init__(
        self,
        clock: Clock,
        sessions: Sessions,
        months: Months,
        seats: Seats,
        calls: Calls,
        choosing: Choosing,
        placing: Placing,
        estimating: Estimating,
        metrics: Metrics,
        may_dial: Callable[[], bool],
    ) -> None:
        """
        Args:
            may_dial: False while anything of the service forbids every call.
        """
        self._clock = clock
        self._sessions = sessions
        self._months = months
        self._seats = seats
        self._calls = calls
        self._choosing = choosing
        self._placing = placing
        self._estimating = estimating
        self._metrics = metrics
        self._may_dial = may_dial
        self._offers: dict[str, _Offer] = {}
        """By the id the call will have; the oldest first."""
        self._lock = asyncio.Lock()
        """An offer must not be called, or put off, while it is asked whether it stands."""

    async def withdraw_all_but(self, months: Iterable[Month]) -> None:
        """Offers of campaigns that are not called in this way, or not called at all, are withdrawn."""
        kept = {month.id for month in months} if self._may_dial() else set()
        async with self._lock:
            self._withdraw(one for one in self._open() if one.campaign_id not in kept)

    async def offer(self, month: Month) -> Pace:
        """Withdraw what may not be called any more, and offer a case to everybody who is free.

        Raises:
            DatabaseError: the database is away.
        """
        if not self._may_dial():
            return Pace(calls=0, limit=Limit.STOPPED, mode=Mode.PREVIEW)
        async with self._lock:
            now = self._clock.now()
            mine = [one for one in self._open() if one.campaign_id == month.id]
            if mine:
                phones = [one.chosen.candidate.phone_id for one in mine]
                still = await self._choosing.again(month, now, phones)
                standing = {one.candidate.phone_id for one in still}
                self._withdraw(one for one in mine if one.chosen.candidate.phone_id not in standing)
            if not self._seats.free() and not mine:
                return Pace(calls=0, limit=Limit.OPERATORS, mode=Mode.PREVIEW)
            wanted = len(self._seats.free()) + len(self._offers)
            allowed, refused = await self._choosing.look(month, now, wanted)
            for one in allowed:
                self._offer(month, one)
            if refused:
                await self._choosing.put_off(month, refused, now)
            limit = Limit.CANDIDATES if self._seats.free() else Limit.OPERATORS
            return Pace(calls=0, limit=limit, mode=Mode.PREVIEW)

    async def dial(self, operator: str, attempt: str) -> None:
        """The operator asks for the call they were offered.

        Raises:
            ConflictError: it is not offered to them (any more), or may not be called any more.
            DatabaseError: the database is away; nobody is called.
        """
        async with self._lock:
            offer = self._of(operator, attempt)
            month = self._months.get(offer.campaign_id)
            now, steady_s = self._clock.now(), self._clock.monotonic()
            phone = offer.chosen.candidate.phone_id
            fresh = await self._choosing.again(month, now, [phone])
            if fresh:
                chosen = replace(offer.chosen, candidate=fresh[0].candidate)
                await self._placing.place(month, [chosen], now, steady_s)
            if self._calls.line(attempt) is None:
                self._withdraw([offer])
                raise ConflictError("この案件には今は発信できません。次の案件をお待ちください")
            del self._offers[attempt]

    async def skip(self, operator: str, attempt: str) -> None:
        """The operator puts the case off that they were offered; somebody gets it later.

        Raises:
            ConflictError: it is not offered to them (any more), or must be called now.
            DatabaseError: the database is away; the offer stands.
        """
        async with self._lock:
            offer = self._of(operator, attempt)
            candidate = offer.chosen.candidate
            if candidate.reserved:
                raise ConflictError(
                    "お約束の電話、またはおつなぎできなかった方への電話です。発信してください"
                )
            until = self._clock.now() + timedelta(minutes=PUT_OFF_MIN)
            async with self._sessions.write() as session:
                await candidates.put_off(session, candidate.phone_id, until)
            self._metrics.put_off.inc()
            _log.info("offer_put_off", operator=operator, case=candidate.reference)
            self._withdraw([offer])

    def _of(self, operator: str, attempt: str) -> _Offer:
        offer = self._offers.get(attempt)
        if offer is None or self._seats.held_for(attempt) != operator:
            raise ConflictError("この案件の案内は終わりました")
        return offer

    def _open(self) -> list[_Offer]:
        """The offers that somebody is held for, after the others were forgotten."""
        for attempt in list(self._offers):
            if self._seats.held_for(attempt) is None:  # who paused, or whose leg is down
                del self._offers[attempt]
        return list(self._offers.values())

    def _withdraw(self, offers: Iterable[_Offer]) -> None:
        for one in offers:
            self._offers.pop(one.attempt, None)
            self._seats.let_go(one.attempt)

    def _offer(self, month: Month, allowed: Allowed) -> None:
        """Offer a case to whoever has been free longest, if anybody is and its household has no offer."""
        offers = self._open()
        if not all(one.household.isdisjoint(allowed.household) for one in offers):
            return
        reserved = allowed.candidate.reserved
        if reserved and not self._seats.free():
            # an appointment does not wait until somebody has made their call: the newest offer gives way
            ordinary = [one for one in offers if not one.chosen.candidate.reserved]
            self._withdraw(ordinary[-1:])
        chosen = as_chosen(self._estimating.estimates, allowed, miss=None, free=1.0)
        hold = Hold(
            attempt=chosen.attempt,
            case_id=allowed.candidate.case_id,
            phone_id=allowed.candidate.phone_id,
            offered=True,
        )
        if self._seats.hold(hold) is not None:
            self._offers[chosen.attempt] = _Offer(
                campaign_id=month.id, chosen=chosen, household=allowed.household
            )

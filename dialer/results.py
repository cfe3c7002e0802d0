"""Results: what the line told, what an operator recorded, and corrections of both.

Every way to a result ends in the same few writes, in one transaction: the result is added, the attempt
leaves the calls in flight, and the case is folded again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import callbacks, cases, escalations, ledger, results
from db.keys import Keys
from db.results import BY_LINE, Recorded
from db.session import Sessions
from dialer.clock import Clock
from dialer.errors import ConflictError, NotFoundError
from dialer.intake.numbers import NumberFaultError, kind_of, parse_number
from dialer.ledger import Settlement
from dialer.months import Months
from dialer.web.callback_models import CallbackCloseIn, CallbackResultIn
from dialer.web.case_models import PromiseIn, ResultIn, TalkIn
from rules.case import AttemptMade, CallbackTaken, CaseStatus, Result
from rules.outcome import Recorder
from rules.result import ResultRefusedError, check_result

_SAVED = "この通話の結果はすでに記録されています"
_NOTHING_SAVED = "まだ結果が記録されていません。先に記録してください"


class Results:
    """Saves and corrects."""

    def __init__(self, sessions: Sessions, months: Months, keys: Keys, clock: Clock) -> None:
        self._sessions = sessions
        self._months = months
        self._keys = keys
        self._clock = clock

    async def settle_by_line(self, session: AsyncSession, settled: list[Settlement]) -> None:
        """Save outcomes that no operator recorded; again changes nothing."""
        now = self._clock.now()
        by_campaign: defaultdict[int, list[int]] = defaultdict(list)
        for one in settled:
            by_campaign[one.campaign_id].append(one.case_id)
        await results.save_firsts(
            session, ((one.attempt, one.case_id, _by_line(one, now)) for one in settled)
        )
        await ledger.finish(session, [one.attempt for one in settled])
        for campaign_id, case_ids in by_campaign.items():
            await self._refresh(session, campaign_id, case_ids, now)

    async def save(self, operator: str, given: ResultIn) -> None:
        """Save an operator's result of a talk. The same again changes nothing.

        Raises:
            ResultRefusedError: the rules refuse it.
            NotFoundError: no such attempt, or another operator's.
            ConflictError: a different result is saved already.
            DatabaseError: not saved; trying again is safe.
        """
        async with self._sessions.write() as session:
            talk = await self._talk(session, operator, given.attempt_id)
            recorded = self._recorded(operator, given)
            await self._check(session, talk, recorded.result)
            if await results.save_first(session, given.attempt_id, recorded):
                await ledger.finish(session, [given.attempt_id])
                await self._add_phone(session, talk.case_id, given)
                await self._escalate(session, talk.case_id, talk.placed_at, given, recorded)
                await self._refresh(session, talk.campaign_id, [talk.case_id], recorded.at)
                return
            saved = await results.current(session, given.attempt_id)
            if saved is None or replace(saved, at=recorded.at) != recorded:
                raise ConflictError("この通話の結果はすでに記録されています。訂正してください")

    async def correct(self, operator: str, given: ResultIn) -> None:
        """Replace an operator's saved result; the old one stays on record.

        Raises:
            ResultRefusedError: the rules refuse it.
            NotFoundError: no such attempt, another operator's, or nothing saved yet.
            DatabaseError: not saved; trying again is safe.
        """
        async with self._sessions.write() as session:
            talk = await self._talk(session, operator, given.attempt_id)
            recorded = self._recorded(operator, given)
            await self._check(session, talk, recorded.result)
            with _told_in_japanese():
                await results.correct(session, given.attempt_id, recorded)
            await self._add_phone(session, talk.case_id, given)
            await self._escalate(session, talk.case_id, talk.placed_at, given, recorded)
            await self._refresh(session, talk.campaign_id, [talk.case_id], recorded.at)

    async def save_callback(self, operator: str, given: CallbackResultIn) -> bool:
        """Save an operator's result of a callback (§8(4)キ). The same again changes nothing.

        Returns:
            Whether the case has ended: what rings for it is to be hung up.

        Raises:
            ResultRefusedError: the rules refuse it.
            NotFoundError: no such callback, or another operator's.
            ConflictError: the case is not the one identified, or something else is saved already.
            DatabaseError: not saved; trying again is safe.
        """
        async with self._sessions.write() as session:
            talk = await self._callback(session, operator, given.callback_id)
            if await callbacks.case_of(session, given.callback_id) != given.case_id:
                raise ConflictError("ご本人と確認した案件ではありません。案件を選び直してください")
            if await callbacks.note_of(session, given.callback_id) is not None:
                raise ConflictError(_SAVED)
            recorded = self._recorded(operator, given)
            case = await cases.get(session, given.case_id)
            saved = await results.of_callback(session, given.callback_id)
            if saved is None:
                await self._save_callback(session, case.campaign_id, talk, given, recorded)
            elif (saved[0], replace(saved[1], at=recorded.at)) != (given.case_id, recorded):
                raise ConflictError(_SAVED)
            await session.refresh(case)
            return case.status != CaseStatus.OPEN

    async def correct_callback(self, operator: str, given: CallbackResultIn) -> bool:
        """Replace the saved result of an operator's callback; the old one stays on record.

        Returns:
            Whether the case has ended: what rings for it is to be hung up.

        Raises:
            ResultRefusedError: the rules refuse it.
            NotFoundError: no such callback, another operator's, or nothing saved of this case yet.
            DatabaseError: not saved; trying again is safe.
        """
        async with self._sessions.write() as session:
            talk = await self._callback(session, operator, given.callback_id)
            saved = await results.of_callback(session, given.callback_id)
            if saved is None or saved[0] != given.case_id:
                raise NotFoundError(_NOTHING_SAVED)
            recorded = self._recorded(operator, given)
            case = await cases.get(session, given.case_id)
            counts_at = await results.first_of_callback(session, given.callback_id)
            await self._check_callback(session, case.campaign_id, case.id, recorded, counts_at)
            with _told_in_japanese():
                await results.correct_of_callback(session, given.callback_id, recorded)
            await self._add_phone(session, case.id, given)
            await self._escalate(session, case.id, talk.arrived_at, given, recorded)
            await self._refresh(session, case.campaign_id, [case.id], recorded.at)
            await session.refresh(case)
            return case.status != CaseStatus.OPEN

    async def close_callback(self, operator: str, given: CallbackCloseIn) -> None:
        """Close an operator's callback without a case. The same again changes nothing.

        Raises:
            NotFoundError: no such callback, or another operator's.
            ConflictError: something else is saved already.
            DatabaseError: not saved; trying again is safe.
        """
        async with self._sessions.write() as session:
            await self._callback(session, operator, given.callback_id)
            if await results.of_callback(session, given.callback_id) is not None:
                raise ConflictError(_SAVED)
            new = await callbacks.close(
                session,
                given.callback_id,
                kind=given.kind.value,
                note=given.note,
                at=self._clock.now(),
                by=operator,
            )
            await callbacks.finish(session, [given.callback_id])
            noted = None if new else await callbacks.note_of(session, given.callback_id)
            if noted is not None and (noted.kind, noted.note) != (given.kind.value, given.note):
                raise ConflictError(_SAVED)

    async def _save_callback(
        self,
        session: AsyncSession,
        campaign_id: int,
        talk: callbacks.Talk,
        given: CallbackResultIn,
        recorded: Recorded,
    ) -> None:
        await self._check_callback(session, campaign_id, given.case_id, recorded)
        await results.save_first_of_callback(session, given.callback_id, given.case_id, recorded)
        await callbacks.finish(session, [given.callback_id])
        await self._add_phone(session, given.case_id, given)
        await self._escalate(session, given.case_id, talk.arrived_at, given, recorded)
        await self._refresh(session, campaign_id, [given.case_id], recorded.at)

    async def _callback(
        self, session: AsyncSession, operator: str, callback_id: str
    ) -> callbacks.Talk:
        talk = await callbacks.talk(session, callback_id)
        if talk is None or talk.operator_id != operator:
            raise NotFoundError("この電話はあなたの通話ではありません")
        return talk

    async def _check_callback(
        self,
        session: AsyncSession,
        campaign_id: int,
        case_id: int,
        recorded: Recorded,
        corrects: datetime | None = None,
    ) -> None:
        """`corrects`: the moment of the callback whose result is replaced."""
        month = self._months.get(campaign_id)
        history = (await cases.histories(session, [case_id]))[case_id]
        fact = CallbackTaken(at=corrects or recorded.at, result=recorded.result)
        check_result(
            fact, history.case, history.facts, month.profile, month.calendar, by=Recorder.OPERATOR
        )

    async def _talk(self, session: AsyncSession, operator: str, attempt_id: str) -> ledger.Talk:
        talk = await ledger.talk(session, attempt_id)
        if talk is None or talk.operator_id != operator:
            raise NotFoundError("この通話はあなたの通話ではありません")
        return talk

    async def _check(self, session: AsyncSession, talk: ledger.Talk, result: Result) -> None:
        month = self._months.get(talk.campaign_id)
        history = (await cases.histories(session, [talk.case_id]))[talk.case_id]
        fact = AttemptMade(
            at=talk.placed_at, phone=talk.phone_id, result=result, ring_s=talk.ring_s
        )
        check_result(
            fact, history.case, history.facts, month.profile, month.calendar, by=Recorder.OPERATOR
        )

    def _recorded(self, operator: str, given: TalkIn) -> Recorded:
        result = Result(
            outcome=given.outcome,
            script_finished=given.script_finished,
            same_household=given.same_household,
            offered=given.offered,
            appointment=given.appointment,
            scope=given.scope,
        )
        return Recorded(
            result=result,
            at=self._clock.now(),
            by=operator,
            talk_results=given.talk_results,
            promise=_promise(given.promise),
            note=given.note or None,
        )

    async def _add_phone(self, session: AsyncSession, case_id: int, given: TalkIn) -> None:
        """Add a number named in the call (§8(4)エ, tail).

        Raises:
            ResultRefusedError: it is no number that may be called.
        """
        if given.new_phone is None:
            return
        try:
            number = parse_number(given.new_phone)
        except NumberFaultError as fault:
            raise ResultRefusedError("new_phone", str(fault)) from None
        await cases.add_phone(
            session,
            case_id,
            number=number,
            number_key=self._keys.number(number),
            kind=kind_of(number),
        )

    async def _escalate(
        self,
        session: AsyncSession,
        case_id: int,
        since: datetime,
        given: TalkIn,
        recorded: Recorded,
    ) -> None:
        """Hand the case to the city where a criterion of it says so (§8(3)キ).

        Args:
            since: when the call began.

        Raises:
            ResultRefusedError: the criterion chosen is not in force.
        """
        in_force = await escalations.criteria(session)
        if given.escalate not in (None, *(one.id for one in in_force)):
            raise ResultRefusedError(
                "escalate", "この判断基準は今は使われていません。画面を開き直してください。"
            )
        named = [
            one.id
            for one in in_force
            if one.talk_result in given.talk_results or one.id == given.escalate
        ]
        await escalations.raise_case(
            session, case_id, named, since=since, at=recorded.at, by=recorded.by
        )

    async def _refresh(
        self, session: AsyncSession, campaign_id: int, case_ids: list[int], now: datetime
    ) -> None:
        month = self._months.get(campaign_id)
        await cases.refresh(session, case_ids, month.profile, month.calendar, now)


def _by_line(settled: Settlement, now: datetime) -> Recorded:
    return Recorded(
        result=Result(outcome=settled.outcome.code),
        at=now,
        by=BY_LINE,
        review=settled.outcome.review,
    )


@contextmanager
def _told_in_japanese() -> Iterator[None]:
    """Why a result cannot be corrected, in the operator's language."""
    try:
        yield
    except NotFoundError:
        raise NotFoundError(_NOTHING_SAVED) from None
    except ConflictError:
        raise ConflictError("同時に訂正されました。内容を確かめてください") from None


def _promise(given: PromiseIn | None) -> str | None:
    return None if given is None else given.model_dump_json()

"""What operators' screens ask and tell of callbacks: that part of `dialer.web.port.Desk`."""

from __future__ import annotations

from dataclasses import dataclass

from db import callbacks as record
from db.keys import Keys
from db.session import Sessions
from dialer import callback_lookup
from dialer.callbacks import Callbacks, Caller
from dialer.calls import Calls
from dialer.clock import Clock
from dialer.errors import ConflictError, NotFoundError
from dialer.months import Months
from dialer.results import Results
from dialer.web.callback_models import (
    CallbackCloseIn,
    CallbackOut,
    CallbackResultIn,
    CallerCase,
    CaseBrief,
    SearchIn,
    SearchOut,
)
from rules.callback_state import State
from rules.operator_state import Seat
from rules.profile import Profile


@dataclass(frozen=True, slots=True, repr=False)
class _Known:
    """What was read of a caller. Personal."""

    candidates: tuple[CaseBrief, ...]
    case: CallerCase | None
    profile: Profile | None


class CallbackDesk:
    """Callers on operators' screens."""

    def __init__(
        self,
        clock: Clock,
        sessions: Sessions,
        months: Months,
        keys: Keys,
        calls: Calls,
        callbacks: Callbacks,
        results: Results,
    ) -> None:
        self._clock = clock
        self._sessions = sessions
        self._months = months
        self._keys = keys
        self._calls = calls
        self._callbacks = callbacks
        self._results = results
        self._known: dict[str, _Known] = {}

    async def load(self, callback: str) -> None:
        """Read who may be calling, and the case if it was identified.

        Raises:
            DatabaseError: the database is away.
        """
        caller = self._callbacks.caller(callback)
        if caller is None:
            return
        async with self._sessions.read() as session:
            candidates: tuple[CaseBrief, ...] = ()
            if caller.number_key is not None:
                candidates = await callback_lookup.candidates(session, caller.number_key)
            case_id = await record.case_of(session, callback)
            case = profile = None
            if case_id is not None:
                case = await callback_lookup.caller_case(session, case_id, self._months)
                profile = next(
                    (one.profile for one in self._months.all() if one.name == case.campaign), None
                )
        self._known[callback] = _Known(candidates, case, profile)

    def drop(self, callback: str) -> None:
        """The callback left the operator's screen."""
        self._known.pop(callback, None)

    def show(self, seat: Seat) -> CallbackOut | None:
        """The caller as the operator's screen shows them, also before anything was read; None: nobody."""
        callback = seat.attempt or ""
        caller = self._callbacks.caller(callback)
        if caller is None:
            return None
        known = self._known.get(callback)
        return CallbackOut(
            callback_id=callback,
            called=caller.called,
            number=caller.number,
            arrived_at=caller.callback.arrived_at,
            on_line=caller.callback.state is not State.ENDED,
            ended_at=caller.callback.ended_at,
            candidates=known.candidates if known else None,
            case=known.case if known else None,
        )

    def profile(self, seat: Seat) -> Profile | None:
        """The contract profile of the case that was identified; None: none was."""
        known = self._known.get(seat.attempt or "")
        return known.profile if known else None

    async def search(self, seat: Seat, wanted: SearchIn) -> SearchOut:
        """Cases the caller may be."""
        self._theirs(seat, wanted.callback_id)
        async with self._sessions.read() as session:
            return await callback_lookup.search(session, wanted, self._keys)

    async def identify(self, seat: Seat, callback: str, case_id: int) -> None:
        """The operator knows who is calling: written down, then the case opens."""
        self._theirs(seat, callback)
        async with self._sessions.write() as session:
            try:
                await record.identified(
                    session, callback, case_id, at=self._clock.now(), by=seat.operator
                )
            except NotFoundError:
                raise NotFoundError("この案件は登録されていません") from None
        await self.load(callback)

    async def save(self, operator: str, result: CallbackResultIn) -> None:
        """Save the result of the operator's callback; what rings for a case that has ended is hung up."""
        self._not_on_line(result.callback_id)
        if await self._results.save_callback(operator, result):
            self._calls.stop_case(result.case_id)
        self._callbacks.settled(result.callback_id)

    async def correct(self, operator: str, result: CallbackResultIn) -> None:
        """Replace a saved result; what rings for a case that has ended by it is hung up."""
        if await self._results.correct_callback(operator, result):
            self._calls.stop_case(result.case_id)

    async def close(self, operator: str, closed: CallbackCloseIn) -> None:
        """The operator's callback ends without a case."""
        self._not_on_line(closed.callback_id)
        await self._results.close_callback(operator, closed)
        self._callbacks.settled(closed.callback_id)

    def hang_up(self, seat: Seat) -> None:
        """End the line of the caller the operator talks with."""
        assert seat.attempt is not None
        self._callbacks.hang_up(seat.attempt)

    def _theirs(self, seat: Seat, callback: str) -> Caller:
        caller = self._callbacks.caller(callback)
        if caller is None or seat.attempt != callback:
            raise ConflictError("この電話は今の画面の電話ではありません")
        return caller

    def _not_on_line(self, callback: str) -> None:
        caller = self._callbacks.caller(callback)
        if caller is not None and caller.callback.state is not State.ENDED:
            raise ConflictError("通話中です。通話を終えてから記録してください")

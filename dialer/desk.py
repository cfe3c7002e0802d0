"""The operators' desk: what their screens ask for and tell (`dialer.web.port.Desk`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import structlog

from db import escalations, operators
from db.session import Sessions
from dialer.callback_desk import CallbackDesk
from dialer.calls import Calls, Line
from dialer.clock import Clock
from dialer.errors import ConflictError, DatabaseError, NotFoundError
from dialer.ledger import LedgerWriter, Readiness
from dialer.metrics import Metrics
from dialer.preview import Previews
from dialer.results import Results
from dialer.seats import Seats
from dialer.sheets import Sheets
from dialer.web.callback_models import (
    CallbackCloseIn,
    CallbackOut,
    CallbackResultIn,
    SearchIn,
    SearchOut,
)
from dialer.web.case_models import ResultIn
from dialer.web.models import CriterionOut, Health, Me, OperatorOut, Status
from rules.call_state import State as CallState
from rules.callback_state import ID
from rules.operator_state import Event, Hold, NotNowError, Seat, State
from rules.profile import Profile, shares_of

FLUSH_S = 5.0
"""Longest wait for the ledger before a result; then the operator is asked to try again."""

_log = structlog.get_logger()


class OperatorsDesk:
    """What the web layer asks of the running service."""

    def __init__(
        self,
        clock: Clock,
        sessions: Sessions,
        seats: Seats,
        calls: Calls,
        ledger: LedgerWriter,
        results: Results,
        sheets: Sheets,
        metrics: Metrics,
    ) -> None:
        self._clock = clock
        self._sessions = sessions
        self._seats = seats
        self._calls = calls
        self._ledger = ledger
        self._results = results
        self._sheets = sheets
        self._metrics = metrics
        self._names: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        self._criteria: tuple[CriterionOut, ...] = ()
        self._loading: set[asyncio.Task[None]] = set()
        self.next_appointment: Callable[[], datetime | None] = lambda: None
        """The next appointment that is near; set by `bootstrap`."""
        self.previews: Previews
        """The cases offered; set by `bootstrap`."""
        self.callers: CallbackDesk
        """What is about callbacks; set by `bootstrap`."""
        self.report: Callable[[], Awaitable[Status]]
        """How the whole service stands; set by `bootstrap`, as is `health`."""
        self.health: Callable[[], Health]

    async def reload(self) -> None:
        """Read the operators and the city's criteria anew.

        Raises:
            DatabaseError: the database is away.
        """
        async with self._sessions.read() as session:
            rows = [row for row in await operators.all_operators(session) if row.active]
            criteria = await escalations.criteria(session)
        self._names = {row.id: row.name for row in rows}
        self._tokens = {row.id: row.token_sha256 for row in rows}
        self._criteria = tuple(CriterionOut(id=one.id, label=one.label) for one in criteria)
        callbacks_only = {row.id for row in rows if row.callbacks_only}
        self._seats.seat_all(((row.id, row.ready) for row in rows), callbacks_only)

    def moved(self, before: Seat, after: Seat) -> None:
        """A seat changed: keep readiness, and have the case of its call, or who calls, on the screen."""
        if before.ready is not after.ready:
            self._ledger.add(Readiness(after.operator, after.ready))
        if before.on_screen == after.on_screen:
            return
        if before.on_screen is not None:
            self._drop(before.on_screen)
        if after.on_screen is not None:
            self.load(after.operator, after.on_screen, after.hold)

    def load(self, operator: str, attempt: str, hold: Hold | None = None) -> None:
        """Read the case of the operator's call, and show it when it is there.

        Args:
            hold: the call is not on record yet; this names its case.
        """
        task = asyncio.create_task(self._load(operator, attempt, hold))
        self._loading.add(task)
        task.add_done_callback(self._loading.discard)

    async def _load(self, operator: str, attempt: str, hold: Hold | None) -> None:
        while self._is_theirs(operator, attempt):
            try:
                if hold is not None:
                    await self._sheets.load_ahead(hold)
                elif ID.fullmatch(attempt):
                    await self.callers.load(attempt)
                else:
                    await self._sheets.load(attempt)
            except DatabaseError as error:
                _log.warning("sheet_not_read", attempt=attempt, error=error)
                await asyncio.sleep(1.0)
                continue
            if self._is_theirs(operator, attempt):
                self._seats.touch(operator)
            else:
                self._drop(attempt)
            return

    def _drop(self, attempt: str) -> None:
        if ID.fullmatch(attempt):
            self.callers.drop(attempt)
        else:
            self._sheets.drop(attempt)

    def _is_theirs(self, operator: str, attempt: str) -> bool:
        seat = self._seats.seat(operator)
        return seat is not None and seat.on_screen == attempt

    # dialer.web.port.Desk ---------------------------------------------------------------------

    def tokens(self) -> Mapping[str, str]:
        """SHA-256 (hex) of the token of every active operator, by operator id."""
        return self._tokens

    def me(self, operator_id: str) -> Me:
        """The operator's present screen."""
        seat = self._seat(operator_id)
        line = self._calls.line(seat.on_screen) if seat.on_screen is not None else None
        return Me(
            now=self._clock.now(),
            rev=self._seats.revision(operator_id),
            operator=OperatorOut(id=operator_id, name=self._names[operator_id]),
            state=seat.state.value,
            since=seat.since,
            deadline=self._seats.deadline(seat),
            call=self._sheets.show(line) if line is not None and seat.attempt is not None else None,
            preview=self._sheets.show_ahead(seat.hold, line) if seat.hold is not None else None,
            callback=self._caller(seat),
            break_at=self._seats.break_at(seat),
            next_appointment=self.next_appointment(),
        )

    def profile(self, operator_id: str) -> Profile | None:
        """The contract profile of the operator's call, else of the campaign that is called now."""
        seat = self._seat(operator_id)
        if _is_callback(seat):
            return self.callers.profile(seat) or self._sheets.profile(None)
        line = self._calls.line(seat.attempt) if seat.attempt is not None else None
        return self._sheets.profile(line)

    def criteria(self) -> tuple[CriterionOut, ...]:
        """The criteria under which a case may be handed to the city."""
        return self._criteria

    async def changed(self, operator_id: str, since: int, wait_s: float) -> Me:
        """The screen, at once if its revision is not `since`, else when it changes."""
        self._seat(operator_id)
        await self._seats.changed(operator_id, since, wait_s)
        return self.me(operator_id)

    async def ready(self, operator_id: str) -> Me:
        """Take calls again."""
        seat = self._seat(operator_id)
        if seat.state is State.AWAY:
            raise ConflictError("電話機がログインしていません。電話機から *1 にかけてください")
        try:
            self._seats.move(operator_id, Event.READY)
        except NotNowError:
            raise ConflictError("先に通話の結果を記録してください") from None
        return self.me(operator_id)

    async def pause(self, operator_id: str) -> Me:
        """Take no new call."""
        self._seat(operator_id)
        self._seats.move(operator_id, Event.PAUSE)
        return self.me(operator_id)

    async def announce_break(self, operator_id: str, in_s: int | None) -> Me:
        """Take no new call from then on; None: the break is called off."""
        self._seat(operator_id)
        try:
            self._seats.announce_break(operator_id, in_s)
        except NotNowError:
            raise ConflictError("受付中ではないため、休憩の予定は入れられません") from None
        return self.me(operator_id)

    async def progress(self, operator_id: str, step: int, *, done: bool) -> Me:
        """A step of the script is done, or was ticked by mistake."""
        profile = self.profile(operator_id)
        shares = shares_of(profile.script) if profile is not None else ()
        if step >= len(shares):
            raise NotFoundError("この項目は今のスクリプトにありません")
        try:
            self._seats.tick(operator_id, shares[step], done=done)
        except NotNowError:
            raise ConflictError("通話中ではありません") from None
        return self.me(operator_id)

    async def dial(self, operator_id: str, attempt_id: str) -> Me:
        """Call the case that is offered."""
        self._seat(operator_id)
        await self.previews.dial(operator_id, attempt_id)
        return self.me(operator_id)

    async def skip(self, operator_id: str, attempt_id: str) -> Me:
        """Put the case off that is offered."""
        self._seat(operator_id)
        await self.previews.skip(operator_id, attempt_id)
        return self.me(operator_id)

    async def hangup(self, operator_id: str) -> Me:
        """End the line of the talk; after-call work begins when the line is gone."""
        seat = self._seat(operator_id)
        if seat.state is State.TALKING and _is_callback(seat):
            self.callers.hang_up(seat)
            return self.me(operator_id)
        self._calls.hang_up(self._talk(operator_id).call.attempt)
        return self.me(operator_id)

    async def leave_message(self, operator_id: str) -> Me:
        """The answering machine gets the approved message; the operator is free again."""
        self._calls.leave_message(self._talk(operator_id).call.attempt)
        return self.me(operator_id)

    async def save_result(self, operator_id: str, result: ResultIn) -> Me:
        """Save the result of the operator's call."""
        line = self._calls.line(result.attempt_id)
        if line is not None and line.call.state is not CallState.ENDED:
            raise ConflictError("通話中です。通話を終えてから記録してください")
        await self._written()
        await self._results.save(operator_id, result)
        if line is not None:
            self._calls.told(line, result.outcome)
            self._calls.settled(result.attempt_id)
        return self._done(operator_id, result.attempt_id)

    async def correct_result(self, operator_id: str, result: ResultIn) -> Me:
        """Replace a saved result; the old one stays on record."""
        self._seat(operator_id)
        await self._written()
        await self._results.correct(operator_id, result)
        return self.me(operator_id)

    async def search_cases(self, operator_id: str, wanted: SearchIn) -> SearchOut:
        """Cases the caller of the operator's callback may be."""
        return await self.callers.search(self._seat(operator_id), wanted)

    async def identify(self, operator_id: str, callback_id: str, case_id: int) -> Me:
        """The operator knows who is calling."""
        await self._written()
        await self.callers.identify(self._seat(operator_id), callback_id, case_id)
        self._seats.touch(operator_id)
        return self.me(operator_id)

    async def save_callback(self, operator_id: str, result: CallbackResultIn) -> Me:
        """Save the result of the operator's callback."""
        await self._written()
        await self.callers.save(operator_id, result)
        return self._done(operator_id, result.callback_id)

    async def correct_callback(self, operator_id: str, result: CallbackResultIn) -> Me:
        """Replace the saved result of a callback; the old one stays on record."""
        self._seat(operator_id)
        await self._written()
        await self.callers.correct(operator_id, result)
        return self.me(operator_id)

    async def close_callback(self, operator_id: str, closed: CallbackCloseIn) -> Me:
        """The operator's callback ends without a case."""
        await self._written()
        await self.callers.close(operator_id, closed)
        return self._done(operator_id, closed.callback_id)

    async def status(self) -> Status:
        """For `dialer status`."""
        return await self.report()

    def healthy(self) -> Health:
        """For `/healthz`."""
        return self.health()

    # ---------------------------------------------------------------------------------------

    def _done(self, operator: str, attempt: str) -> Me:
        """Nothing is owed of this call any more: the operator is free for the next."""
        if self._seat(operator).attempt == attempt:
            self._seats.move(operator, Event.RESULT_SAVED)
        return self.me(operator)

    def _caller(self, seat: Seat) -> CallbackOut | None:
        return self.callers.show(seat) if _is_callback(seat) else None

    def _seat(self, operator: str) -> Seat:
        seat = self._seats.seat(operator)
        if seat is None or operator not in self._names:
            raise NotFoundError("このオペレータは登録されていません")
        return seat

    def _talk(self, operator: str) -> Line:
        seat = self._seat(operator)
        line = self._calls.line(seat.attempt) if seat.attempt is not None else None
        if line is None or seat.state is not State.TALKING:
            raise ConflictError("通話中ではありません")
        return line

    async def _written(self) -> None:
        """The talk's own changes must be in the ledger before its result."""
        try:
            await asyncio.wait_for(self._ledger.flushed(), FLUSH_S)
        except TimeoutError:
            raise DatabaseError("the ledger cannot be written") from None


def _is_callback(seat: Seat) -> bool:
    """Whether what the operator is busy with is a callback, and no attempt."""
    return seat.attempt is not None and ID.fullmatch(seat.attempt) is not None

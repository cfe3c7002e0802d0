"""The running dialer: its tasks, its beginning and its end.

Begin: take the database for ourselves, take up what has no outcome, connect to Asterisk, catch up, dial.
End (SIGTERM): no new calls; talks and ringing calls end by themselves; results may be saved; then exit.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from db.instance_lock import InstanceLock
from db.seat_changes import SeatMove
from db.session import Sessions
from db.upgrade import head, revision_of
from dialer.ami.link import Link
from dialer.board_writer import BoardWriter
from dialer.calibrating import EVERY_S as CALIBRATE_EVERY_S
from dialer.calibrating import Calibrating
from dialer.callback_recovery import CallbackRecovery
from dialer.callback_stats import CallbackStats
from dialer.callbacks import Callbacks
from dialer.calling_back import CallingBack
from dialer.calls import Calls
from dialer.chances import Chances
from dialer.clock import Clock, SystemClock
from dialer.clock_check import EVERY_S as CLOCK_EVERY_S
from dialer.clock_check import ClockCheck
from dialer.day_so_far import DaySoFar
from dialer.desk import OperatorsDesk
from dialer.errors import AmiError, DatabaseError
from dialer.estimating import KEEP_EVERY_S, Estimating
from dialer.events import Events
from dialer.inbox import Inbox
from dialer.ledger import LedgerWriter
from dialer.logs import set_up_logs
from dialer.months import Months
from dialer.new_day import NewDay
from dialer.pacer import Pacer
from dialer.pacing_view import rehearse
from dialer.problems import Problem
from dialer.recovery import FRESH_S, Recovery
from dialer.reminders import EVERY_S as REMIND_EVERY_S
from dialer.reminders import Reminders
from dialer.replanning import Replanning
from dialer.seats import Seats
from dialer.settings import Settings, load_secrets, load_settings
from dialer.web.server import WebServer
from rules.call_state import State
from rules.callback_state import State as CallbackState

RECONCILE_EVERY_S = 30
LOCK_EVERY_S = 2.0
RECOVER_AGAIN_S = 1.0

_WITH_OPERATOR = (CallbackState.JOINING, CallbackState.TALKING)

_log = structlog.get_logger()


class Service:
    """Everything that runs; built by `dialer.bootstrap`."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        sessions: Sessions,
        lock: InstanceLock,
        link: Link,
        months: Months,
        seats: Seats,
        calls: Calls,
        ledger: LedgerWriter,
        desk: OperatorsDesk,
        events: Events,
        inbox: Inbox,
        pacer: Pacer,
        estimating: Estimating,
        day: DaySoFar,
        chances: Chances,
        recovery: Recovery,
        callbacks: Callbacks,
        callback_stats: CallbackStats,
        callback_recovery: CallbackRecovery,
        calling_back: CallingBack,
        board: BoardWriter,
        new_day: NewDay,
        clock_check: ClockCheck,
        reminders: Reminders,
        calibrating: Calibrating,
        replanning: Replanning,
        web: WebServer,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.sessions = sessions
        self.link = link
        self.months = months
        self.seats = seats
        self.calls = calls
        self.ledger = ledger
        self.desk = desk
        self.events = events
        self.inbox = inbox
        self.pacer = pacer
        self.estimating = estimating
        self.day = day
        self.chances = chances
        self.recovery = recovery
        self.callbacks = callbacks
        self.callback_stats = callback_stats
        self.callback_recovery = callback_recovery
        self.calling_back = calling_back
        self.board = board
        self.new_day = new_day
        self.clock_check = clock_check
        self.reminders = reminders
        self.calibrating = calibrating
        self.replanning = replanning
        self.web = web
        self.started_at = clock.now()
        self.draining = False
        self.ready = asyncio.Event()
        """Set once the web interface answers and Asterisk was caught up with for the first time."""
        self._lock = lock
        self._locked = False
        self._caught_up = False
        self._stop = asyncio.Event()
        self._died: BaseException | None = None
        """What ended one of our tasks: the process ends with it, so that it is started again."""
        self._tasks: set[asyncio.Task[Any]] = set()

    # what may be asked -------------------------------------------------------------------------

    def may_dial(self) -> bool:
        """Whether anything of the service forbids every call."""
        return not self.problems() and not self.draining and not self.inbox.emergency

    def problems(self) -> tuple[Problem, ...]:
        """What keeps us from dialling and has to be mended."""
        there = {
            Problem.ASTERISK_AWAY: not self.link.up,
            Problem.CATCHING_UP: self.link.up and not self._caught_up,
            Problem.TRUNK_DOWN: not self.events.trunk_reachable,
            Problem.DATABASE_AWAY: not self.ledger.database_ok,
            Problem.LOCK_LOST: not self._locked,
            Problem.CLOCK_WRONG: self.clock_check.wrong() is not None,
        }
        return tuple(problem for problem in Problem if there[problem])

    def problems_told(self) -> tuple[str, ...]:
        """The problems in words: of the clock, by how much it is wrong."""
        clock = self.clock_check.wrong() or Problem.CLOCK_WRONG.value
        told = {Problem.CLOCK_WRONG: clock}
        return tuple(told.get(problem, problem.value) for problem in self.problems())

    # beginning and end -------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until `request_stop`, then drain and return.

        Raises:
            DatabaseError: the database is away, not migrated, or served by another dialer.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.sessions.close)
            await self._check_schema()
            await stack.enter_async_context(self._lock)
            self._locked = True
            await self.clock_check.look()
            await self.inbox.open()
            await self.estimating.load()
            rehearse(self.estimating.estimates)
            await self.day.load()
            await self._read_chances()
            self._note_seats()
            self.calls.lose_sight()
            await self.callback_stats.load()
            await self.recovery.load()
            await self.callback_recovery.load()
            await self.calling_back.load()
            await self.inbox.stop_what_may_not_ring()
            stack.push_async_callback(self._cancel_tasks)
            self._start_tasks()
            stack.callback(self._schedule().shutdown)
            stack.push_async_callback(self.web.stop)
            stack.callback(self.seats.touch_all)  # long polls end at once
            self.link.start()
            stack.callback(self.link.close)
            _log.info("serving")
            await self._stop.wait()
            await self._drain()
            self.seats.touch_all()
            await self.web.stop()
            await asyncio.wait_for(self.ledger.flushed(), RECOVER_AGAIN_S * 10)
            await self.estimating.keep()
            _log.info("stopped")
            if self._died is not None:
                raise self._died

    def _note_seats(self) -> None:
        """Write down what operators do at the start: whatever the last run left open ends with it."""
        for seat in self.seats.seats():
            self.ledger.add(SeatMove(operator_id=seat.operator, at=seat.since, state=seat.state))

    def request_stop(self) -> None:
        """Begin the end (SIGTERM): from now on nothing is dialled."""
        self.draining = True
        self._stop.set()

    async def _check_schema(self) -> None:
        if await revision_of(self.settings.service.database) != head():
            raise DatabaseError("the database has old tables or none; run `dialer db upgrade`")

    def _start_tasks(self) -> None:
        for job in (
            self.ledger.run(),
            self.events.run(),
            self.board.run(),
            self.inbox.run(),
            self.new_day.run(),
            self.replanning.run(),
            self.pacer.run(),
            self._keep_lock(),
            self._regularly(RECONCILE_EVERY_S, self._regular_look),
            self._regularly(CLOCK_EVERY_S, self.clock_check.look),
            self._regularly(KEEP_EVERY_S, self.estimating.keep),
            self._regularly(KEEP_EVERY_S, self._read_chances),
            self.web.run(),
        ):
            self._start(job)

    def _schedule(self) -> AsyncIOScheduler:
        """What goes by the machine's calendar. A clock set back holds it up: nothing that dialling needs."""
        scheduler = AsyncIOScheduler()
        scheduler.add_job(self.reminders.look, "interval", seconds=REMIND_EVERY_S)
        scheduler.add_job(self.calibrating.look, "interval", seconds=CALIBRATE_EVERY_S)
        scheduler.start()
        return scheduler

    def _start(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        """A service without one of its parts must not go on as if nothing had happened."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("task_died", error=error)
            self._died = self._died or error
            self.request_stop()

    async def _cancel_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _regularly(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Again and again, by the steady clock: one that is set back must not hold it up for hours."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except Exception as error:  # the next time it may go well
                _log.error("regular_work_failed", error=error)

    async def _drain(self) -> None:
        _log.info("draining", calls=len(self._alive()))
        try:
            async with asyncio.timeout(self.settings.service.drain_s):
                while self._alive():  # noqa: ASYNC110 (minutes of waiting need no event)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            _log.warning("drain_time_over", calls=len(self._alive()))

    def _alive(self) -> list[str]:
        """Calls and callers that are waited for. Who only waits in the line is served by Asterisk's own
        queue when we are gone."""
        lines = self.calls.lines()
        calls = [line.call.attempt for line in lines if line.call.state is not State.ENDED]
        callbacks = [one.callback for one in self.callbacks.alive()]
        return calls + [one.id for one in callbacks if one.state in _WITH_OPERATOR]

    # the link ------------------------------------------------------------------------------------

    async def catch_up(self) -> None:
        """The link is up: make our picture true, then dial."""
        begun = self.clock.monotonic()
        while self.link.up:
            try:
                await self.callback_recovery.reconcile(after_silence=True)
                await self.recovery.reconcile(after_silence=True)
            except Exception as error:  # even one that nobody foresaw must not end all dialling
                _log.error("cannot_catch_up", error=error)
                await asyncio.sleep(RECOVER_AGAIN_S)
                continue
            self._caught_up = True
            self.callbacks.regain_sight()
            self.calls.regain_sight()
            asyncio.get_running_loop().call_later(FRESH_S, self.originate_unknown)
            self.ready.set()
            _log.info("caught_up", seconds=round(self.clock.monotonic() - begun, 3))
            self.pacer.wake()
            return

    def link_lost(self) -> None:
        """The link is down: what rings may be answered unseen, so nothing new is placed."""
        self._caught_up = False
        self.callbacks.lose_sight()
        self.calls.lose_sight()
        _log.warning("link_lost")

    def originate_unknown(self) -> None:
        """An Originate got no answer, or was too young to be judged: look whether its channel is there."""
        self._start(self._regular_look())

    def channel_begun(self, channel: str) -> None:
        """A channel was made. An Originate that arrives when its call was given up must not ring."""
        if self.recovery.is_orphan(channel):
            self._start(self._look(partial(self.recovery.hang_up_orphan, channel)))

    def look_at_trunk(self) -> None:
        """The trunk's device said that it is not available: ask whether the carrier answers."""
        self._start(self._look(self.recovery.look_at_trunk))

    def look_at_legs(self) -> None:
        """New operators: their legs may be up already."""
        self._start(self._look(self.recovery.look_at_legs))

    async def _look(self, what: Callable[[], Awaitable[None]]) -> None:
        try:
            await what()
        except (AmiError, DatabaseError) as error:
            _log.warning("asterisk_not_asked", error=error)

    async def _regular_look(self) -> None:
        if not self._caught_up:
            return
        await self._look(partial(self.recovery.reconcile, after_silence=False))
        await self._look(partial(self.callback_recovery.reconcile, after_silence=False))
        await self._look(self.recovery.look_at_trunk)

    # the database --------------------------------------------------------------------------------

    async def _read_chances(self) -> None:
        """What the newest plans believe of answering; also those that a supervisor has made."""
        async with self.sessions.read() as session:
            await self.chances.reload(session, self.months.all())

    async def _keep_lock(self) -> None:
        while True:
            await asyncio.sleep(LOCK_EVERY_S)
            try:
                await self._lock.renew()
            except DatabaseError as error:
                self._locked = False
                _log.warning("lock_lost", error=error)
                continue
            self._locked = True


def serve(settings_path: Path) -> None:
    """`dialer serve`: run until SIGTERM or SIGINT.

    Raises:
        SettingsError, DatabaseError: the service cannot start.
    """
    import uvloop

    set_up_logs()
    settings, secrets = load_settings(settings_path), load_secrets(settings_path)

    async def main() -> None:
        from dialer.bootstrap import build

        service = build(settings, secrets, SystemClock())
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, service.request_stop)
        await service.run()

    uvloop.run(main())

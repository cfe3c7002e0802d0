"""Builds the service: the only place where parts are chosen and put together."""

from __future__ import annotations

from db.instance_lock import InstanceLock
from db.keys import Keys
from db.seat_changes import SeatMove
from db.session import make_sessions
from dialer.ami.link import Link
from dialer.board_writer import BoardWriter, openings_of
from dialer.calibrating import Calibrating
from dialer.callback_desk import CallbackDesk
from dialer.callback_ends import CallbackEnds
from dialer.callback_recovery import CallbackRecovery
from dialer.callback_stats import CallbackStats
from dialer.callbacks import Callbacks
from dialer.caller_ids import CallerIds
from dialer.calling_back import CallingBack
from dialer.calls import Calls
from dialer.chances import Chances
from dialer.choosing import Choosing
from dialer.clock import Clock
from dialer.clock_check import ClockCheck
from dialer.day_so_far import DaySoFar
from dialer.desk import OperatorsDesk
from dialer.estimating import Estimating
from dialer.events import Events
from dialer.inbox import Inbox
from dialer.ledger import LedgerWriter
from dialer.metrics import Metrics
from dialer.months import Months
from dialer.new_day import NewDay
from dialer.pacer import Pacer
from dialer.pacing_view import PacingView
from dialer.placing import Placing
from dialer.preview import Previews
from dialer.profiles import load_profile
from dialer.recovery import Recovery
from dialer.reminders import Reminders
from dialer.replanning import MakePlan, Replanning, in_own_process
from dialer.reporting import Reporting
from dialer.results import Results
from dialer.seats import Seats
from dialer.service import Service
from dialer.settings import Secrets, Settings
from dialer.sheets import Sheets
from dialer.web.app import create_app
from dialer.web.server import WebServer
from rules.operator_state import Seat
from rules.operator_state import State as SeatState


def build(
    settings: Settings, secrets: Secrets, clock: Clock, make_plan: MakePlan | None = None
) -> Service:
    """A service that is ready to `run`; nothing is opened yet. Within a running event loop.

    Args:
        make_plan: in place of planning in a process of its own.

    Raises:
        ProfileError: the contract profile cannot be used.
        DatabaseError: the database URL is not one of ours.
    """
    profile = load_profile(settings.service.profile, clock.now().date())
    sessions = make_sessions(settings.service.database)
    metrics = Metrics()
    months = Months()
    caller_ids = CallerIds(settings.caller_id.pool)
    link = Link(settings.ami, secrets.ami)
    keys = Keys.from_hex(secrets.lookup_key)
    results = Results(sessions, months, keys, clock)

    def seat_moved(before: Seat, after: Seat) -> None:
        desk.moved(before, after)
        if after.state is not before.state:
            ledger.add(SeatMove(operator_id=after.operator, at=after.since, state=after.state))
        if after.attempt is None:
            callbacks.owed_by(after.operator)
        if after.state is SeatState.FREE:
            # whoever calls us goes before any call of ours (§11(2)エ)
            callbacks.serve()
            calls.serve_waiting()
            pacer.wake()
        board.changed()

    def after_call_limit_s(seat: Seat) -> float:
        line = calls.line(seat.attempt) if seat.attempt is not None else None
        return (sheets.profile(line) or profile).after_call_limit_s

    def callback_group() -> frozenset[str]:
        return frozenset((sheets.profile(None) or profile).callback_operators)

    seats = Seats(clock, after_call_limit_s, seat_moved)
    ledger = LedgerWriter(sessions, results.settle_by_line, lambda attempt: calls.settled(attempt))
    calls = Calls(clock, link, seats, ledger, metrics, months.profile, lambda: pacer.wake())
    sheets = Sheets(sessions, months)
    callbacks = Callbacks(clock, link, seats, ledger, metrics, keys, callback_group)
    ledger.settle_callbacks = CallbackEnds(months).settle
    ledger.callback_settled = callbacks.committed
    desk = OperatorsDesk(clock, sessions, seats, calls, ledger, results, sheets, metrics)
    desk.callers = CallbackDesk(clock, sessions, months, keys, calls, callbacks, results)
    events = Events(
        link, calls, callbacks, seats, early_media_rings=settings.trunk.early_media_rings
    )
    inbox = Inbox(
        sessions,
        clock,
        months,
        calls,
        desk,
        caller_ids,
        wake=lambda: pacer.wake(),
        look_at_legs=lambda: service.look_at_legs(),
        messages_ordered=lambda: board.reload(),
    )
    day, chances = DaySoFar(clock, sessions), Chances()
    estimating = Estimating(clock, sessions, seats, months, metrics)
    calls.watchers = [day, estimating]
    callback_stats = CallbackStats(
        clock, sessions, seats, estimating, callback_group, lambda: openings_of(months)
    )
    board = BoardWriter(
        settings.agi.board,
        clock,
        sessions,
        months,
        seats,
        callbacks,
        callback_stats,
        callback_group,
    )
    callbacks.watchers = [callback_stats.moved, lambda _caller, _before: board.changed()]
    view = PacingView(
        clock,
        link,
        seats,
        calls,
        day,
        estimating,
        settings.trunk.lines,
        may_dial=lambda: service.may_dial(),
        callbacks_waiting=callbacks.waiting_count,
        callbacks_per_s=callback_stats.per_s,
    )
    choosing = Choosing(sessions, chances)
    placing = Placing(
        settings.trunk,
        clock,
        sessions,
        link,
        caller_ids,
        seats,
        calls,
        metrics,
        may_dial=lambda: service.may_dial(),
        unknown=lambda: service.originate_unknown(),
    )
    calling_back = CallingBack(
        clock, sessions, months, seats, calls, callbacks, choosing, placing, estimating
    )
    callbacks.asked_back = calling_back.asked
    previews = Previews(
        clock,
        sessions,
        months,
        seats,
        calls,
        choosing,
        placing,
        estimating,
        metrics,
        may_dial=lambda: service.may_dial(),
    )
    desk.previews = previews
    pacer = Pacer(clock, sessions, months, seats, metrics, view, choosing, placing, previews)
    reminders = Reminders(sessions, clock, months, metrics, seats.touch_all)
    desk.next_appointment = lambda: reminders.next_at
    recovery = Recovery(clock, sessions, link, calls, seats, events.trunk_is)
    app = create_app(desk, profile, metrics.registry)
    service = Service(
        settings,
        clock,
        sessions,
        InstanceLock(settings.service.database),
        link,
        months,
        seats,
        calls,
        ledger,
        desk,
        events,
        inbox,
        pacer,
        estimating,
        day,
        chances,
        recovery,
        callbacks,
        callback_stats,
        CallbackRecovery(clock, sessions, link, callbacks),
        calling_back,
        board,
        NewDay(sessions, clock, months, wake=lambda: pacer.wake()),
        ClockCheck(clock, sessions, settings.service.clock_bound_s),
        reminders,
        Calibrating(sessions, clock, metrics),
        Replanning(clock, months, make_plan or in_own_process(settings.service.database)),
        WebServer(app, settings.http),
    )
    events.link_up, events.link_down = service.catch_up, service.link_lost
    events.trunk_in_doubt = service.look_at_trunk
    events.channel_begun = service.channel_begun
    reporting = Reporting(service, metrics)
    desk.report, desk.health = reporting.status, reporting.health
    return service

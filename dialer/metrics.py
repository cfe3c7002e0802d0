"""What `/metrics` shows. Labels are states, outcomes and causes, never anything about a person."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from rules import callback_state
from rules.call_state import Call, State
from rules.callback_state import Callback
from rules.pacing.snapshot import Mode

_CONNECT_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_WAIT_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_RING_S = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 35.5, 36.0, 36.5, 37.0, 40.0)


class Metrics:
    """Counters and gauges of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.placed = Counter("yobirin_calls_placed", "Calls placed.", registry=self.registry)
        self.outcomes = Counter(
            "yobirin_outcomes", "Outcomes recorded.", ["outcome"], registry=self.registry
        )
        self.calls = Gauge(
            "yobirin_calls", "Calls alive, by state.", ["state"], registry=self.registry
        )
        self.operators = Gauge(
            "yobirin_operators", "Operators, by state.", ["state"], registry=self.registry
        )
        self.put_off = Counter(
            "yobirin_offers_put_off",
            "Offered cases that operators put off.",
            registry=self.registry,
        )
        self.connect = Histogram(
            "yobirin_connect_seconds",
            "From answer to both legs bridged.",
            buckets=_CONNECT_S,
            registry=self.registry,
        )
        self.ring = Histogram(
            "yobirin_ring_seconds",
            "Ringing of unanswered calls.",
            buckets=_RING_S,
            registry=self.registry,
        )
        self.appointments = Gauge(
            "yobirin_appointments",
            "Appointments of the next 30 minutes, and missed ones not called yet.",
            ["standing"],
            registry=self.registry,
        )
        self.answers_expected = Counter(
            "yobirin_pacing_answers_expected",
            "Chances of a person's answer of all calls placed, as believed then: sum.",
            registry=self.registry,
        )
        self.answers = Counter(
            "yobirin_pacing_answers", "Calls that a person answered.", registry=self.registry
        )
        self.abandoned_expected = Counter(
            "yobirin_pacing_abandoned_expected",
            "Chances that a person answers and nobody is free, as believed when the calls were placed: "
            "sum. What came of it: yobirin_outcomes, abandoned.",
            registry=self.registry,
        )
        self.free_expected = Counter(
            "yobirin_pacing_free_expected",
            "Operators that were expected free at each answer, as believed when it was placed: sum.",
            registry=self.registry,
        )
        self.free_found = Counter(
            "yobirin_pacing_free_found",
            "Operators that were free at each of these answers: sum.",
            registry=self.registry,
        )
        self.pacing_mode = Gauge(
            "yobirin_pacing_mode", "1: the mode in force.", ["mode"], registry=self.registry
        )
        self.miss_allowed = Gauge(
            "yobirin_pacing_miss_allowed",
            "What the chance that a call finds nobody free may be now.",
            registry=self.registry,
        )
        self.abandonment = Gauge(
            "yobirin_pacing_abandonment",
            "Abandoned / (abandoned + connected) of today.",
            registry=self.registry,
        )
        self.abandon_cap = Gauge(
            "yobirin_pacing_cap", "What that may be at most.", registry=self.registry
        )
        self.calibration_z = Gauge(
            "yobirin_pacing_calibration_z",
            "How far the newest finished day is from what was believed, in standard deviations.",
            ["what"],
            registry=self.registry,
        )
        self.callbacks = Gauge(
            "yobirin_callbacks", "Callers on the line, by state.", ["state"], registry=self.registry
        )
        self.callbacks_ended = Counter(
            "yobirin_callbacks_ended",
            "Callbacks that are over, by the state they ended in.",
            ["state"],
            registry=self.registry,
        )
        self.callback_wait = Histogram(
            "yobirin_callback_wait_seconds",
            "From a callback's arrival to its talk.",
            buckets=_WAIT_S,
            registry=self.registry,
        )
        self.callback_join = Histogram(
            "yobirin_callback_join_seconds",
            "From an operator being found for a caller to both legs bridged.",
            buckets=_CONNECT_S,
            registry=self.registry,
        )
        self.ami_up = Gauge("yobirin_ami_up", "Link to Asterisk.", registry=self.registry)
        self.database_ok = Gauge("yobirin_database_ok", "Ledger.", registry=self.registry)

    def call_moved(self, before: Call, call: Call) -> None:
        """A call changed its state."""
        if before.state is not call.state:
            self.calls.labels(before.state.value).dec()
            if call.state is not State.ENDED:
                self.calls.labels(call.state.value).inc()
        if call.state is State.TALKING and call.answered_at and call.connected_at:
            self.connect.observe((call.connected_at - call.answered_at).total_seconds())
        if call.state is State.ENDED and call.answered_at is None:
            ring_s = call.ring_s()
            if ring_s is not None:
                self.ring.observe(ring_s)

    def call_placed(self, chance: float, miss: float) -> None:
        """A call was placed, with these probabilities of a person's answer and of nobody free for it."""
        self.placed.inc()
        self.answers_expected.inc(chance)
        self.abandoned_expected.inc(chance * miss)

    def call_answered(self, free_expected: float, free: int) -> None:
        """A call was answered: how many operators were expected free, and how many are."""
        self.free_expected.inc(max(0.0, free_expected))
        self.free_found.inc(free)

    def pace(self, mode: Mode, allowed_miss: float) -> None:
        """What pacing said last."""
        for one in Mode:
            self.pacing_mode.labels(one.value).set(one is mode)
        self.miss_allowed.set(allowed_miss)

    def call_taken(self, call: Call) -> None:
        """A call is followed from now on: just placed, or found alive at the start."""
        if call.state is not State.ENDED:
            self.calls.labels(call.state.value).inc()

    def callback_taken(self, callback: Callback) -> None:
        """A callback is followed from now on."""
        if callback.state is not callback_state.State.ENDED:
            self.callbacks.labels(callback.state.value).inc()

    def callback_moved(self, before: Callback, callback: Callback) -> None:
        """A callback changed its state."""
        self.callbacks.labels(before.state.value).dec()
        if callback.state is callback_state.State.ENDED:
            self.callbacks_ended.labels(before.state.value).inc()
            return
        self.callbacks.labels(callback.state.value).inc()
        if callback.state is callback_state.State.TALKING and callback.connected_at is not None:
            waited = callback.connected_at - callback.arrived_at
            self.callback_wait.observe(waited.total_seconds())

    def outcome(self, code: str) -> None:
        """An outcome was recorded."""
        self.outcomes.labels(code).inc()

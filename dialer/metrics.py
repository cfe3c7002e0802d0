"""What `/metrics` shows. Labels are states, outcomes and causes, never anything about a person."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from rules.call_state import Call, State

_CONNECT_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
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

    def call_placed(self) -> None:
        """A call was placed."""
        self.placed.inc()

    def call_taken(self, call: Call) -> None:
        """A call is followed from now on: just placed, or found alive at the start."""
        if call.state is not State.ENDED:
            self.calls.labels(call.state.value).inc()

    def outcome(self, code: str) -> None:
        """An outcome was recorded."""
        self.outcomes.labels(code).inc()

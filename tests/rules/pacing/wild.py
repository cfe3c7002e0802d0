"""Snapshots no service should ever make: clocks that jumped, counts below zero, beliefs gone astray."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import strategies as st

from rules.pacing.estimates import Estimates, LogNormal, Share, Truth
from rules.pacing.snapshot import (
    Activity,
    CallNow,
    Mode,
    OperatorNow,
    Snapshot,
    Terms,
    Tick,
    Today,
)

NOW_S = 10_000.0

numbers = st.one_of(
    st.floats(),  # NaN and both infinities among them
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0, 1e300, -1e300, 5e-324]),
)
moments = st.one_of(st.floats(NOW_S - 2000, NOW_S + 2000), numbers)
"""Mostly around now: also later than it."""
shares = st.one_of(st.floats(0, 1), st.floats(-1, 2), numbers)
counts = st.one_of(st.integers(-3, 12), st.sampled_from([-(10**9), 10**9]))

ticks = st.lists(st.builds(Tick, share=shares, at_s=moments), max_size=4).map(tuple)
operators = st.builds(
    OperatorNow,
    activity=st.sampled_from(Activity),
    since_s=moments,
    ticks=ticks,
    break_at_s=st.none() | moments,
)
calls = st.builds(CallNow, placed_s=moments, chance=st.none() | shares)

_KNOWN = Estimates()
_NEVER_TIMED = LogNormal(0.0, 1e-300, 1e-300)
_WIDE = LogNormal(0.0, 1e6, 20)
_LONG = LogNormal(1e6, 1.0, 20)
_SHORT = LogNormal(-1e6, 1.0, 20)
_ASTRAY = LogNormal(math.nan, math.nan, 20)
_ENDLESS = LogNormal(math.inf, math.inf, 20)
BELIEFS = [
    _KNOWN,
    replace(_KNOWN, machine=Share(0.4, 30)),  # machines reach operators
    replace(_KNOWN, chance=Share(0.0, 400), machine=Share(1.0, 400)),
    replace(_KNOWN, chance=Share(1.0, 400), truth=Truth(1e9, 1.0, 0.0)),
    replace(_KNOWN, chance=Share(0.0, 400), truth=Truth(0.0, 1e9, 0.0)),
    *(
        replace(_KNOWN, ring=time, talk=time, after_call=time, machine_ring=time, machine_talk=time)
        for time in (_NEVER_TIMED, _WIDE, _LONG, _SHORT, _ASTRAY, _ENDLESS)
    ),
    replace(_KNOWN, truth=Truth(math.nan, math.inf, -math.inf)),
]
"""A few only: tables are made for each."""
PATIENCES_S = [2.0, 2.0, 2.0, 0.0, -5.0, math.inf, math.nan]

terms = st.builds(
    Terms,
    mode=st.sampled_from(Mode),
    cap=st.sampled_from([0.01, 0.03, 0.0, 1.0]) | numbers,
    patience_s=st.sampled_from(PATIENCES_S),
    calls_per_operator=st.sampled_from([3.0, 1.0, 0.5, 0.0]) | numbers,
    callback_reserve=st.sampled_from([0, 0, 1, 3]) | counts,
)
todays = st.builds(
    Today,
    connected=st.integers(0, 2000) | counts,
    abandoned=st.integers(0, 20) | counts,
    left_s=st.none() | numbers | st.floats(0, 30_000),
)
rates = st.one_of(st.just(0.0), st.floats(0, 0.1), numbers)
snapshots = st.builds(
    Snapshot,
    now_s=st.just(NOW_S) | numbers,
    may_dial=st.sampled_from([True, True, True, False]),
    operators=st.lists(operators, max_size=8),
    calls=st.lists(calls, max_size=12),
    lines=st.integers(0, 40) | counts,
    lines_used=counts,
    waiting=counts,
    callbacks_waiting=counts,
    callbacks_per_s=rates,
    appointments_soon=counts,
    candidates=st.lists(st.none() | shares, max_size=12).map(tuple),
    ami_healthy=st.sampled_from([True, True, True, False]),
    today=todays,
    terms=terms,
    estimates=st.sampled_from(BELIEFS),
)

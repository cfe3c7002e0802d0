"""Boards of every kind, for hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from rules import sounds
from rules.answering import Board, Opening, OrderedMessage, Waiting
from rules.calendar import JST

moments = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 (the zone is drawn beside it)
    datetime(2028, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([JST, UTC, timezone(timedelta(hours=-8))]),
)


def openings() -> st.SearchStrategy[Opening]:
    return st.builds(
        lambda start, hours: Opening(start=start, end=start + timedelta(hours=hours)),
        moments,
        st.floats(0, 30),
    )


def orders() -> st.SearchStrategy[OrderedMessage]:
    return st.builds(
        lambda number, from_at, until_at: OrderedMessage(
            id=number, sound=sounds.ordered(number), from_at=from_at, until_at=until_at
        ),
        st.integers(1, 10**9),
        moments,
        st.none() | moments,
    )


def waiting() -> st.SearchStrategy[Waiting]:
    expected = st.none() | st.floats(-1e9, 1e9)
    return st.builds(
        lambda number, expected_s: Waiting(id=f"{number}.1", expected_s=expected_s),
        st.integers(1, 20),
        expected,
    )


def boards() -> st.SearchStrategy[Board]:
    return st.builds(
        lambda at, openings, ordered, operators, waiting: Board(
            at=at,
            openings=tuple(sorted(openings, key=lambda one: one.start)),
            ordered=tuple(ordered),
            operators=operators,
            waiting=tuple(waiting),
        ),
        moments,
        st.lists(openings(), max_size=4),
        st.lists(orders(), max_size=3),
        st.integers(0, 40),
        st.lists(waiting(), max_size=12),
    )

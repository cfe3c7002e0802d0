"""What a caller gets, from the board and the moment (§8(6), §11(2)エオ)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules import sounds
from rules.answering import (
    STALE_S,
    Answer,
    Board,
    Do,
    Opening,
    OrderedMessage,
    Waiting,
    Why,
    answer,
    while_waiting,
)
from rules.calendar import JST, calendar_of
from rules.hours import openings
from tests.rules.boards import boards, moments
from tests.rules.stories import PROFILE, at

# --- a whole fiscal year, hour by hour -----------------------------------------------------------

FISCAL_YEAR = {
    # month: calling days as a calendar on the wall has them; * Saturday, Sunday or public holiday
    "2026-04": "23 24 25* 26* 27 28 29* 30",
    "2026-05": "25 26 27 28 29 30* 31*",
    "2026-06": "24 25 26 27* 28* 29 30",
    "2026-07": "25* 26* 27 28 29 30 31",
    "2026-08": "25 26 27 28 29* 30* 31",
    "2026-09": "19* 20* 21* 22* 23* 24 25 26* 27*",
    "2026-10": "24* 25* 26 27 28 29 30 31*",
    "2026-11": "20 21* 22* 23* 24 25 26 28* 29* 30",  # the city took the 27th out
    "2026-12": "21 22 23 24 25 26* 27* 28",  # the period goes on until the 31st
    "2027-01": "4 5 6 7 8 9* 10*",  # it begins on the 1st
    "2027-02": "22 23* 24 25 26 27* 28*",
    "2027-03": "25 26 27* 28* 29 30 31",
}
PERIODS = {"2026-12": (21, 31), "2027-01": (1, 10)}
"""Where it is longer than from the first to the last calling day."""
EXCLUDED = frozenset({date(2026, 11, 27)})
HOLIDAYS = frozenset(
    {
        date(2026, 4, 29), date(2026, 9, 21), date(2026, 9, 22), date(2026, 9, 23),
        date(2026, 11, 23), date(2027, 1, 1), date(2027, 2, 23),
    }
)  # fmt: skip


def of_the_year() -> tuple[Opening, ...]:
    """As the service computes them: from each month's calendar, by the profile."""
    found: list[Opening] = []
    for month, days in FISCAL_YEAR.items():
        listed = [int(day.rstrip("*")) for day in days.split()]
        first, last = PERIODS.get(month, (listed[0], listed[-1]))
        begins = date.fromisoformat(f"{month}-01")
        period = calendar_of(
            PROFILE, begins.replace(day=first), begins.replace(day=last), EXCLUDED, HOLIDAYS
        )
        found += openings(period, PROFILE)
    return tuple(found)


def closing_hours() -> dict[date, int]:
    """§6(2)イ, read off the table: 20 o'clock, and 17 on the days with a star."""
    return {
        date.fromisoformat(f"{month}-{int(day.rstrip('*')):02}"): 17 if day.endswith("*") else 20
        for month, days in FISCAL_YEAR.items()
        for day in days.split()
    }


def hours_of_the_year() -> Iterator[tuple[datetime, bool, date | None]]:
    """Each hour, whether the centre is open throughout it, and the day of the next opening after it began."""
    closes = closing_hours()
    hour = datetime(2026, 4, 1, 0, tzinfo=JST)
    while hour < datetime(2027, 4, 1, 0, tzinfo=JST):
        today = hour.date()
        is_open = 9 <= hour.hour < closes.get(today, 0)
        coming = [day for day in closes if day > today or (day == today and hour.hour < 9)]
        yield hour, is_open, min(coming, default=None)
        hour += timedelta(hours=1)


def next_open_sounds(day: date | None) -> list[str]:
    if day is None:
        return []
    weekday = (day - date(2026, 4, 6)).days % 7  # a Monday
    return ["next-open", f"month-{day.month}", f"day-{day.day}", f"weekday-{weekday}", "hour-9"]


YEAR = of_the_year()
LAST_MOMENT_OF_HOUR = timedelta(minutes=59, seconds=59.999)


def test_the_openings_are_those_of_the_calendar_on_the_wall() -> None:
    found = {one.start.astimezone(JST).date(): one.end.astimezone(JST).hour for one in YEAR}
    assert found == closing_hours()
    assert all(one.start.astimezone(JST).hour == 9 for one in YEAR)
    assert all(before.end <= after.start for before, after in pairwise(YEAR))


def test_what_a_caller_hears_in_each_hour_of_a_fiscal_year() -> None:
    asked = 0
    for hour, is_open, next_day in hours_of_the_year():
        for moment in (hour, hour + LAST_MOMENT_OF_HOUR):
            given_ = answer(Board(at=moment, openings=YEAR, operators=3), moment)
            if is_open:
                assert (given_.do, given_.play) == (Do.QUEUE, ()), moment
            else:
                heard = ["guidance", *next_open_sounds(next_day)]
                assert (given_.do, list(given_.play)) == (Do.GUIDANCE, heard), moment
            asked += 1
    assert asked == 2 * 365 * 24


def test_what_a_caller_hears_in_each_hour_while_the_service_is_away() -> None:
    """The board was written on the year's first day, and nobody has renewed it since."""
    board = Board(at=datetime(2026, 4, 1, tzinfo=JST), openings=YEAR, operators=3)
    for hour, is_open, next_day in hours_of_the_year():
        given_ = answer(board, hour + LAST_MOMENT_OF_HOUR)
        if is_open:
            assert (given_.do, given_.play) == (Do.ALONE, ()), hour
        else:
            heard = ["guidance", *next_open_sounds(next_day)]
            assert (given_.do, list(given_.play)) == (Do.GUIDANCE, heard), hour
    after = datetime(2027, 4, 1, 9, tzinfo=JST)
    assert answer(board, after).do is Do.ALONE, "of that day the board says nothing"


def test_the_sentence_of_the_next_opening_is_whole() -> None:
    told = answer(Board(at=at("27 12:00"), openings=YEAR), at("27 12:00")).play
    texts = PROFILE.texts.callers
    assert (
        "".join(texts[sound] for sound in told[1:]) == "次の受付は、11月28日土曜日午前9時からです。"
    )


# --- single cases --------------------------------------------------------------------------------

NOON = at("24 12:00")
DAY = Opening(start=at("24 09:00"), end=at("24 20:00"))
TOMORROW = Opening(start=at("25 09:00"), end=at("25 20:00"))
EVENING = at("24 20:00")
TO_TOMORROW = ("next-open", "month-11", "day-25", "weekday-2", "hour-9")


def ordered(number: int, since: str, until: str | None = None) -> OrderedMessage:
    return OrderedMessage(
        id=number,
        sound=f"ordered-{number}",
        from_at=at(since),
        until_at=None if until is None else at(until),
    )


def board(now: datetime, *messages: OrderedMessage, age_s: float = 0, operators: int = 1) -> Board:
    return Board(
        at=now - timedelta(seconds=age_s),
        openings=(DAY, TOMORROW),
        ordered=messages,
        operators=operators,
    )


CASES = [
    # in hours
    (board(NOON), NOON, Do.QUEUE, (), Why.OPEN),
    (board(NOON, operators=0), NOON, Do.MESSAGE, (), Why.NOBODY_LOGGED_IN),
    (board(NOON, age_s=STALE_S), NOON, Do.QUEUE, (), Why.OPEN),
    (board(NOON, age_s=STALE_S + 0.1), NOON, Do.ALONE, (), Why.SERVICE_AWAY),
    (board(NOON, age_s=-STALE_S - 0.1), NOON, Do.ALONE, (), Why.SERVICE_AWAY),
    # an ordered message is heard first, and nobody is lost by it
    (board(NOON, ordered(3, "24 12:00")), NOON, Do.QUEUE, ("ordered-3",), Why.OPEN),
    (board(NOON, ordered(3, "01 00:00"), operators=0), NOON, Do.MESSAGE, ("ordered-3",),
     Why.NOBODY_LOGGED_IN),
    (board(NOON, ordered(3, "01 00:00"), age_s=9), NOON, Do.ALONE, ("ordered-3",), Why.SERVICE_AWAY),
    (board(NOON, ordered(3, "24 12:01")), NOON, Do.QUEUE, (), Why.OPEN),
    (board(NOON, ordered(3, "24 09:00", "24 12:00")), NOON, Do.QUEUE, (), Why.OPEN),
    (board(NOON, ordered(3, "24 09:00", "24 12:01")), NOON, Do.QUEUE, ("ordered-3",), Why.OPEN),
    # of several the newest order that is in force
    (board(NOON, ordered(5, "24 13:00"), ordered(4, "24 09:00"), ordered(3, "24 09:00")), NOON,
     Do.QUEUE, ("ordered-4",), Why.OPEN),
    # outside hours
    (board(EVENING), EVENING, Do.GUIDANCE, ("guidance", *TO_TOMORROW), Why.CLOSED),
    (board(EVENING, ordered(3, "24 09:00")), EVENING, Do.GUIDANCE, ("ordered-3", *TO_TOMORROW),
     Why.CLOSED),
    (board(EVENING, age_s=600), EVENING, Do.GUIDANCE, ("guidance", *TO_TOMORROW), Why.CLOSED),
    (board(EVENING, ordered(3, "24 09:00"), age_s=600), EVENING, Do.GUIDANCE,
     ("ordered-3", *TO_TOMORROW), Why.CLOSED),
    # nothing is known of the next opening
    (Board(at=NOON), NOON, Do.GUIDANCE, ("guidance",), Why.CLOSED),
    (board(at("25 20:00")), at("25 20:00"), Do.GUIDANCE, ("guidance",), Why.CLOSED),
    # the last board tells of its own day, and of days up to its last opening
    (board(at("25 23:59"), age_s=600), at("25 23:59"), Do.GUIDANCE, ("guidance",), Why.CLOSED),
    (board(at("26 00:00"), age_s=86_400), at("26 00:00"), Do.ALONE, (), Why.SERVICE_AWAY),
    (board(at("28 12:00"), age_s=60), at("28 12:00"), Do.GUIDANCE, ("guidance",), Why.CLOSED),
    (None, NOON, Do.ALONE, (), Why.SERVICE_AWAY),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "now", "do", "play", "why"), CASES)
def test_a_caller_gets(
    seen: Board | None, now: datetime, do: Do, play: tuple[str, ...], why: Why
) -> None:
    assert answer(seen, now) == Answer(do=do, play=play, why=why)
    assert answer(seen, now.astimezone(UTC)) == Answer(do=do, play=play, why=why)


WHOLE_HOURS = [
    # opening, what is told
    (("25 09:30", "25 20:00"), ("day-25", "weekday-2", "hour-10")),
    (("25 23:30", "26 02:00"), ("day-26", "weekday-3", "hour-0")),
    (("25 12:00", "25 13:00"), ("day-25", "weekday-2", "hour-12")),
]


@pytest.mark.parametrize(("hours", "told"), WHOLE_HOURS)
def test_the_next_opening_is_told_in_whole_hours_never_too_early(
    hours: tuple[str, str], told: tuple[str, ...]
) -> None:
    opening = Opening(start=at(hours[0]), end=at(hours[1]))
    seen = Board(at=EVENING, openings=(opening,))
    assert answer(seen, EVENING).play == ("guidance", "next-open", "month-11", *told)


@pytest.mark.parametrize("end", ["25 09:50", "25 10:00"])
def test_an_opening_that_is_over_within_its_hour_is_passed_over(end: str) -> None:
    short = Opening(start=at("25 09:10"), end=at(end))
    seen = Board(at=EVENING, openings=(short,))
    assert answer(seen, EVENING).play == ("guidance",)


LATER = [timedelta(), timedelta(seconds=1), timedelta(microseconds=1)]


@pytest.mark.parametrize("later", LATER)
def test_an_opening_a_moment_after_the_hour_is_told_for_the_next(later: timedelta) -> None:
    opening = Opening(start=at("25 09:00") + later, end=at("25 20:00"))
    seen = Board(at=EVENING, openings=(opening,))
    assert answer(seen, EVENING).play[-1] == ("hour-10" if later else "hour-9")


HOURS = {
    0: "午前0時からです。",
    9: "午前9時からです。",
    11: "午前11時からです。",
    12: "正午からです。",
    13: "午後1時からです。",
    23: "午後11時からです。",
}


@pytest.mark.parametrize(("number", "text"), HOURS.items())
def test_an_hour_is_told_as_people_tell_it(number: int, text: str) -> None:
    assert sounds.TEXTS[sounds.hour(number)] == text
    assert all(sounds.hour(n) in sounds.TEXTS for n in range(24))


# --- while they wait -----------------------------------------------------------------------------


def line_of(*expected_s: float | None) -> tuple[Waiting, ...]:
    return tuple(Waiting(id=f"{n}.1", expected_s=one) for n, one in enumerate(expected_s, start=1))


MINUTES = [
    # seconds expected, what is told: never less, and nothing that cannot be told honestly
    (None, ()), (-5.0, ("wait-minutes-1",)), (0.0, ("wait-minutes-1",)),
    (60.0, ("wait-minutes-1",)), (60.1, ("wait-minutes-2",)), (121.0, ("wait-minutes-3",)),
    (181.0, ("wait-minutes-5",)), (301.0, ("wait-minutes-10",)), (601.0, ("wait-minutes-15",)),
    (901.0, ("wait-minutes-20",)), (1201.0, ("wait-minutes-30",)), (1800.0, ("wait-minutes-30",)),
    (1800.1, ()), (float("nan"), ()), (float("inf"), ()),
]  # fmt: skip


@pytest.mark.parametrize(("expected_s", "told"), MINUTES)
def test_the_expected_wait_is_told_in_full_minutes(
    expected_s: float | None, told: tuple[str, ...]
) -> None:
    seen = Board(at=NOON, openings=(DAY,), operators=1, waiting=line_of(expected_s))
    assert while_waiting(seen, NOON, "1.1", True).play == (
        "wait-position-1", *told, "wait-keys-both",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("position", "told"),
    [(1, "wait-position-1"), (9, "wait-position-9"), (10, "wait-position-more"),
     (30, "wait-position-more")],
)  # fmt: skip
def test_the_position_is_that_in_the_line(position: int, told: str) -> None:
    seen = Board(at=NOON, openings=(DAY,), operators=1, waiting=line_of(*[None] * 30))
    heard = while_waiting(seen, NOON, f"{position}.1", False)
    assert (heard.do, heard.play) == (Do.WAIT, (told, "wait-keys-message"))


WAITING = [
    # board, moment, do, play, why
    (board(NOON), NOON, Do.WAIT, ("wait-keys-both",), Why.OPEN),  # not in the line yet
    (board(NOON, operators=0), NOON, Do.WAIT, ("wait-keys-both",), Why.OPEN),
    (board(EVENING), EVENING, Do.WAIT, ("wait-keys-both",), Why.OPEN),  # served after closing time
    (board(EVENING, operators=0), EVENING, Do.MESSAGE, (), Why.CLOSED),  # everybody went home
    (board(NOON, age_s=5.1), NOON, Do.ALONE, (), Why.SERVICE_AWAY),
    (board(NOON, ordered(3, "01 00:00")), NOON, Do.WAIT, ("wait-keys-both",), Why.OPEN),
    (None, NOON, Do.ALONE, (), Why.SERVICE_AWAY),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "now", "do", "play", "why"), WAITING)
def test_who_waits_gets(
    seen: Board | None, now: datetime, do: Do, play: tuple[str, ...], why: Why
) -> None:
    assert while_waiting(seen, now, "1.1", True) == Answer(do=do, play=play, why=why)


# --- any board at any moment ---------------------------------------------------------------------

SPOKEN_BY_THE_DIALPLAN = {Do.QUEUE, Do.MESSAGE, Do.ALONE}
"""There the dialplan plays a sound of its own after what is asked for."""


def is_heard(given_: Answer, seen: Board | None) -> None:
    assert given_.play or given_.do in SPOKEN_BY_THE_DIALPLAN, "silence"
    known = {*sounds.ANSWERS, *(one.sound for one in seen.ordered if seen)} if seen else set()
    assert set(given_.play) <= known


@given(seen=st.none() | boards(), now=moments)
def test_nobody_hears_silence_or_a_sound_that_is_not_on_the_list(
    seen: Board | None, now: datetime
) -> None:
    is_heard(answer(seen, now), seen)


@given(seen=boards(), seconds=st.integers(-10, 10) | st.integers(-10, 90_000))
def test_nobody_hears_silence_while_the_board_is_new_or_growing_old(
    seen: Board, seconds: int
) -> None:
    now = seen.at + timedelta(seconds=seconds)
    given_ = answer(seen, now)
    is_heard(given_, seen)
    is_in_hours = any(one.start <= now < one.end for one in seen.openings)
    is_there = abs(seconds) <= STALE_S
    assert (given_.do is Do.QUEUE) == (is_in_hours and is_there and seen.operators > 0)
    assert given_.do is not Do.GUIDANCE or not is_in_hours


@given(
    seen=st.none() | boards(),
    seconds=st.floats(-10, 10),
    number=st.integers(1, 20),
    known=st.booleans(),
)
@example(seen=None, seconds=0, number=1, known=True)
def test_nobody_waits_in_silence(
    seen: Board | None, seconds: float, number: int, known: bool
) -> None:
    now = (seen.at if seen else NOON) + timedelta(seconds=seconds)
    given_ = while_waiting(seen, now, f"{number}.1", known)
    is_heard(given_, seen)
    assert given_.do in {Do.WAIT, Do.MESSAGE, Do.ALONE}
    assert (sounds.KEYS_BOTH in given_.play) <= known, "without a number nobody can be called back"

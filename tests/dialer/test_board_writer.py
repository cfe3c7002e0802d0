"""The board: what whoever answers callers is told of the centre, and how long callers are likely to wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agi.board import read_board
from db import campaigns, ordered_messages
from db.campaigns import CampaignState
from dialer import board_writer
from dialer.board_writer import BoardWriter, openings_of
from dialer.callback_stats import BELIEVED_S, TALKS_SEEN, CallbackStats
from dialer.estimating import Estimating
from dialer.months import Months
from rules.answering import Opening
from rules.callback_events import Connected, Queued
from rules.operator_state import Event
from rules.pacing.estimates import Estimates, LogNormal
from tests.db.callers import GAVE_UP, calls_us
from tests.db.town import NOON, Town, at
from tests.dialer.test_callbacks import A, B, C, Kept, Line

AROUND = ("24 09:00", "24 20:00")


class Centre(Line):
    """Callers with a board, on a database."""

    def __init__(self, town: Town, folder: Path) -> None:
        super().__init__()
        self.clock = self.callbacks._clock = type(self.clock)(NOON)
        self.town = town
        self.months = Months()
        self.estimating = Estimating(
            self.clock, town.sessions, self.seats, self.months, self.metrics
        )
        self.openings: list[Opening] | None = None
        self.stats = CallbackStats(
            self.clock, town.sessions, self.seats, self.estimating, lambda: self.group,
            lambda: self.openings or openings_of(self.months),
        )  # fmt: skip
        self.callbacks.watchers = [self.stats.moved]
        self.path = folder / "board.json"
        self.board = BoardWriter(
            self.path, self.clock, town.sessions, self.months, self.seats, self.callbacks,
            self.stats, lambda: self.group,
        )  # fmt: skip

    async def read(self) -> None:
        async with self.town.sessions.read() as session:
            await self.months.reload(session, self.clock.now())
        await self.board.reload()

    def knows(self, talk_s: float, after_s: float) -> None:
        """Enough talks were seen, and they take about so long with what follows."""
        weight = Estimates().talk.weight + TALKS_SEEN
        self.estimating.estimates = replace(
            Estimates(),
            talk=LogNormal.of(talk_s, 0.5, weight),
            after_call=LogNormal.of(after_s, 0.5, weight),
        )


@pytest.fixture
async def centre(town: Town, tmp_path: Path) -> Centre:
    made = Centre(town, tmp_path)
    await made.read()
    return made


async def test_the_board_tells_hours_operators_and_who_waits_and_no_number(centre: Centre) -> None:
    await centre.call(A, B, number="0258000001")
    centre.callbacks.keep_place(Kept(centre, C))
    centre.seats.seat_all([("201", True), ("202", True)])
    centre.seats.move("201", Event.LEG_UP)
    centre.seats.move("201", Event.PAUSE)
    centre.board.write()
    board = read_board(centre.path)
    assert board is not None
    assert (board.at, board.operators) == (centre.clock.now(), 1)
    assert [one.id for one in board.waiting] == [B, C]  # 201 was free for the first
    first, last = board.openings[0], board.openings[-1]
    # from yesterday on; a callback may come until closing time
    assert (first.start, first.end) == (at("23 09:00"), at("23 17:00"))
    assert Opening(start=at("24 09:00"), end=at("24 20:00")) in board.openings
    assert last.end == at("30 20:00")
    assert "0258000001" not in centre.path.read_text()


async def test_a_paused_campaign_is_open_to_callers_and_a_closed_one_is_not(
    centre: Centre, town: Town
) -> None:
    for state, is_open in ((CampaignState.PAUSED, True), (CampaignState.CLOSED, False)):
        async with town.sessions.write() as session:
            await campaigns.set_state(session, "2026-09", state, at=NOON, by="tests")
        await centre.read()
        assert bool(centre.board.board().openings) is is_open


async def test_campaigns_that_overlap_are_open_once(centre: Centre, town: Town) -> None:
    before = openings_of(centre.months)
    await Town(town.sessions).open("2026-09-b")
    await centre.read()
    assert openings_of(centre.months) == before


async def test_what_the_city_ordered_is_on_the_board(centre: Centre, town: Town) -> None:
    async with town.sessions.write() as session:
        for text in ("臨時休業です。", "回線工事中です。"):
            row = await ordered_messages.order(
                session, text, from_at=NOON, until_at=at("25 09:00"), at=NOON, by="tests"
            )
        number = row.id
    await centre.board.reload()
    [newest, _] = centre.board.board().ordered
    assert (newest.id, newest.sound) == (number, f"ordered-{number}")
    assert (newest.from_at, newest.until_at) == (NOON, at("25 09:00"))


async def test_only_the_group_counts_as_there_for_callers(centre: Centre) -> None:
    centre.sit("201", "202")
    centre.group = {"202", "203"}
    assert centre.board.board().operators == 1


async def test_a_change_is_on_the_board_at_once_and_it_is_renewed_without_one(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_writer, "EVERY_S", 3600.0)
    task = asyncio.create_task(centre.board.run())

    async def until(done: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not done():
                await asyncio.sleep(0.005)

    await until(centre.path.exists)
    await centre.call(A)
    centre.board.changed()
    await until(lambda: len(read_board(centre.path).waiting) == 1)
    monkeypatch.setattr(board_writer, "EVERY_S", 0.1)
    for _ in range(2):  # the first time it still waits as long as before
        centre.board.changed()
        centre.clock.move(3)
        await until(lambda: read_board(centre.path).at == centre.clock.now())
    centre.clock.move(3)
    await until(lambda: read_board(centre.path).at == centre.clock.now())
    task.cancel()


async def test_a_board_that_cannot_be_written_stops_nothing(
    centre: Centre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    centre.board._path = tmp_path / "nowhere" / "board.json"
    for _ in range(3):
        centre.board.write()
    assert capsys.readouterr().out.count("board_not_written") == 1
    (tmp_path / "nowhere").mkdir()
    centre.board.write()
    assert json.loads((tmp_path / "nowhere" / "board.json").read_text())["operators"] == 0


# --- how long, how many ------------------------------------------------------------------------


async def test_nobody_is_told_a_wait_before_enough_talks_were_seen(centre: Centre) -> None:
    centre.sit("201", "202")
    assert centre.stats.expected_s(1) is None
    centre.knows(120, 60)
    assert centre.stats.expected_s(1) == pytest.approx(90)
    assert centre.stats.expected_s(3) == pytest.approx(270)


async def test_only_who_works_for_callers_shortens_the_wait(centre: Centre) -> None:
    centre.knows(120, 60)
    assert centre.stats.expected_s(1) is None
    centre.sit("201", "202", "203")
    centre.group = {"202", "203"}
    await centre.call(A)
    await centre.say(Connected)
    assert centre.stats.expected_s(1) == pytest.approx(90)  # who talks will be free again
    centre.seats.move("203", Event.PAUSE)
    assert centre.stats.expected_s(1) == pytest.approx(180)


async def test_callers_a_second_are_those_of_todays_hours_shrunk_to_few(
    centre: Centre, town: Town
) -> None:
    open_s = timedelta(hours=3).total_seconds()
    assert centre.stats.per_s() == pytest.approx(1 / (open_s + BELIEVED_S))
    for when in ("23 12:00", "24 08:59", "24 09:00", "24 11:00"):
        await calls_us(town, GAVE_UP, at(when))
    await centre.stats.load()
    assert centre.stats.per_s() == pytest.approx(3 / (open_s + BELIEVED_S))
    centre.callbacks.arrive(A, "0258000101", None)
    await centre.say(Queued)
    assert centre.stats.per_s() == pytest.approx(4 / (open_s + BELIEVED_S))
    # another day begins anew
    centre.clock.move(timedelta(hours=12 + 9 + 1).total_seconds())
    assert centre.stats.per_s() == pytest.approx(1 / (3600 + BELIEVED_S))

"""Who calls us, and when: after calls of ours, many at a time, and at night."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from rules.calendar import JST
from scripts.town import occasions
from scripts.town.callers import Caller, Callers, Way
from scripts.town.ledger import CarrierCall, Ledger
from scripts.town.occasions import STRANGER, Occasions
from scripts.town.people import Behaviour, Kind, Line

EVENING = datetime(2026, 9, 24, 18, 0, tzinfo=JST)


class Scene:
    """A town in which everybody was called and nobody is free; keeps who calls, and for how long."""

    def __init__(self, ledger: Ledger, operators: int) -> None:
        self.ledger = ledger
        self.called: list[Caller] = []
        self.busy = True
        self.left_s = occasions.RUSH_S
        self.told: datetime | None = EVENING
        self.is_noted = True
        self.over = asyncio.Event()
        """Set: calls end at once."""
        self.over.set()
        self.occasions = Occasions(
            cast(Callers, self),
            ledger,
            {f"0258{n:06d}": f"ref{n}" for n in range(99)},
            all_busy=self.all_busy,
            left_s=lambda: self.left_s,
            told=lambda: self.told,
            noted=self.noted,
            now=lambda: EVENING,
            operators=operators,
            seed=1,
        )

    async def noted(self) -> bool:
        return self.is_noted

    async def all_busy(self) -> bool:
        return self.busy

    async def call(self, caller: Caller) -> None:
        self.called.append(caller)
        await self.over.wait()

    def was_called(self, *kinds: Kind, ended: bool = True) -> None:
        """By us; each at a number of their own."""
        for kind in kinds:
            n = len(self.ledger.calls)
            call = CarrierCall(
                number=f"0258{n:06d}", caller_id="", kind=kind, nth=1, invited_at=EVENING,
                behaviour=Behaviour(line=Line.RINGS, first_ring_s=0.0),
            )  # fmt: skip
            self.ledger.begin(call)
            if ended:
                self.ledger.end(call, EVENING)

    def ways(self) -> list[Way]:
        return [caller.way for caller in self.called]

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.occasions.go_on())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def quiet(self, calls: int) -> None:
        async with asyncio.timeout(30):
            while len(self.called) < calls or not self.occasions.idle():
                await asyncio.sleep(0.005)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(occasions, "_LOOK_S", 0.005)
    monkeypatch.setattr(occasions, "_TALKERS_FIRST_S", 0.01)
    monkeypatch.setattr(occasions, "_RETURN_AFTER_S", (0.0, 0.0))
    monkeypatch.setattr(occasions, "RETURN_SHARE", 0.0)
    return Scene(Ledger(tmp_path / "ledger"), operators=3)


IMPATIENT = (Kind.BUSY_ONCE, Kind.DAYTIME, Kind.MACHINE)
MISSED = (Kind.NEVER_ANSWERS,) * 3


async def test_more_call_at_once_than_there_are_operators_and_three_of_them_are_impatient(
    scene: Scene,
) -> None:
    scene.was_called(*IMPATIENT, *MISSED)
    async with scene.going_on():
        await scene.quiet(7)
    talking = [caller for caller in scene.called if caller.way is Way.TALKS]
    assert [caller.number for caller in talking] == ["0258000003", "0258000004", None, STRANGER]
    assert [caller.reference for caller in talking] == [None, None, "ref5", None]
    assert scene.ways()[4:] == [Way.ASKS_BACK, Way.GIVES_UP, Way.LEAVES_MESSAGE]
    assert [c.number for c in scene.called[4:]] == ["0258000000", "0258000001", "0258000002"]


async def test_they_wait_until_everybody_was_called_and_no_operator_is_free(scene: Scene) -> None:
    scene.was_called(*IMPATIENT, *MISSED[1:])
    scene.was_called(Kind.SUSPENDED, ended=False)
    scene.busy = False
    async with scene.going_on():
        await asyncio.sleep(0.05)
        assert scene.called == []
        scene.busy = True
        await scene.quiet(6)


async def test_nobody_asks_for_a_call_who_was_reached(scene: Scene) -> None:
    scene.was_called(Kind.IN_A_HURRY, Kind.BUSY_ONCE, *IMPATIENT[1:], *MISSED)
    again = replace(scene.ledger.calls[0], nth=2)
    scene.ledger.begin(again)
    scene.ledger.end(again, EVENING)
    async with scene.going_on():
        await scene.quiet(7)
    [asks] = [caller for caller in scene.called if caller.way is Way.ASKS_BACK]
    assert asks.number == "0258000001"


async def test_they_wait_for_whom_we_have_not_called_as_long_as_they_can(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(occasions, "RUSH_WITHIN_S", 0.01)
    scene.was_called(*IMPATIENT[:2], Kind.DAYTIME, *MISSED)
    scene.left_s += 10
    async with scene.going_on():
        await asyncio.sleep(0.1)
        assert scene.called == []
        async with scene.occasions.night():  # while nobody is there they do not call either
            scene.was_called(Kind.MACHINE)
            await asyncio.sleep(0.1)
            assert set(scene.ways()) == {Way.LISTENS}
        await scene.quiet(9)
    assert Way.LEAVES_MESSAGE in scene.ways()


async def test_they_do_not_come_when_whoever_asks_for_a_call_could_not_be_called(
    scene: Scene,
) -> None:
    scene.was_called(*IMPATIENT, *MISSED)
    scene.left_s -= 1
    async with scene.going_on():
        await asyncio.sleep(0.05)
        assert scene.called == []
        scene.left_s += 1
        await scene.quiet(7)


async def test_in_a_small_town_whoever_is_there_calls_after_a_while(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(occasions, "RUSH_WITHIN_S", 0.05)
    scene.was_called(Kind.MACHINE)
    async with scene.going_on():
        await scene.quiet(2)
    assert scene.ways() == [Way.TALKS, Way.LEAVES_MESSAGE]


async def test_people_call_back_of_their_own_accord_each_once_and_not_too_many(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(occasions, "RETURN_SHARE", 1.1)
    monkeypatch.setattr(occasions, "RETURNS_AT_MOST", 4)
    scene.busy = False
    scene.was_called(Kind.STRANGER, Kind.FAX, *MISSED)
    async with scene.going_on():
        await scene.quiet(3)
        scene.was_called(Kind.WORKER, Kind.WORKER)
        await scene.quiet(4)
        await asyncio.sleep(0.05)
    numbers = [caller.number for caller in scene.called]
    assert set(scene.ways()) == {Way.TALKS}
    assert len(set(numbers)) == len(numbers) == 4
    assert set(numbers[:3]) == {"0258000002", "0258000003", "0258000004"}


async def test_at_night_two_listen_and_nobody_else_calls_until_it_is_over(scene: Scene) -> None:
    scene.was_called(*IMPATIENT, Kind.DAYTIME, *MISSED)
    async with scene.occasions.night(), scene.going_on():
        assert scene.ways() == [Way.LISTENS, Way.LISTENS]
        assert {caller.number for caller in scene.called} == {"0258000001", None}
        await asyncio.sleep(0.05)
        assert len(scene.called) == 2
    async with scene.going_on():
        await scene.quiet(9)


async def test_nobody_calls_before_the_service_told_what_they_get_now(scene: Scene) -> None:
    scene.told = EVENING - timedelta(hours=3)
    night = asyncio.create_task(scene.occasions.night().__aenter__())
    await asyncio.sleep(0.05)
    assert scene.called == []
    scene.told = EVENING
    await night
    assert scene.ways() == [Way.LISTENS]


async def test_the_night_is_not_over_before_the_service_has_written_down_who_called(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.is_noted = False
    night = asyncio.create_task(scene.occasions.night().__aenter__())
    await scene.quiet(1)
    await asyncio.sleep(0.05)
    assert not night.done()
    scene.is_noted = True
    await asyncio.wait_for(night, 30)
    # what is never written down the checks tell: the morning comes all the same
    monkeypatch.setattr(occasions, "_NOTED_S", 0.02)
    scene.is_noted = False
    await asyncio.wait_for(scene.occasions.night().__aenter__(), 30)


async def test_there_is_no_quiet_while_somebody_is_on_a_line_to_us(scene: Scene) -> None:
    scene.over.clear()
    night = asyncio.create_task(scene.occasions.night().__aenter__())
    async with asyncio.timeout(30):
        while not scene.called:
            await asyncio.sleep(0.005)
    assert not scene.occasions.idle()
    scene.over.set()
    await night
    assert scene.occasions.idle()

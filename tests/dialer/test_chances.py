"""Each phone's own chance, as the newest plan believed of its kind."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import pytest

from db import plans
from dialer.chances import Chances
from dialer.planning.make import plan_campaign
from dialer.planning.rates import Cell
from rules.case import PhoneKind
from tests.db.town import CALENDAR, NOON, PROFILE, Town, at

BELIEVED = [
    ["午後", False, "fixed", 1, 0.31],
    ["午後", False, "fixed", 2, 0.22],
    ["午後", False, "fixed", 3, 0.13],
    ["午後", False, "mobile", 1, 0.19],
    ["午後", True, "fixed", 1, 0.41],
]

FIXED, MOBILE = PhoneKind.FIXED, PhoneKind.MOBILE
ASKED: list[tuple[datetime, PhoneKind, int, float | None]] = [
    # when, kind of phone, counted attempts made; its chance
    (NOON, FIXED, 0, 0.31),
    (NOON, FIXED, 1, 0.22),
    (NOON, FIXED, 2, 0.13),
    (NOON, FIXED, 5, 0.13),  # an appointment after the third attempt
    (NOON, MOBILE, 0, 0.19),
    (at("26 12:00"), FIXED, 0, 0.41),  # Saturday
    (at("24 10:00"), FIXED, 0, None),  # of the morning nothing is known
    (at("24 21:00"), FIXED, 0, None),  # no band at all
]


@pytest.mark.parametrize(("now", "kind", "counted", "chance"), ASKED)
async def test_a_phone_has_the_chance_of_its_kind_at_this_hour(
    town: Town, now: datetime, kind: PhoneKind, counted: int, chance: float | None
) -> None:
    month = SimpleNamespace(id=town.campaign_id, profile=PROFILE, calendar=CALENDAR)
    async with town.sessions.write() as session:
        await plans.add(session, month.id, at=NOON, by="tests", figures={}, chances=BELIEVED)
    chances = Chances()
    assert chances.of(month, now, kind, counted) is None
    async with town.sessions.read() as session:
        await chances.reload(session, [month])
    assert chances.of(month, now, kind, counted) == chance


async def test_a_plan_hands_on_exactly_what_it_believed(town: Town) -> None:
    await town.case("1", "0258000001")
    made = await plan_campaign(town.sessions, "2026-09", NOON, "tests")
    chances = Chances()
    async with town.sessions.read() as session:
        await chances.reload(session, [made.month])
    first = chances.of(made.month, NOON, FIXED, 0)
    assert first == made.rates.contact(Cell("午後", False, FIXED, 1)).mean
    assert 0 < first < 1

"""Campaigns, their states and their days."""

from __future__ import annotations

from datetime import date

import pytest

from db import campaigns, notices
from db.campaigns import CampaignState
from db.errors import ConflictError, NotFoundError
from tests.db.town import NOON, PERIOD, Town

DRAFT, RUNNING, PAUSED, CLOSED = CampaignState

ALLOWED = {
    (DRAFT, RUNNING),
    (DRAFT, CLOSED),
    (RUNNING, PAUSED),
    (RUNNING, CLOSED),
    (PAUSED, RUNNING),
    (PAUSED, CLOSED),
}
ROADS = {DRAFT: (), RUNNING: (RUNNING,), PAUSED: (RUNNING, PAUSED), CLOSED: (CLOSED,)}
"""How to come to each state from a new campaign."""


@pytest.mark.parametrize("old", CampaignState)
@pytest.mark.parametrize("new", CampaignState)
async def test_a_campaign_changes_its_state_only_as_listed(
    town: Town, old: CampaignState, new: CampaignState
) -> None:
    async with town.sessions.write() as session:
        await campaigns.create(
            session, "x", profile="p", period_from=PERIOD[0], period_to=PERIOD[1], at=NOON
        )
        for state in ROADS[old]:
            await campaigns.set_state(session, "x", state, at=NOON, by="tests")
        before = await notices.newest_id(session)
        if (old, new) in ALLOWED:
            await campaigns.set_state(session, "x", new, at=NOON, by="tests")
            assert len(await notices.newer_than(session, before)) == 1
        else:
            with pytest.raises(ConflictError):
                await campaigns.set_state(session, "x", new, at=NOON, by="tests")
    async with town.sessions.read() as session:
        expected = new if (old, new) in ALLOWED else old
        assert (await campaigns.get(session, "x")).state == expected.value


async def test_campaigns_are_listed_oldest_first_and_found_by_name(town: Town) -> None:
    await Town(town.sessions).open("2026-08")
    async with town.sessions.read() as session:
        found = await campaigns.all_campaigns(session)
        assert [campaign.name for campaign in found] == ["2026-09", "2026-08"]
        with pytest.raises(NotFoundError, match="2026-07"):
            await campaigns.get(session, "2026-07")


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        pytest.param("2026-09", *PERIOD, id="the name is taken"),
        pytest.param("new", PERIOD[1], PERIOD[0], id="it ends before it begins"),
    ],
)
async def test_a_campaign_that_cannot_be_is_refused(
    town: Town, name: str, first: date, last: date
) -> None:
    with pytest.raises(ConflictError, match=name):
        async with town.sessions.write() as session:
            await campaigns.create(
                session, name, profile="p", period_from=first, period_to=last, at=NOON
            )


async def test_an_excluded_day_is_kept_once_and_told_to_the_service(town: Town) -> None:
    day = date(2026, 9, 25)
    async with town.sessions.write() as session:
        before = await notices.newest_id(session)
        for _again in range(2):
            await campaigns.exclude_day(session, "2026-09", day, at=NOON, by="city")
        assert len(await notices.newer_than(session, before)) == 1
    async with town.sessions.read() as session:
        assert await campaigns.excluded_days(session, town.campaign_id) == {day}


async def test_a_day_outside_the_period_cannot_be_excluded(town: Town) -> None:
    async with town.sessions.write() as session:
        with pytest.raises(ConflictError):
            await campaigns.exclude_day(session, "2026-09", date(2026, 10, 1), at=NOON, by="city")

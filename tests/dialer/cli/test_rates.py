"""`dialer plan rates`, and what closing a campaign keeps for it."""

from __future__ import annotations

import json

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import results
from db.campaigns import CampaignState, set_state
from db.results import BY_LINE, Recorded
from db.tables import AnswerSum, Attempt, PhoneRow, table_of
from rules.case import Result
from tests.db.town import at
from tests.dialer.cli.conftest import House


def test_closing_a_campaign_keeps_its_sums_for_the_months_to_come(month: House) -> None:
    month.add_case("2026-09", "202609000001")

    async def call(session: AsyncSession) -> None:
        await set_state(session, "2026-09", CampaignState.RUNNING, at=at("18 09:00"), by="test")
        phone = (await session.scalars(select(PhoneRow))).one()
        values = {
            "id": "one",
            "campaign_id": phone.campaign_id,
            "case_id": phone.case_id,
            "phone_id": phone.id,
            "placed_at": at("18 10:00"),
            "caller_id": "0258000001",
        }
        await session.execute(insert(table_of(Attempt)), values)
        recorded = Recorded(result=Result(outcome="no_answer"), at=at("18 10:01"), by=BY_LINE)
        await results.save_first(session, "one", recorded)

    async def kept(session: AsyncSession) -> list[tuple[str, str, int]]:
        rows = await session.scalars(select(AnswerSum))
        return [(row.month, row.band, row.attempts) for row in rows]

    month.do(call)
    assert month.do(kept) == []
    assert month.run("campaign", "close", "2026-09", "--yes").status == 0
    assert month.do(kept) == [("2026-09", "午前", 1)]


def test_the_rates_are_shown_as_a_table_and_as_json(month: House) -> None:
    done = month.run("plan", "rates", "2026-09")
    assert (done.status, done.err) == (0, "")
    assert "午前" in done.out
    rows = json.loads(month.run("plan", "rates", "2026-09", "--json").out)
    assert rows[0] == {
        "band": "午前",
        "day": "weekday",
        "kind": "fixed",
        "ordinal": 1,
        "prior": 0.2,
        "earlier": 0,
        "attempts": 0,
        "contacts": 0,
        "mean": 0.2,
        "low": 0.069,
        "high": 0.401,
        "operator_s": 97,
    }

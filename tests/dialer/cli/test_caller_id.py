"""`dialer caller-id …` on an installation whose pool is 0258000001 and 0258000002."""

from __future__ import annotations

import json
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import Notice
from dialer.cli.work import now
from tests.dialer.cli.conftest import House

FIRST, SECOND = "0258000001", "0258000002"


def shown(house: House) -> dict[str, object]:
    done = house.run("caller-id", "show", "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)


def told(house: House) -> list[str]:
    async def work(session: AsyncSession) -> list[str]:
        return list(await session.scalars(select(Notice.kind)))

    return house.do(work)


def test_without_an_order_the_first_of_the_pool_is_in_force(house: House) -> None:
    assert shown(house) == {"in_force": FIRST, "pool": [FIRST, SECOND], "changes": []}


def test_a_change_at_once_is_in_force_and_the_service_hears_of_it(house: House) -> None:
    done = house.run("caller-id", "schedule", SECOND, "--by", "佐藤")
    assert done.status == 0, done.err
    found = shown(house)
    assert found["in_force"] == SECOND
    (change,) = found["changes"]
    assert (change["number"], change["state"], change["ordered_by"]) == (SECOND, "begun", "佐藤")
    assert told(house) == ["caller_ids"]


def test_a_change_is_scheduled_in_japan_time_and_can_be_cancelled(house: House) -> None:
    moment = (now() + timedelta(days=1)).replace(second=0, microsecond=0)
    text = moment.strftime("%Y-%m-%d %H:%M")
    assert house.run("caller-id", "schedule", SECOND, "--from", text).status == 0
    found = shown(house)
    assert found["in_force"] == FIRST
    (change,) = found["changes"]
    assert (change["from"], change["state"]) == (moment.isoformat(), "scheduled")
    assert "scheduled" in house.run("caller-id", "show").out

    assert house.run("caller-id", "cancel", str(change["id"]), "--by", "鈴木").status == 0
    (change,) = shown(house)["changes"]
    assert (change["state"], change["cancelled_by"]) == ("cancelled", "鈴木")
    assert house.run("caller-id", "cancel", str(change["id"])).status == 6
    assert told(house) == ["caller_ids"] * 2


REFUSED = [
    # arguments, exit status
    (("schedule", "0258000003"), 6),  # not of the pool
    (("schedule", SECOND, "--from", "2026-09-01 09:00"), 6),  # past
    (("schedule", SECOND, "--from", "tomorrow"), 2),
    (("cancel", "1"), 5),
]


def test_what_cannot_be_ordered_is_refused_and_nothing_is_kept(house: House) -> None:
    for arguments, status in REFUSED:
        assert house.run("caller-id", *arguments).status == status, arguments
    assert shown(house)["changes"] == []
    assert told(house) == []

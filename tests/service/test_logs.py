"""No name and no number of the city's file stands in any log, the service's or Asterisk's."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from db.campaigns import CampaignState
from db.tables import CaseRow, PhoneRow
from tests.service.rig import MONDAY, House, Rig, answered, rig

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]


async def test_logs_of_a_run_with_talks_failures_and_a_crash_name_nobody(house: House) -> None:
    log = house.folder / "dialer.log"
    async with rig(house=house) as centre:
        await centre.add_cases(*([f"025800{n:04}"] for n in range(1, 7)))
        [screen] = await centre.add_operators(1)
        await centre.set_campaign(CampaignState.RUNNING)
        async with serving(centre, log):
            await screen.log_in()
            call = await answered(centre)
            await screen.until("talking")
            await screen.post("result", {"attempt_id": "nonsense", "outcome": "x"})
            call.hang_up()
            await screen.until("after_call_work")
            await screen.save("person_done")
            await screen.save("person_done", script_finished=True, note="試験 太郎0 0258000001")
            (await centre.carrier.called()).respond("404 Not Found")
            (await centre.carrier.called()).respond("503 Service Unavailable")
            await centre.until_results(3)
            (await centre.carrier.called()).respond("180 Ringing")
        await asyncio.to_thread(house.asterisk.restart)
        async with serving(centre, log):
            await centre.until_results(4)
        async with centre.sessions.read() as session:
            persons = list(await session.scalars(select(CaseRow)))
            numbers = list(await session.scalars(select(PhoneRow.number)))
    logs = log.read_text() + house.asterisk.log()
    assert "caught_up" in logs  # the service's own lines are among what was read
    assert "Asterisk" in logs
    for text in {person.name for person in persons} | {person.address for person in persons}:
        assert text not in logs
    for number in numbers:
        assert number not in logs
        assert number.removeprefix("0") not in logs


@asynccontextmanager
async def serving(centre: Rig, log: Path) -> AsyncIterator[None]:
    """The dialer as a process of its own, killed at the end."""
    settings, secrets = centre.folder / "serve.json", centre.folder / "secrets.json"
    settings.write_text(centre.settings.model_dump_json())
    secrets.write_text(centre.secrets.model_dump_json())
    with log.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.service.serve_at", str(settings), str(secrets),
            MONDAY.isoformat(), str(time.time()), stderr=stderr,
        )  # fmt: skip
    try:
        await centre.reachable()
        yield
    finally:
        process.kill()
        await process.wait()

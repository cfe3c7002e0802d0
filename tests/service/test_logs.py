"""No name and no number of the city's file stands in any log, the service's or Asterisk's."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from db.tables import CaseRow, PhoneRow
from dialer.logs import set_up_logs
from tests.service.rig import House, answered, operator, rig

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]


async def test_logs_of_a_run_with_talks_failures_and_a_restart_name_nobody(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    set_up_logs()
    async with rig(house=house) as centre:
        await centre.add_cases(*([f"025800{n:04}"] for n in range(1, 7)))
        await centre.serve()
        screen = await operator(centre)
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
        ringing = await centre.carrier.called()
        ringing.respond("180 Ringing")
        await centre.stop_service()
        await asyncio.to_thread(house.asterisk.restart)
        await centre.serve()
        await centre.until_results(4)
        async with centre.sessions.read() as session:
            persons = list(await session.scalars(select(CaseRow)))
            numbers = list(await session.scalars(select(PhoneRow.number)))
    logs = "".join(capfd.readouterr()) + house.asterisk.log()
    assert "caught_up" in logs  # the service's own lines are among what was read
    assert "Asterisk" in logs
    for text in {person.name for person in persons} | {person.address for person in persons}:
        assert text not in logs
    for number in numbers:
        assert number not in logs
        assert number.removeprefix("0") not in logs

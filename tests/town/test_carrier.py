"""The carrier alone, called by a bare SIP caller: each behaviour as the network shows it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scripts.asterisk.ports import free_port
from scripts.town.carrier import Carrier
from scripts.town.ledger import CarrierCall
from scripts.town.people import Kind, Town
from tests.town.caller import Caller

pytestmark = pytest.mark.asterisk

NUMBERS = [f"02580002{i:02d}" for i in range(len(Kind))]
SLOW_S = 2.0
"""Caller and carrier may see the same so far apart: the machine may be slow."""
THURSDAY_EVENING = datetime(2026, 9, 24, 18, 0, tzinfo=ZoneInfo("Asia/Tokyo"))


def is_weekend(moment: datetime) -> bool:
    return moment.weekday() >= 5


@pytest.fixture
async def carrier(tmp_path: Path) -> AsyncIterator[Carrier]:
    town = Town(NUMBERS, (), 3, is_weekend)
    async with Carrier(town, lambda: THURSDAY_EVENING, tmp_path, free_port()) as running:
        yield running


def number_of(kind: Kind) -> str:
    kinds = Town(NUMBERS, (), 3, is_weekend).kinds
    return next(number for number, k in kinds.items() if k is kind)


async def ended(carrier: Carrier) -> None:
    """Wait until the carrier has noted the end of every call."""
    async with asyncio.timeout(30):
        await carrier.ledger.idle.wait()


async def test_each_behaviour_looks_on_the_wire_as_it_should(carrier: Carrier) -> None:
    """All lines at once; what each hears is compared with the ledger's entry."""
    cases = [
        # kind, final status, Q.850 cause of the end (None: we hang up)
        (Kind.UNASSIGNED, "404", 1),
        (Kind.BUSY, "486", 17),
        (Kind.BUSY_ONCE, "486", 17),
        (Kind.SUSPENDED, "480", 31),
        (Kind.HANGS_UP, "200", 16),
        (Kind.REFUSES, "200", 16),
        (Kind.IN_A_HURRY, "200", 16),
        (Kind.QUICK_TO_ANSWER, "200", None),
        (Kind.WORKER, "200", None),
        (Kind.FAX, "200", None),
        (Kind.STRANGER, "200", None),
    ]
    callers = await asyncio.gather(*(one_call(carrier, *case) for case in cases))
    await ended(carrier)
    noted = {call.number: call for call in carrier.ledger.calls}
    assert len(noted) == len(carrier.ledger.calls) == len(cases)
    for (kind, status, cause), caller in zip(cases, callers, strict=True):
        compare(kind, caller, noted[caller.number], status)
        assert caller.cause == cause, kind
    assert {call.caller_id for call in noted.values()} == {"0258990001"}
    assert carrier.asterisk.complaints() == []


async def one_call(carrier: Carrier, kind: Kind, status: str, cause: int | None) -> Caller:
    async with Caller(number_of(kind), carrier.sip_port) as caller:
        await caller.hears(status, within_s=60)
        if cause is None:
            caller.bye()
        elif status == "200":
            await caller.hears("BYE", within_s=60)
    return caller


def compare(kind: Kind, caller: Caller, noted: CarrierCall, status: str) -> None:
    assert ("183" in caller.heard) == (kind is Kind.SUSPENDED), kind
    assert ("180" in caller.heard) == (noted.ringing is not None), kind
    if noted.ringing is not None:
        rang, answered = caller.heard["180"], caller.heard[status]
        assert rang > noted.behaviour.first_ring_s - 0.1, kind
        assert noted.ring_s == pytest.approx(answered - rang, abs=SLOW_S), kind


async def test_nobody_answers_until_the_caller_gives_up_and_the_ring_is_measured(
    carrier: Carrier,
) -> None:
    async with Caller(number_of(Kind.NEVER_ANSWERS), carrier.sip_port) as caller:
        rang = await caller.hears("180")
        await asyncio.sleep(2.0)
        caller.cancel()
        gave_up = await caller.hears("487")
        assert "200" not in caller.heard
    await ended(carrier)
    (noted,) = carrier.ledger.calls
    assert noted.ring_s > 1.5
    assert noted.ring_s == pytest.approx(gave_up - rang, abs=SLOW_S)
    assert noted.rang_until_at == THURSDAY_EVENING


async def test_an_answering_machine_greets_and_records_until_the_caller_hangs_up(
    carrier: Carrier,
) -> None:
    async with Caller(number_of(Kind.MACHINE), carrier.sip_port) as caller:
        await caller.hears("200", within_s=60)
        async with asyncio.timeout(30):
            while not list(carrier.recordings.glob("*.wav")):
                await asyncio.sleep(0.05)
        assert "BYE" not in caller.heard
        caller.bye()
    await ended(carrier)
    (noted,) = carrier.ledger.calls
    assert noted.recorded_s == 0.0  # the bare caller sends no audio


async def test_a_second_call_to_a_number_that_has_one_is_noticed(carrier: Carrier) -> None:
    number = number_of(Kind.NEVER_ANSWERS)
    async with Caller(number, carrier.sip_port) as first:
        await first.hears("180")
        assert carrier.ledger.called_twice_at_once == 0
        async with Caller(f"186{number}", carrier.sip_port) as second:
            await second.hears("180")
            assert carrier.ledger.called_twice_at_once == 1
            second.cancel()
            first.cancel()
            await first.hears("487")
            await second.hears("487")
    await ended(carrier)
    assert [call.nth for call in carrier.ledger.calls] == [1, 2]


async def test_a_hidden_caller_id_is_seen_as_such(carrier: Carrier) -> None:
    async with Caller(number_of(Kind.BUSY), carrier.sip_port, caller_id="anonymous") as caller:
        await caller.hears("486")
    await ended(carrier)
    assert carrier.ledger.calls[0].caller_id == "anonymous"


async def test_the_ledger_is_a_private_file_of_json_lines(carrier: Carrier, tmp_path: Path) -> None:
    async with Caller(number_of(Kind.UNASSIGNED), carrier.sip_port) as caller:
        await caller.hears("404")
    await ended(carrier)
    path = tmp_path / "ledger.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    (line,) = [json.loads(text) for text in path.read_text().splitlines()]
    assert (line["number"], line["kind"]) == (number_of(Kind.UNASSIGNED), "unassigned")

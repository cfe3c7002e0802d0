"""`dialer case …`: one case: the person, why its phones may be called or not, the evidence."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli.cases import standing
from dialer.cli.show import moment, print_json, print_table
from dialer.cli.work import MOMENT, AsJson, installation, now, parse_moment

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from db.results import Past, Recorded
    from db.tables import CaseRow
    from dialer.evidence import CaseEvidence
    from dialer.explain import CaseExplained, PhoneExplained
    from dialer.months import Month

app = typer.Typer(help="One case.")

Reference = Annotated[str, typer.Argument(metavar="REF", help="整理番号.")]
CampaignName = Annotated[
    str | None, typer.Option("--campaign", metavar="NAME", help="Default: the newest month.")
]


@app.command()
def show(
    ctx: typer.Context,
    reference: Reference,
    as_json: AsJson = False,
) -> None:
    """Show a case: the person, the phones, every call. Personal data: mind who looks on."""
    from db import references

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        found = await references.cases_called(session, reference)
        return [await _described(session, case) for case in found]

    rows = installation(ctx).read(work)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        _print_case(row)


@app.command()
def explain(
    ctx: typer.Context,
    reference: Reference,
    campaign: CampaignName = None,
    at: Annotated[
        datetime | None,
        typer.Option("--at", parser=parse_moment, metavar=MOMENT, help="Japan time. Default: now."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say for each phone whether it may be called, with every reason, and when it may be next.

    An earlier moment is explained by what was known then. No names and no numbers.
    """
    from dialer.explain import explained

    asked = at or now()

    async def work(session: AsyncSession) -> CaseExplained:
        row = await _one(session, reference, campaign)
        return await explained(session, row, asked, now())

    found = installation(ctx).read(work)
    if as_json:
        print_json(asdict(found))
    else:
        _print_explained(found)


@app.command()
def evidence(
    ctx: typer.Context,
    reference: Reference,
    campaign: CampaignName = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", dir_okay=False, help="Write it as CSV instead."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what was done for a case and what follows from it, for the city. No names, no numbers."""
    from dialer.months import Months
    from dialer.reports.evidence import (
        CONCLUSION_HEADER,
        COURSE_HEADER,
        case_evidence,
        conclusion_rows,
        course_rows,
        write_case,
    )

    async def work(session: AsyncSession) -> tuple[CaseEvidence, Month]:
        row = await _one(session, reference, campaign)
        months = Months()
        await months.reload(session, now())
        month = months.get(row.campaign_id)
        return await case_evidence(session, row, month), month

    found, month = installation(ctx).read(work)
    tables = (
        (COURSE_HEADER, course_rows(found, month)),
        (CONCLUSION_HEADER, conclusion_rows(found, month)),
    )
    if out is not None:
        write_case(found, month, out)
        print(out)
    elif as_json:
        names = ("course", "conclusions")
        print_json(
            {
                name: [dict(zip(header, row, strict=True)) for row in rows]
                for name, (header, rows) in zip(names, tables, strict=True)
            }
        )
    else:
        for header, rows in tables:
            for row in rows:
                cells = zip(header, row, strict=True)
                print("  ".join(f"{name}={cell}" for name, cell in cells if cell not in (None, "")))


async def _one(session: AsyncSession, reference: str, campaign: str | None) -> CaseRow:
    """The case of this reference in a campaign; None: in its newest month."""
    from db import campaigns, cases, references

    if campaign is None:
        return (await references.cases_called(session, reference))[0]
    month = await campaigns.get(session, campaign)
    return await cases.by_reference(session, month.id, reference)


async def _described(session: AsyncSession, case: CaseRow) -> dict[str, Any]:
    from db import cases, results
    from db.tables import Campaign

    campaign = await session.get_one(Campaign, case.campaign_id)
    return {
        "campaign": campaign.name,
        **standing(case),
        "name": case.name,
        "kana": case.kana,
        "birth_date": case.birth_date,
        "address": case.address,
        "category": case.category,
        "amount_yen": case.amount_yen,
        "note": case.note,
        "phones": [
            {
                "number": phone.number,
                "kind": phone.kind,
                "learned": phone.learned,
                "status": phone.status,
                "counted": phone.counted,
                "weekend_met": phone.weekend_met,
                "due_at": phone.due_at,
            }
            for phone in await cases.phones_of(session, case.id)
        ],
        "calls": [_called(past) for past in await results.past_calls(session, case.id)],
        "callbacks": [
            {"arrived_at": at, **_recorded(recorded)}
            for at, recorded in await results.past_callbacks(session, case.id)
        ],
    }


def _called(past: Past) -> dict[str, Any]:
    return {
        "placed_at": past.placed_at,
        "phone_kind": past.phone_kind.value,
        **_recorded(past.recorded),
    }


def _recorded(recorded: Recorded) -> dict[str, Any]:
    return {
        "outcome": recorded.result.outcome,
        "by": recorded.by,
        "talk_results": list(recorded.talk_results),
        "note": recorded.note,
    }


def _print_case(row: dict[str, Any]) -> None:
    lists = ("phones", "calls", "callbacks")
    print_table(("case", ""), ((key, value) for key, value in row.items() if key not in lists))
    for name in lists:
        if row[name]:
            print_table(tuple(row[name][0]), (tuple(one.values()) for one in row[name]))


def _print_explained(case: CaseExplained) -> None:
    clause = f" ({case.clause})" if case.clause else ""
    print(
        f"case {case.reference}, campaign {case.campaign} ({case.campaign_state}), {moment(case.at)}"
    )
    print(f"status: {case.status}{clause}; attempts left: {case.attempts_left}")
    marks = {
        "stop order": case.stopped_at,
        "paid": case.paid_at,
        "appointment": case.appointment,
        "appointment that cannot be kept": case.noted_appointment,
    }
    for what, when in marks.items():
        if when is not None:
            print(f"{what}: {moment(when)}")
    for missed in case.missed_appointments:
        print(f"appointment missed: {moment(missed)}")
    if case.call_in_flight is not None:
        call = case.call_in_flight
        print(f"a call is in flight: phone {call.phone}, placed {moment(call.placed_at)}")
    for call in case.household_calls:
        print(f"a call to the household: placed {moment(call.placed_at)}")
    for phone in case.phones:
        _print_phone(phone)


def _print_phone(phone: PhoneExplained) -> None:
    learned = ", learned in a call" if phone.learned else ""
    print(f"\nphone {phone.position} ({phone.kind}{learned}): {_answer(phone)}")
    for one in phone.because:
        print(f"  {one.reason}  {one.clause}  {one.sentence}")
    weekend = "met" if phone.weekend_met else "not met yet"
    print(f"  attempts left: {phone.attempts_left}; non-weekday: {weekend}")
    for made in phone.counted:
        kind = "non-weekday" if made.non_weekday else "weekday"
        print(f"  counted: {moment(made.at)} {made.band or 'outside all bands'}, {kind}")
    if phone.planned_from is not None:
        print(f"  planned: {moment(phone.planned_from)}")


def _answer(phone: PhoneExplained) -> str:
    if phone.allowed:
        return "allowed"
    if phone.next_from is None:
        return f"refused, never again: {', '.join(phone.never)}"
    return f"refused, next {moment(phone.next_from)}"

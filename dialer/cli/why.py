"""`dialer why`: why nothing, or so little, is being dialled now."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.cli.service import asked_status
from dialer.cli.show import moment, print_json
from dialer.cli.work import AsJson, Installation, installation, now
from dialer.errors import DatabaseError, ServiceAwayError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from dialer.why import CampaignSeen, DatabaseSeen, Seen, ServiceSeen, Why


def why(
    ctx: typer.Context,
    campaign: Annotated[
        str | None,
        typer.Option("--campaign", metavar="NAME", help="Default: all that are not closed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what keeps calls from being placed now: one answer, then the counts. Works without the service."""
    from dialer.why import why as answer_of

    seen = _look(installation(ctx), campaign)
    answer = answer_of(seen)
    if as_json:
        print_json({**asdict(answer), "seen": asdict(seen)})
    else:
        _print(answer, seen)


def _look(here: Installation, campaign: str | None) -> Seen:
    from dialer.why import Seen
    from dialer.why_seen import database_seen, service_seen

    try:
        status = asked_status(here)
    except ServiceAwayError:
        status = None
    asked = status.now if status else now()

    async def work(session: AsyncSession) -> DatabaseSeen:
        return await database_seen(session, asked, campaign)

    error: str | None = None
    database: DatabaseSeen | None = None
    try:
        database = here.read(work)
    except DatabaseError as failed:
        error = str(failed)
    return Seen(
        now=asked,
        service=service_seen(status) if status else None,
        database=database,
        database_error=error,
    )


def _print(answer: Why, seen: Seen) -> None:
    print(f"{answer.answer.code}: {answer.answer.words}")
    for one in answer.others:
        print(f"also {one.code}: {one.words}")
    if seen.service is not None:
        _print_service(seen.service)
    for campaign in seen.database.campaigns if seen.database else ():
        _print_campaign(campaign)


def _print_service(service: ServiceSeen) -> None:
    operators = ", ".join(f"{count} {state}" for state, count in service.operators.items())
    print(f"operators: {operators or 'none'}; lines: {service.lines_used} of {service.lines}")


def _print_campaign(campaign: CampaignSeen) -> None:
    from dialer.why import RECENT_MIN, reason_counts

    standing, reasons = campaign.standing, campaign.reasons
    cases = ", ".join(f"{count} {status}" for status, count in standing.cases.items())
    print(f"campaign {campaign.name} ({campaign.state}): {cases or 'no cases'}")
    print(
        f"  calls: {standing.in_flight} without a result yet, {standing.placed_recently} placed in "
        f"the last {RECENT_MIN} minutes"
    )
    print(
        f"  phones of open cases: {standing.due} may be called, {standing.engaged} wait for a call "
        f"under way, {standing.later} later, {standing.never} never again"
    )
    if reasons.of:
        print(f"  against a call {_when(campaign, reasons.at)}: {reason_counts(reasons)}")
    if standing.next_due is not None:
        print(f"  the next phone is due {moment(standing.next_due)}")


def _when(campaign: CampaignSeen, at: datetime) -> str:
    return "now" if campaign.closed_by is None else f"at {moment(at)}"

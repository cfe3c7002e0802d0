"""Takes the city's file into a campaign: as a whole or not at all, unless the supervisor says otherwise.

A file that comes again changes nothing; one that comes later with other contents changes the cases
and adds what it says of stops. Who handed over which file and when is kept (§9(3)).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from db import campaigns
from db.campaigns import CampaignState
from db.keys import Keys
from db.session import Sessions
from dialer.errors import ConflictError
from dialer.intake.check import Checked, check
from dialer.intake.faults import Finding
from dialer.intake.reader import read_file, read_sheet
from dialer.intake.taking import Taking, Work
from dialer.months import profile_of
from rules.calendar import JST
from rules.profile import Profile


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What came of a file."""

    taken: bool
    """False: it has faults, and nothing of it was taken in."""
    rows: int
    """Rows of the file, without the header."""
    added: int
    changed: int
    unchanged: int
    refused: int
    """Rows with faults."""
    stopped: int
    """Cases that a stop order holds, from this file or from an earlier month."""
    findings: list[Finding]
    """At most `layout.max_faults`."""
    findings_in_all: int


@dataclass(frozen=True, kw_only=True, slots=True)
class HandOver:
    """A file, and who handed it over."""

    source: Path | bytes
    campaign: str
    handed_by: str
    accept_good: bool = False
    """Take the rows without faults though others have some."""


async def import_file(
    sessions: Sessions, given: HandOver, *, keys: Keys, now: datetime
) -> ImportReport:
    """Check a file and take it in.

    Raises:
        IntakeError: nothing of the file can be used.
        NotFoundError: there is no such campaign.
        ConflictError: the campaign is closed.
        ProfileError: the campaign's profile cannot be used.
    """
    async with sessions.read() as session:
        campaign = await campaigns.get(session, given.campaign)
        profile = await profile_of(session, campaign, now.astimezone(JST).date())
    if campaign.state == CampaignState.CLOSED.value:
        raise ConflictError(f"campaign {campaign.name}: is closed, nothing can be taken in")
    layout = profile.intake
    data = given.source if isinstance(given.source, bytes) else read_file(given.source, layout)
    month = f"{campaign.period_from:%Y-%m}"
    checked = check(
        read_sheet(data, layout, layout.columns), layout, month, now.astimezone(JST).date()
    )
    if checked.refused and not given.accept_good:
        return _report(checked, profile, Work())
    async with sessions.write() as session:
        taking = Taking(session, campaign, given.handed_by, keys, now)
        work = await taking.take(checked, hashlib.sha256(data).hexdigest())
    return _report(checked, profile, work, taken=True)


def _report(checked: Checked, profile: Profile, work: Work, *, taken: bool = False) -> ImportReport:
    findings = sorted([*checked.findings, *work.findings], key=lambda finding: finding.line)
    return ImportReport(
        taken=taken,
        rows=checked.rows,
        added=len(work.added),
        changed=len(work.changed),
        unchanged=work.unchanged,
        refused=checked.refused,
        stopped=len(work.stopped),
        findings=findings[: profile.intake.max_faults],
        findings_in_all=len(findings),
    )

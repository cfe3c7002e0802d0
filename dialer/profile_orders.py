"""An order to call a campaign by another contract profile from a day on: checked, kept, in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import campaigns, cases, notices, profile_orders
from db.campaigns import CampaignState
from db.notices import NoticeKind
from db.tables import Campaign
from dialer.errors import ConflictError
from dialer.months import profile_of
from dialer.profiles import ProfileText, parsed, read_profile
from dialer.refresh import refresh
from rules.calendar import JST
from rules.profile import Profile


@dataclass(frozen=True, kw_only=True, slots=True)
class Ordered:
    """What came of an order."""

    before: Profile
    """As it was in force on the order's day."""
    after: Profile
    next_day: date | None
    """Until the day before, when an order given earlier takes its place; None: to the end."""


async def order(
    session: AsyncSession,
    campaign_name: str,
    written: ProfileText,
    *,
    from_day: date,
    at: datetime,
    by: str,
) -> Ordered:
    """Keep the order, tell the service, and fold the campaign's cases again.

    Raises:
        NotFoundError: there is no such campaign.
        ProfileError: the profile cannot be used.
        ConflictError: the campaign is closed, the day past or outside its period, the same text in
            force already, or outcomes that may be recorded already are not in the profile.
    """
    after = parsed(written).on(from_day)
    campaign = await campaigns.get(session, campaign_name)
    _check_day(campaign, from_day, at.astimezone(JST).date())
    before = await profile_of(session, campaign, from_day)
    await _check_outcomes(session, campaign, before, after)
    given = await profile_orders.of_campaign(session, campaign.id)
    in_force = [one for one in profile_orders.in_force(given) if one.from_day <= from_day]
    if in_force and in_force[-1].text == written.text:
        raise ConflictError(f"campaign {campaign.name}: on {from_day} it holds already")
    if not given and from_day > campaign.period_from:
        # made by a version that kept no orders: what was in force until now is written down first
        held = read_profile(campaign.profile)
        await profile_orders.add(
            session,
            campaign.id,
            from_day=campaign.period_from,
            name=held.name,
            text=held.text,
            at=at,
            by=by,
        )
    await profile_orders.add(
        session, campaign.id, from_day=from_day, name=written.name, text=written.text, at=at, by=by
    )
    await notices.add(session, NoticeKind.CAMPAIGN, at=at, by=by)
    await refresh(session, await cases.ids(session, campaign.id), at)
    later = (one.from_day for one in profile_orders.in_force(given) if one.from_day > from_day)
    return Ordered(before=before, after=after, next_day=next(later, None))


def _check_day(campaign: Campaign, from_day: date, today: date) -> None:
    if campaign.state == CampaignState.CLOSED.value:
        raise ConflictError(f"campaign {campaign.name}: is closed")
    if from_day < today:
        raise ConflictError(f"{from_day}: is past, what happened was judged already; use {today}")
    if not campaign.period_from <= from_day <= campaign.period_to:
        period = f"{campaign.period_from} to {campaign.period_to}"
        raise ConflictError(f"campaign {campaign.name}: {from_day} is not in its period, {period}")


async def _check_outcomes(
    session: AsyncSession, campaign: Campaign, before: Profile, after: Profile
) -> None:
    """What is recorded must stay known, also what is recorded before the change is in force."""
    known = await profile_orders.outcomes_used(session, campaign.id)
    if campaign.state != CampaignState.DRAFT.value:
        known |= before.outcomes.keys()
    gone = sorted(known - after.outcomes.keys())
    if gone:
        raise ConflictError(
            f"profile {after.name}: outcomes {', '.join(gone)} are missing and may be recorded "
            "already; keep them, with `by: []` nobody can choose them any more"
        )

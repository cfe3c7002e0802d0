"""The campaigns with the profile and calendar they are called by, kept in memory and reread when a
notice says that something changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import campaigns, profile_orders
from db.campaigns import CampaignState
from db.tables import Campaign
from dialer.calendar import campaign_calendar
from dialer.errors import NotFoundError
from dialer.profiles import ProfileText, load_profile, parsed
from rules.calendar import JST, Calendar
from rules.profile import Profile, in_succession


@dataclass(frozen=True, kw_only=True, slots=True)
class Month:
    """One campaign, ready for the rules."""

    id: int
    name: str
    state: CampaignState
    profile: Profile
    """As it is in force on the day of the last reload; it knows every other day's form."""
    calendar: Calendar


async def profile_of(session: AsyncSession, campaign: Campaign, day: date) -> Profile:
    """The profile a campaign is called by on a day: the texts ordered for it, each from its day on.

    Raises:
        ProfileError: a text cannot be used.
    """
    orders = profile_orders.in_force(await profile_orders.of_campaign(session, campaign.id))
    if not orders:  # made by a version that kept no orders
        return load_profile(campaign.profile, day)
    texts = [(order.from_day, parsed(ProfileText(order.name, order.text))) for order in orders]
    return in_succession(texts).on(day)


async def month_named(session: AsyncSession, name: str, now: datetime) -> Month:
    """One campaign as it is at this moment.

    Raises:
        NotFoundError: there is none of this name.
        ProfileError: its profile cannot be used.
    """
    row = await campaigns.get(session, name)
    return await _month(session, row, now.astimezone(JST).date())


class Months:
    """All campaigns that are not closed, and those that were asked for."""

    def __init__(self) -> None:
        self._months: dict[int, Month] = {}
        self.day: date | None = None
        """The day of the last reload, in Japan: the profiles are as in force on it."""

    async def reload(self, session: AsyncSession, now: datetime) -> None:
        """Read all campaigns anew.

        Raises:
            ProfileError: a campaign's profile cannot be used.
        """
        day = now.astimezone(JST).date()
        rows = await campaigns.all_campaigns(session)
        self._months = {row.id: await _month(session, row, day) for row in rows}
        self.day = day

    def get(self, campaign_id: int) -> Month:
        """The campaign.

        Raises:
            NotFoundError: there is none with this id.
        """
        try:
            return self._months[campaign_id]
        except KeyError:
            raise NotFoundError(f"campaign {campaign_id}: does not exist") from None

    def profile(self, campaign_id: int) -> Profile:
        """The profile in force for the campaign."""
        return self.get(campaign_id).profile

    def all(self) -> list[Month]:
        """All campaigns, oldest first."""
        return list(self._months.values())

    def running(self) -> list[Month]:
        """Those that are called now, oldest first."""
        return [m for m in self._months.values() if m.state is CampaignState.RUNNING]


async def _month(session: AsyncSession, row: Campaign, day: date) -> Month:
    profile = await profile_of(session, row, day)
    excluded = await campaigns.excluded_days(session, row.id)
    return Month(
        id=row.id,
        name=row.name,
        state=CampaignState(row.state),
        profile=profile,
        calendar=campaign_calendar(row.period_from, row.period_to, excluded, profile),
    )

"""The campaigns with the profile and calendar they are called by, kept in memory and reread when a
notice says that something changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import campaigns
from db.campaigns import CampaignState
from dialer.calendar import campaign_calendar
from dialer.errors import NotFoundError
from dialer.profiles import load_profile
from rules.calendar import JST, Calendar
from rules.profile import Profile


@dataclass(frozen=True, kw_only=True, slots=True)
class Month:
    """One campaign, ready for the rules."""

    id: int
    name: str
    state: CampaignState
    profile: Profile
    calendar: Calendar


class Months:
    """All campaigns that are not closed, and those that were asked for."""

    def __init__(self) -> None:
        self._months: dict[int, Month] = {}
        self._profiles: dict[tuple[str, date], Profile] = {}

    async def reload(self, session: AsyncSession, now: datetime) -> None:
        """Read all campaigns anew."""
        day = now.astimezone(JST).date()
        self._months = {
            row.id: Month(
                id=row.id,
                name=row.name,
                state=CampaignState(row.state),
                profile=profile,
                calendar=campaign_calendar(
                    row.period_from,
                    row.period_to,
                    await campaigns.excluded_days(session, row.id),
                    profile,
                ),
            )
            for row in await campaigns.all_campaigns(session)
            for profile in [self._profile(row.profile, day)]
        }

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

    def _profile(self, name: str, day: date) -> Profile:
        key = (name, day)
        if key not in self._profiles:
            self._profiles[key] = load_profile(name, day)
        return self._profiles[key]

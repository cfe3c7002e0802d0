"""In place of planning, where a test is about something else: phones are due as the rules say."""

from __future__ import annotations

from datetime import datetime


async def without_plan(campaign: str, now: datetime) -> None:
    """Plans nothing."""

"""Which number of the pool is shown to the called (rule 13), by the schedule kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import caller_ids
from dialer.errors import ConflictError
from rules.profile import Profile


class CallerIds:
    """The pool of the settings, and the changes ordered."""

    def __init__(self, pool: Sequence[str]) -> None:
        """
        Args:
            pool: at least one number; the first is shown until a change is ordered.
        """
        self._pool = tuple(pool)
        self._changes: list[tuple[datetime, str]] = []

    async def reload(self, session: AsyncSession) -> None:
        """Read the schedule anew.

        A number that left the pool is passed over: nobody would take its callbacks.
        """
        self._changes = [
            (moment, number)
            for moment, number in await caller_ids.standing(session)
            if number in self._pool
        ]

    def at(self, moment: datetime) -> str:
        """The number in force at a moment."""
        begun = [number for since, number in self._changes if since <= moment]
        return begun[-1] if begun else self._pool[0]


def check_number(number: str, pool: Sequence[str], profile: Profile) -> None:
    """Refuse a number that may not be shown.

    Raises:
        ConflictError: it is not in the pool (§11(2)イ), or of a kind the contract refuses (§11(2)ウ).
    """
    if number not in pool:
        raise ConflictError(
            f"{number}: not in caller_id.pool, so nobody would take its callbacks; "
            "add it there, render the configuration and restart the service first"
        )
    if number.startswith(profile.forbidden_caller_ids):
        raise ConflictError(f"{number}: of a kind the contract refuses (§11(2)ウ)")

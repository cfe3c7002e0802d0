"""What follows from the end of a callback, written with it: a message is taken, and who reached nobody is to
be called."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from db import callbacks, cases
from dialer.ledger import CallbackEnd
from dialer.months import Months


class CallbackEnds:
    """Settles ended callbacks; again changes nothing."""

    def __init__(self, months: Months) -> None:
        self._months = months

    async def settle(self, session: AsyncSession, ended: list[CallbackEnd]) -> None:
        """Write down what follows from these ends; after a talk the operator says what came of it."""
        for one in ended:
            callback = one.callback
            assert callback.ended_at is not None
            if callback.message_s is not None:
                await callbacks.add_message(
                    session,
                    callback.id,
                    file=f"{callback.id}.wav",
                    seconds=callback.message_s,
                    at=callback.ended_at,
                )
            if not callback.talked:
                await self._not_reached(session, one)
        await callbacks.finish(session, (e.callback.id for e in ended if not e.callback.talked))

    async def _not_reached(self, session: AsyncSession, ended: CallbackEnd) -> None:
        """They are to be called: at once if they asked for it, else when the rules next allow it."""
        at = ended.callback.ended_at
        assert at is not None
        place = None
        if ended.number_key is not None:
            place = await callbacks.place_of(session, ended.number_key)
        asked = ended.callback.asked_back
        new = await callbacks.not_reached(session, ended.callback.id, place, at=at, asked=asked)
        if new and place is not None:
            month = self._months.get(place.campaign_id)
            await cases.refresh(session, [place.case_id], month.profile, month.calendar, at)

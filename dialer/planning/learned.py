"""What our own calls taught of answering: tallies of this month, and sums kept of earlier ones (rule 15)."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from db import answer_sums
from db.answer_sums import Made, Outcome
from db.tables import AnswerSum
from dialer.months import Month
from dialer.planning.priors import LATER_CALL_ODDS
from dialer.planning.rates import Cell, Rates, Tally, learn
from rules.calendar import JST
from rules.case import PhoneKind, Result, Scope
from rules.outcome import Counted, Effect, effect_of, is_contact
from rules.profile import Profile

LONGEST_HANDLING_S = 1800.0
"""Seconds of talk and after-call work of one attempt that are believed: a result that was saved the
next day says nothing of the work it took."""


async def rates_of(session: AsyncSession, month: Month) -> Rates:
    """What is believed of a month's attempts still to be made."""
    own = await own_tallies(session, month)
    return learn(own, await earlier_tallies(session, month), month.profile)


async def own_tallies(session: AsyncSession, month: Month) -> dict[Cell, Tally]:
    """The month's counted attempts, by their results as last corrected."""
    bands = list(_bands(month))
    alike: dict[_Alike, _Sums] = defaultdict(_Sums)
    for key, attempt in _counted(await answer_sums.made(session, month.id), bands, month):
        alike[key].add(attempt)
    found: dict[Cell, Tally] = defaultdict(Tally)
    for key, sums in alike.items():
        band = bands[key.band]
        cell = Cell(band.name, band.non_weekday, PhoneKind(key.kind), key.ordinal)
        found[cell] += _tally(key.outcome, sums, month.profile)
    return dict(found)


async def earlier_tallies(session: AsyncSession, month: Month) -> dict[Cell, Tally]:
    """What is kept of all other months together."""
    found: dict[Cell, Tally] = defaultdict(Tally)
    for row in await answer_sums.of_other_months(session, month.name):
        cell = Cell(row.band, row.non_weekday, PhoneKind(row.kind), row.ordinal)
        found[cell] += Tally(
            row.attempts, row.contacts, row.ended, row.closed, row.ring_s, row.handling_s
        )
    return dict(found)


async def keep_sums(session: AsyncSession, month: Month) -> None:
    """Keep the sums of a month for the months to come: when it is closed, and again before its cases
    are erased, since results may have been corrected in between. Again changes nothing.

    A month without counted attempts (or one whose attempts are erased already) is left as it is kept.
    """
    tallies = await own_tallies(session, month)
    if tallies:
        rows = [_row(month.name, cell, tally) for cell, tally in tallies.items()]
        await answer_sums.replace(session, month.name, rows)


class _Band(NamedTuple):
    """One band of one day of the period."""

    starts: datetime
    ends: datetime
    name: str
    non_weekday: bool


class _Alike(NamedTuple):
    """Attempts that are summed up together."""

    band: int
    """Index of the `_Band`."""
    kind: str
    ordinal: int
    outcome: Outcome


@dataclass(slots=True)
class _Sums:
    attempts: int = 0
    ring_s: float = 0.0
    handling_s: float = 0.0

    def add(self, attempt: Made) -> None:
        self.attempts += 1
        self.ring_s += attempt.ring_s
        self.handling_s += min(attempt.handling_s, LONGEST_HANDLING_S)


def _bands(month: Month) -> Iterator[_Band]:
    """In order of time, in UTC: the database's moments are quickest compared with such."""
    calendar = month.calendar
    for number in range((calendar.period_to - calendar.period_from).days + 1):
        day = calendar.period_from + timedelta(days=number)
        for band in sorted(month.profile.on(day).bands, key=lambda band: band.starts):
            starts, ends = (
                datetime.combine(day, clock, JST).astimezone(UTC)
                for clock in (band.starts, band.ends)
            )
            yield _Band(starts, ends, band.name, calendar.is_non_weekday(day))


def _counted(
    attempts: Iterable[Made], bands: Sequence[_Band], month: Month
) -> Iterator[tuple[_Alike, Made]]:
    """Those that count and lie in a band (a result of paper may not); `attempts` in order of time."""
    starts = [band.starts for band in bands]
    used, tries = Counter[int](), Counter[tuple[int, date]]()
    for attempt in attempts:
        day, phone = attempt.placed_at.astimezone(JST).date(), attempt.phone_id
        profile = month.profile.on(day)
        counted = profile.outcomes[attempt.outcome.code].counted
        if counted is Counted.NO:
            continue
        if counted is Counted.LAST_TRY:
            tries[phone, day] += 1
            if tries[phone, day] % profile.busy_tries:
                continue
        used[phone] += 1
        band = bisect_right(starts, attempt.placed_at) - 1
        if band >= 0 and attempt.placed_at < bands[band].ends:
            ordinal = min(used[phone], len(LATER_CALL_ODDS))
            yield _Alike(band, attempt.kind, ordinal, attempt.outcome), attempt


def _tally(outcome: Outcome, sums: _Sums, profile: Profile) -> Tally:
    rule = profile.outcomes[outcome.code]
    scope = Scope(outcome.scope) if outcome.scope else None
    result = Result(outcome=outcome.code, same_household=outcome.same_household, scope=scope)
    contact, effect = is_contact(rule, result), effect_of(rule, scope)
    return Tally(
        attempts=sums.attempts,
        contacts=sums.attempts if contact else 0,
        ended=sums.attempts if contact and effect is Effect.COMPLETE else 0,
        closed=sums.attempts if not contact and effect is Effect.CLOSE_PHONE else 0,
        ring_s=sums.ring_s,
        handling_s=sums.handling_s,
    )


def _row(month: str, cell: Cell, tally: Tally) -> AnswerSum:
    return AnswerSum(
        month=month,
        band=cell.band,
        non_weekday=cell.non_weekday,
        kind=cell.kind.value,
        ordinal=cell.ordinal,
        attempts=tally.attempts,
        contacts=tally.contacts,
        ended=tally.ended,
        closed=tally.closed,
        ring_s=round(tally.ring_s),
        handling_s=round(tally.handling_s),
    )

"""One simulated month: operators who call whoever is next, second by second, by the real rules.

Progressive pacing: an operator is kept free from originating on. What is called next is decided by a way
of calling (`scripts.months.ways`); whether it may be called, by `rules.eligibility` alone.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from dialer.planning import priors
from dialer.planning.rates import Cell, Tally
from dialer.planning.slots import Roster, Slot, slots_from
from rules.calendar import JST, Calendar
from rules.case import AttemptMade, CaseState, CaseStatus, Fact, Id, Result
from rules.eligibility import HouseholdActivity, may_call, next_from
from rules.history import state_of
from rules.hours import band_of
from rules.profile import Profile
from scripts.months.world import Callees, Person, Told

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Standing:
    """A case in mid-month."""

    person: Person
    state: CaseState
    facts: list[Fact] = field(default_factory=list)
    contacted_at: datetime | None = None
    in_flight: bool = False


class Way(Protocol):
    """A way of calling: who is due when, and in which order."""

    def hour_begins(self, month: Month, now: datetime) -> bool:
        """An hour begins: time to think. True: turns may have changed."""

    def turn(self, standing: Standing, phone: Id, now: datetime) -> tuple[datetime | None, Any]:
        """From when on the phone is due (None: never), and its rank; the lowest goes first."""


@dataclass(frozen=True, slots=True)
class Made:
    """One attempt of the month."""

    at: datetime
    case: Id
    phone: Id
    told: Told


class Month:
    """The month as it goes."""

    def __init__(
        self,
        people: Sequence[Person],
        calendar: Calendar,
        profile: Profile,
        roster: Roster,
        callees: Callees,
        way: Way,
    ) -> None:
        self.calendar, self.profile, self.roster = calendar, profile, roster
        self.standings = [
            Standing(person, state_of(person.case, [], profile, calendar)) for person in people
        ]
        self.made: list[Made] = []
        self.tallies: dict[Cell, Tally] = defaultdict(Tally)
        self._kinds = {phone.id: phone for one in people for phone in one.case.phones}
        self._callees, self._way = callees, way
        self._households: dict[int, list[Standing]] = defaultdict(list)
        for standing in self.standings:
            self._households[standing.person.household].append(standing)
        self._waiting: list[tuple[datetime, int, Id, Standing]] = []
        self._ready: list[tuple[Any, int, Id, Standing]] = []
        self._endings: list[tuple[datetime, int, Standing, Made]] = []
        self._busy_until: dict[int, datetime] = {}
        self._turns: dict[Id, int] = {}
        self._serial = 0

    def run(self, since: datetime = _BEGINNING, until: datetime = _END) -> None:
        """Live through the period, or through its hours from `since` to before `until`."""
        begin = datetime.combine(self.calendar.period_from, datetime.min.time(), JST)
        for slot in slots_from(begin, self.calendar, self.profile, self.roster):
            for hour in _hours_of(slot, self.roster):
                if since <= hour.starts_at < until:
                    self._call_through(hour)
        self._end_calls(until)

    def contacted(self, since: datetime | None = None) -> int:
        """Cases with a contact."""
        moments = (standing.contacted_at for standing in self.standings)
        return sum(at is not None and (since is None or at >= since) for at in moments)

    def _call_through(self, hour: _Hour) -> None:
        """Everything that is begun in one hour; talks may end after it."""
        self._end_calls(hour.starts_at)
        if self._way.hour_begins(self, hour.starts_at):
            self._line_up(self.standings, hour.starts_at)
        free = [
            (max(self._busy_until.get(number, hour.starts_at), hour.starts_at), number)
            for number in range(hour.operators)
        ]
        heapq.heapify(free)
        while free:
            now, operator = heapq.heappop(free)
            if now >= hour.ends_at:
                continue
            self._end_calls(now)
            found = self._next(now)
            if found is not None:
                self._busy_until[operator] = self._place(*found, now)
                heapq.heappush(free, (self._busy_until[operator], operator))
            elif (wake := self._wake_at(now)) is not None:
                heapq.heappush(free, (wake, operator))

    def _end_calls(self, until: datetime) -> None:
        while self._endings and self._endings[0][0] <= until:
            ends, _serial, standing, made = heapq.heappop(self._endings)
            self._end(ends, standing, made)

    def _wake_at(self, now: datetime) -> datetime | None:
        """When an idle operator looks again."""
        moments = [ending[0] for ending in self._endings]
        if self._waiting:
            moments.append(self._waiting[0][0])
        later = [moment for moment in moments if moment > now]
        return min(later) if later else None

    def _next(self, now: datetime) -> tuple[Standing, Id] | None:
        while self._waiting and self._waiting[0][0] <= now:
            _due, turn, phone, standing = heapq.heappop(self._waiting)
            if self._turns[phone] == turn:
                rank = self._way.turn(standing, phone, now)[1]
                heapq.heappush(self._ready, (rank, turn, phone, standing))
        while self._ready:
            _rank, turn, phone, standing = heapq.heappop(self._ready)
            if self._turns[phone] != turn or standing.in_flight:
                continue
            household = self._household(standing)
            if may_call(standing.state, phone, now, self.calendar, self.profile, household).allowed:
                return standing, phone
            self._put_off(standing, phone, now, household)
        return None

    def _put_off(
        self, standing: Standing, phone: Id, now: datetime, household: HouseholdActivity
    ) -> None:
        """Refused at the last look; one whose household is being called is asked a little later."""
        due = next_from(standing.state, phone, now, self.calendar, self.profile, household)
        if due is not None:
            self._wait(standing, phone, max(due, now + timedelta(seconds=60)))

    def _household(self, standing: Standing) -> HouseholdActivity:
        others = [
            other for other in self._households[standing.person.household] if other is not standing
        ]
        moments = [
            fact.at for other in others for fact in other.facts if isinstance(fact, AttemptMade)
        ]
        return HouseholdActivity(
            last_at=max(moments, default=None), in_flight=any(other.in_flight for other in others)
        )

    def _place(self, standing: Standing, phone: Id, now: datetime) -> datetime:
        """Call; returns when the operator is free again."""
        standing.in_flight = True
        before = [
            fact for fact in standing.facts if isinstance(fact, AttemptMade) and fact.phone == phone
        ]
        counted = len(standing.state.phones[phone].counted)
        told = self._callees.call(standing.person, self._kinds[phone], now, counted, len(before))
        made = Made(now, standing.person.case.id, phone, told)
        self.made.append(made)
        ends = now + timedelta(seconds=priors.SETUP_S + told.ring_s + told.handling_s)
        self._serial += 1
        heapq.heappush(self._endings, (ends, self._serial, standing, made))
        return ends

    def _end(self, ends: datetime, standing: Standing, made: Made) -> None:
        told = made.told
        counted = len(standing.state.phones[made.phone].counted)
        result = Result(outcome=told.outcome, script_finished=told.script_finished)
        ring_s = told.ring_s if told.outcome == "no_answer" else None
        standing.facts.append(
            AttemptMade(at=made.at, phone=made.phone, result=result, ring_s=ring_s)
        )
        standing.state = state_of(standing.person.case, standing.facts, self.profile, self.calendar)
        standing.in_flight = False
        if told.contact and standing.contacted_at is None:
            standing.contacted_at = made.at
        if len(standing.state.phones[made.phone].counted) > counted:
            self._tally(made, counted)
        self._line_up([standing], ends)

    def _tally(self, made: Made, counted_before: int) -> None:
        band = band_of(made.at, self.profile)
        assert band is not None
        cell = Cell(
            band,
            self.calendar.is_non_weekday(made.at.astimezone(JST).date()),
            self._kinds[made.phone].kind,
            min(counted_before, 2) + 1,
        )
        told = made.told
        self.tallies[cell] += Tally(
            1, told.contact, told.ended, told.closed, told.ring_s, told.handling_s
        )

    def _line_up(self, standings: Iterable[Standing], now: datetime) -> None:
        for standing in standings:
            if standing.in_flight or standing.state.status is not CaseStatus.OPEN:
                continue
            for phone in standing.state.phones:
                due = self._way.turn(standing, phone, now)[0]
                if due is not None:
                    self._wait(standing, phone, due)

    def _wait(self, standing: Standing, phone: Id, due: datetime) -> None:
        self._serial += 1
        self._turns[phone] = self._serial
        heapq.heappush(self._waiting, (due, self._serial, phone, standing))


@dataclass(frozen=True, slots=True)
class _Hour:
    """An hour of a band, or what of it is in the band."""

    starts_at: datetime
    ends_at: datetime
    operators: int


def _hours_of(slot: Slot, roster: Roster) -> Iterator[_Hour]:
    starts = slot.starts_at
    while starts < slot.ends_at:
        ends = min(starts.replace(minute=0, second=0) + timedelta(hours=1), slot.ends_at)
        seconds = (ends - starts).total_seconds()
        yield _Hour(starts, ends, round(roster.operator_s(starts, ends) / seconds))
        starts = ends

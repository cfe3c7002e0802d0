"""A recorded day played again: as it was, to see whether the simulator is right about it, then otherwise.

What was recorded (calls, and what operators did) → a `World` that draws from it → simulated days beside the
recorded one.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import cycle, islice, pairwise

from db.recorded_day import RecordedCall
from db.seat_changes import SeatMove
from dialer.errors import ConflictError
from dialer.simulation.day import Day
from dialer.simulation.recorded import Recorded
from dialer.simulation.shifts import Break, Shift
from dialer.simulation.table import mean_of
from dialer.simulation.worlds import MACHINES_PRIOR, World
from dialer.who_answered import Answerer, who_answered
from rules.call_outcome import ABANDONED
from rules.operator_state import State
from rules.pacing.estimates import Estimates
from rules.pacing.snapshot import Mode, Terms

LEAST_ANSWERS = 30
"""Persons who answered and talked; with fewer nothing can be said of a day."""
_AT_WORK = frozenset({State.TALKING, State.AFTER_CALL_WORK})
_LOGGED_IN = _AT_WORK | {State.FREE, State.RINGING_FOR}
_ODDS_AT_MOST = 8.0
"""Of the logarithm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What a day came to, from its first call to its last. Shares 0-1."""

    operators: float
    """Logged in, on average."""
    placed: float
    connected: float
    abandoned: float
    abandoned_share: float
    """Abandoned ÷ (abandoned + connected)."""
    utilisation: float
    """(talk + after-call work with persons) ÷ logged-in time."""
    machines: float
    """Share of the logged-in time taken by machines."""
    wait_s: float
    """From answer to operator, on average of those connected."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over many simulated days, not below 0."""

    mean: float
    low: float
    """A single day is between `low` and `high` with 95 % probability."""
    high: float


class RecordedDay:
    """A day's calls and operators, from its first call to its last."""

    def __init__(
        self, calls: Sequence[RecordedCall], moves: Sequence[SeatMove], after_call_limit_s: float
    ) -> None:
        """
        Args:
            calls: of the whole day, in order of time.
            moves: of all operators, since the day began, in order of time.
            after_call_limit_s: an operator who saves a result later was on a pause meanwhile.

        Raises:
            ConflictError: too few persons answered to tell anything.
        """
        self._calls = calls
        self._limit_s = after_call_limit_s
        self._persons = [call for call in calls if _who(call) is Answerer.PERSON]
        self._machines = [call for call in calls if _who(call) is Answerer.MACHINE]
        self._nobody = [call for call in calls if _who(call) is Answerer.NOBODY]
        self._work = [one for call in self._persons if (one := self._worked(call)) is not None]
        if len(self._work) < LEAST_ANSWERS:
            raise ConflictError(
                f"only {len(self._work)} persons were talked to and recorded on that day: "
                f"at least {LEAST_ANSWERS} are needed to play it again"
            )
        self._from = calls[0].placed_at
        self.length_s = max(1.0, (calls[-1].placed_at - self._from).total_seconds())
        by_operator: dict[str, list[SeatMove]] = {}
        for move in moves:
            by_operator.setdefault(move.operator_id, []).append(move)
        self._operators = [moved for _, moved in sorted(by_operator.items())]

    def figures(self) -> Figures:
        """What the day came to."""
        logged_in_s = sum(end - begin for begin, end in self._spans(_LOGGED_IN))
        at_work_s = sum(end - begin for begin, end in self._spans(_AT_WORK))
        machines_s = sum(self._kept_by_machine())
        joined = [call for call in self._calls if call.talk_from is not None]
        abandoned = sum(call.outcome == ABANDONED for call in self._calls)
        waits = [_seconds(call.answered_at, call.talk_from) for call in joined]
        return Figures(
            operators=logged_in_s / self.length_s,
            placed=len(self._calls),
            connected=len(joined),
            abandoned=abandoned,
            abandoned_share=abandoned / max(1, abandoned + len(joined)),
            utilisation=max(0.0, at_work_s - machines_s) / max(1.0, logged_in_s),
            machines=machines_s / max(1.0, logged_in_s),
            wait_s=statistics.fmean(waits),
        )

    def world(self, terms: Terms, lines: int) -> World:
        """The day as a world to simulate.

        Raises:
            ConflictError: operators asked for each call themselves, or none is on record.
        """
        if terms.mode is Mode.PREVIEW:
            raise ConflictError("operators asked for each call themselves (preview) on that day")
        shifts = tuple(one for moved in self._operators if (one := self._shift(moved)) is not None)
        if not shifts:
            raise ConflictError("what operators did is not on record for that day")
        believed, happened = self._answered()
        machines = len(self._machines)
        return World(
            operators=len(shifts),
            hours=self.length_s / 3600,
            chance=believed,
            chances=((0.0, happened), (1.0, happened)),
            chances_known=True,
            machine=machines / max(1, machines + len(self._nobody)),
            busy=0.0,
            detection=False,
            lines=lines,
            terms=terms,
            priors=self._learned(),
            recorded=Recorded(
                chances=self._chances(),
                ring_s=tuple(_rang_s(call) for call in self._persons),
                machine_ring_s=tuple(_rang_s(call) for call in self._machines) or (0.0,),
                machine_talk_s=tuple(self._kept_by_machine()) or (0.0,),
                unanswered_s=tuple(_lasted_s(self._nobody)) or (0.0,),
                work_s=tuple(self._work),
                shifts=shifts,
            ),
        )

    # calls -----------------------------------------------------------------------------------------

    def _worked(self, call: RecordedCall) -> tuple[float, float] | None:
        """Talk and after-call work; None: nobody talked, or it is not recorded yet."""
        if call.talk_s is None or call.saved_at is None:
            return None
        work_s = _seconds(call.ended_at, call.saved_at)
        return call.talk_s, min(max(0.0, work_s), self._limit_s)

    def _kept_by_machine(self) -> Iterator[float]:
        for call in self._machines:
            until = call.message_from or call.saved_at or call.ended_at
            if call.talk_from is not None and until is not None:
                yield max(0.0, _seconds(call.talk_from, until))

    def _chances(self) -> tuple[float, ...]:
        """In the order of the day; a call of which nothing was believed has the mean of the others."""
        known = [call.chance for call in self._calls if call.chance is not None]
        mean = statistics.fmean(known) if known else self._share_answered()
        return tuple(mean if call.chance is None else call.chance for call in self._calls)

    def _answered(self) -> tuple[float, float]:
        """The mean chance that was believed, and what it must be for as many persons to answer as did."""
        chances = [min(max(chance, 1e-6), 1 - 1e-6) for chance in self._chances()]
        believed = statistics.fmean(chances)
        low, high = -_ODDS_AT_MOST, _ODDS_AT_MOST
        for _ in range(40):
            middle = (low + high) / 2
            moved = statistics.fmean(_moved(chance, middle) for chance in chances)
            low, high = (middle, high) if moved < self._share_answered() else (low, middle)
        return believed, _moved(believed, (low + high) / 2)

    def _share_answered(self) -> float:
        told = len(self._persons) + len(self._machines) + len(self._nobody)
        return len(self._persons) / told

    def _learned(self) -> Estimates:
        """What pacing believes after such a day: what it had believed before is not on record."""
        learned = Estimates(machine=MACHINES_PRIOR)
        for call in self._calls:
            learned = self._after(learned, call)
        return learned

    def _after(self, known: Estimates, call: RecordedCall) -> Estimates:
        who = _who(call)
        if who is None:
            return known
        known = replace(known, chance=known.chance.seen(who is Answerer.PERSON))
        if who is not Answerer.PERSON:
            known = replace(known, machine=known.machine.seen(who is Answerer.MACHINE))
        if who is Answerer.MACHINE:
            known = replace(known, machine_ring=known.machine_ring.seen(_rang_s(call)))
        if who is Answerer.PERSON:
            known = replace(known, ring=known.ring.seen(_rang_s(call)))
            if (worked := self._worked(call)) is not None:
                talk, after_call = known.talk.seen(worked[0]), known.after_call.seen(worked[1])
                known = replace(known, talk=talk, after_call=after_call)
        return known

    # operators -------------------------------------------------------------------------------------

    def _spans(self, states: Iterable[State]) -> list[tuple[float, float]]:
        """When any operator was in one of the states, seconds of the day; those that touch are apart."""
        return [span for moved in self._operators for span in self._spans_of(moved, states)]

    def _spans_of(
        self, moved: Sequence[SeatMove], states: Iterable[State]
    ) -> Iterator[tuple[float, float]]:
        ends = [*(self._second(move.at) for move in moved[1:]), self.length_s]
        for move, end in zip(moved, ends, strict=True):
            begin = self._second(move.at)
            if move.state in states and begin < end:
                yield begin, end

    def _second(self, at: datetime) -> float:
        return min(max(0.0, (at - self._from).total_seconds()), self.length_s)

    def _shift(self, moved: Sequence[SeatMove]) -> Shift | None:
        """The operator's day; None: they took no calls."""
        there = _joined(self._spans_of(moved, _LOGGED_IN))
        if not there:
            return None
        gaps = [(end, begin) for (_, end), (begin, _) in pairwise(there)]
        if there[-1][1] < self.length_s:
            gaps.append((there[-1][1], self.length_s))
        return Shift(there[0][0], tuple(Break(begin, end - begin) for begin, end in gaps))


def with_more(world: World, more: int) -> World:
    """The same day with more operators: copies of those who were there longest."""
    assert world.recorded is not None
    shifts = world.recorded.shifts
    longest = sorted(shifts, key=lambda shift: _there_s(shift, world.end_s), reverse=True)
    shifts = (*shifts, *islice(cycle(longest), more))
    return replace(world, operators=len(shifts), recorded=replace(world.recorded, shifts=shifts))


def with_cap(world: World, cap: float) -> World:
    """The same day paced predictively within this cap."""
    return replace(world, terms=replace(world.terms, mode=Mode.PREDICTIVE, cap=cap))


def simulated_figures(day: Day, world: World) -> Figures:
    """What a simulated day came to, as the recorded one is told."""
    machines = day.machines_s / day.logged_in_s
    return Figures(
        operators=day.logged_in_s / world.end_s,
        placed=day.placed,
        connected=day.connected,
        abandoned=day.abandoned,
        abandoned_share=day.abandoned_share,
        utilisation=day.utilisation,
        machines=machines,
        wait_s=day.waited_s / max(1, day.connected),
    )


def spreads(days: Sequence[Figures]) -> dict[str, Spread]:
    """Each figure over simulated days (two at least), by name."""
    columns = zip(*(asdict(day).items() for day in days), strict=True)
    return {column[0][0]: _spread([value for _, value in column]) for column in columns}


def outside(recorded: Figures, simulated: Mapping[str, Spread]) -> list[str]:
    """Figures in which the recorded day is none of the simulated ones: about one in twenty is by chance.
    Who was there is not among them: it is taken from the record."""
    told = asdict(recorded)
    return [
        name
        for name, one in simulated.items()
        if name != "operators" and not one.low <= told[name] <= one.high
    ]


def table_rows(
    recorded: Figures, simulated: Sequence[Mapping[str, Spread]]
) -> Iterator[tuple[str, ...]]:
    """A row for each figure: its name, the recorded day's, and each kind of simulated days'."""
    for name, value in asdict(recorded).items():
        told, unit = _UNITS[name]
        cells = (
            f"{unit(each[name].mean)} ({unit(each[name].low)} to {unit(each[name].high)})"
            for each in simulated
        )
        yield (told, unit(value), *cells)


_UNITS: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "operators": ("operators", "{:.1f}".format),
    "placed": ("calls placed", "{:.0f}".format),
    "connected": ("connected", "{:.0f}".format),
    "abandoned": ("abandoned", "{:.1f}".format),
    "abandoned_share": ("abandoned share", "{:.2%}".format),
    "utilisation": ("utilisation", "{:.1%}".format),
    "machines": ("with machines", "{:.1%}".format),
    "wait_s": ("wait s", "{:.2f}".format),
}


def _spread(values: Sequence[float]) -> Spread:
    mean = mean_of(values)
    # of one more day, not of the mean: the recorded day is held against it
    half = mean.half * math.sqrt(len(values) + 1)
    return Spread(mean.value, max(0.0, mean.value - half), mean.value + half)


def _who(call: RecordedCall) -> Answerer | None:
    answered = call.answered_at is not None
    return who_answered(call.outcome, answered=answered, talk_s=call.talk_s)


def _rang_s(call: RecordedCall) -> float:
    return _seconds(call.placed_at, call.answered_at)


def _lasted_s(calls: Sequence[RecordedCall]) -> Iterator[float]:
    for call in calls:
        if call.ended_at is not None:
            yield _seconds(call.placed_at, call.ended_at)


def _seconds(since: datetime | None, until: datetime | None) -> float:
    assert since is not None and until is not None
    return (until - since).total_seconds()


def _moved(chance: float, log_odds: float) -> float:
    odds = math.exp(log_odds) * chance / (1 - chance)
    return odds / (1 + odds)


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans in order, those that touch put together."""
    joined: list[tuple[float, float]] = []
    for begin, end in spans:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return joined


def _there_s(shift: Shift, end_s: float) -> float:
    return end_s - shift.from_s - sum(one.length_s for one in shift.breaks)

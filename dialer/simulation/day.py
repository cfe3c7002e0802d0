"""One day, event by event: phones ring, persons answer, operators talk, and pacing is asked each time.

Calling stops at the day's end; calls in flight and persons waiting then are still seen to by the operators
who are there, so that every person who answered is either connected or abandoned, and counted.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice, repeat
from typing import Any

import numpy as np

from dialer.simulation.phones import Phone, phones
from dialer.simulation.shifts import Break, shifts
from dialer.simulation.way import Moment, Way
from dialer.simulation.worlds import World
from rules.pacing.estimates import Estimates
from rules.pacing.snapshot import Activity, CallNow, OperatorNow, Pace, Snapshot, Tick, Today


@dataclass(slots=True)
class Day:
    """What came of a day. Counts; seconds are summed over operators, within the day only."""

    logged_in_s: float = 0.0
    worked_s: float = 0.0
    """Talk and after-call work, also with persons who called back."""
    machines_s: float = 0.0
    """Lost to machines that nothing detected."""
    placed: int = 0
    persons_answered: int = 0
    persons_connected: int = 0
    persons_abandoned: int = 0
    machines_connected: int = 0
    machines_abandoned: int = 0
    callbacks_served: int = 0
    callbacks_lost: int = 0
    waited_s: float = 0.0
    """Of all answers that were connected, from answer to operator."""
    predicted_abandoned: float = 0.0
    """Sum of the chances of finding nobody free, by the way of pacing, of all calls that were answered."""

    @property
    def utilisation(self) -> float:
        """(talk + after-call work) ÷ logged-in time."""
        return self.worked_s / self.logged_in_s if self.logged_in_s else 0.0

    @property
    def idle(self) -> float:
        """Share of the logged-in time in which operators wait."""
        return (
            1 - self.utilisation - self.machines_s / self.logged_in_s if self.logged_in_s else 0.0
        )

    @property
    def connected(self) -> int:
        """Answers joined to an operator, as the service counts them: an undetected machine is one."""
        return self.persons_connected + self.machines_connected

    @property
    def abandoned(self) -> int:
        """Answers that found nobody free within the patience, as the service counts them."""
        return self.persons_abandoned + self.machines_abandoned

    @property
    def abandoned_share(self) -> float:
        """Abandoned ÷ (abandoned + connected) of all answers; what the cap is about."""
        return _share(self.abandoned, self.connected)

    @property
    def persons_abandoned_share(self) -> float:
        """The same of persons only, whom without detection nobody can tell beforehand."""
        return _share(self.persons_abandoned, self.persons_connected)


def run_day(world: World, seed: int, way: Way) -> Day:
    """Simulate one day.

    Args:
        seed: of everything drawn; the same world and seed have the same phones, operators and callbacks.
        way: asked at every event about now and the ticks until the next.
    """
    return _Running(world, seed, way).run()


def _share(part: int, rest: int) -> float:
    return part / (part + rest) if part else 0.0


class _Kind(Enum):
    PERSON = 1
    MACHINE = 2
    CALLBACK = 3


@dataclass(slots=True, eq=False)
class _Call:
    """A call in flight."""

    number: int
    now: CallNow
    phone: Phone
    miss: float


@dataclass(slots=True, eq=False)
class _Caller:
    """Somebody on the line, waiting for an operator or talking."""

    kind: _Kind
    since_s: float
    phone: Phone
    call: _Call | None


class _Running:
    def __init__(self, world: World, seed: int, way: Way) -> None:
        self._world = world
        self._way = way
        self._day = Day()
        self._estimates: Estimates = world.priors
        self._news: list[Callable[[Estimates], Estimates]] = []
        """What was seen since somebody asked what is believed."""
        self._now = 0.0
        self._events: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self._count = 0
        ticks = (tick * world.tick_s for tick in range(math.ceil(world.end_s / world.tick_s)))
        self._regular = [*ticks, math.inf]
        """When pacing is asked if nothing happens, of the whole day."""
        self._next = 0
        """Of them, the next."""

        of_phones, of_callers, of_inbound, of_shifts = (
            np.random.default_rng([seed, stream]) for stream in range(4)
        )
        self._phones = phones(world, of_phones)
        self._callers = phones(world, of_callers)
        self._inbound = of_inbound
        self._shifts = shifts(world, of_shifts)
        self._window = list(islice(self._phones, world.candidates))

        self._end = world.end_s
        self._callbacks_per_s = world.callbacks_per_s
        self._calls: dict[int, CallNow] = {}
        """In flight, by number."""
        self._waiting: deque[_Caller] = deque()
        self._callbacks: deque[_Caller] = deque()
        self._held = 0
        """Lines used beside the calls in flight."""

        self._operators: dict[int, OperatorNow] = {}
        """Those logged in, by number."""
        self._free: deque[int] = deque()
        """Longest free first."""
        self._since: dict[int, float] = {}
        """When each logged in."""
        self._talking = 0
        self._leaving: dict[int, Break] = {}
        """Who takes a break as soon as they are free, and which."""

        # What pacing is shown, made anew only when it has changed.
        self._shown_operators: Sequence[OperatorNow] | None = None
        self._shown_calls: Sequence[CallNow] | None = None
        self._shown_candidates: Sequence[float | None] | None = None

    def run(self) -> Day:
        self._begin()
        end, events, ticks = self._end, self._events, self._regular
        while events or ticks[self._next] < end:
            if events and events[0][0] <= ticks[self._next]:
                self._now, _, act, about = heapq.heappop(events)
                act(about)
            else:
                self._now = ticks[self._next]
                self._next += 1
            if self._now < end:
                self._place()
        for since in self._since.values():
            self._day.logged_in_s += end - since
        return self._day

    def _begin(self) -> None:
        for operator, shift in enumerate(self._shifts):
            if shift.from_s == 0:
                self._log_in(operator)
            else:
                self._at(shift.from_s, self._log_in, operator)
            for one in shift.breaks:
                self._plan_break(operator, one)
        if self._callbacks_per_s:
            self._expect_callback()

    def _at(self, moment: float, act: Callable[[Any], None], about: Any) -> None:
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, act, about))

    # Pacing

    def _place(self) -> None:
        """Time goes on, tick after tick, until calls are placed or something happens."""
        until = min(self._events[0][0], self._end) if self._events else self._end
        following = bisect_left(self._regular, until, self._next)
        moments = [self._now, *self._regular[self._next : following]]
        found = self._way(self._moment(), moments)
        ticks = len(moments) - 1 if found is None else found[0]
        if ticks:
            self._now = moments[ticks]
            self._next += ticks
        if found is not None:
            self._dial(found[1])

    def _moment(self) -> Moment:
        world, day = self._world, self._day
        lines_left = world.lines - len(self._calls) - self._held
        return Moment(
            now_s=self._now,
            end_s=self._end,
            logged_in=len(self._operators),
            free=len(self._free),
            talking=self._talking,
            calls=len(self._calls),
            waiting=len(self._waiting),
            callbacks_waiting=len(self._callbacks),
            placeable=min(lines_left, len(self._window)),
            connected=day.connected,
            abandoned=day.abandoned,
            cap=world.terms.cap,
            snapshot=self._snapshot,
        )

    def _snapshot(self) -> Snapshot:
        world, day = self._world, self._day
        if self._shown_operators is None:
            self._shown_operators = tuple(self._operators.values())
        if self._shown_calls is None:
            self._shown_calls = tuple(self._calls.values())
        if self._shown_candidates is None:
            self._shown_candidates = tuple(map(self._chance_shown, self._window))
        return Snapshot(
            now_s=self._now,
            may_dial=True,
            operators=self._shown_operators,
            calls=self._shown_calls,
            lines=world.lines,
            lines_used=len(self._calls) + self._held,
            waiting=len(self._waiting),
            callbacks_waiting=len(self._callbacks),
            callbacks_per_s=self._callbacks_per_s,
            candidates=self._shown_candidates,
            today=Today(
                connected=day.connected, abandoned=day.abandoned, left_s=self._end - self._now
            ),
            terms=world.terms,
            estimates=self._believed(),
        )

    def _dial(self, pace: Pace) -> None:
        # a way of pacing that foresees nothing says nothing of misses
        misses = pace.misses or repeat(0.0)
        for position, miss in zip(pace.chosen, misses, strict=False):
            phone = self._window[position]
            self._call(phone, self._chance_shown(phone), miss)
        for position in sorted(pace.chosen, reverse=True):
            del self._window[position]
        self._window.extend(islice(self._phones, len(pace.chosen)))
        self._shown_calls = None
        if self._world.chances_known:
            self._shown_candidates = None

    def _chance_shown(self, phone: Phone) -> float | None:
        return phone.chance if self._world.chances_known else None

    # Calls

    def _call(self, phone: Phone, believed: float | None, miss: float) -> None:
        world, now = self._world, self._now
        self._day.placed += 1
        call = _Call(self._day.placed, CallNow(placed_s=now, chance=believed), phone, miss)
        self._calls[call.number] = call.now
        if phone.luck < world.chance_of(phone.chance, now):
            self._at(now + phone.ring_s, self._person_answers, call)
        elif phone.kind < world.machine:
            self._at(now + phone.machine_ring_s, self._machine_answers, call)
        else:
            self._at(now + phone.unanswered_s, self._fails, call)

    def _person_answers(self, call: _Call) -> None:
        self._day.persons_answered += 1
        self._day.predicted_abandoned += call.miss
        if self._world.detection:
            self._learn_answer(call, self._now)
        self._answers(call, _Kind.PERSON)

    def _machine_answers(self, call: _Call) -> None:
        if self._world.detection:
            self._fails(call)
            self._held += 1
            self._at(self._now + call.phone.machine_line_s, self._line_ends, None)
        else:
            self._day.predicted_abandoned += call.miss
            self._answers(call, _Kind.MACHINE)

    def _fails(self, call: _Call) -> None:
        self._over(call)
        self._learn_attempt(call, answered=False)
        if not self._world.detection:
            self._learn(lambda known: replace(known, machine=known.machine.seen(False)))

    def _answers(self, call: _Call, kind: _Kind) -> None:
        self._over(call)
        self._held += 1
        caller = _Caller(kind, self._now, call.phone, call)
        self._waiting.append(caller)
        self._serve()
        if self._waiting and self._waiting[-1] is caller:
            self._at(self._now + self._world.terms.patience_s, self._gives_up, caller)

    def _gives_up(self, caller: _Caller) -> None:
        """Whoever waited so long is always the first of those waiting."""
        if self._waiting and self._waiting[0] is caller:
            self._waiting.popleft()
            self._held -= 1
            if caller.kind is _Kind.PERSON:
                self._day.persons_abandoned += 1
            else:
                self._day.machines_abandoned += 1
            self._learn_of(caller)

    def _over(self, call: _Call) -> None:
        del self._calls[call.number]
        self._shown_calls = None

    def _line_ends(self, _: None) -> None:
        self._held -= 1

    # Persons who call back

    def _expect_callback(self) -> None:
        gap = self._inbound.exponential(1 / self._callbacks_per_s)
        if self._now + gap < self._end:
            self._at(self._now + gap, self._calls_back, None)

    def _calls_back(self, _: None) -> None:
        caller = _Caller(_Kind.CALLBACK, self._now, next(self._callers), None)
        self._held += 1
        self._callbacks.append(caller)
        self._serve()
        if self._callbacks and self._callbacks[-1] is caller:
            patience = self._world.callback_patience_s
            self._at(self._now + patience, self._hangs_up, caller)
        self._expect_callback()

    def _hangs_up(self, caller: _Caller) -> None:
        if self._callbacks and self._callbacks[0] is caller:
            self._callbacks.popleft()
            self._held -= 1
            self._day.callbacks_lost += 1

    # Operators

    def _serve(self) -> None:
        while self._free and (self._callbacks or self._waiting):
            caller = (self._callbacks or self._waiting).popleft()
            self._join(self._free.popleft(), caller)

    def _join(self, operator: int, caller: _Caller) -> None:
        day = self._day
        self._becomes(operator, Activity.TALKING)
        self._talking += 1
        if caller.kind is _Kind.CALLBACK:
            day.callbacks_served += 1
        else:
            day.waited_s += self._now - caller.since_s
        if caller.kind is _Kind.MACHINE:
            day.machines_connected += 1
            self._hear_machine(operator, caller)
            return
        if caller.kind is _Kind.PERSON:
            day.persons_connected += 1
            self._learn_of(caller)
        self._talk(operator, caller.phone)

    def _hear_machine(self, operator: int, caller: _Caller) -> None:
        seconds = caller.phone.machine_talk_s
        self._day.machines_s += self._within_day(seconds)
        self._at(self._now + seconds, self._machine_ends, (operator, caller))

    def _talk(self, operator: int, phone: Phone) -> None:
        now, world = self._now, self._world
        talk_s = phone.talk_s * world.talk_factor(now)
        self._day.worked_s += self._within_day(talk_s + phone.work_s)
        for share, at in zip(world.script, phone.ticks, strict=True):
            if 0 < at < 1:
                self._at(now + at * talk_s, self._ticks, (operator, share))
        self._at(now + talk_s, self._talk_ends, (operator, talk_s, phone.work_s))

    def _ticks(self, about: tuple[int, float]) -> None:
        operator, share = about
        was = self._operators[operator]
        ticks = (*was.ticks, Tick(share, self._now))
        self._operators[operator] = replace(was, ticks=ticks)
        self._shown_operators = None

    def _talk_ends(self, about: tuple[int, float, float]) -> None:
        operator, talk_s, work_s = about
        self._held -= 1
        self._talking -= 1
        self._learn(lambda known: replace(known, talk=known.talk.seen(talk_s)))
        self._becomes(operator, Activity.AFTER_CALL_WORK)
        self._at(self._now + work_s, self._work_ends, (operator, work_s))

    def _work_ends(self, about: tuple[int, float]) -> None:
        operator, work_s = about
        self._learn(lambda known: replace(known, after_call=known.after_call.seen(work_s)))
        self._becomes_free(operator)

    def _machine_ends(self, about: tuple[int, _Caller]) -> None:
        operator, caller = about
        self._held -= 1
        self._talking -= 1
        phone = caller.phone
        self._learn(
            lambda known: replace(
                known,
                machine=known.machine.seen(True),
                machine_ring=known.machine_ring.seen(phone.machine_ring_s),
                machine_talk=known.machine_talk.seen(phone.machine_talk_s),
            )
        )
        if caller.call:
            self._learn_attempt(caller.call, answered=False)
        self._becomes_free(operator)

    def _becomes(self, operator: int, activity: Activity) -> None:
        break_at_s = self._operators[operator].break_at_s
        self._operators[operator] = OperatorNow(
            activity=activity, since_s=self._now, break_at_s=break_at_s
        )
        self._shown_operators = None

    def _becomes_free(self, operator: int) -> None:
        if operator in self._leaving:
            self._leave(operator)
            return
        self._becomes(operator, Activity.FREE)
        self._free.append(operator)
        self._serve()

    def _log_in(self, operator: int) -> None:
        self._since[operator] = self._now
        self._operators[operator] = OperatorNow(activity=Activity.FREE, since_s=self._now)
        self._shown_operators = None
        self._free.append(operator)
        self._serve()

    def _plan_break(self, operator: int, one: Break) -> None:
        if one.notice_s is not None:
            notice = max(0.0, one.at_s - one.notice_s)
            self._at(notice, self._announce, (operator, one.at_s))
        self._at(one.at_s, self._want_break, (operator, one))

    def _announce(self, about: tuple[int, float]) -> None:
        operator, at_s = about
        if operator not in self._operators:  # still away
            return
        self._operators[operator] = replace(self._operators[operator], break_at_s=at_s)
        self._shown_operators = None

    def _want_break(self, about: tuple[int, Break]) -> None:
        operator, one = about
        if operator not in self._operators:
            return
        self._leaving[operator] = one
        if self._operators[operator].activity is Activity.FREE:
            self._free.remove(operator)
            self._leave(operator)

    def _leave(self, operator: int) -> None:
        one = self._leaving.pop(operator)
        del self._operators[operator]
        self._shown_operators = None
        self._day.logged_in_s += self._within_day_until_now(self._since.pop(operator))
        back = self._now + one.length_s
        if back < self._end:
            self._at(back, self._log_in, operator)

    # What is counted and learned

    def _within_day(self, seconds: float) -> float:
        return max(0.0, min(seconds, self._end - self._now))

    def _within_day_until_now(self, since: float) -> float:
        return min(self._now, self._end) - since

    def _believed(self) -> Estimates:
        for how in self._news:
            self._estimates = how(self._estimates)
        self._news.clear()
        return self._estimates

    def _learn(self, how: Callable[[Estimates], Estimates]) -> None:
        self._news.append(how)

    def _learn_attempt(self, call: _Call, *, answered: bool) -> None:
        self._learn(lambda known: known.attempted(call.now.chance, answered))

    def _learn_of(self, caller: _Caller) -> None:
        """Without detection whoever was not heard to be a machine is taken for a person."""
        if caller.call and not self._world.detection:
            self._learn_answer(caller.call, caller.since_s)

    def _learn_answer(self, call: _Call, answered_s: float) -> None:
        self._learn_attempt(call, answered=True)
        ring_s = answered_s - call.now.placed_s
        self._learn(lambda known: replace(known, ring=known.ring.seen(ring_s)))

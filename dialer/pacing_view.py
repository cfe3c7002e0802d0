"""What pacing may know at this moment, drawn together from the service's memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dialer.ami.link import Link
from dialer.calls import Calls
from dialer.clock import Clock
from dialer.day_so_far import DaySoFar
from dialer.estimating import Estimating
from dialer.months import Month
from dialer.seats import Seats
from rules.call_state import State
from rules.pacing.decision import calls_to_place
from rules.pacing.estimates import Estimates
from rules.pacing.snapshot import Activity, CallNow, OperatorNow, Snapshot, Terms, Tick
from rules.profile import Profile

_ALIVE = frozenset(State) - {State.ENDED}
_UNANSWERED = (State.PLACED, State.RINGING)


class PacingView:
    """Makes snapshots; changes nothing."""

    def __init__(
        self,
        clock: Clock,
        link: Link,
        seats: Seats,
        calls: Calls,
        day: DaySoFar,
        estimating: Estimating,
        lines: int,
        may_dial: Callable[[], bool],
        callbacks_waiting: Callable[[], int],
        callbacks_per_s: Callable[[], float],
    ) -> None:
        """
        Args:
            lines: calls the carrier allows at once.
            may_dial: False while anything of the service forbids every call.
            callbacks_waiting: how many callers wait for an operator.
            callbacks_per_s: how many are expected to call, per second.
        """
        self._clock = clock
        self._link = link
        self._seats = seats
        self._calls = calls
        self._day = day
        self._estimating = estimating
        self._lines = lines
        self._may_dial = may_dial
        self._callbacks_waiting = callbacks_waiting
        self._callbacks_per_s = callbacks_per_s

    def lines_left(self) -> int:
        """Calls the carrier would take now beside those alive."""
        return max(0, self._lines - self._calls.count(*_ALIVE))

    def snapshot(
        self, month: Month, candidates: Sequence[float | None], appointments_soon: int
    ) -> Snapshot:
        """This moment, for calling a campaign.

        Args:
            candidates: each one's own chance, in the order in which they would be called.
        """
        return Snapshot(
            now_s=self._clock.monotonic(),
            may_dial=self._may_dial(),
            operators=self._seats.working(),
            calls=self._in_flight(),
            lines=self._lines,
            lines_used=self._calls.count(*_ALIVE),
            waiting=self._calls.count(State.WAITING),
            callbacks_waiting=self._callbacks_waiting(),
            callbacks_per_s=self._callbacks_per_s(),
            appointments_soon=appointments_soon,
            candidates=candidates,
            ami_healthy=self._link.prompt,
            today=self._day.today(month),
            terms=terms_of(month.profile),
            estimates=self._estimating.estimates,
        )

    def _in_flight(self) -> list[CallNow]:
        """The calls that may take any operator: not those for which one is held."""
        held = {seat.hold.attempt for seat in self._seats.seats() if seat.hold is not None}
        return [
            CallNow(
                placed_s=line.placed_s,
                chance=line.expected.own_chance if line.expected is not None else None,
            )
            for line in self._calls.lines()
            if line.call.state in _UNANSWERED and line.call.attempt not in held
        ]


def terms_of(profile: Profile) -> Terms:
    """What a contract profile allows."""
    return Terms(
        mode=profile.pacing_mode,
        cap=profile.abandon_cap,
        patience_s=profile.patience_s,
        calls_per_operator=profile.calls_per_operator,
        callback_reserve=profile.callback_reserve,
    )


def rehearse(estimates: Estimates) -> None:
    """Ask pacing once, about an office with everything in it: what it compiles at its first use ever (some
    seconds), and its tables, are there before a person is on the line."""
    ticked = OperatorNow(activity=Activity.TALKING, since_s=0.0, ticks=(Tick(0.5, 60.0),))
    others = [OperatorNow(activity=activity, since_s=0.0) for activity in Activity]
    calls_to_place(
        Snapshot(
            now_s=70.0,
            may_dial=True,
            operators=[ticked, *others, *others],
            calls=[CallNow(placed_s=65.0)],
            lines=10,
            lines_used=1,
            candidates=(None, 0.5),
            estimates=estimates,
        )
    )

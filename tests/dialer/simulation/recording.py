"""A simulated day put on record as the service would put it, so that it can be played again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from db.recorded_day import RecordedCall
from db.seat_changes import SeatMove
from dialer.simulation.day import Way, _Running
from dialer.simulation.worlds import World
from rules.operator_state import State
from rules.pacing.snapshot import Activity
from tests.db.town import NOON
from tests.recorded import seconds

_STATES = {
    Activity.FREE: State.FREE,
    Activity.TALKING: State.TALKING,
    Activity.AFTER_CALL_WORK: State.AFTER_CALL_WORK,
}


class Recording(_Running):
    """Runs a day and notes what the database would hold of it."""

    def __init__(self, world: World, seed: int, way: Way) -> None:
        super().__init__(world, seed, way)
        self._noted: dict[int, RecordedCall] = {}
        self._talked: dict[int, int] = {}
        """The call each operator had last."""
        self.moves: list[SeatMove] = []

    @property
    def calls(self) -> list[RecordedCall]:
        return list(self._noted.values())

    def _note(self, number: int, **changes: Any) -> None:
        self._noted[number] = replace(self._noted[number], **changes)

    @property
    def _at_now(self) -> Any:
        return NOON + seconds(self._now)

    def _moved(self, operator: int, state: State) -> None:
        self.moves.append(SeatMove(operator_id=f"{operator:03}", at=self._at_now, state=state))

    def _call(self, phone: Any, believed: float | None, miss: float) -> None:
        self._noted[self._day.placed + 1] = RecordedCall(
            campaign_id=1,
            placed_at=self._at_now,
            chance=self._believed().person(believed),
            miss=miss,
            answered_at=None,
            talk_from=None,
            message_from=None,
            ended_at=None,
            outcome=None,
            saved_at=None,
        )
        super()._call(phone, believed, miss)

    def _fails(self, call: Any) -> None:
        self._note(call.number, ended_at=self._at_now, outcome="no_answer", saved_at=self._at_now)
        super()._fails(call)

    def _answers(self, call: Any, kind: Any) -> None:
        self._note(call.number, answered_at=self._at_now)
        super()._answers(call, kind)

    def _gives_up(self, caller: Any) -> None:
        if self._waiting and self._waiting[0] is caller:
            at = self._at_now
            self._note(caller.call.number, ended_at=at, outcome="abandoned", saved_at=at)
        super()._gives_up(caller)

    def _join(self, operator: int, caller: Any) -> None:
        self._talked[operator] = caller.call.number
        self._note(caller.call.number, talk_from=self._at_now)
        super()._join(operator, caller)

    def _talk_ends(self, about: Any) -> None:
        self._note(self._talked[about[0]], ended_at=self._at_now)
        super()._talk_ends(about)

    def _work_ends(self, about: Any) -> None:
        self._note(self._talked[about[0]], outcome="explained", saved_at=self._at_now)
        super()._work_ends(about)

    def _machine_ends(self, about: Any) -> None:
        at = self._at_now
        self._note(self._talked[about[0]], ended_at=at, outcome="voicemail_failed", saved_at=at)
        super()._machine_ends(about)

    def _becomes(self, operator: int, activity: Activity) -> None:
        self._moved(operator, _STATES[activity])
        super()._becomes(operator, activity)

    def _log_in(self, operator: int) -> None:
        self._moved(operator, State.FREE)
        super()._log_in(operator)

    def _leave(self, operator: int) -> None:
        self._moved(operator, State.PAUSED)
        super()._leave(operator)

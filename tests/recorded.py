"""A made-up day on record: calls, and what three operators did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from db import operators, seat_changes
from db.recorded_day import RecordedCall
from db.results import BY_LINE
from db.seat_changes import SeatMove
from db.tables import Attempt, AttemptChange, Operator, ResultRow
from rules.call_state import State as CallState
from rules.operator_state import State

RING_S, TALK_S, WORK_S, IDLE_S = 8.0, 60.0, 20.0, 12.0
CYCLE_S = RING_S + TALK_S + WORK_S + IDLE_S
"""An operator has a call so often: placed while they are free."""
MACHINE_RING_S, MACHINE_S = 15.0, 10.0
UNANSWERED_S = 36.0
CHANCE, MISS = 0.5, 0.02
OPERATORS = ("201", "202", "203")


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@dataclass
class MadeUpDay:
    """Each operator has the same calls, one second after the other operator."""

    start: datetime
    campaign_id: int = 1
    calls: list[RecordedCall] = field(default_factory=list)
    moves: list[SeatMove] = field(default_factory=list)

    def fill(self, cycles: int) -> MadeUpDay:
        """So many persons for each operator; with each one call that nobody answers, after every fifth
        a machine, and at the end one abandoned call."""
        for offset, operator in enumerate(OPERATORS):
            at = self.start + seconds(offset)
            self._move(operator, at, State.FREE)
            for cycle in range(cycles):
                at = self._person(operator, at)
                if cycle % 5 == 4:
                    at = self._machine(operator, at)
        self.calls.append(self._answered(at, MACHINE_RING_S, "abandoned"))
        self.calls.sort(key=lambda call: call.placed_at)
        self.moves.sort(key=lambda move: (move.at, move.operator_id))
        return self

    def _person(self, operator: str, at: datetime) -> datetime:
        nobody = self._call(at + seconds(0.5), UNANSWERED_S)
        self.calls.append(replace(nobody, outcome="no_answer", saved_at=nobody.ended_at))
        joined = at + seconds(RING_S)
        over, saved = joined + seconds(TALK_S), joined + seconds(TALK_S + WORK_S)
        self._talk(operator, joined, over, saved)
        call = self._answered(at, RING_S, "explained")
        self.calls.append(replace(call, talk_from=joined, ended_at=over, saved_at=saved))
        return at + seconds(CYCLE_S)

    def _machine(self, operator: str, at: datetime) -> datetime:
        joined = at + seconds(MACHINE_RING_S)
        over = joined + seconds(MACHINE_S)
        self._talk(operator, joined, over, over)
        call = self._answered(at, MACHINE_RING_S, "voicemail_left")
        end = over + seconds(20)
        call = replace(call, talk_from=joined, message_from=over, ended_at=end, saved_at=end)
        self.calls.append(call)
        return over + seconds(5)

    def _talk(self, operator: str, joined: datetime, over: datetime, free: datetime) -> None:
        self._move(operator, joined, State.TALKING)
        if free > over:
            self._move(operator, over, State.AFTER_CALL_WORK)
        self._move(operator, free, State.FREE)

    def _move(self, operator: str, at: datetime, state: State) -> None:
        self.moves.append(SeatMove(operator_id=operator, at=at, state=state))

    def _answered(self, at: datetime, after_s: float, outcome: str) -> RecordedCall:
        call = self._call(at, after_s + 4)
        answered = at + seconds(after_s)
        return replace(call, answered_at=answered, outcome=outcome, saved_at=call.ended_at)

    def _call(self, at: datetime, lasts_s: float) -> RecordedCall:
        return RecordedCall(
            campaign_id=self.campaign_id,
            placed_at=at,
            chance=CHANCE,
            miss=MISS,
            answered_at=None,
            talk_from=None,
            message_from=None,
            ended_at=at + seconds(lasts_s),
            outcome=None,
            saved_at=None,
        )


async def write(
    session: AsyncSession,
    calls: Sequence[RecordedCall],
    moves: Sequence[SeatMove],
    *,
    case_id: int,
    phone_id: int,
) -> None:
    """Put them on record; all calls are of one case, which no rule would allow."""
    for operator in OPERATORS:
        if await session.get(Operator, operator) is None:
            await operators.add(session, operator, "窓口", at=calls[0].placed_at, by="tests")
    await seat_changes.record(session, moves)
    for call in calls:
        await _write(session, call, case_id, phone_id)


async def _write(session: AsyncSession, call: RecordedCall, case_id: int, phone_id: int) -> None:
    attempt = str(uuid4())
    session.add(
        Attempt(
            id=attempt,
            campaign_id=call.campaign_id,
            case_id=case_id,
            phone_id=phone_id,
            placed_at=call.placed_at,
            caller_id="0258001000",
            chance=call.chance,
            miss=call.miss,
        )
    )
    await session.flush()
    moments = (
        (CallState.PLACED, call.placed_at),
        (CallState.WAITING, call.answered_at),
        (CallState.TALKING, call.talk_from),
        (CallState.MESSAGE, call.message_from),
        (CallState.ENDED, call.ended_at),
    )
    for seq, (state, at) in enumerate(moments):
        if at is not None:
            session.add(AttemptChange(attempt_id=attempt, seq=seq, at=at, state=state.value))
    if call.outcome is not None:
        session.add(
            ResultRow(
                attempt_id=attempt,
                case_id=case_id,
                outcome=call.outcome,
                at=call.saved_at,
                by=BY_LINE,
                talk_results=[],
            )
        )

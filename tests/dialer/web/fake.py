"""A desk in memory: one operator with one call or caller, answers at once, remembers what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from dialer.errors import ConflictError, NotFoundError
from dialer.web.callback_models import (
    CallbackCloseIn,
    CallbackOut,
    CallbackResultIn,
    CallerCase,
    CaseBrief,
    PhoneOut,
    SearchIn,
    SearchOut,
)
from dialer.web.case_models import Call, Earlier, ResultIn
from dialer.web.models import (
    CallsInFlight,
    CampaignStatus,
    CriterionOut,
    Health,
    Me,
    OperatorOut,
    OperatorStatus,
    PacingStatus,
    Status,
)
from rules.case import CaseStatus, PhoneKind
from rules.operator_state import State
from rules.profile import Profile

NOW = datetime(2026, 9, 24, 1, 0, tzinfo=UTC)
TOKEN = "token-of-201"


def a_call(**changes: object) -> Call:
    """A call of an invented person, with changes."""
    call = Call(
        attempt_id="11111111-1111-4111-8111-111111111111",
        case_id=1,
        reference="202609000001",
        name="試験　花子",
        kana="シケン ハナコ",
        birth_date="1970/01/02",
        address="長岡市試験町1番",
        category="初期滞納",
        amount_yen=12300,
        instalments="2026/3期/12300",
        note="",
        phone="0258000001",
        phone_kind=PhoneKind.FIXED,
        placed_at=NOW,
        answered_at=NOW + timedelta(seconds=9),
        talk_ended_at=None,
        on_line=True,
    )
    return call.model_copy(update=changes)


CALLBACK_ID = "1790211600.17"


def a_brief(**changes: object) -> CaseBrief:
    """What is shown of a case before anybody is identified, with changes."""
    brief = CaseBrief(
        case_id=1,
        campaign="2026-09",
        reference="202609000001",
        name="試験　花子",
        kana="シケン ハナコ",
        birth_date="1970/01/02",
        status=CaseStatus.OPEN,
        earlier=(Earlier(at=NOW, outcome="no_answer", phone_kind=PhoneKind.FIXED),),
    )
    return brief.model_copy(update=changes)


def a_caller_case(brief: CaseBrief) -> CallerCase:
    """The whole case of a brief."""
    shared = brief.model_dump(include={"case_id", "campaign", "reference", "name", "kana"})
    return CallerCase(
        **shared,
        birth_date=brief.birth_date,
        address="長岡市試験町1番",
        category="初期滞納",
        amount_yen=12300,
        instalments="2026/3期/12300",
        note="",
        case_status=brief.status,
        history=brief.earlier,
        phones=(PhoneOut(number="0258000001", kind=PhoneKind.FIXED),),
    )


def a_callback(**changes: object) -> CallbackOut:
    """A caller on the line whose number one case has, with changes."""
    callback = CallbackOut(
        callback_id=CALLBACK_ID,
        called="0258100001",
        number="0258000001",
        arrived_at=NOW - timedelta(seconds=12),
        on_line=True,
        candidates=(a_brief(),),
    )
    return callback.model_copy(update=changes)


PACING = PacingStatus(
    mode="progressive",
    why="few_operators",
    expected_answers=1.2,
    expected_free=1.0,
    miss=0.021,
    allowed_miss=0.034,
    connected=49,
    abandoned=1,
    cap=0.01,
)


class FakeDesk:
    """A `dialer.web.port.Desk` of one operator, 201."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.fails_with: Exception | None = None
        self.health = Health(ready=True)
        self.contract: Profile | None = None
        self.found = SearchOut(cases=(), more=False)
        """What every search finds."""
        self._changed = asyncio.Event()
        self.present = Me(
            rev=1,
            now=NOW,
            operator=OperatorOut(id="201", name="試験オペレータ"),
            state=State.PAUSED,
            since=NOW - timedelta(seconds=5),
        )

    def becomes(
        self, state: State, call: Call | None = None, callback: CallbackOut | None = None
    ) -> Me:
        """The operator's state and call, or caller, from now on."""
        changes = {
            "rev": self.present.rev + 1,
            "state": state,
            "call": call,
            "callback": callback,
        }
        self.present = self.present.model_copy(update=changes)
        self._changed.set()
        self._changed = asyncio.Event()
        return self.present

    def tokens(self) -> Mapping[str, str]:
        return {"201": hashlib.sha256(TOKEN.encode()).hexdigest()}

    def me(self, operator_id: str) -> Me:
        return self.present

    def profile(self, operator_id: str) -> Profile | None:
        return self.contract

    def criteria(self) -> tuple[CriterionOut, ...]:
        return (CriterionOut(id=1, label="苦情の申出"),)

    async def changed(self, operator_id: str, since: int, wait_s: float) -> Me:
        if self.present.rev == since:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait_s)
        return self.present

    async def ready(self, operator_id: str) -> Me:
        self._note("ready", operator_id)
        if self.present.state is State.TALKING:
            raise ConflictError("通話中は受付を開始できません")
        return self.becomes(State.FREE)

    async def pause(self, operator_id: str) -> Me:
        self._note("pause", operator_id)
        return self.becomes(State.PAUSED, self.present.call)

    async def announce_break(self, operator_id: str, in_s: int | None) -> Me:
        self._note("announce_break", operator_id, in_s)
        return self.present

    async def progress(self, operator_id: str, step: int, *, done: bool) -> Me:
        self._note("progress", operator_id, step, done)
        return self.present

    async def dial(self, operator_id: str, attempt_id: str) -> Me:
        self._note("dial", operator_id, attempt_id)
        return self.present

    async def skip(self, operator_id: str, attempt_id: str) -> Me:
        self._note("skip", operator_id, attempt_id)
        return self.present

    async def hangup(self, operator_id: str) -> Me:
        self._note("hangup", operator_id)
        call, callback = self.present.call, self.present.callback
        return self.becomes(
            State.AFTER_CALL_WORK,
            call and call.model_copy(update={"on_line": False, "talk_ended_at": NOW}),
            callback and callback.model_copy(update={"on_line": False, "ended_at": NOW}),
        )

    async def leave_message(self, operator_id: str) -> Me:
        self._note("leave_message", operator_id)
        return self.becomes(State.FREE)

    async def save_result(self, operator_id: str, result: ResultIn) -> Me:
        self._note("save_result", operator_id, result)
        return self.becomes(State.FREE)

    async def correct_result(self, operator_id: str, result: ResultIn) -> Me:
        self._note("correct_result", operator_id, result)
        return self.present

    async def search_cases(self, operator_id: str, wanted: SearchIn) -> SearchOut:
        self._note("search_cases", operator_id, wanted)
        self._caller(wanted.callback_id)
        return self.found

    async def identify(self, operator_id: str, callback_id: str, case_id: int) -> Me:
        self._note("identify", operator_id, callback_id, case_id)
        callback = self._caller(callback_id)
        known = {one.case_id: one for one in (*(callback.candidates or ()), *self.found.cases)}
        if case_id not in known:
            raise NotFoundError("この案件はありません")
        opened = callback.model_copy(update={"case": a_caller_case(known[case_id])})
        return self.becomes(self.present.state, callback=opened)

    async def save_callback(self, operator_id: str, result: CallbackResultIn) -> Me:
        self._note("save_callback", operator_id, result)
        if self._caller(result.callback_id).on_line:
            raise ConflictError("通話中です。通話を終えてから記録してください")
        return self.becomes(State.FREE)

    async def correct_callback(self, operator_id: str, result: CallbackResultIn) -> Me:
        self._note("correct_callback", operator_id, result)
        return self.present

    async def close_callback(self, operator_id: str, closed: CallbackCloseIn) -> Me:
        self._note("close_callback", operator_id, closed)
        if self._caller(closed.callback_id).on_line:
            raise ConflictError("通話中です。通話を終えてから記録してください")
        return self.becomes(State.FREE)

    def _caller(self, callback_id: str) -> CallbackOut:
        callback = self.present.callback
        if callback is None or callback.callback_id != callback_id:
            raise ConflictError("この折り返し電話は画面にありません")
        return callback

    async def status(self) -> Status:
        self._note("status")
        return Status(
            now=NOW,
            started_at=NOW - timedelta(hours=1),
            draining=False,
            emergency_stop=False,
            asterisk_connected=True,
            database_ok=True,
            problems={},
            pace="as many calls as free operators",
            limit="operators",
            pacing=PACING,
            lines=10,
            calls=CallsInFlight(ringing=2, talking=1),
            operators=(OperatorStatus(id="201", state=self.present.state, since=NOW),),
            campaigns=(
                CampaignStatus(
                    name="2026-09",
                    state="running",
                    cases=40,
                    open=30,
                    complete=10,
                    due=5,
                    placed_today=12,
                    counted_today=9,
                ),
            ),
        )

    def healthy(self) -> Health:
        return self.health

    def _note(self, *what: object) -> None:
        self.asked.append(what)
        if self.fails_with is not None:
            raise self.fails_with

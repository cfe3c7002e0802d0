"""From a caller to what is on record, and on the operator's screen: on real databases, with a link that only
notes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy import select

from db import callbacks as record
from db import cases
from db.errors import DatabaseError
from db.tables import CallbackCase, CallbackMessage, CallbackNote, CalledBack, ResultRow
from dialer.callback_desk import CallbackDesk
from dialer.callback_ends import CallbackEnds
from dialer.calling_back import CallingBack
from dialer.desk import OperatorsDesk
from dialer.errors import ConflictError, NotFoundError
from dialer.ledger import LedgerWriter
from dialer.results import Results
from dialer.sheets import Sheets
from dialer.web.callback_models import CallbackCloseIn, CallbackOut, CallbackResultIn, SearchIn
from dialer.web.models import Me
from rules.call_events import Rang
from rules.callback_events import (
    AskedBack,
    Connected,
    HungUp,
    MessageBegun,
    MessageRecorded,
    Queued,
)
from rules.operator_state import Hold
from rules.result import ResultRefusedError
from tests.db.town import KEYS, NOON, OPERATOR, Town
from tests.dialer.fakes import turns
from tests.dialer.test_pacer import Office

A, B = "1790211600.1", "1790211600.2"
NUMBER, OTHER = "0258000001", "0258000002"


class Counter(Office):
    """An office that people call, with a ledger that is written."""

    def __init__(self, town: Town, operators: int = 1) -> None:
        writer = LedgerWriter(
            town.sessions,
            lambda session, settled: self.results.settle_by_line(session, settled),
            lambda attempt: self.calls.settled(attempt),
        )
        super().__init__(town, operators=0, ledger=writer)
        self.callbacks.regain_sight()
        self.results = Results(town.sessions, self.months, KEYS, self.clock)
        writer.settle_callbacks = CallbackEnds(self.months).settle
        writer.callback_settled = self.callbacks.committed
        self.calling_back = CallingBack(
            self.clock,
            town.sessions,
            self.months,
            self.seats,
            self.calls,
            self.callbacks,
            self.choosing,
            self.placing,
            self.estimating,
        )
        self.callbacks.asked_back = self.calling_back.asked
        self.sheets = Sheets(town.sessions, self.months)
        self.desk = OperatorsDesk(
            self.clock,
            town.sessions,
            self.seats,
            self.calls,
            writer,
            self.results,
            self.sheets,
            self.metrics,
        )
        self.desk.callers = CallbackDesk(
            self.clock,
            town.sessions,
            self.months,
            KEYS,
            self.calls,
            self.callbacks,
            self.results,
        )

    def _seat_moved(self, before: object, after: object) -> None:
        if hasattr(self, "desk"):
            self.desk.moved(before, after)
        super()._seat_moved(before, after)

    async def call(self, callback: str = A, number: str | None = NUMBER) -> None:
        """Somebody calls, and waits."""
        self.clock.move(1)
        self.callbacks.arrive(callback, "0258000101", number)
        await self.say(Queued, callback)

    async def say(self, kind: type, callback: str = A, **more: object) -> None:
        if kind is Connected:
            more["operator"] = self.callbacks.caller(callback).callback.operator
        at = self.callbacks.moment(callback)
        self.callbacks.apply(kind(callback=callback, at=at, **more))
        await turns()

    async def talk(self, callback: str = A, number: str | None = NUMBER) -> None:
        """Somebody calls, talks with the operator, and hangs up."""
        await self.call(callback, number)
        await self.say(Connected, callback)
        await self.say(HungUp, callback)

    async def written(self) -> None:
        await self.ledger.flushed()
        await turns()

    async def rows(self, model: type) -> list[object]:
        async with self.town.sessions.read() as session:
            return list(await session.scalars(select(model)))

    async def in_hand(self) -> list[str]:
        async with self.town.sessions.read() as session:
            return [one.arrived.id for one in await record.in_hand(session)]

    async def caller(self) -> CallbackOut:
        """Who is on the screen of 201, once it was looked who that may be."""
        async with asyncio.timeout(30):
            while (known := (me := self.desk.me(OPERATOR)).callback) is None or (
                known.candidates is None
            ):
                await self.seats.changed(OPERATOR, me.rev, 5)
        return known

    def result(self, case: int, outcome: str = "person_done", **more: object) -> CallbackResultIn:
        more.setdefault("script_finished", outcome == "person_done")
        return CallbackResultIn(callback_id=A, case_id=case, outcome=outcome, **more)


@asynccontextmanager
async def at_work(counter: Counter) -> AsyncIterator[Counter]:
    async with counter.town.sessions.read() as session:
        await counter.months.reload(session, counter.clock.now())
        await counter.caller_ids.reload(session)
    counter.sit(OPERATOR)
    await counter.desk.reload()
    task = asyncio.create_task(counter.ledger.run())
    yield counter
    await asyncio.gather(*counter.desk._loading)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def case(town: Town) -> int:
    """A case with the caller's number."""
    return await town.case("1", NUMBER)


@pytest.fixture
async def counter(town: Town, case: int) -> AsyncIterator[Counter]:
    async with at_work(Counter(town)) as made:
        yield made


async def test_who_may_be_calling_is_on_the_screen_and_the_case_after_identification(
    counter: Counter, case: int
) -> None:
    await counter.call()
    caller = await counter.caller()
    assert (caller.callback_id, caller.number, caller.on_line) == (A, NUMBER, True)
    assert [one.case_id for one in caller.candidates] == [case]
    assert caller.case is None
    me = await counter.desk.identify(OPERATOR, A, case)
    assert me.callback.case.reference == "1"
    [logged] = await counter.rows(CallbackCase)
    assert (logged.callback_id, logged.case_id, logged.by) == (A, case, OPERATOR)
    assert counter.desk.profile(OPERATOR).name == "nagaoka-r8"
    assert me.call is None


async def test_a_caller_without_a_number_is_served_alike(counter: Counter, case: int) -> None:
    await counter.call(number=None)
    caller = await counter.caller()
    assert (caller.number, caller.candidates) == (None, ())
    found = await counter.desk.search_cases(OPERATOR, SearchIn(callback_id=A, reference="1"))
    assert [one.case_id for one in found.cases] == [case]
    with pytest.raises(ConflictError):  # another's call
        await counter.desk.search_cases(OPERATOR, SearchIn(callback_id=B, reference="1"))


async def identified(counter: Counter, case: int) -> None:
    await counter.talk()
    await counter.desk.identify(OPERATOR, A, case)


async def test_a_result_completes_the_case_and_frees_the_operator(
    counter: Counter, case: int, town: Town
) -> None:
    await identified(counter, case)
    me = await counter.desk.save_callback(OPERATOR, counter.result(case))
    assert (me.state, me.callback) == ("free", None)
    assert await town.standing(case) == ("complete", "キ")
    [row] = await counter.rows(ResultRow)
    assert (row.callback_id, row.attempt_id, row.case_id) == (A, None, case)
    assert await counter.in_hand() == []
    # the same again changes nothing, another one is refused
    await counter.desk.save_callback(OPERATOR, counter.result(case))
    with pytest.raises(ConflictError):
        await counter.desk.save_callback(OPERATOR, counter.result(case, "refused"))
    with pytest.raises(ConflictError):
        closed = CallbackCloseIn(callback_id=A, kind="other")
        await counter.desk.close_callback(OPERATOR, closed)
    assert len(await counter.rows(ResultRow)) == 1


async def test_a_result_is_corrected_and_the_old_one_stays_on_record(
    counter: Counter, case: int, town: Town
) -> None:
    await identified(counter, case)
    with pytest.raises(NotFoundError):  # nothing is saved yet
        await counter.desk.correct_callback(OPERATOR, counter.result(case))
    await counter.desk.save_callback(OPERATOR, counter.result(case, "person_incomplete"))
    assert await town.standing(case) == ("open", None)
    await counter.desk.correct_callback(OPERATOR, counter.result(case))
    assert await town.standing(case) == ("complete", "キ")
    with pytest.raises(ResultRefusedError):
        wrong = counter.result(case, script_finished=False)
        await counter.desk.correct_callback(OPERATOR, wrong)
    with pytest.raises(NotFoundError):  # another operator's
        await counter.results.correct_callback("202", counter.result(case))
    await counter.desk.correct_callback(OPERATOR, counter.result(case, "person_incomplete"))
    assert await town.standing(case) == ("open", None)
    rows = await counter.rows(ResultRow)
    assert [row.outcome for row in rows] == [
        "person_incomplete",
        "person_done",
        "person_incomplete",
    ]
    assert [row.replaces_id for row in rows] == [None, rows[0].id, rows[1].id]


async def test_what_rings_for_a_case_that_a_correction_ends_is_hung_up(
    counter: Counter, case: int, town: Town
) -> None:
    attempt = await town.place(await town.phone(case), counter.clock.now())
    counter.place(attempt, case=case, campaign=town.campaign_id)
    await identified(counter, case)
    await counter.desk.save_callback(OPERATOR, counter.result(case, "person_incomplete"))
    await counter.desk.correct_callback(OPERATOR, counter.result(case))
    await turns()
    assert counter.link.names()[-1] == "Hangup"


async def test_what_rings_for_a_case_that_has_ended_is_hung_up(
    counter: Counter, case: int, town: Town
) -> None:
    attempt = await town.place(await town.phone(case), counter.clock.now())
    counter.place(attempt, case=case, campaign=town.campaign_id)
    await counter.tell(Rang, attempt=attempt)
    await identified(counter, case)
    assert "Hangup" not in counter.link.names()
    await counter.desk.save_callback(OPERATOR, counter.result(case))
    await turns()
    assert counter.link.sent[-1]["Action"] == "Hangup"
    assert counter.link.sent[-1]["Channel"] == attempt


async def test_a_result_that_ends_nothing_leaves_what_rings(
    counter: Counter, case: int, town: Town
) -> None:
    attempt = await town.place(await town.phone(case), counter.clock.now())
    counter.place(attempt, case=case, campaign=town.campaign_id)
    await identified(counter, case)
    await counter.desk.save_callback(OPERATOR, counter.result(case, "person_incomplete"))
    await turns()
    assert "Hangup" not in counter.link.names()
    assert await town.standing(case) == ("open", None)


async def test_results_that_may_not_be_saved(counter: Counter, case: int, town: Town) -> None:
    other = await town.case("2", OTHER)
    await counter.call()
    await counter.say(Connected)
    with pytest.raises(ConflictError):  # on the line
        await counter.desk.save_callback(OPERATOR, counter.result(case))
    await counter.say(HungUp)
    with pytest.raises(ConflictError):  # nobody was identified
        await counter.desk.save_callback(OPERATOR, counter.result(case))
    with pytest.raises(NotFoundError):
        await counter.desk.identify(OPERATOR, A, 999)
    await counter.desk.identify(OPERATOR, A, other)
    with pytest.raises(ConflictError):  # somebody else was
        await counter.desk.save_callback(OPERATOR, counter.result(case))
    await counter.desk.identify(OPERATOR, A, case)
    for refused, field in (("person_done", "script_finished"), ("fax", "outcome")):
        with pytest.raises(ResultRefusedError) as raised:
            body = counter.result(case, refused, script_finished=False)
            await counter.desk.save_callback(OPERATOR, body)
        assert raised.value.field == field
    with pytest.raises(NotFoundError):
        await counter.results.save_callback("202", counter.result(case))
    assert await counter.rows(ResultRow) == []
    assert counter.seat() == ("after_call_work", A)


async def test_a_callback_is_closed_without_a_case(counter: Counter) -> None:
    await counter.talk(number="0258999999")
    closed = CallbackCloseIn(callback_id=A, kind="unrelated", note="間違い電話")
    me = await counter.desk.close_callback(OPERATOR, closed)
    assert (me.state, me.callback) == ("free", None)
    [note] = await counter.rows(CallbackNote)
    assert (note.kind, note.note, note.by) == ("unrelated", "間違い電話", OPERATOR)
    assert await counter.in_hand() == []
    await counter.desk.close_callback(OPERATOR, closed)  # again
    with pytest.raises(ConflictError):
        other = CallbackCloseIn(callback_id=A, kind="other")
        await counter.desk.close_callback(OPERATOR, other)


async def test_a_result_after_a_close_is_refused(counter: Counter, case: int) -> None:
    await identified(counter, case)
    closed = CallbackCloseIn(callback_id=A, kind="unrelated")
    await counter.desk.close_callback(OPERATOR, closed)
    with pytest.raises(ConflictError):
        await counter.desk.save_callback(OPERATOR, counter.result(case))


async def test_the_operator_hangs_up_the_callers_line(counter: Counter) -> None:
    await counter.call()
    await counter.say(Connected)
    me: Me = await counter.desk.hangup(OPERATOR)
    await turns()
    assert me.callback.on_line
    assert counter.link.sent[-1]["Action"] == "Hangup"
    assert counter.link.sent[-1]["Channel"] == A
    await counter.say(HungUp)


async def test_a_talk_is_in_hand_until_its_result(counter: Counter) -> None:
    await counter.talk()
    await counter.written()
    assert await counter.in_hand() == [A]
    assert await counter.rows(CalledBack) == []


async def test_who_left_a_message_is_to_be_called_and_the_message_is_on_record(
    counter: Counter, case: int
) -> None:
    counter.callbacks.arrive(A, "0258000101", NUMBER)
    await counter.say(MessageBegun)
    await counter.say(MessageRecorded, seconds=7)
    await counter.say(HungUp)
    await counter.written()
    [message] = await counter.rows(CallbackMessage)
    assert (message.callback_id, message.file, message.seconds) == (A, f"{A}.wav", 7)
    [called] = await counter.rows(CalledBack)
    assert (called.case_id, called.asked) == (case, False)
    assert await counter.in_hand() == []


async def test_an_unknown_caller_who_reached_nobody_is_on_record_all_the_same(
    counter: Counter,
) -> None:
    for callback, number in ((A, None), (B, "0258999999")):
        counter.callbacks.arrive(callback, "0258000101", number)
        await counter.say(HungUp, callback)
    await counter.written()
    rows = await counter.rows(CalledBack)
    assert [(one.callback_id, one.case_id, one.asked) for one in rows] == [
        (A, None, False),
        (B, None, False),
    ]


async def test_a_caller_is_served_while_the_database_is_away(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = counter.ledger._sessions.write

    def away() -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(counter.ledger._sessions, "write", away)
    await counter.call()
    await counter.say(Connected)
    assert counter.seat() == ("talking", A)
    assert counter.desk.me(OPERATOR).callback.number == NUMBER
    async with asyncio.timeout(30):
        while counter.ledger.database_ok:
            await asyncio.sleep(0.01)
    monkeypatch.setattr(counter.ledger._sessions, "write", write)
    await counter.say(HungUp)
    await counter.written()
    async with counter.town.sessions.read() as session:
        [known] = await record.in_hand(session)
    assert [one.state.value for one in known.changes] == ["waiting", "joining", "talking", "ended"]


# --- who asked to be called back -------------------------------------------------------------------


async def asks(counter: Counter, callback: str = A, number: str = NUMBER) -> None:
    """Somebody waits, presses the key, and hangs up; the wish is on record."""
    await counter.call(callback, number)
    await counter.say(AskedBack, callback)
    await counter.say(HungUp, callback)
    await counter.written()
    async with asyncio.timeout(30):
        while counter.calling_back._tasks:
            await asyncio.sleep(0.01)


def busy(counter: Counter) -> None:
    """201 takes no calls for now."""
    counter.seats.hold(Hold(attempt="other", case_id=0, phone_id=0))


async def called(counter: Counter) -> list[str]:
    """The numbers that were called, once whoever was to place the calls is done."""
    async with asyncio.timeout(30):
        while counter.calling_back._tasks:
            await asyncio.sleep(0.01)
    await turns()
    sent = [one for one in counter.link.sent if one["Action"] == "Originate"]
    return [str(one["Channel"]).removeprefix("PJSIP/").removesuffix("@trunk") for one in sent]


async def test_who_asked_is_called_when_their_turn_comes_by_the_operator_who_is_held(
    counter: Counter, case: int
) -> None:
    busy(counter)
    await asks(counter)
    await counter.call(B, OTHER)
    assert counter.callbacks.waiting() == [A, B]
    counter.clock.move(5)
    counter.seats.let_go("other")
    assert await called(counter) == [NUMBER]
    [line] = counter.calls.lines()
    assert (line.case_id, counter.seats.held_for(line.call.attempt)) == (case, OPERATOR)
    # whoever comes next goes on with the line
    assert counter.callbacks.waiting() == [B]
    counter.come("202")
    assert counter.callbacks.waiting() == []


async def test_whom_the_rules_refuse_gives_the_operator_to_the_next_in_line(
    counter: Counter, case: int, town: Town
) -> None:
    busy(counter)
    await asks(counter)
    await counter.call(B, OTHER)
    async with town.sessions.write() as session:
        await cases.add_fact(session, case, cases.FactKind.PAID, at=NOON, by="市")
        await town.refresh(session, case, now=NOON)
    counter.seats.let_go("other")
    assert await called(counter) == []
    assert counter.seat() == ("ringing_for", B)


async def test_who_asked_keeps_the_place_over_a_restart(
    counter: Counter, case: int, town: Town
) -> None:
    busy(counter)
    await asks(counter)
    async with at_work(Counter(town)) as again:
        busy(again)
        again.clock.move(60)
        await again.calling_back.load()
        await again.call(B, OTHER)
        assert again.callbacks.waiting() == [A, B]
        again.seats.let_go("other")
        assert await called(again) == [NUMBER]
        assert again.callbacks.waiting() == [B]


async def test_a_wish_of_nobodys_number_keeps_no_place(counter: Counter) -> None:
    busy(counter)
    await asks(counter, number="0258999999")
    assert counter.callbacks.waiting() == []


async def test_while_the_database_is_away_the_line_goes_on(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(counter)
    await asks(counter)
    await counter.call(B, OTHER)

    async def away(*_: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(counter.choosing, "again", away)
    counter.seats.let_go("other")
    assert await called(counter) == []
    assert counter.seat() == ("ringing_for", B)

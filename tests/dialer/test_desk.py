"""What an operator's screen shows and does, and what words of the CLI do to it: on real databases,
with a link that only notes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from db import campaigns, cases, escalations, operators, stops
from db.campaigns import CampaignState
from db.cases import FactKind
from db.errors import DatabaseError
from db.notices import NoticeKind
from db.notices import add as notice
from db.progress import progress
from db.session import Sessions
from dialer import desk as desk_module
from dialer.caller_ids import CallerIds
from dialer.calls import Line
from dialer.desk import OperatorsDesk
from dialer.errors import ConflictError, NotFoundError
from dialer.inbox import Inbox
from dialer.ledger import LedgerWriter
from dialer.metrics import Metrics
from dialer.months import Months
from dialer.results import Results
from dialer.sheets import Sheets
from dialer.web.case_models import ResultIn
from dialer.web.models import Me
from rules.call_events import Answered, Connected, HungUp, Rang
from rules.call_state import Call
from rules.operator_state import Event, Hold
from rules.result import ResultRefusedError
from tests.db.town import KEYS, NOON, OPERATOR, Town
from tests.dialer.fakes import turns
from tests.dialer.ordered import MOVED_ABROAD, WITHOUT_BUTTON, ordered, text
from tests.dialer.test_calls import Floor


class Centre(Floor):
    """Everything between the link and the web, on a database."""

    def __init__(self, town: Town) -> None:
        sessions: Sessions = town.sessions
        self.town = town
        self.months = Months()
        writer = LedgerWriter(
            sessions,
            lambda session, settled: self.results.settle_by_line(session, settled),
            lambda attempt: self.calls.settled(attempt),
        )
        super().__init__(NOON, writer)
        self.results = Results(sessions, self.months, KEYS, self.clock)
        self.sheets = Sheets(sessions, self.months)
        self.desk = OperatorsDesk(
            self.clock, sessions, self.seats, self.calls, writer, self.results, self.sheets, Metrics()
        )  # fmt: skip
        self.woken = 0
        self.legs_asked = 0
        self.ordered_read = 0
        self.inbox = Inbox(
            sessions, self.clock, self.months, self.calls, self.desk, CallerIds(["0258000101"]),
            self._wake, self._ask_legs, self._read_ordered
        )  # fmt: skip

    async def _read_ordered(self) -> None:
        self.ordered_read += 1

    def _wake(self) -> None:
        self.woken += 1

    def _ask_legs(self) -> None:
        self.legs_asked += 1

    def _seat_moved(self, before: object, after: object) -> None:
        self.desk.moved(before, after)
        super()._seat_moved(before, after)

    async def call(self, case: int, *facts: type) -> str:
        """Place a call to a case's first phone, and tell what becomes of it."""
        phone = await self.town.phone(case)
        attempt = await self.town.place(phone, self.clock.now())
        self.calls.take(
            Line(
                call=Call(attempt=attempt, placed_at=self.clock.now()),
                campaign_id=self.town.campaign_id,
                case_id=case,
                phone_id=phone.id,
                placed_s=self.clock.monotonic(),
            )
        )
        for fact in facts:
            self.clock.move(1)
            await self.tell(fact, attempt=attempt)
        return attempt

    async def shown(self) -> Me:
        """The screen of 201 once its case was read."""
        async with asyncio.timeout(30):
            while (me := self.desk.me(OPERATOR)).call is None:
                await self.seats.changed(OPERATOR, me.rev, 5)
        return me


@asynccontextmanager
async def open_centre(town: Town) -> AsyncIterator[Centre]:
    centre = Centre(town)
    await centre.inbox.open()
    task = asyncio.create_task(centre.ledger.run())
    yield centre
    await asyncio.gather(*centre.desk._loading)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def centre(town: Town) -> AsyncIterator[Centre]:
    """201 is free; case 1 has one fixed line."""
    await town.case("1", "0258000001")
    async with open_centre(town) as made:
        made.seats.move(OPERATOR, Event.LEG_UP)
        await made.desk.ready(OPERATOR)
        yield made


TALK = (Rang, Answered, Connected)


def result(attempt: str, **fields: object) -> ResultIn:
    return ResultIn(
        **{"attempt_id": attempt, "outcome": "person_done", "script_finished": True, **fields}
    )


# the screen ------------------------------------------------------------------------------------


async def test_the_screen_shows_the_case_from_the_moment_a_call_is_being_joined(
    centre: Centre,
) -> None:
    attempt = await centre.call(1, Rang, Answered)
    me = await centre.shown()
    assert (me.state.value, me.call.attempt_id, me.call.reference) == ("ringing_for", attempt, "1")
    assert (me.call.name, me.call.amount_yen, me.call.phone) == ("星野　架空", 12300, "0258000001")
    assert me.call.on_line
    assert me.call.ask_for_mobile  # fixed lines only (rule 16)
    await centre.tell(Connected, HungUp, attempt=attempt)
    me = await centre.shown()
    assert (me.state.value, me.call.on_line) == ("after_call_work", False)
    assert me.deadline is not None


async def test_a_saved_result_clears_the_screen_and_the_memory(centre: Centre) -> None:
    attempt = await centre.call(1, *TALK, HungUp)
    await centre.shown()
    me = await centre.desk.save_result(OPERATOR, result(attempt))
    assert (me.state.value, me.call) == ("free", None)
    assert centre.sheets._sheets == {}
    assert centre.calls.lines() == []
    assert await centre.town.standing(1) == ("complete", "ア")


async def test_earlier_calls_are_shown_the_oldest_first(centre: Centre) -> None:
    phone = await centre.town.phone(1)
    for hours in (30, 4):
        await centre.town.ring_out(phone, NOON - timedelta(hours=hours))
    await centre.call(1, *TALK)
    me = await centre.shown()
    assert [one.at for one in me.call.history] == [
        NOON - timedelta(hours=30),
        NOON - timedelta(hours=4),
    ]


async def test_a_contact_with_another_of_the_household_is_shown_and_an_unanswered_call_is_not(
    centre: Centre,
) -> None:
    town = centre.town
    same_number = await town.case("2", "0258000002", "0258000001")  # called on its other one
    same_household = await town.case("3", "0258000003", household="H1")
    stranger = await town.case("4", "0258000004")
    for case in (same_number, stranger):
        talk = await town.talk(await town.phone(case), NOON - timedelta(days=1))
        await centre.results.save(OPERATOR, result(talk))
    await town.ring_out(await town.phone(same_household), NOON - timedelta(days=1))
    await centre.call(1, *TALK)
    me = await centre.shown()
    assert [(one.at, one.outcome) for one in me.call.household] == [
        (NOON - timedelta(days=1), "person_done")
    ]


async def test_a_sheet_that_comes_when_the_call_is_gone_is_not_kept(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, go_on = asyncio.Event(), asyncio.Event()
    load = centre.sheets.load

    async def slow(attempt: str) -> None:
        await load(attempt)
        read.set()
        await go_on.wait()

    monkeypatch.setattr(centre.sheets, "load", slow)
    attempt = await centre.call(1, Answered)
    await asyncio.wait_for(read.wait(), 30)
    await centre.tell(HungUp, attempt=attempt)
    go_on.set()
    await turns()
    assert centre.sheets._sheets == {}


# the buttons -----------------------------------------------------------------------------------


async def test_a_button_that_does_not_fit_the_moment_is_refused_in_japanese(
    centre: Centre,
) -> None:
    for press in (centre.desk.hangup, centre.desk.leave_message):
        with pytest.raises(ConflictError, match="通話中ではありません"):
            await press(OPERATOR)
    attempt = await centre.call(1, *TALK)
    with pytest.raises(ConflictError, match="記録"):
        await centre.desk.ready(OPERATOR)
    with pytest.raises(ConflictError, match="通話中です"):
        await centre.desk.save_result(OPERATOR, result(attempt))
    centre.seats.move(OPERATOR, Event.LEG_LOST)
    await centre.tell(HungUp, attempt=attempt)
    await centre.desk.save_result(OPERATOR, result(attempt))
    with pytest.raises(ConflictError, match="電話機"):
        await centre.desk.ready(OPERATOR)


async def test_an_unknown_operator_is_told_so(centre: Centre) -> None:
    for ask in (centre.desk.ready, centre.desk.pause, centre.desk.hangup):
        with pytest.raises(NotFoundError):
            await ask("299")
    with pytest.raises(NotFoundError):
        await centre.desk.changed("299", 0, 1)


async def test_a_ticked_step_tells_pacing_how_far_the_talk_is(centre: Centre) -> None:
    for step in (0, 6):
        with pytest.raises(ConflictError, match="通話中ではありません"):
            await centre.desk.progress(OPERATOR, step, done=True)
    attempt = await centre.call(1, *TALK)
    connected_s = centre.clock.monotonic()
    centre.clock.move(20)
    me = await centre.desk.progress(OPERATOR, 0, done=True)
    assert me.state.value == "talking"
    centre.clock.move(20)
    await centre.desk.progress(OPERATOR, 4, done=True)
    await centre.desk.progress(OPERATOR, 4, done=False)  # by mistake
    await centre.desk.progress(OPERATOR, 1, done=True)
    (now,) = centre.seats.working()
    told = [(tick.share, tick.at_s - connected_s) for tick in now.ticks]
    assert told == [(0.125, pytest.approx(20)), (0.25, pytest.approx(40))]  # of seven steps
    with pytest.raises(NotFoundError, match="スクリプト"):
        await centre.desk.progress(OPERATOR, 7, done=True)
    await centre.tell(HungUp, attempt=attempt)
    assert centre.seats.working()[0].ticks == ()
    with pytest.raises(ConflictError, match="通話中ではありません"):
        await centre.desk.progress(OPERATOR, 2, done=True)


async def test_an_announced_break_is_shown_and_can_be_called_off(centre: Centre) -> None:
    me = await centre.desk.announce_break(OPERATOR, 600)
    assert me.break_at == centre.clock.now() + timedelta(minutes=10)
    assert centre.seats.working()[0].break_at_s == pytest.approx(centre.clock.monotonic() + 600)
    centre.clock.move(60)
    assert centre.desk.me(OPERATOR).break_at == me.break_at
    assert (await centre.desk.announce_break(OPERATOR, None)).break_at is None
    await centre.desk.announce_break(OPERATOR, 600)
    assert (await centre.desk.pause(OPERATOR)).break_at is None
    with pytest.raises(ConflictError, match="休憩の予定"):
        await centre.desk.announce_break(OPERATOR, 600)


async def test_a_break_in_no_time_is_a_pause(centre: Centre) -> None:
    await centre.desk.announce_break(OPERATOR, 0)
    async with asyncio.timeout(30):
        while (me := centre.desk.me(OPERATOR)).state.value != "paused":
            await centre.seats.changed(OPERATOR, me.rev, 5)


async def test_whoever_is_held_for_a_call_sees_its_case_until_it_comes_to_nothing(
    centre: Centre,
) -> None:
    phone = await centre.town.phone(1)
    centre.seats.hold(Hold(attempt="h", case_id=1, phone_id=phone.id))
    async with asyncio.timeout(30):
        while (me := centre.desk.me(OPERATOR)).preview is None:
            await centre.seats.changed(OPERATOR, me.rev, 5)
    assert (me.state.value, me.call) == ("free", None)
    assert (me.preview.attempt_id, me.preview.reference) == ("h", "1")
    assert me.preview.placed_at is None
    centre.place("h", case=1, campaign=centre.town.campaign_id)
    ringing = centre.desk.me(OPERATOR)
    assert ringing.rev > me.rev
    assert ringing.preview.placed_at == centre.clock.now()
    await centre.tell(Rang, HungUp, attempt="h")
    assert centre.desk.me(OPERATOR).preview is None
    assert centre.sheets._sheets == {}


async def test_the_case_stays_on_the_screen_of_whoever_was_held_as_the_call_is_answered(
    centre: Centre,
) -> None:
    phone = await centre.town.phone(1)
    attempt = await centre.town.place(phone, centre.clock.now())
    centre.seats.hold(Hold(attempt=attempt, case_id=1, phone_id=phone.id))
    async with asyncio.timeout(30):
        while (me := centre.desk.me(OPERATOR)).preview is None:
            await centre.seats.changed(OPERATOR, me.rev, 5)
    centre.place(attempt, case=1, campaign=centre.town.campaign_id)
    await centre.tell(Rang, Answered, attempt=attempt)
    me = centre.desk.me(OPERATOR)
    assert (me.state.value, me.preview) == ("ringing_for", None)
    assert (me.call.attempt_id, me.call.reference) == (attempt, "1")


async def test_an_offer_is_called_or_put_off_by_whoever_has_it(
    centre: Centre,
) -> None:
    pressed: list[tuple[str, str, str]] = []

    class Offers:
        async def dial(self, operator: str, attempt: str) -> None:
            pressed.append(("dial", operator, attempt))

        async def skip(self, operator: str, attempt: str) -> None:
            pressed.append(("skip", operator, attempt))

    centre.desk.previews = Offers()
    for press in (centre.desk.dial, centre.desk.skip):
        assert (await press(OPERATOR, "a")).state.value == "free"
        with pytest.raises(NotFoundError):
            await press("299", "a")
    assert pressed == [("dial", OPERATOR, "a"), ("skip", OPERATOR, "a")]


async def test_hanging_up_ends_the_persons_line_and_nothing_else(centre: Centre) -> None:
    attempt = await centre.call(1, *TALK)
    me = await centre.desk.hangup(OPERATOR)
    await turns()
    assert centre.link.sent[-1]["Action"] == "Hangup"
    assert centre.link.sent[-1]["Channel"] == attempt
    assert me.state.value == "talking"  # until the line is really gone


async def test_the_machine_gets_its_message_and_the_operator_the_next_call(centre: Centre) -> None:
    await centre.call(1, *TALK)
    me = await centre.desk.leave_message(OPERATOR)
    assert (me.state.value, me.call) == ("free", None)


async def test_a_pause_asked_for_in_a_talk_begins_when_its_result_is_saved(centre: Centre) -> None:
    attempt = await centre.call(1, *TALK)
    assert (await centre.desk.pause(OPERATOR)).state.value == "talking"
    await centre.tell(HungUp, attempt=attempt)
    me = await centre.desk.save_result(OPERATOR, result(attempt))
    assert me.state.value == "paused"
    await centre.ledger.flushed()
    async with centre.town.sessions.read() as session:
        (row,) = await operators.all_operators(session)
    assert row.ready is False


async def test_a_result_the_rules_refuse_leaves_everything_as_it_is(centre: Centre) -> None:
    attempt = await centre.call(1, *TALK, HungUp)
    with pytest.raises(ResultRefusedError):
        await centre.desk.save_result(OPERATOR, result(attempt, script_finished=False))
    assert centre.seat()[0] == "after_call_work"
    assert centre.calls.line(attempt) is not None


async def test_a_saved_result_is_corrected_from_any_state(centre: Centre) -> None:
    attempt = await centre.call(1, *TALK, HungUp)
    await centre.desk.save_result(OPERATOR, result(attempt))
    me = await centre.desk.correct_result(OPERATOR, result(attempt, outcome="third_party"))
    assert me.state.value == "free"
    assert await centre.town.standing(1) == ("open", None)


async def test_a_result_waits_for_the_ledger_and_is_refused_when_it_cannot_be_written(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "FLUSH_S", 0.05)
    await town.case("1", "0258000001")
    centre = Centre(town)  # nobody writes its ledger
    await centre.inbox.open()
    centre.seats.move(OPERATOR, Event.LEG_UP)
    await centre.desk.ready(OPERATOR)
    attempt = await centre.call(1, *TALK, HungUp)
    with pytest.raises(DatabaseError):
        await centre.desk.save_result(OPERATOR, result(attempt))
    assert centre.seat()[0] == "after_call_work"


# words of the CLI ------------------------------------------------------------------------------


async def test_a_stop_order_silences_its_case_within_one_look(centre: Centre) -> None:
    attempt = await centre.call(1, Rang)
    async with centre.town.sessions.write() as session:
        await stops.order(session, KEYS.person("P1"), at=NOON, by="tests")
    await centre.inbox.look()
    await turns()
    assert [one["Channel"] for one in centre.link.sent] == [attempt]
    assert centre.woken == 1
    await centre.inbox.look()
    await turns()
    assert (len(centre.link.sent), centre.woken) == (1, 1)  # each word is heard once


async def test_a_stop_order_in_a_talk_is_shown_to_its_operator(centre: Centre) -> None:
    await centre.call(1, *TALK)
    before = await centre.shown()
    async with centre.town.sessions.write() as session:
        await stops.order(session, KEYS.person("P1"), at=NOON, by="tests")
        await centre.town.refresh(session, 1, now=NOON)
    await centre.inbox.look()
    async with asyncio.timeout(30):
        while (me := centre.desk.me(OPERATOR)).call.case_status.value != "stopped":
            await centre.seats.changed(OPERATOR, me.rev, 5)
    assert me.rev > before.rev
    assert me.state.value == "talking"
    assert "Hangup" not in centre.link.names()


async def test_an_emergency_stop_silences_everything_until_it_is_lifted(centre: Centre) -> None:
    await centre.call(1, Rang)
    async with centre.town.sessions.write() as session:
        await stops.set_emergency(session, at=NOON, by="tests")
    await centre.inbox.look()
    await turns()
    assert (centre.inbox.emergency, centre.link.names()) == (True, ["Hangup"])
    async with centre.town.sessions.write() as session:
        await stops.lift_emergency(session, at=NOON, by="tests")
    await centre.inbox.look()
    assert not centre.inbox.emergency


async def test_an_emergency_stop_that_stood_at_the_start_is_known(town: Town) -> None:
    async with town.sessions.write() as session:
        await stops.set_emergency(session, at=NOON, by="tests")
    async with open_centre(town) as centre:
        assert centre.inbox.emergency


@pytest.mark.parametrize(
    ("state", "hang_ups"), [(CampaignState.PAUSED, []), (CampaignState.CLOSED, ["Hangup"])]
)
async def test_a_closed_campaigns_calls_are_hung_up_and_a_paused_ones_end_by_themselves(
    centre: Centre, state: CampaignState, hang_ups: list[str]
) -> None:
    await centre.call(1, Rang)
    async with centre.town.sessions.write() as session:
        await campaigns.set_state(session, "2026-09", state, at=NOON, by="tests")
    await centre.inbox.look()
    await turns()
    assert centre.link.names() == hang_ups
    assert centre.months.running() == []


async def test_a_new_operator_sits_down_and_a_removed_one_is_refused(centre: Centre) -> None:
    async with centre.town.sessions.write() as session:
        await operators.add(session, "202", "二番", at=NOON, by="tests")
        await operators.deactivate(session, OPERATOR, at=NOON, by="tests")
    await centre.inbox.look()
    assert set(centre.desk.tokens()) == {"202"}
    assert centre.desk.me("202").state.value == "away"
    with pytest.raises(NotFoundError):
        centre.desk.me(OPERATOR)
    assert centre.legs_asked == 2


async def test_a_new_criterion_of_the_city_is_offered_and_a_removed_one_is_not(
    centre: Centre,
) -> None:
    async with centre.town.sessions.write() as session:
        added = [
            await escalations.add_criterion(session, label, talk_result=None, at=NOON, by="市")
            for label in ("苦情の申出", "分割の相談")
        ]
    await centre.inbox.look()
    assert [one.label for one in centre.desk.criteria()] == ["苦情の申出", "分割の相談"]
    async with centre.town.sessions.write() as session:
        await escalations.remove_criterion(session, added[0], at=NOON, by="市")
    await centre.inbox.look()
    assert [(one.id, one.label) for one in centre.desk.criteria()] == [(added[1], "分割の相談")]


async def test_every_screen_tells_of_an_appointment_that_is_near_and_of_nobody(
    centre: Centre,
) -> None:
    assert centre.desk.me(OPERATOR).next_appointment is None
    centre.desk.next_appointment = lambda: NOON
    assert centre.desk.me(OPERATOR).next_appointment == NOON


async def test_an_order_of_another_profile_is_in_force_on_the_screens_at_the_next_look(
    centre: Centre,
) -> None:
    assert "moved_abroad" not in centre.desk.profile(OPERATOR).outcomes
    await ordered(centre.town, text(MOVED_ABROAD), NOON.date(), NOON)
    await centre.inbox.look()
    assert "moved_abroad" in centre.desk.profile(OPERATOR).outcomes
    # tomorrow's order is not yet today's
    tomorrow = text(MOVED_ABROAD, WITHOUT_BUTTON)
    await ordered(centre.town, tomorrow, NOON.date() + timedelta(days=1), NOON)
    await centre.inbox.look()
    await centre.call(1, *TALK)
    assert "operator" in centre.desk.profile(OPERATOR).outcomes["fax"].by


async def test_a_call_of_yesterday_keeps_yesterdays_outcomes_on_its_screen(centre: Centre) -> None:
    await ordered(centre.town, text(WITHOUT_BUTTON), NOON.date() + timedelta(days=1), NOON)
    await centre.call(1, *TALK)
    async with centre.town.sessions.read() as session:
        await centre.months.reload(session, NOON + timedelta(days=1))
    assert "operator" in centre.desk.profile(OPERATOR).outcomes["fax"].by


async def test_new_cases_wake_the_pacer(centre: Centre) -> None:
    async with centre.town.sessions.write() as session:
        await notice(session, NoticeKind.CASES, at=NOON, by="tests")
    await centre.inbox.look()
    assert centre.woken == 1


async def test_a_word_that_cannot_be_acted_on_now_is_heard_again(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    await centre.call(1, Rang)
    async with centre.town.sessions.write() as session:
        await stops.set_emergency(session, at=NOON, by="tests")
    reload = centre.months.reload

    async def away(*_arguments: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(centre.months, "reload", away)
    with pytest.raises(DatabaseError):
        await centre.inbox.look()
    monkeypatch.setattr(centre.months, "reload", reload)
    await centre.inbox.look()
    await turns()
    assert centre.link.names() == ["Hangup"]


# numbers without persons -----------------------------------------------------------------------


async def test_a_campaigns_progress_is_counted(town: Town) -> None:
    done = await town.case("1", "0258000001")
    ringing = await town.case("2", "0258000002", "0258000012")
    stopped = await town.case("3", "0258000003")
    await town.case("4", "0258000004")
    yesterday = await town.phone(await town.case("5", "0258000005"))
    await town.ring_out(yesterday, NOON - timedelta(days=1))
    talk = await town.talk(await town.phone(done))
    async with town.sessions.write() as session:
        await town.save(session, talk, done, "refused", NOON)
        await cases.add_fact(session, stopped, FactKind.STOP, at=NOON, by="tests")
        await town.refresh(session, stopped, now=NOON)
    await town.ring_out(await town.phone(ringing))
    other = await Town(town.sessions).open("2026-10")
    await other.case("9", "0258000099")

    now = NOON + timedelta(minutes=1)
    async with town.sessions.read() as session:
        told = await progress(session, town.campaign_id, now, NOON.replace(hour=0))
    assert (told.cases, told.open, told.complete) == (5, 3, 1)
    assert told.outcomes_since == {"refused": 1, "no_answer": 1}
    assert told.placed_since == 2
    assert told.due == 2  # case 4, and case 5 on another day in another band
    assert told.next_due is None


async def test_when_nobody_is_due_the_next_one_is_told(town: Town) -> None:
    phone = await town.phone(await town.case("1", "0258000001"))
    await town.ring_out(phone)
    async with town.sessions.read() as session:
        told = await progress(session, town.campaign_id, NOON + timedelta(minutes=1), NOON)
    assert told.due == 0
    assert told.next_due == (await town.phone(phone.case_id)).due_at > NOON


async def test_an_empty_campaign_has_no_next_call(town: Town) -> None:
    async with town.sessions.read() as session:
        told = await progress(session, town.campaign_id, NOON, NOON)
    assert (told.cases, told.due, told.next_due, told.outcomes_since) == (0, 0, None, {})

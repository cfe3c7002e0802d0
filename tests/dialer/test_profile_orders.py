"""An order of another profile in mid-month, on both databases: what it refuses, and when it is in force."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256
from types import SimpleNamespace

import pytest

from db import campaigns, notices, profile_orders
from db.campaigns import CampaignState
from db.errors import DatabaseError
from db.tables import ProfileOrder
from dialer.errors import ConflictError, NotFoundError
from dialer.months import Month, Months
from dialer.new_day import NewDay
from dialer.profiles import ProfileText
from rules.calendar import JST
from rules.eligibility import next_from
from rules.history import state_of
from rules.profile import ProfileError
from tests.db.town import NOON, PERIOD, Town, at
from tests.dialer.fakes import StillClock
from tests.dialer.ordered import (
    EARLY_CLOSING,
    MOVED_ABROAD,
    SHIPPED,
    TWO_ATTEMPTS,
    WITHOUT_FAX,
    ordered,
    text,
)

TODAY = NOON.date()
TOMORROW = TODAY + timedelta(days=1)


async def month_on(town: Town, day: date) -> Month:
    months = Months()
    async with town.sessions.read() as session:
        await months.reload(session, NOON + (day - TODAY))
    return months.get(town.campaign_id)


async def given(town: Town) -> list[ProfileOrder]:
    async with town.sessions.read() as session:
        return await profile_orders.of_campaign(session, town.campaign_id)


async def due_at(town: Town, case: int) -> object:
    due = (await town.phone(case)).due_at
    return due and due.astimezone(JST)


async def test_an_order_holds_from_its_day_on_and_is_kept_with_who_gave_it_and_when(
    town: Town,
) -> None:
    done = await ordered(town, text(EARLY_CLOSING), TOMORROW, NOON)
    assert (done.before.hours.weekday.closes.hour, done.after.hours.weekday.closes.hour) == (20, 19)
    assert done.next_day is None
    for asked in (TODAY, TOMORROW):
        profile = (await month_on(town, asked)).profile
        assert profile.hours.weekday.closes.hour == (20 if asked == TODAY else 19)
        assert profile.since <= asked <= profile.until
        assert profile.on(TODAY).hours.weekday.closes.hour == 20
        assert profile.on(TOMORROW).hours.weekday.closes.hour == 19
    # a campaign made before there were orders: what held until now is kept beside it
    first, order = await given(town)
    assert (first.from_day, first.text) == (PERIOD[0], SHIPPED.text)
    assert (order.name, order.from_day, order.ordered_by) == ("nagaoka-r8", TOMORROW, "市担当")
    assert order.ordered_at.astimezone(JST) == NOON
    assert order.text == text(EARLY_CLOSING).text
    assert order.sha256 == sha256(order.text.encode()).hexdigest()


async def test_a_campaign_without_orders_is_called_by_the_shipped_profile_of_its_name(
    town: Town,
) -> None:
    assert await given(town) == []
    assert (await month_on(town, TODAY)).profile.name == "nagaoka-r8"


async def test_a_change_of_the_shipped_file_does_not_reach_a_campaign_with_an_order(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ordered(town, text(TWO_ATTEMPTS), PERIOD[0], at("20 09:00"))
    monkeypatch.setattr("dialer.months.load_profile", None)  # it is not even asked
    assert (await month_on(town, TODAY)).profile.attempts == 2


async def test_the_service_hears_of_it_and_the_cases_are_folded_in_the_same_transaction(
    town: Town,
) -> None:
    case = await town.case("1", "0258000001", now=at("24 19:50"))
    other = await town.case("2", "0258000002")
    await town.ring_out(await town.phone(other), at("21 10:00"))
    await town.ring_out(await town.phone(other), at("22 13:00"))
    async with town.sessions.read() as session:
        before = await notices.newest_id(session)
    await ordered(town, text(TWO_ATTEMPTS), TODAY, NOON)
    assert await town.standing(case) == ("open", None)
    assert await town.standing(other) == ("complete", "カ")
    async with town.sessions.read() as session:
        [notice] = await notices.newer_than(session, before)
    assert (notice.kind, notice.by) == ("campaign", "市担当")


async def test_a_phone_becomes_due_by_the_hours_of_the_day_that_is_to_come(town: Town) -> None:
    late = (
        'weekday: {opens: "09:00", closes: "20:00"}',
        'weekday: {opens: "10:30", closes: "20:00"}',
    )
    case = await town.case("1", "0258000001", now=at("24 19:59"))
    assert await due_at(town, case) == at("25 09:00")
    await ordered(town, text(late), TOMORROW, at("24 19:59"))
    assert await due_at(town, case) == at("25 10:30")


async def test_of_two_orders_for_a_day_the_later_given_holds_and_both_are_kept(town: Town) -> None:
    await ordered(town, text(TWO_ATTEMPTS), TOMORROW, NOON)
    await ordered(town, text(EARLY_CLOSING), TOMORROW, NOON)
    profile = (await month_on(town, TOMORROW)).profile
    assert (profile.attempts, profile.hours.weekday.closes.hour) == (3, 19)
    assert [order.from_day for order in await given(town)] == [PERIOD[0], TOMORROW, TOMORROW]


async def test_an_order_for_an_earlier_day_holds_until_the_one_given_before_it(town: Town) -> None:
    await ordered(town, text(EARLY_CLOSING), TOMORROW, NOON)
    done = await ordered(town, text(TWO_ATTEMPTS), TODAY, NOON)
    assert done.next_day == TOMORROW
    profile = (await month_on(town, TODAY)).profile
    assert [profile.on(day).attempts for day in (TODAY, TOMORROW)] == [2, 3]


@pytest.mark.parametrize(
    ("written", "from_day", "name", "told"),
    [
        (text(EARLY_CLOSING), TODAY - timedelta(days=1), "2026-09", "is past"),
        (text(EARLY_CLOSING), PERIOD[1] + timedelta(days=1), "2026-09", "not in its period"),
        (text(WITHOUT_FAX), TOMORROW, "2026-09", "outcomes fax are missing"),
        (text(EARLY_CLOSING), TODAY, "2026-10", "does not exist"),
        (text(("value: 66,", "value: 65,")), TODAY, "2026-09", "closing_margin_s"),
        (ProfileText("other", SHIPPED.text), TODAY, "2026-09", "not 'other'"),
    ],
)
async def test_an_order_that_cannot_be_is_refused_and_nothing_is_kept(
    town: Town, written: ProfileText, from_day: date, name: str, told: str
) -> None:
    with pytest.raises((ConflictError, NotFoundError, ProfileError), match=told):
        await ordered(town, written, from_day, NOON, name)
    assert await given(town) == []


async def test_what_holds_already_is_not_ordered_again(town: Town) -> None:
    await ordered(town, text(EARLY_CLOSING), TODAY, NOON)
    with pytest.raises(ConflictError, match="holds already"):
        await ordered(town, text(EARLY_CLOSING), TOMORROW, NOON)
    await ordered(town, SHIPPED, TOMORROW, NOON)
    assert [order.from_day for order in await given(town)] == [PERIOD[0], TODAY, TOMORROW]


async def test_a_closed_campaign_takes_no_order(town: Town) -> None:
    async with town.sessions.write() as session:
        await campaigns.set_state(session, "2026-09", CampaignState.CLOSED, at=NOON, by="x")
    with pytest.raises(ConflictError, match="is closed"):
        await ordered(town, text(EARLY_CLOSING), TODAY, NOON)


async def test_a_draft_may_lose_outcomes_but_for_those_recorded(
    sessions: object, town: Town
) -> None:
    async with town.sessions.write() as session:
        await campaigns.create(
            session, "d", profile="nagaoka-r8", period_from=PERIOD[0], period_to=PERIOD[1], at=NOON
        )
    done = await ordered(town, text(WITHOUT_FAX), TODAY, NOON, "d")
    assert "fax" not in done.after.outcomes


async def test_an_outcome_recorded_and_corrected_since_stays_known_too(town: Town) -> None:
    await ordered(town, text(MOVED_ABROAD), TODAY, NOON)
    case = await town.case("1", "0258000001")
    async with town.sessions.read() as session:
        assert await profile_orders.outcomes_used(session, town.campaign_id) == set()
    attempt = await town.place(await town.phone(case), NOON)
    async with town.sessions.write() as session:
        await town.save(session, attempt, case, "no_answer", NOON)
        assert await profile_orders.outcomes_used(session, town.campaign_id) == {"no_answer"}


# the days ---------------------------------------------------------------------------------------


class Nights:
    """The service's months and clock, from one day into the next."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.clock = StillClock(NOON)
        self.months = Months()
        self.woken = 0
        self.new_day = NewDay(town.sessions, self.clock, self.months, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    async def look(self) -> None:
        await self.new_day.look()

    async def next_day(self, days: int = 1) -> None:
        self.clock.move(days * 86_400)
        await self.new_day.look()

    @property
    def attempts(self) -> int:
        return self.months.profile(self.town.campaign_id).attempts


@pytest.fixture
async def used_up(town: Town) -> int:
    """A case with two attempts of three, none of which can follow: the period is too short for it."""
    case = await town.case("1", "0258000001")
    await town.ring_out(await town.phone(case), at("21 10:00"))
    await town.ring_out(await town.phone(case), at("22 13:00"))
    return case


async def test_the_next_days_values_are_taken_up_and_the_cases_folded_again(
    town: Town, used_up: int
) -> None:
    await ordered(town, text(TWO_ATTEMPTS), TOMORROW, NOON)
    nights = Nights(town)
    await nights.look()
    assert (nights.attempts, nights.woken) == (3, 1)
    assert await town.standing(used_up) == ("open", None)
    await nights.look()
    assert nights.woken == 1  # the same day: nothing to do
    await nights.next_day()
    assert (nights.attempts, nights.woken) == (2, 2)
    assert await town.standing(used_up) == ("complete", "カ")


async def test_a_change_that_came_while_the_service_was_away_is_taken_up_at_its_start(
    town: Town, used_up: int
) -> None:
    await ordered(town, text(TWO_ATTEMPTS), TOMORROW, NOON)
    nights = Nights(town)
    await nights.next_day(2)
    assert await town.standing(used_up) == ("complete", "カ")


async def test_a_closed_month_and_one_without_a_change_are_left_alone(
    town: Town, used_up: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded: list[object] = []

    async def refresh(*arguments: object) -> None:
        folded.append(arguments)

    nights = Nights(town)
    await nights.look()
    await ordered(town, text(TWO_ATTEMPTS), TOMORROW, NOON)
    async with town.sessions.write() as session:
        await campaigns.set_state(session, "2026-09", CampaignState.CLOSED, at=NOON, by="x")
    monkeypatch.setattr("dialer.new_day.cases.refresh", refresh)
    await nights.next_day()
    assert (nights.attempts, folded) == (2, [])


async def test_a_clock_set_back_brings_back_the_days_values_and_no_harm(
    town: Town, used_up: int
) -> None:
    await ordered(town, text(TWO_ATTEMPTS), TOMORROW, NOON)
    nights = Nights(town)
    await nights.next_day()
    await nights.next_day(-1)
    assert nights.attempts == 3
    await nights.next_day()
    assert nights.attempts == 2
    assert await town.standing(used_up) == ("complete", "カ")


async def test_a_day_that_the_database_did_not_take_is_begun_at_the_next_look(
    town: Town, used_up: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ordered(town, text(TWO_ATTEMPTS), TOMORROW, NOON)
    nights = Nights(town)
    await nights.look()

    async def away(*_: object) -> None:
        raise DatabaseError("away")

    with monkeypatch.context() as patched:
        patched.setattr("dialer.new_day.cases.refresh", away)
        with pytest.raises(DatabaseError):
            await nights.next_day()
    await nights.look()
    assert await town.standing(used_up) == ("complete", "カ")


async def test_the_projection_of_a_phone_is_what_the_rules_say_across_the_change(
    town: Town,
) -> None:
    case = await town.case("1", "0258000001")
    await ordered(town, text(EARLY_CLOSING, TWO_ATTEMPTS), TOMORROW, NOON)
    month = await month_on(town, TODAY)
    phone = await town.phone(case)
    known = SimpleNamespace(id=phone.id, kind="fixed")
    state = state_of(SimpleNamespace(phones=(known,)), [], month.profile, month.calendar)
    expected = next_from(state, phone.id, NOON, month.calendar, month.profile)
    assert await due_at(town, case) == expected

"""Cases as the plan sees them: at most two phones at a time, and what is believed of each."""

from __future__ import annotations

from datetime import datetime

import pytest

from dialer.planning.model import DONE, NEVER, PhonePart, State
from dialer.planning.units import WISH_ODDS, Group, beliefs_of
from rules.case import AttemptMade, Case, Fact, PaymentKnown, Phone, PhoneKind, Result, StopOrdered
from rules.wishes import Wish
from tests.dialer.planning.month import (
    BEGIN,
    EVENINGS,
    PUBLISHED,
    case_of,
    known,
    slots,
    units,
)
from tests.rules.stories import at

NEW = PhonePart(left=3, last=NEVER, met=False, today=False)
MORNING, AFTERNOON, EVENING = range(3)
MEANS = {cell: rate.mean for cell, rate in PUBLISHED.contacts.items()}
NEW_NUMBER = Case(
    id=1,
    phones=(
        Phone(id=10, kind=PhoneKind.MOBILE),
        Phone(id=11, kind=PhoneKind.FIXED),
        Phone(id=12, kind=PhoneKind.FIXED),
    ),
)
"""A third phone was named in a call."""


def made(when: str, phone: int, outcome: str = "voicemail_left") -> AttemptMade:
    return AttemptMade(at=at(when), phone=phone, result=Result(outcome=outcome))


@pytest.mark.parametrize(
    ("facts", "now", "phones", "state"),
    [
        # nothing happened
        ([], BEGIN, (10, 11), (NEW, NEW)),
        # one was called today, in the morning
        (
            [made("20 10:00", 10)],
            at("20 12:00"),
            (10, 11),
            (PhonePart(2, MORNING, met=False, today=True), NEW),
        ),
        # … and on Saturday evening's next day nothing is of today
        (
            [made("20 10:00", 10), made("21 13:00", 10)],
            at("22 09:00"),
            (10, 11),
            (PhonePart(1, AFTERNOON, met=True, today=False), NEW),
        ),
        # busy once is no attempt
        ([made("20 10:00", 10, "busy")], at("20 11:00"), (10, 11), (NEW, NEW)),
        # a closed phone is left out: the other one comes first
        ([made("20 10:00", 10, "wrong_number")], at("20 11:00"), (11,), (NEW, DONE)),
        # so is one without attempts left
        (
            [made("20 10:00", 10), made("21 13:00", 10), made("24 18:00", 10)],
            at("25 09:00"),
            (11,),
            (NEW, DONE),
        ),
    ],
)
def test_a_case_is_a_pair_of_what_is_left_of_its_phones(
    facts: list[Fact], now: datetime, phones: tuple[int, ...], state: State
) -> None:
    (unit,) = units(known(case_of(1, 2), *facts), now=now)
    assert (unit.phones, unit.state) == (phones, state)
    assert not unit.reached


def test_a_third_phone_makes_a_further_unit_and_fixed_lines_come_first() -> None:
    first, second = units(known(NEW_NUMBER))
    assert (first.phones, second.phones) == ((11, 12), (10,))
    assert first.group.kinds == (PhoneKind.FIXED, PhoneKind.FIXED)
    assert second.group.kinds == (PhoneKind.MOBILE, None)
    assert (first.case_id, second.case_id) == (1, 1)


def test_cases_that_differ_only_in_the_order_of_their_phones_are_of_one_group() -> None:
    one = case_of(1, kinds=[PhoneKind.FIXED, PhoneKind.MOBILE], phones=2)
    other = case_of(2, kinds=[PhoneKind.MOBILE, PhoneKind.FIXED], phones=2)
    first, second = units(known(one), known(other))
    assert first.group == second.group
    assert second.phones == (21, 20)


@pytest.mark.parametrize(
    "ended",
    [
        made("20 10:00", 10, "refused"),
        PaymentKnown(at=at("20 10:00")),
        StopOrdered(at=at("20 10:00")),
    ],
)
def test_a_case_that_ended_is_not_planned(ended: Fact) -> None:
    assert units(known(case_of(1, 2), ended)) == []


def test_a_case_without_phones_is_not_planned() -> None:
    assert units(known(Case(id=1, phones=()))) == []


def test_a_case_that_was_reached_and_goes_on_is_told_apart() -> None:
    (unit,) = units(known(case_of(1), made("20 10:00", 10, "person_incomplete")))
    assert unit.reached


@pytest.mark.parametrize(
    ("wish", "fitting"),
    [
        (EVENINGS, {"夜"}),
        (Wish(bands=frozenset(), non_weekday=True), {"午前*", "午後*"}),
        (Wish(bands=frozenset(), non_weekday=False), {"午前", "午後", "夜"}),
        # both must fit
        (Wish(bands=frozenset({"午前"}), non_weekday=True), {"午前*"}),
    ],
)
def test_a_wish_raises_the_odds_where_it_fits_and_lowers_them_elsewhere(
    wish: Wish, fitting: set[str]
) -> None:
    """Bands of non-weekdays are written with an asterisk."""
    kinds = (PhoneKind.FIXED, None)
    days = slots()
    beliefs = beliefs_of([Group(kinds, None), Group(kinds, wish)], days, PUBLISHED, MEANS)
    for t, slot in enumerate(days):
        plain, wished = beliefs.contact[:, 0, t, 0]
        ratio = (wished / (1 - wished)) / (plain / (1 - plain))
        fits = slot.band + "*" * slot.non_weekday in fitting
        assert ratio == pytest.approx(WISH_ODDS if fits else 1 / WISH_ODDS), slot


def test_learning_is_worth_less_every_day_and_nothing_on_the_last() -> None:
    days = slots()
    beliefs = beliefs_of([Group((PhoneKind.FIXED, None), None)], days, PUBLISHED, MEANS)
    mornings = [t for t, slot in enumerate(days) if slot.band == "午前" and not slot.non_weekday]
    worth = beliefs.curiosity[0, 0, mornings, 0]
    assert (worth[:-1] > worth[1:]).all()
    assert worth[-1] == 0
    assert not beliefs.contact[0, 1].any(), "there is no second phone"

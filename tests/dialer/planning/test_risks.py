"""Which phones are in danger, and what a supervisor is warned of."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from dialer.planning.figures import BandFigures, Figures
from dialer.planning.plan import Shortfall
from dialer.planning.risks import Danger, PhoneRisk, phones_at_risk, warnings
from dialer.planning.units import Known
from rules.calendar import Calendar
from rules.case import AttemptMade, Fact, Result
from rules.history import state_of
from tests.dialer.planning.month import case_of
from tests.rules.stories import NOVEMBER, PROFILE, at

FRIDAY, SATURDAY, SUNDAY, HOLIDAY, TUESDAY, WEDNESDAY = (
    date(2026, 11, day) for day in (20, 21, 22, 23, 24, 25)
)


def calendar(first: date, last: date, *excluded: date) -> Calendar:
    return Calendar(
        period_from=first,
        period_to=last,
        excluded=frozenset(excluded),
        holidays=NOVEMBER.holidays,
    )


def made(when: str, phone: int = 10, outcome: str = "voicemail_left") -> AttemptMade:
    return AttemptMade(at=at(when), phone=phone, result=Result(outcome=outcome))


def known(month: Calendar, *facts: Fact, number: int = 1, phones: int = 1) -> Known:
    case = case_of(number, phones)
    state = state_of(case, facts, PROFILE, month)
    return Known(case=case, state=state, contacted=False, wish=None)


def risks(month: Calendar, now: datetime, *cases: Known, short: dict[int, int] | None = None):
    shortfalls = [
        Shortfall(case_id=phone // 10, phone_id=phone, missing=n)
        for phone, n in (short or {}).items()
    ]
    by_id = {int(one.case.id): one for one in cases}
    return phones_at_risk(by_id, shortfalls, now, month, PROFILE)


@pytest.mark.parametrize(
    ("month", "now", "facts", "short", "expected"),
    [
        # ten days: no danger
        (NOVEMBER, "20 08:00", [], 0, None),
        # ten days, but nobody to call
        (NOVEMBER, "20 08:00", [], 2, (Danger.OPERATORS, 2, False, 28)),
        # Fri-Mon: one day may be lost
        (calendar(FRIDAY, HOLIDAY), "20 08:00", [], 0, (Danger.NEAR, 0, False, 21)),
        # … not two of them
        (calendar(FRIDAY, SUNDAY), "20 08:00", [], 0, (Danger.NEAR, 0, False, 20)),
        # Fri-Tue: two days may be lost
        (calendar(FRIDAY, TUESDAY), "20 08:00", [], 0, None),
        # the operators' time is named where days would suffice, however few
        (calendar(FRIDAY, HOLIDAY), "20 08:00", [], 1, (Danger.OPERATORS, 1, False, 21)),
        # two days are too few for three attempts, whoever is there
        (calendar(FRIDAY, SATURDAY), "20 08:00", [], 3, (Danger.LOST, 1, False, 20)),
        # two weekdays: no non-weekday either
        (calendar(TUESDAY, WEDNESDAY), "20 08:00", [], 0, (Danger.LOST, 1, True, 24)),
        # the only non-weekday was taken out
        (
            calendar(FRIDAY, WEDNESDAY, SATURDAY, SUNDAY, HOLIDAY),
            "20 08:00",
            [],
            0,
            (Danger.LOST, 0, True, 20),
        ),
        # the evening of the last day is over
        (calendar(FRIDAY, FRIDAY), "20 19:58:55", [], 3, (Danger.LOST, 3, True, None)),
        # two are made, the third is owed on one of two days left, of which one is a Saturday
        (
            NOVEMBER,
            "29 08:00",
            [made("20 10:00"), made("24 13:00")],
            0,
            (Danger.NEAR, 0, False, 29),
        ),
        # all are made, closed, ended: nothing is owed
        (NOVEMBER, "30 19:00", [made("20 10:00"), made("21 13:00"), made("22 09:00")], 0, None),
        (NOVEMBER, "30 19:00", [made("20 10:00", outcome="wrong_number")], 0, None),
        (NOVEMBER, "30 19:00", [made("20 10:00", outcome="refused")], 0, None),
    ],
)
def test_a_phone_is_in_the_worst_danger_it_is_in(
    month: Calendar,
    now: str,
    facts: list[Fact],
    short: int,
    expected: tuple[Danger, int, bool, int | None] | None,
) -> None:
    """Expected: danger, attempts missing, weekend missed, day of the deadline."""
    found = risks(month, at(now), known(month, *facts), short={10: short} if short else None)
    if expected is None:
        assert found == []
        return
    danger, missing, weekend, deadline = expected
    assert found == [
        PhoneRisk(
            case_id=1,
            phone_id=10,
            danger=danger,
            missing=missing,
            weekend_missed=weekend,
            deadline=date(2026, 11, deadline) if deadline else None,
        )
    ]


def test_the_worst_come_first_and_each_phone_of_a_case_is_judged_by_itself() -> None:
    now = at("29 08:00")  # Sunday; only the Monday follows
    cases = [
        known(NOVEMBER, made("21 10:00"), made("24 13:00"), number=1),
        known(NOVEMBER, made("21 10:00", 20), made("24 13:00", 20), number=2),
        known(NOVEMBER, made("21 10:00", 30), made("24 13:00", 30), number=3, phones=2),
    ]
    found = risks(NOVEMBER, now, *cases, short={20: 1})
    assert [(risk.phone_id, risk.danger) for risk in found] == [
        (31, Danger.LOST),
        (20, Danger.OPERATORS),
        (10, Danger.NEAR),
        (30, Danger.NEAR),
    ]


def band(day: date, name: str = "午前", *, hours: float = 9.0) -> BandFigures:
    return BandFigures(
        day=day,
        band=name,
        non_weekday=NOVEMBER.is_non_weekday(day),
        operator_hours=hours,
        needed_hours=6.0,
        wanted_hours=7.0,
        attempts=10,
        contacts=2,
        worth_of_hour=0.1,
    )


def figures(
    *bands: BandFigures, expected: float = 60, cases: int = 100, missing: int = 0
) -> Figures:
    return Figures(
        cases=cases,
        phones=cases,
        called=0,
        contacted=0,
        expected=expected,
        expected_low=expected / 2,
        expected_high=expected,
        all_cases=cases,
        goal=0.5,
        short=missing,
        missing_attempts=missing,
        missing_hours=missing / 40,
        bands=list(bands),
    )


@pytest.mark.parametrize(
    ("sums", "month", "told"),
    [
        (figures(band(FRIDAY), band(SATURDAY)), NOVEMBER, []),
        # §6(2): non-weekdays
        (figures(band(FRIDAY)), calendar(FRIDAY, SATURDAY), ["1 non-weekdays to call on"]),
        (figures(), calendar(FRIDAY, HOLIDAY, SUNDAY, HOLIDAY), ["1 non-weekdays to call on"]),
        (figures(), calendar(FRIDAY, SUNDAY), []),
        # nobody is rostered: of the whole day
        (figures(band(FRIDAY, hours=0)), NOVEMBER, ["2026-11-20: no operator"]),
        (figures(band(FRIDAY, hours=0), band(FRIDAY, "夜")), NOVEMBER, []),
        # the operators' time does not suffice
        (
            figures(band(FRIDAY), missing=20),
            NOVEMBER,
            ["20 attempts cannot be made: they take about 0.5 more operator-hours"],
        ),
        # §8(1): the goal
        (
            figures(expected=49),
            NOVEMBER,
            ["the contact rate is expected to be 49%, the goal is 50%"],
        ),
        (figures(expected=50), NOVEMBER, []),
        # a month without cases has no rate
        (figures(expected=0, cases=0), NOVEMBER, []),
    ],
)
def test_a_supervisor_is_warned_while_there_is_time(
    sums: Figures, month: Calendar, told: list[str]
) -> None:
    found = list(warnings(sums, month, PROFILE))
    assert len(found) == len(told)
    for warning, beginning in zip(found, told, strict=True):
        assert warning.startswith(beginning)


def test_days_that_are_over_still_count_as_non_weekdays_worked() -> None:
    assert list(warnings(figures(band(WEDNESDAY)), NOVEMBER, PROFILE)) == []

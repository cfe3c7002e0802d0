"""Dates of the city's file."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.intake.dates import DateFaultError, parse_date


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1986/10/26", date(1986, 10, 26)),
        ("1986/1/2", date(1986, 1, 2)),
        ("1986-10-26", date(1986, 10, 26)),
        ("1986.10.26", date(1986, 10, 26)),
        ("19861026", date(1986, 10, 26)),
        ("1986年10月26日", date(1986, 10, 26)),
        ("昭和61年10月26日", date(1986, 10, 26)),
        ("S61.10.26", date(1986, 10, 26)),
        ("昭61/10/26", date(1986, 10, 26)),
        # first and last days of the eras
        ("昭和64年1月7日", date(1989, 1, 7)),
        ("平成元年1月8日", date(1989, 1, 8)),
        ("H1.1.8", date(1989, 1, 8)),
        ("平成31年4月30日", date(2019, 4, 30)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("大正15年12月24日", date(1926, 12, 24)),
        ("昭和元年12月25日", date(1926, 12, 25)),
        ("M45.7.29", date(1912, 7, 29)),
        ("T1.7.30", date(1912, 7, 30)),
        ("2024/2/29", date(2024, 2, 29)),
    ],
)
def test_dates_of_both_calendars_are_read(text: str, day: date) -> None:
    assert parse_date(text) == day


@pytest.mark.parametrize(
    ("text", "what_to_do"),
    [
        ("1986/13/01", "暦にない"),
        ("1987/2/29", "暦にない"),
        ("昭和61年2月30日", "暦にない"),
        ("昭和64年1月8日", "元号"),  # Heisei had begun
        ("平成31年5月1日", "元号"),
        ("昭和99年1月1日", "元号"),
        ("平成0年1月8日", "元号"),
        ("86/10/26", "形で"),
        ("1986/10-26", "形で"),
        ("1986", "形で"),
        ("X61.10.26", "形で"),
        ("昭和61", "形で"),
        ("１９８６/10/26", "形で"),
        ("", "形で"),
    ],
)
def test_what_is_no_day_is_refused_with_what_to_do(text: str, what_to_do: str) -> None:
    with pytest.raises(DateFaultError, match=what_to_do):
        parse_date(text)


@given(st.dates())
def test_every_day_is_read_back_from_its_own_form(day: date) -> None:
    for form in ("{0:04}/{1:02}/{2:02}", "{0:04}-{1}-{2}", "{0:04}{1:02}{2:02}"):
        assert parse_date(form.format(day.year, day.month, day.day)) == day


@given(st.text() | st.from_regex(r"[MTSHR明昭平令0-9年月日/.\-元]{0,12}", fullmatch=True))
def test_whatever_the_text_it_is_a_day_or_a_fault(text: str) -> None:
    try:
        assert isinstance(parse_date(text), date)
    except DateFaultError as fault:
        assert len(text) < 4 or text not in str(fault)

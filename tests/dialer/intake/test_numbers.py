"""Numbers of the city's file."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.intake.numbers import NumberFaultError, kind_of, parse_number
from rules.case import PhoneKind

FIXED, MOBILE, IP = PhoneKind.FIXED, PhoneKind.MOBILE, PhoneKind.IP


@pytest.mark.parametrize(
    ("text", "digits", "kind"),
    [
        ("0258-00-1234", "0258001234", FIXED),
        ("0258001234", "0258001234", FIXED),
        ("03-1234-5678", "0312345678", FIXED),
        ("(0258)00-1234", "0258001234", FIXED),
        ("0258 00 1234", "0258001234", FIXED),
        # full width, with the many signs that stand for a hyphen
        ("０２５８－００－１２３４", "0258001234", FIXED),
        ("0258ー00ー1234", "0258001234", FIXED),
        ("0258‐00−1234", "0258001234", FIXED),
        ("+81 258-00-1234", "0258001234", FIXED),
        # ranges nobody has been given yet
        ("060-9999-0001", "06099990001", MOBILE),
        ("090-1234-5678", "09012345678", MOBILE),
        ("080-1234-5678", "08012345678", MOBILE),
        ("070-1234-5678", "07012345678", MOBILE),
        ("050-1234-5678", "05012345678", IP),
    ],
)
def test_a_number_is_read_into_digits_and_kind(text: str, digits: str, kind: PhoneKind) -> None:
    assert parse_number(text) == digits
    assert kind_of(digits) is kind


@pytest.mark.parametrize(
    ("text", "what_to_do"),
    [
        ("258-00-1234", "先頭が0"),  # a spreadsheet took the zero for granted
        ("60-9999-0001", "先頭が0"),
        ("186-0258-00-1234", "186"),  # caller ID is the trunk's affair
        ("１８４０２５８００１２３４", "184"),
        ("0120-000-123", "フリーダイヤル"),
        ("0800-000-1234", "フリーダイヤル"),
        ("0570-00-1234", "特別な番号"),
        ("010-1-212-555-0100", "国内"),
        ("0081-258-00-1234", "国内"),
        ("+1 212 555 0100", "数字"),
        ("0258-00-123", "9桁"),
        ("0258-00-12345", "11桁"),
        ("090-1234-567", "10桁"),
        ("050-1234-567", "10桁"),
        ("なし", "数字"),
        ("0258-00-1234内線5", "数字"),
        ("---", "数字"),
        ("117", "先頭が0"),
        ("٠٢٥٨٠٠١٢٣٤", "数字"),  # digits of another script are no digits of ours
    ],
)
def test_what_cannot_be_called_is_refused_with_what_to_do(text: str, what_to_do: str) -> None:
    with pytest.raises(NumberFaultError, match=what_to_do):
        parse_number(text)


@given(st.text() | st.from_regex(r"[0-9０-９\-ー+() ]{0,16}", fullmatch=True))
def test_whatever_the_text_only_digits_that_can_be_dialled_come_out(text: str) -> None:
    try:
        digits = parse_number(text)
    except NumberFaultError as fault:
        assert len(text) < 4 or text not in str(fault)
    else:
        assert re.fullmatch(r"0[1-9][0-9]{8,9}", digits)
        assert len(digits) == (10 if kind_of(digits) is FIXED else 11)
        assert parse_number(digits) == digits

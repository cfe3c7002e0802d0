"""CSV that a spreadsheet shows and never calculates."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.reports.spreadsheet import cell, csv_bytes


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=cmd|'/C calc'!A0", "'=cmd|'/C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("本人・完了", "本人・完了"),
        ("", ""),
        (None, ""),
        (-1, "-1"),  # a number of ours stays a number
        (0.5, "0.5"),
    ],
)
def test_a_cell_is_text_or_a_number_never_a_formula(value: object, shown: str) -> None:
    assert cell(value) == shown


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1)))
def test_every_cell_comes_back_as_it_was_and_begins_harmlessly(rows: list[list[str]]) -> None:
    text = csv_bytes(rows).decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert [[one.removeprefix("'") for one in row] for row in read] == [
        [one.removeprefix("'") for one in row] for row in rows
    ]
    assert not any(one.startswith(("=", "+", "-", "@", "\t", "\r")) for row in read for one in row)

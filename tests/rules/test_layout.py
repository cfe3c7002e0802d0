"""The layout of the city's file: every item has one column of its own."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rules.layout import IntakeLayout, Item, PaymentItem

COLUMNS = {item.value: f"列{n}" for n, item in enumerate(Item)}


def layout(**changes: Any) -> IntakeLayout:
    """A layout with changes."""
    return IntakeLayout.model_validate(
        {
            "encodings": ["cp932"],
            "columns": COLUMNS,
            "required": ["reference"],
            "forbidden_columns": ["個人番号"],
            "categories": ["初期滞納"],
            "phone_kinds": {"固定": "fixed"},
            "stop_marks": ["1"],
            "max_file_bytes": 1,
            "max_field_chars": 1,
            "max_faults": 1,
            **changes,
        }
    )


def test_a_layout_names_every_item() -> None:
    assert layout().columns[Item.NAME] == COLUMNS["name"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"columns": {k: v for k, v in COLUMNS.items() if k != "name"}}, "missing name"),
        ({"columns": COLUMNS | {"name": COLUMNS["kana"]}}, "share one column"),
        ({"columns": COLUMNS | {"colour": "色"}}, "columns"),
        ({"encodings": ["latin-1"]}, "encodings"),
        ({"encodings": []}, "encodings"),
        ({"categories": []}, "categories"),
        ({"colour": "色"}, "colour"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        layout(**changes)


PAYMENTS = {"columns": {"reference": "整理番号", "amount": "納付額"}, "required": ["reference"]}


def test_a_city_may_hand_over_files_of_payments_or_none() -> None:
    assert layout().payments is None
    told = layout(payments=PAYMENTS).payments
    assert told is not None
    assert told.columns[PaymentItem.AMOUNT] == "納付額"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"required": []}, "needs `reference`"),
        ({"required": ["amount"]}, "needs `reference`"),
        ({"required": ["reference", "paid_on"]}, "a column for each"),  # it has none
        ({"columns": {"amount": "納付額"}}, "a column for each"),
        ({"columns": {"reference": "整理番号", "amount": "整理番号"}}, "share one column"),
        ({"columns": {"reference": "整理番号", "name": "氏名"}}, "name"),
    ],
)
def test_a_layout_of_payments_that_cannot_be_is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        layout(payments=PAYMENTS | changes)

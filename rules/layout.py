"""The layout of the city's files (§9(1)), as data: the profile's section `intake:`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.case import PhoneKind
from rules.documents import Strict


class Item(StrEnum):
    """What a column of the file tells."""

    MONTH = "month"
    REFERENCE = "reference"
    """整理番号: the city's name for the case."""
    PERSON_NUMBER = "person_number"
    HOUSEHOLD_NUMBER = "household_number"
    NAME = "name"
    KANA = "kana"
    BIRTH_DATE = "birth_date"
    POSTAL_CODE = "postal_code"
    ADDRESS = "address"
    CATEGORY = "category"
    AMOUNT = "amount"
    """Arrears in yen."""
    INSTALMENTS = "instalments"
    LAST_PAID = "last_paid"
    PHONE_1 = "phone_1"
    PHONE_1_KIND = "phone_1_kind"
    PHONE_2 = "phone_2"
    PHONE_2_KIND = "phone_2_kind"
    NOTE = "note"
    STOP = "stop"
    """The city's flag that the person must not be called (§8(4)ク)."""


class PaymentItem(StrEnum):
    """What a column of a file of payments tells."""

    REFERENCE = "reference"
    """整理番号."""
    PAID_ON = "paid_on"
    AMOUNT = "amount"
    """Paid, in yen."""


Title = Annotated[str, Field(min_length=1, max_length=64)]


class PaymentLayout(Strict):
    """Which columns a file of payments has (§9(1), rule 9); the rest is as in the file of cases."""

    columns: dict[PaymentItem, Title]
    """The header's name of each item the city tells; the file has these columns and no others."""
    required: frozenset[PaymentItem]
    """Items that may not be empty in any row."""

    @model_validator(mode="after")
    def _a_row_names_its_case(self) -> Self:
        if not {PaymentItem.REFERENCE} <= self.required <= self.columns.keys():
            raise ValueError("required: needs `reference`, and a column for each of them")
        if len(set(self.columns.values())) < len(self.columns):
            raise ValueError("columns: two items share one column")
        return self


class IntakeLayout(Strict):
    """Which columns the file has, how they are named, and what may stand in them."""

    encodings: Annotated[tuple[Literal["cp932", "utf-8"], ...], Field(min_length=1)]
    """Tried in this order on the header line; UTF-8 may begin with a byte order mark."""
    columns: dict[Item, Title]
    """The header's name of each item; the file may have them in any order, but no others."""
    required: frozenset[Item]
    """Items that may not be empty in any row."""
    forbidden_columns: Annotated[tuple[Title, ...], Field(min_length=1)]
    """A file with a column whose name contains one of these is refused as a whole (§9)."""
    categories: Annotated[tuple[Title, ...], Field(min_length=1)]
    phone_kinds: dict[Title, PhoneKind]
    stop_marks: Annotated[tuple[Title, ...], Field(min_length=1)]
    """What the stop flag says for "yes"; empty says no, and everything else is a fault."""
    full_width_amounts: bool = False
    """Whether amounts in full-width digits, or with commas, are taken; otherwise they are faults."""
    max_file_bytes: Annotated[int, Field(ge=1)]
    max_field_chars: Annotated[int, Field(ge=1)]
    max_faults: Annotated[int, Field(ge=1)]
    """Faults listed one by one; more are only counted."""
    payments: PaymentLayout | None = None
    """None: the city hands over no files of payments."""

    @model_validator(mode="after")
    def _every_item_has_its_own_column(self) -> Self:
        missing = [item.value for item in Item if item not in self.columns]
        if missing:
            raise ValueError(f"columns: missing {', '.join(missing)}")
        if len(set(self.columns.values())) < len(self.columns):
            raise ValueError("columns: two items share one column")
        return self

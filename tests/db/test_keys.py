"""Keyed hashes."""

from __future__ import annotations

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from db.keys import Keys

KEYS = Keys.from_hex("00" * 32)


def test_a_key_is_an_hmac_of_kind_and_value() -> None:
    expected = hmac.new(bytes(32), b"number:0258001234", hashlib.sha256).hexdigest()
    assert KEYS.number("0258001234") == expected


@given(st.text(), st.text())
def test_equal_keys_mean_equal_values_of_one_kind(one: str, other: str) -> None:
    assert (KEYS.person(one) == KEYS.person(other)) == (one == other)
    assert len({KEYS.person(one), KEYS.household(one), KEYS.number(one)}) == 3


@given(st.text())
def test_without_the_installation_s_key_the_same_value_has_another_key(value: str) -> None:
    assert Keys(b"another").person(value) != KEYS.person(value)


def test_the_installation_s_key_is_not_printed() -> None:
    assert "00000000" not in repr(KEYS)

"""Japanese phone numbers of the city's file: read into digits, or refused with what to do."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

from rules.case import PhoneKind

_SEPARATORS = re.compile(r"[\s\-()．.‐‑‒–—―−ー－]")
_PRESENTATION = re.compile(r"^18[46](?=0)")
_SPECIAL = ("0120", "0800", "0570", "0180", "0990", "0170", "020")
"""Toll-free, shared-cost, information and pager numbers: nobody's home answers there."""
_MOBILE = ("060", "070", "080", "090")
_IP = "050"
_ELEVEN_DIGITS = (*_MOBILE, _IP)


class NumberFaultError(Exception):
    """Not a number we may call. The message is Japanese, says what to do, names no digit of it."""


def parse_number(text: str) -> str:
    """Digits as dialled in Japan, trunk 0 first, from a number with or without separators.

    Full-width digits are read as digits. Whether the number is in service is not asked: numbers of
    ranges that are not yet assigned pass.

    Raises:
        NumberFaultError: not a number that can be called.
    """
    digits = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))
    if digits.startswith("+81"):
        digits = "0" + digits.removeprefix("+81").removeprefix("0")
    if not re.fullmatch(r"[0-9]+", digits):
        raise NumberFaultError("電話番号として読めません。数字とハイフンだけで入力してください")
    if _PRESENTATION.match(digits):
        raise NumberFaultError(
            "先頭に184または186が付いています。付けずに市外局番から入力してください"
        )
    _check_prefix(digits)
    _check_length(digits)
    return digits


def kind_of(digits: str) -> PhoneKind:
    """The kind that the digits themselves tell; `digits` as `parse_number` returns them."""
    if digits.startswith(_MOBILE):
        return PhoneKind.MOBILE
    return PhoneKind.IP if digits.startswith(_IP) else PhoneKind.FIXED


def _check_prefix(digits: str) -> None:
    if not digits.startswith("0"):
        raise NumberFaultError(
            "先頭が0ではありません。表計算ソフトで0が落ちていないか確かめ、0から入力してください"
        )
    if digits.startswith(("00", "010")):
        raise NumberFaultError("国際電話などの番号です。国内の市外局番から入力してください")
    if digits.startswith(_SPECIAL):
        raise NumberFaultError(
            "フリーダイヤルなどの特別な番号です。本人につながる番号を入力してください"
        )


def _check_length(digits: str) -> None:
    expected = 11 if digits.startswith(_ELEVEN_DIGITS) else 10
    if len(digits) != expected:
        raise NumberFaultError(
            f"{len(digits)}桁です。{expected}桁の番号になるよう、桁数を確かめてください"
        )
    # not `parse`, which would read the text once more and takes ten times as long
    number = phonenumbers.PhoneNumber(country_code=81, national_number=int(digits))
    if not phonenumbers.is_possible_number(number):
        raise NumberFaultError("電話番号として使えません。番号を確かめてください")

"""Writes a city's file of invented persons, in the layout of the profile nagaoka-r8.

Names are put together from common ones; numbers are of two ranges in which nobody lives:
0258-00-xxxx and 060-9999-xxxx. The same seed writes the same file.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

HEADER = (
    "年月", "整理番号", "宛名番号", "世帯番号", "氏名", "氏名カナ", "生年月日", "郵便番号", "住所", "区分",
    "滞納合計額", "期別明細", "最終納付日", "電話番号1", "電話番号1種別", "電話番号2", "電話番号2種別",
    "備考", "停止フラグ",
)  # fmt: skip

_FAMILIES = (
    ("青木", "アオキ"), ("石田", "イシダ"), ("上村", "ウエムラ"), ("遠藤", "エンドウ"), ("大塚", "オオツカ"),
    ("神田", "カンダ"), ("小山", "コヤマ"), ("清水", "シミズ"), ("髙木", "タカギ"), ("永井", "ナガイ"),
    ("野口", "ノグチ"), ("早川", "ハヤカワ"), ("藤田", "フジタ"), ("丸山", "マルヤマ"), ("宮﨑", "ミヤザキ"),
    ("森", "モリ"), ("山口", "ヤマグチ"), ("和田", "ワダ"),
)  # fmt: skip
_GIVEN = (
    ("明", "アキラ"), ("恵子", "ケイコ"), ("浩", "ヒロシ"), ("真由美", "マユミ"), ("隆", "タカシ"),
    ("洋子", "ヨウコ"), ("亮", "リョウ"), ("千春", "チハル"), ("勝", "マサル"), ("結衣", "ユイ"),
)  # fmt: skip
_PLACES = (
    "大手通",
    "城内町",
    "東坂之上町",
    "今朝白",
    "蔵王",
    "宮内",
    "川崎",
    "千手",
    "青葉台",
    "栖吉町",
)
_CATEGORIES = ("初期滞納", "分納不履行", "長期・高額滞納")
_NOTES = ("", "", "", "夜間希望", "高齢者世帯", "分納相談中")
_EVERY_SO_MANY_A_HOUSEHOLD = 10
"""Every tenth case is of the household of the one before it."""


def write_city_file(
    path: Path, *, cases: int, seed: int, month: str, encoding: str = "cp932"
) -> None:
    """Write a file without faults; every case has one or two numbers, each number one case.

    Args:
        cases: beyond some 13,000 the ranges are used up and numbers come again.
        month: YYYY-MM.
        encoding: a Python codec: `cp932`, `utf-8` or `utf-8-sig`.
    """
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(HEADER)
        writer.writerows(_rows(random.Random(seed), cases, month))


def _rows(rng: random.Random, cases: int, month: str) -> Iterator[list[str]]:
    fixed = _numbers(rng, "0258-00-")
    mobile = _numbers(rng, "060-9999-")
    persons = rng.sample(range(10_000_000, 100_000_000), cases)
    households = rng.sample(range(1_000_000, 10_000_000), cases)
    year, month_number = int(month[:4]), int(month[5:])
    for n in range(cases):
        family, family_kana = rng.choice(_FAMILIES)
        given, given_kana = rng.choice(_GIVEN)
        shares = n % _EVERY_SO_MANY_A_HOUSEHOLD == _EVERY_SO_MANY_A_HOUSEHOLD - 1
        instalments = {
            period: rng.randrange(20, 500) * 100
            for period in sorted(rng.sample(range(1, 9), rng.randint(1, 4)))
        }
        phones = _phones(rng, fixed, mobile)
        yield [
            month,
            f"{year}{month_number:02}{n + 1:06}",
            str(persons[n]),
            str(households[n - 1 if shares else n]),
            f"{family}　{given}",
            f"{family_kana} {given_kana}",
            f"{rng.randint(1945, 2003)}/{rng.randint(1, 12):02}/{rng.randint(1, 28):02}",
            f"940-{rng.randint(0, 9999):04}",
            f"長岡市{rng.choice(_PLACES)}{rng.randint(1, 5)}丁目{rng.randint(1, 28)}番{rng.randint(1, 20)}号",
            rng.choice(_CATEGORIES),
            str(sum(instalments.values())),
            ";".join(f"{year}/{period}期/{yen}" for period, yen in instalments.items()),
            rng.choice(("", f"{year - 1}/{rng.randint(1, 12):02}/{rng.randint(1, 28):02}")),
            *phones,
            rng.choice(_NOTES),
            "",
        ]


def _numbers(rng: random.Random, prefix: str) -> Iterator[str]:
    while True:
        for number in rng.sample(range(10_000), 10_000):
            yield f"{prefix}{number:04}"


def _phones(rng: random.Random, fixed: Iterator[str], mobile: Iterator[str]) -> list[str]:
    """The four columns of a case's numbers: one number, or one of each kind in any order."""
    phones = [("固定", fixed), ("携帯", mobile)]
    rng.shuffle(phones)
    columns: list[str] = []
    for kind, numbers in phones[: 1 + (rng.random() < 1 / 3)]:
        columns += [next(numbers), kind]
    return [*columns, "", ""][:4]

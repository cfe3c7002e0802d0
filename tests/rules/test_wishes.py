"""When a person wishes to be called, from the city's note."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.wishes import Wish, wish_of
from tests.rules.stories import PROFILE, PROFILE_TEXT, changed, parse_profile

WORDS = {
    "午前希望": (frozenset({"午前"}), None),
    "午後希望": (frozenset({"午後"}), None),
    "昼間希望": (frozenset({"午後"}), None),
    "夜間希望": (frozenset({"夜"}), None),
    "土日希望": (frozenset(), True),
    "休日希望": (frozenset(), True),
    "平日希望": (frozenset(), False),
}
OTHER = ["高齢者世帯", "分納相談中", "、", "。", " ", "\u3000", "夜間不可"]


@pytest.mark.parametrize(("word", "wished"), WORDS.items())
def test_each_word_of_the_shipped_profile_tells_its_wish(
    word: str, wished: tuple[frozenset[str], bool | None]
) -> None:
    assert wish_of(f"高齢者世帯、{word}。", PROFILE) == Wish(*wished)


@pytest.mark.parametrize(
    ("note", "wish"),
    [
        ("", None),
        ("高齢者世帯", None),
        ("夜間不可", None),
        ("夜間 希望", Wish(frozenset({"夜"}), None)),  # spaces within a word
        ("夜間\u3000希望", Wish(frozenset({"夜"}), None)),
        ("午前希望・夜間希望", Wish(frozenset({"午前", "夜"}), None)),  # either will do
        ("土日希望 午後希望", Wish(frozenset({"午後"}), True)),
        ("平日希望、土日希望", None),  # every day is wished: none
        ("平日希望、休日希望、夜間希望", Wish(frozenset({"夜"}), None)),
    ],
)
def test_wishes_of_one_note_add_up(note: str, wish: Wish | None) -> None:
    assert wish_of(note, PROFILE) == wish


def test_a_wish_may_name_bands_and_days_together() -> None:
    text = changed("bands: [夜]}", "bands: [夜], non_weekday: false}")
    profile = parse_profile(text, "nagaoka-r8")
    assert wish_of("夜間希望", profile) == Wish(frozenset({"夜"}), False)


def test_a_profile_without_wishes_knows_none() -> None:
    head, rest = PROFILE_TEXT.split("wishes:\n")
    text = head + "script:\n" + rest.split("script:\n")[1]
    assert wish_of("夜間希望", parse_profile(text, "nagaoka-r8")) is None


@given(st.lists(st.sampled_from([*WORDS, *OTHER])))
def test_a_wish_is_the_sum_of_the_words_whatever_stands_around_them(parts: list[str]) -> None:
    found = [WORDS[part] for part in parts if part in WORDS]
    days = {day for _, day in found} - {None}
    bands = frozenset[str]().union(*(bands for bands, _ in found))
    day = days.pop() if len(days) == 1 else None
    expected = Wish(bands, day) if bands or day is not None else None
    assert wish_of("".join(parts), PROFILE) == expected

"""What of a profile is in force on a day, and in what two differ."""

from __future__ import annotations

from datetime import date

import pytest

from rules.profile import Values
from rules.profile_file import parse_profile
from rules.profile_view import differences, text_of, values_in_force
from tests.rules.stories import PROFILE, PROFILE_TEXT, changed, profile_with

DAY = date(2026, 11, 24)
ATTEMPTS = '    - {from: 2026-09-01, value: 3, clause: "§8(4)"}\n'
DATED = parse_profile(
    changed(ATTEMPTS, ATTEMPTS + '    - {from: 2026-11-25, value: 4, clause: "覚書1"}\n'),
    "nagaoka-r8",
)


def test_every_value_is_shown_with_its_day_and_its_clause() -> None:
    shown = {one.name: one for one in values_in_force(PROFILE, DAY)}
    assert list(shown) == list(Values.model_fields)
    assert all(one.clause and one.since == date(2026, 9, 1) for one in shown.values())
    assert shown["hours"].value["weekday"] == {"opens": "09:00:00", "closes": "20:00:00"}
    assert shown["attempt_scope"].value == "phone"


@pytest.mark.parametrize(
    ("day", "value", "since", "clause"),
    [
        (date(2026, 8, 1), 3, date(2026, 9, 1), "§8(4)"),  # before the first day: as it first is
        (date(2026, 11, 24), 3, date(2026, 9, 1), "§8(4)"),
        (date(2026, 11, 25), 4, date(2026, 11, 25), "覚書1"),
    ],
)
def test_a_value_is_shown_as_it_is_on_the_day(
    day: date, value: int, since: date, clause: str
) -> None:
    for form in DATED.timeline.forms:
        [one] = [one for one in values_in_force(form, day) if one.name == "attempts"]
        assert (one.value, one.since, one.clause) == (value, since, clause)


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("value: 0.5,", "value: 0.6,", ["values.contact_goal: 0.5 → 0.6"]),
        ('"§8(5)ア, default"', '"§8(5)ア"', ["clauses.ring_limit_s: §8(5)ア, default → §8(5)ア"]),
        (
            'weekday: {opens: "09:00", closes: "20:00"}',
            'weekday: {opens: "09:00", closes: "19:00"}',
            ["values.hours.weekday.closes: 20:00:00 → 19:00:00"],
        ),
        ("label: FAX回線", "label: FAX", ["outcomes.fax.label: FAX回線 → FAX"]),
        (
            "    scopes: [case, phone]\n",
            "",
            ['outcomes.long_absence.scopes: ["case", "phone"] → []'],
        ),
        (
            "  - {code: complaint, label: 苦情}\n",
            "",
            ['talk_results.complaint: removed, was {"code": "complaint", "label": "苦情"}'],
        ),
        (
            "  - {code: complaint, label: 苦情}\n",
            "  - {code: complaint, label: 苦情}\n  - {code: moved, label: 転居}\n",
            ['talk_results.moved: added, {"code": "moved", "label": "転居"}'],
        ),
        ("- title: 名乗り", "- title: 挨拶", ["script.1.title: 名乗り → 挨拶"]),
        ("words: [夜間希望]", "words: [夜希望]", ['wishes.3.words: ["夜間希望"] → ["夜希望"]']),
        ("must_name: [長岡市, 0258の00の1000]", "must_name: [長岡市]", [
            'texts.must_name: ["長岡市", "0258の00の1000"] → ["長岡市"]'
        ]),
        ("note: 備考\n", "note: 摘要\n", ["intake.columns.note: 備考 → 摘要"]),
        ("city: 長岡市", "city: 他市", ["city: 長岡市 → 他市"]),
    ],
)  # fmt: skip
def test_each_difference_is_one_line(old: str, new: str, lines: list[str]) -> None:
    other = parse_profile(changed(old, new), "nagaoka-r8")
    assert differences(PROFILE, other, DAY) == lines
    assert len(differences(other, PROFILE, DAY)) == len(lines)


def test_what_a_profile_has_none_of_is_told_one_by_one() -> None:
    last_wish = "  - {words: [平日希望], non_weekday: false}\n"
    start, end = PROFILE_TEXT.index("\nwishes:\n"), PROFILE_TEXT.index(last_wish)
    without = parse_profile(
        PROFILE_TEXT[:start] + PROFILE_TEXT[end + len(last_wish) :], PROFILE.name
    )
    lines = differences(without, PROFILE, DAY)
    assert [line.split(",")[0] for line in lines] == [f"wishes.{n}: added" for n in range(1, 6)]
    assert lines[4].endswith('{"words": ["平日希望"], "bands": [], "non_weekday": false}')


def test_a_section_that_only_one_profile_has_is_one_difference() -> None:
    start, end = PROFILE_TEXT.index("  payments:"), PROFILE_TEXT.index("  max_file_bytes:")
    without = parse_profile(PROFILE_TEXT[:start] + PROFILE_TEXT[end:], PROFILE.name)
    (line,) = differences(without, PROFILE, DAY)
    assert line.startswith('intake.payments: null → {"columns": {"reference": "整理番号"')


def test_two_profiles_differ_on_the_days_on_which_they_do() -> None:
    assert differences(PROFILE, DATED, date(2026, 11, 24)) == []
    assert differences(PROFILE, DATED, date(2026, 11, 25)) == [
        "values.attempts: 3 → 4",
        "clauses.attempts: §8(4) → 覚書1",
    ]


def test_a_value_set_by_a_story_is_told_as_such() -> None:
    lines = differences(PROFILE, profile_with(attempts=2), DAY)
    assert lines == ["values.attempts: 3 → 2", "clauses.attempts: §8(4) → set"]


def test_a_value_is_written_as_json_but_for_plain_words() -> None:
    assert [text_of(one) for one in ("phone", 3, True, None, ["夜"])] == [
        "phone", "3", "true", "null", '["夜"]',
    ]  # fmt: skip

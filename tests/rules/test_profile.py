"""The contract profile: read strictly, dated values, clear faults."""

from __future__ import annotations

from datetime import date, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import sounds
from rules.case import Scope
from rules.outcome import Recorder
from rules.profile import OVERRIDABLE, Profile, ProfileError, in_succession, with_overrides
from rules.profile_file import parse_profile
from tests.rules.stories import PROFILE, PROFILE_TEXT, changed

# requirements.md, Outcomes: code, clause, counted, contact
TABLE = [
    ("person_done", "8(4)ア", "yes", "yes"),
    ("household_done", "8(4)イ", "yes", "yes"),
    ("refused", "8(4)ウ", "yes", "yes"),
    ("long_absence", "8(4)エ", "yes", "no"),
    ("not_resident", "8(4)エ", "yes", "no"),
    ("no_contact_given", "8(4)エ", "yes", "no"),
    ("wrong_number", "8(4)オ", "yes", "no"),
    ("out_of_service", "8(4)オ", "yes", "no"),
    ("fax", "8(4)オ", "yes", "no"),
    ("no_answer", "8(5)ア", "yes", "no"),
    ("voicemail_left", "8(5)イ", "yes", "no"),
    ("voicemail_failed", "8(5)イ", "yes", "no"),
    ("temporarily_unavailable", "8(5)ウ", "yes", "no"),
    ("third_party", "8(5)エ", "yes", "same_household"),
    ("person_incomplete", "8(4)ア", "yes", "yes"),
    ("hung_up", None, "yes", "no"),
    ("busy", None, "last_try", "no"),
    ("out_of_reach", None, "last_try", "no"),
    ("abandoned", None, "no", "no"),
    ("failed", None, "no", "no"),
    ("cancelled", None, "no", "no"),
]


def test_the_shipped_profile_has_the_contracts_outcomes_and_no_others() -> None:
    rules = PROFILE.outcomes.items()
    assert [(code, r.clause, r.counted, r.contact) for code, r in rules] == TABLE


def test_the_shipped_profile_has_the_contracts_numbers() -> None:
    assert (PROFILE.attempts, PROFILE.attempt_scope) == (3, Scope.PHONE)
    assert (PROFILE.ring_min_s, PROFILE.ring_limit_s, PROFILE.closing_margin_s) == (35, 36, 66)
    assert PROFILE.hours.weekday.closes == time(20)
    assert PROFILE.hours.non_weekday.closes == time(17)
    assert (PROFILE.min_non_weekdays, PROFILE.contact_goal) == (2, 0.5)
    assert "0120123456".startswith(PROFILE.forbidden_caller_ids)
    assert not "0258001234".startswith(PROFILE.forbidden_caller_ids)


def test_every_value_of_the_shipped_profile_is_dated_and_carries_where_it_is_from() -> None:
    for name, entries in PROFILE.dated.items():
        assert all(entry.clause for entry in entries), name
    assert set(PROFILE.dated) >= OVERRIDABLE


def test_what_a_talk_came_to_is_known_by_the_operator_and_ringing_by_the_line() -> None:
    assert PROFILE.outcomes["person_done"].by == (Recorder.OPERATOR,)
    assert PROFILE.outcomes["no_answer"].by == (Recorder.LINE,)


@pytest.mark.parametrize(
    ("cause", "rang", "early_media", "outcome", "review"),
    [
        (17, True, False, "busy", False),
        (17, False, True, "busy", False),  # a busy announcement
        (1, False, False, "out_of_service", False),
        (22, False, True, "out_of_service", False),  # "this number has changed"
        (20, False, False, "out_of_reach", False),
        (20, False, True, "out_of_reach", False),
        (21, True, False, "busy", False),  # rejected on the handset
        (21, False, True, "temporarily_unavailable", False),
        (31, False, True, "temporarily_unavailable", False),
        (19, False, True, "temporarily_unavailable", False),
        (34, False, False, "failed", False),  # congestion
        (38, False, True, "failed", False),
        (16, True, False, "failed", False),  # cut short while ringing
        (21, False, False, "failed", True),  # refused before ringing: by whom?
        (27, False, False, "failed", True),
        (0, False, False, "failed", True),
        (16, True, True, "failed", True),
    ],
)
def test_the_cause_of_an_unanswered_call_decides_its_outcome(
    cause: int, rang: bool, early_media: bool, outcome: str, review: bool
) -> None:
    rule = next(r for r in PROFILE.causes if r.matches(cause, rang=rang, early_media=early_media))
    assert (rule.outcome, rule.review) == (outcome, review)


def test_a_value_holds_from_its_start_date_and_before_the_first_as_it_first_was() -> None:
    text = changed(
        "  patience_s:\n",
        '  patience_s:\n    - {from: 2026-05-01, value: 4, clause: "x"}\n',
    )
    profile = parse_profile(text, "nagaoka-r8")
    assert profile.patience_s == 2
    assert profile.on(date(2026, 8, 31)).patience_s == 4
    assert profile.on(date(2026, 9, 1)).patience_s == 2
    assert profile.on(date(2026, 1, 1)).patience_s == 4
    assert profile.on(date(2026, 1, 1)).outcomes == profile.outcomes


def test_a_profile_without_changes_has_one_form_for_all_days() -> None:
    assert PROFILE.timeline.forms == (PROFILE,)
    assert PROFILE.on(date.min) is PROFILE.on(date.max) is PROFILE


DAYS = st.dates(date(2026, 8, 25), date(2026, 12, 5))
CHANGES = st.lists(DAYS, unique=True, min_size=1, max_size=3).map(sorted)


def dated_text(name: str, first: int, starts: list[date]) -> str:
    """The shipped profile's text in which a value grows by one on each of the days."""
    head = f"  {name}:"
    i = PROFILE_TEXT.index(head)
    line = PROFILE_TEXT[i:].index("    - ") + i
    end = PROFILE_TEXT.index("\n", line) + 1
    entries = "".join(
        f"    - {{from: {day}, value: {first + n}, clause: x}}\n" for n, day in enumerate(starts)
    )
    return PROFILE_TEXT[:line] + entries + PROFILE_TEXT[end:]


def naively(orders: list[tuple[date, list[date]]], day: date) -> int:
    """The value in force: of the last order begun, the last entry begun; before the first, the first."""
    number, starts = [(n, each) for n, (start, each) in enumerate(orders) if not n or start <= day][
        -1
    ]
    return 10 * number + max(sum(start <= day for start in starts) - 1, 0)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(DAYS, CHANGES), min_size=1, max_size=3, unique_by=lambda one: one[0]), DAYS
)
def test_on_each_day_the_last_order_begun_holds_with_its_last_value_begun(
    orders: list[tuple[date, list[date]]], asked: date
) -> None:
    orders.sort(key=lambda one: one[0])
    texts = [dated_text("case_gap_min", 10 * n, starts) for n, (_, starts) in enumerate(orders)]
    parts = [parse_profile(text, "nagaoka-r8") for text in texts]
    profile = in_succession([(day, part) for (day, _), part in zip(orders, parts, strict=True)])
    forms = profile.timeline.forms
    assert profile is forms[-1]
    assert [forms[0].since, forms[-1].until] == [date.min, date.max]
    for one, following in pairwise(forms):
        assert following.since - one.until == timedelta(days=1)
    for form in forms:
        found = form.on(asked)
        assert found.case_gap_min == naively(orders, asked)
        assert found.since <= asked <= found.until
        assert found.on(asked) is found


def test_a_form_keeps_what_is_written_of_its_own_text() -> None:
    later = parse_profile(changed("value: 66, clause: ", "value: 70, clause: "), "nagaoka-r8")
    profile = in_succession([(date(2026, 11, 1), PROFILE), (date(2026, 11, 25), later)])
    for day, seconds in ((date(2026, 11, 24), 66), (date(2026, 11, 25), 70)):
        form = profile.on(day)
        assert form.closing_margin_s == form.dated["closing_margin_s"][0].value == seconds


def test_a_form_of_a_single_day_between_two_orders_is_kept() -> None:
    first = parse_profile(
        dated_text("case_gap_min", 10, [date(2026, 9, 1), date(2026, 11, 24)]), "nagaoka-r8"
    )
    second = parse_profile(
        dated_text("case_gap_min", 20, [date(2026, 9, 1), date(2026, 11, 26)]), "nagaoka-r8"
    )
    profile = in_succession([(date(2026, 11, 1), first), (date(2026, 11, 25), second)])
    assert [(form.since, form.case_gap_min) for form in profile.timeline.forms] == [
        (date.min, 10), (date(2026, 11, 24), 11), (date(2026, 11, 25), 20), (date(2026, 11, 26), 21),
    ]  # fmt: skip
    assert [form.following() for form in profile.timeline.forms] == [
        *profile.timeline.forms[1:],
        None,
    ]


@pytest.mark.parametrize("day", [25, 26])
def test_what_a_profile_would_have_changed_after_the_next_order_changes_nothing(day: int) -> None:
    text = dated_text("case_gap_min", 10, [date(2026, 9, 1), date(2026, 11, day)])
    first = parse_profile(text, "nagaoka-r8")
    profile = in_succession([(date(2026, 11, 1), first), (date(2026, 11, 25), PROFILE)])
    assert [(form.since, form.case_gap_min) for form in profile.timeline.forms] == [
        (date.min, 10),
        (date(2026, 11, 25), PROFILE.case_gap_min),
    ]


def test_values_set_for_every_day_hold_in_every_form() -> None:
    text = dated_text("case_gap_min", 10, [date(2026, 9, 1), date(2026, 11, 25)])
    dated = parse_profile(text, "nagaoka-r8").on(date(2026, 11, 1))
    profile = with_overrides(dated, {"attempts": 2})
    assert (profile.since, profile.case_gap_min) == (date.min, 10)
    assert [form.attempts for form in profile.timeline.forms] == [2, 2]
    assert [form.case_gap_min for form in profile.timeline.forms] == [10, 11]


def test_single_values_can_be_set_for_every_day() -> None:
    profile = with_overrides(PROFILE, {"attempts": 2, "attempt_scope": "case"})
    assert (profile.attempts, profile.attempt_scope) == (2, Scope.CASE)
    assert profile.on(date(2026, 9, 1)).attempts == 2
    assert [entry.value for entry in profile.dated["attempts"]] == [2]
    assert PROFILE.attempts == 3


@pytest.mark.parametrize(
    ("overrides", "told"),
    [({"hours": 3}, "may be set"), ({"attempts": -1}, "attempts"), ({"busy_tries": 0}, "busy")],
)
def test_a_value_that_cannot_be_set_is_told(overrides: dict[str, object], told: str) -> None:
    with pytest.raises(ProfileError, match=told):
        with_overrides(PROFILE, overrides)


def test_nothing_in_a_profile_can_be_changed_by_accident() -> None:
    assert Profile.model_config["frozen"]
    with pytest.raises(ValueError, match="frozen"):
        PROFILE.attempts = 4  # type: ignore[misc]


def test_a_profile_written_before_callers_were_served_is_read_and_says_what_ships() -> None:
    start, end = PROFILE_TEXT.index("  callers: #"), PROFILE_TEXT.index("\n# The city fixes")
    texts = parse_profile(PROFILE_TEXT[:start] + PROFILE_TEXT[end:], "nagaoka-r8").texts
    assert texts.callers == sounds.TEXTS


def test_what_a_profile_words_anew_is_said_and_the_rest_as_it_ships() -> None:
    text = changed("    next-open: 次の受付は、", "    hour-12: お昼からです。")
    callers = parse_profile(text, "nagaoka-r8").texts.callers
    assert callers.keys() == sounds.TEXTS.keys()
    assert callers["hour-12"] == "お昼からです。"
    assert callers["next-open"] == sounds.TEXTS["next-open"]
    assert "長岡市" in callers["wait"]


def test_a_profile_written_before_callbacks_gives_them_to_everybody_and_keeps_nobody_free() -> None:
    start, end = (
        PROFILE_TEXT.index("  callback_operators:"),
        PROFILE_TEXT.index("  forbidden_caller"),
    )
    profile = parse_profile(PROFILE_TEXT[:start] + PROFILE_TEXT[end:], "nagaoka-r8")
    assert (profile.callback_operators, profile.callback_reserve) == ((), 0)

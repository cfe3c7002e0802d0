"""The contract profile: read strictly, dated values, clear faults."""

from __future__ import annotations

from datetime import date, time

import pytest

from rules.case import Scope
from rules.outcome import Recorder
from rules.profile import OVERRIDABLE, Profile, ProfileError, parse_profile, with_overrides
from tests.rules.stories import PROFILE, PROFILE_TEXT

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


def changed(old: str, new: str) -> str:
    assert PROFILE_TEXT.count(old) == 1, "the test must change exactly one place"
    return PROFILE_TEXT.replace(old, new)


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


ATTEMPTS = '    - {from: 2026-09-01, value: 3, clause: "§8(4)"}\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (changed("\ntitle:", "\ntitel: x\ntitle:"), "titel: unknown key"),
        (changed("\ncity: 長岡市\n", "\n"), "city: missing"),
        (changed("profile: nagaoka-r8", "profile: other"), "profile: it says 'other'"),
        (changed("  attempts:\n" + ATTEMPTS, ""), "attempts: missing"),
        (changed(ATTEMPTS, "    []\n"), "values.attempts: give at least one"),
        (changed(ATTEMPTS, ATTEMPTS * 2), "values.attempts: give at least one"),
        (changed(ATTEMPTS, ATTEMPTS.replace("value: 3", "value: 0")), "attempts: Input should"),
        (changed(ATTEMPTS, ATTEMPTS.replace("value: 3", "value: '3'")), "attempts: Input should"),
        (changed(ATTEMPTS, ATTEMPTS.replace("value: 3", "value: yes")), "attempts: Input should"),
        (changed("value: 36,", "value: 34,"), "ring_limit_s"),
        (changed("value: 66,", "value: 65,"), "closing_margin_s"),
        (changed('closes: "20:00"', "closes: 20:00"), "hours.weekday.closes: Value error, write"),
        (changed('false, clause: "§8(4)ウ', '0, clause: "§8(4)ウ'), "approve_refusals"),
        (changed("outcome: out_of_reach}", "outcome: gone}"), "'gone' is not among outcomes"),
        (changed("  - {outcome: failed, review: true}\n", ""), "the last line must match every"),
        (changed("    clause: 8(4)ウ\n", ""), "outcomes.refused"),
        (changed("  courtesy: 長岡市役所", "  courtesy: 市役所"), "must contain '長岡市'"),
        (changed("しました。お伝え", "しました。納付をお伝え"), "must not contain '納付'"),
        (PROFILE_TEXT + "\ncity: 長岡市\n", "the key 'city' is there twice"),
        ("a: [", "not YAML"),
        ("\x00", "not YAML"),
        ("", "the file"),
    ],
)
def test_a_fault_names_the_profile_the_field_and_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(ProfileError) as raised:
        parse_profile(text, "nagaoka-r8")
    assert str(raised.value).startswith("profile nagaoka-r8: ")
    assert told in str(raised.value)


def test_a_table_of_causes_without_lines_is_a_fault() -> None:
    head, rest = PROFILE_TEXT.split("causes:\n")
    _, tail = rest.split("\nscript:")
    with pytest.raises(ProfileError, match="the last line must match every"):
        parse_profile(f"{head}causes: []\nscript:{tail}", "nagaoka-r8")


def test_single_values_can_be_set_for_every_day() -> None:
    profile = with_overrides(PROFILE, {"attempts": 2, "attempt_scope": "case"})
    assert (profile.attempts, profile.attempt_scope) == (2, Scope.CASE)
    assert profile.on(date(2026, 9, 1)).attempts == 2
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

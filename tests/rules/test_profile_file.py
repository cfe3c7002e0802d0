"""Reading a profile's file: every fault at once, each with its line and what to do."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.pacing.snapshot import Mode
from rules.profile import ProfileError, shares_of
from rules.profile_file import ProfileFaultsError, parse_profile
from rules.profile_view import values_in_force
from tests.rules.stories import PROFILE_TEXT, changed

ATTEMPTS = '    - {from: 2026-09-01, value: 3, clause: "§8(4)"}\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (changed("\ntitle:", "\ntitel: x\ntitle:"), "titel: unknown key"),
        (changed("\ncity: 長岡市\n", "\n"), "line 4: city: missing"),
        (changed("\nvalues:\n", "\nvalue:\n"), "values: missing"),
        (changed("profile: nagaoka-r8", "profile: other"), "profile: it says 'other'"),
        (changed("  attempts:\n" + ATTEMPTS, ""), "attempts: missing"),
        (changed(ATTEMPTS, "    []\n"), "values.attempts: give at least one"),
        (changed(ATTEMPTS, ATTEMPTS * 2), "values.attempts: give at least one"),
        (
            changed(ATTEMPTS, ATTEMPTS.replace("value: 3", "value: 0")),
            "values.attempts.0.value: Input should",
        ),
        (
            changed(ATTEMPTS, ATTEMPTS.replace("value: 3", "value: '3'")),
            "values.attempts.0.value: Input should",
        ),
        (
            changed(ATTEMPTS, ATTEMPTS.replace("value: 3", "value: yes")),
            "values.attempts.0.value: Input should",
        ),
        (changed("value: 36,", "value: 34,"), "ring_limit_s"),
        (changed("value: 66,", "value: 65,"), "closing_margin_s"),
        (
            changed('closes: "20:00"', "closes: 20:00"),
            "hours.0.value.weekday.closes: Value error, write",
        ),
        (changed('false, clause: "§8(4)ウ', '0, clause: "§8(4)ウ'), "approve_refusals"),
        (changed("outcome: out_of_reach}", "outcome: gone}"), "'gone' is not among outcomes"),
        (changed("  - {outcome: failed, review: true}\n", ""), "the last line must match every"),
        (changed("    clause: 8(4)ウ\n", ""), "outcomes.refused"),
        (changed("  courtesy: 長岡市役所", "  courtesy: 市役所"), "must contain '長岡市'"),
        (changed("しました。お伝え", "しました。納付をお伝え"), "must not contain '納付'"),
        (
            changed("    next-open: 次の", "    next-open: 納期の"),
            "'next-open' must not contain '納期'",
        ),
        (changed("    next-open: 次の受付は、", '    next-open: ""'), "texts.callers.next-open"),
        (changed("    next-open: 次", "    next_open: 次"), "'next_open' is not a sound"),
        (changed('{name: 午後, starts: "12:00"', '{name: 午後, starts: "11:59"'), "overlaps"),
        (changed('{name: 夜, starts: "17:00"', '{name: 夜, starts: "20:00"'), "before it begins"),
        (changed("{name: 夜,", "{name: 午後,"), "two bands have one name"),
        (changed("bands: [夜]}", "bands: [深夜]}"), "wishes.2.bands: '深夜' is not among"),
        (changed(", bands: [夜]}", "}"), "wishes.2: Value error, a wish needs"),
        (changed("{words: [夜間希望]", "{words: []"), "wishes.2.words"),
        # the second of seven steps, left out, is over at 2/8
        (
            changed("- title: 名乗り", "- title: 名乗り\n    share: 0.25"),
            "script: Value error, each",
        ),
        (changed("- title: 名乗り", "- title: 名乗り\n    share: 0"), "script.0.share: Input"),
        (changed("- title: 結び", "- title: 結び\n    share: 1.01"), "script.6.share: Input"),
        (changed("{words: [夜間希望]", "{words: ['']"), "wishes.2.words.0"),
        (
            changed(
                'weekday: {opens: "09:00", closes: "17:00"}',
                'weekday: {opens: "17:00", closes: "17:00"}',
            ),
            "values.hours.0: opens at 17:00:00 and closes at 17:00:00",
        ),
        (changed("  hung_up:\n", "  gone:\n"), "outcomes.hung_up: the line records it"),
        (
            changed(
                'label: 発信取消\n    counted: "no"\n    by: [line]',
                'label: 発信取消\n    counted: "no"\n    by: []',
            ),
            "outcomes.cancelled: the line records it",
        ),
        (
            changed("code: says_paid", "code: promise"),
            "talk_results.1.code: 'promise' is there twice",
        ),
        (changed("  attempts:\n", "  attempt:\n"), "values.attempt: unknown key"),
        (changed(ATTEMPTS, "    3\n"), "values.attempts: Input should be a valid tuple"),
        (changed(ATTEMPTS, ATTEMPTS.replace("§8(4)", "")), "values.attempts.0.clause"),
        (
            changed(ATTEMPTS, "    - {from: 2026-09-01, value: 3}\n"),
            "values.attempts.0.clause: missing",
        ),
        (
            PROFILE_TEXT.replace("\nvalues:\n", "\nvalues: 3\nvaluez:\n"),
            "values: must be a mapping",
        ),
        ("- a\n- b\n", "the file: Input should"),
        (changed("{固定: fixed,", '{"": fixed,'), "intake.phone_kinds..[key]: String should"),
        (PROFILE_TEXT + "\ncity: 長岡市\n", "the key 'city' is there twice"),
        ("a: [", "not YAML"),
        ("\x00", "not YAML"),
        ("", "the file"),
    ],
)
def test_a_fault_names_the_profile_the_field_and_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(ProfileFaultsError) as raised:
        parse_profile(text, "nagaoka-r8")
    assert str(raised.value).startswith(f"profile nagaoka-r8: {raised.value.faults[0]}")
    assert told in "\n".join(map(str, raised.value.faults))


def test_steps_of_the_script_are_taken_as_equally_long_unless_the_profile_says_otherwise() -> None:
    shares = shares_of(parse_profile(PROFILE_TEXT, "nagaoka-r8").script)
    assert shares == (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875)
    known = changed("- title: 名乗り", "- title: 名乗り\n    share: 0.05")
    assert shares_of(parse_profile(known, "nagaoka-r8").script) == (0.05, *shares[1:])
    whole = changed("- title: 結び", "- title: 結び\n    share: 1")
    assert shares_of(parse_profile(whole, "nagaoka-r8").script) == (*shares[:6], 1.0)


def test_a_file_from_before_pacing_was_chosen_is_called_as_it_was() -> None:
    """The texts ordered for a month are kept: a new version must go on with them."""
    older = PROFILE_TEXT
    for name in ("pacing_mode", "calls_per_operator"):
        begin = older.index(f"  {name}:")
        older = older[:begin] + older[older.index("\n", older.index("- {", begin)) + 1 :]
    profile = parse_profile(older, "nagaoka-r8")
    assert (profile.pacing_mode, profile.calls_per_operator) == (Mode.PROGRESSIVE, 3.0)
    shown = {one.name: one for one in values_in_force(profile, date(2026, 10, 1))}
    assert shown["pacing_mode"].value == "progressive"
    assert shown["pacing_mode"].clause == "default"
    assert parse_profile(PROFILE_TEXT, "nagaoka-r8").pacing_mode is Mode.PREDICTIVE


def test_a_table_of_causes_without_lines_is_a_fault() -> None:
    head, rest = PROFILE_TEXT.split("causes:\n")
    _, tail = rest.split("\nscript:")
    with pytest.raises(ProfileError, match="the last line must match every"):
        parse_profile(f"{head}causes: []\nscript:{tail}", "nagaoka-r8")


LAST_CAUSE = "  - {outcome: failed, review: true}\n"
EVERY_CALL = "causes: the last line must match every call; add one without conditions"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (changed("\ntitle:", "\ntitel: x\ntitle:"), "titel: unknown key; remove or correct it"),
        (changed("\ncity: 長岡市\n", "\n"), "city: missing; add it"),
        (changed("\nvalues:\n", "\nvalue:\n"), "values: missing; add it"),
        (
            changed("profile: nagaoka-r8", "profile: other"),
            "profile: it says 'other', not 'nagaoka-r8'; rename one",
        ),
        (
            PROFILE_TEXT.replace("\nvalues:\n", "\nvalues: 3\nvaluez:\n"),
            "values: must be a mapping of names to lists of dated values",
        ),
        (
            changed(ATTEMPTS, "    []\n"),
            "values.attempts: give at least one value, in order of `from`",
        ),
        (
            changed("value: 36,", "value: 34,"),
            "values.ring_limit_s.0: less than ring_min_s; raise it",
        ),
        (
            changed("value: 66,", "value: 65,"),
            "values.closing_margin_s.0: a call could still ring at closing time; "
            "make it at least ring_limit_s + setup_allowance_s",
        ),
        (
            changed(
                'weekday: {opens: "09:00", closes: "17:00"}',
                'weekday: {opens: "17:00", closes: "17:00"}',
            ),
            "values.hours.0: opens at 17:00:00 and closes at 17:00:00; correct it",
        ),
        (
            changed('{name: 午後, starts: "12:00"', '{name: 午後, starts: "11:59"'),
            "values.bands.0: a band ends before it begins, or overlaps the one above; correct it",
        ),
        (
            changed("{name: 夜,", "{name: 午後,"),
            "values.bands.0: two bands have one name; rename one",
        ),
        (
            changed("outcome: out_of_reach}", "outcome: gone}"),
            "causes.2.outcome: 'gone' is not among outcomes; add it",
        ),
        (changed(LAST_CAUSE, ""), EVERY_CALL),
        (changed(LAST_CAUSE, "  - {causes: [0], outcome: failed}\n"), EVERY_CALL),
        (changed(LAST_CAUSE, "  - {rang: false, outcome: failed}\n"), EVERY_CALL),
        (changed(LAST_CAUSE, "  - {early_media: false, outcome: failed}\n"), EVERY_CALL),
        (
            changed("  hung_up:\n", "  gone:\n"),
            "outcomes.hung_up: the line records it by itself; keep it, with `by: [line]`",
        ),
        (
            changed("code: says_paid", "code: promise"),
            "talk_results.1.code: 'promise' is there twice; rename one",
        ),
        (
            changed("bands: [夜]}", "bands: [深夜]}"),
            "wishes.2.bands: '深夜' is not among values.bands; correct it",
        ),
        (
            PROFILE_TEXT + "\ncity: 長岡市\n",
            "the file: not YAML: the key 'city' is there twice; correct it",
        ),
        (
            changed('closes: "20:00"', "closes: 20:00"),
            "values.hours.0.value.weekday.closes: "
            "Value error, write the time in quotes, for example '09:00'; correct it",
        ),
        (
            changed("  courtesy: 長岡市役所", "  courtesy: 市役所"),
            "texts: Value error, the text 'courtesy' must contain '長岡市'; correct it",
        ),
        (
            changed("しました。お伝え", "しました。納付をお伝え"),
            "texts: Value error, the text 'voicemail' must not contain '納付'; correct it",
        ),
    ],
)
def test_a_fault_says_what_is_wrong_and_what_to_do(text: str, told: str) -> None:
    with pytest.raises(ProfileFaultsError) as raised:
        parse_profile(text, "nagaoka-r8")
    assert told in [f"{fault.field}: {fault.message}" for fault in raised.value.faults]


def test_the_limit_of_ringing_may_be_just_what_the_contract_asks_for() -> None:
    profile = parse_profile(changed("value: 36,", "value: 35,"), "nagaoka-r8")
    assert (profile.name, profile.ring_limit_s, profile.ring_min_s) == ("nagaoka-r8", 35, 35)


def faults_of(text: str) -> list[tuple[int, str]]:
    with pytest.raises(ProfileFaultsError) as raised:
        parse_profile(text, "nagaoka-r8")
    return [(fault.line, fault.field) for fault in raised.value.faults]


def line_of(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


def test_every_fault_is_told_at_once_in_the_order_of_the_file() -> None:
    text = changed("value: 36,", "value: many,")
    text = changed("\ntitle: ", "\ntitel: ", text)
    text = changed(
        "rang: true, early_media: false, outcome: busy}", "ring: true, outcome: busy}", text
    )
    text = changed("    label: FAX回線\n", "", text)
    assert faults_of(text) == [
        (line_of(text, "profile:"), "title"),
        (line_of(text, "titel:"), "titel"),
        (line_of(text, "{from: 2026-09-01, value: many"), "values.ring_limit_s.0.value"),
        (line_of(text, "  fax:"), "outcomes.fax.label"),
        (line_of(text, "ring: true, outcome: busy}"), "causes.3.ring"),
    ]


def test_what_is_not_yaml_is_told_with_its_line() -> None:
    text = PROFILE_TEXT + "\ncity: 他市\n"
    assert faults_of(text) == [(line_of(text, "city: 他市"), "the file")]
    assert faults_of("") == [(1, "the file")]


def test_a_character_that_yaml_does_not_have_is_named() -> None:
    with pytest.raises(ProfileFaultsError) as raised:
        parse_profile("\x00", "nagaoka-r8")
    (fault,) = raised.value.faults
    assert str(fault).startswith("line 1: the file: not YAML: unacceptable character #x0000")


def test_faults_of_several_values_and_of_several_days_of_one_are_all_told() -> None:
    ring = '    - {from: 2026-09-01, value: 35, clause: "§8(5)ア"}\n'
    entries = [  # of two values, both unreadable; both empty
        ("    - {from: 2026-09-01, value: 3}\n", "    - {from: 2026-09-01, value: 35}\n"),
        ("    []\n", "    []\n"),
    ]
    for attempts, ring_min in entries:
        text = changed(ring, ring_min, changed(ATTEMPTS, attempts))
        named = [field.split(".")[1] for _, field in faults_of(text)]
        assert named == ["attempts", "ring_min_s"]
    wrong = ATTEMPTS.replace("value: 3", "value: 0")
    days = wrong + wrong.replace("2026-09-01", "2026-11-25").replace("value: 0", "value: many")
    named = [field for _, field in faults_of(changed(ATTEMPTS, days))]
    assert named == ["values.attempts.0.value", "values.attempts.1.value"]


def test_a_single_fault_is_told_alone() -> None:
    with pytest.raises(ProfileFaultsError) as raised:
        parse_profile(changed("\ncity: 長岡市\n", "\n"), "nagaoka-r8")
    assert str(raised.value) == "profile nagaoka-r8: line 4: city: missing; add it"


def test_the_error_tells_the_first_fault_and_how_many_there_are() -> None:
    text = changed("value: 36,", "value: many,", changed("value: 66,", "value: few,"))
    with pytest.raises(
        ProfileError, match=r"ring_limit_s\..*\(and 1 more: see `dialer profile check`\)"
    ):
        parse_profile(text, "nagaoka-r8")


def test_a_fault_of_a_later_value_is_told_with_its_own_line_and_only_once() -> None:
    text = changed(
        'value: 66, clause: "§6(2)イ, default"}\n',
        'value: 66, clause: "§6(2)イ, default"}\n    - {from: 2026-11-25, value: 60, clause: x}\n',
    )
    text = changed(ATTEMPTS, ATTEMPTS + "    - {from: 2026-12-01, value: 2, clause: x}\n", text)
    assert faults_of(text) == [(line_of(text, "value: 60"), "values.closing_margin_s.1")]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_file_whatever_its_lines_ends_in_anything_but_a_profile_or_its_faults(
    data: st.DataObject,
) -> None:
    lines = PROFILE_TEXT.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = data.draw(st.sampled_from(["", "  x: 1", "- 1", "null", lines[at] + " 0"]))
    try:
        parse_profile("\n".join(lines), "nagaoka-r8")
    except ProfileFaultsError as error:
        assert error.faults
        assert all(1 <= fault.line <= len(lines) + 1 for fault in error.faults)

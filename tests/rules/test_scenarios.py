"""Scenarios: the shipped ones hold, wrong ones are told, malformed files are refused with a line."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.eligibility import Reason
from rules.profile import Profile, ProfileError
from rules.scenario import FileReport, ScenarioError, StepResult, check_text, parse_scenarios
from tests.rules.stories import PROFILE

HOLIDAYS = frozenset({date(2026, 11, 3), date(2026, 11, 23), date(2027, 1, 1), date(2027, 2, 23)})
SHIPPED = sorted(
    entry.name for entry in (files("rules") / "scenarios").iterdir() if entry.is_file()
)


def profile_named(name: str) -> Profile:
    if name != PROFILE.name:
        raise ProfileError(f"profile {name}: does not exist")
    return PROFILE


def holidays(first: date, last: date) -> frozenset[date]:
    return frozenset(day for day in HOLIDAYS if first <= day <= last)


def check(text: str) -> FileReport:
    return check_text(text, "story.yaml", profile_named, holidays)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_scenario_holds(name: str) -> None:
    text = (files("rules") / "scenarios" / name).read_text(encoding="utf-8")
    report = check_text(text, name, profile_named, holidays)
    assert report.failures == ()
    assert report.scenarios > 0
    assert len(report.results) > report.scenarios


def test_the_shipped_scenarios_speak_of_every_reason_outcome_and_clause() -> None:
    texts = "".join(
        (files("rules") / "scenarios" / name).read_text(encoding="utf-8") for name in SHIPPED
    )
    assert [reason for reason in Reason if f"reason: {reason}" not in texts] == []
    named = [f"clause: {clause}" in texts for clause in "アイウエオカキク"]
    assert all(named)
    assert [code for code in PROFILE.outcomes if f"outcome: {code}" not in texts] == []


HEAD = """\
scenario: a story
profile: nagaoka-r8
period: {from: 2026-11-20, to: 2026-11-30}
cases:
  - {id: A, household: H1, phones: {a1: {number: "0258-00-1111", kind: fixed}}}
  - {id: B, household: H2, phones: {b1: {number: "0258-00-2222", kind: fixed}}}
"""


def step(text: str) -> StepResult:
    """The last of some steps, told from a story of its own."""
    lines = "".join(f"  - {{{line}}}\n" for line in text.split("\n"))
    return check(f"{HEAD}steps:\n{lines}").results[-1]


def test_a_step_that_does_not_hold_is_told_with_its_place_what_was_expected_and_why() -> None:
    result = step('at: "2026-11-20 20:00", ask: a1, expect: allowed')
    assert result == StepResult(
        file="story.yaml",
        line=8,
        scenario="a story",
        step='{at: "2026-11-20 20:00", ask: a1, expect: allowed}',
        holds=False,
        expected="allowed",
        got="refused",
        reasons=("outside_hours",),
    )


NOON = 'at: "2026-11-20 12:00"'


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (f"{NOON}, ask: a1, expect: allowed", True),
        (f"{NOON}, ask: a1, expect: refused", False),
        (f"{NOON}, ask: a1, expect: refused, reason: paid", False),
        (f"{NOON}, paid: A\n{NOON}, ask: a1, expect: refused, reason: stopped", False),
        (f"{NOON}, paid: A\n{NOON}, ask: a1, expect: refused", True),
        # attempts
        (f"{NOON}, attempt: a1, outcome: no_answer", True),
        (f"{NOON}, attempt: a1, outcome: no_answer, error: true", False),
        (f"{NOON}, attempt: a1, outcome: no_answer, ring: 34.5", False),
        (f"{NOON}, attempt: a1, outcome: no_answer, ring: 34.5, error: true", True),
        (f"{NOON}, attempt: a1, outcome: sold", False),
        (f"{NOON}, attempt: a1, outcome: sold, error: true", True),
        ('at: "2026-11-20 21:00", attempt: a1, outcome: busy', False),
        ('at: "2026-11-20 21:00", attempt: a1, outcome: busy, error: true', True),
        ('at: "2026-11-20 21:00", attempt: a1, outcome: busy, forced: true', True),
        # forced lifts the rules of calling, not those of results
        (f"{NOON}, attempt: a1, outcome: person_done, forced: true", False),
        # callbacks
        (f"{NOON}, callback: A, outcome: hung_up", True),
        (f"{NOON}, callback: A, outcome: person_done", False),
        (f"{NOON}, callback: A, outcome: person_done, error: true", True),
        # paper
        (f'{NOON}, paper: a1, outcome: no_answer, called_at: "2026-11-20 12:00"', True),
        (f'{NOON}, paper: a1, outcome: no_answer, called_at: "2026-11-20 12:01"', False),
        (f'{NOON}, paper: a1, outcome: no_answer, called_at: "2026-11-20 11:00", ring: 9', False),
        # the city's word
        (f"{NOON}, stop: A", True),
        (f"{NOON}, unstop: A", True),
        (f"{NOON}, decide: A, decision: resume", False),
        # expectations
        (f"{NOON}, phone: a1, expect: {{status: open, counted: 0, weekend_met: false}}", True),
        (f"{NOON}, phone: a1, expect: {{status: closed}}", False),
        (f"{NOON}, phone: a1, expect: {{counted: 1}}", False),
        (f"{NOON}, phone: a1, expect: {{weekend_met: true}}", False),
        (f'{NOON}, phone: a1, expect: {{next_from: "2026-11-20 12:00"}}', True),
        (f"{NOON}, phone: a1, expect: {{next_from: null}}", False),
        (f"{NOON}, case: A, expect: {{status: open, clause: null, appointment: null}}", True),
        (f"{NOON}, case: A, expect: {{clause: カ}}", False),
        (f'{NOON}, case: A, expect: {{appointment: "2026-11-21 10:00"}}', False),
    ],
)
def test_a_step_holds_or_does_not(text: str, holds: bool) -> None:
    assert step(text).holds is holds


def test_a_step_that_must_be_rejected_leaves_no_trace() -> None:
    lines = [
        f"{NOON}, attempt: a1, outcome: no_answer, error: true",  # does not hold: it is allowed
        f"{NOON}, phone: a1, expect: {{counted: 0}}",
    ]
    assert step("\n".join(lines)).holds


def test_what_was_expected_and_got_is_told_in_the_words_of_the_file() -> None:
    facts = 'next_from: "2026-11-21 10:00:05", weekend_met: true, counted: 2'
    result = step(f"{NOON}, phone: a1, expect: {{{facts}}}")
    assert result.expected == "next_from: 2026-11-21 10:00:05, weekend_met: true, counted: 2"
    assert result.got == "next_from: 2026-11-20 12:00, weekend_met: false, counted: 0"
    result = step(f'{NOON}, case: A, expect: {{clause: カ, appointment: "2026-11-21 10:00"}}')
    assert result.expected == "clause: カ, appointment: 2026-11-21 10:00"
    assert result.got == "clause: null, appointment: null"
    result = step(f"{NOON}, decide: A, decision: stop")
    assert (result.expected, result.got) == ("escalated", "the case is open")
    result = step('at: "2026-11-19 12:00", attempt: a1, outcome: person_done')
    assert (result.expected, result.got) == ("recorded", "rejected")
    assert result.reasons[0] == "outside_period"
    assert result.reasons[1].startswith("script_finished: ")


def test_a_story_may_set_values_of_its_profile() -> None:
    text = f"{HEAD}set: {{ring_min_s: 20}}\nsteps:\n"
    asked = f"  - {{{NOON}, attempt: a1, outcome: no_answer, ring: 21}}\n"
    assert check(text + asked).failures == ()


def test_cases_without_a_household_of_their_own_share_none() -> None:
    text = HEAD.replace("household: H1, ", "").replace("household: H2, ", "")
    steps = (
        f"  - {{{NOON}, attempt: a1, outcome: busy}}\n  - {{{NOON}, ask: b1, expect: allowed}}\n"
    )
    assert check(f"{text}steps:\n{steps}").failures == ()


def test_times_may_be_written_with_or_without_quotes() -> None:
    for written in (
        "2026-11-20 12:00",
        "2026-11-20T12:00:00",
        "2026-11-20 9:05",
        '"2026-11-20 12:00"',
    ):
        assert step(f"at: {written}, ask: a1, expect: allowed").holds


def test_a_file_may_hold_several_stories_and_empty_documents() -> None:
    story = f"{HEAD}steps: []\n"
    report = check(f"---\n{story}---\n---\n{story}---\n")
    assert (report.scenarios, report.results) == (2, ())


OK = f"{HEAD}steps:\n  - {{{NOON}, ask: a1, expect: allowed}}\n"


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "there is no scenario"),
        ("a: [", 1, "not YAML"),
        ("[a]: 1", 1, "unknown key"),
        ("a: \x07", 1, "not YAML"),
        ("- 1", 1, "a mapping"),
        (OK.replace("profile:", "profil:"), 2, "unknown key 'profil'"),
        (OK.replace("profile: nagaoka-r8\n", ""), 1, "missing key 'profile'"),
        (OK.replace("profile: nagaoka-r8", "profile: gotham"), 2, "does not exist"),
        (OK.replace("profile: nagaoka-r8", "profile:"), 2, "a value is needed"),
        (OK.replace("a story", "[a, story]"), 1, "a value is needed"),
        (OK + "profile: nagaoka-r8\n", 9, "the key 'profile' is there twice"),
        (OK + "set: {hours: 3}\n", 9, "unknown key 'hours'"),
        (OK + "set: {attempts: !town 3}\n", 9, "not a value"),
        (OK + "set: {attempts: many}\n", 2, "attempts: Input should be"),
        (OK.replace("to: 2026-11-30", "to: 2026-11-31"), 3, "is not a date"),
        (OK.replace("to: 2026-11-30", "to: 2026-11-19"), 3, "ends before it begins"),
        (OK.replace("30}", "30, excluded: 2026-11-21}"), 3, "a list is needed"),
        (OK.replace("id: B", "id: A"), 6, "'A' is there twice"),
        (OK.replace("b1:", "a1:"), 6, "'a1' is there twice"),
        (OK.replace("kind: fixed", "kind: fax", 1), 5, "'fax' is not one of fixed, mobile, ip"),
        (OK.replace('{b1: {number: "0258-00-2222", kind: fixed}}', "{}"), 6, "at least one phone"),
        (OK.replace("ask: a1", "ask: c1"), 8, "'c1' is not one of a1, b1"),
        (OK.replace("ask: a1, ", ""), 8, "a step has exactly one of"),
        (OK.replace("ask: a1", "ask: a1, stop: A"), 8, "a step has exactly one of"),
        (OK.replace("allowed", "maybe"), 8, "'maybe' is not one of allowed, refused"),
        (OK.replace("allowed", "allowed, reason: paid"), 8, "only a refusal has a reason"),
        (OK.replace("allowed", "refused, reason: rain"), 8, "'rain' is not one of"),
        (OK.replace("allowed", "allowed, why: me"), 8, "unknown key 'why'"),
        (OK.replace("20 12:00", "20 25:00"), 8, "is not a time"),
        (OK.replace("20 12:00", "20"), 8, "is not a time"),
        (OK + '  - {at: "2026-11-19 10:00", stop: A}\n', 9, "earlier than the one before"),
        (OK + f"  - {{{NOON}, stop: A, expect: allowed}}\n", 9, "unknown key 'expect'"),
        (OK + f"  - {{{NOON}, decide: A}}\n", 9, "missing key 'decision'"),
        (OK + f"  - {{{NOON}, attempt: a1, outcome: busy, ring: yes}}\n", 9, "number of seconds"),
        (OK + f"  - {{{NOON}, attempt: a1, outcome: busy, ring: -1}}\n", 9, "number of seconds"),
        (OK + f"  - {{{NOON}, attempt: a1, outcome: busy, ring: .nan}}\n", 9, "number of seconds"),
        (OK + f"  - {{{NOON}, attempt: a1, outcome: busy, forced: 1}}\n", 9, "true or false"),
        (OK + f"  - {{{NOON}, attempt: a1, outcome: busy, scope: town}}\n", 9, "phone, case"),
        (OK + f"  - {{{NOON}, phone: a1, expect: {{}}}}\n", 9, "expect at least one of status"),
        (OK + f"  - {{{NOON}, phone: a1, expect: {{counted: no}}}}\n", 9, "a whole number"),
        (OK + f"  - {{{NOON}, phone: a1, expect: {{counted: 1.5}}}}\n", 9, "a whole number"),
        (OK + f"  - {{{NOON}, case: A, expect: {{clause: ケ}}}}\n", 9, "'ケ' is not one of"),
        (OK + f"  - {{{NOON}, case: A, expect: {{counted: 1}}}}\n", 9, "unknown key 'counted'"),
        (OK + f"  - {{{NOON}, case: A, expect: {{status: !!int x}}}}\n", 9, "'x' is not one of"),
        (OK + f"  - {{{NOON}, phone: a1, expect: {{counted: !!int x}}}}\n", 9, "not a value"),
    ],
)
def test_a_malformed_file_is_refused_with_file_and_line(text: str, line: int, told: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        check(text)
    assert (raised.value.file, raised.value.line) == ("story.yaml", line)
    assert told in raised.value.message
    assert str(raised.value) == f"story.yaml:{line}: {raised.value.message}"


@given(st.integers(0, len(OK)), st.text(alphabet="{}[]:,-\n \"'&*!|>a1ア\x00", max_size=4))
def test_whatever_is_typed_into_a_file_it_is_read_or_refused_with_a_line(
    place: int, typed: str
) -> None:
    try:
        parse_scenarios(OK[:place] + typed + OK[place:], "story.yaml")
    except ScenarioError as error:
        assert error.line >= 1

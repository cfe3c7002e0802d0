"""Scenarios: the shipped ones hold, wrong ones are told, malformed files are refused with a line."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.case import (
    CaseStatus,
    Decision,
    EscalationDecided,
    PaymentKnown,
    PhoneKind,
    PhoneStatus,
    Scope,
    StopLifted,
    StopOrdered,
)
from rules.eligibility import Reason
from rules.profile import OVERRIDABLE, Profile, ProfileError
from rules.scenario import FileReport, ScenarioError, StepResult, check_text, parse_scenarios
from rules.scenario_steps import (
    AnyStep,
    Ask,
    CaseExpectation,
    CityWord,
    Expectation,
    MadeAttempt,
    PaperSheet,
    PhoneExpectation,
    TakenCallback,
)
from tests.rules.stories import PROFILE

# of the contract's term, as the law has them: 敬老の日, 国民の休日, 秋分の日 … 春分の日, its substitute
HOLIDAYS = frozenset(
    date.fromisoformat(day)
    for day in (
        "2026-09-21",
        "2026-09-22",
        "2026-09-23",
        "2026-10-12",
        "2026-11-03",
        "2026-11-23",
        "2027-01-01",
        "2027-01-11",
        "2027-02-11",
        "2027-02-23",
        "2027-03-21",
        "2027-03-22",
    )
)
SHIPPED = {
    entry.name: entry.read_text(encoding="utf-8")
    for entry in (files("rules") / "scenarios").iterdir()
    if entry.is_file()
}


def profile_named(name: str) -> Profile:
    if name != PROFILE.name:
        raise ProfileError(f"profile {name}: does not exist")
    return PROFILE


def holidays(first: date, last: date) -> frozenset[date]:
    return frozenset(day for day in HOLIDAYS if first <= day <= last)


def check(text: str) -> FileReport:
    return check_text(text, "story.yaml", profile_named, holidays)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_shipped_scenario_holds(name: str) -> None:
    report = check_text(SHIPPED[name], name, profile_named, holidays)
    assert report.failures == ()
    assert report.scenarios > 0
    assert len(report.results) > report.scenarios


SCENARIOS = [scenario for name, text in SHIPPED.items() for scenario in parse_scenarios(text, name)]
STEPS = [step for scenario in SCENARIOS for step in scenario.steps]
RESULTS = [step for step in STEPS if isinstance(step, MadeAttempt | TakenCallback | PaperSheet)]


def test_at_least_sixty_scenarios_ship_and_each_is_named_once() -> None:
    assert len(SCENARIOS) >= 60
    assert len({scenario.title for scenario in SCENARIOS}) == len(SCENARIOS)


KINDS_OF_PHONES = {
    phone.kind for each in SCENARIOS for member in each.members for phone in member.case.phones
}
ALL_KINDS_OF_RESULTS = set(product([MadeAttempt, TakenCallback, PaperSheet], [True, False]))


def values_expected(kind: type[Expectation], name: str) -> set[object]:
    return {
        step.expected[name] for step in STEPS if isinstance(step, kind) and name in step.expected
    }


def words_of_the_city() -> set[object]:
    return {
        step.fact.decision if isinstance(step.fact, EscalationDecided) else type(step.fact)
        for step in STEPS
        if isinstance(step, CityWord)
    }


@pytest.mark.parametrize(
    ("what", "shown", "wanted"),
    [
        ("kinds of steps", {type(step) for step in STEPS}, set(get_args(AnyStep))),
        ("refusals", {step.reason for step in STEPS if isinstance(step, Ask)}, {None, *Reason}),
        ("outcomes", {step.result.outcome for step in RESULTS}, set(PROFILE.outcomes)),
        ("scopes chosen", {step.result.scope for step in RESULTS}, {None, *Scope}),
        ("values set", {name for each in SCENARIOS for name in each.overrides}, set(OVERRIDABLE)),
        ("kinds of phones", KINDS_OF_PHONES, set(PhoneKind)),
        (
            "words of the city",
            words_of_the_city(),
            {*Decision, StopOrdered, StopLifted, PaymentKnown},
        ),
        ("case statuses", values_expected(CaseExpectation, "status"), set(CaseStatus)),
        ("clauses", values_expected(CaseExpectation, "clause"), {None, *"アイウエオカキク"}),
        ("phone statuses", values_expected(PhoneExpectation, "status"), set(PhoneStatus)),
        ("weekends", values_expected(PhoneExpectation, "weekend_met"), {True, False}),
        ("attempts", values_expected(PhoneExpectation, "counted"), {0, 1, 2, 3, 4}),
        ("results refused", {(type(step), step.error) for step in RESULTS}, ALL_KINDS_OF_RESULTS),
    ],
)
def test_the_shipped_scenarios_show_everything_there_is(
    what: str, shown: set[object], wanted: set[object]
) -> None:
    assert wanted - shown == set(), f"{what} no scenario speaks of"


def test_the_shipped_scenarios_show_forced_calls_appointments_kept_and_phones_never_called_again() -> (
    None
):
    attempts = [step for step in RESULTS if isinstance(step, MadeAttempt)]
    assert {step.forced for step in attempts} == {True, False}
    assert any(step.result.appointment for step in attempts)
    assert any(step.result.appointment for step in RESULTS if isinstance(step, TakenCallback))
    assert any(step.result.appointment for step in RESULTS if isinstance(step, PaperSheet))
    assert None in values_expected(PhoneExpectation, "next_from")
    assert None in values_expected(CaseExpectation, "appointment")


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
        (
            f"{NOON}, stop: A\n{NOON}, paid: A\n{NOON}, unstop: A\n{NOON}, case: A, expect: {{status: paid}}",
            True,
        ),
        # attempts
        (f"{NOON}, attempt: a1, outcome: no_answer", True),
        (f"{NOON}, attempt: a1, outcome: no_answer, error: true", False),
        (f"{NOON}, attempt: a1, outcome: failed, ring: 0", True),
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


WORDS = [
    # what a step expected and what it got, in the words of the file
    (f"{NOON}, ask: a1, expect: allowed", "allowed", "allowed"),
    (f"{NOON}, ask: a1, expect: refused", "refused", "allowed"),
    (f"{NOON}, ask: a1, expect: refused, reason: paid", "refused: paid", "allowed"),
    (f"{NOON}, stop: A\n{NOON}, ask: a1, expect: refused", "refused", "refused"),
    (f"{NOON}, attempt: a1, outcome: busy", "recorded", "recorded"),
    (f"{NOON}, attempt: a1, outcome: busy, error: true", "rejected", "recorded"),
    (f"{NOON}, attempt: a1, outcome: sold, error: true", "rejected", "rejected"),
    (f"{NOON}, callback: A, outcome: fax", "recorded", "rejected"),
    (f"{NOON}, stop: A", "recorded", "recorded"),
]


@pytest.mark.parametrize(("text", "expected", "got"), WORDS)
def test_every_step_tells_what_it_expected_and_what_it_got(
    text: str, expected: str, got: str
) -> None:
    result = step(text)
    assert (result.expected, result.got) == (expected, got)


def test_a_paper_sheet_from_the_future_is_rejected_with_the_reason() -> None:
    result = step(f'{NOON}, paper: a1, outcome: no_answer, called_at: "2026-11-20 12:01"')
    assert result.reasons == ("called_at: 入力した時刻より後の架電です。",)


def test_an_attempt_that_rang_out_rang_for_thirty_six_seconds_unless_the_story_tells() -> None:
    asked_for = f"{HEAD}set: {{ring_min_s: SECONDS}}\nsteps:\n"
    attempt = f"  - {{{NOON}, attempt: a1, outcome: no_answer}}\n"
    assert check(asked_for.replace("SECONDS", "36") + attempt).failures == ()
    (rejected,) = check(asked_for.replace("SECONDS", "37") + attempt).failures
    assert rejected.reasons[0].startswith("ring: ")
    assert (
        check(asked_for.replace("SECONDS", "37") + attempt.replace("no_answer", "busy")).failures
        == ()
    )


def test_a_story_may_set_values_of_its_profile() -> None:
    text = f"{HEAD}set: {{ring_min_s: 20}}\nsteps:\n"
    asked = f"  - {{{NOON}, attempt: a1, outcome: no_answer, ring: 21}}\n"
    assert check(text + asked).failures == ()


def test_a_call_told_of_by_paper_may_lie_on_a_holiday_beside_the_period() -> None:
    text = HEAD.replace("from: 2026-11-20", "from: 2026-11-24")
    asked = """\
steps:
  - {at: "2026-11-24 09:00", paper: a1, outcome: no_answer, called_at: "2026-11-23 10:00"}
  - {at: "2026-11-24 09:00", phone: a1, expect: {counted: 1, weekend_met: true}}
"""
    assert check(text + asked).failures == ()


def test_cases_without_a_household_of_their_own_share_none() -> None:
    text = HEAD.replace("household: H1, ", "").replace("household: H2, ", "")
    steps = (
        f"  - {{{NOON}, attempt: a1, outcome: busy}}\n  - {{{NOON}, ask: b1, expect: allowed}}\n"
    )
    assert check(f"{text}steps:\n{steps}").failures == ()


def test_a_period_may_be_a_single_day() -> None:
    text = f"{HEAD}steps:\n  - {{{NOON}, ask: a1, expect: allowed}}\n"
    assert check(text.replace("to: 2026-11-30", "to: 2026-11-20")).failures == ()


def test_a_holiday_of_the_year_beside_the_period_is_known_too() -> None:
    february = HEAD.replace("from: 2026-11-20, to: 2026-11-30", "from: 2027-02-19, to: 2027-02-26")
    evening = '  - {at: "2027-01-01 17:30", ask: a1, expect: refused, reason: outside_hours}\n'
    assert check(f"{february}steps:\n{evening}").failures == ()


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
    assert (report.file, report.scenarios, report.results) == ("story.yaml", 2, ())


@pytest.mark.parametrize("written", ["0258-00-1111", "(0258) 00 1111", "０２５８－００－１１１１"])
def test_a_number_is_its_digits_however_it_is_written(written: str) -> None:
    (story,) = parse_scenarios(HEAD.replace("0258-00-1111", written) + "steps: []\n", "story.yaml")
    assert [member.numbers for member in story.members] == [{"0258001111"}, {"0258002222"}]


STEP_NEEDS_A_KIND = (
    "a step has exactly one of "
    "ask, attempt, callback, paper, stop, unstop, paid, decide, phone, case"
)
OK = f"{HEAD}steps:\n  - {{{NOON}, ask: a1, expect: allowed}}\n"


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "there is no scenario in it"),
        ("a: [", 1, "not YAML: expected the node content, but found '<stream end>'"),
        ("[a]: 1", 1, "unknown key"),
        ("a: \x07", 1, "not YAML: unacceptable character #x0007"),
        ("- 1", 1, "a mapping (key: value) is needed here"),
        (OK.replace("profile:", "profil:"), 2, "unknown key 'profil'"),
        (OK.replace("profile: nagaoka-r8\n", ""), 1, "missing key 'profile'"),
        (OK.replace("profile: nagaoka-r8", "profile: gotham"), 2, "profile gotham: does not exist"),
        (OK.replace("profile: nagaoka-r8", "profile:"), 2, "a value is needed"),
        (OK.replace("a story", "[a, story]"), 1, "a value is needed"),
        (OK + "profile: nagaoka-r8\n", 9, "not YAML: the key 'profile' is there twice"),
        (OK + "set: {hours: 3}\n", 9, "unknown key 'hours'"),
        (OK + "set: {attempts: !town 3}\n", 9, "not a value"),
        (OK + "set: {attempts: many}\n", 2, "attempts: Input should be"),
        (
            OK.replace("to: 2026-11-30", "to: 2026-11-31"),
            3,
            "'2026-11-31' is not a date (2026-09-21)",
        ),
        (OK.replace("to: 2026-11-30", "to: 2026-11-19"), 3, "the period ends before it begins"),
        (OK.replace("30}", "30, excluded: 2026-11-21}"), 3, "a list is needed here"),
        (OK.replace("id: B", "id: A"), 6, "'A' is there twice"),
        (OK.replace("b1:", "a1:"), 6, "'a1' is there twice"),
        (OK.replace("kind: fixed", "kind: fax", 1), 5, "'fax' is not one of fixed, mobile, ip"),
        (
            OK.replace('{b1: {number: "0258-00-2222", kind: fixed}}', "{}"),
            6,
            "a case has at least one phone",
        ),
        (OK.replace("ask: a1", "ask: c1"), 8, "'c1' is not one of a1, b1"),
        (OK.replace("ask: a1, ", ""), 8, STEP_NEEDS_A_KIND),
        (OK.replace("ask: a1", "ask: a1, stop: A"), 8, STEP_NEEDS_A_KIND),
        (OK.replace("allowed", "maybe"), 8, "'maybe' is not one of allowed, refused"),
        (OK.replace("allowed", "allowed, reason: paid"), 8, "only a refusal has a reason"),
        (
            OK.replace("allowed", "refused, reason: rain"),
            8,
            "'rain' is not one of outside_period, excluded_day, ",
        ),
        (OK.replace("allowed", "allowed, why: me"), 8, "unknown key 'why'"),
        (
            OK.replace("20 12:00", "20 25:00"),
            8,
            "'2026-11-20 25:00' is not a time (2026-09-21 10:00)",
        ),
        (OK.replace("20 12:00", "20"), 8, "'2026-11-20' is not a time (2026-09-21 10:00)"),
        (
            OK + '  - {at: "2026-11-19 10:00", stop: A}\n',
            9,
            "this step is earlier than the one before it",
        ),
        (OK + f"  - {{{NOON}, stop: A, expect: allowed}}\n", 9, "unknown key 'expect'"),
        (OK + f"  - {{{NOON}, decide: A}}\n", 9, "missing key 'decision'"),
        (
            OK + f"  - {{{NOON}, attempt: a1, outcome: busy, ring: yes}}\n",
            9,
            "a number of seconds is needed here",
        ),
        (
            OK + f"  - {{{NOON}, attempt: a1, outcome: busy, ring: -1}}\n",
            9,
            "a number of seconds is needed here",
        ),
        (
            OK + f"  - {{{NOON}, attempt: a1, outcome: busy, ring: .nan}}\n",
            9,
            "a number of seconds is needed here",
        ),
        (
            OK + f"  - {{{NOON}, attempt: a1, outcome: busy, forced: 1}}\n",
            9,
            "true or false is needed here",
        ),
        (
            OK + f"  - {{{NOON}, attempt: a1, outcome: busy, scope: town}}\n",
            9,
            "'town' is not one of phone, case",
        ),
        (
            OK + f"  - {{{NOON}, phone: a1, expect: {{}}}}\n",
            9,
            "expect at least one of status, counted, weekend_met, next_from",
        ),
        (
            OK + f"  - {{{NOON}, phone: a1, expect: {{counted: no}}}}\n",
            9,
            "a whole number is needed here",
        ),
        (
            OK + f"  - {{{NOON}, phone: a1, expect: {{counted: 1.5}}}}\n",
            9,
            "a whole number is needed here",
        ),
        (
            OK + f"  - {{{NOON}, case: A, expect: {{clause: ケ}}}}\n",
            9,
            "'ケ' is not one of ア, イ, ウ, エ, オ, カ, キ, ク",
        ),
        (OK + f"  - {{{NOON}, case: A, expect: {{counted: 1}}}}\n", 9, "unknown key 'counted'"),
        (
            OK + f"  - {{{NOON}, case: A, expect: {{status: !!int x}}}}\n",
            9,
            "'x' is not one of open, complete, escalated, stopped, paid",
        ),
        (OK + f"  - {{{NOON}, phone: a1, expect: {{counted: !!int x}}}}\n", 9, "not a value"),
    ],
)
def test_a_malformed_file_is_refused_with_file_and_line(text: str, line: int, told: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        check(text)
    assert (raised.value.file, raised.value.line) == ("story.yaml", line)
    assert raised.value.message.startswith(told)
    assert str(raised.value) == f"story.yaml:{line}: {raised.value.message}"


@given(st.integers(0, len(OK)), st.text(alphabet="{}[]:,-\n \"'&*!|>a1ア\x00", max_size=4))
def test_whatever_is_typed_into_a_file_it_is_read_or_refused_with_a_line(
    place: int, typed: str
) -> None:
    try:
        parse_scenarios(OK[:place] + typed + OK[place:], "story.yaml")
    except ScenarioError as error:
        assert error.line >= 1

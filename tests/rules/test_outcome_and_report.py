"""How outcomes are read, and the sums made of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.case import Result, Scope
from rules.outcome import Effect, effect_of, is_contact
from rules.report import Handled, daily_report
from tests.rules.stories import PROFILE


@pytest.mark.parametrize(
    ("outcome", "same_household", "contact"),
    [
        ("person_done", False, True),
        ("refused", False, True),
        ("person_incomplete", False, True),
        ("third_party", False, False),
        ("third_party", True, True),
        ("hung_up", True, False),
        ("no_answer", False, False),
    ],
)
def test_a_contact_is_a_talk_with_the_person_or_the_household(
    outcome: str, same_household: bool, contact: bool
) -> None:
    result = Result(outcome=outcome, same_household=same_household)
    assert is_contact(PROFILE.outcomes[outcome], result) is contact


@pytest.mark.parametrize(
    ("outcome", "scope", "effect"),
    [
        ("long_absence", None, Effect.COMPLETE),
        ("long_absence", Scope.PHONE, Effect.CLOSE_PHONE),
        ("not_resident", None, Effect.CLOSE_PHONE),
        ("not_resident", Scope.CASE, Effect.COMPLETE),
        ("wrong_number", Scope.CASE, Effect.CLOSE_PHONE),  # not the operator's to choose
        ("no_answer", None, Effect.NONE),
    ],
)
def test_the_operators_scope_moves_an_effect_only_where_there_is_a_choice(
    outcome: str, scope: Scope | None, effect: Effect
) -> None:
    assert effect_of(PROFILE.outcomes[outcome], scope) is effect


def test_an_outcome_outside_the_contract_has_no_letter() -> None:
    assert PROFILE.outcomes["busy"].letter == ""
    assert PROFILE.outcomes["refused"].letter == "ウ"


def test_a_day_is_summed_up_by_calls_outcomes_and_distinct_cases() -> None:
    calls = [
        Handled(case=1, outcome="no_answer", counted=True, contact=False),
        Handled(case=1, outcome="person_done", counted=True, contact=True),
        Handled(case=2, outcome="busy", counted=False, contact=False),
        Handled(case=3, outcome="third_party", counted=True, contact=True),
        Handled(case=3, outcome="person_done", counted=False, contact=True, incoming=True),
        Handled(case=4, outcome="no_answer", counted=True, contact=False),
    ]
    report = daily_report(calls)
    assert (report.handled_out, report.handled_in, report.counted) == (5, 1, 4)
    assert report.by_outcome == {"no_answer": 2, "person_done": 2, "busy": 1, "third_party": 1}
    assert (report.contacts, report.cases_called, report.cases_contacted) == (3, 4, 2)
    assert report.contact_rate == 0.5
    assert report.contact_rate_per_attempt == 0.4


def test_a_day_without_calls_has_no_rates() -> None:
    report = daily_report([])
    assert (report.handled_out, report.contacts, report.by_outcome) == (0, 0, {})
    assert report.contact_rate is None
    assert report.contact_rate_per_attempt is None


@given(
    st.lists(
        st.builds(
            Handled,
            case=st.integers(1, 5),
            outcome=st.sampled_from(["no_answer", "person_done"]),
            counted=st.booleans(),
            contact=st.booleans(),
            incoming=st.booleans(),
        )
    )
)
def test_every_call_is_in_exactly_one_outcome(calls: list[Handled]) -> None:
    report = daily_report(calls)
    assert sum(report.by_outcome.values()) == len(calls)
    assert report.handled_in + report.handled_out == len(calls)

"""What is the city's to decide (rule 18): raised under its criteria or by the rules, until decided."""

from __future__ import annotations

import pytest

from rules.case import (
    Case,
    CaseState,
    CaseStatus,
    Decision,
    EscalationCause,
    EscalationDecided,
    EscalationRaised,
    Fact,
    PaymentKnown,
    StopLifted,
    StopOrdered,
)
from rules.eligibility import Reason, may_call
from rules.history import state_of
from rules.profile import Profile
from tests.rules.stories import (
    NOVEMBER,
    ONE_PHONE,
    PROFILE,
    TWO_PHONES,
    at,
    attempt,
    callback,
    profile_with,
)

RAISED = EscalationRaised(at=at("21 11:00"))
DONE = {"script_finished": True}


def fold(*facts: Fact, case: Case = ONE_PHONE, profile: Profile = PROFILE) -> CaseState:
    return state_of(case, facts, profile, NOVEMBER)


def decided(when: str, decision: Decision) -> EscalationDecided:
    return EscalationDecided(at=at(when), decision=decision)


def told(state: CaseState) -> list[tuple[str, str, bool, str | None]]:
    """Of every question: since when, why, whether it is over, and the decision."""
    return [
        (
            one.since.strftime("%d %H:%M"),
            one.cause.value,
            one.ended_at is not None,
            one.decision and one.decision.value,
        )
        for one in state.escalations
    ]


def test_a_raised_case_is_refused_until_the_decision() -> None:
    talk = attempt("20 10:00", "person_incomplete")
    waiting = fold(talk, RAISED)
    assert waiting.status is CaseStatus.ESCALATED
    asked = (at("22 15:00"), NOVEMBER, PROFILE)
    assert may_call(waiting, "a1", *asked).reasons == (Reason.CASE_ESCALATED,)
    resumed = fold(talk, RAISED, decided("21 18:00", Decision.RESUME))
    assert resumed.status is CaseStatus.OPEN
    assert may_call(resumed, "a1", *asked).allowed
    assert told(resumed) == [("21 11:00", "raised", True, "resume")]
    assert resumed.escalations[0].ended_at == at("21 18:00")


@pytest.mark.parametrize(
    ("decision", "status", "clause"),
    [
        (Decision.RESUME, "open", None),
        (Decision.STOP, "stopped", "ク"),
        (Decision.CLOSE, "complete", "ク"),
    ],
)
def test_the_decision_ends_it(decision: Decision, status: str, clause: str | None) -> None:
    state = fold(RAISED, decided("22 10:00", decision))
    assert (state.status.value, state.clause) == (status, clause)
    assert told(state) == [("21 11:00", "raised", True, decision.value)]


OVER_IT = [
    # what the case had come to before, which stays its status
    ([attempt("20 10:00", "person_done", **DONE)], "complete", "ア"),
    ([attempt("20 10:00", "wrong_number")], "complete", "オ"),
    ([StopOrdered(at=at("20 10:00"))], "stopped", "ク"),
    ([PaymentKnown(at=at("20 10:00"))], "paid", None),
]


@pytest.mark.parametrize(("before", "status", "clause"), OVER_IT)
def test_a_case_that_is_over_keeps_its_status_and_the_question_waits_all_the_same(
    before: list[Fact], status: str, clause: str | None
) -> None:
    state = fold(*before, RAISED)
    assert (state.status.value, state.clause) == (status, clause)
    assert told(state) == [("21 11:00", "raised", False, None)]
    answered = fold(*before, RAISED, decided("22 10:00", Decision.RESUME))
    assert (answered.status.value, answered.clause) == (status, clause)
    assert told(answered) == [("21 11:00", "raised", True, "resume")]


def test_under_a_stop_order_the_question_waits_until_the_order_is_lifted() -> None:
    facts = [StopOrdered(at=at("20 10:00")), RAISED, StopLifted(at=at("22 10:00"))]
    assert fold(*facts).status is CaseStatus.ESCALATED


def test_a_case_that_ends_of_itself_still_owes_what_was_raised_but_not_what_the_rules_asked() -> (
    None
):
    profile = profile_with(approve_refusals=True)
    facts = [
        attempt("20 10:00", "refused"),
        RAISED,
        callback("22 10:00", "person_done", **DONE),
    ]
    state = fold(*facts, profile=profile)
    assert (state.status.value, state.clause) == ("complete", "キ")
    assert told(state) == [
        ("20 10:00", "refusal", True, None),
        ("21 11:00", "raised", False, None),
    ]
    assert state.escalations[0].ended_at == at("22 10:00")


def test_one_decision_answers_every_question_of_the_case() -> None:
    again = EscalationRaised(at=at("22 09:00"))
    state = fold(RAISED, again, decided("22 10:00", Decision.RESUME))
    assert told(state) == [
        ("21 11:00", "raised", True, "resume"),
        ("22 09:00", "raised", True, "resume"),
    ]
    later = fold(RAISED, decided("22 10:00", Decision.RESUME), EscalationRaised(at=at("23 09:00")))
    assert later.status is CaseStatus.ESCALATED
    assert [one[2] for one in told(later)] == [True, False]


def test_attempts_used_while_the_city_is_asked_end_the_case_with_its_answer() -> None:
    """A call that was on the line when the case was raised counts; nothing ends before the decision."""
    used = [attempt("20 10:00"), attempt("21 13:00"), attempt("22 10:00")]
    assert fold(RAISED, *used).status is CaseStatus.ESCALATED
    resumed = fold(RAISED, *used, decided("24 10:00", Decision.RESUME))
    assert (resumed.status.value, resumed.clause) == ("complete", "カ")


CAUSES = [
    # the rules ask: by which facts, under which switches, since the call that led to it
    ([attempt("20 10:00", "refused")], {"approve_refusals": True}, EscalationCause.REFUSAL),
    (
        [attempt("20 10:00", "third_party", appointment="20 21:00")],
        {"escalate_early_appointments": True},
        EscalationCause.EARLY_APPOINTMENT,
    ),
    (
        [attempt("20 10:00", "third_party", appointment="20 21:00")],
        {"attempts": 1},
        EscalationCause.LAST_APPOINTMENT,
    ),
    (
        [
            attempt("20 10:00", "third_party", appointment="21 11:00"),
            attempt("21 11:00", "third_party", appointment="22 11:00"),
        ],
        {"attempts": 1},
        EscalationCause.EXTRA_APPOINTMENT,
    ),
]


@pytest.mark.parametrize(("facts", "values", "cause"), CAUSES)
def test_what_the_rules_ask_of_themselves_tells_why_and_since_when(
    facts: list[Fact], values: dict[str, object], cause: EscalationCause
) -> None:
    state = fold(*facts, profile=profile_with(**values))
    assert state.status is CaseStatus.ESCALATED
    assert told(state) == [(facts[-1].at.strftime("%d %H:%M"), cause.value, False, None)]


def test_closing_an_escalated_case_of_two_phones_leaves_nothing_to_call() -> None:
    state = fold(RAISED, decided("22 10:00", Decision.CLOSE), case=TWO_PHONES)
    assert (state.status.value, state.clause) == ("complete", "ク")

"""The fold: what every fact does to a case."""

from __future__ import annotations

import random
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.case import (
    AskedBack,
    CalledBack,
    Case,
    CaseState,
    CaseStatus,
    Decision,
    EscalationDecided,
    EscalationRaised,
    Fact,
    PaymentKnown,
    PhoneStatus,
    Scope,
    StopLifted,
    StopOrdered,
)
from rules.history import attempts_left, state_of
from rules.profile import Profile, in_succession
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

DONE = {"script_finished": True}
USED = [attempt("20 10:00"), attempt("21 13:00"), attempt("22 10:00")]


def fold(*facts: Fact, case: Case = ONE_PHONE, profile: Profile = PROFILE) -> CaseState:
    return state_of(case, facts, profile, NOVEMBER)


def decided(when: str, decision: Decision) -> EscalationDecided:
    return EscalationDecided(at=at(when), decision=decision)


@pytest.mark.parametrize(
    ("outcome", "status", "clause", "phone"),
    [
        ("person_done", "complete", "ア", "open"),
        ("household_done", "complete", "イ", "open"),
        ("refused", "complete", "ウ", "open"),
        ("long_absence", "complete", "エ", "open"),
        ("not_resident", "complete", "エ", "closed"),  # its only phone
        ("no_contact_given", "complete", "エ", "closed"),
        ("wrong_number", "complete", "オ", "closed"),
        ("out_of_service", "complete", "オ", "closed"),
        ("fax", "complete", "オ", "closed"),
        ("no_answer", "open", None, "open"),
        ("voicemail_left", "open", None, "open"),
        ("voicemail_failed", "open", None, "open"),
        ("temporarily_unavailable", "open", None, "open"),
        ("third_party", "open", None, "open"),
        ("person_incomplete", "open", None, "open"),
        ("hung_up", "open", None, "open"),
        ("busy", "open", None, "open"),
        ("out_of_reach", "open", None, "open"),
        ("abandoned", "open", None, "open"),
        ("failed", "open", None, "open"),
        ("cancelled", "open", None, "open"),
    ],
)
def test_an_outcome_does_to_the_case_what_the_contract_says(
    outcome: str, status: str, clause: str | None, phone: str
) -> None:
    state = fold(attempt("20 10:00", outcome))
    assert (state.status, state.clause, state.phones["a1"].status) == (status, clause, phone)


@pytest.mark.parametrize(
    ("outcome", "minutes"),
    [("busy", 10), ("out_of_reach", 10), ("failed", 10), ("abandoned", 30), ("cancelled", None)],
)
def test_an_attempt_that_is_not_counted_cools_down(outcome: str, minutes: int | None) -> None:
    phone = fold(attempt("20 10:00", outcome)).phones["a1"]
    assert phone.counted == ()
    assert phone.last_placed == at("20 10:00")
    assert phone.not_before == (at(f"20 10:{minutes}") if minutes else None)


def test_a_forced_call_does_not_shorten_the_wait_after_the_one_before_it() -> None:
    facts = [attempt("20 10:00", "abandoned"), attempt("20 10:05", "failed")]
    assert fold(*facts).phones["a1"].not_before == at("20 10:30")
    assert fold(*facts, attempt("20 10:25", "busy")).phones["a1"].not_before == at("20 10:35")
    assert fold(*facts, attempt("20 10:25")).phones["a1"].not_before is None


def test_after_an_abandoned_call_an_operator_is_reserved_until_a_call_counts() -> None:
    gone = attempt("20 10:00", "abandoned")
    assert fold(gone).phones["a1"].reserved_operator
    assert fold(gone, attempt("20 10:30", "failed")).phones["a1"].reserved_operator
    assert fold(gone, attempt("20 10:30")).phones["a1"].reserved_operator is False


def test_the_days_third_busy_counts_with_its_own_time_and_the_count_begins_anew() -> None:
    tries = [attempt(f"20 {clock}", "busy") for clock in ("11:45", "11:55", "12:05")]
    assert fold(*tries).phones["a1"].counted == (at("20 12:05"),)
    twice = profile_with(busy_tries=2)
    assert fold(*tries[:1], profile=twice).phones["a1"].counted == ()
    assert fold(*tries, profile=twice).phones["a1"].counted == (at("20 11:55"),)
    more = [attempt("20 13:00", "out_of_reach"), attempt("20 13:10", "busy")]
    assert len(fold(*tries, *more).phones["a1"].counted) == 1


def test_busy_tries_are_counted_by_phone_and_day() -> None:
    tries = [
        attempt("20 10:00", "busy"),
        attempt("20 10:40", "busy"),
        attempt("20 11:20", "busy", "a2"),
        attempt("21 10:00", "busy"),
    ]
    state = fold(*tries, case=TWO_PHONES)
    assert [phone.counted for phone in state.phones.values()] == [(), ()]


def test_the_day_of_busy_tries_is_that_of_japan_until_midnight() -> None:
    tries = [attempt(f"20 {clock}", "busy") for clock in ("10:00", "10:40", "23:59")]  # on paper
    assert fold(*tries).phones["a1"].counted == (at("20 23:59"),)
    tries[2] = attempt("21 00:00", "busy")
    assert fold(*tries).phones["a1"].counted == ()


def test_facts_may_come_in_any_order() -> None:
    state = fold(attempt("22 10:00"), attempt("20 10:00"), attempt("21 13:00"))
    assert state.phones["a1"].counted == (at("20 10:00"), at("21 13:00"), at("22 10:00"))
    assert (state.status, state.clause) == (CaseStatus.COMPLETE, "カ")


def test_a_case_completes_under_ka_only_when_every_open_phone_has_its_attempts() -> None:
    state = fold(*USED, case=TWO_PHONES)
    assert state.status is CaseStatus.OPEN
    state = fold(*USED, attempt("22 13:00", "wrong_number", "a2"), case=TWO_PHONES)
    assert (state.status, state.clause) == (CaseStatus.COMPLETE, "カ")


def test_a_profile_in_force_for_one_day_completes_what_is_complete_on_it() -> None:
    one_try = profile_with(attempts=1)
    ordered = [
        (date(2026, 11, day), each) for day, each in ((20, PROFILE), (25, one_try), (26, PROFILE))
    ]
    profile = in_succession(ordered)
    before, after = (profile.on(date(2026, 11, day)) for day in (24, 27))
    assert fold(USED[0], profile=before).status is CaseStatus.OPEN
    assert fold(USED[0], profile=after).clause == "カ"


def test_a_case_that_came_without_a_phone_does_not_complete_by_itself() -> None:
    facts = [StopOrdered(at=at("20 10:00")), StopLifted(at=at("21 10:00"))]
    assert fold(*facts, case=Case(id="A", phones=())).status is CaseStatus.OPEN


def test_the_last_phone_to_close_names_the_clause() -> None:
    facts = [attempt("20 10:00", "wrong_number"), attempt("20 11:00", "not_resident", "a2")]
    assert fold(facts[0], case=TWO_PHONES).status is CaseStatus.OPEN
    assert fold(*facts, case=TWO_PHONES).clause == "エ"


def test_a_case_whose_last_phone_closes_is_complete_whatever_the_city_was_asked() -> None:
    raised = EscalationRaised(at=at("20 09:00"))
    state = fold(raised, attempt("20 10:00", "wrong_number"))
    assert (state.status, state.clause) == (CaseStatus.COMPLETE, "オ")
    assert state.is_asked


def test_a_case_without_an_open_phone_ends_under_the_clause_of_the_last_whatever_is_decided() -> (
    None
):
    resumed = decided("25 10:00", Decision.RESUME)
    on_a_closed_phone = attempt("24 10:00", "third_party", appointment="26 10:00")
    facts = [*USED, attempt("23 10:00", "wrong_number"), on_a_closed_phone]
    assert fold(*facts).status is CaseStatus.ESCALATED
    assert (fold(*facts, resumed).status, fold(*facts, resumed).clause) == ("complete", "オ")


def test_an_appointment_that_no_open_phone_is_left_for_goes_to_the_city() -> None:
    called_back = callback("24 10:00", "third_party", appointment="26 10:00")
    state = fold(*USED, attempt("23 10:00", "wrong_number"), called_back)
    assert (state.status, state.appointment) == (CaseStatus.ESCALATED, None)
    assert state.noted_appointment == at("26 10:00")


def test_a_phone_closes_once_and_a_forced_call_to_it_names_no_other_clause() -> None:
    facts = [
        *USED,
        attempt("23 10:00", "wrong_number"),
        attempt("24 10:00", "not_resident"),
        attempt("24 13:00", "third_party", appointment="26 10:00"),
        attempt("24 15:00", "not_resident"),
    ]
    assert fold(*facts).status is CaseStatus.ESCALATED
    assert fold(*facts, decided("25 10:00", Decision.RESUME)).clause == "オ"


def test_a_scope_chosen_by_the_operator_is_followed() -> None:
    only_phone = attempt("20 10:00", "long_absence", scope=Scope.PHONE)
    state = fold(only_phone, case=TWO_PHONES)
    assert state.status is CaseStatus.OPEN
    assert state.phones["a1"].status is PhoneStatus.CLOSED
    whole_case = attempt("20 10:00", "not_resident", scope=Scope.CASE)
    assert fold(whole_case, case=TWO_PHONES).clause == "エ"


def test_attempts_can_be_shared_by_the_phones_of_a_case() -> None:
    shared = profile_with(attempt_scope="case")
    facts = [attempt("20 10:00"), attempt("20 11:00", phone="a2"), attempt("21 13:00")]
    state = fold(*facts[:2], case=TWO_PHONES, profile=shared)
    assert attempts_left(state, state.phones["a2"], shared) == 1
    assert fold(*facts, case=TWO_PHONES, profile=shared).clause == "カ"


@pytest.mark.parametrize(("scope", "other_met"), [("phone", False), ("case", True)])
def test_a_non_weekday_call_meets_the_weekend_rule_in_its_scope(
    scope: str, other_met: bool
) -> None:
    profile = profile_with(weekend_scope=scope)
    state = fold(attempt("21 10:00"), case=TWO_PHONES, profile=profile)
    assert state.phones["a1"].weekend_met
    assert state.phones["a2"].weekend_met is other_met
    state = fold(attempt("21 10:00", phone="a2"), case=TWO_PHONES, profile=profile)
    assert state.phones["a2"].weekend_met
    assert state.phones["a1"].weekend_met is other_met
    uncounted = fold(attempt("21 10:00", "busy"), profile=profile)
    assert not uncounted.phones["a1"].weekend_met


# --- the city's word -----------------------------------------------------------------------------


def test_a_stop_order_holds_until_it_is_lifted() -> None:
    stop, lift = StopOrdered(at=at("20 10:00")), StopLifted(at=at("21 10:00"))
    state = fold(stop)
    assert (state.status, state.clause, state.stopped) == (CaseStatus.STOPPED, "ク", True)
    assert fold(stop, lift).status is CaseStatus.OPEN
    assert fold(stop, lift).stopped is False


def test_a_payment_ends_the_calling_without_a_clause() -> None:
    state = fold(PaymentKnown(at=at("20 10:00")))
    assert (state.status, state.clause, state.paid) == (CaseStatus.PAID, None, True)


def test_a_stop_order_outranks_a_payment() -> None:
    facts = [PaymentKnown(at=at("20 10:00")), StopOrdered(at=at("20 11:00"))]
    assert fold(*facts).status is CaseStatus.STOPPED


@pytest.mark.parametrize("word", [StopOrdered, PaymentKnown])
def test_what_ended_a_case_first_stays_its_status(
    word: type[StopOrdered] | type[PaymentKnown],
) -> None:
    talk = attempt("20 10:00", "person_done", **DONE)
    assert fold(talk, word(at=at("20 11:00"))).clause == "ア"
    late = fold(word(at=at("20 09:00")), talk)
    shown = {StopOrdered: (CaseStatus.STOPPED, "ク"), PaymentKnown: (CaseStatus.PAID, None)}
    assert (late.status, late.clause) == shown[word]


def test_a_case_completed_under_a_stop_order_shows_it_once_the_order_is_lifted() -> None:
    facts: list[Fact] = [
        StopOrdered(at=at("20 09:00")),
        callback("20 10:00", "person_done", **DONE),
        StopLifted(at=at("21 09:00")),
    ]
    assert fold(*facts[:2]).status is CaseStatus.STOPPED
    assert (fold(*facts).status, fold(*facts).clause) == (CaseStatus.COMPLETE, "キ")


@pytest.mark.parametrize("later", [StopOrdered, PaymentKnown])
def test_a_lifted_order_leaves_an_end_that_a_later_word_does_not_hide(
    later: type[StopOrdered] | type[PaymentKnown],
) -> None:
    facts: list[Fact] = [
        StopOrdered(at=at("20 09:00")),
        callback("20 10:00", "person_done", **DONE),
        StopLifted(at=at("21 09:00")),
        later(at=at("21 10:00")),
    ]
    assert (fold(*facts).status, fold(*facts).clause) == (CaseStatus.COMPLETE, "キ")


def test_a_payment_known_before_the_end_stays_when_a_stop_order_is_lifted() -> None:
    facts: list[Fact] = [
        StopOrdered(at=at("20 09:00")),
        PaymentKnown(at=at("20 09:30")),
        callback("20 10:00", "person_done", **DONE),
        StopLifted(at=at("21 09:00")),
    ]
    assert fold(*facts).status is CaseStatus.PAID


# --- approval and escalation -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "status", "clause"),
    [
        (None, "escalated", None),
        (Decision.CLOSE, "complete", "ウ"),
        (Decision.RESUME, "open", None),
        (Decision.STOP, "stopped", "ク"),
    ],
)
def test_a_refusal_may_have_to_wait_for_approval(
    decision: Decision | None, status: str, clause: str | None
) -> None:
    facts: list[Fact] = [attempt("20 10:00", "refused")]
    if decision is not None:
        facts.append(decided("20 11:00", decision))
    state = fold(*facts, profile=profile_with(approve_refusals=True))
    assert (state.status, state.clause) == (status, clause)


def test_only_a_refusal_waits_for_approval() -> None:
    profile = profile_with(approve_refusals=True)
    assert fold(attempt("20 10:00", "person_done", **DONE), profile=profile).clause == "ア"
    assert fold(attempt("20 10:00", "long_absence"), profile=profile).clause == "エ"


def test_a_refusal_after_the_end_of_a_case_waits_for_nothing() -> None:
    facts = [*USED, callback("24 10:00", "refused")]
    assert fold(*facts, profile=profile_with(approve_refusals=True)).clause == "カ"


@pytest.mark.parametrize(
    ("decision", "status", "clause"),
    [
        (Decision.CLOSE, "complete", "カ"),  # its attempts are used
        (Decision.RESUME, "complete", "カ"),
        (Decision.STOP, "stopped", "ク"),
    ],
)
def test_a_case_escalated_on_its_last_attempt_ends_by_the_decision(
    decision: Decision, status: str, clause: str
) -> None:
    third = attempt("22 10:00", "third_party", appointment="30 21:00")
    state = fold(*USED[:2], third, decided("24 10:00", decision))
    assert (state.status, state.clause) == (status, clause)


def test_an_approval_that_was_refused_does_not_name_the_clause_of_a_later_end() -> None:
    profile = profile_with(approve_refusals=True, escalate_early_appointments=True)
    facts: list[Fact] = [
        attempt("20 10:00", "refused"),
        decided("20 11:00", Decision.RESUME),
        attempt("21 13:00", "third_party", appointment="21 20:00"),
        decided("21 14:00", Decision.CLOSE),
    ]
    assert fold(*facts, profile=profile).clause == "ク"


def test_a_decision_on_a_case_that_is_not_escalated_changes_nothing() -> None:
    assert fold(decided("20 10:00", Decision.STOP)).status is CaseStatus.OPEN


# --- appointments ------------------------------------------------------------------------------------


def test_an_appointment_is_kept_by_a_counted_call_to_its_phone_at_or_after_its_time() -> None:
    learned = attempt("20 10:00", "third_party", appointment="20 19:00")
    assert fold(learned).appointment == at("20 19:00")
    kept_by: list[tuple[Fact, datetime | None]] = [
        (attempt("20 18:59"), at("20 19:00")),  # forced, too early
        (attempt("20 19:00", phone="a2"), at("20 19:00")),  # another phone
        (attempt("20 19:00", "busy"), at("20 19:00")),  # not counted
        (attempt("20 19:00"), None),
    ]
    for fact, pending in kept_by:
        state = fold(learned, fact, case=TWO_PHONES)
        assert state.appointment == pending, fact
        assert state.appointment_phone == ("a1" if pending else None), fact
    done = fold(learned, attempt("20 19:00", "person_done", "a2", **DONE), case=TWO_PHONES)
    assert (done.appointment, done.appointment_phone) == (None, None)


@pytest.mark.parametrize(("when", "missed"), [("20 19:10", 0), ("20 19:15", 0), ("20 19:15:01", 1)])
def test_an_appointment_kept_after_its_window_is_remembered_as_missed(
    when: str, missed: int
) -> None:
    learned = attempt("20 10:00", "third_party", appointment="20 19:00")
    assert len(fold(learned, attempt(when)).missed_appointments) == missed


def test_a_new_appointment_takes_the_place_of_the_old_one() -> None:
    first = attempt("20 10:00", "third_party", appointment="20 19:00")
    inside = fold(first, callback("20 11:00", "person_incomplete", appointment="20 15:00"))
    assert (inside.appointment, inside.appointment_phone) == (at("20 15:00"), None)
    outside = fold(first, callback("20 11:00", "person_incomplete", appointment="20 21:00"))
    assert (outside.appointment, outside.noted_appointment) == (None, at("20 21:00"))
    assert outside.appointment_phone is None
    assert outside.status is CaseStatus.OPEN


def test_an_appointment_outlives_the_phone_on_which_it_was_learned() -> None:
    facts = [
        attempt("20 10:00", "third_party", appointment="20 19:00"),
        attempt("20 11:00", "wrong_number"),
    ]
    state = fold(*facts, case=TWO_PHONES)
    assert (state.appointment, state.appointment_phone) == (at("20 19:00"), None)


def test_an_appointment_learned_on_the_last_attempt_keeps_the_case_open_for_an_extra_call() -> None:
    third = attempt("22 10:00", "third_party", appointment="24 19:00")
    assert fold(*USED[:2], third).status is CaseStatus.OPEN
    state = fold(*USED[:2], third, attempt("24 19:00"))
    assert (state.clause, len(state.phones["a1"].counted)) == ("カ", 4)


def test_the_last_attempt_on_a_phone_is_its_last_though_another_phone_has_some_left() -> None:
    third = attempt("22 10:00", "third_party", appointment="30 21:00")
    assert fold(*USED[:2], third, case=TWO_PHONES).status is CaseStatus.ESCALATED
    shared = profile_with(attempt_scope="case")
    facts = [USED[0], attempt("20 11:00", phone="a2"), third]
    assert fold(*facts, case=TWO_PHONES, profile=shared).status is CaseStatus.ESCALATED
    assert fold(*facts, case=TWO_PHONES).status is CaseStatus.OPEN


def test_a_time_named_in_a_callback_is_the_last_word_only_when_no_phone_has_an_attempt_left() -> (
    None
):
    named = callback("24 10:00", "person_incomplete", appointment="30 21:00")
    assert fold(*USED, named, case=TWO_PHONES).status is CaseStatus.OPEN
    used_both = [attempt(f"{day} 15:00", phone="a2") for day in (20, 21, 22)]
    assert fold(*USED, *used_both, named, case=TWO_PHONES).status is CaseStatus.ESCALATED


def test_an_appointment_learned_on_an_extra_call_is_escalated() -> None:
    third = attempt("22 10:00", "third_party", appointment="24 19:00")
    extra = attempt("24 19:00", "third_party", appointment="25 19:00")
    state = fold(*USED[:2], third, extra)
    assert state.status is CaseStatus.ESCALATED
    assert (state.appointment, state.noted_appointment) == (None, at("25 19:00"))


def test_a_case_at_its_end_is_called_once_more_at_the_time_named_in_a_callback() -> None:
    state = fold(*USED, callback("24 10:00", "person_incomplete", appointment="24 18:00"))
    assert (state.status, state.appointment) == (CaseStatus.OPEN, at("24 18:00"))
    late = fold(*USED, callback("24 10:00", "person_incomplete", appointment="24 22:00"))
    assert (late.status, late.noted_appointment) == (CaseStatus.ESCALATED, at("24 22:00"))


def test_an_appointment_after_a_finished_talk_is_only_noted() -> None:
    facts = [
        attempt("20 10:00", "person_done", **DONE),
        callback("20 11:00", "person_incomplete", appointment="20 18:00"),
    ]
    state = fold(*facts)
    assert (state.clause, state.appointment) == ("ア", None)
    assert state.noted_appointment == at("20 18:00")


# --- callbacks -----------------------------------------------------------------------------------------


def test_a_finished_callback_completes_under_ki_and_is_no_attempt() -> None:
    state = fold(callback("20 10:00", "person_done", **DONE))
    assert (state.status, state.clause) == (CaseStatus.COMPLETE, "キ")
    assert state.phones["a1"].counted == ()


def test_a_finished_callback_says_more_than_an_end_without_a_talk() -> None:
    assert fold(*USED, callback("24 10:00", "person_done", **DONE)).clause == "キ"
    # what had ended before the city's word stays complete
    stopped = StopOrdered(at=at("23 10:00"))
    state = fold(*USED, stopped, callback("24 10:00", "person_done", **DONE))
    assert (state.status, state.clause) == (CaseStatus.COMPLETE, "キ")
    talked = attempt("20 10:00", "person_done", **DONE)
    assert fold(talked, callback("24 10:00", "person_done", **DONE)).clause == "ア"


@pytest.mark.parametrize(
    ("first", "clause"),
    [
        (attempt("20 10:00", "wrong_number"), "ア"),
        (attempt("20 10:00", "refused"), "ア"),
        (attempt("20 10:00", "household_done", **DONE), "イ"),  # a talk already
    ],
)
def test_a_finished_talk_says_more_than_an_end_without_one_in_a_forced_call_too(
    first: Fact, clause: str
) -> None:
    assert fold(first, attempt("21 13:00", "person_done", **DONE)).clause == clause


def test_a_callback_closes_a_phone_only_if_it_can_mean_no_other() -> None:
    assert fold(callback("20 10:00", "wrong_number")).clause == "オ"
    unclear = fold(callback("20 10:00", "wrong_number"), case=TWO_PHONES)
    assert [phone.status for phone in unclear.phones.values()] == [PhoneStatus.OPEN] * 2
    whole = callback("20 10:00", "not_resident", scope=Scope.CASE)
    assert fold(whole, case=TWO_PHONES).clause == "エ"


# --- properties ----------------------------------------------------------------------------------------

OUTCOMES = sorted(PROFILE.outcomes)
FACTS = st.one_of(
    st.builds(
        attempt,
        st.builds(
            "{:02d} {:02d}:{:02d}".format,
            st.integers(20, 30),
            st.integers(9, 19),
            st.integers(0, 59),
        ),
        st.sampled_from(OUTCOMES),
        st.sampled_from(["a1", "a2"]),
        appointment=st.sampled_from([None, None, "28 10:00", "24 21:00"]),
    ),
    st.builds(lambda day: StopOrdered(at=at(f"{day} 09:30")), st.integers(20, 30)),
    st.builds(lambda day: StopLifted(at=at(f"{day} 09:40")), st.integers(20, 30)),
    st.builds(lambda day: PaymentKnown(at=at(f"{day} 09:50")), st.integers(20, 30)),
    st.builds(
        lambda day, decision: decided(f"{day} 10:01", decision),
        st.integers(20, 30),
        st.sampled_from(Decision),
    ),
)


@given(st.lists(FACTS, max_size=12, unique_by=lambda fact: fact.at), st.randoms())
def test_the_state_does_not_depend_on_the_order_in_which_facts_are_told(
    facts: list[Fact], chance: random.Random
) -> None:
    told = list(facts)
    chance.shuffle(told)
    assert fold(*facts, case=TWO_PHONES) == fold(*told, case=TWO_PHONES)


@given(st.lists(FACTS, max_size=12))
def test_a_state_never_contradicts_itself(facts: list[Fact]) -> None:
    state = fold(*facts, case=TWO_PHONES)
    assert (state.clause is not None) == (state.status in (CaseStatus.COMPLETE, CaseStatus.STOPPED))
    if state.status is CaseStatus.COMPLETE:
        assert state.appointment is None
    if state.status is CaseStatus.OPEN:
        assert not state.stopped
        assert not state.paid
        assert any(phone.status is PhoneStatus.OPEN for phone in state.phones.values())
    for phone in state.phones.values():
        assert list(phone.counted) == sorted(phone.counted)
        placed = [fact for fact in facts if getattr(fact, "phone", None) == phone.id]
        assert len(phone.counted) <= len(placed)


def called_back(when: str, phone: str = "a1") -> CalledBack:
    return CalledBack(at=at(when), phone=phone)


def asked_back(when: str, phone: str = "a1") -> AskedBack:
    return AskedBack(at=at(when), phone=phone)


@pytest.mark.parametrize(
    ("facts", "owed"),
    [
        ([called_back("20 21:00")], "20 21:00"),
        ([called_back("20 21:00"), called_back("20 21:30")], "20 21:30"),
        ([attempt("20 10:00"), called_back("20 21:00")], "20 21:00"),
        # called since, or talked with
        ([called_back("20 21:00"), attempt("21 10:00")], None),
        ([called_back("20 21:00"), attempt("21 10:00", "busy", ring_s=None)], None),
        ([called_back("20 21:00"), callback("21 10:00", "hung_up")], None),
        # our own fault is no call
        ([called_back("20 21:00"), attempt("21 10:00", "failed")], "20 21:00"),
        ([called_back("20 21:00"), attempt("21 10:00", "cancelled")], "20 21:00"),
    ],
)
def test_who_called_and_reached_nobody_is_owed_a_call_until_they_are_called_or_talked_with(
    facts: list[Fact], owed: str | None
) -> None:
    phone = fold(*facts).phones["a1"]
    assert phone.called_back == (at(owed) if owed else None)
    assert not phone.counted or phone.counted[0] < at("22 00:00")


def test_an_attempt_on_the_other_phone_does_not_settle_it() -> None:
    state = fold(called_back("20 21:00"), attempt("21 10:00", phone="a2"), case=TWO_PHONES)
    assert state.phones["a1"].called_back == at("20 21:00")
    assert state.phones["a2"].called_back is None


WISH = asked_back("24 10:00")


@pytest.mark.parametrize(
    ("facts", "appointment"),
    [
        ([WISH], "24 10:00"),
        # they want to talk now, whatever time they named before; and name another one later
        ([attempt("20 10:00", "third_party", appointment="26 10:00"), WISH], "24 10:00"),
        ([WISH, callback("24 10:10", "person_incomplete", appointment="26 10:00")], "26 10:00"),
        # called, or talked with after all
        ([WISH, attempt("24 10:01")], None),
        ([WISH, callback("24 10:10", "hung_up")], None),
        ([WISH, attempt("24 10:01", "failed")], "24 10:00"),
        # a time they named is no wish that a talk fulfils
        (
            [
                attempt("20 10:00", "third_party", appointment="26 10:00"),
                callback("24 10:10", "hung_up"),
            ],
            "26 10:00",
        ),
        # the hours are over, the case is, or it is the city's
        ([asked_back("24 19:59")], None),
        ([attempt("20 10:00", "person_done", **DONE), WISH], None),
        ([EscalationRaised(at=at("20 10:00")), WISH], None),
    ],
)
def test_a_wish_to_be_called_back_is_an_appointment_of_that_moment(
    facts: list[Fact], appointment: str | None
) -> None:
    state = fold(*facts)
    assert state.appointment == (at(appointment) if appointment else None)


def test_a_wish_that_cannot_be_met_at_once_is_owed_a_call() -> None:
    late = fold(asked_back("24 19:59")).phones["a1"]
    assert late.called_back == at("24 19:59")
    closed = fold(attempt("20 10:00", "fax", phone="a2"), asked_back("24 10:00", "a2"),
                  case=TWO_PHONES)  # fmt: skip
    assert (closed.appointment, closed.phones["a2"].called_back) == (None, at("24 10:00"))

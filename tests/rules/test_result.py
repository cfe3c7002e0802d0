"""What may be saved as a result, and what the operator is told if not."""

from __future__ import annotations

from datetime import datetime

import pytest

from rules.case import AttemptMade, CallbackTaken, Case, Fact, Result, Scope
from rules.outcome import Recorder
from rules.result import ResultRefusedError, check_result
from tests.rules.stories import NOVEMBER, ONE_PHONE, PROFILE, TWO_PHONES, at, attempt, callback

ALL_MARKS = {"script_finished": True, "same_household": True, "offered": True}


def refused_field(
    fact: AttemptMade | CallbackTaken,
    case: Case = TWO_PHONES,
    facts: tuple[Fact, ...] = (),
    by: Recorder | None = None,
) -> str | None:
    try:
        check_result(fact, case, facts, PROFILE, NOVEMBER, by)
    except ResultRefusedError as refused:
        assert refused.message
        assert str(refused) == f"{refused.field}: {refused.message}"
        return refused.field
    return None


@pytest.mark.parametrize("outcome", sorted(PROFILE.outcomes))
def test_every_outcome_can_be_saved_with_all_its_marks(outcome: str) -> None:
    assert refused_field(attempt("20 10:00", outcome, **ALL_MARKS)) is None


@pytest.mark.parametrize(
    ("outcome", "missing", "field"),
    [
        ("person_done", "script_finished", "script_finished"),
        ("person_done", "offered", None),
        ("household_done", "script_finished", "script_finished"),
        ("household_done", "same_household", "same_household"),
        ("household_done", "offered", "offered"),
        ("third_party", "same_household", None),
    ],
)
def test_a_mark_that_the_contract_asks_for_may_not_be_missing(
    outcome: str, missing: str, field: str | None
) -> None:
    marks = ALL_MARKS | {missing: False}
    assert refused_field(attempt("20 10:00", outcome, **marks)) == field
    assert refused_field(callback("20 10:00", outcome, **marks)) == field


@pytest.mark.parametrize(
    ("ring_s", "field"), [(34.99, "ring"), (0, "ring"), (35, None), (36.4, None), (None, None)]
)
def test_no_answer_needs_thirty_five_seconds_of_ringing_unless_on_paper(
    ring_s: float | None, field: str | None
) -> None:
    assert refused_field(attempt("20 10:00", ring_s=ring_s)) == field
    assert refused_field(attempt("20 10:00", "busy", ring_s=ring_s)) is None


@pytest.mark.parametrize(
    ("outcome", "appointment", "field"),
    [
        ("third_party", "20 10:01", None),
        ("person_incomplete", "30 10:00", None),
        ("third_party", "20 10:00", "appointment"),  # not after the call
        ("third_party", "19 10:00", "appointment"),
        ("no_answer", "21 10:00", "appointment"),
        ("refused", "21 10:00", "appointment"),
    ],
)
def test_an_appointment_is_learned_from_someone_and_lies_ahead(
    outcome: str, appointment: str, field: str | None
) -> None:
    assert refused_field(attempt("20 10:00", outcome, appointment=appointment)) == field


def test_an_appointment_without_a_time_zone_is_a_programming_error() -> None:
    result = Result(outcome="third_party", appointment=datetime(2026, 11, 21, 10))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        refused_field(AttemptMade(at=at("20 10:00"), phone="a1", result=result))


@pytest.mark.parametrize(
    ("outcome", "field"), [("long_absence", None), ("not_resident", None), ("fax", "scope")]
)
def test_a_scope_is_chosen_only_where_the_contract_leaves_a_choice(
    outcome: str, field: str | None
) -> None:
    for scope in Scope:
        assert refused_field(attempt("20 10:00", outcome, scope=scope)) == field


def test_an_unknown_outcome_and_another_cases_phone_are_refused() -> None:
    assert refused_field(attempt("20 10:00", "sold")) == "outcome"
    assert refused_field(attempt("20 10:00", phone="b1")) == "phone"


@pytest.mark.parametrize(
    ("outcome", "by", "field"),
    [
        ("no_answer", Recorder.OPERATOR, "outcome"),
        ("no_answer", Recorder.LINE, None),
        ("wrong_number", Recorder.LINE, "outcome"),
        ("wrong_number", Recorder.OPERATOR, None),
    ],
)
def test_an_outcome_is_recorded_by_whom_can_know_it(
    outcome: str, by: Recorder, field: str | None
) -> None:
    assert refused_field(attempt("20 10:00", outcome), by=by) == field


@pytest.mark.parametrize("outcome", ["no_answer", "voicemail_left", "busy", "failed", "abandoned"])
def test_a_callback_has_no_outcome_that_only_our_own_call_can_have(outcome: str) -> None:
    assert refused_field(callback("20 10:00", outcome)) == "outcome"


def test_a_callback_may_not_close_a_phone_that_nobody_can_name() -> None:
    wrong = callback("20 10:00", "wrong_number")
    assert refused_field(wrong, ONE_PHONE) is None
    assert refused_field(wrong, TWO_PHONES) == "scope"
    closed = attempt("20 09:00", "fax", "a2")
    assert refused_field(wrong, TWO_PHONES, (closed,)) is None
    # at the very moment there is the result that a correction replaces
    assert refused_field(wrong, TWO_PHONES, (attempt("20 10:00", "fax", "a2"),)) == "scope"
    all_closed = (closed, attempt("20 09:30", "fax"))
    assert refused_field(wrong, TWO_PHONES, all_closed) is None
    closed_later = attempt("20 11:00", "fax", "a2")
    assert refused_field(wrong, TWO_PHONES, (closed_later,)) == "scope"
    assert refused_field(callback("20 10:00", "not_resident", scope=Scope.CASE)) is None


NO_ANSWER, FAX = (PROFILE.outcomes[code].label for code in ("no_answer", "fax"))


@pytest.mark.parametrize(
    ("fact", "by", "told"),
    [
        (attempt("20 10:00", "sold"), None, "outcome: この架電結果は登録されていません。"),
        (
            attempt("20 10:00"),
            Recorder.OPERATOR,
            f"outcome: 「{NO_ANSWER}」はここでは選べません。",
        ),
        (
            attempt("20 10:00", "person_done"),
            None,
            "script_finished: 「スクリプト終了」の確認がありません。",
        ),
        (
            attempt("20 10:00", "household_done", script_finished=True, offered=True),
            None,
            "same_household: 「同一世帯」の確認がありません。",
        ),
        (
            attempt("20 10:00", "household_done", script_finished=True, same_household=True),
            None,
            "offered: 「用件を聞くとの申し出」の確認がありません。",
        ),
        (
            attempt("20 10:00", "fax", scope=Scope.CASE),
            None,
            f"scope: 「{FAX}」では対象の範囲を選べません。",
        ),
        (
            attempt("20 10:00", appointment="21 10:00"),
            None,
            f"appointment: 「{NO_ANSWER}」では指定時間を登録できません。",
        ),
        (
            attempt("20 10:00", "third_party", appointment="20 09:00"),
            None,
            "appointment: 指定時間は通話より後の日時にしてください。",
        ),
        (attempt("20 10:00", phone="b1"), None, "phone: この案件の電話番号ではありません。"),
        (
            attempt("20 10:00", ring_s=34),
            None,
            f"ring: 呼び出しが35秒に満たないため「{NO_ANSWER}」にできません。",
        ),
        (
            callback("20 10:00", "no_answer"),
            None,
            f"outcome: 「{NO_ANSWER}」は折り返し電話の結果にできません。",
        ),
        (
            callback("20 10:00", "wrong_number"),
            None,
            "scope: どの電話番号のことか分からないため登録できません。",
        ),
    ],
)
def test_who_enters_a_result_is_told_what_is_wrong_with_it(
    fact: AttemptMade | CallbackTaken, by: Recorder | None, told: str
) -> None:
    with pytest.raises(ResultRefusedError) as refused:
        check_result(fact, TWO_PHONES, (), PROFILE, NOVEMBER, by)
    assert str(refused.value) == told

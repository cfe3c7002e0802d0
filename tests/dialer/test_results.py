"""Results saved and corrected, by operators and by the line itself."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from db import results as db_results
from db.tables import CallInFlight, ResultRow
from dialer.errors import ConflictError, NotFoundError
from dialer.ledger import Settlement
from dialer.months import Months
from dialer.results import Results
from dialer.web.case_models import PromiseIn, ResultIn
from rules.call_outcome import LineOutcome
from rules.case import Scope
from rules.result import ResultRefusedError
from tests.db.town import KEYS, NOON, OPERATOR, Town
from tests.dialer.fakes import StillClock

AFTER = NOON + timedelta(minutes=3)


@pytest.fixture
async def results(town: Town) -> Results:
    months = Months()
    async with town.sessions.read() as session:
        await months.reload(session, NOON)
    return Results(town.sessions, months, KEYS, StillClock(AFTER))


@pytest.fixture
async def case(town: Town) -> int:
    return await town.case("1", "0258000001", "0258000002")


@pytest.fixture
async def talk(town: Town, case: int) -> str:
    """A talk of operator 201 that is over."""
    return await town.talk(await town.phone(case))


def given(attempt: str, outcome: str = "person_done", **more: object) -> ResultIn:
    marks = {"script_finished": True} if outcome == "person_done" else {}
    return ResultIn(attempt_id=attempt, outcome=outcome, **{**marks, **more})


async def current(town: Town, attempt: str) -> db_results.Recorded | None:
    async with town.sessions.read() as session:
        return await db_results.current(session, attempt)


async def test_a_result_is_saved_ends_the_attempt_and_folds_the_case(
    results: Results, town: Town, case: int, talk: str
) -> None:
    promise = PromiseIn(due=date(2026, 10, 15), amount_yen=5000, method="窓口")
    said = given(talk, talk_results=("promise",), promise=promise, note="夜の方が良い")
    await results.save(OPERATOR, said)
    saved = await current(town, talk)
    assert (saved.result.outcome, saved.by, saved.at) == ("person_done", OPERATOR, AFTER)
    assert (saved.talk_results, saved.note) == (("promise",), "夜の方が良い")
    assert PromiseIn.model_validate_json(saved.promise) == promise
    assert await town.count(CallInFlight) == 0
    assert await town.standing(case) == ("complete", "ア")


async def test_the_same_again_changes_nothing(results: Results, town: Town, talk: str) -> None:
    for _ in range(3):
        await results.save(OPERATOR, given(talk, note="一度だけ"))
    assert await town.count(ResultRow) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"outcome": "refused"},
        {"outcome": "person_done", "note": "別の記録"},
        {"outcome": "person_done", "talk_results": ("promise",)},
    ],
)
async def test_a_different_result_is_refused_and_the_first_stays(
    results: Results, town: Town, talk: str, other: dict[str, object]
) -> None:
    await results.save(OPERATOR, given(talk))
    before = await current(town, talk)
    with pytest.raises(ConflictError, match="訂正"):
        await results.save(OPERATOR, given(talk, **other))
    assert await current(town, talk) == before


async def test_a_correction_holds_the_old_one_stays_on_record_and_the_case_is_folded_again(
    results: Results, town: Town, case: int, talk: str
) -> None:
    await results.save(OPERATOR, given(talk))
    await results.correct(OPERATOR, given(talk, "third_party"))
    assert (await current(town, talk)).result.outcome == "third_party"
    assert await town.standing(case) == ("open", None)
    async with town.sessions.read() as session:
        outcomes = list(await session.scalars(select(ResultRow.outcome).order_by(ResultRow.id)))
    assert outcomes == ["person_done", "third_party"]


REFUSED = [
    ({"outcome": "person_done", "script_finished": False}, "script_finished"),
    ({"outcome": "household_done", "script_finished": True}, "same_household"),
    ({"outcome": "nonsense"}, "outcome"),
    ({"outcome": "no_answer"}, "outcome"),  # the line's to tell
    ({"outcome": "cancelled"}, "outcome"),
    ({"outcome": "third_party", "appointment": NOON - timedelta(hours=1)}, "appointment"),
    ({"outcome": "person_done", "scope": Scope.CASE}, "scope"),
]


@pytest.mark.parametrize(("fields", "field"), REFUSED)
async def test_what_the_rules_refuse_is_neither_saved_nor_corrected(
    results: Results, town: Town, talk: str, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(ResultRefusedError) as refused:
        await results.save(OPERATOR, given(talk, **fields))
    assert refused.value.field == field
    assert await town.count(ResultRow) == 0
    await results.save(OPERATOR, given(talk))
    with pytest.raises(ResultRefusedError):
        await results.correct(OPERATOR, given(talk, **fields))
    assert await town.count(ResultRow) == 1


async def test_a_result_is_the_operators_who_talked(
    results: Results, town: Town, case: int, talk: str
) -> None:
    ringing = await town.case("2", "0258000003")
    unanswered = await town.place(await town.phone(ringing))
    for operator, attempt in (
        ("202", talk),  # another operator's
        (OPERATOR, "00000000-0000-4000-8000-000000000000"),  # does not exist
        (OPERATOR, unanswered),  # nobody talked
    ):
        for act in (results.save, results.correct):
            with pytest.raises(NotFoundError):
                await act(operator, given(attempt))
    assert await town.count(ResultRow) == 0


async def test_what_was_never_saved_cannot_be_corrected(results: Results, talk: str) -> None:
    with pytest.raises(NotFoundError):
        await results.correct(OPERATOR, given(talk))


async def test_a_number_named_in_the_call_becomes_a_phone_of_the_case(
    results: Results, town: Town, case: int, talk: str
) -> None:
    said = given(talk, "not_resident", new_phone="06099990001")
    await results.save(OPERATOR, said)
    await results.save(OPERATOR, said)
    learned = await town.phone(case, 3)
    assert (learned.number, learned.kind, learned.learned) == ("06099990001", "mobile", True)
    assert learned.due_at is not None
    with pytest.raises(IndexError):
        await town.phone(case, 4)


async def test_a_number_that_may_not_be_called_is_refused_and_nothing_is_saved(
    results: Results, town: Town, talk: str
) -> None:
    with pytest.raises(ResultRefusedError) as refused:
        await results.save(OPERATOR, given(talk, "not_resident", new_phone="0120000123"))
    assert refused.value.field == "new_phone"
    assert await town.count(ResultRow) == 0


async def test_outcomes_of_the_line_are_saved_together_and_again_change_nothing(
    results: Results, town: Town
) -> None:
    settled = []
    for number, code in enumerate(("no_answer", "busy", "failed")):
        phone = await town.phone(await town.case(str(number), f"025800001{number}"))
        attempt = await town.place(phone)
        outcome = LineOutcome(code=code, review=code == "failed")
        settled.append(
            Settlement(
                attempt=attempt, case_id=phone.case_id, campaign_id=town.campaign_id, outcome=outcome
            )
        )  # fmt: skip
    for _ in range(2):
        async with town.sessions.write() as session:
            await results.settle_by_line(session, settled)
    saved = [await current(town, one.attempt) for one in settled]
    assert [(one.result.outcome, one.by, one.review) for one in saved] == [
        ("no_answer", "line", False),
        ("busy", "line", False),
        ("failed", "line", True),
    ]
    assert await town.count(ResultRow) == 3
    assert await town.count(CallInFlight) == 0
    phone = await town.phone(settled[0].case_id)
    assert phone.counted == 1


async def test_an_operators_result_is_not_replaced_by_the_line(
    results: Results, town: Town, case: int, talk: str
) -> None:
    await results.save(OPERATOR, given(talk))
    late = Settlement(
        attempt=talk,
        case_id=case,
        campaign_id=town.campaign_id,
        outcome=LineOutcome(code="hung_up"),
    )
    async with town.sessions.write() as session:
        await results.settle_by_line(session, [late])
    assert (await current(town, talk)).result.outcome == "person_done"


async def test_two_saves_at_the_same_moment_leave_one_result(
    results: Results, town: Town, talk: str
) -> None:
    said = [given(talk), given(talk, "refused")]
    done = await asyncio.gather(
        *(results.save(OPERATOR, one) for one in said), return_exceptions=True
    )
    assert await town.count(ResultRow) == 1
    assert sorted(type(one).__name__ for one in done) == ["ConflictError", "NoneType"]

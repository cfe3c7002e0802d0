"""The evidence of invented histories, counted again by hand and by the naive second writing of the rules."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialer.evidence import AttemptLine, CaseEvidence, Kept, Weekend, evidence_of
from tests.dialer.on_record import calls_of_others, invented, month_of, on_record, phone_id
from tests.rules import naive
from tests.rules.random_histories import History


def told_of(history: History, case: naive.Names) -> CaseEvidence:
    record = on_record(history, case)
    return evidence_of(record, calls_of_others(history, case), month_of(history), {})


def attempts(found: CaseEvidence, phone: int) -> list[AttemptLine]:
    lines = [line for line in found.lines if isinstance(line, AttemptLine)]
    return [line for line in lines if line.phone.id == phone]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_the_evidence_says_what_the_naive_rules_say_of_the_same_history(
    chance: random.Random,
) -> None:
    history = invented(chance)
    for case in history.cases:
        check(history, case)


def test_the_histories_reach_every_conclusion() -> None:
    reached: Counter[object] = Counter()
    for seed in range(300):
        history = invented(random.Random(seed))
        for case in history.cases:
            for phone in check(history, case).phones:
                reached.update((phone.weekend, phone.days_differ, phone.bands_differ))
    assert set(reached) == {*Weekend, *Kept}


def check(history: History, case: naive.Names) -> CaseEvidence:
    found = told_of(history, case)
    facts, values = history.facts[case["id"]], history.values
    end = naive.case_state(facts, case, history.calendar, values)
    assert (found.status, found.clause) == (end["status"], end["clause"])
    assert len(found.lines) == len(facts)
    assert [line.at for line in found.lines] == [fact["at"] for fact in facts]
    check_attempts(history, case, found)
    check_phones(history, case, found)
    check_end(history, case, found)
    return found


def check_attempts(history: History, case: naive.Names, found: CaseEvidence) -> None:
    """Which one of three each attempt was, and what the rules said when it was placed."""
    facts, values = history.facts[case["id"]], history.values
    counted: Counter[object] = Counter()
    for n, (fact, line) in enumerate(zip(facts, found.lines, strict=True)):
        if not isinstance(line, AttemptLine):
            assert fact["kind"] != "attempt"
            continue
        phone = fact["phone"]
        counts = naive.counts(facts, n, values)
        counted[phone] += counts
        assert line.ordinal == (counted[phone] if counts else None)
        before = naive.standing(facts[:n], case, history.calendar, values)
        calls = [placed for placed in history.household_calls(case) if placed <= fact["at"]]
        against = naive.refusals(before, phone, fact["at"], calls, history.calendar, values)
        assert set(line.refusals) == against
        due = before["appointment"]
        at_appointment = due is not None and due <= fact["at"]
        at_appointment &= before["appointment_phone"] in (None, phone)
        assert line.at_appointment == at_appointment
        assert line.band == naive.band(fact["at"])


def check_phones(history: History, case: naive.Names, found: CaseEvidence) -> None:
    """Rules 5 and 6, counted again."""
    facts, values, calendar = history.facts[case["id"]], history.values, history.calendar
    for phone, concluded in zip(case["phones"], found.phones, strict=True):
        lines = attempts(found, phone_id(case, phone))
        moments = naive.counted(facts, phone, values)
        assert [line.at for line in concluded.counted] == moments
        assert concluded.placed == len(lines) == len(naive.attempts_of(facts, phone))
        free = [line.at_appointment for line in concluded.counted]
        days = [moment.date() for moment in moments]
        bands = [naive.band(moment) for moment in moments]
        same_day = [free[n] for n, day in enumerate(days) if day in days[:n]]
        same_band = [free[n] for n in range(1, len(bands)) if bands[n] and bands[n] == bands[n - 1]]
        assert concluded.days_differ is kept(same_day)
        assert concluded.bands_differ is kept(same_band)
        met = naive.weekend_met(facts, phone, case, calendar, values)
        assert (concluded.weekend is Weekend.MET) == met
        if concluded.weekend in (Weekend.UNMET, Weekend.UNMET_NO_DAY, Weekend.UNMET_APPOINTMENT):
            assert naive.is_used_up(facts, phone, case, values)
            shared = values["attempt_scope"] == "case"
            counted = [
                line for line in found.lines if isinstance(line, AttemptLine) and line.ordinal
            ]
            assert concluded.weekend is unmet(counted if shared else concluded.counted)
        if concluded.weekend is Weekend.OPEN:
            assert found.status in ("open", "escalated")
            assert not naive.is_used_up(facts, phone, case, values)


def unmet(counted: Sequence[AttemptLine]) -> Weekend:
    """Why there was no attempt on a non-weekday, from the attempt that was the last one."""
    if counted[-1].at_appointment:
        return Weekend.UNMET_APPOINTMENT
    waited = "kept_for_non_weekday" not in counted[-1].refusals
    return Weekend.UNMET_NO_DAY if waited else Weekend.UNMET


def kept(breaches: list[bool]) -> Kept:
    """Of rule 5, when these attempts did otherwise: each free of it, or not."""
    if not breaches:
        return Kept.YES
    return Kept.APPOINTMENT if all(breaches) else Kept.NO


def check_end(history: History, case: naive.Names, found: CaseEvidence) -> None:
    """Before the fact named the case stood otherwise, from it on as it does in the end."""
    facts, values = history.facts[case["id"]], history.values
    stood = [
        naive.case_state(facts[:n], case, history.calendar, values) for n in range(len(facts) + 1)
    ]
    standing = [(state["status"], state["clause"]) for state in stood]
    if found.ended_by is None:
        assert set(standing) == {("open", None)}
        return
    named = found.lines.index(found.ended_by)
    assert standing[named] != standing[-1]
    assert set(standing[named + 1 :]) == {standing[-1]}

"""Invented histories of a household, told to the rules and to `naive` alike, step by step.

A history is drawn from one `random.Random`: hypothesis hands in its own to shrink what it finds, the
soak a seeded one. Most moves follow the rules, so that third attempts, weekends, extra calls and
escalations are reached; the others are forced, late, faulty or from paper.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import jpholiday

from rules.case import AttemptMade, CallbackTaken, CaseState
from rules.eligibility import HouseholdActivity, may_call, missed_appointments, next_from
from rules.history import state_of
from rules.result import ResultRefusedError, check_result
from tests.rules import naive
from tests.rules.as_rules import abroad, from_state, to_calendar, to_case, to_fact, to_profile

VALUES: dict[str, list[Any]] = {  # the shipped value first, and mostly taken
    "attempts": [3, 3, 2, 1, 4],
    "attempt_scope": ["phone", "phone", "case"],
    "weekend_scope": ["phone", "phone", "case"],
    "ring_min_s": [35, 35, 20],
    "case_gap_min": [30, 30, 0, 90],
    "household_gap_min": [30, 30, 0, 90],
    "busy_retry_min": [10, 10, 45],
    "busy_tries": [3, 3, 2, 1],
    "failed_retry_min": [10, 10, 25],
    "abandon_gap_min": [30, 30, 5],
    "appointment_window_min": [15, 15, 0, 40],
    "escalate_early_appointments": [False, False, True],
    "approve_refusals": [False, False, True],
    "closing_margin_s": [66, 66, 0, 600, 5 * 3600 + 1],
}
STARTS = [  # months' ends, Golden Week, Silver Week, the turn of the year
    *(date(2026, month, day) for month in (9, 10, 11, 12) for day in (18, 21, 24, 27)),
    *(date(2027, month, day) for month in (1, 2, 3) for day in (1, 20, 26)),
    date(2026, 4, 28),
    date(2026, 12, 30),
    date(2027, 4, 30),
]
WITHOUT_END = ["no_answer", "voicemail_left", "third_party", "person_incomplete", "hung_up"]
TRIED = ["busy", "busy", "out_of_reach", "failed", "abandoned", "cancelled"]
OTHERS = ["voicemail_failed", "temporarily_unavailable", "unheard_of", *naive.CLAUSES]
LATER = [
    *(timedelta(seconds=s) for s in (0, 1, 65, 66, 67)),
    *(timedelta(minutes=m) for m in (5, 10, 15, 16, 25, 30, 31, 45, 90, 150)),
    *(timedelta(hours=h) for h in (3, 5, 9, 24, 26)),
]
EDGES = [time(8, 59, 59), time(9), time(12), time(16, 58, 54), time(16, 58, 55), time(17)]
EDGES += [time(18, 30), time(19, 58, 54), time(19, 58, 55), time(20), time(21)]


@dataclass
class History:
    """One household's month as told so far, and what the two tellers were compared on."""

    chance: random.Random
    values: naive.Names
    calendar: naive.Names
    cases: list[naive.Names]
    now: datetime
    facts: dict[object, naive.Facts] = field(default_factory=dict)
    comparisons: int = 0
    reached: set[str] = field(default_factory=set)
    """Reasons, statuses, clauses and the like that came up, to see that nothing is left out."""

    def __post_init__(self) -> None:
        self.profile = to_profile(self.values)
        self.rules_calendar = to_calendar(self.calendar, self.profile)

    def standing(self, case: naive.Names) -> naive.Names:
        """Where the case stands, as `naive` sees it."""
        return naive.standing(self.facts[case["id"]], case, self.calendar, self.values)

    def household_calls(self, case: naive.Names) -> naive.Moments:
        """When the household's other case was called."""
        others = [told for other, told in self.facts.items() if other != case["id"]]
        return [fact["at"] for told in others for fact in told if fact["kind"] == "attempt"]


def compare_history(chance: random.Random) -> History:
    """Tell one invented history to both, and compare all they say after every step.

    Raises:
        AssertionError: they differ; the message holds the history and both answers.
    """
    history = _beginning(chance)
    for _ in range(chance.randint(3, 14)):
        _compare(history, _step(history))
    for case in history.cases:
        _compare(history, case)
    return history


# --- inventing ------------------------------------------------------------------------------------


def _beginning(chance: random.Random) -> History:
    first = chance.choice(STARTS)
    last = first + timedelta(days=chance.randint(2, 11))
    month = naive.days(first, last)
    return History(
        chance=chance,
        values={name: chance.choice(values) for name, values in VALUES.items()},
        calendar={
            "from": first,
            "to": last,
            "excluded": frozenset(day for day in month if chance.random() < 0.12),
            "holidays": frozenset(day for day in month if jpholiday.is_holiday(day)),
        },
        cases=[
            {"id": case, "phones": [f"{case}{n}" for n in range(1, chance.randint(1, 2) + 1)]}
            for case in ("A", "B")[: chance.choice([1, 1, 2])]
        ],
        now=datetime.combine(first, time(9), naive.JST) - chance.choice([timedelta(), LATER[-1]]),
        facts={"A": [], "B": []},
    )


def _step(history: History) -> naive.Names:
    """One move: time passes; something happens to one case, unless both reject it. Returns the case."""
    chance = history.chance
    case = chance.choice(history.cases)
    phone = chance.choice(case["phones"])
    history.now = _later(history, case, phone)
    standing = history.standing(case)
    kinds = ["attempt"] * 30 + ["callback"] * 4 + ["called"] * 3 + ["asked"] * 3
    kinds += ["stop", "paid", "raise", "raise", "decide"]
    kinds += ["unstop"] * (15 if standing["stopped"] else 1)
    kinds += ["decide"] * (15 if naive.is_asked(standing) else 0)
    fact: naive.Fact = {"kind": chance.choice(kinds), "at": history.now}
    if fact["kind"] == "decide":
        fact["decision"] = chance.choice(["resume", "stop", "close"])
    if fact["kind"] in ("called", "asked"):
        fact["phone"] = phone
    if fact["kind"] == "callback":
        fact |= _result(history)
    if fact["kind"] == "attempt":
        fact |= _attempt(history, case, phone)
    if "outcome" not in fact or not _compare_fault(history, case, fact):
        _insert(history.facts[case["id"]], fact)
    return case


def _attempt(history: History, case: naive.Names, phone: object) -> naive.Fact:
    """Mostly one that the rules allow; some are forced, some are entered from a paper sheet."""
    chance = history.chance
    fact = _result(history)
    fact |= {"phone": phone, "ring_s": chance.choice([0, 34.99, 35, 36.2, 36.2, 36.2, None])}
    if chance.random() < 0.06:
        return fact | {"at": history.now - chance.choice(LATER)}
    if chance.random() < 0.01:
        return fact | {"phone": "another's"}
    if chance.random() < 0.8:
        fact["at"] = history.now = _allowed_from(history, case, phone)
    return fact | {"at": history.now}


def _allowed_from(history: History, case: naive.Names, phone: object) -> datetime:
    standing, calls = history.standing(case), history.household_calls(case)
    now, values = history.now, history.values
    return naive.next_from(standing, phone, now, calls, history.calendar, values) or now


def _later(history: History, case: naive.Names, phone: object) -> datetime:
    chance = history.chance
    start = history.now
    if chance.random() < 0.6:
        return _allowed_from(history, case, phone) + chance.choice(
            [timedelta(), timedelta(), *LATER[:8]]
        )
    if chance.random() < 0.3:
        day = start.date() + timedelta(days=chance.choice([0, 0, 1, 2]))
        return max(start, datetime.combine(day, chance.choice(EDGES), naive.JST))
    return start + chance.choice(LATER)


def _result(history: History) -> naive.Fact:
    chance = history.chance
    kinds = [WITHOUT_END, WITHOUT_END, WITHOUT_END, TRIED, TRIED, OTHERS]
    outcome = chance.choice(chance.choice(kinds))
    told = outcome in naive.TELLS_APPOINTMENT or chance.random() < 0.03
    chosen = outcome in naive.OPERATOR_CHOOSES or chance.random() < 0.03
    return {
        "outcome": outcome,
        "script_finished": chance.random() < 0.85,
        "same_household": chance.random() < 0.85,
        "offered": chance.random() < 0.85,
        "appointment": _appointment(history) if told and chance.random() < 0.7 else None,
        "scope": chance.choice([None, "phone", "case"]) if chosen else None,
    }


def _appointment(history: History) -> datetime:
    chance = history.chance
    if chance.random() < 0.4:
        return history.now + chance.choice(LATER)
    day = history.now.date() + timedelta(days=chance.choice([-1, 0, 0, 1, 1, 2, 3, 12]))
    return datetime.combine(day, chance.choice(EDGES), naive.JST)


def _insert(facts: naive.Facts, fact: naive.Fact) -> None:
    """In order of time; told at the same time, after the others."""
    later = [known for known in facts if known["at"] > fact["at"]]
    facts.insert(len(facts) - len(later), fact)


# --- comparing --------------------------------------------------------------------------------------


def _compare(history: History, case: naive.Names) -> None:
    """Ask both where the case stands, and about its phones at some moments."""
    chance = history.chance
    standing = history.standing(case)
    told = [to_fact(fact) for fact in history.facts[case["id"]]]
    told.sort(key=lambda fact: fact.at, reverse=True)  # the order of telling must not matter
    state = state_of(to_case(case), told, history.profile, history.rules_calendar)
    by_rules = from_state(state)
    _same(history, f"case {case['id']}", _comparable(standing, by_rules), by_rules)
    history.reached |= _reached(standing, history.values)
    day = history.now.date() + timedelta(days=chance.randint(0, 3))
    moments = [
        history.now,
        history.now + chance.choice(LATER),
        datetime.combine(day, chance.choice(EDGES), naive.JST),
    ]
    for moment in moments:
        _same(
            history,
            f"missed at {moment}",
            naive.missed(standing, moment, history.values),
            list(missed_appointments(state, moment, history.profile)),
        )
        for phone in case["phones"]:
            _compare_verdicts(history, case, standing, state, phone, moment)
    for phone in case["phones"]:
        _compare_next(history, case, standing, state, phone, chance.choice(moments))


def _compare_verdicts(
    history: History,
    case: naive.Names,
    standing: naive.Names,
    state: CaseState,
    phone: str,
    moment: datetime,
) -> None:
    calls = history.household_calls(case)
    against = naive.refusals(standing, phone, moment, calls, history.calendar, history.values)
    household = HouseholdActivity(last_at=max(calls, default=None))
    verdict = may_call(
        state, phone, abroad(moment), history.rules_calendar, history.profile, household
    )
    asked = f"ask {phone} at {moment}"
    _same(history, asked, sorted(against), sorted(verdict.reasons))
    _same(history, asked, not against, verdict.allowed)
    history.reached |= against or {"allowed"}
    if len(against) == 1:
        history.reached.add(f"only {against.pop()}")


def _compare_next(
    history: History,
    case: naive.Names,
    standing: naive.Names,
    state: CaseState,
    phone: str,
    moment: datetime,
) -> None:
    calls = history.household_calls(case)
    household = HouseholdActivity(last_at=max(calls, default=None))
    _same(
        history,
        f"next_from {phone} from {moment}",
        naive.next_from(standing, phone, moment, calls, history.calendar, history.values),
        next_from(state, phone, abroad(moment), history.rules_calendar, history.profile, household),
    )


def _reached(standing: naive.Names, values: naive.Names) -> set[str]:
    phones = standing["phones"].values()
    reached = {f"status {standing['status']}", f"clause {standing['clause']}"}
    marks = {
        "an appointment missed": bool(standing["missed"]),
        "an appointment that cannot be kept": standing["noted"] is not None,
        "an extra call": any(len(it["counted"]) > values["attempts"] for it in phones),
        "an end under a stop or a payment": bool(standing["ended_under"]),
        "an escalation of a case that has ended": standing["status"] == "complete"
        and naive.is_asked(standing),
        "a person who reached nobody": any(it["called_back"] for it in phones),
        "a wish to be called back": standing["wish"] and standing["appointment"] is not None,
        "a reserved operator": any(it["needs_operator"] for it in phones),
        "a closed phone of an open case": standing["status"] == "open"
        and any(it["closed"] for it in phones),
    }
    causes = {f"escalated: {question['why']}" for question in standing["questions"]}
    return reached | causes | {mark for mark, holds in marks.items() if holds}


def _comparable(standing: naive.Names, by_rules: naive.Names) -> naive.Names:
    """What both know of a case."""
    picked = {name: standing[name] for name in by_rules}
    picked["phones"] = {
        phone: {name: standing["phones"][phone][name] for name in known}
        for phone, known in by_rules["phones"].items()
    }
    return picked


def _compare_fault(history: History, case: naive.Names, fact: naive.Fact) -> bool:
    """Whether both reject the result."""
    told = history.facts[case["id"]]
    before = [to_fact(known) for known in told]
    saved = to_fact(fact)
    assert isinstance(saved, AttemptMade | CallbackTaken)
    try:
        check_result(saved, to_case(case), before, history.profile, history.rules_calendar)
    except ResultRefusedError as refused:
        rejected = True
        history.reached.add(f"rejected {refused.field}")
    else:
        rejected = False
    _same(history, f"save {fact}", naive.is_faulty(fact, told, case, history.values), rejected)
    return rejected


def _same(history: History, asked: str, by_naive: object, by_rules: object) -> None:
    history.comparisons += 1
    if by_naive != by_rules:
        changed = {k: v for k, v in history.values.items() if v != VALUES[k][0]}
        facts = [str(fact) for told in history.facts.values() for fact in told]
        story = [asked, f"naive {by_naive}", f"rules {by_rules}", f"{changed} {history.calendar}"]
        raise AssertionError("\n".join(story + facts))

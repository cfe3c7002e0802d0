"""Invented histories (tests/rules/random_histories.py) as the database would have them on record."""

from __future__ import annotations

import random

from db.campaigns import CampaignState
from db.cases import FactKind
from db.evidence import (
    AttemptOnRecord,
    CallbackOnRecord,
    CallerOnRecord,
    CaseOnRecord,
    HouseholdCall,
    PhoneOnRecord,
    Saved,
    WordOnRecord,
)
from dialer.months import Month
from rules.case import AttemptMade, CallbackTaken, PhoneKind
from tests.rules import naive
from tests.rules.as_rules import to_fact
from tests.rules.random_histories import History, compare_history

_DECIDED = {
    "resume": FactKind.RESUME,
    "stop": FactKind.STOP_DECIDED,
    "close": FactKind.CLOSE,
}
_SAID = {
    "stop": FactKind.STOP,
    "unstop": FactKind.UNSTOP,
    "paid": FactKind.PAID,
    "raise": FactKind.ESCALATE,
}
HOUSEHOLD = "one household"


def invented(chance: random.Random) -> History:
    """A household's month in which no two things of a case happen at the same moment: on record they
    would stand in an order that nobody told."""
    while True:
        history = compare_history(chance)
        moments = [[fact["at"] for fact in told] for told in history.facts.values()]
        if all(len(told) == len(set(told)) for told in moments):
            return history


def phone_id(case: naive.Names, phone: object) -> int:
    """The id on record of a phone of the history; also its position."""
    return list(case["phones"]).index(phone) + 1


def on_record(history: History, case: naive.Names) -> CaseOnRecord:
    """A case of the history; every result was saved the moment the call was placed."""
    facts = history.facts[case["id"]]
    return CaseOnRecord(
        id=ord(case["id"]),
        campaign_id=1,
        reference=case["id"],
        household_key=HOUSEHOLD,
        phones=tuple(
            PhoneOnRecord(
                id=phone_id(case, phone),
                position=phone_id(case, phone),
                kind=PhoneKind.FIXED,
                learned=False,
                number_key=phone,
                planned_from=None,
            )
            for phone in case["phones"]
        ),
        attempts=tuple(
            AttemptOnRecord(
                id=f"{case['id']}{n}",
                phone_id=phone_id(case, fact["phone"]),
                placed_at=fact["at"],
                ring_s=fact["ring_s"],
                operator_id=None,
                results=(_saved(fact),),
            )
            for n, fact in enumerate(facts)
            if fact["kind"] == "attempt"
        ),
        callbacks=tuple(
            CallbackOnRecord(results=(_saved(fact),))
            for fact in facts
            if fact["kind"] == "callback"
        ),
        words=tuple(
            WordOnRecord(kind=_kind(fact), at=fact["at"], by="市")
            for fact in facts
            if fact["kind"] not in ("attempt", "callback", "called", "asked")
        ),
        callers=tuple(
            CallerOnRecord(
                phone_id=phone_id(case, fact["phone"]),
                at=fact["at"],
                asked=fact["kind"] == "asked",
            )
            for fact in facts
            if fact["kind"] in ("called", "asked")
        ),
    )


def calls_of_others(history: History, case: naive.Names) -> list[HouseholdCall]:
    """The calls to the household's other case."""
    return [
        HouseholdCall(
            case_id=0,
            reference="other",
            household_key=HOUSEHOLD,
            number_key="another number",
            placed_at=placed,
            recorded_at=placed,
        )
        for placed in history.household_calls(case)
    ]


def month_of(history: History) -> Month:
    """The history's month."""
    return Month(
        id=1,
        name="month",
        state=CampaignState.RUNNING,
        profile=history.profile,
        calendar=history.rules_calendar,
    )


def _saved(fact: naive.Fact) -> Saved:
    told = to_fact(fact)
    assert isinstance(told, AttemptMade | CallbackTaken)
    return Saved(result=told.result, at=fact["at"], by="201")


def _kind(fact: naive.Fact) -> FactKind:
    return _DECIDED[fact["decision"]] if fact["kind"] == "decide" else _SAID[fact["kind"]]

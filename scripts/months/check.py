"""Whether a simulated month kept every promise, judged by the naive second implementation of the rules."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from rules.case import AttemptMade, CaseStatus, Id
from scripts.months.month import Made, Month, Standing
from tests.rules import naive
from tests.rules.random_histories import VALUES

_CONTRACT = {name: values[0] for name, values in VALUES.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Promises:
    """What was not kept; all 0 in a good month."""

    against_a_rule: int
    """Attempts that the rules refused at their moment."""
    short: int
    """Phones of open cases without all their attempts (rule 4)."""
    weekend_unmet: int
    """Phones whose attempts are used up, none of them on a non-weekday (rule 6)."""

    @property
    def kept(self) -> bool:
        """All of them."""
        return not (self.against_a_rule or self.short or self.weekend_unmet)


def check_month(month: Month) -> Promises:
    """Judge all its attempts, and where its phones stand at the end."""
    calendar = {
        "from": month.calendar.period_from,
        "to": month.calendar.period_to,
        "excluded": sorted(month.calendar.excluded),
        "holidays": sorted(month.calendar.holidays),
    }
    placed: dict[int, list[Made]] = defaultdict(list)
    households = {one.person.case.id: one.person.household for one in month.standings}
    for made in month.made:
        placed[households[made.case]].append(made)
    refused = sum(
        bool(
            naive.refusals(
                naive.standing(
                    _facts(standing, until=fact.at), _case(standing), calendar, _CONTRACT
                ),
                fact.phone,
                fact.at,
                [
                    made.at
                    for made in placed[standing.person.household]
                    if made.case != standing.person.case.id and made.at <= fact.at
                ],
                calendar,
                _CONTRACT,
            )
        )
        for standing in month.standings
        for fact in standing.facts
        if isinstance(fact, AttemptMade)
    )
    ends = [phone for standing in month.standings for phone in _ends(standing, calendar)]
    return Promises(
        against_a_rule=refused,
        short=sum(left > 0 for left, _met in ends),
        weekend_unmet=sum(left == 0 and not met for left, met in ends),
    )


def _ends(standing: Standing, calendar: dict[str, Any]) -> list[tuple[int, bool]]:
    """Of each open phone the attempts left and whether the weekend was met; none of an ended case."""
    told = naive.standing(_facts(standing), _case(standing), calendar, _CONTRACT)
    if told["status"] == CaseStatus.COMPLETE and told["clause"] != "カ":
        return []
    return [
        (phone["left"], phone["weekend_met"])
        for phone in told["phones"].values()
        if not phone["closed"]
    ]


def _case(standing: Standing) -> naive.Names:
    case = standing.person.case
    return {"id": case.id, "phones": [phone.id for phone in case.phones]}


def _facts(standing: Standing, until: Any = None) -> naive.Facts:
    return [
        _fact(fact)
        for fact in standing.facts
        if isinstance(fact, AttemptMade) and (until is None or fact.at < until)
    ]


def _fact(fact: AttemptMade) -> naive.Fact:
    phone: Id = fact.phone
    return {
        "kind": "attempt",
        "at": fact.at,
        "phone": phone,
        "outcome": fact.result.outcome,
        "ring_s": fact.ring_s,
        "script_finished": fact.result.script_finished,
        "same_household": False,
        "offered": False,
        "appointment": None,
        "scope": None,
    }

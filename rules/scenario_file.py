"""The parser of scenario files: every fault is told with file and line."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from rules.case import (
    Case,
    CaseStatus,
    Decision,
    EscalationDecided,
    PaymentKnown,
    Phone,
    PhoneKind,
    PhoneStatus,
    Result,
    Scope,
    StopLifted,
    StopOrdered,
)
from rules.eligibility import Reason
from rules.marked import Marked, ScenarioError, documents
from rules.profile import OVERRIDABLE
from rules.scenario_steps import (
    AnyStep,
    Ask,
    CaseExpectation,
    CityWord,
    MadeAttempt,
    Member,
    PaperSheet,
    PhoneExpectation,
    Scenario,
    Step,
    TakenCallback,
)


def parse_scenarios(text: str, file: str) -> list[Scenario]:
    """The scenarios of a file.

    Raises:
        ScenarioError: not YAML, an unknown key, a value that cannot be, steps out of order, or no
            scenario at all.
    """
    found = [_scenario(document, text) for document in documents(text, file)]
    if not found:
        raise ScenarioError(file, 1, "there is no scenario in it")
    return found


def _scenario(document: Marked, text: str) -> Scenario:
    fields = document.fields_of(
        frozenset({"scenario", "profile", "period", "cases", "steps"}), frozenset({"set"})
    )
    period = fields["period"].fields_of(frozenset({"from", "to"}), frozenset({"excluded"}))
    excluded = period["excluded"].items() if "excluded" in period else []
    period_from, period_to = period["from"].day(), period["to"].day()
    if period_to < period_from:
        raise period["to"].fault("the period ends before it begins")
    members = _members(fields["cases"])
    return Scenario(
        file=document.file,
        line=document.line,
        title=fields["scenario"].text(),
        profile=fields["profile"].text(),
        profile_line=fields["profile"].line,
        overrides=_overrides(fields.get("set")),
        period_from=period_from,
        period_to=period_to,
        excluded=frozenset(day.day() for day in excluded),
        members=members,
        steps=_steps(fields["steps"], members, text),
    )


def _overrides(given: Marked | None) -> dict[str, object]:
    if given is None:
        return {}
    fields = given.fields()
    for name, value in fields.items():
        if name not in OVERRIDABLE:
            raise value.fault(f"unknown key {name!r}")
    return {name: value.plain() for name, value in fields.items()}


def _members(given: Marked) -> tuple[Member, ...]:
    members = []
    known: set[str] = set()
    for entry in given.items():
        fields = entry.fields_of(frozenset({"id", "phones"}), frozenset({"household"}))
        phones = fields["phones"].fields()
        for name, value in ((fields["id"].text(), fields["id"]), *phones.items()):
            if name in known:
                raise value.fault(f"{name!r} is there twice")
            known.add(name)
        members.append(_member(fields, phones))
    return tuple(members)


def _member(fields: dict[str, Marked], phones: dict[str, Marked]) -> Member:
    numbers = set()
    made = []
    for name, value in phones.items():
        phone = value.fields_of(frozenset({"number", "kind"}), frozenset())
        folded = unicodedata.normalize("NFKC", phone["number"].text())
        numbers.add("".join(filter(str.isdigit, folded)))
        made.append(Phone(id=name, kind=PhoneKind(phone["kind"].one_of(PhoneKind))))
    if not made:
        raise fields["phones"].fault("a case has at least one phone")
    household = fields["household"].text() if "household" in fields else None
    return Member(
        case=Case(id=fields["id"].text(), phones=tuple(made)),
        household=household,
        numbers=frozenset(numbers),
    )


def _steps(given: Marked, members: tuple[Member, ...], text: str) -> tuple[AnyStep, ...]:
    names = _Names(
        cases={str(member.case.id) for member in members},
        phones={str(phone.id) for member in members for phone in member.case.phones},
    )
    steps: list[AnyStep] = []
    for entry in given.items():
        step = _step(entry, names, text)
        if steps and step.at < steps[-1].at:
            raise entry.fault("this step is earlier than the one before it")
        steps.append(step)
    return tuple(steps)


@dataclass(frozen=True, kw_only=True)
class _Names:
    cases: set[str]
    phones: set[str]


_RESULT_KEYS = frozenset(
    {"script_finished", "same_household", "offered", "appointment", "note", "scope", "error"}
)


def _step(entry: Marked, names: _Names, text: str) -> AnyStep:
    kinds = [kind for kind in _READERS if kind in entry.fields()]
    if len(kinds) != 1:
        raise entry.fault(f"a step has exactly one of {', '.join(_READERS)}")
    kind = kinds[0]
    reader = _READERS[kind]
    fields = entry.fields_of(reader.required | {"at", kind}, reader.optional)
    known = names.cases if reader.of_case else names.phones
    fields[kind].one_of(sorted(known))
    step = Step(at=fields["at"].moment(), line=entry.line, text=entry.source(text))
    return reader.read(step, fields[kind].text(), fields)


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """How the steps of one kind are read."""

    read: Callable[[Step, str, dict[str, Marked]], AnyStep]
    of_case: bool
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


def _read_ask(step: Step, phone: str, fields: dict[str, Marked]) -> Ask:
    allowed = fields["expect"].one_of(("allowed", "refused")) == "allowed"
    reason = fields.get("reason")
    if allowed and reason is not None:
        raise reason.fault("only a refusal has a reason")
    return Ask(
        **vars(step),
        phone=phone,
        allowed=allowed,
        reason=None if reason is None else Reason(reason.one_of(Reason)),
    )


def _read_attempt(step: Step, phone: str, fields: dict[str, Marked]) -> MadeAttempt:
    return MadeAttempt(
        **vars(step),
        phone=phone,
        result=_result(fields),
        ring_s=fields["ring"].seconds() if "ring" in fields else None,
        forced=_flag(fields, "forced"),
        error=_flag(fields, "error"),
    )


def _read_callback(step: Step, case: str, fields: dict[str, Marked]) -> TakenCallback:
    return TakenCallback(
        **vars(step), case=case, result=_result(fields), error=_flag(fields, "error")
    )


def _read_paper(step: Step, phone: str, fields: dict[str, Marked]) -> PaperSheet:
    return PaperSheet(
        **vars(step),
        phone=phone,
        result=_result(fields),
        ring_s=fields["ring"].seconds() if "ring" in fields else None,
        called_at=fields["called_at"].moment(),
        error=_flag(fields, "error"),
    )


def _read_stop(step: Step, case: str, _fields: dict[str, Marked]) -> CityWord:
    return CityWord(**vars(step), case=case, fact=StopOrdered(at=step.at))


def _read_unstop(step: Step, case: str, _fields: dict[str, Marked]) -> CityWord:
    return CityWord(**vars(step), case=case, fact=StopLifted(at=step.at))


def _read_paid(step: Step, case: str, _fields: dict[str, Marked]) -> CityWord:
    return CityWord(**vars(step), case=case, fact=PaymentKnown(at=step.at))


def _read_decision(step: Step, case: str, fields: dict[str, Marked]) -> CityWord:
    decision = Decision(fields["decision"].one_of(Decision))
    return CityWord(**vars(step), case=case, fact=EscalationDecided(at=step.at, decision=decision))


def _read_phone(step: Step, phone: str, fields: dict[str, Marked]) -> PhoneExpectation:
    return PhoneExpectation(
        **vars(step), subject=phone, expected=_expected(fields["expect"], _PHONE_VALUES)
    )


def _read_case(step: Step, case: str, fields: dict[str, Marked]) -> CaseExpectation:
    return CaseExpectation(
        **vars(step), subject=case, expected=_expected(fields["expect"], _CASE_VALUES)
    )


def _result(fields: dict[str, Marked]) -> Result:
    appointment = fields.get("appointment")
    scope = fields.get("scope")
    return Result(
        outcome=fields["outcome"].text(),
        script_finished=_flag(fields, "script_finished"),
        same_household=_flag(fields, "same_household"),
        offered=_flag(fields, "offered"),
        appointment=None if appointment is None else appointment.moment(),
        scope=None if scope is None else Scope(scope.one_of(Scope)),
    )


def _flag(fields: dict[str, Marked], name: str) -> bool:
    return name in fields and fields[name].boolean()


def _or_null(read: Callable[[Marked], object]) -> Callable[[Marked], object]:
    return lambda value: None if value.is_null() else read(value)


_PHONE_VALUES: dict[str, Callable[[Marked], object]] = {
    "status": lambda value: value.one_of(PhoneStatus),
    "counted": Marked.whole,
    "weekend_met": Marked.boolean,
    "next_from": _or_null(Marked.moment),
}
_CASE_VALUES: dict[str, Callable[[Marked], object]] = {
    "status": lambda value: value.one_of(CaseStatus),
    "clause": _or_null(lambda value: value.one_of("アイウエオカキク")),
    "appointment": _or_null(Marked.moment),
}


def _expected(given: Marked, values: dict[str, Callable[[Marked], object]]) -> dict[str, object]:
    fields = given.fields_of(frozenset(), frozenset(values))
    if not fields:
        raise given.fault(f"expect at least one of {', '.join(values)}")
    return {name: values[name](value) for name, value in fields.items()}


_READERS = {
    "ask": _Reader(
        read=_read_ask,
        of_case=False,
        required=frozenset({"expect"}),
        optional=frozenset({"reason"}),
    ),
    "attempt": _Reader(
        read=_read_attempt,
        of_case=False,
        required=frozenset({"outcome"}),
        optional=_RESULT_KEYS | {"ring", "forced"},
    ),
    "callback": _Reader(
        read=_read_callback,
        of_case=True,
        required=frozenset({"outcome"}),
        optional=_RESULT_KEYS,
    ),
    "paper": _Reader(
        read=_read_paper,
        of_case=False,
        required=frozenset({"outcome", "called_at"}),
        optional=_RESULT_KEYS | {"ring"},
    ),
    "stop": _Reader(read=_read_stop, of_case=True),
    "unstop": _Reader(read=_read_unstop, of_case=True),
    "paid": _Reader(read=_read_paid, of_case=True),
    "decide": _Reader(read=_read_decision, of_case=True, required=frozenset({"decision"})),
    "phone": _Reader(read=_read_phone, of_case=False, required=frozenset({"expect"})),
    "case": _Reader(read=_read_case, of_case=True, required=frozenset({"expect"})),
}

"""A contract profile: every number, outcome and text of one city's contract, as checked data.

Every number is dated and carries its clause in the file; a `Profile`'s attributes are the values in
force on one day (`Profile.on`). Another city's contract is another file, never a change of code.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Annotated, Any, Self

import yaml
from pydantic import BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from rules.case import Scope
from rules.documents import Strict, StrictLoader
from rules.layout import IntakeLayout
from rules.outcome import OutcomeRule


class ProfileError(Exception):
    """The contract profile cannot be used; the text names file and field and what to do."""

    exit_code = 9


def _as_text(value: object) -> object:
    # YAML reads an unquoted 20:00 as the number 1200
    if not isinstance(value, str):
        raise ValueError("write the time in quotes, for example '09:00'")
    return value


Whole = Annotated[int, Field(strict=True, ge=0, le=86_400)]
Positive = Annotated[int, Field(strict=True, ge=1, le=86_400)]
Switch = Annotated[bool, Field(strict=True)]
Share = Annotated[float, Field(ge=0, le=1)]
ClockTime = Annotated[time, BeforeValidator(_as_text)]
MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]


class Span(Strict):
    """Opening and closing time of a kind of day, Japan time."""

    opens: ClockTime
    closes: ClockTime


class Hours(Strict):
    """When calling is allowed (§6(2)イ)."""

    weekday: Span
    non_weekday: Span


class Band(Strict):
    """A part of the day (時間帯), its end excluded."""

    name: str
    starts: ClockTime
    ends: ClockTime


class Values(Strict):
    """The numbers and switches of the contract that are in force on one day."""

    attempts: Positive
    """Counted attempts per phone (or per case), §8(4)."""
    attempt_scope: Scope
    weekend_scope: Scope
    ring_min_s: Positive
    """Seconds of ringing without which nothing is `no_answer`, §8(5)ア."""
    ring_limit_s: Positive
    """Seconds of ringing after which we hang up."""
    setup_allowance_s: Positive
    """Seconds without ringing or answer after which we hang up."""
    patience_s: Positive
    """Seconds an answered person waits for an operator before the courtesy message."""
    after_call_limit_s: Positive
    """Seconds of after-call work after which nothing new comes to the operator."""
    closing_margin_s: Whole
    """Seconds before closing time at which the last call is originated."""
    case_gap_min: Whole
    household_gap_min: Whole
    busy_retry_min: Whole
    busy_tries: Positive
    failed_retry_min: Whole
    abandon_gap_min: Whole
    appointment_window_min: Whole
    escalate_early_appointments: Switch
    approve_refusals: Switch
    hours: Hours
    bands: tuple[Band, ...]
    year_end_closed: tuple[MonthDay, ...]
    """Days of every year that are excluded, MM-DD."""
    min_non_weekdays: Whole
    """Non-weekdays to be worked in each month's period, §6(2)イ."""
    contact_goal: Share
    """Contact rate of a month, §8(1)."""
    abandon_cap: Share
    """Share of answered calls of a day that may be abandoned."""
    forbidden_caller_ids: tuple[str, ...]
    """Beginnings of numbers that may not be presented, §11(2)ウ; fit for `str.startswith`."""


class Dated(Strict):
    """A value, from when it holds, and where it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    since: date = Field(alias="from")
    value: Any
    clause: str


class TalkResult(Strict):
    """What a talk came to beside its outcome (折衝内容)."""

    code: str
    label: str


class CauseRule(Strict):
    """One line of the table from how an unanswered call ended to its outcome; the first match holds.

    `causes` are ITU-T Q.850 values (0: unknown); empty or None: whatever it was.
    """

    causes: tuple[int, ...] = ()
    rang: bool | None = None
    early_media: bool | None = None
    """An announcement was heard before any answer."""
    outcome: str
    review: bool = False
    """It stays unclear: to the review list (rule 3)."""

    def matches(self, cause: int, *, rang: bool, early_media: bool) -> bool:
        """Whether this line speaks of such a call."""
        return (
            (not self.causes or cause in self.causes)
            and self.rang in (None, rang)
            and self.early_media in (None, early_media)
        )


class ScriptStep(Strict):
    """One step of the talk script, read out by the operator."""

    title: str
    text: str


class SpokenTexts(Strict):
    """Approved texts spoken where others may listen (rule 19)."""

    must_name: tuple[str, ...]
    """The city and the number to call: each text names all of them."""
    forbidden_words: tuple[str, ...]
    """Words that would tell a listener of arrears or amounts."""
    voicemail: str
    courtesy: str
    guidance: str

    @model_validator(mode="after")
    def _check_words(self) -> Self:
        for name in ("voicemail", "courtesy", "guidance"):
            text: str = getattr(self, name)
            for word in self.must_name:
                if word not in text:
                    raise ValueError(f"the text {name!r} must contain {word!r}")
            for word in self.forbidden_words:
                if word in text:
                    raise ValueError(f"the text {name!r} must not contain {word!r}")
        return self


class Profile(Values):
    """A contract profile; the inherited attributes are the values in force on one day."""

    name: str
    title: str
    city: str
    dated: dict[str, tuple[Dated, ...]]
    """Every value with its start dates and clauses, as in the file."""
    outcomes: dict[str, OutcomeRule]
    talk_results: tuple[TalkResult, ...]
    causes: tuple[CauseRule, ...]
    script: tuple[ScriptStep, ...]
    texts: SpokenTexts
    intake: IntakeLayout

    def on(self, day: date) -> Profile:
        """The same profile with the values in force on `day`.

        Before its first start date a value holds as it first was: rehearsals come before the start.
        """
        return self.model_copy(update=_values_on(self.dated, day).__dict__)


class _Document(Strict):
    """The file as it is written."""

    profile: str
    title: str
    city: str
    values: dict[str, tuple[Dated, ...]]
    outcomes: dict[str, OutcomeRule]
    talk_results: tuple[TalkResult, ...]
    causes: tuple[CauseRule, ...]
    script: Annotated[tuple[ScriptStep, ...], Field(min_length=1)]
    texts: SpokenTexts
    intake: IntakeLayout


OVERRIDABLE = frozenset(
    {
        "attempts",
        "attempt_scope",
        "weekend_scope",
        "ring_min_s",
        "case_gap_min",
        "household_gap_min",
        "busy_retry_min",
        "busy_tries",
        "failed_retry_min",
        "abandon_gap_min",
        "appointment_window_min",
        "escalate_early_appointments",
        "approve_refusals",
        "closing_margin_s",
    }
)
"""Values that a scenario's `set:` may change."""


def parse_profile(text: str, name: str) -> Profile:
    """Read and check a profile; its attributes are the latest values, see `Profile.on`.

    Raises:
        ProfileError: not YAML, an unknown or missing key, or a value that cannot be.
    """
    try:
        document = _Document.model_validate(yaml.load(text, StrictLoader))  # noqa: S506 (a SafeLoader)
        values = _checked_values(document)
    except yaml.YAMLError as error:
        raise ProfileError(f"profile {name}: not YAML: {_yaml_fault(error)}; correct it") from error
    except ValidationError as error:
        raise ProfileError(f"profile {name}: {_first_fault(error)}") from error
    except ValueError as error:
        raise ProfileError(f"profile {name}: {error}") from error
    if document.profile != name:
        raise ProfileError(f"profile {name}: profile: it says {document.profile!r}; rename one")
    kept = {key: getattr(document, key) for key in type(document).model_fields}
    del kept["profile"], kept["values"]
    return Profile.model_construct(name=name, dated=document.values, **kept, **values.__dict__)


def with_overrides(profile: Profile, overrides: Mapping[str, object]) -> Profile:
    """The profile with single values replaced for every day (a scenario's `set:`).

    Raises:
        ProfileError: a name not in `OVERRIDABLE`, or a value that cannot be.
    """
    for name in overrides:
        if name not in OVERRIDABLE:
            raise ProfileError(f"{name}: not a value that may be set; use {sorted(OVERRIDABLE)}")
    current = {name: getattr(profile, name) for name in Values.model_fields}
    try:
        values = Values.model_validate({**current, **overrides})
    except ValidationError as error:
        raise ProfileError(_first_fault(error)) from error
    dated = {
        name: (Dated(since=date.min, value=value, clause="set"),)
        for name, value in overrides.items()
    }
    return profile.model_copy(update={**values.__dict__, "dated": {**profile.dated, **dated}})


def _values_on(dated: Mapping[str, tuple[Dated, ...]], day: date) -> Values:
    in_force = {}
    for name, entries in dated.items():
        begun = [entry for entry in entries if entry.since <= day]
        in_force[name] = (begun or entries)[-1 if begun else 0].value
    return Values.model_validate(in_force)


def _checked_values(document: _Document) -> Values:
    """Check the values of every day on which one changes; return the latest."""
    for name, entries in document.values.items():
        starts = [entry.since for entry in entries]
        if not starts or starts != sorted(set(starts)):
            raise ValueError(f"values.{name}: give at least one value, in order of `from`")
    _check_codes(document)
    days = sorted({entry.since for entries in document.values.values() for entry in entries})
    for day in days:
        values = _values_on(document.values, day)
        _check_together(values, day)
    return values


def _check_together(values: Values, day: date) -> None:
    if values.ring_limit_s < values.ring_min_s:
        raise ValueError(f"values.ring_limit_s: from {day}: less than ring_min_s; raise it")
    if values.closing_margin_s < values.ring_limit_s + values.setup_allowance_s:
        raise ValueError(
            f"values.closing_margin_s: from {day}: a call could still ring at closing time; "
            "make it at least ring_limit_s + setup_allowance_s"
        )


def _check_codes(document: _Document) -> None:
    for number, rule in enumerate(document.causes):
        if rule.outcome not in document.outcomes:
            raise ValueError(f"causes.{number}.outcome: {rule.outcome!r} is not among outcomes")
    last = document.causes[-1] if document.causes else None
    if last is None or last.causes or last.rang is not None or last.early_media is not None:
        raise ValueError("causes: the last line must match every call; add one without conditions")


def _yaml_fault(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error)


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "the file"
    hints = {
        "extra_forbidden": "unknown key; remove or correct it",
        "missing": "missing; add it",
    }
    return f"{field}: {hints.get(first['type'], first['msg'])}"

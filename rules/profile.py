"""A contract profile: every number, outcome and text of one city's contract, as checked data.

Every number is dated and carries its clause in the file; a `Profile`'s attributes are what is in force
on one day, and `Profile.on` gives any other day's. Another city's contract is another file, never a
change of code (`rules.profile_file` reads it).
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationError,
    model_validator,
)

from rules import sounds
from rules.case import Scope
from rules.documents import Strict
from rules.layout import IntakeLayout
from rules.outcome import OutcomeRule
from rules.pacing.snapshot import Mode


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
    pacing_mode: Mode = Mode.PROGRESSIVE
    """How calls come to operators. A profile written before there was a choice is called as it was."""
    calls_per_operator: Annotated[float, Field(ge=1, le=10)] = 3.0
    """Unanswered calls in flight for each operator who takes calls, at most."""
    abandon_cap: Share
    """Share of answered calls of a day that may be abandoned."""
    callback_operators: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Ids of the operators who take callbacks; empty: everybody."""
    callback_reserve: Whole = 0
    """Operators kept free for callbacks: pacing never counts on them."""
    forbidden_caller_ids: tuple[str, ...]
    """Beginnings of numbers that may not be presented, §11(2)ウ; fit for `str.startswith`."""


class Dated(Strict):
    """A value, from when it holds, and where it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    since: date = Field(alias="from")
    value: Any
    clause: Annotated[str, Field(min_length=1)]


def position_on(entries: Sequence[Dated], day: date) -> int:
    """Which of a value's entries, oldest first, is in force on a day.

    Before its first start date a value holds as it first was: rehearsals come before the start.
    """
    return max(sum(entry.since <= day for entry in entries) - 1, 0)


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
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of a usual talk that is over when the step is done; None: the steps are taken as equally long,
    and what follows the last one as long as a step."""


def shares_of(script: Sequence[ScriptStep]) -> tuple[float, ...]:
    """The share of a usual talk that is over when each step is done, 0-1."""
    steps = len(script) + 1
    return tuple(
        number / steps if step.share is None else step.share
        for number, step in enumerate(script, start=1)
    )


def _shares_rise(script: tuple[ScriptStep, ...]) -> tuple[ScriptStep, ...]:
    if any(after <= before for before, after in pairwise(shares_of(script))):
        raise ValueError(
            "each step's `share` must be greater than the one before; left out: equal steps"
        )
    return script


Script = Annotated[tuple[ScriptStep, ...], Field(min_length=1), AfterValidator(_shares_rise)]


class WishRule(Strict):
    """Words of the city's note (備考) and when the person then wishes to be called (rule 15)."""

    words: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    """Any one of them, anywhere in the note."""
    bands: tuple[str, ...] = ()
    """Names of bands (時間帯)."""
    non_weekday: Switch | None = None
    """True: non-weekdays are wished, False: weekdays, None: it says nothing of the day."""

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if not self.bands and self.non_weekday is None:
            raise ValueError("a wish needs `bands` or `non_weekday`")
        return self


def _completed(given: dict[str, str]) -> dict[str, str]:
    unknown = sorted(given.keys() - sounds.TEXTS.keys())
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a sound; see docs/sounds.md")
    return {**sounds.TEXTS, **given}


CallerTexts = Annotated[dict[str, Annotated[str, Field(min_length=1)]], AfterValidator(_completed)]


class SpokenTexts(Strict):
    """Approved texts spoken where others may listen (rule 19)."""

    must_name: tuple[str, ...]
    """The city and the number to call: each text names all of them."""
    forbidden_words: tuple[str, ...]
    """Words that would tell a listener of arrears or amounts."""
    voicemail: str
    courtesy: str
    guidance: str
    callers: CallerTexts = Field(default={}, validate_default=True)
    """What people who call us hear, by the sound's name: every one, the profile's own words or
    `rules.sounds`. A profile written before people could be answered says none."""

    @model_validator(mode="after")
    def _check_words(self) -> Self:
        named = {"voicemail": self.voicemail, "courtesy": self.courtesy, "guidance": self.guidance}
        for name, text in named.items():
            for word in self.must_name:
                if word not in text:
                    raise ValueError(f"the text {name!r} must contain {word!r}")
        for name, text in {**named, **self.callers}.items():
            forbidden = self.forbidden_in(text)
            if forbidden is not None:
                raise ValueError(f"the text {name!r} must not contain {forbidden!r}")
        return self

    def forbidden_in(self, text: str) -> str | None:
        """The first word in a text that must not be spoken where others may listen."""
        return next((word for word in self.forbidden_words if word in text), None)


class Timeline:
    """The forms a profile takes from day to day, oldest first, shared by all of them.

    Compared by identity: a form knows its timeline, which knows its forms.
    """

    __slots__ = ("_starts", "forms")

    def __init__(self) -> None:
        self.forms: tuple[Profile, ...] = ()
        self._starts: list[date] = []

    def hold(self, forms: tuple[Profile, ...]) -> None:
        """Set the forms, once, when all of them are made."""
        self.forms = forms
        self._starts = [form.since for form in forms]

    def on(self, day: date) -> Profile:
        """The form in force on a day."""
        return self.forms[bisect(self._starts, day) - 1]


class Profile(Values):
    """A contract profile on the days from `since` to `until`, on all of which the same holds."""

    name: str
    title: str
    city: str
    dated: dict[str, tuple[Dated, ...]]
    """Every value with its start dates and clauses, as in the file."""
    outcomes: dict[str, OutcomeRule]
    talk_results: tuple[TalkResult, ...]
    causes: tuple[CauseRule, ...]
    wishes: tuple[WishRule, ...]
    script: tuple[ScriptStep, ...]
    texts: SpokenTexts
    intake: IntakeLayout
    since: date
    """First day of this form; `date.min` for the first one: rehearsals come before the start."""
    until: date
    """Its last day; `date.max` for the last one."""
    timeline: InstanceOf[Timeline] = Field(repr=False, exclude=True)

    def on(self, day: date) -> Profile:
        """The profile as it is in force on `day`; costs next to nothing where nothing changed."""
        return self if self.since <= day <= self.until else self.timeline.on(day)

    def following(self) -> Profile | None:
        """The form that comes after this one; None: it is the last."""
        return None if self.until == date.max else self.on(self.until + timedelta(days=1))


def as_timeline(starts: Sequence[date], forms: Sequence[Profile]) -> Profile:
    """Forms that follow each other, the first one also before its start; returns the last.

    Args:
        starts: first day of every form, ascending.
    """
    timeline = Timeline()
    begins = [date.min, *starts[1:]]
    ends = [*(start - timedelta(days=1) for start in starts[1:]), date.max]
    timeline.hold(
        tuple(
            form.model_copy(update={"since": since, "until": until, "timeline": timeline})
            for form, since, until in zip(forms, begins, ends, strict=True)
        )
    )
    return timeline.forms[-1]


def in_succession(orders: Sequence[tuple[date, Profile]]) -> Profile:
    """Profiles ordered one after the other as one, each from its day on; returns the last form.

    Args:
        orders: first day and profile, by ascending day, at least one; the first one holds before its
            day too.
    """
    begins = [date.min, *(day for day, _ in orders[1:])]
    ends = [*(day - timedelta(days=1) for day in begins[1:]), date.max]
    starts: list[date] = []
    forms: list[Profile] = []
    for (_, profile), begin, end in zip(orders, begins, ends, strict=True):
        for form in profile.timeline.forms:
            if form.since <= end and form.until >= begin:
                starts.append(max(form.since, begin))
                forms.append(form)
    return as_timeline(starts, forms)


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


def with_overrides(profile: Profile, overrides: Mapping[str, object]) -> Profile:
    """The profile with single values replaced for every day (a scenario's `set:`).

    Raises:
        ProfileError: a name not in `OVERRIDABLE`, or a value that cannot be.
    """
    for name in overrides:
        if name not in OVERRIDABLE:
            raise ProfileError(f"{name}: not a value that may be set; use {sorted(OVERRIDABLE)}")
    forms = profile.timeline.forms
    changed = [_with_overrides(form, overrides) for form in forms]
    return as_timeline([form.since for form in forms], changed).on(profile.since)


def _with_overrides(form: Profile, overrides: Mapping[str, object]) -> Profile:
    current = {name: getattr(form, name) for name in Values.model_fields}
    try:
        values = Values.model_validate({**current, **overrides})
    except ValidationError as error:
        raise ProfileError(_first_fault(error)) from error
    dated = {
        name: (Dated(since=date.min, value=value, clause="set"),)
        for name, value in overrides.items()
    }
    return form.model_copy(update={**values.__dict__, "dated": {**form.dated, **dated}})


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{first['loc'][0]}: {first['msg']}"

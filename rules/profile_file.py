"""Reading a contract profile's file: everything that is wrong with it is found at once, with its line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from rules import call_outcome
from rules.documents import Strict, StrictLoader
from rules.layout import IntakeLayout
from rules.outcome import OutcomeRule, Recorder
from rules.profile import (
    CauseRule,
    Dated,
    Profile,
    ProfileError,
    Script,
    SpokenTexts,
    TalkResult,
    Timeline,
    Values,
    WishRule,
    as_timeline,
    position_on,
)

_Model = TypeVar("_Model", bound=BaseModel)
_Path = tuple[int | str, ...]
"""Keys and positions from the top of the document to a place in it."""
_Found = tuple[_Path, str]
"""Where something is wrong, and what, with what to do."""
_Entries = dict[str, tuple[Dated, ...]]

_HINTS = {"extra_forbidden": "unknown key; remove or correct it", "missing": "missing; add it"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing wrong with the file."""

    line: int
    """From 1."""
    field: str
    message: str
    """What is wrong and what to do."""

    def __str__(self) -> str:
        return f"line {self.line}: {self.field}: {self.message}"


class ProfileFaultsError(ProfileError):
    """The file cannot be used; its text tells the first fault and how many there are."""

    def __init__(self, name: str, faults: tuple[Fault, ...]) -> None:
        more = len(faults) - 1
        rest = f" (and {more} more: see `dialer profile check`)" if more else ""
        super().__init__(f"profile {name}: {faults[0]}{rest}")
        self.faults = faults
        """All of them, in the order of the file."""


class _Document(Strict):
    """The file as it is written, `values` left out: they are checked entry by entry."""

    profile: str
    title: str
    city: str
    outcomes: dict[str, OutcomeRule]
    talk_results: tuple[TalkResult, ...]
    causes: tuple[CauseRule, ...]
    wishes: tuple[WishRule, ...] = ()
    script: Script
    texts: SpokenTexts
    intake: IntakeLayout


_ENTRIES: TypeAdapter[tuple[Dated, ...]] = TypeAdapter(tuple[Dated, ...])


def parse_profile(text: str, name: str) -> Profile:
    """Read and check a profile; what is returned is its latest form, see `Profile.on`.

    Raises:
        ProfileFaultsError: not YAML, an unknown or missing key, or a value that cannot be.
    """
    try:
        node, data = _load(text)
    except yaml.YAMLError as error:
        raise ProfileFaultsError(name, (_yaml_fault(error),)) from error
    document, found = _document(data, name)
    given = data.get("values") if isinstance(data, dict) else None
    dated, found_values = _dated(given)
    days, values, found_forms = _forms(dated, given)
    found += [*found_values, *found_forms]
    if document is not None and not found:
        found += _check_together(document, dated, days, values)
    if document is None or found:
        raise ProfileFaultsError(name, _faults(node, found))
    return _profile(document, dated, days, values)


def _faults(node: yaml.Node | None, found: Iterable[_Found]) -> tuple[Fault, ...]:
    # a value that holds over several changes of others is looked at for each of them
    once = sorted({(_line(node, path), _field(path), told) for path, told in found})
    return tuple(Fault(line=line, field=field, message=told) for line, field, told in once)


def _profile(
    document: _Document, dated: _Entries, days: list[date], values: list[Values]
) -> Profile:
    kept = {key: getattr(document, key) for key in _Document.model_fields if key != "profile"}
    kept |= {"name": document.profile, "dated": dated, "timeline": Timeline()}
    kept |= {"since": date.min, "until": date.max}
    forms = [Profile.model_construct(**kept, **form.__dict__) for form in values]
    return as_timeline(days, forms)


def _load(text: str) -> tuple[yaml.Node | None, Any]:
    loader = StrictLoader(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _document(data: object, name: str) -> tuple[_Document | None, list[_Found]]:
    """The document without its values, and what is wrong with it."""
    rest, found = data, []
    if isinstance(data, dict):
        rest = {key: part for key, part in data.items() if key != "values"}
        if "values" not in data:
            found.append((("values",), _HINTS["missing"]))
    document, wrong = _validated(_Document, rest)
    if document is not None and document.profile != name:
        wrong.append((("profile",), f"it says {document.profile!r}, not {name!r}; rename one"))
    return document, found + wrong


def _dated(given: object) -> tuple[_Entries, list[_Found]]:
    """The values' entries that can be used, and what is wrong with the others."""
    if given is None:
        return {}, []
    if not isinstance(given, dict):
        return {}, [(("values",), "must be a mapping of names to lists of dated values")]
    dated: _Entries = {}
    found: list[_Found] = []
    for name, listed in given.items():
        try:
            entries = _ENTRIES.validate_python(listed)
        except ValidationError as error:
            found += ((("values", name, *path), told) for path, told in _told(error))
            continue
        starts = [entry.since for entry in entries]
        if not starts or starts != sorted(set(starts)):
            found.append((("values", name), "give at least one value, in order of `from`"))
            continue
        dated[str(name)] = entries
    return dated | _left_out(given), found


def _left_out(given: Mapping[Any, Any]) -> _Entries:
    """Values that came after the first profiles were written: where one is left out, its default."""
    return {
        name: (Dated(since=date.min, value=field.default, clause="default"),)
        for name, field in Values.model_fields.items()
        if not field.is_required() and name not in given
    }


def _forms(dated: _Entries, given: object) -> tuple[list[date], list[Values], list[_Found]]:
    """The days on which a value changes, the values from each of them on, and what is wrong."""
    if not isinstance(given, dict):
        return [], [], []
    days = [
        date.min,
        *sorted({entry.since for entries in dated.values() for entry in entries[1:]}),
    ]
    values: list[Values] = []
    found: list[_Found] = []
    for day in days:
        place = {name: position_on(entries, day) for name, entries in dated.items()}
        form, wrong = _validated(
            Values, {name: dated[name][at].value for name, at in place.items()}
        )
        if form is not None:
            values.append(form)
        # an entry that could not be read is told already, it is not missing
        found += [
            (_path_of_value(path, place), told)
            for path, told in wrong
            if path[0] in place or path[0] not in given
        ]
    return days, values, found


def _path_of_value(path: _Path, place: Mapping[str, int]) -> _Path:
    name = str(path[0])
    if name not in Values.model_fields or name not in place:
        return ("values", name)
    return ("values", name, place[name], "value", *path[1:])


def _check_together(
    document: _Document, dated: _Entries, days: list[date], values: list[Values]
) -> list[_Found]:
    """What is only wrong beside something else in the file."""
    found = [*_check_codes(document), *_check_wishes(document, values)]
    for day, form in zip(days, values, strict=True):
        for name, told in _check_values(form):
            found.append((("values", name, position_on(dated[name], day)), told))
    return found


def _check_values(values: Values) -> Iterator[tuple[str, str]]:
    if values.ring_limit_s < values.ring_min_s:
        yield "ring_limit_s", "less than ring_min_s; raise it"
    if values.closing_margin_s < values.ring_limit_s + values.setup_allowance_s:
        yield (
            "closing_margin_s",
            "a call could still ring at closing time; make it at least ring_limit_s + "
            "setup_allowance_s",
        )
    for span in (values.hours.weekday, values.hours.non_weekday):
        if span.opens >= span.closes:
            yield "hours", f"opens at {span.opens} and closes at {span.closes}; correct it"
    ends = [moment for band in values.bands for moment in (band.starts, band.ends)]
    if ends != sorted(ends) or any(band.starts == band.ends for band in values.bands):
        yield "bands", "a band ends before it begins, or overlaps the one above; correct it"
    if len({band.name for band in values.bands}) < len(values.bands):
        yield "bands", "two bands have one name; rename one"


def _check_codes(document: _Document) -> Iterator[_Found]:
    for number, rule in enumerate(document.causes):
        if rule.outcome not in document.outcomes:
            yield ("causes", number, "outcome"), f"{rule.outcome!r} is not among outcomes; add it"
    last = document.causes[-1] if document.causes else None
    if last is None or last.causes or last.rang is not None or last.early_media is not None:
        yield ("causes",), "the last line must match every call; add one without conditions"
    for code in call_outcome.CODES:
        rule_of = document.outcomes.get(code)
        if rule_of is None or Recorder.LINE not in rule_of.by:
            yield ("outcomes", code), "the line records it by itself; keep it, with `by: [line]`"
    codes = [talk.code for talk in document.talk_results]
    for number, code in enumerate(codes):
        if code in codes[:number]:
            yield ("talk_results", number, "code"), f"{code!r} is there twice; rename one"


def _check_wishes(document: _Document, values: list[Values]) -> Iterator[_Found]:
    named = {band.name for form in values for band in form.bands}
    for number, wish in enumerate(document.wishes):
        for band in wish.bands:
            if band not in named:
                yield ("wishes", number, "bands"), f"{band!r} is not among values.bands; correct it"


def _validated(model: type[_Model], data: object) -> tuple[_Model | None, list[_Found]]:
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return None, list(_told(error))


def _told(error: ValidationError) -> Iterator[_Found]:
    for one in error.errors(include_input=False, include_url=False):
        yield one["loc"], _HINTS.get(one["type"]) or f"{one['msg']}; correct it"


def _yaml_fault(error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    told = getattr(error, "problem", None) or str(error)
    line = 1 if mark is None else mark.line + 1
    return Fault(line=line, field="the file", message=f"not YAML: {told}; correct it")


def _field(path: _Path) -> str:
    return ".".join(str(part) for part in path) or "the file"


def _line(node: yaml.Node | None, path: _Path) -> int:
    """Line of a place in the document, from 1; of the nearest one around it, if it is not there."""
    line = 0 if node is None else node.start_mark.line
    for part in path:
        marked, node = _child(node, part)
        if marked is None:
            break
        line = marked.start_mark.line
    return int(line) + 1


def _child(node: yaml.Node | None, part: int | str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """Where a part of a node begins (a mapping's at its key), and the part."""
    if isinstance(node, yaml.MappingNode):
        return next((pair for pair in node.value if pair[0].value == part), (None, None))
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part], node.value[part]
    return None, None

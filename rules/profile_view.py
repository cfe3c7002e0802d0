"""A profile as people and programs look at it: what is in force, and in what two of them differ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules.profile import Profile, Values, position_on

_NOT_SHOWN = {"since", "until", "dated", *Values.model_fields}


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueInForce:
    """One value on one day."""

    name: str
    value: Any
    """As JSON has it."""
    since: date
    """The day from which it is written; `date.min`: it was set for every day."""
    clause: str


def values_in_force(profile: Profile, day: date) -> list[ValueInForce]:
    """Every value as it is in force on a day, in the order of the profile's values."""
    form = profile.on(day)
    plain = form.model_dump(mode="json", include=set(Values.model_fields))
    found = []
    for name in Values.model_fields:
        entry = form.dated[name][position_on(form.dated[name], day)]
        found.append(
            ValueInForce(name=name, value=plain[name], since=entry.since, clause=entry.clause)
        )
    return found


def differences(before: Profile, after: Profile, day: date) -> list[str]:
    """A line for everything in which two profiles differ on a day: `path: before → after`."""
    return list(_differences("", _tree(before, day), _tree(after, day)))


def _tree(profile: Profile, day: date) -> dict[str, Any]:
    """All that is in force on a day, as mappings; lists (all of mappings) by their codes or positions."""
    values = values_in_force(profile, day)
    rest = profile.on(day).model_dump(mode="json", exclude=_NOT_SHOWN)
    return {
        **{name: rest.pop(name) for name in ("name", "title", "city")},
        "values": {value.name: value.value for value in values},
        "clauses": {value.name: value.clause for value in values},
        **{name: _mapped(part) for name, part in rest.items()},
    }


def _mapped(part: Any) -> Any:
    if isinstance(part, list):
        return {str(one.get("code", number)): one for number, one in enumerate(part, start=1)}
    return part


def _differences(path: str, before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if not (isinstance(before, dict) and isinstance(after, dict)):
        yield f"{path}: {text_of(before)} → {text_of(after)}"
        return
    for key in [*before, *(key for key in after if key not in before)]:
        place = f"{path}.{key}" if path else key
        if key not in after:
            yield f"{place}: removed, was {text_of(before[key])}"
        elif key not in before:
            yield f"{place}: added, {text_of(after[key])}"
        else:
            yield from _differences(place, before[key], after[key])


def text_of(value: Any) -> str:
    """A value as JSON has it, on one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

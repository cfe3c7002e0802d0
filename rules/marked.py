"""Reading YAML nodes so that every fault is told with its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

import yaml

from rules.calendar import JST
from rules.documents import StrictLoader, refuse_doubled_keys

_MOMENT = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?")


class ScenarioError(Exception):
    """A scenario file is malformed; the text begins with file and line."""

    exit_code = 10

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file = file
        self.line = line
        self.message = message


@dataclass(frozen=True)
class Marked:
    """One value of the file, with where it stands."""

    node: yaml.Node
    file: str

    @property
    def line(self) -> int:
        """Line of the file, from 1."""
        return int(self.node.start_mark.line) + 1

    def fault(self, message: str) -> ScenarioError:
        """An error that names this place."""
        return ScenarioError(self.file, self.line, message)

    def source(self, text: str) -> str:
        """The value as it is written in the file `text`, on one line."""
        return " ".join(text[self.node.start_mark.index : self.node.end_mark.index].split())

    def fields(self) -> dict[str, Marked]:
        """The keys and values of a mapping.

        Raises:
            ScenarioError: not a mapping, or a doubled key.
        """
        if not isinstance(self.node, yaml.MappingNode):
            raise self.fault("a mapping (key: value) is needed here")
        try:
            refuse_doubled_keys(self.node)
        except yaml.MarkedYAMLError as error:
            raise _yaml_fault(error, self.file) from error
        return {str(key.value): Marked(value, self.file) for key, value in self.node.value}

    def fields_of(self, required: frozenset[str], optional: frozenset[str]) -> dict[str, Marked]:
        """The fields of a mapping of which all keys are known.

        Raises:
            ScenarioError: an unknown, doubled or missing key.
        """
        found = self.fields()
        for key, value in found.items():
            if key not in required | optional:
                raise value.fault(f"unknown key {key!r}")
        missing = sorted(required - found.keys())
        if missing:
            raise self.fault(f"missing key {missing[0]!r}")
        return found

    def items(self) -> list[Marked]:
        """The entries of a list.

        Raises:
            ScenarioError: not a list.
        """
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.fault("a list is needed here")
        return [Marked(value, self.file) for value in self.node.value]

    def text(self) -> str:
        """A scalar as written, whatever YAML would make of it.

        Raises:
            ScenarioError: a list, a mapping, or nothing.
        """
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value:
            raise self.fault("a value is needed here")
        return str(self.node.value)

    def is_null(self) -> bool:
        """Written as null."""
        return self.node.tag == "tag:yaml.org,2002:null"

    def one_of(self, choices: Iterable[str]) -> str:
        """A scalar that is among the choices (for example an enumeration's values).

        Raises:
            ScenarioError: it is not.
        """
        value = self.text()
        known = [str(choice) for choice in choices]
        if value not in known:
            raise self.fault(f"{value!r} is not one of {', '.join(known)}")
        return value

    def plain(self) -> object:
        """The value as YAML reads it.

        Raises:
            ScenarioError: YAML cannot make a value of it (`!!int x`, an unknown tag).
        """
        try:
            return StrictLoader("").construct_document(self.node)
        except (ValueError, yaml.YAMLError) as error:
            raise self.fault(f"not a value: {error}") from error

    def boolean(self) -> bool:
        """true or false.

        Raises:
            ScenarioError: something else.
        """
        value = self.plain()
        if not isinstance(value, bool):
            raise self.fault("true or false is needed here")
        return value

    def seconds(self) -> float:
        """A number of seconds, not below 0.

        Raises:
            ScenarioError: something else.
        """
        value = self.plain()
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
            raise self.fault("a number of seconds is needed here")
        return float(value)

    def whole(self) -> int:
        """A whole number.

        Raises:
            ScenarioError: something else.
        """
        value = self.plain()
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fault("a whole number is needed here")
        return value

    def day(self) -> date:
        """A date.

        Raises:
            ScenarioError: something else.
        """
        try:
            return date.fromisoformat(self.text())
        except ValueError as error:
            raise self.fault(f"{self.text()!r} is not a date (2026-09-21)") from error

    def moment(self) -> datetime:
        """A date and time of Japan.

        Raises:
            ScenarioError: something else.
        """
        found = _MOMENT.fullmatch(self.text())
        try:
            parts = [int(part or 0) for part in found.groups()] if found else []
            return datetime(*parts, tzinfo=JST)  # type: ignore[arg-type,misc]
        except (TypeError, ValueError) as error:
            raise self.fault(f"{self.text()!r} is not a time (2026-09-21 10:00)") from error


def documents(text: str, file: str) -> Iterator[Marked]:
    """The documents of a YAML text; empty ones are passed over.

    Raises:
        ScenarioError: not YAML.
    """
    try:
        for node in yaml.compose_all(text, StrictLoader):
            document = Marked(node, file)
            if not document.is_null():
                yield document
    except yaml.YAMLError as error:
        raise _yaml_fault(error, file) from error


def _yaml_fault(error: yaml.YAMLError, file: str) -> ScenarioError:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else str(error)
    return ScenarioError(file, mark.line + 1 if mark else 1, f"not YAML: {problem}")

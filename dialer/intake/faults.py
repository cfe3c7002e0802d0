"""What is wrong with the city's file, told to a supervisor in Japanese.

A message names line, column and what to do; never the value, which may be personal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether the row can be taken in."""

    FAULT = "fault"
    """It cannot."""
    WARNING = "warning"
    """It is, but somebody should look."""
    NOTE = "note"
    """It is, and that is in order; good to know."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something about one place of the file."""

    line: int
    """As an editor counts, the header being line 1."""
    column: str | None
    """The header's name; None: the line as a whole."""
    reference: str | None
    """整理番号, where the row has one."""
    message: str
    severity: Severity = Severity.FAULT

    def text(self) -> str:
        """One line to show."""
        place = f"{self.line}行目"
        if self.reference:
            place += f"（整理番号 {self.reference}）"
        if self.column:
            place += f" {self.column}"
        return f"{place}: {self.message}"

"""What can go wrong, as one tree. The docstring is the message's first half; the text says what to do.

YobirinError             (db.errors, like the next four and those below them)
├── NotFoundError        the named campaign, case or operator does not exist
├── ConflictError        the request does not fit the present state
│   ├── NotCallableError       the phone may not be called any more
│   └── AlreadyInFlightError   a call to this phone, case, number or household is alive
├── DatabaseError        the database is away, not migrated, or already served by another dialer
├── SettingsError        the settings file cannot be used
├── ProfileError         (rules.profile) the contract profile cannot be used
├── IntakeError          a file (the city's, or a roster) cannot be taken in
├── AmiError             Asterisk cannot be reached, or a value may not be sent
│   └── RefusedError     nothing happened: Asterisk said no, or was never asked
├── ServiceAwayError     `dialer serve` does not answer
├── ReportError          a report cannot be written
├── SpeechError          a message cannot be spoken, or a recording cannot be used
└── PlanningError        a plan could not be made
"""

from __future__ import annotations

from db.errors import ConflictError, DatabaseError, NotFoundError, YobirinError

__all__ = [
    "AmiError",
    "ConflictError",
    "DatabaseError",
    "IntakeError",
    "NotFoundError",
    "PlanningError",
    "RefusedError",
    "ReportError",
    "ServiceAwayError",
    "SettingsError",
    "SpeechError",
    "YobirinError",
]


class SettingsError(YobirinError):
    """The settings file cannot be used."""

    exit_code = 3


class IntakeError(YobirinError):
    """A file cannot be taken in."""

    exit_code = 4


class AmiError(YobirinError):
    """Asterisk cannot be reached, or a value may not be sent."""

    exit_code = 8


class RefusedError(AmiError):
    """Nothing happened: Asterisk said no, or it was never asked."""


class ServiceAwayError(YobirinError):
    """`dialer serve` is not running, or does not answer."""

    exit_code = 11


class ReportError(YobirinError):
    """A report cannot be written."""

    exit_code = 12


class SpeechError(YobirinError):
    """A message cannot be spoken, or a recording cannot be used."""

    exit_code = 13


class PlanningError(YobirinError):
    """A plan could not be made."""

"""What can go wrong, as one tree. The docstring is the message's first half; the text says what to do.

YobirinError
├── SettingsError        the settings file cannot be used
├── ProfileError         (rules.profile) the contract profile cannot be used
├── IntakeError          the city's file cannot be taken in
├── NotFoundError        the named campaign, case or operator does not exist
├── ConflictError        the request does not fit the present state
├── DatabaseError        the database is away, not migrated, or already served by another dialer
└── AmiError             Asterisk cannot be reached, refused us, or a value may not be sent
"""

from __future__ import annotations


class YobirinError(Exception):
    """Base of all errors shown to a user; one line, no personal data."""

    exit_code = 1


class SettingsError(YobirinError):
    """The settings file cannot be used."""

    exit_code = 3


class IntakeError(YobirinError):
    """The city's file cannot be taken in."""

    exit_code = 4


class NotFoundError(YobirinError):
    """The named thing does not exist."""

    exit_code = 5


class ConflictError(YobirinError):
    """The request does not fit the present state."""

    exit_code = 6


class DatabaseError(YobirinError):
    """The database is away, not migrated, or already served by another dialer."""

    exit_code = 7


class AmiError(YobirinError):
    """Asterisk cannot be reached, refused us, or a value may not be sent."""

    exit_code = 8

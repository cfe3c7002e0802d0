"""The root of all errors shown to a user, and those of the database.

Errors raised by the tables' functions carry no personal data: one line that says what to do.
"""

from __future__ import annotations


class YobirinError(Exception):
    """Base of all errors shown to a user; one line, no personal data."""

    exit_code = 1


class NotFoundError(YobirinError):
    """The named thing does not exist."""

    exit_code = 5


class ConflictError(YobirinError):
    """The request does not fit the present state."""

    exit_code = 6


class NotCallableError(ConflictError):
    """The phone may not be called any more: stopped, complete, withdrawn or paused meanwhile."""


class AlreadyInFlightError(ConflictError):
    """A call to this phone, case, number or household is alive already."""


class DatabaseError(YobirinError):
    """The database is away, not migrated, or already served by another dialer."""

    exit_code = 7

"""Fixtures of all tests."""

from tests.databases import (
    database_url,
    empty_database_url,
    postgres,
    sessions,
    sqlite_template,
)

__all__ = ["database_url", "empty_database_url", "postgres", "sessions", "sqlite_template"]

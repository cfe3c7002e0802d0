"""Fixtures of all tests."""

from hypothesis import settings

from tests.databases import (
    database_url,
    empty_database_url,
    postgres,
    sessions,
    sqlite_template,
)

THOROUGH = "thorough"
"""Hypothesis profile for the long properties: more examples than the suite has time for."""
settings.register_profile(THOROUGH)

__all__ = ["database_url", "empty_database_url", "postgres", "sessions", "sqlite_template"]

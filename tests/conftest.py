"""Fixtures of all tests."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.databases import (
    database_url,
    empty_database_url,
    postgres,
    sessions,
    sqlite_template,
)

THOROUGH = "thorough"
"""Hypothesis profile for the long properties: more examples than the suite has time for."""
# how long drawing takes says nothing of our code: the first draws of a fresh clone build tables
settings.register_profile("suite", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
settings.register_profile(THOROUGH)

__all__ = ["database_url", "empty_database_url", "postgres", "sessions", "sqlite_template"]


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command that sets logs up to its own (captured) stderr must not leave the next test with it."""
    yield
    structlog.reset_defaults()

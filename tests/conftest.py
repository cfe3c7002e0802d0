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
# how long an example takes says nothing of our code: the first ones of a fresh clone compile and build tables
settings.register_profile(THOROUGH, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# the same examples in every run of the same test: who changes nothing sees nothing else fail
settings.register_profile("suite", settings.get_profile(THOROUGH), derandomize=True)
settings.load_profile("suite")

__all__ = ["database_url", "empty_database_url", "postgres", "sessions", "sqlite_template"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait for telephones come first: side by side, the quick ones fill what time is left."""
    items.sort(key=lambda item: item.get_closest_marker("asterisk") is None)


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command that sets logs up to its own (captured) stderr must not leave the next test with it."""
    yield
    structlog.reset_defaults()

"""One PBX for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.asterisk.pbx import Pbx, started_pbx


@pytest.fixture(scope="module")
def pbx() -> Iterator[Pbx]:
    """A PBX trusting its carrier by address, with the trunk at a free port of 127.0.0.1."""
    with started_pbx() as running:
        yield running

"""The profiles that ship."""

from __future__ import annotations

from datetime import date

import pytest

from dialer.profiles import load_profile, profile_names
from rules.profile import ProfileError


def test_every_profile_that_ships_can_be_loaded() -> None:
    assert "nagaoka-r8" in profile_names()
    for name in profile_names():
        assert load_profile(name, date(2026, 9, 20)).name == name


@pytest.mark.parametrize("name", ["gotham", "", "../case", "nagaoka-r8.yaml"])
def test_a_profile_that_does_not_ship_is_refused_with_the_names_of_those_that_do(name: str) -> None:
    with pytest.raises(ProfileError, match="nagaoka-r8"):
        load_profile(name, date(2026, 9, 20))

"""The contract profiles that ship with the program, read from its package data."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

from rules.profile import Profile, ProfileError, parse_profile


def profile_names() -> list[str]:
    """Names of the profiles that ship."""
    entries = (files("rules") / "profiles").iterdir()
    return sorted(entry.name.removesuffix(".yaml") for entry in entries if entry.is_file())


def load_profile(name: str, day: date) -> Profile:
    """The profile with the values in force on `day` (a campaign's: the first day of its period).

    Raises:
        ProfileError: there is no such profile, or its file cannot be used.
    """
    if name not in profile_names():
        raise ProfileError(f"profile {name}: does not exist; use one of {profile_names()}")
    text = (files("rules") / "profiles" / f"{name}.yaml").read_text(encoding="utf-8")
    return parse_profile(text, name).on(day)

"""Contract profiles: those that ship with the program, by name, and files of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from rules.profile import Profile, ProfileError
from rules.profile_file import parse_profile

SUFFIX = ".yaml"


@dataclass(frozen=True, slots=True)
class ProfileText:
    """A profile's file as it is written, not checked."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Of the text in UTF-8, hexadecimal."""
        return sha256(self.text.encode()).hexdigest()


def profile_names() -> list[str]:
    """Names of the profiles that ship."""
    entries = (files("rules") / "profiles").iterdir()
    return sorted(entry.name.removesuffix(SUFFIX) for entry in entries if entry.is_file())


def read_profile(name: str) -> ProfileText:
    """A profile's text, not checked.

    Args:
        name: of one that ships, or the path of a file (`….yaml`), which is named like its profile.

    Raises:
        ProfileError: there is no such profile, or its file cannot be read.
    """
    if name.endswith(SUFFIX):
        path = Path(name)
        try:
            return ProfileText(path.stem, path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise ProfileError(f"profile {name}: cannot be read ({error.strerror})") from error
        except UnicodeDecodeError as error:
            raise ProfileError(f"profile {name}: not UTF-8 at byte {error.start}") from error
    if name not in profile_names():
        known = ", ".join(profile_names())
        raise ProfileError(f"profile {name}: does not exist; use {known}, or a file {SUFFIX}")
    text = (files("rules") / "profiles" / f"{name}{SUFFIX}").read_text(encoding="utf-8")
    return ProfileText(name, text)


@lru_cache(maxsize=64)
def parsed(written: ProfileText) -> Profile:
    """The profile in its latest form; a text is read once per process.

    Raises:
        ProfileError: it cannot be used.
    """
    return parse_profile(written.text, written.name)


def load_profile(name: str, day: date) -> Profile:
    """The profile as it is in force on `day`; `name` as for `read_profile`.

    Raises:
        ProfileError: there is no such profile, or its file cannot be used.
    """
    return parsed(read_profile(name)).on(day)

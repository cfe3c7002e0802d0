"""The example settings file: it can be loaded, and it names every setting."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from dialer.asterisk_config import render
from dialer.settings import Settings, ensure_secrets, load_settings

EXAMPLE = Path(__file__).parents[2] / "docs" / "yobirin.example.toml"


def written_out() -> str:
    """The example with its commented defaults in force."""
    return re.sub(r"(?m)^#(?=\w+ = )", "", EXAMPLE.read_text(encoding="utf-8"))


def test_the_example_can_be_loaded_and_rendered_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "yobirin.toml"
    path.write_bytes(EXAMPLE.read_bytes())
    settings = load_settings(path)
    render(settings, ensure_secrets(settings, path), path, tmp_path / "asterisk")


def test_the_example_names_every_setting() -> None:
    named = {name: set(section) for name, section in tomllib.loads(written_out()).items()}
    schema = Settings.model_json_schema()
    known = {
        name: set(schema["$defs"][name.title().replace("_", "")]["properties"]) for name in named
    }
    assert known.keys() == schema["properties"].keys()
    assert named == known


@pytest.mark.parametrize("section", sorted(tomllib.loads(written_out())))
def test_what_the_example_shows_as_a_default_is_the_default(section: str) -> None:
    shown = Settings.model_validate(tomllib.loads(written_out()))
    in_force = load_settings(EXAMPLE)
    invented = {"trunk": {"username", "password"}}.get(section, set())
    assert getattr(shown, section).model_dump(exclude=invented) == getattr(
        in_force, section
    ).model_dump(exclude=invented)

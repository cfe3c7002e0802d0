"""The settings file as the service that answers reads it: the same file as the dialer's."""

from __future__ import annotations

from pathlib import Path

import pytest

from agi.settings import AgiSettingsError, load_agi_settings
from dialer.settings import load_settings

EXAMPLE = Path(__file__).parents[2] / "docs" / "yobirin.example.toml"


def written(folder: Path, text: str) -> Path:
    path = folder / "yobirin.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_both_processes_read_the_same_of_one_file() -> None:
    ours, dialers = load_agi_settings(EXAMPLE), load_settings(EXAMPLE)
    assert ours.agi == dialers.agi
    assert ours.asterisk.sounds_dir == str(dialers.asterisk.sounds_dir)


def test_what_is_left_out_is_the_same_for_both(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[trunk]\nhost = "192.0.2.1"\n[caller_id]\npool = ["0258990001", "0258990002"]\n',
    )
    ours, dialers = load_agi_settings(path), load_settings(path)
    assert ours.agi == dialers.agi
    assert ours.asterisk.sounds_dir == str(dialers.asterisk.sounds_dir)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[agi", "not a TOML file"),
        ("[agi]\nprot = 4573\n", "agi.prot: Extra inputs are not permitted"),
        ("[agi]\nport = 0\n", "agi.port: Input should be greater"),
        ('[agi]\nallowed = ["localhost"]\n', "agi.allowed.0: Input is not a valid"),
        ('[asterisk]\nsounds_dir = "/a b"\n', "asterisk.sounds_dir: String should match"),
        ('[asterisk]\nsounds_dir = "/a\\"\\n"\n', "asterisk.sounds_dir: String should match"),
    ],
)
def test_a_wrong_setting_is_told_with_its_name(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(AgiSettingsError, match=f"^{path}: {told}"):
        load_agi_settings(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AgiSettingsError, match="cannot be read"):
        load_agi_settings(tmp_path / "none.toml")

"""Prompts and spoken words as files that Asterisk plays."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from dialer import speech
from dialer.ami import contract
from scripts import sounds


def seconds_of(path: Path) -> float:
    """Length of a file that is fit for the telephone."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        return float(file.getnframes() / speech.RATE)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_words_are_spoken_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    first = sounds.say("はい、もしもし。")
    assert 0.5 < seconds_of(first) < 3
    monkeypatch.setattr(speech, "speak", None)  # calling it again would fail
    assert sounds.say("はい、もしもし。") == first


def test_another_pitch_or_speed_is_another_file() -> None:
    usual = sounds.say("はい。")
    quick = sounds.say("はい。", speed=2.0)
    assert len({usual, quick, sounds.say("はい。", half_tone=4.0)}) == 3
    assert seconds_of(quick) < seconds_of(usual)


NUMBERS = [
    # written, read out
    ("0258の00の1000まで", "ゼロニーゴーハチの、ゼロゼロの、イチゼロゼロゼロまで"),
    ("平日の日中に", "平日の日中に"),
    ("3の倍数", "3の倍数"),
    ("20時まで", "20時まで"),
]


@pytest.mark.parametrize(("written", "read_out"), NUMBERS)
def test_a_telephone_number_is_read_digit_by_digit(written: str, read_out: str) -> None:
    assert speech._spelt(written) == read_out


def test_every_prompt_of_the_dialplan_is_written(tmp_path: Path) -> None:
    sounds.write_prompts(tmp_path / "prompts")
    lengths = {file.stem: seconds_of(file) for file in (tmp_path / "prompts").iterdir()}
    assert lengths.keys() == set(contract.SOUNDS)
    assert lengths[contract.SOUND_CONNECT] == 0, "the person waits as long as it lasts"
    for name in (contract.SOUND_COURTESY, contract.SOUND_VOICEMAIL, contract.SOUND_GUIDANCE):
        assert 5 < lengths[name] < 30

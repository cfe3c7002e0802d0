"""What a caller heard is told from the recording, exactly."""

from __future__ import annotations

import random
import wave
from pathlib import Path

import pytest

from scripts.town.ears import Ears, Heard

QUIET = bytes([0xFF]) * 800  # 0.1 s


@pytest.fixture
def sounds(tmp_path: Path) -> dict[str, Path]:
    """Three sounds of noise; the length of `b` is no whole number of pieces."""
    chance = random.Random(1)
    files = {}
    for name, samples in {"a": 8000, "b": 8100, "c": 4000}.items():
        files[name] = tmp_path / f"{name}.wav"
        noise = [chance.randrange(-8000, 8000) for _ in range(samples)]
        with wave.open(str(files[name]), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(b"".join(one.to_bytes(2, "little", signed=True) for one in noise))
    return files


def encoded(file: Path) -> bytes:
    """By the tables of ITU-T G.711, one sample after another, as Asterisk goes by them."""
    with wave.open(str(file)) as wav:
        frames = wav.readframes(wav.getnframes())
    return bytes(
        _mu_law(int.from_bytes(frames[at : at + 2], "little", signed=True))
        for at in range(0, len(frames), 2)
    )


def _mu_law(sample: int) -> int:
    sample |= 3
    if sample == -1:
        return 0xFF
    size = min(abs(sample), 32635) + 0x84
    exponent = size.bit_length() - 8
    return ~((0x80 if sample < 0 else 0) | exponent << 4 | size >> exponent + 3 & 0xF) & 0xFF


@pytest.mark.parametrize(
    ("parts", "heard"),
    [
        ("", ()),
        (" ", ()),
        ("a", ("a",)),
        (" a b ", ("a", "b")),
        # after the short last piece of `b` all pieces begin elsewhere
        ("bac", ("b", "a", "c")),
        # the same again, at once or after silence, is named once
        ("a a", ("a",)),
        ("aba", ("a", "b", "a")),
    ],
)
def test_sounds_are_told_in_turn_and_nothing_else(
    parts: str, heard: tuple[str, ...], sounds: dict[str, Path], tmp_path: Path
) -> None:
    line = tmp_path / "line.ulaw"
    line.write_bytes(b"".join(QUIET if p == " " else encoded(sounds[p]) for p in parts))
    told = Ears(sounds).hear(line)
    assert told.sounds == heard
    # the short last piece of `b`, where silence follows
    assert told.strange_s == (0.02 if "b " in parts else 0.0)


def test_one_that_is_cut_short_at_either_end_is_still_known(
    sounds: dict[str, Path], tmp_path: Path
) -> None:
    line = tmp_path / "line.ulaw"
    line.write_bytes(encoded(sounds["a"])[3200:] + encoded(sounds["c"])[:1600])
    assert Ears(sounds).hear(line) == Heard(("a", "c"))


def test_what_is_no_sound_is_strange(sounds: dict[str, Path], tmp_path: Path) -> None:
    """Half a second of `c`, which these ears do not know."""
    line = tmp_path / "line.ulaw"
    line.write_bytes(encoded(sounds["a"]) + encoded(sounds["c"]))
    heard = Ears({"a": sounds["a"]}).hear(line)
    assert heard.sounds == ("a",)
    assert heard.strange_s == pytest.approx(0.5)


def test_the_pieces_of_one_line_are_heard_one_after_another(
    sounds: dict[str, Path], tmp_path: Path
) -> None:
    first, second = tmp_path / "1.ulaw", tmp_path / "2.ulaw"
    first.write_bytes(encoded(sounds["a"]))
    second.write_bytes(encoded(sounds["b"]))
    ears = Ears(sounds)
    assert ears.hear(first, tmp_path / "none.ulaw", second) == Heard(("a", "b"))
    assert ears.length_s("b") == 8100 / 8000

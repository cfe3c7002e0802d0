"""Speech for the telephone, synthesised once and kept: the PBX's prompts, and what a town says.

`python -m scripts.sounds DIR [PROFILE]` writes the prompts of a contract profile where
`asterisk.sounds_dir` of the settings file points.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import threading
import wave
from pathlib import Path

from dialer.ami import contract
from dialer.clock import SystemClock
from dialer.profiles import load_profile
from scripts.asterisk.root import cache

RATE = 8000
"""Samples a second on the telephone."""
_SILENCE_S = 10
_VOICE = (
    "pyopenjtalk-plus 1"  # to be changed when the way of speaking changes: part of the cache's key
)
_DIGITS = ("ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュー")
_one_at_a_time = threading.Lock()  # the synthesiser is not made for several threads


def say(words: str, *, half_tone: float = 0.0, speed: float = 1.0) -> Path:
    """A WAV file (8 kHz, mono, 16 bit) of the spoken words; synthesised the first time only.

    Args:
        half_tone: pitch of the voice, in half tones above (or below) the usual one.
        speed: 1.0 is the usual one.
    """
    key = f"{_VOICE}\0{words}\0{half_tone}\0{speed}"
    kept = cache() / "sounds" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.wav"
    with _one_at_a_time:
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            new = kept.with_suffix(f".{os.getpid()}.wav")
            _synthesise(words, half_tone, speed, new)
            new.replace(kept)
    return kept


def write_prompts(folder: Path, profile: str = "nagaoka-r8") -> None:
    """Write everything the dialplan plays: the profile's approved texts, and two silences."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = load_profile(profile, SystemClock().now().date()).texts
    for name, text in (
        (contract.SOUND_COURTESY, texts.courtesy),
        (contract.SOUND_VOICEMAIL, texts.voicemail),
        (contract.SOUND_GUIDANCE, texts.guidance),
    ):
        shutil.copyfile(say(text), folder / f"{name}.wav")
    _write_silence(folder / f"{contract.SOUND_SILENCE}.wav", _SILENCE_S)
    _write_silence(folder / f"{contract.SOUND_CONNECT}.wav", 0)


def _synthesise(words: str, half_tone: float, speed: float, path: Path) -> None:
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        import pyopenjtalk  # slow to load; and it tells of optional parts that are not needed here

    wave_form, rate = pyopenjtalk.tts(
        _spelt(words), speed=speed, half_tone=half_tone, predict_nani=False
    )
    raw = ["-t", "raw", "-r", str(rate), "-e", "signed", "-b", "16", "-c", "1", "-"]
    telephone = ["-r", str(RATE), "-b", "16", "-c", "1", str(path), "gain", "-n", "-6"]
    subprocess.run(["sox", *raw, *telephone], input=wave_form.astype("<i2").tobytes(), check=True)


def _spelt(words: str) -> str:
    """Telephone numbers (`0258の00の1000`) digit by digit, as they are read out."""

    def digit_by_digit(number: re.Match[str]) -> str:
        return "".join("の、" if c == "の" else _DIGITS[int(c)] for c in number[0])

    return re.sub(r"\d+(?:の\d+)+", digit_by_digit, words)


def _write_silence(path: Path, seconds: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(2 * RATE * seconds))


if __name__ == "__main__":
    write_prompts(Path(sys.argv[1]), *sys.argv[2:3])

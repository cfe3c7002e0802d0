"""Speech for the telephone, synthesised once and kept: the PBX's prompts, and what a town says.

`python -m scripts.sounds DIR [PROFILE]` writes the prompts of a contract profile where
`asterisk.sounds_dir` of the settings file points.
"""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import struct
import sys
import threading
import wave
from pathlib import Path

from dialer import speech
from dialer.ami import contract
from dialer.clock import SystemClock
from dialer.profiles import load_profile
from dialer.speech import RATE
from scripts.asterisk.root import cache

_SILENCE_S = 10
_BEEP_S = 0.4
_BEEP_HZ = 1000
_VOICE = (
    "pyopenjtalk-plus 1"  # to be changed when the way of speaking changes: part of the cache's key
)
_one_at_a_time = threading.Lock()  # the synthesiser is not made for several threads


def say(words: str, *, half_tone: float = 0.0, speed: float = 1.0, close: bool = False) -> Path:
    """A WAV file (8 kHz, mono, 16 bit) of the spoken words; synthesised the first time only.

    Args:
        half_tone: pitch of the voice, in half tones above (or below) the usual one.
        speed: 1.0 is the usual one.
        close: for a part of a sentence, see `dialer.speech`.
    """
    key = f"{_VOICE}\0{words}\0{half_tone}\0{speed}\0{close}"
    kept = cache() / "sounds" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.wav"
    with _one_at_a_time:
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            new = kept.with_suffix(f".{os.getpid()}.wav")
            speech.speak(words, new, half_tone=half_tone, speed=speed, close=close)
            new.replace(kept)
    return kept


def write_prompts(folder: Path, profile: str = "nagaoka-r8") -> None:
    """Write everything that is ever heard: the profile's approved texts, a tone, and two silences."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = load_profile(profile, SystemClock().now().date()).texts
    spoken = {
        contract.SOUND_COURTESY: texts.courtesy,
        contract.SOUND_VOICEMAIL: texts.voicemail,
        contract.SOUND_GUIDANCE: texts.guidance,
        **texts.callers,
    }
    for name, text in spoken.items():
        part_of_a_sentence = not text.endswith("。")
        shutil.copyfile(say(text, close=part_of_a_sentence), folder / f"{name}.wav")
    _write(folder / f"{contract.SOUND_BEEP}.wav", _tone())
    _write(folder / f"{contract.SOUND_SILENCE}.wav", bytes(2 * RATE * _SILENCE_S))
    _write(folder / f"{contract.SOUND_CONNECT}.wav", b"")


def _tone() -> bytes:
    turns = (_BEEP_HZ * 2 * math.pi * n / RATE for n in range(int(RATE * _BEEP_S)))
    return b"".join(struct.pack("<h", int(8000 * math.sin(turn))) for turn in turns)


def _write(path: Path, frames: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(frames)


if __name__ == "__main__":
    write_prompts(Path(sys.argv[1]), *sys.argv[2:3])

"""Words as sound for the telephone: WAV, 8 kHz, mono, 16 bit. Spoken by a synthesiser, without network.

The synthesiser is the optional part `speech` of the installation, and the program `sox`.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
import wave
from pathlib import Path
from typing import Any

from dialer.errors import SpeechError

RATE = 8000
"""Samples a second on the telephone."""
_DIGITS = ("ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュー")
_SILENT = ["silence", "1", "0.02", "0.5%"]
_PAUSE_S = "0.08"


def speak(
    words: str, path: Path, *, half_tone: float = 0.0, speed: float = 1.0, close: bool = False
) -> None:
    """Write a WAV file of the spoken words. Not made for several threads at once.

    Args:
        half_tone: pitch of the voice, in half tones above (or below) the usual one.
        speed: 1.0 is the usual one.
        close: cut short before and after, for a part that others of its sentence follow.

    Raises:
        SpeechError: the synthesiser or sox is missing, or cannot speak this.
    """
    if shutil.which("sox") is None:
        raise SpeechError("sox is missing; install the system's package `sox`")
    wave_form, rate = _synthesiser().tts(
        _spelt(words), speed=speed, half_tone=half_tone, predict_nani=False
    )
    raw = ["-t", "raw", "-r", str(rate), "-e", "signed", "-b", "16", "-c", "1", "-"]
    telephone = ["-r", str(RATE), "-b", "16", "-c", "1", str(path), "gain", "-n", "-6"]
    if close:
        telephone += [*_SILENT, "reverse", *_SILENT, "reverse", "pad", _PAUSE_S, _PAUSE_S]
    done = subprocess.run(  # noqa: S603 (fixed words and numbers; the text goes through the pipe)
        ["sox", *raw, *telephone],  # noqa: S607 (wherever the system has it)
        input=wave_form.astype("<i2").tobytes(),
        capture_output=True,
    )
    if done.returncode:
        raise SpeechError(f"{path.parent}: sox could not write the sound")


def check_wav(path: Path) -> None:
    """Look whether a recording is fit for the telephone.

    Raises:
        SpeechError: it is not, or cannot be read.
    """
    need = f"{RATE} Hz, mono, 16 bit PCM"
    try:
        with wave.open(str(path)) as file:
            found = (file.getframerate(), file.getnchannels(), 8 * file.getsampwidth())
            frames = file.getnframes()
    except OSError as error:
        raise SpeechError(f"{path}: cannot be read ({error.strerror})") from error
    except (wave.Error, EOFError) as error:
        raise SpeechError(f"{path}: not a WAV file of plain PCM; it must have {need}") from error
    if found != (RATE, 1, 16):
        rate, channels, bits = found
        raise SpeechError(
            f"{path}: has {rate} Hz, {channels} channels, {bits} bit; it must have {need}"
        )
    if not frames:
        raise SpeechError(f"{path}: nothing is to be heard in it")


def _synthesiser() -> Any:
    # slow to load; and it tells of optional parts that are not needed here
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            import pyopenjtalk
        except ImportError as error:
            raise SpeechError(
                "the synthesiser is missing; install `pyopenjtalk-plus` (the extra `speech`), "
                "or hand over a recording"
            ) from error
    return pyopenjtalk


def _spelt(words: str) -> str:
    """Telephone numbers (`0258の00の1000`) digit by digit, as they are read out."""

    def digit_by_digit(number: re.Match[str]) -> str:
        return "".join("の、" if c == "の" else _DIGITS[int(c)] for c in number[0])

    return re.sub(r"\d+(?:の\d+)+", digit_by_digit, words)

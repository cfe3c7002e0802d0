"""Tones as sound, and which tone a telephone heard: each prompt of the tests is one of its own."""

from __future__ import annotations

import functools
import math
import struct
import wave
from pathlib import Path

import numpy as np

RATE = 8000
FRAME = 160
"""Samples of 20 ms, what one RTP packet carries."""

COURTESY_HZ, VOICEMAIL_HZ, GUIDANCE_HZ = 500, 700, 900
WAIT_HZ, KEYS_HZ, POSITION_HZ, ASKED_BACK_HZ = 600, 800, 1000, 1100
LEAVE_MESSAGE_HZ, BEEP_HZ, MESSAGE_TAKEN_HZ, ORDERED_HZ = 1200, 1300, 1400, 1600
OTHER_HZ = 400
"""Every other sound that callers may hear."""
OPERATOR_HZ, PERSON_HZ = 1500, 1900
_ALL_HZ = (
    COURTESY_HZ, VOICEMAIL_HZ, GUIDANCE_HZ, WAIT_HZ, KEYS_HZ, POSITION_HZ, ASKED_BACK_HZ,
    LEAVE_MESSAGE_HZ, BEEP_HZ, MESSAGE_TAKEN_HZ, ORDERED_HZ, OTHER_HZ, OPERATOR_HZ, PERSON_HZ,
)  # fmt: skip
_LOUD = 2000.0
_KEYS = ("123", "456", "789", "*0#")
_ROWS_HZ, _COLUMNS_HZ = (697, 770, 852, 941), (1209, 1336, 1477)


def samples(hz: int | None, count: int, first: int = 0) -> list[int]:
    """Linear samples of a tone (None: silence); `first` continues a tone where it was left."""
    if hz is None:
        return [0] * count
    turn = 2 * math.pi * hz / RATE
    return [int(8000 * math.sin(turn * (first + i))) for i in range(count)]


def key_samples(key: str, count: int, first: int = 0) -> list[int]:
    """Linear samples of a telephone's key."""
    row = next(i for i, keys in enumerate(_KEYS) if key in keys)
    low = samples(_ROWS_HZ[row], count, first)
    high = samples(_COLUMNS_HZ[_KEYS[row].index(key)], count, first)
    return [(a + b) // 2 for a, b in zip(low, high, strict=True)]


def write_wav(path: Path, hz: int | None, seconds: float) -> None:
    """A tone (None: silence) as Asterisk plays it."""
    linear = samples(hz, int(RATE * seconds))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(linear)}h", *linear))


def heard(ulaw: bytes) -> int | None:
    """The one of our tones that dominates these G.711 bytes; None: silence or something else."""
    if len(ulaw) < FRAME:
        return None
    strength = np.abs(_waves(len(ulaw)) @ _FROM_ULAW[np.frombuffer(ulaw, np.uint8)])
    best = int(strength.argmax())
    return _ALL_HZ[best] if strength[best] > _LOUD else None


def heard_in_turn(ulaw: bytes, window: int = 5) -> list[int]:
    """The tones in G.711 bytes one after the other, each once; silence between them is left out.

    Args:
        window: frames that are looked at together.
    """
    size = window * FRAME
    pieces = (heard(ulaw[i : i + size]) for i in range(0, len(ulaw) - size + 1, size))
    told = [hz for hz in pieces if hz is not None]
    return [hz for i, hz in enumerate(told) if i == 0 or told[i - 1] != hz]


@functools.cache
def frame(hz: int | None) -> bytes:
    """20 ms of one of our tones (None: silence) as G.711 µ-law: it goes on in the next without a step."""
    return encode(samples(hz, FRAME))


def encode(linear: list[int]) -> bytes:
    """Linear samples as G.711 µ-law."""
    return bytes(_to_ulaw(sample) for sample in linear)


@functools.lru_cache(maxsize=8)
def _waves(count: int) -> np.ndarray:
    """For each tone what so many samples are multiplied with to get its strength."""
    turns = np.outer(_ALL_HZ, np.arange(count)) * (-2j * math.pi / RATE)
    return np.exp(turns) * (2 / count)


def _to_ulaw(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~(sign | exponent << 4 | mantissa) & 0xFF


def _from_ulaw(byte: int) -> int:
    byte = ~byte & 0xFF
    magnitude = (((byte & 0x0F) << 3) + 132 << ((byte >> 4) & 7)) - 132
    return -magnitude if byte & 0x80 else magnitude


_FROM_ULAW = np.array([_from_ulaw(byte) for byte in range(256)], dtype=float)

"""What a caller heard, told from the recording of their line: which sounds, and whether anything else.

A sound is played in pieces of 20 ms from its beginning, and a line without loss carries them as they are:
each piece that was heard is looked up among those of all sounds.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import numpy.typing as npt

_RATE = 8000
_PIECE = 160  # samples
_PIECE_S = _PIECE / _RATE
_AUDIBLE = 8
"""From this step of μ-law on a sample is heard (amplitude 64 of 32,768)."""
_SHORTEST = 5
"""Pieces; so few in a row may be alike in two sounds."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was on a line."""

    sounds: tuple[str, ...] = ()
    """In turn; one that comes again at once is named once."""
    strange_s: float = 0.0
    """Seconds in which something else was heard; a sound's last piece, if it is shorter than the others,
    counts as 0.02 when silence follows."""

    def __add__(self, later: Heard) -> Heard:
        return Heard((*self.sounds, *later.sounds), self.strange_s + later.strange_s)


class Ears:
    """Knows sounds by heart."""

    def __init__(self, sounds: Mapping[str, Path]) -> None:
        """
        Args:
            sounds: WAV files (8 kHz, mono, 16 bit) by name.
        """
        self._known: dict[bytes, frozenset[str]] = {}
        self._lengths_s: dict[str, float] = {}
        for name, file in sounds.items():
            encoded = _encoded(file)
            self._lengths_s[name] = len(encoded) / _RATE
            for piece in _pieces(encoded):
                self._known[piece] = self._known.get(piece, frozenset()) | {name}

    def length_s(self, name: str) -> float:
        """Seconds of a sound."""
        return self._lengths_s[name]

    def hear(self, *recordings: Path) -> Heard:
        """What the recordings (raw μ-law, 8 kHz) of one line have, one after another; a file that is not
        there is empty."""
        return reduce(Heard.__add__, map(self._hear, recordings), Heard())

    def _hear(self, recording: Path) -> Heard:
        if not recording.exists():
            return Heard()
        heard = list(self._explained(recording.read_bytes()))
        strange_s = sum(not names for names in heard) * _PIECE_S
        return Heard(tuple(_runs([names for names in heard if names])), strange_s)

    def _explained(self, recording: bytes) -> Iterator[frozenset[str]]:
        """The sounds each audible piece may be of; empty: of none."""
        at = 0
        while at + _PIECE <= len(recording):
            piece = recording[at : at + _PIECE]
            if _is_audible(piece) and piece not in self._known:
                # the last piece of a sound is shorter than the others
                at += self._next_known(recording, at)
                piece = recording[at : at + _PIECE]
            if _is_audible(piece):
                yield self._known.get(piece, frozenset())
            at += _PIECE

    def _next_known(self, recording: bytes, at: int) -> int:
        """How much later a known piece begins; 0: none does within the length of one."""
        shifts = range(1, _PIECE)
        return next((n for n in shifts if recording[at + n : at + n + _PIECE] in self._known), 0)


def _runs(heard: list[frozenset[str]]) -> Iterator[str]:
    """The sounds that explain the pieces, in turn."""
    told, candidates, length = "", frozenset[str](), 0
    for names in [*heard, frozenset[str]()]:
        if candidates & names:
            candidates, length = candidates & names, length + 1
            continue
        name = min(candidates, default="")
        if length >= _SHORTEST and name != told:
            yield (told := name)
        candidates, length = names, 1


def _pieces(encoded: bytes) -> Iterator[bytes]:
    """The audible ones."""
    whole = range(0, len(encoded) - _PIECE + 1, _PIECE)
    return filter(_is_audible, (encoded[at : at + _PIECE] for at in whole))


def _is_audible(piece: bytes) -> bool:
    return any(~byte & 0x7F >= _AUDIBLE for byte in piece)


def _encoded(file: Path) -> bytes:
    """As Asterisk sends it (ITU-T G.711, by its table of 14 bits)."""
    with wave.open(str(file)) as wav:
        samples = np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2").astype(np.int32)
    return mu_law(samples).tobytes()


def mu_law(samples: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """Samples of 16 bits as Asterisk encodes them."""
    rounded = samples | 3
    sign = np.where(rounded < -1, 0x80, 0)  # there is one zero only
    size = np.minimum(np.abs(rounded), 32635) + 0x84
    exponent = np.floor(np.log2(size)).astype(np.int32) - 7
    mantissa = (size >> (exponent + 3)) & 0x0F
    encoded: npt.NDArray[np.uint8] = (~(sign | exponent << 4 | mantissa) & 0xFF).astype(np.uint8)
    return encoded

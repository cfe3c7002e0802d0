"""What was made of the newest argument is made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Of = TypeVar("Of")
Made = TypeVar("Made")


class Newest(Generic[Of, Made]):
    """A function of something that never changes: it remembers its newest argument, by identity.

    Comparing or hashing what is asked about would take longer than most answers.
    """

    def __init__(self, make: Callable[[Of], Made]) -> None:
        self._make = make
        self._newest: tuple[Of, Made] | None = None

    def __call__(self, of: Of) -> Made:
        newest = self._newest
        if newest is None or newest[0] is not of:
            newest = self._newest = of, self._make(of)
        return newest[1]

"""Keyed hashes by which persons, households and numbers are found without being readable."""

from __future__ import annotations

import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """HMAC-SHA256 under the installation's `lookup_key`; one digest per kind of thing, in hex.

    The kind is part of what is hashed, so that equal digits of different kinds never meet.
    """

    lookup_key: bytes

    @classmethod
    def from_hex(cls, lookup_key: str) -> Keys:
        """From `Secrets.lookup_key`."""
        return cls(bytes.fromhex(lookup_key))

    def person(self, person_number: str) -> str:
        """Key of a person, from 宛名番号."""
        return self._digest("person", person_number)

    def household(self, household_number: str) -> str:
        """Key of a household, from 世帯番号."""
        return self._digest("household", household_number)

    def number(self, digits: str) -> str:
        """Key of a phone number, from its digits with the trunk 0."""
        return self._digest("number", digits)

    def _digest(self, kind: str, value: str) -> str:
        return hmac.digest(self.lookup_key, f"{kind}:{value}".encode(), "sha256").hex()

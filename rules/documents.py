"""YAML documents read strictly: a key written twice is a fault, never a silent last-one-wins."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Base of everything read from a profile: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StrictLoader(yaml.SafeLoader):
    """A safe YAML loader that refuses doubled keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a mapping.

        Raises:
            yaml.constructor.ConstructorError: a key stands there twice.
        """
        refuse_doubled_keys(node)
        return super().construct_mapping(node, deep)


def refuse_doubled_keys(node: yaml.MappingNode) -> None:
    """Look at one mapping, not into it.

    Raises:
        yaml.constructor.ConstructorError: a key stands there twice.
    """
    seen: set[str] = set()
    for key, _ in node.value:
        name = str(key.value)  # a list as a key is no key of ours, but must not break the check
        if name in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {name!r} is there twice", key.start_mark
            )
        seen.add(name)

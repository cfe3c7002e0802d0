"""The rules against their naive second writing, over many more invented histories than a test run.

    .venv/bin/python -m scripts.soak.histories [--runs N] [--first-seed N] [--processes N]

Prints how many histories and comparisons there were and what they reached; every history that the
two tell differently is printed with its seed. Exit status 0 only if there is none.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing import Pool

from tests.rules.random_histories import compare_history

CHUNK = 250
"""Histories a process takes at once."""
SHOWN = 5
"""Differences printed in full."""


@dataclass(frozen=True)
class Compared:
    """What came of some histories."""

    comparisons: int
    reached: Counter[str]
    differences: list[str]


def compare_seeds(seeds: range) -> Compared:
    """Compare the histories of these seeds."""
    comparisons, reached, differences = 0, Counter[str](), []
    for seed in seeds:
        try:
            history = compare_history(random.Random(seed))
        except AssertionError as difference:
            differences.append(f"seed {seed}: {difference}")
        else:
            comparisons += history.comparisons
            reached.update(history.reached)
    return Compared(comparisons, reached, differences)


def main() -> int:
    """Compare and print; 0 only without a difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=50_000, help="histories to compare")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    seeds = range(asked.first_seed, asked.first_seed + asked.runs)
    chunks = [seeds[n : n + CHUNK] for n in range(0, len(seeds), CHUNK)]
    comparisons, reached, differences = 0, Counter[str](), []
    started = time.monotonic()
    with Pool(asked.processes) as pool:
        for part in pool.imap_unordered(compare_seeds, chunks):
            comparisons += part.comparisons
            reached += part.reached
            differences += part.differences
    for what, histories in sorted(reached.items()):
        print(f"{histories:>8} histories reached {what}")
    print("\n\n".join(differences[:SHOWN]))
    print(
        f"{len(seeds)} histories, {comparisons} comparisons, {len(differences)} differences, "
        f"{time.monotonic() - started:.0f} s"
    )
    return 1 if differences or not comparisons else 0


if __name__ == "__main__":
    sys.exit(main())

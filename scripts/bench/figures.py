"""Percentiles, and what else a benchmark prints."""

from __future__ import annotations

import os
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0–1) of all values do not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered), round(share * len(ordered) + 0.5)) - 1)]


def spread(values: Sequence[float], unit: str = "ms", scale: float = 1000.0) -> str:
    """Least, median, p99 and greatest of values in seconds, in one line."""
    shares = {"min": 0.0, "p50": 0.5, "p99": 0.99, "max": 1.0}
    return "  ".join(
        f"{name} {percentile(values, s) * scale:,.1f}" for name, s in shares.items()
    ) + (f" {unit}")


def machine() -> str:
    """The machine's cores and how busy it was just now: a figure means little without them."""
    return f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.2f}"
